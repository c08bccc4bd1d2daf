"""What is known of a table, from whatever form it comes in."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from jaxtyping import Float, Int

from lowrankflow.errors import DataError, DataTypeError, SpecError
from lowrankflow.problems import (
    Numbers,
    SensingProblem,
    checked_index,
    checked_shape,
    finite_array,
)

_WHERE = "ObservedTable"
_FORMS = (
    "a two-dimensional array or data frame with NaN where nothing is known, a SciPy "
    "sparse array (not stored = not known), a tuple (rows, cols, values), or an "
    "ObservedTable"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class ObservedTable:
    """The known entries of a table, one by one.

    Args:
        rows: 0-based row of each entry.
        cols: 0-based column of each; the pairs are distinct.
        values: what stands there, finite; float64 or float32.
        shape: (rows, cols) of the table.
        weights: how much each entry counts, finite and > 0; None for all alike.
        row_labels: names of the rows; None where they have none.
        col_labels: names of the columns; None where they have none.
    """

    rows: Int[np.ndarray, " m"]
    cols: Int[np.ndarray, " m"]
    values: Float[np.ndarray, " m"]
    shape: tuple[int, int]
    weights: Float[np.ndarray, " m"] | None = None
    row_labels: Sequence[Any] | None = None
    col_labels: Sequence[Any] | None = None

    @staticmethod
    def of(
        table: Any,
        *,
        shape: tuple[int, int] | None = None,
        entry_weight: Numbers | None = None,
    ) -> "ObservedTable":
        """The known entries of a table in any of its forms.

        **In a sparse array what is not stored is not known, and a stored zero is a
        zero.** Elsewhere in scientific Python what is not stored is zero: take care
        that zeros which are data have not been eliminated.

        Args:
            table: a two-dimensional array of numbers or a data frame, NaN where nothing
                is known; a SciPy sparse array or matrix; a tuple (rows, cols, values)
                of 0-based positions and numbers; or an `ObservedTable`, which comes
                back as it is.
            shape: (rows, cols), for a tuple; the largest positions decide otherwise.
            entry_weight: > 0: an array of the table's shape, of which the weights at
                known entries count, or one number for each value of a tuple or stored
                entry.

        Raises:
            DataError: when it is none of these, a number is infinite or no number, a
                pair repeats, a position is out of range, or nothing is known.
            SpecError: when a shape is given where the table has one.
        """
        if isinstance(table, ObservedTable):
            return table
        if isinstance(table, tuple):
            found, order = _of_entries(table, shape)
        else:
            if shape is not None:
                raise SpecError(
                    where=f"{_WHERE}(shape)",
                    rule="a shape is given with a tuple (rows, cols, values) only",
                    got=f"{shape!r} beside {type(table).__name__}",
                    fix="Leave it out: the table has its own",
                )
            stored = scipy.sparse.issparse(table)
            found, order = _of_sparse(table) if stored else (_of_dense(table), None)
        if found.num_entries == 0:
            raise DataError(
                where=f"{_WHERE}(table)",
                rule="at least one entry is known",
                got=f"none in a table of shape {found.shape}",
                fix="Look at how missing entries are marked: NaN = not known; in a "
                "sparse array what is not stored",
            )
        if order is not None and entry_weight is not None:
            given = np.asarray(entry_weight)
            entry_weight = given.ravel()[order] if given.size == order.size else given
        return found.weighted(entry_weight)

    @property
    def num_entries(self) -> int:
        """How many entries are known."""
        return self.values.size

    def weighted(self, entry_weight: Numbers | None) -> "ObservedTable":
        """The same entries with these weights.

        Raises:
            DataError: when a weight is not a finite number above 0, or their number is
                neither that of the entries nor that of the table's cells.
        """
        if entry_weight is None:
            return self
        where = "MatrixCompleter.fit(entry_weight)"
        given = np.asarray(entry_weight)
        if given.shape == self.shape:
            given = given[self.rows, self.cols]
        weights = finite_array(where, given.ravel(), ndim=1)
        if weights.size != self.num_entries or not (weights > 0).all():
            low = weights.min() if weights.size else np.nan
            raise DataError(
                where=where,
                rule="there is one weight above 0 for each known entry, or one for "
                f"each cell of a {self.shape[0]} x {self.shape[1]} table",
                got=f"shape {np.shape(entry_weight)}, least {low:g}",
                fix="Leave out entries that should not count",
            )
        return self._replaced(weights=weights)

    def part(self, chosen: np.ndarray) -> "ObservedTable":
        """Some of the entries, of a table of the same shape.

        Args:
            chosen: one truth value an entry.
        """
        weights = None if self.weights is None else self.weights[chosen]
        return self._replaced(
            rows=self.rows[chosen],
            cols=self.cols[chosen],
            values=self.values[chosen],
            weights=weights,
        )

    def copied(self) -> "ObservedTable":
        """The same entries, without what was made of them on the way."""
        return self._replaced()

    def with_values(self, values: np.ndarray) -> "ObservedTable":
        """The same places with other values."""
        return self._replaced(values=values)

    def in_units(self, scale: Float[np.ndarray, " cols"] | None) -> "ObservedTable":
        """The same entries, each divided by its column's scale, if there is one."""
        if scale is None:
            return self
        values = self.values / scale[self.cols]
        return self.with_values(values.astype(self.values.dtype, copy=False))

    def problem(self) -> SensingProblem:
        """Completing it, as a problem with the (weighted) squared loss; made once."""
        return self._problem

    @functools.cached_property
    def _problem(self) -> SensingProblem:
        return SensingProblem.from_entries(
            self.rows, self.cols, self.values, self.shape, weights=self.weights
        )

    def mean_square(self, numbers: np.ndarray) -> float:
        """The weighted mean of the squares of one number an entry."""
        squares = np.square(numbers, dtype=float)
        return float(np.average(squares, weights=self.weights))

    def dense(self) -> Float[np.ndarray, "rows cols"]:
        """As an array with NaN where nothing is known."""
        out = np.full(self.shape, np.nan, self.values.dtype)
        out[self.rows, self.cols] = self.values
        return out

    def _replaced(self, **changes: Any) -> "ObservedTable":
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return ObservedTable(**(fields | changes))


