"""Products with observed entries that count by weights."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float, Int

from lowrankflow.problems.operators import SymmetricEntrySampling
from lowrankflow.problems.row_solutions import move_rows
from lowrankflow.problems.sampled_products import SampledProducts
from lowrankflow.problems.weighted_entries import EntryOperator, entry_scale

Entry: TypeAlias = Float[np.ndarray, " m"]
Rows: TypeAlias = Float[np.ndarray, "rows rank"]
Cols: TypeAlias = Float[np.ndarray, "cols rank"]


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightedProducts:
    """The passes of `SampledProducts` where measurements are multiples of entries.

    A value is one per measurement throughout: `entries` are scale times the entries of
    the product, and the matrix of "entries" is the adjoint image of the values.

    Args:
        inner: the passes over the entries themselves.
        scale: the multiples, in the order of rows.
        scale_by_col: the same in the order of columns.

    Exactness: exact but for rounding; the bits do not depend on the threads.
    Cost: that of `SampledProducts`, with two or three passes where it has one.
    """

    inner: SampledProducts
    scale: Entry
    scale_by_col: Entry

    @property
    def num_entries(self) -> int:
        """How many entries there are."""
        return self.inner.num_entries

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols)."""
        return self.inner.shape

    @property
    def threads(self) -> int:
        """How many share a pass."""
        return self.inner.threads

    @property
    def order(self) -> Int[np.ndarray, " m"]:
        """Where in the operator's order the entries are found, row after row."""
        return self.inner.order

    @property
    def to_col(self) -> Int[np.ndarray, " m"]:
        """Where in the order of rows they are found, column after column."""
        return self.inner.to_col

    def sort(self, values: Entry) -> Entry:
        """Values from the operator's order into that of rows."""
        return self.inner.sort(values)

    def dot(self, a: Entry, b: Entry) -> float:
        """The inner product of two vectors of measurements, added in float64."""
        return self.inner.dot(a, b)

    def sizes(self, dtype: np.dtype) -> Entry:
        """The multiple of its entry that each measurement is."""
        return self.scale.astype(dtype)

    def entries(
        self, left: Rows, right: Cols, *, by: Literal["row", "col"] = "row"
    ) -> Entry:
        """The measurements of left right', in the order of rows or of columns."""
        found = self.inner.entries(left, right, by=by)
        found *= self.scale if by == "row" else self.scale_by_col
        return found

    def mm(self, values: Entry, block: Cols) -> Rows:
        """The adjoint image of values times a thin block."""
        return self.inner.mm(self.scale * values, block)

    def rmm(self, values: Entry, block: Rows) -> Cols:
        """Its transpose times a thin block."""
        return self.rmm_by_col(values[self.to_col], block)

    def rmm_by_col(self, values_by_col: Entry, block: Rows) -> Cols:
        """The same of values in the order of columns."""
        return self.inner.rmm_by_col(self.scale_by_col * values_by_col, block)

    def residual_mm(
        self,
        values: Entry,
        own: Float[np.ndarray, "here rank"],
        other: Float[np.ndarray, "there rank"],
        *,
        by: Literal["row", "col"] = "row",
        residual: Entry | None = None,
    ) -> tuple[Float[np.ndarray, "here rank"], float]:
        """The adjoint image of the residual times a factor, and its sum of squares.

        Arguments as those of `SampledProducts.residual_mm`; the sum is added in float64
        over all measurements.
        """
        pair = (own, other) if by == "row" else (other, own)
        found = self.entries(*pair, by=by)
        found -= values
        if residual is not None:
            residual[:] = found
        square = self.dot(found, found)
        product = self.mm if by == "row" else self.rmm_by_col
        return product(found, other), square

    def curvature(
        self,
        residual: Entry,
        residual_by_col: Entry,
        point: tuple[Rows, Cols],
        moved: tuple[Rows, Cols],
    ) -> tuple[Rows, Cols]:
        """The Hessian of 1/2 ||measurements(L R') - y||^2 times a direction.

        Arguments as those of `SampledProducts.curvature`.
        """
        (left, right), (d_left, d_right) = point, moved
        # d_L R' + L d_R' in one pass over twice the columns.
        pair = np.hstack([d_left, left]), np.hstack([right, d_right])
        change = self.entries(*pair)
        rows = self.mm(change, right) + self.mm(residual, d_right)
        cols = self.rmm(change, left) + self.rmm_by_col(residual_by_col, d_left)
        return rows, cols

    def least_squares_rows(
        self,
        values: Entry,
        left: Rows,
        right: Cols,
        *,
        ridge: float,
        damping: float,
    ) -> None:
        """Move each row of `left`, in place, to its least squares solution.

        Arguments as those of `SampledProducts.least_squares_rows`.
        """
        settings = {"ridge": ridge, "damping": damping, "scale": self.scale}
        move_rows(self.inner, values, left, right, by="row", **settings)

    def least_squares_cols(
        self,
        values_by_col: Entry,
        left: Rows,
        right: Cols,
        *,
        ridge: float,
        damping: float,
    ) -> None:
        """The same for each row of `right`; values in the order of columns."""
        settings = {"ridge": ridge, "damping": damping, "scale": self.scale_by_col}
        move_rows(self.inner, values_by_col, right, left, by="col", **settings)


def entry_products(
    operator: EntryOperator | SymmetricEntrySampling,
    *,
    dtype: np.dtype | str = "float64",
) -> SampledProducts | WeightedProducts:
    """The passes over the entries that an operator observes, weighted where these are.

    Args:
        operator: a symmetric sampling counts as one of the pairs (i, j) that it names.
        dtype: of the weights.

    Cost: sorts the entries twice.
    """
    inner = SampledProducts.of(operator.row_index, operator.col_index, operator.shape)
    scale = None
    if not isinstance(operator, SymmetricEntrySampling):
        scale = entry_scale(operator)
    if scale is None:
        return inner
    scale = inner.sort(scale).astype(dtype)
    return WeightedProducts(inner=inner, scale=scale, scale_by_col=scale[inner.to_col])
