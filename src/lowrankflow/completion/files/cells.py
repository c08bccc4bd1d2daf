"""What one cell of text says: a number, a word, or that nothing was observed."""

import math
import re
from pathlib import Path

from lowrankflow.completion.files.table_errors import file_error, shown
from lowrankflow.completion.files.text_records import MISSING
from lowrankflow.errors import DataError

_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?$")
_INTEGER = re.compile(r"\d{1,18}$")


def as_number(cell: str, decimal: str = ".") -> float | None:
    """The number that a cell says, which may be an infinity; None for none."""
    # Python would take 1_000 for a thousand.
    if "_" in cell:
        return None
    if decimal != ".":
        if "." in cell:
            return None
        cell = cell.replace(decimal, ".")
    try:
        return float(cell)
    except ValueError:
        return None


def is_missing(cell: str) -> bool:
    """Whether the cell says that nothing was observed."""
    return cell.lower() in MISSING


def is_word(cell: str, decimal: str = ".") -> bool:
    """Whether the cell is neither a number nor a mark of a missing one."""
    return not is_missing(cell) and as_number(cell, decimal) is None


def is_index(cell: str) -> bool:
    """Whether the cell is a whole number from 0 on, as in a list of identifiers."""
    return _INTEGER.match(cell) is not None


def has_decimal_comma(cells: list[str]) -> bool:
    """Whether numbers are written with a comma before the decimals, and none without.

    A comma before three digits may as well divide thousands; cells that all have that
    say nothing.
    """
    commas = [
        cell
        for cell in cells
        if "," in cell and as_number(cell) is None and as_number(cell, ",") is not None
    ]
    points = any("." in cell and as_number(cell) is not None for cell in cells)
    return not points and any(not _THOUSANDS.match(cell) for cell in commas)


def number(
    path: Path, line: int, at: int, cell: str, decimal: str, *, in_first: bool = False
) -> float:
    """The finite number in a cell, NaN where it says that nothing was observed.

    Args:
        path: of the file.
        line: from 1.
        at: column from 0.
        cell: its text.
        decimal: the mark before decimals.
        in_first: whether it is in the first line, which may be meant as a header.

    Raises:
        DataError: when it says anything else.
    """
    if is_missing(cell):
        return math.nan
    found = as_number(cell, decimal)
    if found is not None and math.isfinite(found):
        return found
    raise _no_number(path, line, at, cell, decimal, in_first=in_first)


def weight(path: Path, line: int, at: int, cell: str, decimal: str) -> float:
    """The weight in a cell.

    Raises:
        DataError: when it is not a finite number above 0.
    """
    found = as_number(cell, decimal)
    if found is not None and 0 < found < math.inf:
        return found
    raise file_error(
        path,
        line=line,
        column=at + 1,
        rule="a weight is a finite number above 0",
        got=shown(cell),
        fix="Leave out the line if the entry is not to count, or the column of weights "
        "with --columns ROW,COLUMN,VALUE",
    )


def _no_number(
    path: Path, line: int, at: int, cell: str, decimal: str, *, in_first: bool
) -> DataError:
    other = "," if decimal == "." else "."
    fix = "Correct that cell"
    if _THOUSANDS.match(cell):
        fix = "Write it without marks between thousands, or give --decimal , if it is "
        fix += "a decimal comma"
    elif as_number(cell) is None and as_number(cell, other) is not None:
        mark = {".": "point", ",": "comma"}[decimal]
        fix = f"Write it with a decimal {mark}, or give --decimal {other}"
    elif in_first:
        fix = "Correct that cell, or give --header if the line names the columns"
    elif at == 0:
        fix = "Correct that cell, or give --row-labels if the column names the rows"
    return file_error(
        path,
        line=line,
        column=at + 1,
        rule="a cell is a finite number, or empty, NaN, NA or ? if it was not observed",
        got=shown(cell),
        fix=fix,
    )
