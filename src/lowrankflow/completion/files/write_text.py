"""Tables as text, written block by block with the digits that give the same bits."""

from collections.abc import Iterable
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lowrankflow.completion.files.filled_table import (
    FilledTable,
    col_names,
    long_header,
    row_names,
)

Pairs = tuple[np.ndarray, np.ndarray]
_LINES = 1 << 19


def write_wide_text(file: BinaryIO, filled: FilledTable, delimiter: str) -> None:
    """A matrix, with the names around it that the table has."""
    table = filled.table
    labels = None
    if table.row_labels is not None:
        labels = [quoted(name, delimiter) for name in table.row_labels.tolist()]
    if table.col_labels is not None:
        names = table.col_labels.tolist()
        header = names if labels is None else [table.row_name, *names]
        cells = [quoted(name, delimiter, empty="") for name in header]
        file.write((delimiter.join(cells) + "\n").encode())
    for first, block in filled.row_blocks():
        numbers = in_digits(block.ravel()).to_pylist()
        width = block.shape[1]
        lines = []
        for i in range(block.shape[0]):
            line = delimiter.join(numbers[i * width : (i + 1) * width])
            if labels is not None:
                line = f"{labels[first + i]}{delimiter}{line}"
            lines.append(line)
        file.write(("\n".join(lines) + "\n").encode())


def write_long_text(
    file: BinaryIO, filled: FilledTable, delimiter: str, pairs: Pairs | None
) -> None:
    """An entry on each line, below a header: all of them, or these pairs."""
    table, bounds = filled.table, filled.interval is not None
    header = [quoted(name, delimiter) for name in long_header(table, bounds=bounds)]
    file.write((delimiter.join(header) + "\n").encode())
    rows_of = pa.array([quoted(n, delimiter) for n in row_names(table).tolist()])
    cols_of = pa.array([quoted(n, delimiter) for n in col_names(table).tolist()])
    for rows, cols, numbers in long_blocks(filled, pairs):
        cells = [rows_of.take(pa.array(rows)), cols_of.take(pa.array(cols))]
        cells += [in_digits(part) for part in numbers]
        line = pc.call_function("binary_join_element_wise", [*cells, delimiter])
        ended = pc.call_function("binary_join_element_wise", [line, "\n", ""])
        file.write(memoryview(_bytes_of(ended)))


def long_blocks(
    filled: FilledTable, pairs: Pairs | None
) -> Iterable[tuple[np.ndarray, np.ndarray, list[np.ndarray]]]:
    """(rows, cols, [value, low, high]) in pieces; low and high if there are any."""
    bounded = filled.interval is not None
    if pairs is None and not bounded:
        width = filled.table.shape[1]
        for first, block in filled.row_blocks():
            rows = np.repeat(np.arange(first, first + block.shape[0]), width)
            yield rows, np.tile(np.arange(width), block.shape[0]), [block.ravel()]
        return
    if pairs is None:
        bodies = zip(
            filled.row_blocks(),
            filled.bound(0).row_blocks(),
            filled.bound(1).row_blocks(),
            strict=True,
        )
        width = filled.table.shape[1]
        for (first, block), (_, low), (_, high) in bodies:
            rows = np.repeat(np.arange(first, first + block.shape[0]), width)
            numbers = [part.ravel() for part in (block, low, high)]
            yield rows, np.tile(np.arange(width), block.shape[0]), numbers
        return
    for start in range(0, pairs[0].size, _LINES):
        rows, cols = (part[start : start + _LINES] for part in pairs)
        numbers = [filled.at(rows, cols)]
        if bounded:
            numbers += filled.bounds_at(rows, cols)
        yield rows, cols, numbers


def in_digits(numbers: np.ndarray) -> pa.StringArray:
    """As many digits as give the same bits back; whole numbers without a point."""
    return pa.array(numbers).cast(pa.string())


def quoted(name: str, delimiter: str, *, empty: str = '""') -> str:
    """A label as a cell: in quotation marks where it needs them."""
    if name == "":
        return empty
    special = any(mark in name for mark in (delimiter, '"', "\n", "\r"))
    if special or name.startswith("#") or name != name.strip():
        return '"' + name.replace('"', '""') + '"'
    return name


def _bytes_of(lines: pa.Array) -> pa.Buffer:
    """The text of an array of strings, one after the other."""
    whole = lines.combine_chunks() if isinstance(lines, pa.ChunkedArray) else lines
    _, offsets, data = whole.buffers()
    ends = np.frombuffer(offsets, np.int32)[whole.offset :]
    return data.slice(ends[0], ends[len(whole)] - ends[0])
