"""A half-empty matrix in a file: read with the place of every mistake, and written."""

import contextlib
import csv
import difflib
import io
import math
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from lowrankflow.cli.output import write_whole
from lowrankflow.errors import DataError

TEXT = (".csv", ".tsv", ".txt")
BINARY = (".npy", ".npz")
WRITTEN = (".csv", ".tsv", ".npy")
_MISSING = {"", "na", "n/a", "nan", "?", "null", "none", "-"}
_DELIMITERS = (",", ";", "\t", "|", " ")
_LINES_LOOKED_AT = 50


@dataclass(frozen=True, kw_only=True)
class Table:
    """A matrix with NaN where it was not observed, and the names around it.

    Args:
        matrix: the numbers.
        header: names of the columns, that of the column of row names first if there is
            one; None when the file has none.
        names: of the rows; None when the file has none.
    """

    matrix: Float[np.ndarray, "rows cols"]
    header: tuple[str, ...] | None = None
    names: tuple[str, ...] | None = None


def read_table(path: Path) -> Table:
    """Read a matrix from .npy, .npz, .csv, .tsv or .txt.

    In text, cells that are empty, NaN, NA, ? or the like were not observed, and lines
    that begin with # are left out. A first line all of whose cells are words is a
    header; a first column all of whose cells are words has names of rows. The delimiter
    is the one of comma, semicolon, tab, bar and white space that gives lines of equal
    length.

    Raises:
        DataError: when the file cannot be read; a wrong cell is named by line and
            column, counted from 1.
    """
    path = path.expanduser()
    suffix = path.suffix.lower()
    if suffix not in TEXT + BINARY:
        raise _error(
            path,
            rule=f"a matrix is read from {', '.join(TEXT + BINARY)}",
            got=f"the suffix {suffix!r}" if suffix else "a name without suffix",
            fix="Save it as .csv, or with numpy.save",
        )
    content = _content(path)
    if suffix in TEXT:
        return _from_text(path, _decoded(path, content), suffix)
    return Table(matrix=_from_binary(path, content))


def write_table(option: str, path: Path, table: Table) -> None:
    """Write a matrix as .npy, or as .csv or .tsv with the names around it.

    Numbers in text have as many digits as give the same bits back.

    Raises:
        DataError: when it cannot be written; nothing is left half-written.
    """
    suffix = path.suffix.lower()
    if suffix == ".npy":
        buffer = io.BytesIO()
        np.save(buffer, table.matrix)
        write_whole(option, path, buffer.getvalue())
        return
    text = io.StringIO(newline="")
    delimiter = "\t" if suffix == ".tsv" else ","
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    if table.header is not None:
        writer.writerow(table.header)
    for i, row in enumerate(table.matrix.tolist()):
        names = [] if table.names is None else [table.names[i]]
        writer.writerow([*names, *map(repr, row)])
    write_whole(option, path, text.getvalue().encode())


def _from_text(path: Path, text: str, suffix: str) -> Table:
    lines = [
        (number, line)
        for number, line in enumerate(text.splitlines(), start=1)
        if not line.lstrip().startswith("#")
    ]
    while lines and not lines[-1][1].strip():
        lines.pop()
    if not lines:
        raise _error(
            path,
            rule="a table has at least one line",
            got="an empty file",
            fix="Write one row of the matrix on each line",
        )
    delimiter = "\t" if suffix == ".tsv" else _delimiter([line for _, line in lines])
    rows = [(number, _cells(path, number, line, delimiter)) for number, line in lines]
    header = _header(rows[0][1], len(rows))
    body = rows if header is None else rows[1:]
    named = len(body) > 1 and all(_is_word(cells[0]) for _, cells in body)
    width = len(rows[0][1])
    if header is not None and named and len(body[0][1]) == width + 1:
        header, width = ("", *header), width + 1  # as R writes tables
    first = body[0][0]
    for number, cells in body:
        if len(cells) != width:
            raise _error(
                path,
                line=number,
                rule=f"every line has {width} cells, as line {rows[0][0]} has",
                got=f"{len(cells)}",
                fix="Write ? for a cell that was not observed",
            )
    names = tuple(cells[0] for _, cells in body) if named else None
    skip = 1 if named else 0
    matrix = np.array(
        [
            [_number(path, number, at, cells[at]) for at in range(skip, width)]
            for number, cells in body
        ],
        dtype=np.float64,
    )
    if matrix.size == 0:
        raise _error(
            path,
            line=first,
            rule="a table has a column of numbers",
            got="names of rows only",
            fix="Look at how the cells are divided",
        )
    return Table(matrix=matrix, header=header, names=names)


