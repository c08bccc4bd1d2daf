"""Entries in text, one on each line, read exactly: any line that is wrong is named.

This takes a second or two per million lines; `fast_long_text` takes a tenth of that
for files in which nothing is wrong.
"""

from array import array
from collections import Counter
from pathlib import Path

import numpy as np

from lowrankflow.completion.files.cells import number, weight
from lowrankflow.completion.files.long_form import LongForm
from lowrankflow.completion.files.table import LongColumns
from lowrankflow.completion.files.table_errors import file_error
from lowrankflow.completion.files.text_layout import Layout
from lowrankflow.completion.files.text_records import records


def scan_long_text(
    path: Path, layout: Layout, form: LongForm, marks: Counter[str]
) -> LongColumns:
    """Read the entries of a long table, line by line.

    Args:
        path: of the file.
        layout: how its cells are divided.
        form: which column is what.
        marks: what stood where a value is missing is counted here.

    Raises:
        DataError: where a line or cell is wrong, by its number.
    """
    width, decimal = layout.width, layout.decimal
    row_of: dict[str, int] = {}
    col_of: dict[str, int] = {}
    rows, cols, values = array("i"), array("i"), array("d")
    weights, starts = array("d"), array("q")
    lines = records(path, layout.delimiter)
    if layout.header is not None:
        _, header = next(lines)
        width = len(header)
    for line, cells in lines:
        if len(cells) != width:
            if cells == [""]:
                continue
            raise file_error(
                path,
                line=line,
                rule=f"every line has {width} cells, as line {layout.first_line} has",
                got=f"{len(cells)}",
                fix="Correct that line; quote a cell that has the delimiter in it",
            )
        row, col, cell = cells[form.row], cells[form.col], cells[form.value]
        if not row or not col:
            raise file_error(
                path,
                line=line,
                column=(form.col if row else form.row) + 1,
                rule="every entry has a row and a column",
                got="an empty cell",
                fix="Write the label, or leave the line out",
            )
        value = _plain_number(cell) if decimal == "." else None
        if value is None:
            in_first = line == layout.first_line
            value = number(path, line, form.value, cell, decimal, in_first=in_first)
            if value != value:
                marks[cell] += 1
        if form.weight is not None:
            weights.append(weight(path, line, form.weight, cells[form.weight], decimal))
        rows.append(row_of.setdefault(row, len(row_of)))
        cols.append(col_of.setdefault(col, len(col_of)))
        values.append(value)
        starts.append(line)
    if not values:
        raise file_error(
            path,
            rule="a table has a line of numbers",
            got="a header only",
            fix="Write the entries below the header",
        )
    return LongColumns(
        rows=np.frombuffer(rows, np.int32),
        cols=np.frombuffer(cols, np.int32),
        values=np.frombuffer(values, np.float64),
        weights=None if form.weight is None else np.frombuffer(weights, np.float64),
        row_labels=np.array(list(row_of), object),
        col_labels=np.array(list(col_of), object),
        place=lambda entry: f"line {starts[entry]}",
    )


def _plain_number(cell: str) -> float | None:
    """The finite number in a cell; None if there may be more to say about it."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if value - value == 0 and "_" not in cell else None
