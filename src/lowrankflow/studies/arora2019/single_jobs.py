"""The runs of a single measurement: the diagonal fixture, and random matrices."""

import dataclasses

from lowrankflow.dynamics import GradientFlow, Stop
from lowrankflow.factorizations import (
    AbstractStart,
    Balanced,
    DeepFactorization,
    Identity,
)
from lowrankflow.simulation import GeometricIterations, Recipe, RunJob
from lowrankflow.studies.collection import AxisValue
from lowrankflow.studies.study import LabelledJob

DIAGONAL = Recipe("named", {"name": "arora2019-single-measurement"})
WEIGHTS = (1.0, 0.6, 0.3)
DIAGONAL_ENTRIES = tuple(f"entry_{k}_{k}" for k in range(3))
TABLE_SCALE, LEAST_SCALE = 1e-2, 1e-8
SHAPE = (4, 3)
ENTRIES = tuple(f"entry_{i}_{j}" for i in range(SHAPE[0]) for j in range(SHAPE[1]))
LARGE, SMALL = 1e-2, 1e-5
_FLOW = GradientFlow(rtol=1e-9, atol=1e-9)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sweep:
    """Depths with random matrices, and scales of the random starts."""

    depths: tuple[int, ...]
    scales: tuple[float, ...]


SWEEPS = {
    "smoke": Sweep(depths=(2, 4), scales=(LARGE, SMALL)),
    "quick": Sweep(depths=(2, 4), scales=(LARGE, SMALL)),
    "paper": Sweep(depths=(2, 3, 4), scales=(LARGE, 1e-3, 1e-4, SMALL)),
}


def random_problem(seed: int) -> Recipe:
    """One Gaussian measurement of a matrix of rank one."""
    arguments = {"shape": list(SHAPE), "rank": 1, "num_measurements": 1, "seed": seed}
    return Recipe("planted_sensing", arguments)


def all_jobs(profile: str, num_seeds: int) -> list[LabelledJob]:
    """Every run of a profile."""
    jobs = []
    for depth in (1, 2, 3, 4):
        for scale in (TABLE_SCALE, LEAST_SCALE):
            start = Identity(scale)
            jobs.append(_labelled("diagonal", DIAGONAL, depth, start, scale))
    for seed in range(num_seeds):
        for depth in SWEEPS[profile].depths:
            for scale in SWEEPS[profile].scales:
                start, recipe = Balanced(scale), random_problem(seed)
                jobs.append(_labelled("random", recipe, depth, start, scale, seed=seed))
    return jobs


def _labelled(
    case: str,
    recipe: Recipe,
    depth: int,
    start: AbstractStart,
    scale: float,
    **seed: int,
) -> LabelledJob:
    axes: dict[str, AxisValue] = {"case": case, "depth": depth, "init_scale": scale}
    return LabelledJob(
        axes={**axes, **seed},
        job=RunJob(
            problem=recipe,
            factorization=DeepFactorization(depth),
            dynamics=_FLOW,
            start=start,
            seed=seed.get("seed", 0),
            stop=Stop(loss=1e-20, iterations=100_000),
            schedule=GeometricIterations(1.1),
            observe=DIAGONAL_ENTRIES if case == "diagonal" else ENTRIES,
        ),
    )
