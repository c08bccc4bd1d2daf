"""The runs of figure 3's twin with Gaussian measurements."""

import dataclasses
from collections.abc import Mapping

from lowrankflow.simulation import Recipe
from lowrankflow.studies.arora2019.figure3_jobs import (
    ALIGNMENT,
    DEPTHS,
    LAW,
    RANK,
    Span,
    flow,
    labelled,
)
from lowrankflow.studies.study import LabelledJob

SENSING = "sensing"  # the axis "data"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Size:
    """What a profile runs.

    Args:
        size: rows and columns of the matrix.
        measurements: of it.
        spans: the span at each depth.
        tolerance: error per step of the flow, relative and absolute.
    """

    size: int
    measurements: int
    spans: Mapping[int, Span]
    tolerance: float = 1e-4


SIZES = {
    "smoke": Size(
        size=16,
        measurements=200,
        spans=dict.fromkeys(DEPTHS, Span(every=40, shown=2400, end=8000)),
    ),
    # As many measurements for each degree of freedom as in the paper, 2.05.
    "quick": Size(
        size=40,
        measurements=769,
        spans={
            1: Span(every=125, shown=12_500, end=20_000),
            2: Span(every=60, shown=6000, end=18_000),
            3: Span(every=40, shown=14_000, end=20_000),
            4: Span(every=40, shown=22_000, end=30_000),
        },
    ),
    "paper": Size(
        size=100,
        measurements=2000,
        spans={
            1: Span(every=300, shown=30_000, end=60_000),
            2: Span(every=100, shown=15_000, end=60_000),
            3: Span(every=50, shown=25_000, end=60_000),
            4: Span(every=80, shown=40_000, end=70_000),
        },
    ),
}


def labelled_jobs(profile: str, num_seeds: int) -> list[LabelledJob]:
    """All runs of a profile; the axes are those of figure 3."""
    size = SIZES[profile]
    jobs = []
    for seed in range(num_seeds):
        problem = Recipe(
            "planted_sensing",
            {
                "shape": [size.size, size.size],
                "rank": RANK,
                "num_measurements": size.measurements,
                "seed": seed,
                "normalization": "mean",
            },
        )
        for depth in DEPTHS:
            observed = (*ALIGNMENT, *LAW)
            spans, tolerance = size.spans[depth], size.tolerance
            job = flow(problem, depth, tolerance, spans, seed, observed)
            jobs.append(labelled(SENSING, "flow", depth, seed, job))
    return jobs
