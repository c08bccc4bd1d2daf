r"""The loss of a completion as a function of thin factors, which is all there is.

f(L, R) = 1/2 sum (L_i . R_j - y_ij)^2 + penalty/2 (||L||^2 + ||R||^2), the sum weighted
where entries have weights, or f(U) with
L = R = U and penalty ||U||^2: at balanced factors the last term is the penalty times
the nuclear norm (the trace). Values, gradients, products with the Hessian and the rate
of the next direction are passes over the entries; rows x cols numbers are never formed.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Float

from lowrankflow.dynamics.thin_direction import Columns, Direction, next_direction
from lowrankflow.problems import (
    EntryOperator,
    Factored,
    SampledProducts,
    SensingProblem,
    SymmetricEntrySampling,
    WeightedProducts,
    entry_products,
)

# The factors one above the other: L over R, or U alone.
Stacked: TypeAlias = Float[np.ndarray, "stacked rank"]
Vector: TypeAlias = Float[np.ndarray, " n"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ThinObjective:
    """A completion's loss, as a sum, in thin factors.

    Args:
        products: the passes over the entries.
        values: y, in their order of rows; float32 or float64, which points then are.
        values_by_col: the same in the order of columns.
        symmetric: whether W = U U'.
        penalty: of the nuclear norm, beside the sum of squares; >= 0.
    """

    products: SampledProducts | WeightedProducts
    values: Float[np.ndarray, " m"]
    values_by_col: Float[np.ndarray, " m"]
    symmetric: bool
    penalty: float

    @staticmethod
    def of(
        problem: SensingProblem, *, symmetric: bool, penalty: float, dtype: str
    ) -> "ThinObjective":
        """That of a problem which observes entries with the squared loss.

        Args:
            problem: its normalization plays no part.
            symmetric: whether W = U U'. A measurement of the entry (i, j) then is one
                of (i, j) and (j, i) alike.
            penalty: as above.
            dtype: "float64" or "float32", of values and points.
        """
        operator = problem.operator
        assert isinstance(operator, EntryOperator | SymmetricEntrySampling)
        products = entry_products(operator, dtype=dtype)
        values = products.sort(np.asarray(problem.measurements, dtype))
        return ThinObjective(
            products=products,
            values=values,
            values_by_col=values[products.to_col],
            symmetric=symmetric,
            penalty=penalty,
        )

    def split(
        self, point: Stacked
    ) -> tuple[Float[np.ndarray, "rows rank"], Float[np.ndarray, "cols rank"]]:
        """L and R, as views."""
        if self.symmetric:
            return point, point
        rows = self.products.shape[0]
        return point[:rows], point[rows:]

    def residual(self, point: Stacked) -> Vector:
        """entries(L R') - y."""
        return self.products.entries(*self.split(point)) - self.values

    def value(self, point: Stacked, residual: Vector) -> float:
        """f, given the residual there."""
        factor = 1.0 if self.symmetric else 0.5
        norm = float((point * point).sum())
        return (
            0.5 * self.products.dot(residual, residual) + factor * self.penalty * norm
        )

    def gradient(self, point: Stacked, residual: Vector) -> Stacked:
        """The derivative of f in the factors."""
        left, right = self.split(point)
        rows = self.products.mm(residual, right)
        cols = self.products.rmm(residual, left)
        if self.symmetric:
            return rows + cols + 2 * self.penalty * point
        return np.concatenate([rows, cols]) + self.penalty * point

    def curvature(
        self, point: Stacked, residual: Vector, by_col: Vector, moved: Stacked
    ) -> Stacked:
        """The Hessian of f times a direction; `by_col` is the residual by columns."""
        rows, cols = self.products.curvature(
            residual, by_col, self.split(point), self.split(moved)
        )
        if self.symmetric:
            return rows + cols + 2 * self.penalty * moved
        return np.concatenate([rows, cols]) + self.penalty * moved

    def diagonal(self, point: Stacked) -> Stacked:
        """The Hessian's diagonal but for the residual, above zero: a scale to solve in.

        Cost: one pass.
        """
        sizes = self.products.sizes(self.values.dtype)
        left, right = self.split(point * point)
        rows, cols = self.products.mm(sizes, right), self.products.rmm(sizes, left)
        if self.symmetric:
            found = rows + cols + 2 * self.penalty
        else:
            found = np.concatenate([rows, cols]) + self.penalty
        return np.maximum(found, 1e-6 * found.max() or 1.0)

    def next_direction(
        self,
        point: Stacked,
        residual: Vector,
        *,
        tolerance: float,
        enough: float,
        near: Columns | None = None,
    ) -> Direction:
        """The direction that grows fastest from nothing.

        Args:
            point: the present one.
            residual: there.
            tolerance: how exactly its rate is wanted, relatively.
            enough: and absolutely: whichever is met first.
            near: the `near` of a direction at a point close by.
        """
        left, right = self.split(point)
        # Made anew: to bring one order into the other would be slower.
        by_col = np.empty_like(residual)
        self.products.residual_mm(
            self.values_by_col, right, left, by="col", residual=by_col
        )
        return next_direction(
            self.products,
            residual,
            by_col,
            symmetric=self.symmetric,
            tolerance=tolerance,
            enough=enough,
            near=near,
        )

    def weight(self, rate: float, left: Vector, right: Vector) -> float:
        """The weight s at which the loss along W + s left right' is least, exactly."""
        pair = (side.astype(self.values.dtype)[:, None] for side in (left, right))
        seen = self.products.entries(*pair)
        return max(rate - self.penalty, 0.0) / self.products.dot(seen, seen)

    def extended(
        self, point: Stacked, weight: float, left: Vector, right: Vector
    ) -> Stacked:
        """The factors with one more column, for W + weight left right'."""
        column = left if self.symmetric else np.concatenate([left, right])
        column = np.sqrt(weight) * column
        return np.column_stack([point, column.astype(point.dtype)])

    def balanced(self, point: Stacked) -> tuple[Stacked, Factored]:
        """Factors of the same W with L'L = R'R diagonal, and W by singular vectors.

        Cost: (rows + cols) rank^2; exact but for rounding, W in float64.
        """
        dtype, point = point.dtype, point.astype(float, copy=False)
        if self.symmetric:
            left, values, _ = np.linalg.svd(point, full_matrices=False)
            matrix = Factored(left, np.diag(values**2), left)
            return (left * values).astype(dtype, copy=False), matrix
        left, right = self.split(point)
        (left, a), (right, b) = np.linalg.qr(left), np.linalg.qr(right)
        u, values, v = np.linalg.svd(a @ b.T)
        left, right = left @ u, right @ v.T
        root = np.sqrt(values)
        stacked = np.concatenate([left * root, right * root])
        return stacked.astype(dtype, copy=False), Factored(left, np.diag(values), right)


def observes_entries(problem: SensingProblem, *, symmetric: bool) -> bool:
    """Whether the problem's measurements are entries, one by one."""
    kinds = EntryOperator | SymmetricEntrySampling if symmetric else EntryOperator
    return isinstance(problem.operator, kinds)
