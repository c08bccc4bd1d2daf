"""Two matrix flows with a closed form: all entries observed, and a linear loss.

Both are flows of the symmetric factorization, X' = -grad f(X) X - X grad f(X), from any
positive semidefinite start; neither asks that the start commutes with anything.
"""

import math

import numpy as np
from jaxtyping import Float
from scipy.linalg import qr, solve_triangular

from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems import Numbers
from lowrankflow.reference.commuting import symmetric_array, symmetrized

_LARGEST_EXPONENT = 700.0  # exp(709) is the largest double


def full_observation_flow(
    target: Numbers, *, start: Numbers, time: float
) -> Float[np.ndarray, "size size"]:
    r"""The flow of 1/2 ||X - X*||_F^2 over X = U U', at one time.

    X' = (X* - X) X + X (X* - X) is a Riccati equation. With E = exp(t X*) and
    K = int_0^t 2 exp(2 s X*) ds its solution is E X_0 (I + K X_0)^(-1) E. From a
    multiple of the identity every eigenvalue follows its own logistic curve, so that
    the best approximations of rank 1, 2, ... are passed in order.

    Args:
        target: X*, symmetric.
        start: X_0, symmetric positive semidefinite.
        time: t >= 0, on the clock U' = -(X - X*) U.

    Returns:
        X(t), symmetric positive semidefinite.

    Raises:
        DataError: when a matrix is not symmetric, shapes differ, a number is not finite
            or the start has a negative eigenvalue.
        SpecError: when the time is negative, or so late that exp(2 t X*) overflows.

    Exactness: within rounding, relative to the largest entry.
    Cost: three decompositions; forms size x size.
    Source: yan1994, the explicit solution of Oja's flow; li2021 for the flow.
    Differs: written with bounded factors, so that late times lose no digits.
    """
    final = symmetric_array("full_observation_flow(target)", target)
    initial = _positive("full_observation_flow(start)", start, len(final))
    _check_time("full_observation_flow(time)", time)
    if time == 0:
        return initial
    values, vectors = np.linalg.eigh(final)
    _check_exponent("full_observation_flow(time)", 2 * time * np.abs(values).max())
    doubled = 2 * time * values
    safe = np.where(doubled == 0, 1.0, doubled)
    gain = 2 * time * np.where(doubled == 0, 1.0, np.expm1(safe) / safe)  # K
    # X = G B B' G with G = E K^(-1/2) and B = R (I + R'R)^(-1/2), R = K^(1/2) U_0 in
    # the eigenbasis: R overflows with time, G and B are bounded.
    root = np.sqrt(gain)
    outer = np.exp(time * values) / root
    bounded = _saturated(root[:, None] * (vectors.T @ _square_root(initial)))
    factor = vectors @ (outer[:, None] * bounded)
    return factor @ factor.T


def linear_loss_flow(
    slope: Numbers, *, start: Numbers, time: float
) -> Float[np.ndarray, "size size"]:
    r"""The flow of f(X) = -<Q, X> over X = U U': exp(t Q) X_0 exp(t Q).

    It is how every flow leaves the neighbourhood of zero, with Q = -grad f(0): the top
    eigenvector of Q grows at the rate 2 mu_1 and takes over from all others.

    Args:
        slope: Q, symmetric.
        start: X_0, symmetric positive semidefinite.
        time: t >= 0, on the clock U' = Q U.

    Returns:
        X(t), symmetric positive semidefinite.

    Raises:
        DataError: when a matrix is not symmetric, shapes differ, a number is not finite
            or the start has a negative eigenvalue.
        SpecError: when the time is negative, or so late that exp(2 t Q) overflows.

    Exactness: within rounding, relative to the largest entry.
    Cost: one eigendecomposition; forms size x size.
    Source: li2021, the flow linearized at zero.
    Differs: as in the source.
    """
    pull = symmetric_array("linear_loss_flow(slope)", slope)
    initial = _positive("linear_loss_flow(start)", start, len(pull))
    _check_time("linear_loss_flow(time)", time)
    values, vectors = np.linalg.eigh(pull)
    _check_exponent("linear_loss_flow(time)", 2 * time * np.abs(values).max())
    growth = (vectors * np.exp(time * values)) @ vectors.T
    return symmetrized(growth @ initial @ growth)


def _saturated(array: Float[np.ndarray, "size k"]) -> Float[np.ndarray, "size k"]:
    """B with B B' = R (I + R'R)^(-1) R', for an R whose rows differ by many powers.

    B is the lower block of the orthonormal columns that span those of [I; R]. Where R
    is large, these columns themselves are what rounding leaves intact, if large rows
    come first; where R is small, R times the inverse triangle is the more precise.
    """
    width = array.shape[1]
    stacked = np.concatenate([np.eye(width), array])
    order = np.argsort(-np.linalg.norm(stacked, axis=1), kind="stable")
    columns, triangle, pivots = qr(  # pyright: ignore[reportAssignmentType]
        stacked[order], mode="economic", pivoting=True
    )
    if np.linalg.norm(array) <= 1:
        return solve_triangular(triangle, array[:, pivots].T, trans=1).T
    restored = np.empty_like(stacked)
    restored[order] = columns
    return restored[width:]


def _square_root(array: Float[np.ndarray, "size size"]) -> Float[np.ndarray, "size k"]:
    values, vectors = np.linalg.eigh(array)
    return vectors * np.sqrt(values.clip(0))


def _positive(where: str, matrix: Numbers, size: int) -> Float[np.ndarray, "size size"]:
    array = symmetric_array(where, matrix, size=size)
    values = np.linalg.eigvalsh(array)
    # 1e-12: the eigenvalues of U U' are good to about 1e-15 of the largest.
    if values[0] < -1e-12 * abs(values[-1]):
        raise DataError(
            where=where,
            rule="a symmetric factorization U U' has no negative eigenvalue",
            got=f"{values[0]:.3g}",
            fix="Give U @ U.T",
        )
    return array


def _check_time(where: str, time: float) -> None:
    if not 0 <= time < math.inf:
        raise SpecError(
            where=where,
            rule="the flow runs from time 0 on, to a finite time",
            got=f"{time!r}",
            fix="Give for example time=1.0",
        )


def _check_exponent(where: str, exponent: float) -> None:
    if exponent > _LARGEST_EXPONENT:
        raise SpecError(
            where=where,
            rule=(
                "twice the time times the largest eigenvalue stays below "
                f"{_LARGEST_EXPONENT:g}, beyond which the exponential overflows"
            ),
            got=f"{exponent:.4g}",
            fix="Give an earlier time; the flow has long left its start by then",
        )
