"""How the cells of a text are to be taken: delimiter, header, wide or long."""

import csv
from dataclasses import dataclass, field
from pathlib import Path

from lowrankflow.completion.files.cells import (
    as_number,
    has_decimal_comma,
    is_index,
    is_missing,
    is_word,
)
from lowrankflow.completion.files.long_form import (
    LongForm,
    chosen_columns,
    known_columns,
    looks_long,
    names_rows,
)
from lowrankflow.completion.files.table import Asked, Form
from lowrankflow.completion.files.table_errors import file_error
from lowrankflow.completion.files.text_records import (
    DELIMITERS,
    DOUBLE_COLON,
    WHITE_SPACE,
    divided,
    sample,
)
from lowrankflow.errors import SpecError

_CHARS, _LINES, _LINES_FOR_DELIMITER = 1 << 20, 20_000, 100
_SPELLED = {
    "tab": "\t",
    "\\t": "\t",
    "space": WHITE_SPACE,
    "spaces": WHITE_SPACE,
    "comma": ",",
    "semicolon": ";",
    "bar": "|",
    "pipe": "|",
}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How text becomes a table.

    Args:
        delimiter: between cells; a space stands for any white space.
        decimal: the mark before decimals.
        header: the cells of the first record if it names the columns.
        form: wide or long.
        first_line: that the first record begins in.
        body_line: that the first record after the header begins in.
        width: number of cells in the first record of the body.
        row_labels: whether a wide table's first column names its rows.
        long: which columns of a long table are what.
        guesses: sentences on what is only likely.
        notes: sentences on what may surprise.
    """

    delimiter: str
    decimal: str
    header: tuple[str, ...] | None
    form: Form
    first_line: int
    body_line: int
    width: int
    row_labels: bool = False
    long: LongForm | None = None
    guesses: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def text_layout(path: Path, suffix: str, asked: Asked) -> Layout:
    """Find out how a file's cells are to be taken, from its first megabyte.

    Raises:
        DataError: when there is nothing in it.
        SpecError: when what was asked for does not fit.
    """
    lines = sample(path, _CHARS, _LINES)
    while lines and not lines[-1][1].strip():
        lines.pop()
    if not lines:
        raise file_error(
            path,
            rule="a table has at least one line",
            got="an empty file",
            fix="Write one row of the matrix, or one entry, on each line",
        )
    texts = [text for _, text in lines]
    delimiter = _delimiter(texts, suffix, asked.delimiter)
    cells = [row for row in _divided(texts, delimiter) if row]
    if len(cells) > 1 and len(texts) > 1 and len(cells[-1]) != len(cells[-2]):
        cells.pop()  # cut off where the sample ends
    width = max(len(row) for row in cells[:2])
    long_given = asked.form == "long" or asked.columns is not None
    if asked.form == "wide" and asked.columns is not None:
        raise SpecError(
            where="--columns",
            rule="columns are chosen in long tables",
            got="--format wide",
            fix="Leave one of them out",
        )
    decimal = asked.decimal or _decimal(cells, delimiter)
    guesses: list[str] = []
    notes: list[str] = []
    if decimal == "," and asked.decimal is None:
        guesses.append("Commas stand before decimals (--decimal . for the other)")
    header = _word_header(cells, asked.header, decimal)
    body = cells if header is None else cells[1:]
    form: Form = asked.form or "wide"
    columns = None
    if asked.form is None and not long_given:
        columns = known_columns(header)
        sure = columns is not None
        if columns is None:
            verdict = looks_long(header, body, decimal)
            form = "long" if verdict else "wide"
            sure = verdict != "perhaps"
        else:
            form = "long"
        if not sure:
            guesses.append(
                "Each line is an entry: row, column, value (--format wide for a matrix)"
            )
    elif long_given:
        form = "long"
    if form == "long":
        columns = chosen_columns(path, header, body, asked.columns) or columns
    counted = header is None and asked.header is None and _numbers_as_header(cells)
    if form == "wide" and counted:
        header, body = tuple(cells[0]), cells[1:]
        guesses.append("The first line names the columns (--no-header if not)")
    labels = False
    if form == "wide":
        width = len(body[0]) if body else width
        labels = asked.row_labels
        if labels is None:
            labels = counted or _has_row_labels(header, body, decimal, guesses)
    starts = _starts(lines, delimiter)
    return Layout(
        delimiter=delimiter,
        decimal=decimal,
        header=header,
        form=form,
        first_line=starts[0],
        body_line=starts[min(header is not None, len(starts) - 1)],
        width=width,
        row_labels=labels,
        long=columns,
        guesses=tuple(guesses),
        notes=tuple(notes),
    )


def spelled_delimiter(given: str) -> str:
    """The delimiter that an option means.

    Raises:
        SpecError: when it is none that is known.
    """
    found = _SPELLED.get(given.lower(), given)
    single = len(found) == 1 and not found.isalnum() and found not in '."\n\r#+-'
    if found in DELIMITERS or single:
        return found
    raise SpecError(
        where="--delimiter",
        rule="this is one mark, or one of tab, space, comma, semicolon, bar and ::",
        got=repr(given),
        fix="Give for example --delimiter tab",
    )


def _divided(texts: list[str], delimiter: str) -> list[list[str]]:
    try:
        return divided(texts, delimiter)
    except csv.Error:
        # The records themselves will say which line is wrong.
        return [[cell.strip() for cell in text.split(delimiter)] for text in texts]


def _starts(lines: list[tuple[int, str]], delimiter: str) -> list[int]:
    """The lines that the first two records begin in."""
    starts = [lines[0][0]]
    quotes = 0
    for at, (_, text) in enumerate(lines[:-1]):
        quotes += text.count('"') if delimiter != DOUBLE_COLON else 0
        if quotes % 2 == 0:
            starts.append(lines[at + 1][0])
            break
    return starts


def _delimiter(texts: list[str], suffix: str, given: str | None) -> str:
    """The one that divides most lines into equally many cells, most of them numbers."""
    if given is not None:
        return spelled_delimiter(given)
    if suffix == ".tsv":
        return "\t"
    looked_at = texts[:_LINES_FOR_DELIMITER]
    best, most = ",", (0.0, 0.0)
    for delimiter in DELIMITERS:
        rows = [row for row in _divided(looked_at, delimiter) if row]
        counts = [len(row) for row in rows]
        if not counts:
            continue
        usual = max(set(counts), key=counts.count)
        if usual < 2:
            continue
        mark = "." if delimiter == "," else ","
        cells = [cell for row in rows for cell in row]
        clear = sum(
            is_missing(cell)
            or as_number(cell) is not None
            or as_number(cell, mark) is not None
            for cell in cells
        )
        score = (counts.count(usual) / len(counts), clear / len(cells))
        if score > most:
            best, most = delimiter, score
    return best


def _decimal(cells: list[list[str]], delimiter: str) -> str:
    if delimiter == ",":
        return "."
    some = [cell for row in cells[:1000] for cell in row[:100]]
    return "," if has_decimal_comma(some) else "."


def _word_header(
    cells: list[list[str]], given: bool | None, decimal: str
) -> tuple[str, ...] | None:
    """The first record, if it has words and no number; its first cell may be empty."""
    first = tuple(cells[0])
    if given is not None:
        return first if given else None
    words = [is_word(cell, decimal) for cell in first]
    rest = words[1:] if len(first) > 1 and not first[0] else words
    several = len(cells) > 1 or known_columns(first) is not None
    return first if several and rest and all(rest) else None


def _numbers_as_header(cells: list[list[str]]) -> bool:
    """Whether the first record counts columns, as years do or data frames write it."""
    first, body = cells[0], cells[1:]
    if len(first) < 3 or not body or not (first[0] == "" or is_word(first[0])):
        return False
    if not _increasing(first[1:]):
        return False
    names = [row[0] for row in body if row]
    # A first line "x,1,2" above names such as "y" is a row like the others.
    worded = any(is_word(name) for name in names)
    return _increasing(names) or (worded and first[0] == "")


def _increasing(cells: list[str]) -> bool:
    if not all(is_index(cell) for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    return all(a < b for a, b in zip(numbers, numbers[1:], strict=False))


def _has_row_labels(
    header: tuple[str, ...] | None,
    body: list[list[str]],
    decimal: str,
    guesses: list[str],
) -> bool:
    names = [row[0] for row in body if row]
    if not names:
        return False
    worded = sum(is_word(name, decimal) for name in names)
    if header is not None and len(body[0]) == len(header) + 1:
        return True  # as R writes tables
    if worded == len(names) and (len(body) > 1 or header is not None):
        return True
    if 2 * worded > len(names) and len(body) > 2:
        guesses.append("The first column names the rows (--no-row-labels if not)")
        return True
    if header is None or len(header) < 2 or len(set(names)) < len(names):
        return False
    if all(is_index(name) for name in names) and names_rows(header[0]):
        guesses.append("The first column names the rows (--no-row-labels if not)")
        return True
    return False
