"""Alternating least squares on the thin factors of a completion."""

import numpy as np

from lowrankflow.dynamics.thin_newton import CriticalPoint
from lowrankflow.dynamics.thin_objective import Stacked, ThinObjective

_MOST_SWEEPS = 2000
# Sweeps between two looks at the gradient: at first few are needed, later a look costs
# more than it saves.
_SOON, _LOOK = 8, 5
# A direction of a row that its entries do not decide stays what it was; and a value
# falls no further than this, relatively. Both in units of the rounding.
_DAMPING, _STILL = 4.5e5, 4.5


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
        linear. The gradient in R, which was solved for last, is zero but for rounding.
    Cost: m rank^2 operations a sweep.
    Source: jain2013.
    Differs: every entry is used in every sweep; starts where greedy learning stands.
    """
    assert not objective.symmetric, "U U' has one factor"
    products = objective.products
    point = point.copy()
    left, right = objective.split(point)
    rounding = float(np.finfo(point.dtype).eps)
    damping = min(_DAMPING * rounding, 1e-6)
    settings = {"ridge": objective.penalty, "damping": damping}
    residual = np.empty_like(objective.values)
    before, sweeps, relative = np.inf, 0, np.inf
    converged = False
    while sweeps < _MOST_SWEEPS and not converged:
        for _ in range(1 if sweeps < _SOON else _LOOK):
            products.least_squares_rows(objective.values, left, right, **settings)
            products.least_squares_cols(
                objective.values_by_col, left, right, **settings
            )
            sweeps += 1
        gradient, squares = products.residual_mm(
            objective.values, left, right, by="row", residual=residual
        )
        gradient += point.dtype.type(objective.penalty) * left
        relative = float(np.linalg.norm(gradient) / np.linalg.norm(point)) / rate
        value = 0.5 * (squares + objective.penalty * float(np.square(point).sum()))
        converged = relative <= rtol or before - value <= _STILL * rounding * value
        before = value
    return CriticalPoint(
        point=point,
        residual=residual,
        gradient=relative,
        passes=sweeps,
        converged=converged,
    )
