"""Ratings that people gave to films: MovieLens 100K, read and labelled."""

import dataclasses
import io
import os
import warnings
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from lowrankflow.errors import DataError
from lowrankflow.problems.ratings_file import (
    MOVIELENS_100K_MD5,
    RATINGS_FILE,
    md5_of,
    without_header,
)

MOVIELENS_LICENCE = (
    "MovieLens 100K was collected by the GroupLens Research Project at the University "
    "of Minnesota. It may be used for research; it may not be redistributed, nor used "
    "commercially, without permission. It is not part of this library or of its "
    "results. Cite F. M. Harper and J. A. Konstan, The MovieLens Datasets: History and "
    "Context, ACM Transactions on Interactive Intelligent Systems 5(4), 2015."
)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Ratings:
    """A list of ratings, in the order of the file.

    Args:
        users: 0-based user of each rating; labels ascend with the index.
        items: 0-based item of each rating, likewise.
        values: the ratings.
        timestamps: when they were given, in seconds since 1970.
        user_labels: the users' numbers in the file.
        item_labels: the items' numbers in the file.
        fingerprint: "md5:" and the md5 of the rows.
        licence: what may be done with them.
    """

    users: Int[np.ndarray, " ratings"]
    items: Int[np.ndarray, " ratings"]
    values: Float[np.ndarray, " ratings"]
    timestamps: Int[np.ndarray, " ratings"]
    user_labels: Int[np.ndarray, " users"]
    item_labels: Int[np.ndarray, " items"]
    fingerprint: str
    licence: str

    @property
    def shape(self) -> tuple[int, int]:
        """(users, items)."""
        return self.user_labels.size, self.item_labels.size

    @property
    def num_ratings(self) -> int:
        """How many ratings there are."""
        return self.values.size


def load_ratings(
    path: str | os.PathLike[str] | None = None,
    *,
    md5: str | None = MOVIELENS_100K_MD5,
) -> Ratings:
    """MovieLens 100K: 100,000 ratings of 1682 films by 943 users.

    Args:
        path: a file in the official form u.data (user, item, rating, timestamp, with
            tabs between), the same with a header line, or a folder with one. Without
            it: LOWRANKFLOW_ML100K, then the cache, then a download into the cache.
        md5: what the md5 of the rows must be; None accepts any ratings of this form.

    Raises:
        DataError: when there is no such file and the download fails, a line is
            malformed (the message names it), or the md5 is another.

    Exactness: exact; the rows are those of the official file, in its order.
    Cost: a tenth of a second; the first download is 2 MB.
    """
    file = RATINGS_FILE.path(path)
    content = RATINGS_FILE.read(file)
    body = without_header(content)
    columns = _columns_at_once(body)
    if columns is None:
        first_line = 1 if len(body) == len(content) else 2
        columns = _columns(file, body, first_line=first_line)
    if md5 is not None and md5_of(body) != md5:
        raise DataError(
            where="load_ratings(path)",
            rule=f"the rows are those of MovieLens 100K, with md5 {md5}",
            got=f"md5 {md5_of(body)} and {columns.shape[1]} rows in {str(file)!r}",
            fix="Copy the file again; load_ratings(path, md5=None) takes other ratings",
        )
    user_labels, users = np.unique(columns[0], return_inverse=True)
    item_labels, items = np.unique(columns[1], return_inverse=True)
    return Ratings(
        users=users,
        items=items,
        values=columns[2],
        timestamps=columns[3].astype(np.int64),
        user_labels=user_labels.astype(np.int64),
        item_labels=item_labels.astype(np.int64),
        fingerprint=f"md5:{md5_of(body)}",
        licence=MOVIELENS_LICENCE,
    )


def _columns_at_once(body: bytes) -> Float[np.ndarray, "columns ratings"] | None:
    """The columns of a file without a mistake; None where line by line may say more."""
    kinds = [("user", "i8"), ("item", "i8"), ("value", "f8"), ("time", "f8")]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            rows = np.loadtxt(io.BytesIO(body), kinds, comments=None, delimiter="\t")
    except (ValueError, Warning):
        return None
    columns = np.array([rows[name] for name, _ in kinds], float)
    num_lines = body.removesuffix(b"\n").count(b"\n") + 1
    whole = columns.ndim == 2 and columns.shape[1] == num_lines
    return columns if whole and np.isfinite(columns).all() else None


def _columns(
    file: Path, body: bytes, *, first_line: int
) -> Float[np.ndarray, "columns ratings"]:
    rows: list[tuple[int, int, float, int]] = []
    lines = body.decode("utf-8", errors="replace").removesuffix("\n").split("\n")
    for number, line in enumerate(lines, start=first_line):
        try:
            user, item, value, timestamp = line.split("\t")
            row = int(user), int(item), float(value), int(float(timestamp))
            if not np.isfinite(row[2]):
                raise ValueError
        except (ValueError, OverflowError):
            raise DataError(
                where="load_ratings(path)",
                rule="a line is user, item, rating and timestamp, with tabs between",
                got=f"{line[:60]!r} on line {number} of {str(file)!r}",
                fix="Correct that line, or get the file again",
            ) from None
        rows.append(row)
    return np.array(rows, float).T
