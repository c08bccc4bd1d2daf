"""Where the flow of a diagonal model ends: a linear model whose weights are powers.

With commuting measurements the matrix problem splits into numbers: in the common
eigenbasis the flow of the eigenvalues x is the gradient flow of 1/2 ||E x - y||^2 over
x = u^N. All of it is steered by the m numbers s(t), minus the time integral of the
residual: x is `driven_value(start, E' s)`, and s itself descends, s' = -(E x(s) - y),
a convex potential. Its minimizer is the limit, and Newton's method finds it in a
few dozen steps of size m, where an integrator would need the whole time of escape.
"""

import dataclasses
import math

import numpy as np
from jaxtyping import Float
from scipy.linalg import qr, solve_triangular

from lowrankflow.errors import DataError
from lowrankflow.problems import finite_array
from lowrankflow.reference.scalar_flow import check_depth, driven_value

# The limit is iterated to rounding; none of these decides its digits.
_FEASIBLE = 1e-9  # nnls stops at about 1e-14 of its data
_ROUNDING = 1e-9  # of what cancels: below, the residual may have stopped falling
_PATIENCE = 10
_MAX_ITERATIONS = 5000
_HALVINGS = 60


@dataclasses.dataclass(frozen=True, kw_only=True)
class DiagonalLimit:
    """The point where a diagonal flow ends, and the control that leads there.

    Args:
        values: x, one per feature; positive from depth 2 on.
        control: s, one per measurement, minus the time integral of the residual; the
            one of least norm where measurements depend on one another.
        primal_residual: ||E x - y|| / ||y||, or ||E x|| where y is zero.
    """

    values: Float[np.ndarray, " features"]
    control: Float[np.ndarray, " m"]
    primal_residual: float


def diagonal_limit(
    design: Float[np.ndarray, "m features"],
    measurements: Float[np.ndarray, " m"],
    *,
    start: Float[np.ndarray, " features"],
    depth: int,
) -> DiagonalLimit:
    r"""The limit of the gradient flow of E x = y over x = u^N.

    As the start falls to zero the limit tends to a solution of least sum among those
    with x >= 0, for depth >= 2. The limit is the same for every loss that vanishes only
    where E x = y, since the control that gives a fit is unique up to what E ignores.

    Args:
        design: E, finite.
        measurements: y, finite.
        start: x(0), positive; any real numbers at depth 1.
        depth: N, the number of factors.

    Returns:
        The limit and its control. A feature that is zero in every fit is approached by
        the flow and never reached: it comes out small or below rounding, the control is
        large, and `primal_residual` says how near the fit came (1e-9 at worst).

    Raises:
        DataError: when shapes disagree, a start is not positive, or no x >= 0 (no x at
            depth 1) fits the measurements.
        SpecError: when the depth is not a positive integer.

    Exactness: within rounding times the condition number of the final Hessian.
    Cost: m^2 features per iteration, some tens of iterations, more for tiny starts.
    Source: gunasekar2017, corollary 2; arora2019, theorem 2 for the control at depth 3.
    Differs: a damped Newton method on the potential, in place of integration in time.
    """
    check_depth("diagonal_limit(depth)", depth)
    design = finite_array("diagonal_limit(design)", design, ndim=2)
    wanted = finite_array("diagonal_limit(measurements)", measurements, ndim=1)
    begin = finite_array("diagonal_limit(start)", start, ndim=1)
    _check_shapes(design, wanted, begin, depth)
    left, scales, right = np.linalg.svd(design, full_matrices=False)
    kept = scales > max(design.shape) * np.finfo(float).eps * scales.max(initial=0.0)
    left, scales, rows = left[:, kept], scales[kept], right[kept]
    _check_reachable(design, wanted, depth)
    coordinates = (left.T @ wanted) / scales  # the fit, in an orthonormal row basis
    if depth == 1:
        reduced = coordinates - rows @ begin
        values = begin + rows.T @ reduced
    else:
        values, reduced = _minimize(rows, coordinates, begin, depth)
    residual = float(np.linalg.norm(design @ values - wanted))
    size = float(np.linalg.norm(wanted))
    return DiagonalLimit(
        values=values,
        control=left @ (reduced / scales),
        primal_residual=residual / size if size > 0 else residual,
    )


