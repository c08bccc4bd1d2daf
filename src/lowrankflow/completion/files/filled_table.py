"""A table of which every entry is known, block by block: never as a whole."""

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from lowrankflow.completion.files.table import Labels, Table

Predicted = Callable[[np.ndarray, np.ndarray], np.ndarray]
Bounds = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
_CELLS = 1 << 19


@dataclass(frozen=True, kw_only=True, eq=False)
class FilledTable:
    """Observed entries as they were, and the others as they are predicted.

    Args:
        table: what was observed, and the names.
        predict: the values at entries (rows, cols), for any number of them.
        interval: (low, high) at entries; None where none is asked for.
        keeps_observed: whether observed entries come as they were; otherwise they are
            predicted like the others.
    """

    table: Table
    predict: Predicted
    interval: Bounds | None = None
    keeps_observed: bool = True

    @staticmethod
    def of_matrix(
        table: Table, matrix: Float[np.ndarray, "rows cols"]
    ) -> "FilledTable":
        """A matrix that is there, with the names of a table."""
        return FilledTable(
            table=table,
            predict=lambda rows, cols: matrix[rows, cols],
            keeps_observed=False,
        )

    def at(
        self, rows: Int[np.ndarray, " n"], cols: Int[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """The values at entries, in the type of the numbers of the table."""
        values = self._as_numbers(self.predict(rows, cols))
        known, where = self._observed(rows, cols)
        values[where] = known
        return values

    def bounds_at(
        self, rows: Int[np.ndarray, " n"], cols: Int[np.ndarray, " n"]
    ) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """(low, high) at entries; an observed value that is kept is both."""
        assert self.interval is not None
        known, where = self._observed(rows, cols)
        low, high = (self._as_numbers(part) for part in self.interval(rows, cols))
        low[where] = high[where] = known
        return low, high

    def bound(self, which: int) -> "FilledTable":
        """The table of the lower (0) or upper (1) bounds."""
        interval = self.interval
        assert interval is not None
        return dataclasses.replace(
            self, predict=lambda r, c: interval(r, c)[which], interval=None
        )

    def row_blocks(self, cells: int = _CELLS) -> Iterator[tuple[int, np.ndarray]]:
        """(first row, dense rows) until all rows are there, some half million cells."""
        yield from self._blocks(cells, by_column=False)

    def col_blocks(self, cells: int = _CELLS) -> Iterator[tuple[int, np.ndarray]]:
        """(first column, dense columns), likewise, one column after the other."""
        yield from self._blocks(cells, by_column=True)

    def _blocks(
        self, cells: int, *, by_column: bool
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Blocks of rows, or of columns as the rows of a block."""
        table = self.table
        outer, inner = (table.rows, table.cols)
        count, length = table.shape
        if by_column:
            outer, inner, count, length = inner, outer, length, count
        order = np.argsort(outer, kind="stable")
        starts = np.searchsorted(outer, np.arange(count + 1), sorter=order)
        step = max(1, cells // max(length, 1))
        inside = np.arange(length)
        for first in range(0, count, step):
            last = min(first + step, count)
            index = np.repeat(np.arange(first, last), length)
            other = np.tile(inside, last - first)
            pair = (other, index) if by_column else (index, other)
            block = self._as_numbers(self.predict(*pair)).reshape(-1, length)
            if self.keeps_observed:
                part = order[starts[first] : starts[last]]
                block[outer[part] - first, inner[part]] = table.values[part]
            yield first, block

    def _as_numbers(self, values: np.ndarray) -> np.ndarray:
        return np.array(values, dtype=self.table.values.dtype)

    def _observed(
        self, rows: np.ndarray, cols: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Observed values among entries, and at which of them."""
        table = self.table
        if not self.keeps_observed or not table.num_entries:
            return table.values[:0], np.zeros(0, np.int64)
        width = table.shape[1]
        known = table.rows.astype(np.int64) * width + table.cols
        order = np.argsort(known)
        known = known[order]
        wanted = np.asarray(rows, np.int64) * width + cols
        at = np.minimum(np.searchsorted(known, wanted), known.size - 1)
        where = np.flatnonzero(known[at] == wanted)
        return table.values[order[at[where]]], where


def row_names(table: Table) -> Labels:
    """The labels of the rows; their numbers from 0 where they have none."""
    return _names(table.row_labels, table.shape[0])


def col_names(table: Table) -> Labels:
    """The labels of the columns, likewise."""
    return _names(table.col_labels, table.shape[1])


def _names(labels: Labels | None, count: int) -> Labels:
    if labels is not None:
        return labels
    return np.array([str(k) for k in range(count)], object)


def long_header(table: Table, *, bounds: bool) -> list[str]:
    """What the columns of a long table are called."""
    header = [
        table.row_name or "row",
        table.col_name or "column",
        table.value_name or "value",
    ]
    for at, plain in enumerate(("row", "column", "value")):
        if header.count(header[at]) > 1:
            header[at] = plain
    return [*header, "low", "high"] if bounds else header
