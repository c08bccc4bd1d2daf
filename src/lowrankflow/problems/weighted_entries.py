"""Entries observed with weights: what counts more, or was measured more than once."""

from typing import TypeAlias

import equinox as eqx
import numpy as np
from jaxtyping import Float, Int

from lowrankflow.errors import DataError
from lowrankflow.problems.checks import checked_pairs, checked_shape, finite_array
from lowrankflow.problems.matrices import AbstractMatrix, Entries, Numbers
from lowrankflow.problems.operators import (
    AbstractSensingOperator,
    EntrySampling,
    checked_dual,
    checked_matrix,
)


class WeightedEntrySampling(AbstractSensingOperator):
    r"""Observe multiples of some entries of a matrix: 𝒜(W)_k = scale_k W[i_k, j_k].

    With measurements scale_k y_k the squared loss is 1/2 sum_k scale_k^2 (W[i_k, j_k] -
    y_k)^2: entry k has the weight scale_k^2. A weight of 2 is the same as observing the
    entry twice.

    Args:
        row_index: i_k, 0-based, below `shape[0]`.
        col_index: j_k, 0-based, below `shape[1]`; the pairs (i_k, j_k) are distinct.
        scale: one number > 0 for each pair: the root of its weight.
        shape: (rows, cols) of the matrix observed.

    Raises:
        DataError: when there is no pair, an index is out of range, a pair repeats, or
            a scale is missing or not above 0.

    Exactness: exact.
    Cost: a gather or a scatter of m numbers; never forms rows x cols.
    Source: candes2009, the sampling operator on Omega.
    Differs: the entries come in multiples.
    """

    row_index: Int[Numbers, " m"]
    col_index: Int[Numbers, " m"]
    scale: Float[Numbers, " m"]
    matrix_shape: tuple[int, int] = eqx.field(static=True)

    def __init__(
        self,
        row_index: Numbers,
        col_index: Numbers,
        scale: Numbers,
        shape: tuple[int, int],
    ):
        name = "WeightedEntrySampling"
        self.matrix_shape = checked_shape(f"{name}(shape)", shape)
        self.row_index, self.col_index = checked_pairs(
            name, row_index, col_index, self.matrix_shape
        )
        self.scale = positive_numbers(f"{name}(scale)", scale, self.row_index.size)

    @property
    def shape(self) -> tuple[int, int]:
        return self.matrix_shape

    @property
    def num_measurements(self) -> int:
        return self.row_index.shape[0]

    def apply(self, matrix: AbstractMatrix | Numbers) -> Float[Numbers, " m"]:
        matrix = checked_matrix(self, matrix)
        return self.scale * matrix.entries(self.row_index, self.col_index)

    def adjoint(self, dual: Float[Numbers, " m"]) -> Entries:
        checked_dual(self, dual)
        values = self.scale * dual
        return Entries(self.row_index, self.col_index, values, self.matrix_shape)

    def norm_bound(self) -> float:
        return float(np.max(np.asarray(self.scale)))

    def gram(self) -> Float[np.ndarray, " m"]:
        return np.asarray(self.scale) ** 2


# The operators that observe entries of a matrix of any shape, one by one.
EntryOperator: TypeAlias = EntrySampling | WeightedEntrySampling


def entry_scale(
    operator: EntryOperator,
) -> Float[np.ndarray, " m"] | None:
    """The multiples in which entries are observed; None where these are all 1."""
    if isinstance(operator, WeightedEntrySampling):
        return np.asarray(operator.scale)
    return None


def total_weight(operator: AbstractSensingOperator) -> float:
    """The sum of the weights of the measurements; their number where they have none."""
    if isinstance(operator, WeightedEntrySampling):
        return float(np.square(np.asarray(operator.scale)).sum())
    return float(operator.num_measurements)


def positive_numbers(
    where: str, numbers: Numbers, count: int
) -> Float[np.ndarray, " m"]:
    """`count` finite numbers above 0, as float64.

    Raises:
        DataError: when they are not; the message names the first that is not.
    """
    array = finite_array(where, numbers, ndim=1)
    if array.size != count:
        raise DataError(
            where=where,
            rule=f"there is one number for each of {count} entries",
            got=f"{array.size} numbers",
            fix="Give them in the order of the entries",
        )
    bad = np.flatnonzero(~(array > 0))
    if bad.size:
        raise DataError(
            where=where,
            rule="every number is above 0",
            got=f"{array[bad[0]]} at position {bad[0]}",
            fix="Leave out entries that are to count for nothing",
        )
    return array
