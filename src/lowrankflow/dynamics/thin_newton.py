"""Newton's method in a trust region, on the thin factors of a completion.

Linear systems are solved by conjugate gradients, to no more than the point deserves,
scaled by the Hessian's diagonal; a direction of negative curvature is followed to the
region's edge. The Hessian is the whole one: near a critical point with a residual that
does not vanish, as at every rank below the truth's, leaving out its second part
(Gauss-Newton) would cost the fast end.
"""

from dataclasses import dataclass

import numpy as np

from lowrankflow.dynamics.thin_objective import Stacked, ThinObjective, Vector

_MOST_STEPS = 200
_MOST_PRODUCTS = 300  # of one linear system
# Curvature below this, relative to the scale, is that of a change of basis.
_FLAT = 1e-11
_ACCEPTED, _GOOD = 0.05, 0.7
# A gain, relative to the value, and a step that are nothing, in units of the rounding.
_NO_GAIN, _NO_STEP = 0.045, 4.5


@dataclass(frozen=True, kw_only=True, eq=False)
class CriticalPoint:
    """Where an inner solver ended.

    Args:
        point: the factors.
        residual: entries - y there.
        gradient: norm of the gradient in the factors, relative to the first rate and
            the factors' size.
        passes: Hessian products, or sweeps.
        converged: whether the gradient fell to what was asked, or as far as rounding
            resolves the value.
    """

    point: Stacked
    residual: Vector
    gradient: float
    passes: int
    converged: bool


def newton(
    objective: ThinObjective, point: Stacked, *, rtol: float, rate: float
) -> CriticalPoint:
    """Descend to a critical point.

    Args:
        objective: what is lowered.
        point: where from.
        rtol: the gradient's norm to reach, relative to `rate` and the factors' size.
        rate: of the first direction.

    Exactness: the gradient within `rtol`; the value never rises.
    Cost: a few hundred passes over the entries; memory for some thirteen copies of
        the factors.
    Source: steihaug1983.
    Differs: scaled by the diagonal of the Hessian's first part.
    """
    residual = objective.residual(point)
    value = objective.value(point, residual)
    radius, passes = np.inf, 0
    rounding = float(np.finfo(point.dtype).eps)
    gradient = objective.gradient(point, residual)
    for _ in range(_MOST_STEPS):
        relative = _relative(gradient, point, rate)
        if relative <= rtol:
            return _end(point, residual, relative, passes, True)
        scale = objective.diagonal(point)
        if np.isinf(radius):
            radius = _size(scale, point)
        forcing = min(0.1, np.sqrt(relative))
        step, predicted, used = _steihaug(
            objective, point, residual, gradient, scale, radius, forcing
        )
        passes += used
        there = point + step
        residual_there = objective.residual(there)
        value_there = objective.value(there, residual_there)
        length = _size(scale, step)
        gained = _gain(objective, point, step, residual, residual_there)
        if predicted <= _NO_GAIN * rounding * value or length == 0:
            return _end(point, residual, relative, passes, True)
        ratio = gained / predicted
        if ratio < 0.25:
            radius = 0.25 * length
        elif ratio > _GOOD and length > 0.9 * radius:
            radius *= 2
        if ratio > _ACCEPTED and gained > 0:
            point, residual, value = there, residual_there, value_there
            gradient = objective.gradient(point, residual)
        elif length <= _NO_STEP * rounding * _size(scale, point):
            return _end(point, residual, relative, passes, True)
    relative = _relative(gradient, point, rate)
    return _end(point, residual, relative, passes, relative <= rtol)


def _gain(
    objective: ThinObjective,
    point: Stacked,
    step: Stacked,
    before: Vector,
    after: Vector,
) -> float:
    """By how much a step lowers the value, without cancellation of large values."""
    squares = 0.5 * objective.products.dot(before - after, before + after)
    factor = 2.0 if objective.symmetric else 1.0
    norms = 0.5 * float((step * (2 * point + step)).sum())
    return squares - factor * objective.penalty * norms


def _size(scale: Stacked, step: Stacked) -> float:
    """Length in the norm that the region is round in."""
    return float(np.sqrt((scale * step * step).sum()))


def _relative(gradient: Stacked, point: Stacked, rate: float) -> float:
    size = float(np.linalg.norm(point)) * rate
    return float(np.linalg.norm(gradient)) / size if size else 0.0


def _end(
    point: Stacked, residual: Vector, gradient: float, passes: int, converged: bool
) -> CriticalPoint:
    return CriticalPoint(
        point=point,
        residual=residual,
        gradient=gradient,
        passes=passes,
        converged=converged,
    )


def _steihaug(
    objective: ThinObjective,
    point: Stacked,
    residual: Vector,
    gradient: Stacked,
    scale: Stacked,
    radius: float,
    forcing: float,
) -> tuple[Stacked, float, int]:
    """A step, by how much the quadratic model says that it lowers f, and products."""
    by_col = residual[objective.products.to_col]
    step = np.zeros_like(point)
    left = -gradient
    towards = left / scale
    direction = towards.copy()
    power = float((left * towards).sum())
    aim = forcing**2 * power
    curved_step = np.zeros_like(point)
    used = 0
    for used in range(1, _MOST_PRODUCTS + 1):
        curved = objective.curvature(point, residual, by_col, direction)
        bend = float((direction * curved).sum())
        size = float((scale * direction * direction).sum())
        if abs(bend) <= _FLAT * size and used > 1:
            break
        length = power / bend if bend > 0 else np.inf
        to_edge = _to_edge(step, direction, scale, radius)
        if bend <= 0 or length >= to_edge:
            step += to_edge * direction
            curved_step += to_edge * curved
            break
        step += length * direction
        curved_step += length * curved
        left -= length * curved
        towards = left / scale
        before, power = power, float((left * towards).sum())
        if power <= aim:
            break
        direction = towards + (power / before) * direction
    predicted = -float((gradient * step).sum()) - 0.5 * float(
        (step * curved_step).sum()
    )
    return step, predicted, used


def _to_edge(step: Stacked, direction: Stacked, scale: Stacked, radius: float) -> float:
    """The t >= 0 at which step + t direction is at the region's edge."""
    a = float((scale * direction * direction).sum())
    b = float((scale * step * direction).sum())
    c = float((scale * step * step).sum()) - radius**2
    root = np.sqrt(max(b * b - a * c, 0.0))
    return max((root - b) / a if b <= 0 else -c / (b + root), 0.0)
