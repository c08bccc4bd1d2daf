"""A matrix in text, read line by line; what is kept is proportional to its entries."""

import dataclasses
from array import array
from collections import Counter
from itertools import chain
from pathlib import Path

import numpy as np

from lowrankflow.completion.files.cells import as_number, is_missing, number
from lowrankflow.completion.files.table import Detected, Labels, Table
from lowrankflow.completion.files.table_errors import file_error, shown
from lowrankflow.completion.files.text_layout import Layout
from lowrankflow.completion.files.text_records import records

# The most usual marks of what was not observed, as what Python reads.
_USUAL: dict[str, str] = dict.fromkeys(
    ("", "NA", "?", "NULL", "null", "-", "N/A", "None"), "nan"
)


def read_wide_text(path: Path, layout: Layout, detected: Detected) -> Table:
    """Read a matrix from text.

    Raises:
        DataError: where a line or cell is wrong, by its number.
    """
    lines = records(path, layout.delimiter)
    header = None
    number_of_first = layout.first_line
    if layout.header is not None:
        number_of_first, header = next(lines)
    first = next(lines, None)
    if first is None:
        raise file_error(
            path,
            rule="a table has a line of numbers",
            got="a header only",
            fix="Write the rows of the matrix below the header",
        )
    lines = chain([first], lines)
    width = len(first[1])
    skip = 1 if layout.row_labels else 0
    if header is not None and layout.row_labels and width == len(header) + 1:
        header = ["", *header]  # as R writes tables
    elif header is not None:
        width = len(header)
    if width == skip:
        raise file_error(
            path,
            line=first[0],
            rule="a table has a column of numbers",
            got="names of rows only",
            fix="Look at how the cells are divided: --delimiter says otherwise",
        )
    names: list[str] = []
    marks: Counter[str] = Counter()
    cols: list[np.ndarray] = []
    values: list[np.ndarray] = []
    counts = array("q")
    for line, cells in lines:
        if len(cells) != width:
            raise file_error(
                path,
                line=line,
                rule=f"every line has {width} cells, as line {number_of_first} has",
                got=f"{len(cells)}",
                fix="Write ? for a cell that was not observed",
            )
        if skip:
            if not cells[0]:
                raise file_error(
                    path,
                    line=line,
                    column=1,
                    rule="every row has a name",
                    got="an empty cell",
                    fix="Name it, or give --no-row-labels if the first column has "
                    "numbers of the matrix",
                )
            names.append(cells[0])
        row = _numbers(path, line, cells, skip, layout, marks)
        seen = np.flatnonzero(~np.isnan(row)).astype(np.int32)
        cols.append(seen)
        values.append(row[seen])
        counts.append(seen.size)
    notes = list(detected.notes)
    if len(set(names)) < len(names):
        twice = [name for name, times in Counter(names).items() if times > 1]
        notes.append(
            f"{len(twice)} names of rows occur more than once, the first is "
            f"{shown(twice[0])}; their rows are kept apart"
        )
    labels = None if header is None else _col_labels(path, header[skip:], skip, layout)
    return Table(
        rows=np.repeat(np.arange(len(counts), dtype=np.int32), counts),
        cols=np.concatenate(cols),
        values=np.concatenate(values),
        shape=(len(counts), width - skip),
        row_labels=np.array(names, object) if skip else None,
        col_labels=labels,
        row_name=header[0] if header is not None and skip else "",
        detected=dataclasses.replace(
            detected,
            missing_marks=tuple(marks.most_common()),
            notes=tuple(notes),
        ),
    )


def _numbers(
    path: Path,
    line: int,
    cells: list[str],
    skip: int,
    layout: Layout,
    marks: Counter[str],
) -> np.ndarray:
    """One row, NaN where nothing was observed."""
    body = cells[skip:]
    decimal = layout.decimal
    try:
        # Python would take 1_000 for a thousand.
        if decimal != "." or "_" in "".join(body):
            raise ValueError
        row = np.array([float(_USUAL.get(cell, cell)) for cell in body])
    except ValueError:
        found = [as_number(cell, decimal) for cell in body]
        row = np.array([np.nan if x is None else x for x in found], dtype=np.float64)
    odd = np.flatnonzero(~np.isfinite(row)).tolist()
    if odd:
        there = [body[at] for at in odd]
        if not all(is_missing(cell) for cell in set(there)):
            for at in odd:
                in_first = line == layout.first_line
                number(path, line, at + skip, body[at], decimal, in_first=in_first)
        marks.update(there)
    return row


def _col_labels(path: Path, names: list[str], skip: int, layout: Layout) -> Labels:
    first: dict[str, int] = {}
    for at, name in enumerate(names):
        if name in first:
            raise file_error(
                path,
                line=layout.first_line,
                column=at + skip + 1,
                rule="every column has a name of its own",
                got=f"{shown(name)}, which column {first[name] + skip + 1} has too",
                fix="Rename one of them, or give --no-header if the first line has "
                "numbers of the matrix",
            )
        first[name] = at
    return np.array(names, object)
