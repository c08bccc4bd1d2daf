"""What passages say of critical points and of the time spent there."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.problems import named
from lowrankflow.studies.claims import at_most, smaller_than, within
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021.passages import STAGES
from lowrankflow.studies.li2021.passages_measures import (
    closest,
    exponent,
    per_run,
    plateau,
    rate_sample,
    remainder,
    scales,
    slope,
)
from lowrankflow.studies.samples import Sample, combine, largest
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    import xarray

# Seed 2, from an independent reproduction by descent: closest approaches to the first
# and second critical point by depth and w.
ANCHORS = {
    2: {1e-1: (5.01, 4.34), 1e-3: (2.84, 2.86), 1e-4: (2.17, 2.29), 1e-7: (0.98, 1.11)},
    3: {1e-1: (3.04, 3.25), 1e-3: (0.108, 0.173), 1e-4: (0.0060, 0.0086)},
    4: {1e-1: (2.18, 2.63), 1e-3: (0.0144, 0.0186), 1e-4: (0.0010, 0.0010)},
}
# The table has two or three digits, and descent of a fixed step.
_DIGITS = 0.05
# Where the leading order in w is to be seen.
_SMALL = 2e-3


def stage_losses(run: "xarray.Dataset") -> list[float]:
    """The loss at the end of each stage of greedy learning."""
    stage = np.asarray(run["stage"].values)
    loss = np.asarray(run["loss"].values)
    return [float(loss[stage == n][-1]) for n in range(1, int(stage.max()) + 1)]


def three_phases(study: AbstractStudy, collection: Collection) -> Verdict:
    def number(run: "xarray.Dataset") -> float:
        exact = float(run["relative_error"].values[-1]) < 1e-5
        return float(run["stage"].values.max()) if exact else np.inf

    return within(
        per_run(collection, number, method="greedy"),
        3.0,
        3.0,
        claim="greedy",
        sentence="Greedy learning recovers the truth to 1e-5 in exactly three stages.",
        statement=study.statement("greedy"),
        quantity="stages; infinite where the truth is not recovered",
    )


def table_of_losses(study: AbstractStudy, collection: Collection) -> Verdict:
    ends = per_run(collection, lambda run: stage_losses(run)[0], method="greedy")
    second = per_run(
        collection, lambda run: [*stage_losses(run), np.nan][1], method="greedy"
    )
    errors, seeds = [], []
    for seed, *losses in zip(ends.seeds, ends.values, second.values, strict=True):
        known = named("li2021-20x20", {"seed": int(seed or 0)}).known
        if "greedy_losses" in known:
            table = np.asarray(known["greedy_losses"].value)[:2]
            errors.append(float(np.max(np.abs(np.array(losses) / table - 1))))
            seeds.append(seed)
    return at_most(
        Sample(values=np.array(errors), seeds=tuple(seeds), missing=ends.missing),
        0.01,
        claim="losses",
        sentence="The losses after the first two stages are those of the table.",
        statement=study.statement("greedy"),
        quantity="largest relative difference",
        note="seeds 0, 1 and 2; the table has four digits",
    )


def anchors(study: AbstractStudy, collection: Collection, depth: int) -> Verdict:
    seeds = collection.axis("seed")
    seed = 2 if 2 in seeds else int(seeds[-1])
    there = scales(collection, depth=depth)
    errors = [
        closest(collection, depth, w, stage, seed=seed).map(
            lambda d, expected=expected: float(abs(d / expected - 1))
        )
        for w, pair in ANCHORS[depth].items()
        if w in there
        for stage, expected in enumerate(pair, start=1)
    ]
    return at_most(
        largest(errors),
        _DIGITS,
        claim=f"anchors-{depth}",
        sentence=f"Depth {depth} passes the first two critical points as close as "
        "descent in an independent reproduction, seed 2.",
        statement=study.statement("deep"),
        quantity="largest relative difference from the table",
        note="the table has two or three digits",
    )


def three_beats_two(study: AbstractStudy, collection: Collection) -> Verdict:
    return smaller_than(
        closest(collection, 3, 1e-3, 1),
        closest(collection, 2, 1e-3, 1),
        factor=0.1,
        claim="depth-3",
        sentence="From w = 1e-3 depth 3 passes the first critical point ten times "
        "closer than depth 2.",
        statement=study.statement("deep"),
        quantity="closest approach",
    )


def four_beats_three(study: AbstractStudy, collection: Collection) -> Verdict:
    return smaller_than(
        closest(collection, 4, 1e-3, 1),
        closest(collection, 3, 1e-3, 1),
        factor=1 / 3,
        claim="depth-4",
        sentence="From w = 1e-3 depth 4 passes it three times closer than depth 3.",
        statement=study.statement("deep"),
        quantity="closest approach",
    )


def shallow_escape(study: AbstractStudy, collection: Collection) -> Verdict:
    at = [w for w in scales(collection, depth=2) if w < _SMALL]
    measured = slope(at, [plateau(collection, 2, w, 0) for w in at])
    predicted = rate_sample(measured, lambda first, _: 1 / (2 * first))
    return within(
        combine(lambda a, b: a / b, measured, predicted),
        0.95,
        1.05,
        claim="escape-2",
        sentence="Depth 2 leaves zero at a time that grows by 1 / (2 mu_1) for each "
        "unit of ln(1/w).",
        statement=study.statement("plateau"),
        quantity="slope over 1 / (2 mu_1)",
    )


def deep_plateau(
    study: AbstractStudy, collection: Collection, depth: int, stage: int
) -> Verdict:
    at = [w for w in scales(collection, depth=depth) if w < _SMALL]
    predicted = -(1 - 2 / depth)
    where = "at zero" if stage == 0 else f"at the critical point of stage {stage}"
    return within(
        exponent(at, [plateau(collection, depth, w, stage) for w in at]),
        predicted - 0.05,
        predicted + 0.05,
        claim=f"escape-{depth}" if stage == 0 else f"plateau-{depth}-{stage}",
        sentence=f"The time that depth {depth} spends {where} is a power of w with "
        f"exponent {predicted:.3f}.",
        statement=study.statement("later" if stage else "plateau"),
        quantity="exponent",
        note="w from 1e-3 down; 0.05 either side",
    )


def low_rank(study: AbstractStudy, collection: Collection) -> Verdict:
    shares = [
        remainder(collection, depth, 1e-4, stage)
        for depth in (3, 4)
        for stage in STAGES
    ]
    return at_most(
        largest(shares),
        0.01,
        claim="low-rank",
        sentence="Where depths 3 and 4 from w = 1e-4 pass the k-th critical point, the "
        "matrix has rank k up to 1 %.",
        statement=study.statement("low-rank"),
        quantity="largest of sigma_(k+1) / sigma_1",
    )
