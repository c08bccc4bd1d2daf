"""Long tables: which column has the rows, the columns, the values and the weights."""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lowrankflow.completion.files.cells import as_number, is_index, is_missing, is_word
from lowrankflow.completion.files.table_errors import file_error
from lowrankflow.errors import SpecError

_ROWS = {
    "row",
    "rowlabel",
    "rowindex",
    "i",
    "user",
    "u",
    "customer",
    "person",
    "member",
    "sample",
    "subject",
    "student",
    "reader",
    "patient",
    "client",
    "account",
    "station",
    "respondent",
    "participant",
    "viewer",
    "worker",
}
_COLS = {
    "col",
    "column",
    "collabel",
    "colindex",
    "columnindex",
    "j",
    "item",
    "movie",
    "film",
    "product",
    "book",
    "song",
    "track",
    "artist",
    "article",
    "feature",
    "gene",
    "variable",
    "question",
    "business",
    "anime",
    "joke",
}
_VALUES = {
    "value",
    "val",
    "v",
    "rating",
    "score",
    "stars",
    "entry",
    "measurement",
    "answer",
    "response",
    "playcount",
    "count",
    "amount",
}
_WEIGHTS = {"weight", "w", "confidence", "entryweight"}
_INDEX_NAMES = {"", "index", "id", "key", "name", "label", "unnamed: 0", *_ROWS}
# Seconds since 1970 from 1973 on: no weights.
_TIMESTAMP = 1e8


@dataclass(frozen=True, kw_only=True)
class LongForm:
    """The columns of a long table, by their places from 0.

    Args:
        row: of the row labels.
        col: of the column labels.
        value: of the numbers.
        weight: of the weights, if there are any.
        names: of these, where the file has a header.
        left_out: names or numbers of the others.
        guesses: sentences on what is only likely.
    """

    row: int
    col: int
    value: int
    weight: int | None = None
    names: tuple[str, ...] | None = None
    left_out: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()

    @property
    def places(self) -> tuple[int, ...]:
        """Row, column, value, and the weight if there is one."""
        places = (self.row, self.col, self.value)
        return places if self.weight is None else (*places, self.weight)


def known_columns(header: tuple[str, ...] | None) -> LongForm | None:
    """The columns that a header names as row, column and value, each once."""
    if header is None:
        return None
    plain = [_plain(name) for name in header]
    places = []
    for names in (_ROWS, _COLS, _VALUES):
        found = [at for at, name in enumerate(plain) if name in names]
        if len(found) != 1:
            return None
        places += found
    weights = [at for at, name in enumerate(plain) if name in _WEIGHTS]
    return _form(header, len(header), (*places, *weights[:1]))


def looks_long(
    header: tuple[str, ...] | None, body: list[list[str]], decimal: str = "."
) -> Literal["surely", "perhaps", ""]:
    """Whether records of three or four cells are entries rather than rows.

    Surely, if the second column has words, which a matrix has only in its first.
    Perhaps, if the first two have labels that are not missing and repeat in either
    column while no pair of them does.
    """
    width = len(body[0]) if body else 0
    same = [row for row in body if len(row) == width]
    if width not in (3, 4) or len(same) < len(body):
        return ""
    if header is not None and len(header) != width:
        return ""
    firsts, seconds = [row[0] for row in body], [row[1] for row in body]
    if any(is_missing(cell) for cell in (*firsts, *seconds)):
        return ""
    thirds = [row[2] for row in body]
    if 2 * sum(is_word(cell, decimal) for cell in thirds) > len(thirds):
        return ""
    if all(as_number(cell, decimal) is None for cell in thirds):
        return ""
    words = sum(is_word(cell, decimal) for cell in seconds)
    if 2 * words > len(seconds):
        return "surely"
    labels = all(is_word(c, decimal) or is_index(c) for c in (*firsts, *seconds))
    distinct = len(set(zip(firsts, seconds, strict=True))) == len(body)
    repeat = len(set(firsts)) < len(body) and len(set(seconds)) < len(body)
    return "perhaps" if labels and distinct and repeat else ""


