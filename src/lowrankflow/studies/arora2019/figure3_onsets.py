"""When singular values rise, against the law by which they grow.

Theorem 3 has sigma' = -N sigma^(2-2/N) <grad, u v'>, so h(sigma), with
h' = sigma^-(2-2/N), grows at N times minus the gradient along the direction, whatever
the size of sigma. A sum of that recorded gradient over time is all it takes to say when
a singular value will be where.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.arora2019.figure3_claims import rises
from lowrankflow.studies.arora2019.figure3_jobs import (
    DEPTHS,
    INIT_SCALE,
    LAW,
    SYNTHETIC,
    TIME_PER_ITERATION,
)
from lowrankflow.studies.arora2019.figure3_measures import (
    Records,
    Spectra,
    first_rise,
    over_trajectories,
    rise,
)
from lowrankflow.studies.claims import at_most, within
from lowrankflow.studies.samples import Sample, combine

if TYPE_CHECKING:
    from lowrankflow.studies.collection import Collection
    from lowrankflow.studies.study import AbstractStudy
    from lowrankflow.studies.verdict import Verdict

GROWN = 10.0  # times the start: from there on a direction is its own


def _later_at_four(start: float) -> float:
    """How much later the first rise is at depth 4 than at 3, to leading order.

    With a constant pull g along it a value grows from s to one far above in time
    s^-(1-2/N) / ((N - 2) g).
    """
    return start ** (-1 / 2) / 2 / start ** (-1 / 3)


# Of the start s I half lies along a pair of singular vectors that are not akin.
LATER_AT_FOUR = (_later_at_four(INIT_SCALE) / 1.1, _later_at_four(INIT_SCALE / 2) * 1.1)


def integral(sigma: np.ndarray, depth: int) -> np.ndarray:
    """h(sigma), an antiderivative of sigma^-(2-2/N).

    Args:
        sigma: > 0.
        depth: N >= 2.
    """
    if depth == 2:
        return np.log(sigma)
    power = 1 - 2 / depth
    return -(sigma**-power) / power


def measured_and_predicted(
    depth: int, iterations: Records, spectra: Spectra, *slopes: Records
) -> np.ndarray:
    """Of each direction: how long it takes to rise, and how long by the law.

    Both in iterations, from where the direction has grown to ten times its start
    (interpolated between two records) until half its last value. The law is integrated
    with the recorded gradient along the direction, linear between records.
    """
    found = []
    for r, slope in enumerate(slopes):
        sigma = spectra[:, r]
        begun, reached = _by_law(iterations, sigma, slope, depth)
        found.append((rise(iterations, sigma) - begun, reached - begun))
    return np.array(found)


def _by_law(
    iterations: Records, sigma: Records, slope: Records, depth: int
) -> tuple[float, float]:
    """When the direction has grown tenfold, and when the law has it at half its last.

    Not numbers where it does not grow so far.
    """
    level = GROWN * sigma[0]
    after = int(np.argmax(sigma >= level))
    if after == 0 or sigma[-1] / 2 <= level:
        return np.nan, np.nan
    steps = np.diff(iterations) * TIME_PER_ITERATION
    pull = -depth * (slope[1:] + slope[:-1]) / 2
    grown = np.concatenate([[0.0], np.cumsum(pull * steps)])
    # What the law's h has grown by at that level, and the time of it.
    around = slice(after - 1, after + 1)
    at = integral(sigma[around], depth)
    begun = np.interp(integral(level, depth), at, grown[around])
    start = float(np.interp(begun, grown[around], iterations[around]))
    goal = begun + integral(sigma[-1] / 2, depth) - integral(level, depth)
    reached = int(np.argmax(grown >= goal))
    if grown[reached] < goal or reached == 0:
        return start, np.inf  # by the law it never gets there
    pair = slice(reached - 1, reached + 1)
    return start, float(np.interp(goal, grown[pair], iterations[pair]))


def factor_of_onsets(depth: int) -> Callable[..., float]:
    """By what factor predicted and measured differ, either way, at the worst."""

    def worst(iterations: Records, spectra: Spectra, *slopes: Records) -> float:
        pairs = measured_and_predicted(depth, iterations, spectra, *slopes)
        return float(np.exp(np.max(np.abs(np.log(pairs[:, 1] / pairs[:, 0])))))

    return worst


def onsets(runs: "Collection", depth: int, data: str = SYNTHETIC) -> Sample:
    """That factor of each seed."""
    axes = {"data": data, "method": "flow", "depth": depth}
    names = ("singular_values", *LAW)
    return over_trajectories(runs, factor_of_onsets(depth), *names, **axes)


def onsets_obey_the_law(
    study: "AbstractStudy", runs: "Collection", data: str = SYNTHETIC
) -> list["Verdict"]:
    """From depth 2 on; then how much later a fourth factor makes the first rise."""
    verdicts = [
        at_most(
            onsets(runs, depth, data),
            1.02,
            claim=f"onsets-{depth}",
            sentence=f"At depth {depth} every singular value of the truth takes as "
            "long to rise as the law has it take, to 2 %.",
            statement=study.statement("onsets"),
            quantity="predicted over measured time or its inverse, the worst of them",
            note="from ten times the start to half the last value, with the recorded "
            "gradient along it; 2 %: records are 1 to 4 % of the first such time "
            "apart, and a value may jump between two of them",
        )
        for depth in DEPTHS[1:]
    ]
    first = {d: rises(runs, first_rise, d, data) for d in (3, 4)}
    return [
        *verdicts,
        within(
            combine(lambda four, three: four / three, first[4], first[3]),
            *LATER_AT_FOUR,
            claim="onset-4",
            sentence="From depth 3 to 4 the first rise comes as much later as the law "
            "has it at a gradient that stays as it is at first.",
            statement=study.statement("fourth"),
            quantity="first rise at depth 4 over that at depth 3",
            note="the law from the start, or from half of it, what of it lies along "
            "the first direction: 1.58, 1.77 to leading order; a tenth either way",
        ),
    ]
