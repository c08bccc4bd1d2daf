"""Entries in text, one on each line, read at speed where nothing is wrong.

Arrow divides the text and counts the labels. What it does not read just as the exact
scan would makes this give up, and the exact scan decides: a comment among the lines, a
line of another length, a quotation mark inside of a label, an infinity, an empty label.
"""

import functools
import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from lowrankflow.completion.files.long_form import LongForm
from lowrankflow.completion.files.table import LongColumns
from lowrankflow.completion.files.text_layout import Layout
from lowrankflow.completion.files.text_records import MISSING, records

_BLOCK = 8 << 20
_MARKS = sorted(
    {"", *MISSING, *(m.upper() for m in MISSING), *(m.title() for m in MISSING), "NaN"}
)


def read_long_fast(
    path: Path, layout: Layout, form: LongForm, marks: Counter[str]
) -> LongColumns | None:
    """The entries of a long table; None if the exact scan has to decide.

    Args: as `scan_long_text` has them.
    """
    if len(layout.delimiter) > 1:
        return None
    places = form.places
    types = {f"f{form.row}": pa.string(), f"f{form.col}": pa.string()}
    types |= {f"f{place}": pa.float64() for place in places[2:]}
    # A comment begins in the first column, whether that is read or not.
    taken = places if 0 in places else (*places, 0)
    types.setdefault("f0", pa.string())
    try:
        table = pa_csv.read_csv(
            pa.input_stream(str(path), compression="detect")
            if path.suffix.lower() == ".gz"
            else str(path),
            read_options=pa_csv.ReadOptions(
                skip_rows=layout.body_line - 1,
                autogenerate_column_names=True,
                block_size=_BLOCK,
            ),
            parse_options=pa_csv.ParseOptions(delimiter=layout.delimiter),
            convert_options=pa_csv.ConvertOptions(
                column_types=types,
                include_columns=[f"f{place}" for place in taken],
                null_values=_MARKS,
                strings_can_be_null=False,
                decimal_point=layout.decimal,
                check_utf8=True,
            ),
        )
    except (pa.ArrowException, OSError, ValueError):
        return None
    columns = table.columns
    del table
    try:
        if 0 not in places and _has_comments(columns.pop()):
            return None
        # Arrow would be slower to count labels block by block as it reads them. Each
        # column is let go when it has been counted.
        rows, row_labels = _labels(columns, is_first=form.row == 0)
        cols, col_labels = _labels(columns, is_first=form.col == 0)
    except _Irregular:
        return None
    values, num_missing = _numbers(columns.pop(0))
    weights = None
    if form.weight is not None:
        weights, lacking = _numbers(columns.pop(0))
        if lacking or not np.all((weights > 0) & np.isfinite(weights)):
            return None
    if np.count_nonzero(~np.isfinite(values)) != num_missing or not values.size:
        return None
    if num_missing:
        marks["empty, NA or the like"] = num_missing
    return LongColumns(
        rows=rows,
        cols=cols,
        values=values,
        weights=weights,
        row_labels=row_labels,
        col_labels=col_labels,
        place=functools.partial(_place, path, layout),
    )


class _Irregular(Exception):
    """The labels are not as they come."""


def _has_comments(column: pa.ChunkedArray) -> bool:
    begins = pc.MatchSubstringOptions("#")
    found = pc.call_function("starts_with", [column], begins)
    return pc.call_function("any", [found]).as_py() is True


def _labels(
    columns: list[pa.ChunkedArray], *, is_first: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of labels, and the labels, stripped, in the order of first appearance.

    The first column is taken from the list.
    """
    chunks = columns.pop(0).dictionary_encode().chunks
    if not chunks:
        raise _Irregular
    numbers = np.concatenate([c.indices.to_numpy() for c in chunks]).astype(
        np.int32, copy=False
    )
    labels = chunks[-1].dictionary.to_pylist()
    stripped = [label.strip() for label in labels]
    # A comment may have as many cells as any line.
    comments = is_first and any(label.startswith("#") for label in stripped)
    if comments or "" in stripped or any('"' in label for label in labels):
        raise _Irregular
    if stripped != labels:
        once: dict[str, int] = {}
        moved = [once.setdefault(label, len(once)) for label in stripped]
        numbers, stripped = np.array(moved, np.int32)[numbers], list(once)
    return numbers, np.array(stripped, object)


def _numbers(column: pa.ChunkedArray) -> tuple[np.ndarray, int]:
    """With NaN for what is missing, and how many these are."""
    found = np.empty(len(column), np.float64)
    at = 0
    for chunk in column.chunks:
        found[at : at + len(chunk)] = pc.fill_null(chunk, np.nan).to_numpy()
        at += len(chunk)
    return found, column.null_count


def _place(path: Path, layout: Layout, entry: int) -> str:
    """The line of an entry, found by going through the file again."""
    lines = records(path, layout.delimiter)
    body = (line for line, cells in lines if cells != [""])
    skipped = entry + (layout.header is not None)
    return f"line {next(itertools.islice(body, skipped, None))}"
