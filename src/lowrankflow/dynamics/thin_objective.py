r"""The loss of a completion as a function of thin factors, which is all there is.

f(L, R) = 1/2 sum (L_i . R_j - y_ij)^2 + penalty/2 (||L||^2 + ||R||^2), or f(U) with
L = R = U and penalty ||U||^2: at balanced factors the last term is the penalty times
the nuclear norm (the trace). Values, gradients, products with the Hessian and the rate
of the next direction are passes over the entries; rows x cols numbers are never formed.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float

from lowrankflow.problems import (
    EntrySampling,
    Factored,
    SampledProducts,
    SensingProblem,
    SymmetricEntrySampling,
)
from lowrankflow.seeds import generator

# The factors one above the other: L over R, or U alone.
Stacked: TypeAlias = Float[np.ndarray, "stacked rank"]
Vector: TypeAlias = Float[np.ndarray, " n"]
# From so many rows or columns on the top direction is found by iteration.
_SMALL = 40


@dataclass(frozen=True, kw_only=True, eq=False)
class ThinObjective:
    """A completion's loss, as a sum, in thin factors.

    Args:
        products: the passes over the entries.
        values: y, in their order of rows.
        symmetric: whether W = U U'.
        penalty: of the nuclear norm, beside the sum of squares; >= 0.
    """

    products: SampledProducts
    values: Float[np.ndarray, " m"]
    symmetric: bool
    penalty: float

    @staticmethod
    def of(
        problem: SensingProblem, *, symmetric: bool, penalty: float
    ) -> "ThinObjective":
        """That of a problem which observes entries with the squared loss.

        Args:
            problem: its normalization plays no part.
            symmetric: whether W = U U'. A measurement of the entry (i, j) then is one
                of (i, j) and (j, i) alike.
            penalty: as above.
        """
        operator = problem.operator
        products = SampledProducts.of(
            operator.row_index,  # pyright: ignore[reportAttributeAccessIssue]
            operator.col_index,  # pyright: ignore[reportAttributeAccessIssue]
            problem.shape,
        )
        values = products.sort(np.asarray(problem.measurements, float))
        return ThinObjective(
            products=products, values=values, symmetric=symmetric, penalty=penalty
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
        return 0.5 * float(residual @ residual) + factor * self.penalty * norm

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
        ones = np.ones(self.values.size)
        left, right = self.split(point * point)
        rows, cols = self.products.mm(ones, right), self.products.rmm(ones, left)
        if self.symmetric:
            found = rows + cols + 2 * self.penalty
        else:
            found = np.concatenate([rows, cols]) + self.penalty
        return np.maximum(found, 1e-6 * found.max() or 1.0)

    def next_direction(self, residual: Vector) -> tuple[float, Vector, Vector]:
        """The largest rate at which a direction grows from nothing, and the direction.

        Args:
            residual: at the present point.

        Returns:
            lambda_1(-grad f) with its eigenvector twice where W = U U', sigma_1 with
            its singular pair elsewhere; of the loss alone, without the penalty.

        Exactness: to rounding below 40 rows or columns; elsewhere within 1e-10 of the
            top value as Lanczos iterations estimate it, which is from below.
        Cost: some tens of products with the sparse residual.
        """
        rows, cols = self.products.shape
        if not residual.any():
            return 0.0, np.eye(rows, 1)[:, 0], np.eye(cols, 1)[:, 0]
        operator = self._pull(residual)
        if min(rows, cols) <= _SMALL:
            return self._small_direction(operator)
        # A tenth of a second to import; only large tables need it.
        from scipy.sparse.linalg import ArpackNoConvergence, eigsh

        start = generator(0, "greedy path", "direction").standard_normal(cols)
        gram = operator if self.symmetric else operator.T @ operator
        settings: Any = {"k": 1, "which": "LA", "v0": start, "tol": 1e-10}
        try:
            found, vectors = eigsh(gram, **settings)
        except ArpackNoConvergence as error:
            found, vectors = error.eigenvalues, error.eigenvectors
            if not len(found):
                found, vectors = eigsh(gram, **settings | {"tol": 1e-4})
        right = vectors[:, -1]
        if self.symmetric:
            return float(found[-1]), right, right
        left = operator @ right
        size = float(np.linalg.norm(left))
        return size, left / (size or 1.0), right

    def _small_direction(self, operator: Any) -> tuple[float, Vector, Vector]:
        """By the Gram matrix of the smaller side, or the eigenvectors themselves."""
        rows, cols = self.products.shape
        if self.symmetric:
            values, vectors = np.linalg.eigh(operator @ np.eye(cols))
            return float(values[-1]), vectors[:, -1], vectors[:, -1]
        # The shorter side times itself: thin, whatever the longer one is.
        thin = operator @ np.eye(cols) if cols <= rows else operator.T @ np.eye(rows)
        left, values, right = np.linalg.svd(thin, full_matrices=False)
        if cols <= rows:
            return float(values[0]), left[:, 0], right[0]
        return float(values[0]), right[0], left[:, 0]

    def _pull(self, residual: Vector) -> Any:
        """-grad f(W), symmetrized where W = U U'."""
        from scipy.sparse import csr_array
        from scipy.sparse.linalg import aslinearoperator

        half = self.products.by_row
        sparse = csr_array(
            (-residual, half.index, half.start.astype(np.int32)), self.products.shape
        )
        if self.symmetric:
            sparse = csr_array((sparse + sparse.T) / 2)
        return aslinearoperator(sparse)

    def weight(self, rate: float, left: Vector, right: Vector) -> float:
        """The weight s at which the loss along W + s left right' is least, exactly."""
        seen = self.products.entries(left[:, None], right[:, None])
        return max(rate - self.penalty, 0.0) / float(seen @ seen)

    def extended(
        self, point: Stacked, weight: float, left: Vector, right: Vector
    ) -> Stacked:
        """The factors with one more column, for W + weight left right'."""
        column = left if self.symmetric else np.concatenate([left, right])
        return np.column_stack([point, np.sqrt(weight) * column])

    def balanced(self, point: Stacked) -> tuple[Stacked, Factored]:
        """Factors of the same W with L'L = R'R diagonal, and W by singular vectors.

        Cost: (rows + cols) rank^2; exact but for rounding.
        """
        if self.symmetric:
            left, values, _ = np.linalg.svd(point, full_matrices=False)
            matrix = Factored(left, np.diag(values**2), left)
            return left * values, matrix
        left, right = self.split(point)
        (left, a), (right, b) = np.linalg.qr(left), np.linalg.qr(right)
        u, values, v = np.linalg.svd(a @ b.T)
        left, right = left @ u, right @ v.T
        root = np.sqrt(values)
        stacked = np.concatenate([left * root, right * root])
        return stacked, Factored(left, np.diag(values), right)


def observes_entries(problem: SensingProblem, *, symmetric: bool) -> bool:
    """Whether the problem's measurements are entries, one by one."""
    kinds = (EntrySampling, SymmetricEntrySampling) if symmetric else EntrySampling
    return isinstance(problem.operator, kinds)
