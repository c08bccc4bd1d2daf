"""Tables as Parquet, written row group by row group."""

from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lowrankflow.completion.files.filled_table import (
    FilledTable,
    col_names,
    long_header,
    row_names,
)
from lowrankflow.completion.files.write_text import Pairs, long_blocks

_CELLS = 1 << 22


def write_wide_parquet(file: BinaryIO, filled: FilledTable) -> None:
    """A column for each column, after one of row labels if the table has them."""
    table = filled.table
    number = pa.from_numpy_dtype(table.values.dtype)
    names = col_names(table).tolist()
    fields = [pa.field(name, number) for name in names]
    if table.row_labels is not None:
        corner = table.row_name or "row"
        while corner in names:
            corner += "_"
        fields.insert(0, pa.field(corner, pa.string()))
    schema = pa.schema(fields)
    with pq.ParquetWriter(file, schema) as writer:
        for first, block in filled.row_blocks(_CELLS):
            columns = [pa.array(block[:, j]) for j in range(block.shape[1])]
            if table.row_labels is not None:
                labels = table.row_labels[first : first + block.shape[0]]
                columns.insert(0, pa.array(labels.tolist(), pa.string()))
            writer.write_batch(pa.record_batch(columns, schema=schema))


def write_long_parquet(
    file: BinaryIO, filled: FilledTable, pairs: Pairs | None
) -> None:
    """An entry in each row: labels, value, and low and high if there are any."""
    table = filled.table
    number = pa.from_numpy_dtype(table.values.dtype)
    names = long_header(table, bounds=filled.interval is not None)
    label = pa.dictionary(pa.int32(), pa.string())
    kinds = [label, label, *[number] * (len(names) - 2)]
    schema = pa.schema(list(zip(names, kinds, strict=True)))
    words = [
        pa.array(labels.tolist(), pa.string())
        for labels in (row_names(table), col_names(table))
    ]
    with pq.ParquetWriter(file, schema) as writer:
        for rows, cols, numbers in long_blocks(filled, pairs):
            columns: list[pa.Array] = [
                pa.DictionaryArray.from_arrays(index.astype(np.int32), of)
                for index, of in zip((rows, cols), words, strict=True)
            ]
            columns += [pa.array(part) for part in numbers]
            writer.write_batch(pa.record_batch(columns, schema=schema))
