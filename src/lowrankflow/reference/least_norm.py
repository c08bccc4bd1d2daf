"""Where methods that only combine past gradients in W end: the least-norm solutions.

The comparison of gunasekar2017: descent on W itself from zero stays in the span of the
measurement matrices, and so ends at the fit of least Frobenius norm, or, projected on
the p.s.d. cone, at a fit of high rank; descent on the factors does not.
"""

import dataclasses

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import DataError, SpecError
from lowrankflow.precision import in_float64
from lowrankflow.problems import Numbers, SensingProblem, Squared, to_dense
from lowrankflow.reference.commuting import symmetric_array, symmetrized
from lowrankflow.result import Result

# A direction of 𝒜𝒜* below rounding cannot be inverted, so that a fit can miss its part
# of y, as large as the square root of rounding; beyond that y is inconsistent.
_CONSISTENT = 1e-6
# The largest 1/step of the search, in units of ||𝒜||^2, before the step is too small.
_STEEPEST = 1e12


@in_float64
def min_frobenius_norm(problem: SensingProblem) -> Float[np.ndarray, "rows cols"]:
    r"""The matrix of least Frobenius norm with these measurements.

    𝒜*((𝒜𝒜*)^+ y): the limit of gradient flow or descent on W itself from zero, of
    conjugate gradients, and of momentum. For entries it is y where something was
    observed and zero elsewhere.

    Args:
        problem: operator and measurements; its loss plays no part.

    Returns:
        W, in the span of the measurement matrices.

    Raises:
        DataError: when no matrix has the measurements.

    Exactness: within rounding times the condition number of 𝒜𝒜*; directions in which
        𝒜𝒜* is below rounding are left out.
    Cost: m for diagonal 𝒜𝒜*, m^3 otherwise; forms rows x cols.
    Source: gunasekar2017, section 2 (gradient descent on X).
    Differs: as in the source.
    """
    wanted = np.asarray(problem.measurements, dtype=np.float64)
    gram = np.asarray(problem.operator.gram())
    if gram.ndim == 1:
        dual = np.where(gram > 0, wanted / np.where(gram > 0, gram, 1.0), 0.0)
    else:
        values, vectors = np.linalg.eigh(gram)
        kept = values > len(values) * np.finfo(float).eps * max(values[-1], 0.0)
        vectors = vectors[:, kept]
        dual = vectors @ ((vectors.T @ wanted) / values[kept])
    matrix = np.asarray(to_dense(problem.operator.adjoint(dual)))
    missed = float(np.linalg.norm(np.asarray(problem.operator.apply(matrix)) - wanted))
    if missed > _CONSISTENT * np.linalg.norm(wanted):
        raise DataError(
            where="min_frobenius_norm(problem)",
            rule="some matrix must have these measurements",
            got=f"a distance of {missed:.1e} to the nearest that can be had",
            fix="Average repeated measurements, or use a solver for noisy ones",
        )
    return matrix


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConeMinimum:
    """Where projected gradient descent on the p.s.d. cone stopped.

    Args:
        matrix: X, symmetric positive semidefinite.
        result: `stationary`, `iterations_reached` or `step_too_small`.
        iterations: how many steps were made.
        gradient_norm: ||X - P(X - h G)||_F / h at the matrix, with step h: zero exactly
            at the minima over the cone, and the norm of the gradient inside of it.
        loss: f(X).
    """

    matrix: Float[np.ndarray, "size size"]
    result: Result
    iterations: int
    gradient_norm: float
    loss: float