def _of_dense(table: Any) -> ObservedTable:
    row_labels, col_labels = None, None
    if getattr(table, "iloc", None) is not None:  # a data frame
        row_labels, col_labels = list(table.index), list(table.columns)
        table = _numbers_of_frame(table)
    array = _real(table)
    if array.ndim != 2 or array.size == 0:
        raise DataError(
            where=f"{_WHERE}(table)",
            rule=f"a table is {_FORMS}",
            got=f"{array.shape[1]} feature(s) (shape={array.shape}) while a minimum of "
            "1 is required"
            if array.ndim == 2 and array.shape[0]
            else f"shape {array.shape}",
            fix="Reshape your data: array.reshape(-1, 1) if it is one column, "
            "array.reshape(1, -1) if it is one row",
        )
    rows, cols = np.nonzero(~np.isnan(array))
    values = array[rows, cols]
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        k = infinite[0]
        raise DataError(
            where=f"{_WHERE}(table)",
            rule="an entry is finite, or NaN where nothing is known",
            got=f"{values[k]} at row {rows[k]}, column {cols[k]}",
            fix="Put NaN there, or the value that was meant",
        )
    return ObservedTable(
        rows=rows,
        cols=cols,
        values=values,
        shape=(int(array.shape[0]), int(array.shape[1])),
        row_labels=row_labels,
        col_labels=col_labels,
    )


def _numbers_of_frame(frame: Any) -> np.ndarray:
    """A data frame's numbers; pandas' own missing value becomes NaN."""
    for name, kind in frame.dtypes.items():
        if getattr(kind, "kind", "O") not in "biuf":
            raise DataError(
                where=f"{_WHERE}(table)",
                rule="every column of a data frame has numbers",
                got=f"column {name!r} of dtype {kind}",
                fix="Convert it with pandas.to_numeric, or leave that column out",
            )
    kinds = {getattr(kind, "itemsize", 8) for kind in frame.dtypes}
    single = kinds == {4} and all(kind.kind == "f" for kind in frame.dtypes)
    return frame.to_numpy(np.float32 if single else np.float64, na_value=np.nan)


