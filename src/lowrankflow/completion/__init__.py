"""For the person with a half-empty table: readers and writers of tables."""

from lowrankflow.completion.table import Detected as Detected, Table as Table
from lowrankflow.completion.table_files import READ as READ, read_table as read_table
