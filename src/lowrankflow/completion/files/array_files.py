"""Tables in files of NumPy: an array, a sparse matrix, or entries one by one."""

import dataclasses
import zipfile
from pathlib import Path

import numpy as np
import scipy.sparse

from lowrankflow.completion.files.repeated_entries import table_of
from lowrankflow.completion.files.table import (
    Asked,
    Detected,
    Labels,
    LongColumns,
    Table,
)
from lowrankflow.completion.files.table_errors import file_error, shown

_BROKEN = (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile)


def read_npy(path: Path, asked: Asked) -> Table:
    """Read a matrix that numpy.save wrote; NaN was not observed.

    Raises:
        DataError: when it is none.
    """
    array = _loaded(path)
    if not isinstance(array, np.ndarray):
        array.close()
        raise _no_array(path, "an archive of arrays", "Name it .npz")
    return matrix_table(path, array, Detected(kind="array of NumPy", form="wide"))


def read_npz(path: Path, asked: Asked) -> Table:
    """Read `matrix`, what scipy.sparse.save_npz wrote, or `rows`, `cols` and `values`.

    `row_labels` and `col_labels` beside them are read; beside entries also `weights`
    and `shape`. Of a sparse matrix, what is not stored was not observed.

    Raises:
        DataError: when it has none of these.
    """
    loaded = _loaded(path)
    if isinstance(loaded, np.ndarray):
        raise _no_array(path, "one array", "Name it .npy")
    try:
        with loaded as file:
            parts = {name: file[name] for name in file.files}
    except _BROKEN as error:
        raise _unreadable(path, error) from None
    if {"format", "shape", "data"} <= set(parts):
        try:
            sparse = scipy.sparse.load_npz(path)
        except _BROKEN as error:
            raise _unreadable(path, error) from None
        return sparse_table(path, sparse, "sparse matrix of SciPy", asked)
    if {"rows", "cols", "values"} <= set(parts):
        return _entries(path, parts, asked)
    if len(parts) != 1 and "matrix" not in parts:
        raise file_error(
            path,
            rule="the file has one array, or one that is called 'matrix', or rows, "
            "cols and values, or is what scipy.sparse.save_npz writes",
            got=", ".join(sorted(parts)) or "none",
            fix="Save it again with numpy.savez(file, matrix=...)",
        )
    name = "matrix" if "matrix" in parts else next(iter(parts))
    table = matrix_table(
        path, parts[name], Detected(kind="archive of NumPy", form="wide")
    )
    return dataclasses.replace(
        table,
        row_labels=_labels(path, parts, "row_labels", table.shape[0]),
        col_labels=_labels(path, parts, "col_labels", table.shape[1]),
    )


def matrix_table(path: Path, array: np.ndarray, detected: Detected) -> Table:
    """The entries of a matrix that are not NaN.

    Raises:
        DataError: when it is no matrix of finite numbers.
    """
    if array.ndim != 2 or array.size == 0:
        raise file_error(
            path,
            rule="this is a non-empty array with two dimensions",
            got=f"one of shape {array.shape}",
            fix="Save matrix.reshape(rows, cols)",
        )
    numbers = real(path, "matrix", array)
    infinite = np.argwhere(np.isinf(numbers))
    if infinite.size:
        row, col = infinite[0].tolist()
        raise _infinite(path, row, col, float(numbers[row, col]))
    return dataclasses.replace(Table.of_matrix(numbers), detected=detected)


def sparse_table(path: Path, sparse: object, kind: str, asked: Asked) -> Table:
    """The stored entries of a sparse matrix.

    Raises:
        DataError: when they are no finite numbers, or repeat.
    """
    entries = scipy.sparse.coo_matrix(sparse)
    rows, cols = entries.shape  # pyright: ignore[reportGeneralTypeIssues]
    found = _columns(path, entries.row, entries.col, entries.data, None)
    note = "What is not stored was not observed; a stored zero is data"
    detected = Detected(kind=kind, form="long", notes=(note,))
    return table_of(
        path,
        found,
        shape=(int(rows), int(cols)),
        names=None,
        duplicates=asked.duplicates,
        detected=detected,
    )


def real(path: Path, name: str, array: np.ndarray) -> np.ndarray:
    """The numbers of an array as float64, or float32 if they are.

    Raises:
        DataError: when they are no real numbers.
    """
    if array.dtype.kind not in "biuf":
        raise file_error(
            path,
            rule=f"{name} has real numbers",
            got=f"numbers of type {array.dtype}"
            if array.dtype.kind == "c"
            else f"values of type {array.dtype}",
            fix="Save it again with numpy.save(file, numpy.asarray(matrix, float))",
        )
    return array.astype(np.float32 if array.dtype == np.float32 else np.float64)


