"""Whether p.s.d. matrices can meet the measurements, and what excludes them if not.

The distance from the data to what p.s.d. matrices can give,

    minimize 1/2 ||𝒜(X) - y||^2 over X >= 0,

has lambda = y - 𝒜(X) as its dual solution, with 𝒜*(lambda) <= 0 and <y, lambda> =
||lambda||^2: unless it is zero, a ray that excludes every X. It is found by the
proximal steps of the nuclear norm without the threshold. The quadratic term keeps the
Newton matrix above the identity, so the penalty may grow without harm, and one step
with a huge penalty leaves 𝒜*(lambda) with no positive eigenvalue but rounding.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lowrankflow.reference.dual_newton import ProximalProblem, proximal_step
from lowrankflow.reference.measurement_map import MeasurementMap

# Data this close to the cone, relative to their size, are left to the solver.
_CLOSE = 1e-8


@dataclass(frozen=True, kw_only=True)
class ConeDistance:
    """The p.s.d. matrix whose measurements come nearest the data.

    Args:
        matrix: X, positive semidefinite.
        ray: lambda = y - 𝒜(X), near zero when the data can be met.
        decompositions: full decompositions spent on the last step.
    """

    matrix: Float[np.ndarray, "size size"]
    ray: Float[np.ndarray, " m"]
    decompositions: int


def approach_cone(
    measure: MeasurementMap,
    stack: Float[np.ndarray, "m size size"] | None,
    *,
    penalty: float,
    radius: float,
) -> Iterator[ConeDistance]:
    """Project the data on the measurements of p.s.d. matrices, better and better.

    Args:
        measure: measurements of symmetric matrices; its data have norm 1.
        stack: the measurement matrices, where the Newton matrix is to be formed.
        penalty: sigma at the start; ten times larger at each step, up to 1e14.
        radius: as far as this from the data is as good as zero.

    Yields:
        What is known after each step; the last one has a ray of 1e-8 or less when the
        data can be met.

    Exactness: the ray to about 1e-12 of the data; where the nearest point is not
        attained (it lies at infinity), less.
    Cost: about 4 decompositions, up to 20, per step.
    Source: zhao2010, for the method.
    """
    matrix, dual = np.zeros(measure.shape), measure.measurements
    while penalty < 1e14:
        problem = ProximalProblem(
            measure=measure,
            center=matrix,
            penalty=penalty,
            level=0.0,
            ridge=1.0,
            radius=radius,
            psd=True,
            stack=stack,
        )
        step = proximal_step(problem, dual, atol=1e-12, max_newton=20, max_products=200)
        matrix, dual = step.spectrum.matrix(), step.dual
        yield ConeDistance(matrix=matrix, ray=dual, decompositions=step.decompositions)
        if np.linalg.norm(dual) < _CLOSE:
            return
        penalty *= 10


def candidate_rays(ray: Float[np.ndarray, " m"]) -> list[Float[np.ndarray, " m"]]:
    """The ray, and the ray without its small numbers.

    Where the nearest point lies at infinity, numbers that are zero in the limit fall
    only as a power of the penalty; leaving them out often gives the limit itself.
    """
    size = np.abs(ray)
    cuts = (0.0, 1e-4, 1e-2)
    kept = [np.where(size > cut * size.max(), ray, 0.0) for cut in cuts]
    return [kept[0]] + [k for k in kept[1:] if np.any(k != kept[0])]
