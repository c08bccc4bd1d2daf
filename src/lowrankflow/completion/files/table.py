"""A half-empty table as it was read: its entries, the names around it, and how."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

Form = Literal["wide", "long"]
Labels = np.ndarray  # of str, one per row or column
FORMS: tuple[Form, ...] = ("wide", "long")


@dataclass(frozen=True, kw_only=True)
class Detected:
    """What a reader found out about a file, to be shown to its owner.

    Args:
        kind: of file, in words: "CSV", "Parquet", "Matrix Market", ...
        form: "wide", a matrix; "long", an entry in each line.
        delimiter: between cells of text; None where there is none.
        decimal: the mark before decimals in text.
        has_header: whether the first line names the columns; None where that has no
            meaning.
        columns: what the columns of a long table are called that were read, in the
            order row, column, value, weight.
        left_out: columns of a long table that were not read.
        missing_marks: what stood in cells that were not observed, and how often.
        num_missing_lines: lines of a long table without a value.
        num_repeated: entries that were given more than once, and made one.
        guesses: sentences on what was taken for likely, each with the option that says
            otherwise.
        notes: sentences on what may surprise.
    """

    kind: str
    form: Form
    delimiter: str | None = None
    decimal: str = "."
    has_header: bool | None = None
    columns: tuple[str, ...] | None = None
    left_out: tuple[str, ...] = ()
    missing_marks: tuple[tuple[str, int], ...] = ()
    num_missing_lines: int = 0
    num_repeated: int = 0
    guesses: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """The observed entries of a table, and the names around it.

    Args:
        rows: of the entries, 0-based; the pairs (row, column) are distinct.
        cols: likewise.
        values: finite numbers, float64 or float32.
        weights: of the entries, above 0; None where none were given.
        shape: (rows, cols); rows and columns without entries count.
        row_labels: a word per row, in the order of first appearance; None where the
            file has none.
        col_labels: likewise.
        row_name: what the rows are called in the header; "" for nothing.
        col_name: likewise.
        value_name: what the values are called.
        detected: how the file was read.
    """

    rows: Int[np.ndarray, " entries"]
    cols: Int[np.ndarray, " entries"]
    values: Float[np.ndarray, " entries"]
    weights: Float[np.ndarray, " entries"] | None = None
    shape: tuple[int, int]
    row_labels: Labels | None = None
    col_labels: Labels | None = None
    row_name: str = ""
    col_name: str = ""
    value_name: str = ""
    detected: Detected = field(
        default_factory=lambda: Detected(kind="array", form="wide")
    )

    @property
    def num_entries(self) -> int:
        """How many entries were observed."""
        return self.values.size

    @property
    def num_cells(self) -> int:
        """Rows times columns."""
        return self.shape[0] * self.shape[1]

    @property
    def is_integer(self) -> bool:
        """Whether all observed values are whole numbers."""
        return bool(np.all(self.values == np.rint(self.values)))

    def empty_rows(self) -> Int[np.ndarray, " rows"]:
        """The rows without any entry."""
        return np.flatnonzero(np.bincount(self.rows, minlength=self.shape[0]) == 0)

    def empty_cols(self) -> Int[np.ndarray, " cols"]:
        """The columns without any entry."""
        return np.flatnonzero(np.bincount(self.cols, minlength=self.shape[1]) == 0)

    def to_dense(self) -> Float[np.ndarray, "rows cols"]:
        """The matrix, with NaN where nothing was observed; forms rows x cols."""
        matrix = np.full(self.shape, np.nan, self.values.dtype)
        matrix[self.rows, self.cols] = self.values
        return matrix

    @staticmethod
    def of_matrix(
        matrix: Float[np.ndarray, "rows cols"],
        *,
        row_labels: Labels | None = None,
        col_labels: Labels | None = None,
        row_name: str = "",
    ) -> "Table":
        """The entries of a matrix that are not NaN."""
        rows, cols = np.nonzero(~np.isnan(matrix))
        return Table(
            rows=rows,
            cols=cols,
            values=matrix[rows, cols],
            shape=(matrix.shape[0], matrix.shape[1]),
            row_labels=row_labels,
            col_labels=col_labels,
            row_name=row_name,
        )


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the user said about a file; None is to be found out.

    Args: as `read_table` has them.
    """

    form: Form | None = None
    delimiter: str | None = None
    header: bool | None = None
    row_labels: bool | None = None
    columns: tuple[str, ...] | None = None
    decimal: str | None = None
    duplicates: Literal["error", "mean", "last"] = "error"


@dataclass(frozen=True, kw_only=True, eq=False)
class LongColumns:
    """The columns of a long table, labels counted, before repeated pairs are seen to.

    Args:
        rows: number of the row label, of every line.
        cols: likewise.
        values: NaN where the line has none.
        weights: of every line, if there are any.
        row_labels: in the order of first appearance.
        col_labels: likewise.
        place: of a line, for messages, from its number among the lines with entries.
    """

    rows: Int[np.ndarray, " lines"]
    cols: Int[np.ndarray, " lines"]
    values: Float[np.ndarray, " lines"]
    weights: Float[np.ndarray, " lines"] | None
    row_labels: Labels | None
    col_labels: Labels | None
    place: Callable[[int], str]
