"""What the whole grid says of the paper's statements, and of the conjecture."""

import numpy as np

from lowrankflow.studies.claims import at_most, smaller_than, within
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.gunasekar2017.figure4_measures import (
    DEVIATES,
    UNBOUNDED,
    e2_mask,
    grid_sample,
    is_e2,
    missing_entries,
    planned_masks,
    share_above,
    starts,
)
from lowrankflow.studies.samples import Sample, combine, largest
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.verdict import Verdict


def minimum_is_proved(study: AbstractStudy, collection: Collection) -> Verdict:
    gaps = grid_sample(collection, np.max, variable="least_gap", method="greedy")
    return at_most(
        gaps,
        1e-10,
        claim="minimum",
        sentence="Every instance's least trace is proved by a dual certificate.",
        statement=study.statement("minimum"),
        quantity="largest relative duality gap",
        note="closed formulas; rounding leaves 1e-15",
    )


def flows_fit(study: AbstractStudy, collection: Collection) -> Verdict:
    residuals = [
        grid_sample(
            collection,
            np.max,
            variable="residual",
            method="flow",
            frobenius_norm=size,
        )
        for size in starts(collection)
    ]
    return at_most(
        largest(residuals),
        1.001e-8,
        claim="fit",
        sentence="Every flow reaches its measurements, from every size of start.",
        statement=study.statement("fit"),
        quantity="largest relative residual",
        note="what the flows were asked for, 1e-8",
    )


def most_are_near(study: AbstractStudy, collection: Collection, size: float) -> Verdict:
    return at_most(
        grid_sample(collection, np.median, method="flow", frobenius_norm=size),
        DEVIATES,
        claim=f"most-{size:g}",
        sentence=f"From ||U_0|| = {size:g} most instances end within 1 % of the least "
        "trace.",
        statement=study.statement("most"),
        quantity="median deviation",
        note="most is more than half",
    )


def large_starts_are_worse(study: AbstractStudy, collection: Collection) -> Verdict:
    def share(size: float) -> Sample:
        return grid_sample(
            collection, share_above(DEVIATES), method="flow", frobenius_norm=size
        )

    return smaller_than(
        largest([share(1e-3), share(1e-5)]),
        share(1.0),
        claim="large",
        sentence="From ||U_0|| = 1 more instances deviate by over 1 % than from 1e-3 "
        "and 1e-5.",
        statement=study.statement("large"),
        quantity="share that deviates, small starts to large",
    )


def maximum_is_numerical(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_most(
        grid_sample(collection, np.max, method="flow", frobenius_norm=1e-5),
        DEVIATES,
        claim="maximum",
        sentence="From ||U_0|| = 1e-5 no instance deviates by more than 1 %.",
        statement=study.statement("maximum"),
        quantity="largest deviation",
        note="1 % is ten thousand times the error of these flows",
    )


def conjecture_holds(study: AbstractStudy, collection: Collection) -> Verdict:
    size = starts(collection)[-1]
    return at_most(
        grid_sample(
            collection, share_above(DEVIATES), method="flow", frobenius_norm=size
        ),
        0.001,
        claim="conjecture",
        sentence=f"From the smallest start, {size:g}, fewer than one instance in a "
        "thousand deviates by more than 1 %.",
        statement=study.statement("conjecture"),
        quantity="share that deviates by more than 1 %",
        note="the conjecture says none",
    )


def smaller_is_closer(study: AbstractStudy, collection: Collection) -> Verdict:
    size = starts(collection)[-1]

    def share(size: float) -> Sample:
        return grid_sample(
            collection, share_above(0.1), method="flow", frobenius_norm=size
        )

    return smaller_than(
        share(size),
        share(1e-3),
        by="difference",
        claim="closer",
        sentence=f"From {size:g} fewer instances deviate by more than 10 % than from "
        "1e-3.",
        statement=study.statement("conjecture"),
        quantity="share that deviates by more than 10 %",
    )


def greedy_tells(study: AbstractStudy, collection: Collection) -> Verdict:
    size = starts(collection)[-1]
    shares = grid_sample(
        collection, share_above(DEVIATES), method="flow", frobenius_norm=size
    )
    greedy = grid_sample(collection, share_above(DEVIATES), method="greedy")
    missing = shares.missing + greedy.missing
    limit = greedy.values[0] if len(greedy) else np.nan
    apart = combine(lambda share: abs(share - limit), shares)
    return at_most(
        Sample(values=apart.values, seeds=apart.seeds, missing=missing),
        0.005,
        claim="greedy",
        sentence=f"As many instances deviate from {size:g} as at greedy learning's "
        "end, to half of a hundredth of all.",
        statement=study.statement("greedy"),
        quantity="difference of the two shares above 1 %",
    )


def greedy_settles(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_most(
        grid_sample(collection, share_above(UNBOUNDED), method="greedy"),
        0.0,
        claim="limit",
        sentence="Every stage of greedy learning settles, so that the limit exists on "
        "every instance.",
        statement=study.statement("limit"),
        quantity="share of instances with a stage that goes to infinity",
        note="such a stage ends the later the lower its tolerance; the trace is then "
        f"over {UNBOUNDED:g} times the least",
    )


def known_instance(study: AbstractStudy, collection: Collection) -> Verdict:
    size, mask = starts(collection)[-1], e2_mask()
    axes = {"method": "flow", "frobenius_norm": size, "mask": mask}
    found = combine(
        lambda excess, values: float(excess[is_e2(values)][0]),
        collection.last("excess", **axes),
        collection.last("values", **axes),
    )
    return within(
        found,
        0.296,
        0.298,
        claim="E2",
        sentence="The instance X_11 = 1, X_22 = 1/3, X_12 = -1/3, X_23 = -5/9 ends "
        f"29.7 % above its least trace from {size:g}.",
        statement=study.statement("E2"),
        quantity="deviation",
    )


def observed_trace(study: AbstractStudy, collection: Collection) -> Verdict:
    masks = [
        mask
        for mask in planned_masks(collection)
        if missing_entries(mask) == "two off the diagonal"
    ]
    ends = [
        grid_sample(
            collection,
            lambda excess: float(np.max(np.abs(excess))),
            masks=masks,
            method="flow",
            frobenius_norm=size,
        )
        for size in starts(collection)
    ]
    return at_most(
        largest(ends),
        1e-6,
        claim="observed",
        sentence="Where the whole diagonal is observed nothing deviates, from any "
        "start.",
        statement=study.statement("observed"),
        quantity="largest deviation, up or down",
        note="a check of the flows: the residual of 1e-8 bounds it",
    )
