"""Pairs of a row and a column, by their labels, in a file."""

import difflib
from collections import Counter
from pathlib import Path

import numpy as np

from lowrankflow.completion.files.filled_table import col_names, row_names
from lowrankflow.completion.files.long_form import names_a_pair
from lowrankflow.completion.files.table import Asked, Table
from lowrankflow.completion.files.table_errors import file_error, shown
from lowrankflow.completion.files.table_files import file_kind, readable_file
from lowrankflow.completion.files.text_layout import text_layout
from lowrankflow.completion.files.text_records import records

PAIR_SUFFIXES = (".csv", ".tsv", ".txt")


def read_pairs(
    path: Path | str, table: Table, *, delimiter: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Read pairs of labels of a row and a column of a table, one on each line.

    The first two cells of a line are the pair; what comes after is not read. A first
    line is a header if it has words that no row and no column is called by. Rows and
    columns without labels are numbered from 0.

    Args:
        path: of a .csv, .tsv or .txt file, perhaps packed: .csv.gz.
        table: whose labels they are.
        delimiter: as `read_table` has it.

    Returns:
        Row and column numbers, from 0, in the order of the file.

    Raises:
        DataError: when a label is not in the table or a line has none, by its number.
    """
    path = Path(path).expanduser()
    suffix, _ = file_kind(path)
    if suffix not in PAIR_SUFFIXES:
        raise file_error(
            path,
            rule=f"pairs are read from {', '.join(PAIR_SUFFIXES)}, packed or not",
            got=f"the suffix {path.suffix!r}",
            fix="Save them as .csv: a row and a column on each line",
        )
    with readable_file(path):
        asked = Asked(form="wide", delimiter=delimiter, header=False, row_labels=False)
        layout = text_layout(path, suffix, asked)
        lines = list(records(path, layout.delimiter))
    known = (_numbered(row_names(table)), _numbered(col_names(table)))
    found: tuple[list[int], list[int]] = ([], [])
    for line, cells in lines:
        if cells == [""]:
            continue
        if len(cells) < 2:
            raise file_error(
                path,
                line=line,
                rule="a pair is a row and a column",
                got=f"one cell, {shown(cells[0])}",
                fix="Write both labels, with a comma between them",
            )
        if line == layout.first_line and _is_header(cells, known, table):
            continue
        for side, what in enumerate(("row", "column")):
            at = known[side].get(cells[side])
            if at is None or at < 0:
                raise _unknown(path, line, side, what, cells[side], known[side])
            found[side].append(at)
    if not found[0]:
        raise file_error(
            path,
            rule="there is at least one pair",
            got="none",
            fix="Write a row and a column on each line",
        )
    return np.array(found[0]), np.array(found[1])


def _numbered(labels: np.ndarray) -> dict[str, int]:
    """The number of each label; -1 where two have it."""
    names = labels.tolist()
    numbers = {name: at for at, name in enumerate(names)}
    if len(numbers) < len(names):
        for name, times in Counter(names).items():
            if times > 1:
                numbers[name] = -1
    return numbers


def _is_header(cells: list[str], known: tuple[dict, dict], table: Table) -> bool:
    if cells[0] in known[0] or cells[1] in known[1]:
        return False
    own = (table.row_name, table.col_name)
    return (cells[0], cells[1]) == own or names_a_pair(cells[0], cells[1])


def _unknown(
    path: Path, line: int, side: int, what: str, label: str, known: dict[str, int]
):
    if label in known:
        return file_error(
            path,
            line=line,
            column=side + 1,
            rule=f"a label belongs to one {what}",
            got=f"{shown(label)}, which several have",
            fix="Give them different names in the table",
        )
    near = difflib.get_close_matches(label, list(known)[:100_000], n=2)
    hint = f"Did you mean {' or '.join(map(repr, near))}?"
    return file_error(
        path,
        line=line,
        column=side + 1,
        rule=f"this is the label of a {what} of the table",
        got=shown(label),
        fix=hint if near else "Leave it out: nothing is known of it",
    )