def chosen_columns(
    path: Path,
    header: tuple[str, ...] | None,
    body: list[list[str]],
    given: tuple[str, ...] | None,
) -> LongForm:
    """The columns of a table that is known to be long.

    Raises:
        DataError: when it has too few.
        SpecError: when one asked for is not there.
    """
    width = len(header) if header is not None else (len(body[0]) if body else 0)
    if given is not None:
        return _form(header, width, _asked_for(header, width, given))
    known = known_columns(header)
    if known is not None:
        return known
    if width < 3:
        raise file_error(
            path,
            rule="a long table has a row, a column and a value in each line",
            got="one cell" if width == 1 else f"{width} cells",
            fix="Give --format wide for a matrix, or another --delimiter",
        )
    if width == 3:
        return _form(header, width, (0, 1, 2))
    fourth = [row[3] for row in body if len(row) > 3]
    guesses: tuple[str, ...] = ()
    if header is None:
        numbers = [as_number(cell) for cell in fourth]
        weights = all(x is not None and 0 < x < _TIMESTAMP for x in numbers)
        if width == 4 and weights:
            return _form(
                header,
                width,
                (0, 1, 2, 3),
                ("The fourth column has weights (--columns 1,2,3 if not)",),
            )
        if width == 4 and any(not is_missing(cell) for cell in fourth):
            guesses = ("The fourth column has no weights (--columns 1,2,3,4 if so)",)
    elif _plain(header[3]) in _WEIGHTS:
        return _form(header, width, (0, 1, 2, 3))
    guesses = guesses or (
        "The first three columns are row, column and value (--columns for others)",
    )
    return _form(header, width, (0, 1, 2), guesses)


def names_rows(name: str) -> bool:
    """Whether this is what a column of row names is usually called."""
    return name.lower().strip() in _INDEX_NAMES or _plain(name) in _INDEX_NAMES


def names_a_pair(row: str, col: str) -> bool:
    """Whether these are what columns of rows and of columns are usually called."""
    return _plain(row) in _ROWS and _plain(col) in _COLS


def _asked_for(
    header: tuple[str, ...] | None, width: int, given: tuple[str, ...]
) -> tuple[int, ...]:
    if len(given) not in (3, 4) or len(set(given)) < len(given):
        raise SpecError(
            where="--columns",
            rule="these are three or four different columns: row, column, value and "
            "perhaps weight",
            got=",".join(given),
            fix="Give for example --columns user,item,rating",
        )
    places = []
    for name in given:
        if header is not None and header.count(name) == 1:
            places.append(header.index(name))
            continue
        if is_index(name) and 1 <= int(name) <= width:
            places.append(int(name) - 1)
            continue
        near = difflib.get_close_matches(name, header or (), n=2)
        fix = f"Give numbers from 1 to {width}"
        if near:
            fix = f"Did you mean {' or '.join(map(repr, near))}?"
        elif header is not None:
            fix = f"The file has {', '.join(map(repr, header[:20]))}"
        raise SpecError(
            where="--columns",
            rule="a column is one name of the header, or a number from 1",
            got=repr(name) if header is not None else f"{name!r}, and no header",
            fix=fix,
        )
    if len(set(places)) < len(places):
        raise SpecError(
            where="--columns",
            rule="row, column, value and weight are different columns",
            got=",".join(given),
            fix="Name each column once",
        )
    return tuple(places)


def _form(
    header: tuple[str, ...] | None,
    width: int,
    places: tuple[int, ...],
    guesses: tuple[str, ...] = (),
) -> LongForm:
    others = [at for at in range(width) if at not in places]
    return LongForm(
        row=places[0],
        col=places[1],
        value=places[2],
        weight=places[3] if len(places) > 3 else None,
        names=None if header is None else tuple(header[at] for at in places),
        left_out=tuple(
            header[at] if header is not None else f"column {at + 1}" for at in others
        ),
        guesses=guesses,
    )


def _plain(name: str) -> str:
    """user, from user_id:token, userId or "User ID"."""
    name = name.partition(":")[0].strip()
    name = re.sub(r"[\s_.-]", "", name).lower()
    return name if name in ("id", "uid", "iid") else re.sub(r"(?<=..)ids?$", "", name)
