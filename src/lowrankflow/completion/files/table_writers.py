"""Completed tables into files: which writer is to take one."""

import gzip
from pathlib import Path
from typing import BinaryIO

from lowrankflow.completion.files.filled_table import FilledTable
from lowrankflow.completion.files.table import Form
from lowrankflow.completion.files.write_arrays import (
    write_matrix_market,
    write_npy,
    write_npz_long,
    write_npz_wide,
)
from lowrankflow.completion.files.write_parquet import (
    write_long_parquet,
    write_wide_parquet,
)
from lowrankflow.completion.files.write_text import (
    Pairs,
    write_long_text,
    write_wide_text,
)
from lowrankflow.errors import SpecError
from lowrankflow.whole_file import whole_file

WRITTEN = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet", ".npy", ".npz", ".mtx")
_BOUNDS = ("low", "high")


def write_table(
    path: Path | str,
    filled: FilledTable,
    *,
    form: Form | None = None,
    pairs: Pairs | None = None,
) -> tuple[Path, ...]:
    """Write a completed table, whole or not at all, over what was there.

    The suffix says the kind of file: .csv, .tsv, either packed as .gz, .parquet, .npy,
    .npz or .mtx. Numbers in text have as many digits as give the same bits back, and
    observed ones are those of the table. Rows and columns without labels are numbered
    from 0 in long tables, from 1 in .mtx.

    Args:
        path: in a folder that exists.
        filled: what is written, in blocks: rows x cols numbers are never in memory.
        form: "wide" or "long"; that of the table for None, and long for pairs.
        pairs: (rows, cols) of the only entries that are written.

    Returns:
        The files written. A matrix with intervals has two more in its place,
        "name.low.csv" and "name.high.csv"; an .npz has all in one.

    Raises:
        SpecError: when that kind of file cannot have it.
        OSError: when the disk is full or refuses; what was there is still there.
    """
    path = Path(path)
    form = "long" if pairs is not None else form or filled.table.detected.form
    check_output(path, form, is_part=pairs is not None)
    if form == "long":
        _write(path, filled, form, pairs)
        return (path,)
    _write(path, filled, form, None)
    if filled.interval is None or written_suffix(path) == ".npz":
        return (path,)
    beside = bound_paths(path)
    for which, other in enumerate(beside):
        _write(other, filled.bound(which), form, None)
    return (path, *beside)


def bound_paths(path: Path) -> tuple[Path, Path]:
    """Where the lower and upper bounds of a matrix go."""
    suffix = path.name[len(path.name) - len(written_suffix(path)) :]
    stem = path.name.removesuffix(suffix)
    low, high = (path.with_name(f"{stem}.{bound}{suffix}") for bound in _BOUNDS)
    return low, high


def written_suffix(path: Path) -> str:
    """Which of the kinds that are written a name says; "" for none."""
    name = path.name.lower()
    return next((suffix for suffix in WRITTEN[::-1] if name.endswith(suffix)), "")


def check_output(path: Path, form: Form, *, is_part: bool = False) -> None:
    """See to it that a kind of file can have what is to be written.

    Raises:
        SpecError: when it cannot.
    """
    suffix = written_suffix(path)
    if not suffix:
        raise SpecError(
            where="--out",
            rule=f"the file's name ends in {', '.join(WRITTEN)}",
            got=repr(str(path)),
            fix=f"Give for example --out {path.stem or 'completed'}.csv",
        )
    if suffix == ".npy" and form == "long":
        what = "pairs" if is_part else "a long table"
        raise SpecError(
            where="--out",
            rule="a .npy file has a matrix",
            got=f"{what} for {path.name}",
            fix="Give a name in .csv, .parquet or .npz"
            + ("" if is_part else ", or --write wide"),
        )


def _write(path: Path, filled: FilledTable, form: Form, pairs: Pairs | None) -> None:
    suffix = written_suffix(path)
    with whole_file(path) as file:
        if suffix.endswith(".gz"):
            with gzip.GzipFile(
                filename="", mode="wb", fileobj=file, compresslevel=6, mtime=0
            ) as packed:
                _into(packed, suffix, filled, form, pairs)  # pyright: ignore[reportArgumentType]
            return
        _into(file, suffix, filled, form, pairs)


def _into(
    file: BinaryIO,
    suffix: str,
    filled: FilledTable,
    form: Form,
    pairs: Pairs | None,
) -> None:
    long = form == "long"
    if suffix in (".csv", ".tsv", ".csv.gz", ".tsv.gz"):
        delimiter = "\t" if suffix.startswith(".tsv") else ","
        if long:
            write_long_text(file, filled, delimiter, pairs)
        else:
            write_wide_text(file, filled, delimiter)
    elif suffix == ".parquet":
        if long:
            write_long_parquet(file, filled, pairs)
        else:
            write_wide_parquet(file, filled)
    elif suffix == ".npz":
        if long:
            write_npz_long(file, filled, pairs)
        else:
            write_npz_wide(file, filled)
    elif suffix == ".mtx":
        write_matrix_market(file, filled, pairs, long=long)
    else:
        write_npy(file, filled)
