"""The runs of scale/agreement: pairs of flows, and passages of greedy points."""

import dataclasses
from collections.abc import Iterator, Mapping

from lowrankflow.dynamics import AdaptiveRankFlow, GradientFlow, Stop
from lowrankflow.factorizations import (
    AbstractStart,
    Aligned,
    Balanced,
    DeepFactorization,
    Identity,
)
from lowrankflow.simulation import AgreementJob, EveryIterations, Recipe, RunJob
from lowrankflow.studies.study import LabelledJob

ADMISSION, RTOL, REFERENCE_RTOL = 1e-4, 1e-4, 1e-7
LOSS = 1e-7
# What is completed: the axis "problem".
WIDE, TALL, PSD = "wide", "tall", "p.s.d."
STARTS: Mapping[str, type[AbstractStart]] = {
    "aligned": Aligned,
    "identity": Identity,
    "balanced": Balanced,
}
# Which start is tried on which problem.
Pair = tuple[str, str]
PAIRS: tuple[Pair, ...] = (
    (WIDE, "aligned"),
    (TALL, "aligned"),
    (PSD, "identity"),
    (WIDE, "balanced"),
)
# The axis "part".
GRID, SWEEP, STAGES = "grid", "sweep", "stages"
# Tightened one by one, with steps so exact that little else is left to see.
SWEEP_TOLERANCES = (1e-5, 1e-4, 1e-3)
SWEEP_RTOL = 1e-5
# By depth. Beyond depth 2 directions come in at 40 starts at the latest, which would
# hide 1e-3 and 1e-4 from a smaller start; 1e-5 is below this one: all are followed.
SWEEP_SCALES = {2: 1e-6, 3: 1e-3}
STAGES_DEPTH, STAGES_SCALE = 3, 1e-6
FLOWS = {"adaptive": ADMISSION, "dense": 0.0}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Size:
    """What a profile runs.

    Args:
        short: rows of the wide matrix, columns of the tall one.
        long: its other side.
        rank: of the truth.
        observed: entries, of a p.s.d. matrix pairs.
        psd: rows and columns of the p.s.d. matrix.
        depths: factors.
        scales: init_scale by depth, for each problem and start.
        stages: rows and columns of the p.s.d. matrix whose greedy points are passed.
        stages_observed: its observed pairs.
    """

    short: int
    long: int
    rank: int
    observed: int
    psd: int
    psd_observed: int
    scales: Mapping[Pair, Mapping[int, tuple[float, ...]]]
    stages: int
    stages_observed: int

    @property
    def depths(self) -> tuple[int, ...]:
        """Numbers of factors."""
        return tuple(sorted({depth for own in self.scales.values() for depth in own}))

    @property
    def starts(self) -> tuple[float, ...]:
        """All init_scales."""
        found = {
            a for own in self.scales.values() for each in own.values() for a in each
        }
        return tuple(sorted(found))


SIZES = {
    "smoke": Size(
        short=10,
        long=14,
        rank=2,
        observed=100,
        psd=12,
        psd_observed=60,
        scales=dict.fromkeys(PAIRS, {2: (1e-4,), 3: (1e-4,)}),
        stages=10,
        stages_observed=40,
    ),
    "quick": Size(
        short=60,
        long=100,
        rank=4,
        observed=2000,
        psd=100,
        psd_observed=2000,
        scales=dict.fromkeys(PAIRS, {2: (1e-4,), 3: (1e-4,)}),
        stages=40,
        stages_observed=500,
    ),
    "paper": Size(
        short=60,
        long=100,
        rank=4,
        observed=2000,
        psd=100,
        psd_observed=2000,
        scales={
            (WIDE, "aligned"): dict.fromkeys((2, 3, 4), (1e-2, 1e-4, 1e-6)),
            (TALL, "aligned"): dict.fromkeys((2, 3, 4), (1e-4,)),
            (PSD, "identity"): dict.fromkeys((2, 3, 4), (1e-4, 1e-6)),
            (WIDE, "balanced"): {2: (1e-4, 1e-6), 3: (1e-4,)},
        },
        stages=100,
        stages_observed=2000,
    ),
}


