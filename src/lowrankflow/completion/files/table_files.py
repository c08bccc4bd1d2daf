"""Tables in files: which reader is to take a file."""

import contextlib
import dataclasses
import difflib
from collections import Counter
from pathlib import Path
from typing import Literal

from lowrankflow.completion.files.array_files import read_npy, read_npz
from lowrankflow.completion.files.fast_long_text import read_long_fast
from lowrankflow.completion.files.long_text import scan_long_text
from lowrankflow.completion.files.matrix_market import read_matrix_market
from lowrankflow.completion.files.parquet_files import read_parquet
from lowrankflow.completion.files.repeated_entries import table_of
from lowrankflow.completion.files.table import FORMS, Asked, Detected, Form, Table
from lowrankflow.completion.files.table_errors import file_error
from lowrankflow.completion.files.text_layout import text_layout
from lowrankflow.completion.files.text_records import opened
from lowrankflow.completion.files.wide_text import read_wide_text
from lowrankflow.errors import SpecError

TEXT = (".csv", ".tsv", ".txt")
READ = (*TEXT, ".parquet", ".npy", ".npz", ".mtx")
PACKED = (*TEXT, ".mtx")
_KINDS = {".csv": "CSV", ".tsv": "TSV", ".txt": "text"}
# What the first bytes of a file say that it is, and how its name would end.
_SIGNATURES = (
    (b"\x93NUMPY", "an array of NumPy", ".npy"),
    (b"PAR1", "a Parquet file", ".parquet"),
    (b"%%MatrixMarket", "a Matrix Market file", ".mtx"),
    (b"\x1f\x8b", "a file packed by gzip", ".gz"),
    (b"PK\x03\x04", "a zip archive, as .npz and .xlsx files are", ".npz"),
    (b"\x89HDF", "an HDF5 file", ""),
    (b"\xd0\xcf\x11\xe0", "a workbook of old Excel", ""),
    (b"BZh", "a file packed by bzip2", ""),
    (b"\xfd7zXZ", "a file packed by xz", ""),
)


def read_table(
    path: Path | str,
    *,
    form: Form | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
    row_labels: bool | None = None,
    columns: tuple[str, ...] | None = None,
    decimal: Literal[".", ","] | None = None,
    duplicates: Literal["error", "mean", "last"] = "error",
) -> Table:
    """Read a half-empty table from .csv, .tsv, .txt, .parquet, .npy, .npz or .mtx.

    Text and .mtx may be packed: .csv.gz. What is None is found out, from the first
    megabyte of text, and said in `detected`:

    - The delimiter is the one of comma, semicolon, tab, bar, :: and white space that
      divides most lines into equally many cells; of several, the one under which most
      cells are numbers. Lines that begin with # are left out.
    - A first line all of whose cells are words (the first may be empty) is a header. So
      is one of increasing whole numbers, if its first cell is empty or a word and the
      first column has increasing whole numbers too.
    - A table is long, an entry on each line, if a header names row, column and value
      (user, item, rating; sample, gene, value; ...), or if it has three or four columns
      and the second has words. If the first two have whole numbers that repeat in
      either while no pair repeats, it is taken for long, and that is called a guess.
      Everything else is wide: a matrix.
    - Of a wide table, a first column of words has names of rows.
    - In text, cells that are empty, or NA, N/A, NaN, ?, null, none or -, in either
      case, were not observed; in arrays and Parquet, NaN and null; in sparse matrices,
      what is not stored: a stored zero is data.

    Args:
        path: of the file.
        form: "wide" or "long".
        delimiter: a mark, or tab, space, comma, semicolon, bar.
        header: whether the first line names the columns.
        row_labels: whether a wide table's first column names the rows.
        columns: of a long table: row, column, value and perhaps weight, by their names
            or by their numbers from 1.
        decimal: the mark before decimals.
        duplicates: what becomes of an entry that is given more than once: an error, the
            mean, or the last of them.

    Raises:
        DataError: when the file cannot be read; what is wrong in it is named by line
            and column, counted from 1.
        SpecError: when what was asked for does not fit the file. Both name options as
            `lowrankflow complete` spells them.

    Exactness: every number is the double nearest to what is written.
    Cost: ten million long lines take seconds, and memory for some 50 bytes each.
    """
    path = Path(path).expanduser()
    asked = Asked(
        form=form,
        delimiter=delimiter,
        header=header,
        row_labels=row_labels,
        columns=columns,
        decimal=decimal,
        duplicates=duplicates,
    )
    _check(asked)
    with readable_file(path):
        suffix, packed = file_kind(path)
        _check_signature(path, suffix, packed)
        if suffix in TEXT:
            return _read_text(path, suffix, asked)
        _only_for_text(path, suffix, asked)
        if suffix == ".parquet":
            return read_parquet(path, asked)
        if suffix == ".mtx":
            return read_matrix_market(path, asked)
        return read_npy(path, asked) if suffix == ".npy" else read_npz(path, asked)


