"""How factors, matrix and gradient sit to one another: balance, singular alignment."""

import dataclasses
import itertools
import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import DataError, SpecError
from lowrankflow.precision import in_float64
from lowrankflow.problems import (
    AbstractMatrix,
    Numbers,
    finite_array,
    real_number,
    to_dense,
)


def imbalance(factors: Sequence[Numbers]) -> float:
    r"""How far factors are from balanced: max_j ||W_{j+1}' W_{j+1} - W_j W_j'||_F.

    Every one of these differences is constant along the gradient flow of the factors,
    whatever the objective, and the flow of the product alone is defined where all are
    zero.

    Args:
        factors: W_1, ..., W_N; `factors[0]` acts first, so the columns of each are as
            many as the rows of the one before.

    Returns:
        A number >= 0, in the unit of a squared factor; 0 for a single factor.

    Raises:
        DataError: when there is no factor, one is no finite matrix or two do not chain.

    Exactness: exact.
    Cost: that of the 2 (N - 1) products.
    Source: arora2019, equation (5).
    Differs: the source states the condition; this is the size of its violation.
    """
    gaps = [
        np.linalg.norm(after.T @ after - before @ before.T)
        for before, after in itertools.pairwise(_chained("imbalance", factors))
    ]
    return float(max(gaps, default=0.0))


def is_balanced(factors: Sequence[Numbers], *, rtol: float) -> bool:
    """Whether the imbalance is at most `rtol` of the largest squared factor norm.

    Args:
        factors: W_1, ..., W_N; `factors[0]` acts first.
        rtol: the imbalance allowed, relative to max_j ||W_j||_F^2; >= 0.

    Returns:
        True for a single factor and for factors that are all zero.

    Raises:
        DataError: when there is no factor, one is no finite matrix or two do not chain.
        SpecError: when `rtol` is negative or not finite.

    Exactness: exact.
    Cost: as `imbalance`.
    Source: arora2019, equation (5).
    Differs: the source asks for equality.
    """
    if not 0 <= real_number(rtol) < math.inf:
        raise SpecError(
            where="is_balanced(rtol)",
            rule="the tolerance is a finite number >= 0",
            got=f"{rtol!r}",
            fix="Give for example rtol=1e-10",
        )
    arrays = _chained("is_balanced", factors)
    largest = max(float(np.linalg.norm(array)) for array in arrays)
    return imbalance(arrays) <= rtol * largest**2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Alignment:
    """The gradient in the singular vectors of the matrix: diagonal against the rest.

    Args:
        diagonal_mean: mean of |u_r' G v_r|.
        diagonal_std: their standard deviation.
        off_diagonal_mean: mean of |u_r' G v_s| over r != s; nan where rank is 1.
        off_diagonal_std: their standard deviation; likewise.
    """

    diagonal_mean: float
    diagonal_std: float
    off_diagonal_mean: float
    off_diagonal_std: float

    @property
    def ratio(self) -> float:
        """Diagonal mean over off-diagonal mean; inf when only the latter is zero."""
        if self.off_diagonal_mean == 0:
            return math.inf if self.diagonal_mean > 0 else math.nan
        return self.diagonal_mean / self.off_diagonal_mean


@in_float64
def gradient_alignment(
    matrix: AbstractMatrix | Numbers,
    gradient: AbstractMatrix | Numbers,
    *,
    rank: int,
) -> Alignment:
    r"""How diagonal the gradient is in the leading singular vectors of the matrix.

    For W = U S V' the entries of U' G V, without their signs, since those of singular
    vectors are arbitrary. When singular vectors have stopped moving, U' G V is
    diagonal. Vectors of equal singular values are not defined one by one, and where
    such values are among the leading ones the answer depends on the choice made.

    Args:
        matrix: W, rows x cols.
        gradient: G, of the same shape; its scale cancels in `ratio` only.
        rank: how many leading singular vectors to look at, from 1 to min(rows, cols).

    Returns:
        Means and standard deviations over the entries on and off the diagonal.

    Raises:
        DataError: when the shapes differ or a number is not finite.
        SpecError: when the rank is no integer or out of range.

    Exactness: exact where the leading singular values are distinct.
    Cost: a full decomposition; forms rows x cols.
    Source: arora2019, figure 3 and corollary 1.
    Differs: arora2019's code halves the gradient for completion; none is scaled here.
    """
    array = finite_array("gradient_alignment(matrix)", to_dense(matrix), ndim=2)
    slope = finite_array("gradient_alignment(gradient)", to_dense(gradient), ndim=2)
    if slope.shape != array.shape:
        raise DataError(
            where="gradient_alignment(gradient)",
            rule=f"the gradient at a matrix of shape {array.shape} has its shape",
            got=f"shape {slope.shape}",
            fix="Give problem.gradient(matrix)",
        )
    number = real_number(rank)
    if not 1 <= number <= min(array.shape) or number != math.trunc(number):
        raise SpecError(
            where="gradient_alignment(rank)",
            rule=f"from 1 to {min(array.shape)} singular vectors can be looked at",
            got=f"{rank!r}",
            fix=f"Give for example rank={min(array.shape)}",
        )
    rank = int(number)
    left, _, right = np.linalg.svd(array, full_matrices=False)
    inner = abs(left[:, :rank].T @ slope @ right[:rank].T)
    on = np.diagonal(inner)
    off = inner[~np.eye(rank, dtype=bool)]
    return Alignment(
        diagonal_mean=float(on.mean()),
        diagonal_std=float(on.std()),
        off_diagonal_mean=float(off.mean()) if off.size else math.nan,
        off_diagonal_std=float(off.std()) if off.size else math.nan,
    )


def _chained(
    name: str, factors: Sequence[Numbers]
) -> list[Float[np.ndarray, "rows cols"]]:
    """The factors as float64 arrays whose product exists."""
    where = f"{name}(factors)"
    try:
        factors = tuple(factors)
    except TypeError:
        raise DataError(
            where=where,
            rule="factors are a tuple of matrices, the first acting first",
            got=f"an object of type {type(factors).__name__}",
            fix="Give the tuple (W_1, ..., W_N)",
        ) from None
    arrays = [
        finite_array(f"{name}(factors[{j}])", factor, ndim=2)
        for j, factor in enumerate(factors)
    ]
    if not arrays:
        raise DataError(
            where=where,
            rule="there is at least one factor",
            got="none",
            fix="Give the tuple (W_1, ..., W_N)",
        )
    for j, (before, after) in enumerate(itertools.pairwise(arrays)):
        if after.shape[1] != before.shape[0]:
            raise DataError(
                where=where,
                rule="factors[0] acts first, so each has as many columns as the one "
                "before it has rows",
                got=f"shapes {before.shape} and {after.shape} at {j} and {j + 1}",
                fix="Reverse the tuple if it was written as in W_N ... W_1",
            )
    return arrays