def recipe(size: Size, problem: str, seed: int) -> Recipe:
    """A completion without noise; its entries have a mean square near one."""
    if problem == PSD:
        return _psd(size.psd, size.psd_observed, size.rank, seed)
    shape = [size.short, size.long] if problem == WIDE else [size.long, size.short]
    return Recipe(
        "planted_completion",
        {
            "shape": shape,
            "rank": size.rank,
            "num_observed": size.observed,
            "seed": seed,
        },
    )


def labelled_jobs(profile: str, num_seeds: int) -> list[LabelledJob]:
    """All runs of a profile; the axes are part, problem, rank, start, depth,
    init_scale, tolerance, method and seed.
    """
    size = SIZES[profile]
    return [job for seed in range(num_seeds) for job in _of_seed(size, seed)]


def _of_seed(size: Size, seed: int) -> Iterator[LabelledJob]:
    for problem, start in PAIRS:
        for depth, scales in size.scales[problem, start].items():
            for scale in scales:
                yield _pair(size, GRID, problem, start, depth, scale, ADMISSION, seed)
    for depth, scale in SWEEP_SCALES.items():
        for tolerance in SWEEP_TOLERANCES:
            yield _pair(size, SWEEP, WIDE, "aligned", depth, scale, tolerance, seed)
    for method in FLOWS:
        yield _passage(size, method, seed)


def _pair(
    size: Size,
    part: str,
    problem: str,
    start: str,
    depth: int,
    scale: float,
    tolerance: float,
    seed: int,
) -> LabelledJob:
    rtol = SWEEP_RTOL if part == SWEEP else RTOL
    job = AgreementJob(
        problem=recipe(size, problem, seed),
        factorization=DeepFactorization(depth),
        dynamics=AdaptiveRankFlow(admission_tolerance=tolerance, rtol=rtol, atol=rtol),
        reference=GradientFlow(rtol=REFERENCE_RTOL, atol=REFERENCE_RTOL),
        start=STARTS[start](init_scale=scale),  # pyright: ignore[reportCallIssue]
        stop=Stop(loss=LOSS),
        seed=seed,
    )
    axes = {
        "part": part,
        "problem": problem,
        "rank": size.rank,
        "start": start,
        "depth": depth,
        "init_scale": scale,
        "tolerance": tolerance,
        "method": "both",
        "seed": seed,
    }
    return LabelledJob(axes=axes, job=job)


def _passage(size: Size, method: str, seed: int) -> LabelledJob:
    names = [f"greedy_point_distance_{stage}" for stage in range(1, size.rank + 1)]
    dynamics = GradientFlow(rtol=RTOL, atol=RTOL)
    if method == "adaptive":
        dynamics = AdaptiveRankFlow(admission_tolerance=ADMISSION, rtol=RTOL, atol=RTOL)
    job = RunJob(
        problem=_psd(size.stages, size.stages_observed, size.rank, seed),
        factorization=DeepFactorization(STAGES_DEPTH),
        dynamics=dynamics,
        start=Identity(init_scale=STAGES_SCALE),
        stop=Stop(loss=LOSS),
        schedule=EveryIterations(1),
        observe=tuple(names),
    )
    axes = {
        "part": STAGES,
        "problem": PSD,
        "rank": size.rank,
        "start": "identity",
        "depth": STAGES_DEPTH,
        "init_scale": STAGES_SCALE,
        "tolerance": FLOWS[method],
        "method": method,
        "seed": seed,
    }
    return LabelledJob(axes=axes, job=job)


def _psd(size: int, observed: int, rank: int, seed: int) -> Recipe:
    return Recipe(
        "symmetric_completion",
        {
            "size": size,
            "rank": rank,
            "num_observed": observed,
            "seed": seed,
            "norm": float(size),
        },
    )
