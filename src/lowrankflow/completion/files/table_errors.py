"""What is wrong with a file of a table, said with its place in it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from lowrankflow.errors import DataError


def file_error(
    path: Path,
    *,
    rule: str,
    got: str,
    fix: str,
    line: int | None = None,
    column: int | None = None,
) -> DataError:
    """An error about a file, or one line or cell of it, counted from 1."""
    where = str(path)
    where += "" if line is None else f", line {line}"
    where += "" if column is None else f", column {column}"
    return DataError(where=where, rule=rule, got=got, fix=fix)


def shown(cell: object) -> str:
    """What stands in a cell, for a message; not more than a line of it."""
    text = repr(cell)
    return text if len(text) <= 60 else f"{text[:56]}..."


@contextlib.contextmanager
def located(path: Path) -> Iterator[None]:
    """What is wrong with a matrix, said of the file that it is from.

    Raises:
        DataError: in place of one inside.
    """
    try:
        yield
    except DataError as error:
        raise file_error(path, rule=error.rule, got=error.got, fix=error.fix) from None
