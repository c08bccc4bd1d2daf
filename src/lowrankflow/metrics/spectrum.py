"""What the singular values say of a matrix.

The functions here take singular values, not matrices: one decomposition, made by
`singular_values`, serves every one of them, and stored singular values can be looked at
again years later without the matrix. All are sums over the values, so their order does
not matter and zeros appended to them change nothing. No small constant is added to a
logarithm or a quotient: 0 log 0 = 0, and the zero matrix has rank 0 of every kind.
"""

import math

import numpy as np
from jaxtyping import Float
from scipy.special import entr

from lowrankflow.errors import DataError, SpecError
from lowrankflow.precision import in_float64
from lowrankflow.problems import (
    AbstractMatrix,
    Factored,
    Numbers,
    finite_array,
    real_number,
    to_dense,
)


@in_float64
def singular_values(matrix: AbstractMatrix | Numbers) -> Float[np.ndarray, " sv"]:
    """The singular values of a matrix, descending.

    A `Factored` matrix is never formed: the values of left core right' are those of the
    small product of the core with the triangular factors of left and right.

    Args:
        matrix: rows x cols, finite, held in any way.

    Returns:
        min(rows, cols) numbers >= 0, descending; a thin factorization is completed by
        exact zeros.

    Raises:
        DataError: when it is no matrix or a number in it is not finite.

    Exactness: backward stable: within rounding of the largest value.
    Cost: rows cols min(rows, cols); (rows + cols) rank^2 for a factored matrix.
    Source: golub2013, section 8.6.
    Differs: as in the source.
    """
    where = "singular_values(matrix)"
    if not isinstance(matrix, Factored):
        array = finite_array(where, to_dense(matrix), ndim=2)
        return np.linalg.svd(array, compute_uv=False)
    left = np.linalg.qr(finite_array(where, matrix.left, ndim=2)).R
    right = np.linalg.qr(finite_array(where, matrix.right, ndim=2)).R
    core = finite_array(where, matrix.core, ndim=2)
    thin = np.linalg.svd(left @ core @ right.T, compute_uv=False)
    values = np.zeros(min(matrix.shape))
    values[: thin.size] = thin
    return values


def nuclear_norm(values: Float[np.ndarray, " sv"]) -> float:
    r"""The sum of the singular values, ||W||_*.

    Args:
        values: singular values, finite and >= 0.

    Returns:
        A number >= 0; 0 for the zero matrix only.

    Raises:
        DataError: when a value is negative or not finite.

    Exactness: exact.
    Source: gunasekar2017, section 2.
    Differs: as in the source.
    """
    return float(_checked("nuclear_norm(values)", values).sum())


def effective_rank(values: Float[np.ndarray, " sv"]) -> float:
    r"""The exponential of the entropy of the singular values.

    exp(-sum_i p_i log p_i) with p_i = sigma_i / sum_j sigma_j. It is k for k equal
    values, whatever their size, and does not change when the matrix is scaled.

    Args:
        values: singular values, finite and >= 0.

    Returns:
        A number from 1 to the rank; 0 for the zero matrix.

    Raises:
        DataError: when a value is negative or not finite.

    Exactness: exact.
    Source: roy2007, the definition; arora2019, figure 2.
    Differs: arora2019's code adds 1e-10 within the logarithm; nothing is added here.
    """
    values = _checked("effective_rank(values)", values)
    largest = values.max(initial=0.0)
    if largest == 0:
        return 0.0
    shares = values / largest  # the sum of huge values could overflow
    return float(np.exp(entr(shares / shares.sum()).sum()))


