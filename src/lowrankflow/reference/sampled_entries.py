"""The observed entries of a completion as a sparse matrix, for who wants one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from lowrankflow.errors import SpecError
from lowrankflow.problems import (
    EntrySampling,
    SampledProducts,
    SensingProblem,
    SymmetricEntrySampling,
    WeightedEntrySampling,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Below this many rows or columns a full decomposition is the faster one.
_SMALL = 100


@dataclass(frozen=True, kw_only=True)
class SampledEntries:
    """Which entries are observed, and their values.

    Args:
        rows: of each entry.
        cols: likewise. A symmetric sampling has both mirror images.
        values: y.
        shape: (rows, cols) of the matrix.
    """

    rows: Int[np.ndarray, " m"]
    cols: Int[np.ndarray, " m"]
    values: Float[np.ndarray, " m"]
    shape: tuple[int, int]

    @staticmethod
    def of(where: str, problem: SensingProblem) -> "SampledEntries":
        """Those of a problem.

        Raises:
            SpecError: when it measures something else than entries.
        """
        operator = problem.operator
        if not isinstance(operator, EntrySampling | SymmetricEntrySampling):
            weighted = isinstance(operator, WeightedEntrySampling)
            raise SpecError(
                where=where,
                rule="the measurements are entries of the matrix"
                + (", which count alike" if weighted else ""),
                got=f"{type(operator).__name__}",
                fix="Use greedy_low_rank_path with this penalty; it takes weights"
                if weighted
                else "Use min_nuclear_norm, which takes any measurements",
            )
        rows = np.asarray(operator.row_index, np.int64)
        cols = np.asarray(operator.col_index, np.int64)
        values = np.asarray(problem.measurements, np.float64)
        if isinstance(operator, SymmetricEntrySampling):
            off = rows != cols
            rows, cols = np.r_[rows, cols[off]], np.r_[cols, rows[off]]
            values = np.r_[values, values[off]]
        return SampledEntries(rows=rows, cols=cols, values=values, shape=problem.shape)

    def sparse(self, values: Float[np.ndarray, " m"]) -> "csr_array":
        """The matrix with these values at the observed entries and 0 elsewhere."""
        from scipy.sparse import csr_array

        return csr_array((values, (self.rows, self.cols)), self.shape)

    def of_product(
        self,
        left: Float[np.ndarray, "rows rank"],
        right: Float[np.ndarray, "cols rank"],
    ) -> Float[np.ndarray, " m"]:
        """The observed entries of left right'."""
        return np.einsum("kr,kr->k", left[self.rows], right[self.cols])

    def top_pair(
        self, values: Float[np.ndarray, " m"]
    ) -> tuple[float, Float[np.ndarray, " rows"], Float[np.ndarray, " cols"]]:
        """The largest singular value of the sparse matrix, and its vectors.

        Exactness: to rounding; iterated where rows and columns are 100 or more.
        """
        return _top_pair(self.sparse(values), self.shape)


@dataclass(frozen=True, kw_only=True)
class SortedTable:
    """The observed entries sorted once, for who passes over them many times.

    Args:
        products: the passes.
        values: y, row after row.
    """

    products: SampledProducts
    values: Float[np.ndarray, " m"]

    @staticmethod
    def of(entries: SampledEntries) -> "SortedTable":
        """The same entries."""
        products = SampledProducts.of(entries.rows, entries.cols, entries.shape)
        return SortedTable(products=products, values=products.sort(entries.values))

    def misfit(
        self,
        left: Float[np.ndarray, "rows rank"],
        right: Float[np.ndarray, "cols rank"],
    ) -> Float[np.ndarray, " m"]:
        """The values less the entries of left right', row after row."""
        left, right = np.ascontiguousarray(left), np.ascontiguousarray(right)
        return self.values - self.products.entries(left, right)

    def sparse(self, values: Float[np.ndarray, " m"]) -> "csr_array":
        """The matrix with these values, row after row, and 0 elsewhere."""
        from scipy.sparse import csr_array

        by_row = self.products.by_row
        return csr_array((values, by_row.index, by_row.start), self.products.shape)

    def largest(self, values: Float[np.ndarray, " m"]) -> float:
        """The largest singular value of that matrix.

        Exactness: to rounding; iterated where rows and columns are 100 or more.
        """
        return _top_pair(self.sparse(values), self.products.shape)[0]


def _top_pair(
    matrix: "csr_array", shape: tuple[int, int]
) -> tuple[float, Float[np.ndarray, " rows"], Float[np.ndarray, " cols"]]:
    rows, cols = shape
    if min(rows, cols) < _SMALL:
        left, sizes, right = np.linalg.svd(matrix.toarray(), full_matrices=False)
        return float(sizes[0]), left[:, 0], right[0]
    if not np.any(matrix.data):
        return 0.0, np.eye(1, rows)[0], np.eye(1, cols)[0]
    from scipy.sparse.linalg import svds

    begin = np.random.default_rng(0).standard_normal(min(rows, cols))
    left, sizes, right = (np.asarray(part) for part in svds(matrix, k=1, v0=begin))
    return float(sizes[0]), left[:, 0], right[0]
