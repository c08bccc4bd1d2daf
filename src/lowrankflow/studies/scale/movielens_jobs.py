"""The runs of scale/movielens: both flows on ratings, recorded at the same times."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from lowrankflow.dynamics import AdaptiveRankFlow, GradientFlow, Stop
from lowrankflow.factorizations import Aligned, DeepFactorization
from lowrankflow.simulation import AtTimes, Recipe, RunJob
from lowrankflow.studies.study import LabelledJob

INIT_SCALE, RTOL = 1e-3, 1e-4
# Admission tolerances by depth. At depth 3 both let directions in at 40 starts.
ADMISSIONS: Mapping[int, tuple[float, ...]] = {2: (1e-4, 4e-4, 1e-3), 3: (1e-4,)}
DEPTHS = tuple(ADMISSIONS)
SHOWN = 10
# The axes "data" and "method".
WHOLE, CUT = "all ratings", "a cut"
ADAPTIVE, DENSE = "adaptive", "dense"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Size:
    """What a profile runs.

    Args:
        data: its name.
        users: rows of the ratings; None for all.
        items: their columns; None for all.
        ratings: how many of them are observed.
        times: of the records, by depth; the last one ends the runs.
    """

    data: str
    users: int | None
    items: int | None
    ratings: int
    times: Mapping[int, np.ndarray]


def _spread(*pieces: tuple[float, float, int]) -> np.ndarray:
    """Times evenly spread over pieces (from, to, how many)."""
    return np.unique(np.round(np.concatenate([np.linspace(*p) for p in pieces]), 6))


SIZES = {
    "smoke": Size(
        data=CUT,
        users=15,
        items=20,
        ratings=130,
        times={2: _spread((0.05, 0.6, 12)), 3: _spread((0.1, 1.5, 15))},
    ),
    "quick": Size(
        data=CUT,
        users=150,
        items=250,
        ratings=1520,
        times={2: _spread((0.05, 0.9, 18)), 3: _spread((0.1, 1.5, 29))},
    ),
    "paper": Size(
        data=WHOLE,
        users=None,
        items=None,
        ratings=10_000,
        times={
            2: _spread((0.03, 0.12, 10), (0.14, 0.28, 8)),
            # From the start's inverse root to where the first one has risen.
            3: _spread((0.1, 0.14, 3), (0.142, 0.149, 8), (0.152, 0.18, 6)),
        },
    ),
}


def recipe(size: Size, seed: int) -> Recipe:
    """The ratings as arora2019's figure 3 has them, with the sum of the losses."""
    return Recipe(
        "ratings",
        {
            "num_users": size.users,
            "num_items": size.items,
            "num_observed": size.ratings,
            "seed": seed,
        },
    )


def labelled_jobs(profile: str, num_seeds: int) -> list[LabelledJob]:
    """All runs of a profile; the axes are data, method, depth, tolerance and seed."""
    size, seeds = SIZES[profile], range(num_seeds)
    dense = GradientFlow(rtol=RTOL, atol=RTOL)
    jobs = [
        _labelled(size, DENSE, dense, depth, 0.0, seed)
        for depth in DEPTHS
        for seed in seeds
    ]
    for depth, tolerances in ADMISSIONS.items():
        for tolerance in tolerances:
            flow = AdaptiveRankFlow(admission_tolerance=tolerance, rtol=RTOL, atol=RTOL)
            jobs += [
                _labelled(size, ADAPTIVE, flow, depth, tolerance, seed)
                for seed in seeds
            ]
    return jobs


def _labelled(
    size: Size,
    method: str,
    dynamics: GradientFlow | AdaptiveRankFlow,
    depth: int,
    tolerance: float,
    seed: int,
) -> LabelledJob:
    job = RunJob(
        problem=recipe(size, seed),
        factorization=DeepFactorization(depth),
        dynamics=dynamics,
        start=Aligned(init_scale=INIT_SCALE),
        seed=seed,
        stop=Stop(time=float(size.times[depth][-1])),
        schedule=AtTimes(size.times[depth]),
    )
    axes = {
        "data": size.data,
        "method": method,
        "depth": depth,
        "tolerance": tolerance,
        "seed": seed,
    }
    return LabelledJob(axes=axes, job=job)
