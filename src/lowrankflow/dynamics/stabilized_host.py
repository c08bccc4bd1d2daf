"""The stabilized step of `steppers` for flows that compute on the host.

Factors whose rank changes would be compiled again and again, and passes over millions
of entries are compiled loops of their own; here a point is one flat array.
"""

import functools
import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from lowrankflow.dynamics.steppers import DAMPING, MAX_STAGES

Flat = Float[np.ndarray, " n"]
HostVelocity = Callable[[Flat], Flat]


def host_stages(step: float, radius: float) -> int:
    """The fewest stages, at least 2, for which a stabilized step is stable."""
    needed = math.ceil(math.sqrt(1 + 1.54 * step * radius))
    return min(max(needed, 2), MAX_STAGES)


def host_stable_step(radius: float) -> float:
    """The longest stabilized step that `MAX_STAGES` stages keep stable."""
    return (MAX_STAGES**2 - 1) / (1.54 * radius) if radius > 0 else math.inf


def host_step(
    velocity: HostVelocity, point: Flat, slope: Flat, step: float, stages: int
) -> Flat:
    """One step of the Runge-Kutta-Chebyshev method of order two.

    Args:
        velocity: the right-hand side.
        point: where the step begins.
        slope: the velocity there.
        step: its length.
        stages: how many, at least 2; `host_stages` says how many are stable.

    Returns:
        The point at its end.

    Exactness: order 2.
    Cost: `stages` - 1 evaluations.
    Source: sommeijer1998, equations 2.1-2.8.
    Differs: as `stabilized_step`.
    """
    first, weights = _coefficients(stages)
    before, last = point, point + (first * step) * slope
    for rest, mu, nu, weight, correction in weights:
        new = velocity(last)
        new *= step * weight
        new += rest * point
        new += mu * last
        new += nu * before
        new += (step * correction) * slope
        before, last = last, new
    return last


def host_error(
    point: Flat, slope: Flat, end: Flat, end_slope: Flat, step: float
) -> Flat:
    """The embedded estimate of the error of such a step.

    Exactness: order 3 in the step.
    Source: sommeijer1998, equation 2.9.
    Differs: as in the source.
    """
    return 0.8 * (point - end) + (0.4 * step) * (slope + end_slope)


def host_radius(
    velocity: HostVelocity,
    point: Flat,
    slope: Flat,
    direction: Flat,
    *,
    iterations: int,
    reach: float,
) -> tuple[float, Flat]:
    """An estimate of the spectral radius of the velocity's derivative at a point.

    Args:
        velocity: the right-hand side.
        point: where.
        slope: the velocity there.
        direction: where the power iteration begins; the last result serves best.
        iterations: how often to apply the derivative.
        reach: of the finite difference, relative to the point's norm.

    Returns:
        The estimate, from below, and its direction, of norm one.

    Exactness: heuristic; a safety factor belongs on it.
    Cost: one evaluation for each iteration.
    Source: sommeijer1998, section 3.1 (nonlinear power method).
    Differs: normalized at every iteration.
    """
    size = float(np.linalg.norm(point))
    norm = float(np.linalg.norm(direction))
    if size == 0 or norm == 0:
        return 0.0, direction
    reach = reach * size
    direction, radius = direction / norm, 0.0
    for _ in range(iterations):
        image = (velocity(point + reach * direction) - slope) / reach
        found = float(np.linalg.norm(image))
        if not 0 < found < math.inf:
            break
        radius, direction = found, image / found
    return radius, direction


@functools.lru_cache(maxsize=MAX_STAGES)
def _coefficients(
    stages: int,
) -> tuple[float, tuple[tuple[float, float, float, float, float], ...]]:
    """The weight of the first stage; and of each later one those of the point, of the
    last and the last but one, of the velocity and of the first slope.
    """
    excess = DAMPING / stages**2
    # T_s(cosh x) = cosh(s x), without cancellation.
    x = 2 * math.asinh(math.sqrt(excess / 2))
    even, odd, sinh = math.cosh(stages * x), math.sinh(stages * x), math.sinh(x)
    slope = stages * odd / sinh
    bend = (stages**2 * even - slope * math.cosh(x)) / sinh**2
    w0, w1 = 1 + excess, slope / bend
    first = 4 / (4 * w0) ** 2
    older, old = (1.0, 0.0, 0.0), (w0, 1.0, 0.0)
    b_older = b_old = first
    weights = []
    for _ in range(2, stages + 1):
        # T_j, T_j', T_j'' by the three-term recurrence and its derivatives.
        new = (
            2 * w0 * old[0] - older[0],
            2 * w0 * old[1] - older[1] + 2 * old[0],
            2 * w0 * old[2] - older[2] + 4 * old[1],
        )
        b = new[2] / new[1] ** 2
        mu, nu, weight = 2 * b * w0 / b_old, -b / b_older, 2 * b * w1 / b_old
        correction = -(1 - b_old * old[0]) * weight
        weights.append((1 - mu - nu, mu, nu, weight, correction))
        older, old, b_older, b_old = old, new, b_old, b
    return first * w1, tuple(weights)
