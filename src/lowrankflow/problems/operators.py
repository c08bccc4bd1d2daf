"""Linear measurements of a matrix: the contract, and the observation of entries."""

import abc

import equinox as eqx
import numpy as np
from jaxtyping import Float, Int

from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems.checks import checked_pairs, checked_shape
from lowrankflow.problems.matrices import (
    AbstractMatrix,
    Entries,
    Numbers,
    as_matrix,
)


class AbstractSensingOperator(eqx.Module):
    r"""A linear map from matrices to measurements, 𝒜(W)_k = <A_k, W>.

    `apply` and `adjoint` are transposes of one another: <𝒜(X), z> = <X, 𝒜*(z)>.
    """

    @property
    @abc.abstractmethod
    def shape(self) -> tuple[int, int]:
        """(rows, cols) of the matrices measured."""

    @property
    @abc.abstractmethod
    def num_measurements(self) -> int:
        """How many numbers `apply` returns."""

    @abc.abstractmethod
    def apply(self, matrix: AbstractMatrix | Numbers) -> Float[Numbers, " m"]:
        """The measurements <A_k, W> of a matrix, dense or not."""

    @abc.abstractmethod
    def adjoint(self, dual: Float[Numbers, " m"]) -> AbstractMatrix:
        """The matrix sum_k z_k A_k."""

    @abc.abstractmethod
    def norm_bound(self) -> float:
        """An upper bound on ||𝒜||, the largest ||𝒜(W)||_2 over ||W||_F = 1."""

    @abc.abstractmethod
    def gram(self) -> Float[np.ndarray, " m"] | Float[np.ndarray, "m m"]:
        """𝒜𝒜*, as its diagonal where it is diagonal and as an array otherwise."""


class EntrySampling(AbstractSensingOperator):
    r"""Observe some entries of a matrix: 𝒜(W)_k = W[i_k, j_k].

    The adjoint puts each value back where it was observed and zero elsewhere. Distinct
    pairs make 𝒜𝒜* the identity, so the operator norm is 1.

    Args:
        row_index: i_k, 0-based, below `shape[0]`.
        col_index: j_k, 0-based, below `shape[1]`; the pairs (i_k, j_k) are distinct.
        shape: (rows, cols) of the matrix observed.

    Raises:
        DataError: when there is no pair, an index is out of range or a pair repeats.

    Exactness: exact.
    Cost: a gather or a scatter of m numbers; never forms rows x cols.
    Source: candes2009, the sampling operator on Omega.
    Differs: as in the source.
    """

    row_index: Int[Numbers, " m"]
    col_index: Int[Numbers, " m"]
    matrix_shape: tuple[int, int] = eqx.field(static=True)

    def __init__(self, row_index: Numbers, col_index: Numbers, shape: tuple[int, int]):
        self.matrix_shape = checked_shape("EntrySampling(shape)", shape)
        self.row_index, self.col_index = checked_pairs(
            "EntrySampling", row_index, col_index, self.matrix_shape
        )

    @property
    def shape(self) -> tuple[int, int]:
        return self.matrix_shape

    @property
    def num_measurements(self) -> int:
        return self.row_index.shape[0]

    def apply(self, matrix: AbstractMatrix | Numbers) -> Float[Numbers, " m"]:
        matrix = checked_matrix(self, matrix)
        return matrix.entries(self.row_index, self.col_index)

    def adjoint(self, dual: Float[Numbers, " m"]) -> Entries:
        checked_dual(self, dual)
        return Entries(self.row_index, self.col_index, dual, self.matrix_shape)

    def norm_bound(self) -> float:
        return 1.0

    def gram(self) -> Float[np.ndarray, " m"]:
        return np.ones(self.num_measurements)