def file_kind(path: Path) -> tuple[str, bool]:
    """The suffix that says the kind of a file, and whether .gz comes after it.

    Raises:
        DataError: when it is of no kind that is read.
    """
    suffix = path.suffix.lower()
    packed = suffix == ".gz"
    if packed:
        suffix = path.with_suffix("").suffix.lower()
    if suffix in (PACKED if packed else READ):
        return suffix, packed
    got = f"the suffix {path.suffix!r}" if path.suffix else "a name without suffix"
    if packed:
        got = f"a name that ends in {''.join(path.suffixes[-2:])!r}"
    raise file_error(
        path,
        rule=f"a table is read from {', '.join(READ)}, and from "
        f"{', '.join(s + '.gz' for s in PACKED)}",
        got=got,
        fix="Save it as .csv, or with numpy.save",
    )


def _read_text(path: Path, suffix: str, asked: Asked) -> Table:
    layout = text_layout(path, suffix, asked)
    detected = Detected(
        kind=_KINDS[suffix],
        form=layout.form,
        delimiter=layout.delimiter,
        decimal=layout.decimal,
        has_header=layout.header is not None,
        guesses=layout.guesses,
        notes=layout.notes,
    )
    if layout.long is None:
        return read_wide_text(path, layout, detected)
    long = layout.long
    marks: Counter[str] = Counter()
    found = read_long_fast(path, layout, long, marks)
    if found is None:
        marks.clear()
        found = scan_long_text(path, layout, long, marks)
    assert found.row_labels is not None
    assert found.col_labels is not None
    detected = dataclasses.replace(
        detected,
        columns=long.names or tuple(f"column {at + 1}" for at in long.places),
        left_out=long.left_out,
        missing_marks=tuple(marks.most_common()),
        guesses=(*layout.guesses, *long.guesses),
    )
    return table_of(
        path,
        found,
        shape=(found.row_labels.size, found.col_labels.size),
        names=long.names,
        duplicates=asked.duplicates,
        detected=detected,
    )


def _check(asked: Asked) -> None:
    choices = (
        ("--format", asked.form, FORMS),
        ("--decimal", asked.decimal, (".", ",")),
        ("--duplicates", asked.duplicates, ("error", "mean", "last")),
    )
    for option, given, allowed in choices:
        if given is not None and given not in allowed:
            raise SpecError(
                where=option,
                rule=f"this is one of {', '.join(allowed)}",
                got=repr(given),
                fix=f"Give for example {option} {allowed[0]}",
            )


def _only_for_text(path: Path, suffix: str, asked: Asked) -> None:
    given = {
        "--delimiter": asked.delimiter,
        "--header": asked.header,
        "--decimal": asked.decimal,
    }
    if suffix != ".parquet":
        given |= {"--columns": asked.columns, "--row-labels": asked.row_labels}
    for option, value in given.items():
        if value is not None:
            raise SpecError(
                where=option,
                rule=f"this is said of text, not of {suffix} files",
                got=str(path),
                fix=f"Leave {option} out",
            )


@contextlib.contextmanager
def readable_file(path: Path):
    """What the operating system refuses, as an error that teaches.

    Raises:
        DataError: in place of an OSError inside.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(None, "Is a directory")
        yield
    except OSError as error:
        near: list[str] = []
        with contextlib.suppress(OSError):
            beside = [other.name for other in path.parent.iterdir()]
            near = difflib.get_close_matches(path.name, beside, n=2)
        missing = isinstance(error, FileNotFoundError)
        hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise file_error(
            path,
            rule="this is a file that can be read",
            got=error.strerror or str(error),
            fix=(missing and hint) or "Give the path of a file of yours",
        ) from None


def _check_signature(path: Path, suffix: str, packed: bool) -> None:
    """Say so at once if the first bytes are those of another kind of file."""
    with path.open("rb") as file:
        raw = file.read(16)
    if packed and raw and not raw.startswith(b"\x1f\x8b"):
        raise file_error(
            path,
            rule="a file whose name ends in .gz is packed by gzip",
            got=_kind_of(raw)[0] or "something else",
            fix="Take .gz from its name, or pack it with gzip",
        )
    if packed:
        with opened(path) as stream:
            raw = stream.read(16)
    found, ending = _kind_of(raw)
    wrong = found if ending != suffix else ""
    if suffix == ".mtx":
        wrong = wrong or ("" if ending == ".mtx" else "other text")
    if wrong and (suffix in TEXT or suffix == ".mtx"):
        fix = f"Name it {path.stem}{ending}" if ending else "Save it as .csv"
        if ending == ".npz":
            fix = "Export the sheet as .csv, or name it .npz if it has arrays of NumPy"
        raise file_error(
            path,
            rule="the content of a file is what its suffix says",
            got=wrong,
            fix=fix
            if wrong != "other text"
            else "Begin it with %%MatrixMarket, or name it .csv or .txt",
        )


def _kind_of(raw: bytes) -> tuple[str, str]:
    for signature, name, ending in _SIGNATURES:
        if raw.startswith(signature):
            return name, ending
    return "", ""
