"""The flow for measurements that commute, as a formula and at its end.

The solution depends on time only through the control s(t), minus the time integral of
the slopes of the loss: the whole path lies on the manifold of the points below, for
every loss and every choice of which measurements to look at when. At depth 2 any
symmetric start has such a formula; for other depths a multiple of the identity does.
"""

import dataclasses

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems import (
    AbstractSensingOperator,
    CommutingSensing,
    Logistic,
    Numbers,
    SensingProblem,
    finite_array,
    to_dense,
)
from lowrankflow.reference.diagonal import diagonal_limit
from lowrankflow.reference.scalar_flow import check_depth, driven_value

_LARGEST_EXPONENT = 350.0  # exp(2 x 354) is the largest double


def commuting_solution(
    operator: AbstractSensingOperator, control: Numbers, *, start: Numbers
) -> Float[np.ndarray, "size size"]:
    r"""The depth-2 or symmetric flow under a control: exp(A*(s)) X_0 exp(A*(s)).

    It is the solution of X' = -X A*(r) - A*(r) X where the A_k commute with one
    another, with s = -int r. The start need not commute with them.

    Args:
        operator: measurements by symmetric matrices that commute; that they do is not
            checked, and where they do not this is not the solution.
        control: s, one number per measurement.
        start: X_0, symmetric.

    Returns:
        X, symmetric; positive semidefinite if the start is.

    Raises:
        DataError: when a shape disagrees, a number is not finite, A*(s) or the start
            is not symmetric, or the exponential overflows.

    Exactness: exact; relative to the largest entry in rounding.
    Cost: one eigendecomposition; forms size x size.
    Source: gunasekar2017, equation (7).
    Differs: as in the source.
    """
    where = "commuting_solution"
    values, vectors = _decomposed(where, operator, control)
    initial = symmetric_array(f"{where}(start)", start, size=operator.shape[0])
    if values[-1] > _LARGEST_EXPONENT:
        raise DataError(
            where=f"{where}(control)",
            rule=f"the eigenvalues of A*(control) stay below {_LARGEST_EXPONENT:g}, "
            "beyond which the square of their exponential overflows",
            got=f"{values[-1]:.4g}",
            fix="Give the control of an earlier time",
        )
    growth = (vectors * np.exp(values)) @ vectors.T
    return symmetrized(growth @ initial @ growth)


def deep_commuting_solution(
    operator: AbstractSensingOperator,
    control: Numbers,
    *,
    depth: int,
    init_scale: float,
) -> Float[np.ndarray, "size size"]:
    r"""The depth-N flow from balanced multiples of the identity, under a control.

    In the common eigenbasis, with nu = A*(s), each eigenvalue is
    alpha exp(2 nu) at depth 2 and (alpha^(-(N-2)/N) - (N-2) nu)^(-N/(N-2)) from depth 3
    on, where alpha is the init scale of the end-to-end matrix.

    Args:
        operator: measurements by symmetric matrices that commute; not checked.
        control: s, one number per measurement.
        depth: N, the number of factors; 1 is the plain gradient flow alpha I + A*(s).
        init_scale: alpha > 0; each factor starts at alpha^(1/N) times the identity.

    Returns:
        W, symmetric; positive definite from depth 2 on.

    Raises:
        DataError: when a shape disagrees, a number is not finite, A*(s) is not
            symmetric, or the control is beyond the blow-up.
        SpecError: when the depth or the init scale is not positive.

    Exactness: exact; relative to the largest entry in rounding.
    Cost: one eigendecomposition; forms size x size.
    Source: arora2019, theorem 2 (the source proves the limit).
    Differs: the closed form is derived here; the source's alpha is one factor's scale.
    """
    where = "deep_commuting_solution"
    check_depth(f"{where}(depth)", depth)
    check_init_scale(f"{where}(init_scale)", init_scale)
    drives, vectors = _decomposed(where, operator, control)
    values = driven_value(init_scale, drives, depth=depth)
    if not np.isfinite(values).all():
        raise DataError(
            where=f"{where}(control)",
            rule="the flow of this depth blows up before some controls are reached",
            got=f"a largest eigenvalue of A*(control) of {drives.max():.6g}",
            fix="Give a control below drive_to_reach(init_scale, inf, depth=depth)",
        )
    return symmetrized((vectors * values) @ vectors.T)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CommutingLimit:
    """The point where the flow of a commuting problem ends.

    Args:
        matrix: W, symmetric; Q diag(eigenvalues) Q' with Q the operator's basis.
        eigenvalues: in the order of the columns of the basis.
        control: s, one per measurement: `deep_commuting_solution` of it is the matrix.
        primal_residual: ||A(W) - y|| / ||y||.
    """

    matrix: Float[np.ndarray, "size size"]
    eigenvalues: Float[np.ndarray, " size"]
    control: Float[np.ndarray, " m"]
    primal_residual: float


