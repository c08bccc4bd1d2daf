"""Text divided into records of cells, each with the number of its first line."""

import contextlib
import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from lowrankflow.completion.files.table_errors import file_error

WHITE_SPACE, DOUBLE_COLON = " ", "::"
DELIMITERS = (",", ";", "\t", "|", DOUBLE_COLON, WHITE_SPACE)
MISSING = frozenset({"", "na", "n/a", "nan", "?", "null", "none", "-"})


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, unpacked if its name ends in .gz.

    Raises:
        DataError: when it is not what its name says, or ends too early.
    """
    packed = path.suffix.lower() == ".gz"
    with path.open("rb") as raw:
        stream = gzip.GzipFile(fileobj=raw) if packed else raw
        try:
            yield stream  # pyright: ignore[reportReturnType]
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise file_error(
                path,
                rule="a file whose name ends in .gz is packed by gzip, and whole",
                got=str(error),
                fix="Pack it again, or take .gz from its name if it is not packed",
            ) from None


def records(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each record, with the number of the line that it begins in.

    Lines that begin with # are left out, and blank ones at the end; a blank line in
    between is a record with one empty cell. Cells are stripped of white space around
    them. A cell in quotation marks may have delimiters and line ends in it.

    Raises:
        DataError: when the text is not UTF-8, or a quotation mark has no partner.
    """
    blank: list[int] = []
    for number, cells in _every_record(path, delimiter):
        if not cells or (len(cells) == 1 and not cells[0]):
            blank.append(number)
            continue
        for skipped in blank:
            yield skipped, [""]
        blank.clear()
        yield number, cells


def _every_record(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    with opened(path) as stream:
        lines = _Lines(path, stream)
        try:
            if delimiter == DOUBLE_COLON:
                for line in lines:
                    yield lines.first, [cell.strip() for cell in line.split("::")]
                    lines.fresh = True
            elif delimiter == WHITE_SPACE:
                for line in lines:
                    yield lines.first, _split(line)
                    lines.fresh = True
            else:
                for cells in _reader(lines, delimiter):
                    yield lines.first, [cell.strip() for cell in cells]
                    lines.fresh = True
        except csv.Error as error:
            raise file_error(
                path,
                line=lines.first,
                rule="a line is cells with a delimiter between them",
                got=str(error),
                fix="Look at the quotation marks in that line",
            ) from None
        except UnicodeDecodeError:
            raise _not_utf8(path) from None


def sample(path: Path, most_chars: int, most_lines: int) -> list[tuple[int, str]]:
    """The first lines that are no comments, with their numbers, undivided."""
    found, size, quotes = [], 0, 0
    with opened(path) as stream:
        lines = _Lines(path, stream)
        try:
            for line in lines:
                found.append((lines.number, line))
                quotes += line.count('"')
                lines.fresh = quotes % 2 == 0
                size += len(line)
                if size >= most_chars or len(found) >= most_lines:
                    break
        except UnicodeDecodeError:
            raise _not_utf8(path) from None
    return found


def divided(lines: Iterable[str], delimiter: str) -> list[list[str]]:
    """The records of a sample; one that is cut off at the end comes as it is.

    Raises:
        csv.Error: when the quotation marks make no sense under this delimiter.
    """
    if delimiter == DOUBLE_COLON:
        found = [line.split(delimiter) for line in lines]
    elif delimiter == WHITE_SPACE:
        found = [_split(line) for line in lines]
    else:
        found = list(_reader(lines, delimiter, strict=False))
    return [[cell.strip() for cell in cells] for cells in found]


def _reader(
    lines: Iterable[str], delimiter: str, *, strict: bool = True
) -> Iterator[list[str]]:
    return csv.reader(
        lines, delimiter=delimiter, skipinitialspace=delimiter != "\t", strict=strict
    )


def _split(line: str) -> list[str]:
    if '"' not in line:
        return line.split()
    (cells,) = _reader([line.strip().replace("\t", " ")], " ")
    return cells


class _Lines:
    """Lines of text, counted; comments are left out where a record may begin.

    Args:
        path: for messages.
        stream: of bytes.

    `fresh` is set by who takes the lines, at the end of each record.
    """

    def __init__(self, path: Path, stream: BinaryIO):
        self.number = self.first = 0
        self.fresh = True
        self._path = path
        self._stream = stream

    def __iter__(self) -> Iterator[str]:
        text = io.TextIOWrapper(self._stream, encoding="utf-8-sig", newline="")
        try:
            for line in text:
                self.number += 1
                if self.fresh:
                    if line.startswith("#") or line.lstrip().startswith("#"):
                        continue
                    self.first, self.fresh = self.number, False
                if "\0" in line:
                    raise file_error(
                        self._path,
                        line=self.number,
                        rule="a table is text",
                        got="a zero byte",
                        fix="Save it as UTF-8 text",
                    )
                yield line
        finally:
            # The stream is closed by who opened it.
            with contextlib.suppress(ValueError):
                text.detach()


def _not_utf8(path: Path):
    """The first line that is not UTF-8, found by going through them again."""
    with opened(path) as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return file_error(
                    path,
                    line=number,
                    rule="the text of a table is UTF-8",
                    got=f"the byte {line[error.start]:#04x}",
                    fix="Save it as UTF-8",
                )
    raise AssertionError("the text was not UTF-8 before")
