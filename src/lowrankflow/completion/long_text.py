"""Entries in text, one on each line, read exactly: any line that is wrong is named.

This takes a second or two per million lines; `fast_long_text` takes a tenth of that
for files in which nothing is wrong.
"""

from array import array
from collections import Counter
from pathlib import Path

import numpy as np

from lowrankflow.completion.cells import number, weight
from lowrankflow.completion.long_form import LongForm
from lowrankflow.completion.table import LongColumns
from lowrankflow.completion.table_errors import file_error
from lowrankflow.completion.text_layout import Layout
from lowrankflow.completion.text_records import records


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
        for at in (form.row, form.col):
            if not cells[at]:
                raise file_error(
                    path,
                    line=line,
                    column=at + 1,
                    rule="every entry has a row and a column",
                    got="an empty cell",
                    fix="Write the label, or leave the line out",
                )
        cell = cells[form.value]
        value = number(
            path,
            line,
            form.value,
            cell,
            decimal,
            in_first=line == layout.first_line,
        )
        if value != value:
            marks[cell] += 1
        if form.weight is not None:
            weights.append(weight(path, line, form.weight, cells[form.weight], decimal))
        rows.append(row_of.setdefault(cells[form.row], len(row_of)))
        cols.append(col_of.setdefault(cells[form.col], len(col_of)))
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
