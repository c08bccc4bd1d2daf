"""Passages by greedy learning's critical points: the runs of figures 2 and 5.

Both figures look at the same flows, one at how close they pass the critical points and
one at their errors over time. A run that both ask for is the same job, so it is
computed once.
"""

import dataclasses
from collections.abc import Sequence

from lowrankflow.dynamics import GradientFlow, Stop
from lowrankflow.factorizations import Identity, SymmetricFactorization
from lowrankflow.simulation import (
    GREEDY_PATH,
    GREEDY_PATH_STOP,
    EveryIterations,
    Recipe,
    RunJob,
)
from lowrankflow.studies.li2021.counterexample_jobs import coordinates
from lowrankflow.studies.study import LabelledJob, Profile

DEPTHS = (2, 3, 4)
STAGES = (1, 2, 3)
FLOW = GradientFlow(rtol=1e-5, atol=1e-5)
STOP = Stop(loss=1e-8, iterations=50_000)
# Where a singular value has left the plateau below it: all that are learned end above.
LEVEL = 1.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sweep:
    """What a profile runs.

    Args:
        scales: w of the starts W(0) = w I, descending.
    """

    scales: tuple[float, ...]


SWEEPS = {
    "smoke": Sweep(scales=(1e-1, 1e-3, 1e-4, 1e-7)),
    "quick": Sweep(scales=(1e-1, 1e-3, 1e-4, 1e-5, 1e-7)),
    "paper": Sweep(scales=(1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7)),
}


def instance(seed: int) -> Recipe:
    """20 x 20, p.s.d., rank 3, norm 20, 120 ordered entries; its symmetric part."""
    of = {"kind": "named", "name": "li2021-20x20", "parameters": {"seed": seed}}
    return Recipe("symmetrized", {"of": of})


def greedy(seed: int) -> LabelledJob:
    """Greedy learning, stage by stage."""
    job = RunJob(
        problem=instance(seed),
        factorization=SymmetricFactorization(),
        dynamics=GREEDY_PATH,
        stop=GREEDY_PATH_STOP,
        schedule=EveryIterations(4),
    )
    return LabelledJob(axes={"method": "greedy", "seed": seed}, job=job)


def passage(depth: int, scale: float, seed: int) -> LabelledJob:
    """A flow from a multiple of the identity, past the critical points."""
    job = RunJob(
        problem=instance(seed),
        factorization=coordinates(depth),
        dynamics=FLOW,
        start=Identity(scale),
        stop=STOP,
        schedule=EveryIterations(2),
        observe=tuple(f"greedy_point_distance_{stage}" for stage in STAGES),
    )
    axes = {"method": "flow", "depth": depth, "init_scale": scale, "seed": seed}
    return LabelledJob(axes=axes, job=job)


def passages(scales: Sequence[float], num_seeds: int) -> list[LabelledJob]:
    """All runs of both figures, instance by instance."""
    jobs = []
    for seed in range(num_seeds):
        jobs.append(greedy(seed))
        jobs += [passage(depth, w, seed) for depth in DEPTHS for w in scales]
    return jobs


def passages_profile(name: str, seeds: int, seconds: float, differs: str) -> Profile:
    """A profile of figures 2 and 5, which share their runs."""
    return Profile(
        settings={
            "instance": "20 x 20 p.s.d., rank 3, norm 20, 120 ordered entries",
            "depths": ", ".join(map(str, DEPTHS)),
            "w of W(0) = w I": ", ".join(f"{w:g}" for w in SWEEPS[name].scales),
            "flow": f"adaptive, rtol = atol = {FLOW.rtol:g}, to a loss of 1e-8",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs=differs,
    )
