"""Alternating least squares on the thin factors of a completion."""

import numpy as np

from lowrankflow.dynamics.thin_newton import CriticalPoint
from lowrankflow.dynamics.thin_objective import Stacked, ThinObjective

_MOST_SWEEPS = 2000
_LOOK = 5  # sweeps between two looks at the gradient
# A direction of a row that its entries do not decide stays what it was.
_DAMPING = 1e-10
_STILL = 1e-15


def alternate_factors(
    objective: ThinObjective, point: Stacked, *, rtol: float, rate: float
) -> CriticalPoint:
    """Solve for L with R held and for R with L held, in turn, to a critical point.

    Args:
        objective: of a problem with two factors.
        point: where from; the L over the R.
        rtol: the gradient's norm to reach, relative to `rate` and the factors' size.
        rate: of the first direction.

    Exactness: the gradient within `rtol`, where 2000 sweeps suffice; convergence is
        linear.
    Cost: m rank^2 operations a sweep.
    Source: jain2013.
    Differs: every entry is used in every sweep; starts where greedy learning stands.
    """
    assert not objective.symmetric, "U U' has one factor"
    products = objective.products
    point = point.copy()
    left, right = objective.split(point)
    by_col = objective.values[products.to_col]
    settings = {"ridge": objective.penalty, "damping": _DAMPING}
    before, sweeps, relative = np.inf, 0, np.inf
    converged = False
    while sweeps < _MOST_SWEEPS and not converged:
        for _ in range(_LOOK):
            products.least_squares_rows(objective.values, left, right, **settings)
            products.least_squares_cols(by_col, left, right, **settings)
        sweeps += _LOOK
        residual = objective.residual(point)
        gradient = objective.gradient(point, residual)
        relative = float(np.linalg.norm(gradient) / np.linalg.norm(point)) / rate
        value = objective.value(point, residual)
        converged = relative <= rtol or before - value <= _STILL * value
        before = value
    return CriticalPoint(
        point=point,
        residual=objective.residual(point),
        gradient=relative,
        passes=sweeps,
        converged=converged,
    )