def _entries(path: Path, parts: dict[str, np.ndarray], asked: Asked) -> Table:
    rows, cols, values = (parts[name] for name in ("rows", "cols", "values"))
    weights = parts.get("weights")
    arrays = {"rows": rows, "cols": cols, "values": values}
    arrays |= {} if weights is None else {"weights": weights}
    sizes = {name: array.shape for name, array in arrays.items()}
    if (
        any(array.ndim != 1 for array in arrays.values())
        or len(set(sizes.values())) > 1
    ):
        raise file_error(
            path,
            rule=f"{', '.join(arrays)} are equally long lists",
            got=", ".join(f"{name} of shape {size}" for name, size in sizes.items()),
            fix="Save one number of each for every entry",
        )
    row_index, row_labels = _numbered(path, "rows", rows)
    col_index, col_labels = _numbered(path, "cols", cols)
    if weights is not None:
        weights = real(path, "weights", weights)
        bad = np.flatnonzero(~((weights > 0) & np.isfinite(weights)))
        if bad.size:
            raise file_error(
                path,
                rule="a weight is a finite number above 0",
                got=f"weights[{bad[0]}] = {float(weights[bad[0]])!r}",
                fix="Leave out the entries that are not to count",
            )
    least = (
        1 + int(row_index.max(initial=-1)),
        1 + int(col_index.max(initial=-1)),
    )
    shape = least
    if "shape" in parts:
        given = tuple(int(k) for k in np.ravel(parts["shape"]))
        if len(given) != 2 or given[0] < least[0] or given[1] < least[1]:
            raise file_error(
                path,
                rule=f"shape is (rows, cols), at least {least}",
                got=f"{given}",
                fix="Correct it, or leave it out",
            )
        shape = (given[0], given[1])
    found = _columns(path, row_index, col_index, values, weights)
    table = table_of(
        path,
        found,
        shape=shape,
        names=None,
        duplicates=asked.duplicates,
        detected=Detected(kind="archive of NumPy", form="long"),
    )
    if row_labels is None:
        row_labels = _labels(path, parts, "row_labels", shape[0])
    if col_labels is None:
        col_labels = _labels(path, parts, "col_labels", shape[1])
    return dataclasses.replace(table, row_labels=row_labels, col_labels=col_labels)


def _columns(
    path: Path,
    rows: np.ndarray,
    cols: np.ndarray,
    values: np.ndarray,
    weights: np.ndarray | None,
) -> LongColumns:
    numbers = real(path, "values", values)
    infinite = np.flatnonzero(np.isinf(numbers))
    if infinite.size:
        at = infinite[0]
        raise _infinite(path, int(rows[at]), int(cols[at]), float(numbers[at]))
    small = max(rows.max(initial=0), cols.max(initial=0)) < 2**31
    kind = np.int32 if small else np.int64
    return LongColumns(
        rows=rows.astype(kind),
        cols=cols.astype(kind),
        values=numbers,
        weights=weights,
        row_labels=None,
        col_labels=None,
        place=lambda entry: f"entry {entry} (from 0)",
    )


def _numbered(
    path: Path, name: str, given: np.ndarray
) -> tuple[np.ndarray, Labels | None]:
    """Indices as they are; words as their numbers in the order of first appearance."""
    if given.dtype.kind in "iu":
        if given.size and int(given.min()) < 0:
            raise file_error(
                path,
                rule=f"{name} are counted from 0",
                got=f"{given.min()}",
                fix="Correct it",
            )
        return given.astype(np.int64), None
    if given.dtype.kind == "U":
        once: dict[str, int] = {}
        numbers = [once.setdefault(label, len(once)) for label in given.tolist()]
        return np.array(numbers, np.int64), np.array(list(once), object)
    raise file_error(
        path,
        rule=f"{name} are whole numbers from 0, or words",
        got=f"values of type {given.dtype}",
        fix=f"Save {name}.astype(int)",
    )


def _labels(
    path: Path, parts: dict[str, np.ndarray], name: str, count: int
) -> Labels | None:
    if name not in parts:
        return None
    labels = parts[name]
    if labels.shape != (count,):
        raise file_error(
            path,
            rule=f"{name} has {count} names",
            got=f"an array of shape {labels.shape}",
            fix="Correct it, or leave it out",
        )
    return np.array([str(label) for label in labels.tolist()], object)


def _loaded(path: Path):
    try:
        return np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise
    except PermissionError:
        raise
    except _BROKEN as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception):
    return _no_array(
        path,
        f"{type(error).__name__}: {error}"[:200],
        "Save it again with numpy.save(file, numpy.asarray(matrix, float))",
    )


def _no_array(path: Path, got: str, fix: str):
    return file_error(
        path,
        rule="this is an array of numbers that numpy.save or numpy.savez wrote",
        got=got,
        fix=fix,
    )


def _infinite(path: Path, row: int, col: int, value: float):
    return file_error(
        path,
        rule="an entry is a finite number, or NaN if it was not observed",
        got=f"{shown(value)} in row {row}, column {col} (from 0)",
        fix="Replace it by NaN",
    )