@in_float64
def projected_gradient(
    problem: SensingProblem,
    *,
    gradient_tolerance: float,
    max_iterations: int,
    start: Numbers | None = None,
) -> ConeMinimum:
    r"""Gradient descent on X itself, projected on the positive semidefinite cone.

    X <- P(X - h G) with G the symmetric part of the gradient and P the projection that
    sets negative eigenvalues to zero. The loss never rises. Which of many minima is
    reached depends on the path; from zero it is the rank-unconstrained optimum that
    gunasekar2017 compares with.

    Args:
        problem: measurements of square matrices. For the squared loss the step is
            1 / ||𝒜||^2 (times m for the mean); for others it is searched.
        gradient_tolerance: the norm of the projected gradient to stop at, > 0.
        max_iterations: the most steps to make, >= 1.
        start: X_0, symmetric; projected on the cone first. Zero unless given.

    Returns:
        The last matrix, why it stopped there, and how stationary it is.

    Raises:
        SpecError: when the matrices are not square, or a setting is not positive.
        DataError: when the start is not a finite, symmetric matrix of the size.

    Exactness: first order; the loss is within O(1 / iterations) of its minimum.
    Cost: one eigendecomposition and one gradient per step; forms size x size.
    Source: gunasekar2017, figure 1 (projected gradient descent on X); beck2017,
        theorem 10.21 for the rate.
    Differs: not accelerated, since momentum leads to another of the minima.
    """
    size = _checked_size(problem)
    _check_settings(gradient_tolerance, max_iterations)
    current = np.zeros((size, size))
    if start is not None:
        where = "projected_gradient(start)"
        current = project_on_cone(symmetric_array(where, start, size=size))
    divisor = problem.num_measurements if problem.normalization == "mean" else 1
    smoothness = problem.operator.norm_bound() ** 2 / divisor or 1.0  # 𝒜 may be zero
    fixed, steepest = isinstance(problem.loss, Squared), _STEEPEST * smoothness
    loss, result = float(problem.value(current)), Result.iterations_reached
    norm, iterations = np.inf, 0
    while True:
        gradient = symmetrized(np.asarray(to_dense(problem.gradient(current))))
        following = project_on_cone(current - gradient / smoothness)
        while not (fixed or _falls_enough(problem, current, following, smoothness)):
            smoothness *= 2
            if smoothness > steepest:
                break
            following = project_on_cone(current - gradient / smoothness)
        norm = smoothness * float(np.linalg.norm(following - current))
        if norm <= gradient_tolerance:
            result = Result.stationary
            break
        if smoothness > steepest:
            result = Result.step_too_small
            break
        if iterations == max_iterations:
            break
        current, iterations = following, iterations + 1
        loss = float(problem.value(current))
    return ConeMinimum(
        matrix=current,
        result=result,
        iterations=iterations,
        gradient_norm=norm,
        loss=loss,
    )


def project_on_cone(
    matrix: Float[np.ndarray, "size size"],
) -> Float[np.ndarray, "size size"]:
    """The nearest positive semidefinite matrix to a symmetric one, in Frobenius norm.

    Exactness: within rounding.
    Cost: one eigendecomposition.
    Source: higham1988, theorem 2.1.
    Differs: as in the source, for symmetric matrices.
    """
    values, vectors = np.linalg.eigh(matrix)
    positive = values > 0
    kept = vectors[:, positive]
    return symmetrized((kept * values[positive]) @ kept.T)


def _falls_enough(
    problem: SensingProblem,
    current: Float[np.ndarray, "size size"],
    following: Float[np.ndarray, "size size"],
    smoothness: float,
) -> bool:
    """Whether the quadratic model of this smoothness bounds the loss at the next point.

    Written with slopes and not with values, which lose all digits near a minimum: by
    convexity f(b) - f(a) <= <f'(b), b - a>, so the test below is the stricter one.
    """
    move = problem.operator.apply(following - current)
    change = np.asarray(problem.slopes(following)) - np.asarray(problem.slopes(current))
    allowed = smoothness / 2 * float(np.sum((following - current) ** 2))
    return float(change @ np.asarray(move)) <= allowed


def _checked_size(problem: SensingProblem) -> int:
    rows, cols = problem.shape
    if rows != cols:
        raise SpecError(
            where="projected_gradient(problem)",
            rule="the positive semidefinite cone is one of square matrices",
            got=f"a problem of shape {problem.shape}",
            fix="Use lowrankflow.problems.lift(problem)",
        )
    return rows


def _check_settings(gradient_tolerance: float, max_iterations: int) -> None:
    if not 0 < gradient_tolerance < np.inf:
        raise SpecError(
            where="projected_gradient(gradient_tolerance)",
            rule="the tolerance is a positive, finite number",
            got=f"{gradient_tolerance!r}",
            fix="Give for example gradient_tolerance=1e-8",
        )
    if max_iterations < 1:
        raise SpecError(
            where="projected_gradient(max_iterations)",
            rule="at least one step is made",
            got=f"{max_iterations!r}",
            fix="Give for example max_iterations=10_000",
        )