def _minimize(
    rows: Float[np.ndarray, "r features"],
    wanted: Float[np.ndarray, " r"],
    start: Float[np.ndarray, " features"],
    depth: int,
) -> tuple[Float[np.ndarray, " features"], Float[np.ndarray, " r"]]:
    """Damped Newton on the potential whose gradient in c is R x(R'c) - wanted.

    Values are driven on from the last ones and not from the start. From depth 3 on the
    drive from a tiny start is a huge number near that of blow-up, and a value recovered
    from it would have lost its digits; driven in steps, it is that of a start perturbed
    by rounding.
    """
    control, values = np.zeros(len(wanted)), start
    best, best_size, waited = (values, control), np.inf, 0
    for _ in range(_MAX_ITERATIONS):
        gradient = rows @ values - wanted
        size = float(np.linalg.norm(gradient))
        if size < best_size:
            best, best_size, waited = (values, control), size, 0
        elif best_size <= _ROUNDING * _magnitude(rows, values, wanted):
            waited += 1
        if size == 0 or waited == _PATIENCE:
            break
        slopes = depth * values ** (2 - 2 / depth)
        step = -_solve_graded(np.sqrt(slopes)[:, None] * rows.T, gradient)
        step *= _safe_length(values, rows.T @ step, depth)
        trial = driven_value(values, rows.T @ step, depth=depth)
        for _ in range(_HALVINGS):
            if _descends(rows, trial, wanted, step, gradient):
                break
            step = step / 2
            trial = driven_value(values, rows.T @ step, depth=depth)
        control, values = control + step, trial
    return best


def _safe_length(
    values: Float[np.ndarray, " features"],
    drive: Float[np.ndarray, " features"],
    depth: int,
) -> float:
    """The share of a Newton step that is sure to descend.

    The potential is generalized self-concordant: of the exponential kind at depth 2,
    of that of a barrier from depth 3 on, where a whole step can pass the blow-up.
    """
    change = float(np.abs(depth * values ** (1 - 2 / depth) * drive).max())
    if depth == 2 and change > 0:
        return math.log1p(change) / change
    return 1 / (1 + change)


def _descends(
    rows: Float[np.ndarray, "r features"],
    values: Float[np.ndarray, " features"],
    wanted: Float[np.ndarray, " r"],
    step: Float[np.ndarray, " r"],
    gradient: Float[np.ndarray, " r"],
) -> bool:
    """Whether the minimizer along the line was not passed by far.

    The potential is convex along the line: its slope here is negative before the
    minimizer, and positive but smaller than it was just after.
    """
    if not np.isfinite(values).all():
        return False
    return bool((rows @ values - wanted) @ step <= 0.9 * abs(gradient @ step))


def _solve_graded(
    root: Float[np.ndarray, "features r"], right_side: Float[np.ndarray, " r"]
) -> Float[np.ndarray, " r"]:
    """Solve root' root x = right_side when the rows of the root differ by many powers.

    Once one value has arrived and another still is at 1e-30, the Hessian has both as
    eigenvalues. A pivoted QR of sorted rows keeps the small ones to full precision,
    where a decomposition of the Hessian itself would lose them.
    """
    order = np.argsort(-abs(root).max(axis=1))
    triangle, pivots = qr(  # pyright: ignore[reportAssignmentType]
        root[order], mode="r", pivoting=True
    )
    sizes = abs(np.diagonal(triangle))
    rank = int(np.count_nonzero(sizes > 1e-280 * sizes.max(initial=0.0)))
    triangle, pivots = np.asarray(triangle)[:rank, :rank], pivots[:rank]
    half = solve_triangular(triangle, right_side[pivots], trans=1)
    solution = np.zeros(len(right_side))
    solution[pivots] = solve_triangular(triangle, half)
    return solution


def _magnitude(rows: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> float:
    """The size of what cancels in the residual."""
    return float(np.linalg.norm(abs(rows) @ values) + np.linalg.norm(wanted))


def _check_shapes(
    design: np.ndarray, wanted: np.ndarray, start: np.ndarray, depth: int
) -> None:
    if design.shape != (wanted.size, start.size):
        raise DataError(
            where="diagonal_limit(design)",
            rule=(
                f"{wanted.size} measurements of {start.size} features make a design of "
                f"shape ({wanted.size}, {start.size})"
            ),
            got=f"shape {design.shape}",
            fix="Transpose it, or give one start per feature",
        )
    if depth > 1 and (start <= 0).any():
        raise DataError(
            where="diagonal_limit(start)",
            rule="from depth 2 on a zero never moves, so every start is positive",
            got=f"{start.min()} at position {int(start.argmin())}",
            fix="Leave out the features that start at zero",
        )


def _check_reachable(design: np.ndarray, wanted: np.ndarray, depth: int) -> None:
    if depth == 1:
        nearest = np.linalg.lstsq(design, wanted, rcond=None)[0]
    else:
        # A third of a second to import, and few need it.
        from scipy.optimize import nnls

        nearest, _ = nnls(design, wanted)
    distance = float(np.linalg.norm(design @ nearest - wanted))
    if distance > _FEASIBLE * np.linalg.norm(wanted):
        kind = "numbers" if depth == 1 else "numbers >= 0"
        raise DataError(
            where="diagonal_limit(measurements)",
            rule=f"some {kind} must have these measurements, for the flow to end there",
            got=f"a distance of {distance:.1e} to the nearest that can be had",
            fix="Take measurements of such numbers, or integrate the flow in time",
        )