def stable_rank(values: Float[np.ndarray, " sv"]) -> float:
    r"""The squared Frobenius norm in units of the squared spectral norm.

    sum_i sigma_i^2 / sigma_1^2: insensitive to many small singular values.

    Args:
        values: singular values, finite and >= 0.

    Returns:
        A number from 1 to the rank; 0 for the zero matrix.

    Raises:
        DataError: when a value is negative or not finite.

    Exactness: exact.
    Source: rudelson2007, section 1 (there called the numerical rank).
    Differs: as in the source.
    """
    values = _checked("stable_rank(values)", values)
    largest = values.max(initial=0.0)
    return float(((values / largest) ** 2).sum()) if largest > 0 else 0.0


def schatten_power(values: Float[np.ndarray, " sv"], *, p: float) -> float:
    r"""The sum of powers of the singular values, sum_i sigma_i^p, without a root.

    p = 1 is the nuclear norm, p = 2 the squared Frobenius norm; as p falls to 0 it
    tends to the rank. Below 1 it is not convex and no norm, root or not.

    Args:
        values: singular values, finite and >= 0.
        p: the power, > 0.

    Returns:
        A number >= 0; 0 for the zero matrix only.

    Raises:
        DataError: when a value is negative or not finite.
        SpecError: when the power is not positive and finite.

    Exactness: exact.
    Source: arora2019, proposition 1.
    Differs: arora2019 calls the p-th root a quasi-norm; this is its p-th power.
    """
    values = _checked("schatten_power(values)", values)
    _check_positive("schatten_power(p)", p, "the rank is numerical_rank(values, rtol)")
    return float((values**p).sum())


def log_det_surrogate(values: Float[np.ndarray, " sv"], *, scale: float) -> float:
    r"""A smooth stand-in for the rank, sum_i log(1 + sigma_i / scale).

    Values far below the scale count in proportion, those far above only by logarithm.

    Args:
        values: singular values, finite and >= 0.
        scale: where a singular value begins to count as one, > 0, in their unit.

    Returns:
        A number >= 0; 0 for the zero matrix only.

    Raises:
        DataError: when a value is negative or not finite.
        SpecError: when the scale is not positive and finite.

    Exactness: exact.
    Source: fazel2003, the log-det heuristic.
    Differs: normalized to vanish at the zero matrix.
    """
    values = _checked("log_det_surrogate(values)", values)
    _check_positive("log_det_surrogate(scale)", scale, "give scale=init_scale")
    return float(np.log1p(values / scale).sum())


def numerical_rank(values: Float[np.ndarray, " sv"], *, rtol: float) -> int:
    """How many singular values are above `rtol` times the largest.

    Args:
        values: singular values, finite and >= 0.
        rtol: the share of the largest value below which one counts as zero; from 0,
            where every non-zero value counts, to below 1.

    Returns:
        A count from 1 to the number of values; 0 for the zero matrix.

    Raises:
        DataError: when a value is negative or not finite.
        SpecError: when `rtol` is not in [0, 1).

    Exactness: exact.
    Source: golub2013, section 5.4.
    Differs: as in the source.
    """
    values = _checked("numerical_rank(values)", values)
    if not 0 <= real_number(rtol) < 1:
        raise SpecError(
            where="numerical_rank(rtol)",
            rule="the tolerance is relative to the largest value, and lies in [0, 1)",
            got=f"{rtol!r}",
            fix="Give for example rtol=1e-3",
        )
    return int(np.count_nonzero(values > rtol * values.max(initial=0.0)))


def _checked(where: str, values: Numbers) -> Float[np.ndarray, " sv"]:
    numbers = finite_array(where, values, ndim=1)
    negative = np.flatnonzero(numbers < 0)
    if negative.size:
        raise DataError(
            where=where,
            rule="singular values are >= 0",
            got=f"{numbers[negative[0]]} at position {negative[0]}",
            fix="Take them from singular_values(matrix), or take their absolute values",
        )
    return numbers


def _check_positive(where: str, number: float, instead: str) -> None:
    if not 0 < real_number(number) < math.inf:
        raise SpecError(
            where=where,
            rule="this is a positive, finite number",
            got=f"{number!r}",
            fix=f"Give for example 0.5; {instead}",
        )
