"""Tables in Parquet: a column of numbers for each column, or an entry in each row."""

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as kinds

from lowrankflow.completion.files.long_form import (
    LongForm,
    chosen_columns,
    known_columns,
    looks_long,
    names_rows,
)
from lowrankflow.completion.files.repeated_entries import table_of
from lowrankflow.completion.files.table import Asked, Detected, LongColumns, Table
from lowrankflow.completion.files.table_errors import file_error, shown

_SAMPLE = 20_000
_INDEX = "__index_level_0__"


def read_parquet(path: Path, asked: Asked) -> Table:
    """Read a table from Parquet; null and NaN were not observed.

    Raises:
        DataError: when it cannot be read as such a table; columns are named.
    """
    try:
        file = pq.ParquetFile(path, memory_map=True)
        header = tuple(file.schema_arrow.names)
        first = next(file.iter_batches(_SAMPLE), None)
    except (pa.ArrowException, ValueError) as error:
        raise _unreadable(path, error) from None
    if first is None or not first.num_rows or not header:
        raise file_error(
            path,
            rule="a table has at least one row and one column",
            got="an empty table",
            fix="Write the rows of the matrix, or the entries",
        )
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise file_error(
            path,
            rule="every column has a name of its own",
            got=f"{shown(twice)} more than once",
            fix="Rename one of them",
        )
    guesses: tuple[str, ...] = ()
    long = None
    if asked.form == "long" or asked.columns is not None:
        long = chosen_columns(path, header, _as_text(first), asked.columns)
    elif asked.form is None:
        long = known_columns(header)
        verdict = "surely" if long else ""
        if long is None and len(header) in (3, 4):
            body = _as_text(first)
            verdict = looks_long(header, body)
            long = chosen_columns(path, header, body, None) if verdict else None
        if verdict == "perhaps":
            guesses = (
                "Each row is an entry: row, column, value (--format wide for a matrix)",
            )
    try:
        if long is not None:
            return _long(path, file, header, long, asked, guesses)
        return _wide(path, file, header, asked)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from None


def _long(
    path: Path,
    file: pq.ParquetFile,
    header: tuple[str, ...],
    long: LongForm,
    asked: Asked,
    guesses: tuple[str, ...],
) -> Table:
    names = [header[at] for at in long.places]
    table = file.read(columns=names)
    rows, row_labels = _labels(path, names[0], table.column(names[0]))
    cols, col_labels = _labels(path, names[1], table.column(names[1]))
    values = _numbers(path, names[2], table.column(names[2]))
    weights = None
    if long.weight is not None:
        weights = _numbers(path, names[3], table.column(names[3]))
        bad = np.flatnonzero(~(weights > 0))
        if bad.size:
            raise file_error(
                path,
                rule="a weight is a finite number above 0",
                got=f"{float(weights[bad[0]])!r} in {names[3]!r}, row {bad[0] + 1}",
                fix="Leave out the rows that are not to count",
            )
    found = LongColumns(
        rows=rows,
        cols=cols,
        values=values,
        weights=weights,
        row_labels=row_labels,
        col_labels=col_labels,
        place=lambda entry: f"row {entry + 1}",
    )
    detected = Detected(
        kind="Parquet",
        form="long",
        columns=tuple(names),
        left_out=long.left_out,
        guesses=(*guesses, *long.guesses),
    )
    return table_of(
        path,
        found,
        shape=(row_labels.size, col_labels.size),
        names=tuple(names),
        duplicates=asked.duplicates,
        detected=detected,
    )


