"""Entries that are given more than once: refused, or made one."""

import dataclasses
from pathlib import Path
from typing import Literal

import numpy as np

from lowrankflow.completion.files.table import Detected, LongColumns, Table
from lowrankflow.completion.files.table_errors import file_error, shown


def table_of(
    path: Path,
    found: LongColumns,
    *,
    shape: tuple[int, int],
    names: tuple[str, ...] | None,
    duplicates: Literal["error", "mean", "last"],
    detected: Detected,
) -> Table:
    """The table whose entries these are, each pair once.

    Args:
        path: for messages.
        found: all lines.
        shape: rows and columns.
        names: of row, column and value in the header.
        duplicates: what becomes of pairs that are there more than once. The mean is
            weighted by the weights, which add up; of the last, value and weight count.
        detected: what is known of the file so far.

    Raises:
        DataError: when pairs repeat and are not to be made one.
    """
    rows, cols = found.rows, found.cols
    values, weights = found.values, found.weights
    missing = np.isnan(values)
    num_missing = int(np.count_nonzero(missing))
    which = None
    if num_missing:
        which = np.flatnonzero(~missing)
        rows, cols, values = rows[which], cols[which], values[which]
        weights = None if weights is None else weights[which]
    num_repeated = 0
    if _repeat(rows, cols, shape):
        key = rows.astype(np.int64) * shape[1] + cols
        order = np.argsort(key, kind="stable")
        key = key[order]
        first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
        num_repeated = key.size - first.size
        if duplicates == "error":
            _refuse(path, found, which, order, first, num_repeated)
        if duplicates == "last":
            kept = order[np.r_[first[1:], key.size] - 1]
            values = values[kept]
            weights = None if weights is None else weights[kept]
        else:
            kept = order[first]
            weight = np.ones(values.size) if weights is None else weights
            total = np.add.reduceat(weight[order], first)
            values = np.add.reduceat((weight * values)[order], first) / total
            weights = None if weights is None else total
        rows, cols = rows[kept], cols[kept]
    name = (*(names or ()), "", "", "")
    return Table(
        rows=rows,
        cols=cols,
        values=values,
        weights=weights,
        shape=shape,
        row_labels=found.row_labels,
        col_labels=found.col_labels,
        row_name=name[0],
        col_name=name[1],
        value_name=name[2],
        detected=dataclasses.replace(
            detected, num_missing_lines=num_missing, num_repeated=num_repeated
        ),
    )


def _repeat(rows: np.ndarray, cols: np.ndarray, shape: tuple[int, int]) -> bool:
    """Whether any pair is there twice."""
    key = rows.astype(np.int64)
    key *= shape[1]
    key += cols
    if shape[0] * shape[1] <= 32 * key.size:
        seen = np.zeros(shape[0] * shape[1], bool)
        seen[key] = True
        return int(np.count_nonzero(seen)) < key.size
    key.sort()
    return bool(np.any(key[1:] == key[:-1]))


def _refuse(
    path: Path,
    found: LongColumns,
    which: np.ndarray | None,
    order: np.ndarray,
    first: np.ndarray,
    num_repeated: int,
) -> None:
    """Name the pair that repeats soonest, and both its lines."""
    repeats = np.ones(order.size, bool)
    repeats[first] = False
    later = np.flatnonzero(repeats)
    at = later[np.argmin(order[later])]
    one, two = (int(order[k]) for k in (at - 1, at))
    if which is not None:
        one, two = int(which[one]), int(which[two])
    row, col = int(found.rows[two]), int(found.cols[two])
    labels = (found.row_labels, found.col_labels)
    pair = ", ".join(
        str(k) if names is None else shown(str(names[k]))
        for k, names in zip((row, col), labels, strict=True)
    )
    values = f"{found.values[one]:.6g} and {found.values[two]:.6g}"
    more = f"; {num_repeated} repetitions in all" if num_repeated > 1 else ""
    raise file_error(
        path,
        rule="an entry, a pair of row and column, is given once",
        got=f"({pair}) in {found.place(one)} and in {found.place(two)}, "
        f"with {values}{more}",
        fix="Give --duplicates mean or --duplicates last to make one of them",
    )