class SymmetricEntrySampling(AbstractSensingOperator):
    r"""Observe entries of a symmetric matrix; an off-diagonal pair is one measurement.

    A_k = (E_ij + E_ji) / 2, so <A_k, X> = X_ij for symmetric X and (X_ij + X_ji) / 2
    otherwise.

    Args:
        row_index: i_k, 0-based.
        col_index: j_k, 0-based; (i, j) and (j, i) name the same measurement, and no
            measurement repeats.
        size: number of rows, which is the number of columns.

    Raises:
        DataError: when there is no pair, an index is out of range or a pair repeats.

    Exactness: exact.
    Cost: a gather or a scatter of 2 m numbers.
    Source: gunasekar2017, section 5 (matrix completion).
    Differs: as in the source.
    """

    row_index: Int[Numbers, " m"]
    col_index: Int[Numbers, " m"]
    size: int = eqx.field(static=True)

    def __init__(self, row_index: Numbers, col_index: Numbers, size: int):
        size, _ = checked_shape("SymmetricEntrySampling(size)", (size, size))
        rows, cols = checked_pairs(
            "SymmetricEntrySampling", row_index, col_index, (size, size)
        )
        upper = (np.minimum(rows, cols), np.maximum(rows, cols))
        checked_pairs("SymmetricEntrySampling", *upper, (size, size))
        self.row_index, self.col_index = upper
        self.size = size

    @property
    def shape(self) -> tuple[int, int]:
        return self.size, self.size

    @property
    def num_measurements(self) -> int:
        return self.row_index.shape[0]

    def apply(self, matrix: AbstractMatrix | Numbers) -> Float[Numbers, " m"]:
        matrix = checked_matrix(self, matrix)
        above = matrix.entries(self.row_index, self.col_index)
        below = matrix.entries(self.col_index, self.row_index)
        return (above + below) / 2

    def adjoint(self, dual: Float[Numbers, " m"]) -> AbstractMatrix:
        checked_dual(self, dual)
        return SymmetricEntries(self.row_index, self.col_index, dual, self.size)

    def norm_bound(self) -> float:
        return float(self.gram().max() ** 0.5)

    def gram(self) -> Float[np.ndarray, " m"]:
        on_diagonal = np.asarray(self.row_index) == np.asarray(self.col_index)
        return np.where(on_diagonal, 1.0, 0.5)


class SymmetricEntries(AbstractMatrix):
    """sum_k z_k (E_ij + E_ji) / 2: the adjoint of `SymmetricEntrySampling`.

    Args:
        row_index: i_k <= j_k, 0-based.
        col_index: j_k.
        values: z_k.
        size: number of rows and of columns.

    Exactness: exact.
    """

    row_index: Int[Numbers, " m"]
    col_index: Int[Numbers, " m"]
    values: Float[Numbers, " m"]
    size: int = eqx.field(static=True)

    @property
    def shape(self) -> tuple[int, int]:
        return self.size, self.size

    def _upper(self) -> Entries:
        return Entries(self.row_index, self.col_index, self.values / 2, self.shape)

    def mm(self, block: Float[Numbers, "cols k"]) -> Float[Numbers, "rows k"]:
        upper = self._upper()
        return upper.mm(block) + upper.rmm(block)

    def rmm(self, block: Float[Numbers, "rows k"]) -> Float[Numbers, "cols k"]:
        return self.mm(block)

    def entries(
        self, row_index: Int[Numbers, " k"], col_index: Int[Numbers, " k"]
    ) -> Float[Numbers, " k"]:
        return self.to_dense()[row_index, col_index]

    def to_dense(self) -> Float[Numbers, "rows cols"]:
        upper = self._upper().to_dense()
        return upper + upper.T


def checked_matrix(
    operator: AbstractSensingOperator, matrix: AbstractMatrix | Numbers
) -> AbstractMatrix:
    """The matrix as an `AbstractMatrix` of the operator's shape.

    Raises:
        DataError: when its shape is another.
    """
    matrix = as_matrix(matrix)
    if matrix.shape != operator.shape:
        raise DataError(
            where=f"{type(operator).__name__}.apply(matrix)",
            rule=f"the operator measures matrices of shape {operator.shape}",
            got=f"shape {matrix.shape}",
            fix="Transpose it, or build the operator for this shape",
        )
    return matrix


def checked_dual(operator: AbstractSensingOperator, dual: Numbers) -> None:
    """Nothing, for an array of one number per measurement.

    Raises:
        DataError: when it is no array or has another number.
    """
    shape = getattr(dual, "shape", None)
    if shape is None:
        raise DataError(
            where=f"{type(operator).__name__}.adjoint(dual)",
            rule=f"the dual is an array of {operator.num_measurements} numbers",
            got=f"{type(dual).__name__}",
            fix="Convert it with numpy.asarray(..., dtype=float)",
        )
    if shape != (operator.num_measurements,):
        raise DataError(
            where=f"{type(operator).__name__}.adjoint(dual)",
            rule=f"the operator makes {operator.num_measurements} measurements",
            got=f"shape {shape}",
            fix="Give one number per measurement",
        )


def checked_operator(
    where: str, operator: AbstractSensingOperator
) -> AbstractSensingOperator:
    """The operator itself.

    Raises:
        SpecError: when it is none.
    """
    if not isinstance(operator, AbstractSensingOperator):
        raise SpecError(
            where=where,
            rule="this is an operator, which makes measurements of a matrix",
            got=described(operator),
            fix="Give for example EntrySampling(row_index, col_index, shape)",
        )
    return operator


def described(thing: object) -> str:
    """What was given in place of an object of ours, short enough for a message."""
    if isinstance(thing, type):
        return f"the class {thing.__name__} itself"
    if thing is None or isinstance(thing, str | int | float):
        return f"{thing!r}"
    return f"an object of type {type(thing).__name__}"
