"""Tables that others published: numbers with labels, and how an array becomes one.

A table here is as it was published, up to how its axes are laid out: nothing is scaled
or filled. What was never measured is NaN.
"""

import dataclasses
import hashlib
import io
import os
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from lowrankflow.errors import DataError
from lowrankflow.problems.published_file import PublishedFile


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class PublishedTable:
    """A table with its labels, and where it is from.

    Args:
        values: NaN where nothing was measured.
        row_labels: one for each row, distinct.
        col_labels: one for each column, distinct.
        unit: of the values, or "" where they have none.
        fingerprint: "sha256:" and the sha256 of what was read.
        licence: what may be done with it, and whom to cite.
    """

    values: Float[np.ndarray, "rows cols"]
    row_labels: tuple[str, ...]
    col_labels: tuple[str, ...]
    unit: str
    fingerprint: str
    licence: str

    @property
    def is_measured(self) -> Bool[np.ndarray, "rows cols"]:
        """Where there is a number."""
        return np.isfinite(self.values)

    @property
    def fraction_missing(self) -> float:
        """Of all entries, those that were never measured."""
        return 1.0 - float(self.is_measured.mean())


def published_array(
    *,
    where: str,
    what: str,
    name: str,
    folder: str,
    path_variable: str,
    sha256: str,
    by_hand: str,
) -> PublishedFile:
    """An array of the tensorly wheel, which ships several data sets as .npy files.

    Args:
        where: whose argument a path is, for messages.
        what: the data in a word or two, in the plural, for messages.
        name: of the file.
        folder: of the cache.
        path_variable: the environment variable that gives a path.
        sha256: of the numbers; see `sha256_of_numbers`.
        by_hand: how to get the file otherwise.
    """

    def fault(content: bytes) -> str | None:
        try:
            found = sha256_of_numbers(np.load(io.BytesIO(content), allow_pickle=False))
        except Exception as error:  # whatever a damaged file makes the reader raise
            return f"no array ({type(error).__name__}: {error})"
        return None if found == sha256 else f"with sha256 {found}"

    return PublishedFile(
        where=where,
        what=what,
        names=(name,),
        path_variable=path_variable,
        cached=f"{folder}/{name}",
        wheel="tensorly==0.10.0",
        member=f"tensorly/datasets/data/{name}",
        kept=bytes,
        fault=fault,
        by_hand=by_hand,
    )


def read_array(
    source: PublishedFile,
    path: str | os.PathLike[str] | None,
    *,
    num_axes: int,
    sha256: str | None,
) -> tuple[np.ndarray, str]:
    """The array of a published file, and the sha256 of its numbers.

    Args:
        source: the file.
        path: of a copy, or None; see `PublishedFile.path`.
        num_axes: how many axes the array has.
        sha256: what the sha256 must be; None accepts any numbers.

    Raises:
        DataError: when it cannot be had, is damaged or has another sha256.
    """
    file = source.path(path)
    content = source.read(file)
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
        if array.ndim != num_axes or array.dtype.kind not in "fiu" or array.size == 0:
            raise ValueError(f"{array.dtype} of shape {array.shape}")
    except Exception as error:
        raise DataError(
            where=source.where,
            rule=f"the file is a .npy of numbers with {num_axes} axes",
            got=f"{type(error).__name__}: {error}"[:200] + f" in {str(file)!r}",
            fix="Get the file again; the path can be left out to download it",
        ) from None
    found = sha256_of_numbers(array)
    require_sha256(source, found, sha256, f"shape {array.shape} in {str(file)!r}")
    return np.ascontiguousarray(array, np.float64), found


def require_sha256(
    source: PublishedFile, found: str, sha256: str | None, said: str
) -> None:
    """Refuse other data than those meant.

    Raises:
        DataError: when `sha256` is given and not the one found.
    """
    if sha256 is not None and found != sha256:
        raise DataError(
            where=source.where,
            rule=f"these are {source.what} as published, with sha256 {sha256}",
            got=f"sha256 {found}, {said}",
            fix="Get the file again; sha256=None takes other numbers of this form",
        )


def sha256_of_numbers(array: np.ndarray) -> str:
    """The sha256 of an array's numbers, in hexadecimal, in whatever order it is held.

    They are hashed as little-endian doubles, last axis fastest, every NaN alike.
    """
    numbers = np.array(array, dtype="<f8", order="C")
    numbers[np.isnan(numbers)] = np.nan
    return hashlib.sha256(numbers.tobytes()).hexdigest()


def product_labels(*axes: Sequence[str]) -> tuple[str, ...]:
    """Labels of axes that became one, the last of them fastest: "a, b"."""
    labels = [""]
    for axis in axes:
        labels = [
            f"{first}, {last}" if first else last for first in labels for last in axis
        ]
    return tuple(labels)