def _wide(
    path: Path, file: pq.ParquetFile, header: tuple[str, ...], asked: Asked
) -> Table:
    table = file.read()
    corner = None
    if _INDEX in header and asked.row_labels is not False:
        corner = _INDEX
    elif asked.row_labels or (
        asked.row_labels is None
        and (
            _is_text(table.schema.field(0).type)
            or (names_rows(header[0]) and len(header) > 1)
        )
    ):
        corner = header[0]
    labels, guesses = None, ()
    if corner is not None:
        numbers, once = _labels(path, corner, table.column(corner))
        labels = once[numbers]
        table = table.drop_columns([corner])
        if corner not in (_INDEX, "") and not _is_text(file.schema_arrow.field(0).type):
            guesses = ("The first column names the rows (--no-row-labels if not)",)
    if not table.num_columns:
        raise file_error(
            path,
            rule="a table has a column of numbers",
            got="names of rows only",
            fix="Look at how it was written",
        )
    found = [_numbers(path, name, table.column(name)) for name in table.column_names]
    matrix = np.stack(found, axis=1)
    entries = Table.of_matrix(
        matrix,
        row_labels=labels,
        col_labels=np.array(table.column_names, object),
        row_name="" if corner in (None, _INDEX) else str(corner),
    )
    return dataclasses.replace(
        entries, detected=Detected(kind="Parquet", form="wide", guesses=guesses)
    )


def _labels(
    path: Path, name: str, column: pa.ChunkedArray
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of labels, and the labels, in the order of first appearance."""
    if column.null_count:
        at = int(np.flatnonzero(column.is_null().to_numpy())[0])
        raise _empty_label(path, name, at)
    if kinds.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    encoded = column.dictionary_encode().unify_dictionaries()
    chunks = encoded.chunks
    numbers = [chunk.indices.to_numpy() for chunk in chunks]
    words = chunks[-1].dictionary
    if kinds.is_floating(words.type):
        whole = words.to_numpy()
        if np.all(whole == np.rint(whole)) and np.all(np.abs(whole) < 2**53):
            words = words.cast(pa.int64())  # a missing value elsewhere made it 17.0
    try:
        labels = np.array(words.cast(pa.string()).to_pylist(), object)
    except pa.ArrowException:
        raise file_error(
            path,
            rule="labels are words or numbers",
            got=f"column {name!r} of type {column.type}",
            fix="Choose other columns with --columns",
        ) from None
    joined = np.concatenate(numbers).astype(np.int32, copy=False)
    empty = np.flatnonzero(labels == "")
    if empty.size:
        raise _empty_label(path, name, int(np.flatnonzero(joined == empty[0])[0]))
    return joined, labels


def _numbers(path: Path, name: str, column: pa.ChunkedArray) -> np.ndarray:
    """With NaN for null."""
    kind = column.type
    if kinds.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    plain = kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_boolean(kind)
    if not (plain or kinds.is_decimal(kind) or kinds.is_null(kind)):
        raise file_error(
            path,
            rule="a column of a matrix, and the values of entries, are numbers",
            got=f"column {name!r} of type {kind}",
            fix="Convert it, leave it out, or choose other columns with --columns",
        )
    target = pa.float32() if kinds.is_float32(kind) else pa.float64()
    found = pc.fill_null(column.cast(target, safe=False), np.nan).to_numpy()
    if np.any(np.isinf(found)):
        at = int(np.flatnonzero(np.isinf(found))[0])
        raise file_error(
            path,
            rule="an entry is a finite number, or null if it was not observed",
            got=f"{float(found[at])!r} in column {name!r}, row {at + 1}",
            fix="Replace it by null",
        )
    return found


def _is_text(kind: pa.DataType) -> bool:
    if kinds.is_dictionary(kind):
        kind = kind.value_type
    return kinds.is_string(kind) or kinds.is_large_string(kind)


def _as_text(batch: pa.RecordBatch) -> list[list[str]]:
    columns = [
        ["" if value is None else str(value) for value in column.to_pylist()]
        for column in batch.columns
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _empty_label(path: Path, name: str, at: int):
    return file_error(
        path,
        rule="every row, or entry, has its labels",
        got=f"nothing in column {name!r}, row {at + 1}",
        fix="Write the label, or leave the row out",
    )


def _unreadable(path: Path, error: Exception):
    return file_error(
        path,
        rule="this is a Parquet file",
        got=f"{type(error).__name__}: {error}"[:200],
        fix="Write it again, for example with pandas: frame.to_parquet(file)",
    )
