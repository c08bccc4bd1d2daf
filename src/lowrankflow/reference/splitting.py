"""The alternating direction method on the dual: cheap steps to the right neighbourhood.

    max <y, lambda>   subject to   𝒜*(lambda) = Lambda,   ||Lambda||_2 <= 1,

with the matrix X as multiplier. With orthonormal measurements a step is one gather, one
scatter and one decomposition. It nears a solution quickly and then slows down, which is
when Newton's method takes over.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lowrankflow.reference.measurement_map import MeasurementMap

# Over-relaxation: any number in (0, 1 + sqrt(5))/2 converges; 1.6 is the usual choice.
_RELAXATION = 1.6
_REVIEW = 5  # steps between two looks at the balance of the residuals


@dataclass(frozen=True, kw_only=True)
class SplittingPoint:
    """Where the alternating directions stopped.

    Args:
        matrix: X, thresholded: of low rank.
        dual: lambda.
        penalty: sigma that balances the two residuals.
        residual: ||𝒜(X) - y|| / ||y||.
        decompositions: full decompositions spent.
    """

    matrix: Float[np.ndarray, "rows cols"]
    dual: Float[np.ndarray, " m"]
    penalty: float
    residual: float
    decompositions: int


def alternate(
    measure: MeasurementMap,
    *,
    psd: bool,
    penalty: float,
    rtol: float,
    max_decompositions: int,
) -> SplittingPoint:
    """Alternate from zero until both residuals are below `rtol`.

    Args:
        measure: orthonormal measurements of matrices with rows <= cols.
        psd: over positive semidefinite matrices.
        penalty: sigma at the start; it is adapted to balance the residuals.
        rtol: primal residual relative to the data, and distance of 𝒜*(lambda) from
            the feasible set relative to its size, at which to stop.
        max_decompositions: steps allowed.

    Exactness: within `rtol`, where it is reached.
    Cost: one decomposition and about 4 rank rows cols operations per step.
    Source: wen2010; cai2010 for the threshold.
    Differs: over-relaxed, and the penalty is adapted every five steps.
    """
    y = measure.measurements
    size = np.linalg.norm(y)
    multiplier = np.zeros(measure.shape)
    feasible = np.zeros(measure.shape)
    count = 0
    # Without a solution the residuals never balance; the penalty must not follow.
    lowest, highest = penalty / 10, penalty * 10
    while True:
        dual = (y - measure.apply(multiplier)) / penalty + measure.apply(feasible)
        wanted = measure.adjoint(dual)
        moved = multiplier + penalty * wanted
        matrix = _threshold_only(moved, penalty, psd=psd)
        feasible = (moved - matrix) / penalty
        count += 1
        if count >= max_decompositions:
            break
        difference = wanted - feasible
        if count % _REVIEW == 0:
            primal = np.linalg.norm(measure.apply(matrix) - y) / size
            violation = np.linalg.norm(difference) / max(1, np.linalg.norm(feasible))
            if max(primal, violation) <= rtol:
                break
            if primal > 2 * violation:
                penalty = max(penalty / 1.5, lowest)
            elif violation > 2 * primal:
                penalty = min(penalty * 1.5, highest)
        multiplier = multiplier + _RELAXATION * penalty * difference
    return SplittingPoint(
        matrix=matrix,
        dual=dual,
        penalty=penalty,
        residual=float(np.linalg.norm(measure.apply(matrix) - y) / size),
        decompositions=count,
    )


def _threshold_only(matrix, level: float, *, psd: bool):
    """The thresholded matrix from the smaller Gram matrix: half the cost of an SVD.

    Singular values below 1e-8 of the largest are lost in it; what needs them is done
    later, by a full decomposition.
    """
    if psd:
        values, basis = np.linalg.eigh(matrix)
        kept = values > level
        basis = basis[:, kept]
        return (basis * (values[kept] - level)) @ basis.T
    squares, basis = np.linalg.eigh(matrix @ matrix.T)
    kept = squares > level**2
    basis, values = basis[:, kept], np.sqrt(squares[kept])
    return (basis * (1 - level / values)) @ (basis.T @ matrix)