def _header(cells: list[str], num_rows: int) -> tuple[str, ...] | None:
    """The first line, if it has words and no number; its first cell may be empty."""
    words = [_is_word(cell) for cell in cells]
    rest = words[1:] if len(cells) > 1 and not cells[0] else words
    return tuple(cells) if num_rows > 1 and rest and all(rest) else None


def _is_word(cell: str) -> bool:
    return cell.lower() not in _MISSING and _as_number(cell) is None


def _as_number(cell: str) -> float | None:
    # Python would take 1_000 for a thousand.
    with contextlib.suppress(ValueError):
        return float(cell) if "_" not in cell else None
    return None


def _number(path: Path, line: int, at: int, cell: str) -> float:
    if cell.lower() in _MISSING:
        return math.nan
    number = _as_number(cell)
    if number is not None and math.isfinite(number):
        return number
    fix = "Correct that cell"
    if number is None and _as_number(cell.replace(",", ".", 1)) is not None:
        fix = "Write it with a decimal point"
    elif line == 1:
        fix = "Correct that cell, or begin the line with # if it is a header"
    raise _error(
        path,
        line=line,
        column=at + 1,
        rule="a cell is a finite number, or empty, NaN, NA or ? if it was not observed",
        got=f"{cell!r}"[:60],
        fix=fix,
    )


def _cells(path: Path, number: int, line: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        return line.split()
    try:
        (cells,) = csv.reader([line], delimiter=delimiter, skipinitialspace=True)
    except (csv.Error, ValueError) as error:
        raise _error(
            path,
            line=number,
            rule="a line is cells with a delimiter between them",
            got=f"{error}",
            fix="Look at the quotation marks in that line",
        ) from None
    return [cell.strip() for cell in cells] or [""]


def _delimiter(lines: list[str]) -> str:
    """The first that divides the most lines into the most common number of cells."""
    best, most = ",", 0
    for delimiter in _DELIMITERS:
        counts = [
            len(line.split()) if delimiter == " " else line.count(delimiter) + 1
            for line in lines[:_LINES_LOOKED_AT]
        ]
        usual = max(set(counts), key=counts.count)
        agreeing = counts.count(usual) if usual > 1 else 0
        if agreeing > most:
            best, most = delimiter, agreeing
    return best


def _from_binary(path: Path, content: bytes) -> np.ndarray:
    try:
        loaded = np.load(io.BytesIO(content), allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded as file:
            names = file.files
            if len(names) == 1 or "matrix" in names:
                return file["matrix" if "matrix" in names else names[0]]
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise _error(
            path,
            rule="this is an array of numbers that numpy.save or numpy.savez wrote",
            got=f"{type(error).__name__}: {error}"[:200],
            fix="Save it again with numpy.save(file, numpy.asarray(matrix, float))",
        ) from None
    raise _error(
        path,
        rule="the file has one array, or one that is called 'matrix'",
        got=", ".join(names) or "none",
        fix="Save it again with numpy.savez(file, matrix=...)",
    )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        near: list[str] = []
        with contextlib.suppress(OSError):
            beside = [other.name for other in path.parent.iterdir()]
            near = difflib.get_close_matches(path.name, beside, n=2)
        missing = isinstance(error, FileNotFoundError)
        hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise _error(
            path,
            rule="this is a file that can be read",
            got=error.strerror or str(error),
            fix=(missing and hint) or "Give the path of a file of yours",
        ) from None


def _decoded(path: Path, content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _error(
            path,
            line=content[: error.start].count(b"\n") + 1,
            rule="the text of a table is UTF-8",
            got=f"the byte {content[error.start]:#04x}",
            fix="Save it as UTF-8",
        ) from None
    if "\0" in text:
        raise _error(
            path,
            line=text[: text.index("\0")].count("\n") + 1,
            rule="a table is text",
            got="a zero byte",
            fix="Save it as UTF-8 text",
        )
    return text


def _error(
    path: Path,
    *,
    rule: str,
    got: str,
    fix: str,
    line: int | None = None,
    column: int | None = None,
) -> DataError:
    where = str(path)
    where += "" if line is None else f", line {line}"
    where += "" if column is None else f", column {column}"
    return DataError(where=where, rule=rule, got=got, fix=fix)


@contextlib.contextmanager
def located(path: Path) -> Iterator[None]:
    """What is wrong with a matrix, said of the file that it is from.

    Raises:
        DataError: in place of one inside.
    """
    try:
        yield
    except DataError as error:
        raise _error(path, rule=error.rule, got=error.got, fix=error.fix) from None
