"""Measurements by matrices that are given: stacks, columns, commuting families."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from lowrankflow.errors import DataError
from lowrankflow.problems.checks import checked_index, checked_shape, finite_array
from lowrankflow.problems.matrices import AbstractMatrix, Dense, Factored, Numbers
from lowrankflow.problems.operators import (
    AbstractSensingOperator,
    checked_dual,
    checked_matrix,
)


class DenseSensing(AbstractSensingOperator):
    r"""Any given matrices: 𝒜(W)_k = <A_k, W> with the A_k held as one stack.

    Args:
        matrices: A_k, shape (m, rows, cols), finite. Kept as one m x (rows cols) array;
            a product reads it once and copies nothing.

    Raises:
        DataError: when the stack has not three dimensions, is empty or not finite.

    Exactness: exact.
    Cost: 2 m rows cols operations and m rows cols numbers read for each product: bound
        by memory.
    Source: gunasekar2017, equation (1); arora2019, equation (2).
    Differs: as in the source.
    """

    stack: Float[Numbers, "m rows*cols"]
    matrix_shape: tuple[int, int] = eqx.field(static=True)

    def __init__(self, matrices: Numbers):
        array = finite_array("DenseSensing(matrices)", matrices, ndim=3)
        self.matrix_shape = checked_shape("DenseSensing(matrices)", array.shape[1:])
        if array.shape[0] == 0:
            raise DataError(
                where="DenseSensing(matrices)",
                rule="at least one measurement is needed",
                got="an empty stack",
                fix="Give at least one matrix",
            )
        self.stack = array.reshape(array.shape[0], -1)

    @property
    def shape(self) -> tuple[int, int]:
        return self.matrix_shape

    @property
    def num_measurements(self) -> int:
        return self.stack.shape[0]

    def apply(self, matrix: AbstractMatrix | Numbers) -> Float[Numbers, " m"]:
        return self.stack @ checked_matrix(self, matrix).to_dense().reshape(-1)

    def adjoint(self, dual: Float[Numbers, " m"]) -> Dense:
        checked_dual(self, dual)
        return Dense((dual @ self.stack).reshape(self.matrix_shape))

    def norm_bound(self) -> float:
        # The trace of the smaller Gram matrix would bound its norm too, but loosely.
        stack = np.asarray(self.stack)
        small = stack @ stack.T if len(stack) <= stack.shape[1] else stack.T @ stack
        return float(np.sqrt(np.linalg.eigvalsh(small)[-1].clip(0)) * (1 + 1e-12))

    def gram(self) -> Float[np.ndarray, "m m"]:
        stack = np.asarray(self.stack)
        return stack @ stack.T


class ColumnSensing(AbstractSensingOperator):
    r"""Multi-task regression: each measurement touches one column.

    𝒜(W)_k = <x_k, W[:, j_k]>: column j holds the weights of task j, and x_k is the
    input of an example of task j_k.

    Args:
        inputs: x_k, shape (m, rows), finite.
        col_index: j_k, 0-based, the task of example k.
        num_cols: number of tasks.

    Raises:
        DataError: when shapes disagree, a value is not finite or an index out of range.

    Exactness: exact.
    Cost: 2 m rows operations for each product.
    Source: gunasekar2017, section 1 (multi-task learning as matrix sensing).
    Differs: as in the source.
    """

    inputs: Float[Numbers, "m rows"]
    col_index: Int[Numbers, " m"]
    num_cols: int = eqx.field(static=True)

    def __init__(self, inputs: Numbers, col_index: Numbers, num_cols: int):
        array = finite_array("ColumnSensing(inputs)", inputs, ndim=2)
        shape = (array.shape[1], num_cols)
        _, self.num_cols = checked_shape("ColumnSensing(inputs, num_cols)", shape)
        where = "ColumnSensing(col_index)"
        self.col_index = checked_index(where, col_index, self.num_cols)
        if len(self.col_index) != len(array) or len(array) == 0:
            raise DataError(
                where=where,
                rule="there is one column per example, and at least one example",
                got=f"{len(self.col_index)} columns for {len(array)} examples",
                fix="Give one index per row of inputs",
            )
        self.inputs = array

    @property
    def shape(self) -> tuple[int, int]:
        return self.inputs.shape[1], self.num_cols

    @property
    def num_measurements(self) -> int:
        return self.inputs.shape[0]

    def apply(self, matrix: AbstractMatrix | Numbers) -> Float[Numbers, " m"]:
        columns = checked_matrix(self, matrix).to_dense()[:, self.col_index]
        return (self.inputs * columns.T).sum(axis=1)

    def adjoint(self, dual: Float[Numbers, " m"]) -> Dense:
        checked_dual(self, dual)
        terms = dual[:, None] * self.inputs
        if isinstance(terms, np.ndarray):
            out = np.zeros((self.num_cols, terms.shape[1]), terms.dtype)
            np.add.at(out, np.asarray(self.col_index), terms)
            return Dense(out.T)
        zero = jnp.zeros((self.num_cols, terms.shape[1]), terms.dtype)
        return Dense(zero.at[self.col_index].add(terms).T)

    def norm_bound(self) -> float:
        inputs, tasks = np.asarray(self.inputs), np.asarray(self.col_index)
        used = np.unique(tasks)
        largest = max(np.linalg.norm(inputs[tasks == task], 2) for task in used)
        return float(largest * (1 + 1e-12))

    def gram(self) -> Float[np.ndarray, "m m"]:
        inputs, tasks = np.asarray(self.inputs), np.asarray(self.col_index)
        return (inputs @ inputs.T) * (tasks[:, None] == tasks[None, :])


class CommutingSensing(AbstractSensingOperator):
    r"""Symmetric measurements that commute: A_k = Q diag(e_k) Q' with one basis Q.

    The family for which gunasekar2017 and arora2019 prove that the flow tends to the
    minimum nuclear norm solution. With Q the identity it is the diagonal family, where
    the factorization of a matrix is the entrywise power of a vector.

    Args:
        basis: Q, orthogonal, size x size.
        eigenvalues: e_k, shape (m, size).

    Raises:
        DataError: when shapes disagree, a value is not finite or Q is not orthogonal.

    Exactness: exact.
    Cost: 2 size^3 + 2 m size operations for each product; no stack is formed.
    Source: gunasekar2017, theorem 1; arora2019, theorem 2.
    Differs: as in the source.
    """

    basis: Float[Numbers, "size size"]
    eigenvalues: Float[Numbers, "m size"]

    def __init__(self, basis: Numbers, eigenvalues: Numbers):
        basis = finite_array("CommutingSensing(basis)", basis, ndim=2)
        where = "CommutingSensing(eigenvalues)"
        eigenvalues = finite_array(where, eigenvalues, ndim=2)
        size = basis.shape[0]
        square = basis.shape == (size, size)
        # 1e-10: an orthogonal factor from a QR or eigendecomposition is good to 1e-14.
        if not square or np.abs(basis.T @ basis - np.eye(size)).max() > 1e-10:
            raise DataError(
                where="CommutingSensing(basis)",
                rule="the basis must be a square matrix with orthonormal columns",
                got=f"shape {basis.shape}, not orthogonal to 1e-10",
                fix="Take Q of numpy.linalg.qr(basis)",
            )
        if eigenvalues.shape[1:] != (size,) or len(eigenvalues) == 0:
            raise DataError(
                where=where,
                rule=f"there are {size} eigenvalues for each of one or more matrices",
                got=f"shape {eigenvalues.shape}",
                fix=f"Give an array of shape (m, {size})",
            )
        self.basis, self.eigenvalues = basis, eigenvalues

    @property
    def shape(self) -> tuple[int, int]:
        return self.basis.shape[0], self.basis.shape[0]

    @property
    def num_measurements(self) -> int:
        return self.eigenvalues.shape[0]

    def apply(self, matrix: AbstractMatrix | Numbers) -> Float[Numbers, " m"]:
        product = checked_matrix(self, matrix).mm(self.basis)
        return self.eigenvalues @ (self.basis * product).sum(axis=0)

    def adjoint(self, dual: Float[Numbers, " m"]) -> Factored:
        checked_dual(self, dual)
        spectrum = dual @ self.eigenvalues
        core = spectrum[:, None] * np.eye(self.basis.shape[0])
        return Factored(self.basis, core, self.basis)

    def norm_bound(self) -> float:
        return float(np.linalg.norm(np.asarray(self.eigenvalues), 2) * (1 + 1e-12))

    def gram(self) -> Float[np.ndarray, "m m"]:
        eigenvalues = np.asarray(self.eigenvalues)
        return eigenvalues @ eigenvalues.T
