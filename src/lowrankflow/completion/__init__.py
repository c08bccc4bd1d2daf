"""For the person with a half-empty table: readers and writers of tables."""

from lowrankflow.completion.filled_table import FilledTable as FilledTable
from lowrankflow.completion.model_file import write_model as write_model
from lowrankflow.completion.pairs import read_pairs as read_pairs
from lowrankflow.completion.table import Detected as Detected, Table as Table
from lowrankflow.completion.table_errors import located as located
from lowrankflow.completion.table_files import READ as READ, read_table as read_table
from lowrankflow.completion.table_writers import (
    WRITTEN as WRITTEN,
    bound_paths as bound_paths,
    check_output as check_output,
    write_table as write_table,
    written_suffix as written_suffix,
)
