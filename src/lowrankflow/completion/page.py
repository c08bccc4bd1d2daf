"""A page on a completed table: what was missing, what was compared, what to believe."""

from lowrankflow.completion.completer import MatrixCompleter
from lowrankflow.completion.files.table import Table
from lowrankflow.completion.observed_table import ObservedTable
from lowrankflow.errors import DataError


def page(
    completer: MatrixCompleter, table: ObservedTable | Table, *, source: str
) -> str:
    """A page in HTML, with pictures, that needs no network, no script and no file.

    It says what was completed and how, whether the data look low-rank at all, what was
    missing, how candidates compare, the winner's path and spectrum, how often intervals
    hold, where the model disagrees most with the table, and how to do it again.

    Args:
        completer: fitted to the table.
        table: for the names of its rows and columns.
        source: what the table is called, for example a file.

    Raises:
        DataError: when the completer was fitted to another table.

    Cost: seconds for a million entries; never forms rows x cols.
    """
    fitted = completer.table_
    if (fitted.shape, fitted.num_entries) != (table.shape, table.num_entries):
        rows, cols = table.shape
        raise DataError(
            where="page(table)",
            rule="it is the table that the completer was fitted to: "
            f"{fitted.shape[0]} x {fitted.shape[1]}, {fitted.num_entries} entries",
            got=f"{rows} x {cols}, {table.num_entries} entries",
            fix="Give the table that was given to fit",
        )
    from lowrankflow.completion.page_contents import rendered

    return rendered(completer, table, source=source)
