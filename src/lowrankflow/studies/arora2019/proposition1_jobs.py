"""The runs of proposition 1: W_11 = W_22 = 1, from exact and from other starts."""

import dataclasses

import numpy as np

from lowrankflow.dynamics import GradientFlow, Stop
from lowrankflow.factorizations import (
    AbstractStart,
    DeepFactorization,
    GivenFactors,
    Identity,
    RandomPSD,
)
from lowrankflow.seeds import generator
from lowrankflow.simulation import OnlyEnds, Recipe, RunJob
from lowrankflow.studies.collection import AxisValue
from lowrankflow.studies.commuting import family
from lowrankflow.studies.study import LabelledJob

DEPTHS = (2, 3, 4)
SIZE = 3
SCALE, FAMILY_SCALE, FAMILY_DEPTH = 1e-8, 1e-4, 3
# Relative to the diagonal of a factor: so small that the end is linear in it; and such
# that depth 4 makes order one of it.
SMALL, LARGE = 1e-6, 1e-3
SMALL_SCALE, LARGE_SCALE = 1e-6, 1e-12
RANDOM_SCALE = 1e-6
_FLOW = GradientFlow(rtol=1e-9, atol=1e-9)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sizes:
    """Which sizes are run at which depths."""

    depths: dict[int, tuple[int, ...]]


SIZES = {
    "smoke": Sizes(depths={3: DEPTHS}),
    "quick": Sizes(depths={3: DEPTHS, 6: (3,)}),
    "paper": Sizes(depths=dict.fromkeys((3, 4, 5, 8, 12, 20), DEPTHS)),
}


def instance(size: int) -> Recipe:
    """The proposition's problem of a size."""
    return Recipe(
        "named", {"name": "arora2019-proposition1", "parameters": {"size": size}}
    )


def all_jobs(profile: str, num_seeds: int) -> list[LabelledJob]:
    """Every run of a profile."""
    jobs = [
        _labelled("limit", instance(size), depth, Identity(SCALE), size=size)
        for size, depths in SIZES[profile].depths.items()
        for depth in depths
    ]
    for seed in range(num_seeds):
        start = Identity(FAMILY_SCALE)
        recipe = family(seed)
        jobs.append(_labelled("family", recipe, FAMILY_DEPTH, start, seed=seed))
        for depth in DEPTHS:
            for case, start in (
                ("small", perturbed(depth, seed, SMALL, SMALL_SCALE)),
                ("large", perturbed(depth, seed, LARGE, LARGE_SCALE)),
                ("random", RandomPSD(RANDOM_SCALE)),
            ):
                jobs.append(_labelled(case, instance(SIZE), depth, start, seed=seed))
    return jobs


def offset(seed: int) -> np.ndarray:
    """What a start has beside the identity: symmetric, with a diagonal of zeros."""
    drawn = generator(seed, "proposition1", "offset").uniform(0.5, 1.0, (SIZE, SIZE))
    signs = generator(seed, "proposition1", "signs").choice([-1.0, 1.0], (SIZE, SIZE))
    upper = np.triu(drawn * signs, 1)
    return upper + upper.T


def perturbed(depth: int, seed: int, size: float, scale: float) -> AbstractStart:
    """Equal factors scale^(1/N) (I + size S) with the offset S."""
    factor = scale ** (1 / depth) * (np.eye(SIZE) + size * offset(seed))
    return GivenFactors((factor,) * depth)


def _labelled(
    case: str, recipe: Recipe, depth: int, start: AbstractStart, **varied: AxisValue
) -> LabelledJob:
    return LabelledJob(
        axes={"case": case, "depth": depth, **varied},
        job=RunJob(
            problem=recipe,
            factorization=DeepFactorization(depth),
            dynamics=_FLOW,
            start=start,
            seed=int(varied.get("seed", 0)),
            stop=Stop(loss=1e-20, iterations=100_000),
            schedule=OnlyEnds(),
        ),
    )
