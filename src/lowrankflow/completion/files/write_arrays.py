"""Tables as arrays of NumPy and as Matrix Market files, written block by block."""

import io
import zipfile
from collections.abc import Callable
from typing import BinaryIO

import numpy as np

from lowrankflow.completion.files.filled_table import FilledTable
from lowrankflow.completion.files.write_text import Pairs, in_digits, long_blocks


def write_npy(file: BinaryIO, filled: FilledTable) -> None:
    """A matrix, as numpy.save writes it."""
    kind = filled.table.values.dtype
    _npy_header(file, filled.table.shape, kind)
    for _, block in filled.row_blocks():
        file.write(np.ascontiguousarray(block).tobytes())


def write_npz_wide(file: BinaryIO, filled: FilledTable) -> None:
    """`matrix`, `low` and `high` if there are any, and the labels."""
    with zipfile.ZipFile(file, "w") as archive:
        _member(archive, "matrix", lambda member: write_npy(member, filled))
        if filled.interval is not None:
            for which, name in enumerate(("low", "high")):
                bound = filled.bound(which)
                _member(archive, name, lambda m, bound=bound: write_npy(m, bound))
        _labels(archive, filled)


def write_npz_long(file: BinaryIO, filled: FilledTable, pairs: Pairs | None) -> None:
    """`rows`, `cols`, `values`, with `shape` and the labels, and `low` and `high`."""
    pieces = list(long_blocks(filled, pairs))
    columns = [[p[0] for p in pieces], [p[1] for p in pieces]]
    columns += [list(part) for part in zip(*[p[2] for p in pieces], strict=True)]
    names = ("rows", "cols", "values", "low", "high")
    with zipfile.ZipFile(file, "w") as archive:
        for name, parts in zip(names, columns, strict=False):
            _array(archive, name, np.concatenate(parts))
        _array(archive, "shape", np.array(filled.table.shape))
        _labels(archive, filled)


def write_matrix_market(
    file: BinaryIO, filled: FilledTable, pairs: Pairs | None, *, long: bool
) -> None:
    """An array file, column by column; a coordinate file for pairs and long tables."""
    rows, cols = filled.table.shape
    if not long:
        file.write(
            f"%%MatrixMarket matrix array real general\n{rows} {cols}\n".encode()
        )
        for _, block in filled.col_blocks():
            file.write(
                ("\n".join(in_digits(block.ravel()).to_pylist()) + "\n").encode()
            )
        return
    count = rows * cols if pairs is None else pairs[0].size
    file.write(b"%%MatrixMarket matrix coordinate real general\n")
    file.write(f"{rows} {cols} {count}\n".encode())
    for row_index, col_index, numbers in long_blocks(filled, pairs):
        lines = zip(
            (row_index + 1).tolist(),
            (col_index + 1).tolist(),
            in_digits(numbers[0]).to_pylist(),
            strict=True,
        )
        file.write("".join(f"{i} {j} {value}\n" for i, j, value in lines).encode())


def _npy_header(file: BinaryIO, shape: tuple[int, ...], kind: np.dtype) -> None:
    header = {
        "shape": shape,
        "fortran_order": False,
        "descr": np.lib.format.dtype_to_descr(kind),
    }
    np.lib.format.write_array_header_1_0(file, header)


def _member(
    archive: zipfile.ZipFile, name: str, write: Callable[[BinaryIO], None]
) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        write(member)  # pyright: ignore[reportArgumentType]


def _array(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    buffer = io.BytesIO()
    np.save(buffer, array)
    archive.writestr(f"{name}.npy", buffer.getvalue())


def _labels(archive: zipfile.ZipFile, filled: FilledTable) -> None:
    table = filled.table
    for name in ("row_labels", "col_labels"):
        labels = table.row_labels if name == "row_labels" else table.col_labels
        if labels is not None:
            _array(archive, name, labels.astype(str))
