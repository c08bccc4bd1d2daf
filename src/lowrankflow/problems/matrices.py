"""Three ways to hold a matrix, known to the rest by what can be asked of them.

A dense matrix, a thin factored one and one that is zero but for some entries answer the
same four questions: products with thin blocks from either side, chosen entries, and, at
a visible price, the dense array. Operators ask these questions and never look inside,
so one operator serves the dense engines and those that never form rows x cols numbers.

The arrays may be NumPy's or JAX's, and the answers are of the same kind: reference
solvers work on the host, flows inside compiled loops.
"""

import abc
from typing import TypeAlias

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from lowrankflow.errors import DataError
from lowrankflow.problems.pair_products import pair_products

Numbers: TypeAlias = Array | np.ndarray


class AbstractMatrix(eqx.Module):
    """A matrix known by its action: thin products, entries, and its dense form."""

    @property
    @abc.abstractmethod
    def shape(self) -> tuple[int, int]:
        """(rows, cols)."""

    @abc.abstractmethod
    def mm(self, block: Float[Numbers, "cols k"]) -> Float[Numbers, "rows k"]:
        """The product W block."""

    @abc.abstractmethod
    def rmm(self, block: Float[Numbers, "rows k"]) -> Float[Numbers, "cols k"]:
        """The product W' block."""

    @abc.abstractmethod
    def entries(
        self, row_index: Int[Numbers, " m"], col_index: Int[Numbers, " m"]
    ) -> Float[Numbers, " m"]:
        """The numbers W[i_k, j_k], 0-based."""

    @abc.abstractmethod
    def to_dense(self) -> Float[Numbers, "rows cols"]:
        """The array itself; forms rows x cols numbers."""


class Dense(AbstractMatrix):
    """A matrix held as its array.

    Args:
        array: the numbers, rows x cols.

    Exactness: exact.
    """

    array: Float[Numbers, "rows cols"]

    @property
    def shape(self) -> tuple[int, int]:
        rows, cols = self.array.shape
        return rows, cols

    def mm(self, block: Float[Numbers, "cols k"]) -> Float[Numbers, "rows k"]:
        return self.array @ block

    def rmm(self, block: Float[Numbers, "rows k"]) -> Float[Numbers, "cols k"]:
        return self.array.T @ block

    def entries(
        self, row_index: Int[Numbers, " m"], col_index: Int[Numbers, " m"]
    ) -> Float[Numbers, " m"]:
        return self.array[row_index, col_index]

    def to_dense(self) -> Float[Numbers, "rows cols"]:
        return self.array


class Factored(AbstractMatrix):
    """W = left core right', held as the three; the core need not be diagonal.

    Args:
        left: rows x a.
        core: a x b.
        right: cols x b.

    Exactness: exact.
    Cost: products (rows + cols) x rank x k; entries m x rank; never rows x cols unless
        `to_dense` is asked.
    """

    left: Float[Numbers, "rows a"]
    core: Float[Numbers, "a b"]
    right: Float[Numbers, "cols b"]

    @property
    def shape(self) -> tuple[int, int]:
        return self.left.shape[0], self.right.shape[0]

    def mm(self, block: Float[Numbers, "cols k"]) -> Float[Numbers, "rows k"]:
        return self.left @ (self.core @ (self.right.T @ block))

    def rmm(self, block: Float[Numbers, "rows k"]) -> Float[Numbers, "cols k"]:
        return self.right @ (self.core.T @ (self.left.T @ block))

    def entries(
        self, row_index: Int[Numbers, " m"], col_index: Int[Numbers, " m"]
    ) -> Float[Numbers, " m"]:
        left, right = self.left @ self.core, self.right
        if not isinstance(left, np.ndarray) or not isinstance(right, np.ndarray):
            return (left[row_index] * right[col_index]).sum(axis=1)
        return pair_products(left, right, np.asarray(row_index), np.asarray(col_index))

    def to_dense(self) -> Float[Numbers, "rows cols"]:
        return self.left @ self.core @ self.right.T


class Entries(AbstractMatrix):
    """A matrix that is zero but for some entries.

    Args:
        row_index: i_k, 0-based.
        col_index: j_k, 0-based; the pairs are distinct.
        values: the numbers at those pairs.
        shape: (rows, cols).

    Exactness: exact.
    Cost: products m x k; `entries` forms the dense array.
    """

    row_index: Int[Numbers, " m"]
    col_index: Int[Numbers, " m"]
    values: Float[Numbers, " m"]
    matrix_shape: tuple[int, int] = eqx.field(static=True)

    @property
    def shape(self) -> tuple[int, int]:
        return self.matrix_shape

    def mm(self, block: Float[Numbers, "cols k"]) -> Float[Numbers, "rows k"]:
        terms = self.values[:, None] * block[self.col_index]
        return _add_rows(self.row_index, terms, self.shape[0])

    def rmm(self, block: Float[Numbers, "rows k"]) -> Float[Numbers, "cols k"]:
        terms = self.values[:, None] * block[self.row_index]
        return _add_rows(self.col_index, terms, self.shape[1])

    def entries(
        self, row_index: Int[Numbers, " m"], col_index: Int[Numbers, " m"]
    ) -> Float[Numbers, " m"]:
        return self.to_dense()[row_index, col_index]

    def to_dense(self) -> Float[Numbers, "rows cols"]:
        if isinstance(self.values, np.ndarray):
            dense = np.zeros(self.shape, self.values.dtype)
            dense[self.row_index, self.col_index] = self.values
            return dense
        zero = jnp.zeros(self.shape, self.values.dtype)
        where = zero.at[self.row_index, self.col_index]
        return where.set(self.values, unique_indices=True, mode="promise_in_bounds")


def _add_rows(index: Numbers, terms: Numbers, size: int) -> Numbers:
    """Rows of `terms` added up at the rows `index` of a zero block."""
    if isinstance(terms, np.ndarray):
        block = np.zeros((size, terms.shape[1]), terms.dtype)
        np.add.at(block, index, terms)
        return block
    return jnp.zeros((size, terms.shape[1]), terms.dtype).at[index].add(terms)


def as_matrix(matrix: AbstractMatrix | Numbers) -> AbstractMatrix:
    """The matrix itself, or a dense one around an array.

    Raises:
        DataError: when an array has not two dimensions.
    """
    if isinstance(matrix, AbstractMatrix):
        return matrix
    if getattr(matrix, "ndim", None) != 2:
        raise DataError(
            where="matrix",
            rule="a matrix is an array of two dimensions, or Dense, Factored, Entries",
            got=f"{type(matrix).__name__} of shape {getattr(matrix, 'shape', None)}",
            fix="Reshape it to (rows, cols)",
        )
    return Dense(matrix)


def to_dense(matrix: AbstractMatrix | Numbers) -> Float[Numbers, "rows cols"]:
    """The array of a matrix however it is held; forms rows x cols numbers."""
    return matrix.to_dense() if isinstance(matrix, AbstractMatrix) else matrix