def commuting_limit(
    problem: SensingProblem, *, depth: int, init_scale: float
) -> CommutingLimit:
    r"""The limit in time of the flow from alpha times the identity, without the flow.

    The matrix of least nuclear norm among p.s.d. fits is the limit of this one as the
    init scale falls, for depth >= 2.

    Args:
        problem: measurements by a `CommutingSensing`, with a loss that vanishes only
            where they are fitted; the normalization changes time and not the limit.
        depth: N, the number of factors; the symmetric factorization has depth 2.
        init_scale: alpha > 0, the eigenvalues of W(0); each factor starts at
            alpha^(1/N) times the identity.

    Returns:
        The limit, its eigenvalues and the control that leads there.

    Raises:
        SpecError: when the operator or the loss is of another kind, or the depth or the
            init scale is not positive.
        DataError: when no positive semidefinite matrix has the measurements.

    Exactness: within rounding times the condition number of the final Hessian.
    Cost: that of `diagonal_limit`, and size^3 for the matrix.
    Source: gunasekar2017, theorem 1; arora2019, theorem 2.
    Differs: Newton's method on the potential of the control, in place of integration.
    """
    check_init_scale("commuting_limit(init_scale)", init_scale)
    operator = problem.operator
    if not isinstance(operator, CommutingSensing):
        raise SpecError(
            where="commuting_limit(problem)",
            rule="the closed form holds for measurements by CommutingSensing",
            got=type(operator).__name__,
            fix="Build CommutingSensing(basis, eigenvalues), or simulate the flow",
        )
    if isinstance(problem.loss, Logistic):
        raise SpecError(
            where="commuting_limit(problem)",
            rule="the loss must vanish at a finite prediction, for a limit to exist",
            got="the Logistic loss, whose flow grows without bound",
            fix="Use Squared, Huber or PNorm",
        )
    basis = np.asarray(operator.basis)
    limit = diagonal_limit(
        np.asarray(operator.eigenvalues),
        np.asarray(problem.measurements),
        start=np.full(len(basis), float(init_scale)),
        depth=depth,
    )
    return CommutingLimit(
        matrix=symmetrized((basis * limit.values) @ basis.T),
        eigenvalues=limit.values,
        control=limit.control,
        primal_residual=limit.primal_residual,
    )


def symmetric_array(
    where: str, matrix: Numbers, *, size: int | None = None
) -> Float[np.ndarray, "size size"]:
    """The matrix as a float64 array, symmetric and of this size.

    Raises:
        DataError: when it is not.
    """
    array = finite_array(where, matrix, ndim=2)
    expected = array.shape[0] if size is None else size
    if array.shape != (expected, expected):
        raise DataError(
            where=where,
            rule="this is a square matrix" + (f" of size {size}" if size else ""),
            got=f"shape {array.shape}",
            fix="Lift a rectangular problem with lowrankflow.problems.lift",
        )
    # 1e-10: products that are symmetric in exact arithmetic are so to about 1e-15.
    excess = np.abs(array - array.T).max(initial=0.0)
    if excess > 1e-10 * np.abs(array).max(initial=0.0):
        raise DataError(
            where=where,
            rule="the matrix must be symmetric",
            got=f"a difference of {excess:.1e} to its transpose",
            fix="Give (X + X.T) / 2",
        )
    return symmetrized(array)


def symmetrized(
    array: Float[np.ndarray, "size size"],
) -> Float[np.ndarray, "size size"]:
    """The symmetric part."""
    return (array + array.T) / 2


def check_init_scale(where: str, init_scale: float) -> None:
    """Nothing, when the scale is positive and finite.

    Raises:
        SpecError: when it is not.
    """
    if not 0 < init_scale < np.inf:
        raise SpecError(
            where=where,
            rule="the start is positive: from zero a factorization does not move",
            got=f"{init_scale!r}",
            fix="Give for example init_scale=1e-3",
        )


def _decomposed(
    where: str, operator: AbstractSensingOperator, control: Numbers
) -> tuple[Float[np.ndarray, " size"], Float[np.ndarray, "size size"]]:
    """Eigenvalues and eigenvectors of A*(s)."""
    steering = finite_array(f"{where}(control)", control, ndim=1)
    adjoint = np.asarray(to_dense(operator.adjoint(steering)))
    values, vectors = np.linalg.eigh(symmetric_array(f"{where}(operator)", adjoint))
    return values, vectors
