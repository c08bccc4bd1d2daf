"""The runs of figure 3, and the conversion of their clock to the paper's iterations.

The paper's code descends on the mean of the squared residuals, twice our loss with
normalization="mean", with a step of 0.1: one of its iterations is 0.2 of the flow's
time here (2 lr / m with normalization="sum").
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from lowrankflow.dynamics import ConstantStep, GradientDescent, GradientFlow, Stop
from lowrankflow.factorizations import DeepFactorization, Identity
from lowrankflow.simulation import (
    AtTimes,
    EveryIterations,
    Recipe,
    RunJob,
)
from lowrankflow.studies.study import LabelledJob

LEARNING_RATE = 0.1  # of the paper, on the mean of the squared residuals
TIME_PER_ITERATION = 2 * LEARNING_RATE
INIT_SCALE = 1e-3
DEPTHS = (1, 2, 3, 4)
PAPER_DEPTHS = (1, 2, 3)
RANK = 5
# What is recovered: the axis "data".
SYNTHETIC = "synthetic"
FEWER = "synthetic, as drawn with replacement"
RATINGS = "ratings"
RATINGS_CUT = "ratings, a cut"
DESCENT_DEPTHS = (2, 3)
ALIGNMENT = (
    "alignment_on",
    "alignment_on_std",
    "alignment_off",
    "alignment_off_std",
)
LAW = tuple(f"gradient_along_{index}" for index in range(RANK))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Span:
    """How long a run is, in the paper's iterations.

    Args:
        every: iterations between records in the part that is drawn.
        shown: the last iteration of that part.
        end: the last of the run; recorded on the way there ten times.
    """

    every: int
    shown: int
    end: int

    @property
    def iterations(self) -> np.ndarray:
        """The iterations recorded."""
        dense = np.arange(self.every, self.shown + 1, self.every)
        return np.union1d(dense, np.linspace(self.shown, self.end, 11).round())


@dataclasses.dataclass(frozen=True, kw_only=True)
class Size:
    """What a profile runs.

    Args:
        size: rows and columns of the synthetic matrix.
        observed: of its entries.
        distinct: how many entries that many draws with replacement leave; the runs
            with these are left out when it is 0.
        users: rows of the ratings; None for all.
        items: their columns; None for all.
        ratings: how many of them are observed.
        splits: how many divisions of the ratings at most; one per seed.
        synthetic: the span at each depth.
        real: the same for the ratings.
        tolerance: error per step of the flow, relative and absolute.
    """

    size: int
    observed: int
    distinct: int
    users: int | None
    items: int | None
    ratings: int
    splits: int
    synthetic: Mapping[int, Span]
    real: Mapping[int, Span]
    tolerance: float = 1e-4


_SYNTHETIC = {
    1: Span(every=200, shown=30_000, end=60_000),
    2: Span(every=100, shown=15_000, end=60_000),
    3: Span(every=100, shown=20_000, end=60_000),
    4: Span(every=150, shown=33_000, end=60_000),
}
SIZES = {
    "smoke": Size(
        size=20,
        observed=240,
        distinct=0,
        users=15,
        items=20,
        ratings=130,
        splits=1,
        synthetic=dict.fromkeys(DEPTHS, Span(every=400, shown=4000, end=8000)),
        real=dict.fromkeys(DEPTHS, Span(every=200, shown=2000, end=2000)),
    ),
    "quick": Size(
        size=100,
        observed=2000,
        distinct=1813,
        users=150,
        items=250,
        ratings=1520,
        splits=3,
        synthetic=_SYNTHETIC,
        real=dict.fromkeys(DEPTHS, Span(every=200, shown=15_000, end=15_000)),
    ),
    "paper": Size(
        size=100,
        observed=2000,
        distinct=1813,
        users=None,
        items=None,
        ratings=10_000,
        splits=1,
        synthetic=_SYNTHETIC,
        real={
            1: Span(every=4000, shown=200_000, end=200_000),
            2: Span(every=400, shown=40_000, end=40_000),
            3: Span(every=250, shown=25_000, end=40_000),
            4: Span(every=500, shown=40_000, end=40_000),
        },
    ),
}


def labelled_jobs(profile: str, num_seeds: int) -> list[LabelledJob]:
    """All runs of a profile; the axes are data, method, depth and seed."""
    size = SIZES[profile]
    jobs = []
    for seed in range(num_seeds):
        problem = _planted(size, size.observed, seed)
        for depth in DEPTHS:
            job = flow(
                problem,
                depth,
                size.tolerance,
                size.synthetic[depth],
                seed,
                (*ALIGNMENT, *LAW),
            )
            jobs.append(labelled(SYNTHETIC, "flow", depth, seed, job))
            if size.distinct:
                ends = Span(every=30_000, shown=30_000, end=60_000)
                fewer = _planted(size, size.distinct, seed)
                job = flow(fewer, depth, size.tolerance, ends, seed, ())
                jobs.append(labelled(FEWER, "flow", depth, seed, job))
    # Chance plays no part in whether two methods agree: one seed.
    for depth in DESCENT_DEPTHS:
        job = _descent(_planted(size, size.observed, 0), depth, size.synthetic[depth])
        jobs.append(labelled(SYNTHETIC, "descent", depth, 0, job))
    data = RATINGS if size.users is None else RATINGS_CUT
    for seed in range(min(num_seeds, size.splits)):
        problem = _ratings(size, seed)
        for depth in DEPTHS:
            job = flow(
                problem, depth, size.tolerance, size.real[depth], seed, ALIGNMENT
            )
            jobs.append(labelled(data, "flow", depth, seed, job))
    return jobs


def labelled(data: str, method: str, depth: int, seed: int, job: RunJob) -> LabelledJob:
    """A run with what it stands for."""
    axes = {"data": data, "method": method, "depth": depth, "seed": seed}
    return LabelledJob(axes=axes, job=job)


def _planted(size: Size, observed: int, seed: int) -> Recipe:
    return Recipe(
        "planted_completion",
        {
            "shape": [size.size, size.size],
            "rank": RANK,
            "num_observed": observed,
            "seed": seed,
            "normalization": "mean",
        },
    )


def _ratings(size: Size, seed: int) -> Recipe:
    return Recipe(
        "ratings",
        {
            "num_users": size.users,
            "num_items": size.items,
            "num_observed": size.ratings,
            "seed": seed,
            "normalization": "mean",
        },
    )


def flow(
    problem: Recipe,
    depth: int,
    tolerance: float,
    span: Span,
    seed: int,
    observe: tuple[str, ...],
) -> RunJob:
    """The flow from a small multiple of the identity, recorded along a span."""
    return RunJob(
        problem=problem,
        factorization=DeepFactorization(depth),
        dynamics=GradientFlow(rtol=tolerance, atol=tolerance),
        start=Identity(init_scale=INIT_SCALE),
        seed=seed,
        stop=Stop(time=span.end * TIME_PER_ITERATION),
        schedule=AtTimes(span.iterations * TIME_PER_ITERATION),
        observe=observe,
    )


def _descent(problem: Recipe, depth: int, span: Span) -> RunJob:
    return RunJob(
        problem=problem,
        factorization=DeepFactorization(depth),
        dynamics=GradientDescent(ConstantStep(learning_rate=TIME_PER_ITERATION)),
        start=Identity(init_scale=INIT_SCALE),
        seed=0,
        # Half a step early: a sum of steps is a time only up to rounding.
        stop=Stop(time=(span.shown - 0.5) * TIME_PER_ITERATION),
        schedule=EveryIterations(span.every),
    )