def _of_sparse(table: Any) -> tuple[ObservedTable, np.ndarray | None]:
    stored = table.tocoo()
    values = finite_array(f"{_WHERE}(table.data)", stored.data, ndim=1)
    keep = np.float32 if stored.data.dtype == np.float32 else np.float64
    return _listed(
        stored.row, stored.col, values.astype(keep, copy=False), stored.shape
    )


def _of_entries(
    table: tuple, shape: tuple[int, int] | None
) -> tuple[ObservedTable, np.ndarray | None]:
    if len(table) != 3:
        raise DataError(
            where=f"{_WHERE}(table)",
            rule="a tuple is (rows, cols, values)",
            got=f"a tuple of {len(table)}",
            fix="Give weights by entry_weight=, a shape by shape=",
        )
    most = np.iinfo(np.int64).max
    rows, cols = (
        checked_index(f"{_WHERE}({name})", index, most)
        for name, index in zip(("rows", "cols"), table, strict=False)
    )
    values = finite_array(f"{_WHERE}(values)", table[2], ndim=1)
    if not rows.size == cols.size == values.size:
        raise DataError(
            where=f"{_WHERE}(rows, cols, values)",
            rule="there is one row, column and value per entry",
            got=f"lengths {rows.size}, {cols.size} and {values.size}",
            fix="Give three arrays of one length",
        )
    if shape is None:
        shape = (
            int(rows.max(initial=0)) + 1,
            int(cols.max(initial=0)) + 1,
        )
    shape = checked_shape(f"{_WHERE}(shape)", shape)
    rows = checked_index(f"{_WHERE}(rows)", rows, shape[0])
    cols = checked_index(f"{_WHERE}(cols)", cols, shape[1])
    single = getattr(table[2], "dtype", None) == np.float32
    return _listed(rows, cols, values.astype(np.float32) if single else values, shape)


def _listed(
    rows: np.ndarray, cols: np.ndarray, values: np.ndarray, shape: tuple[int, int]
) -> tuple[ObservedTable, np.ndarray | None]:
    """The table of a list of entries, in the order of rows, repeats refused.

    Beside it where each entry was in the list; None where the order is the same.
    """
    order = None
    flat = rows.astype(np.int64) * shape[1] + cols
    if not (flat[1:] > flat[:-1]).all():
        # By counting, which takes a third of the time that sorting does.
        places = np.arange(rows.size)
        by_rows = scipy.sparse.coo_array((places, (rows, cols)), shape=shape).tocsr()
        is_repeated = by_rows.nnz < rows.size  # those are added up
        order = np.asarray(by_rows.data, np.int64)
        if is_repeated:
            order = np.argsort(flat, kind="stable")
        rows, cols, values = rows[order], cols[order], values[order]
        if is_repeated:
            flat = flat[order]
            one = np.flatnonzero(flat[1:] == flat[:-1])[0]
            raise DataError(
                where=f"{_WHERE}(table)",
                rule="each entry is known once",
                got=f"({rows[one]}, {cols[one]}) twice, with values "
                f"{values[one]:g} and {values[one + 1]:g}",
                fix="Keep one of them, or their mean",
            )
    found = ObservedTable(
        rows=rows.astype(np.int64, copy=False),
        cols=cols.astype(np.int64, copy=False),
        values=values,
        shape=(int(shape[0]), int(shape[1])),
    )
    return found, order


def _real(table: Any) -> np.ndarray:
    """The numbers of an array, float32 where they were, float64 else."""
    try:
        array = np.asarray(table)
        if np.iscomplexobj(array):
            raise DataError(
                where=f"{_WHERE}(table)",
                rule="numbers are real; Complex data not supported",
                got=f"dtype {array.dtype}",
                fix="Complete the real and the imaginary part one by one",
            )
        if array.dtype.kind in "USMm":
            raise TypeError(f"dtype {array.dtype}")
        keep = array.dtype if array.dtype == np.float32 else np.float64
        return array.astype(keep, copy=False)
    except DataError:
        raise
    except TypeError as error:
        kind, found = DataTypeError, str(error)
    except (ValueError, OverflowError) as error:
        kind, found = DataError, str(error)
    raise kind(
        where=f"{_WHERE}(table)",
        rule=f"a table is {_FORMS}, of numbers",
        got=found[:200],
        fix="Convert it with numpy.asarray(table, dtype=float)",
    )
