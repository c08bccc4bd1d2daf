"""What the runs say of controls whose measurements do not commute."""

import numpy as np

from lowrankflow.studies.claims import (
    at_least,
    at_most,
    smaller_than,
    trend,
    within,
)
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.commuting import apart
from lowrankflow.studies.samples import Sample, combine
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.verdict import Verdict

_NAMES = {
    "residual": "the flow's own residual",
    "smooth": "random smooth controls",
    "3x3": "the 3 x 3 completion that refutes the conjecture",
}


def scales(collection: Collection) -> list[float]:
    """The scales of the start, ascending."""
    return [float(s) for s in collection.select(case="3x3").axis("init_scale")]


def gap(collection: Collection, case: str, scale: float) -> Sample:
    """Distance of formula (7), relative to the matrix."""
    return collection.last("direct_gap", case=case, init_scale=scale)


def exponent_gap(collection: Collection, case: str, scale: float) -> Sample:
    """Distance of the logarithms, relative to the exponent."""
    return collection.last("exponent_gap", case=case, init_scale=scale)


def lie_dimension(study: AbstractStudy, collection: Collection, size: int) -> Verdict:
    return within(
        collection.last("lie_dimension", case="lie", size=size),
        size**2,
        size**2,
        claim=f"lie-{size}",
        sentence=f"Two random symmetric {size} x {size} matrices generate "
        f"{size**2} directions.",
        statement=study.statement("lie"),
        quantity="dimension of the Lie algebra",
    )


def commuting_dimension(study: AbstractStudy, collection: Collection) -> Verdict:
    return within(
        collection.last("lie_dimension", case="lie, commuting"),
        2,
        2,
        claim="lie-commuting",
        sentence="Two commuting 5 x 5 matrices generate their span alone.",
        statement=study.statement("lie"),
        quantity="dimension of the Lie algebra",
    )


def loops_are_slow(study: AbstractStudy, collection: Collection) -> Verdict:
    runs = collection.select(case="loops")
    points = {
        float(steps): runs.last("direct_gap", steps=steps)
        for steps in runs.axis("steps")
    }
    return trend(
        points,
        log_x=True,
        log_y=True,
        lower=-1.1,
        upper=-0.9,
        claim="loops",
        sentence="In a given time the way by loops falls as one over the number of "
        "steps.",
        statement=study.statement("loops"),
        quantity="way against the number of steps, logarithms",
        note="-1 by theory: as many loops as steps, each of the step's square",
    )


def formula_fails(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_least(
        gap(collection, "residual", scales(collection)[-1]),
        0.01,
        claim="formula",
        sentence="From 0.1 I formula (7) misses the end by more than 1 %.",
        statement=study.statement("formula"),
        quantity="distance of formula (7), relative to the matrix",
    )


def matrices_approach(
    study: AbstractStudy, collection: Collection, case: str
) -> Verdict:
    ordered = scales(collection)
    return smaller_than(
        gap(collection, case, ordered[0]),
        gap(collection, case, ordered[-1]),
        claim=f"matrix-{case}",
        sentence=f"For {_NAMES[case]} formula (7) is nearer from {ordered[0]:g} I than "
        f"from {ordered[-1]:g} I, relative to the matrix.",
        statement=study.statement("lower-order"),
        quantity="distance of formula (7)",
        note="the least that a limit of zero would show",
    )


def exponents_approach(
    study: AbstractStudy, collection: Collection, case: str
) -> Verdict:
    ordered = scales(collection)
    return smaller_than(
        exponent_gap(collection, case, ordered[0]),
        exponent_gap(collection, case, ordered[-1]),
        claim=f"exponent-{case}",
        sentence=f"For {_NAMES[case]} the logarithms are nearer from {ordered[0]:g} I "
        f"than from {ordered[-1]:g} I, relative to the exponent.",
        statement=study.statement("lower-order"),
        quantity="distance of the logarithms",
        note="the weaker reading: the exponent itself grows like log(1 / alpha)",
    )


def push_leads_elsewhere(study: AbstractStudy, collection: Collection) -> Verdict:
    scale = scales(collection)[0]
    return at_least(
        apart(
            collection.last("matrix", case="pushed", init_scale=scale),
            collection.last("matrix", case="residual", init_scale=scale),
        ),
        0.01,
        claim="elsewhere",
        sentence=f"From {scale:g} I a push that fades leads to another fit.",
        statement=study.statement("elsewhere"),
        quantity="relative difference of the ends",
        note="1e-8 where the measurements commute, see gunasekar2017/theorem1",
    )


def step_does_not_show(study: AbstractStudy, collection: Collection) -> Verdict:
    scale = scales(collection)[0]
    return at_most(
        combine(
            lambda a, b: float(np.abs(a / b - 1)),
            gap(collection, "residual", scale),
            gap(collection, "residual, half the step", scale),
        ),
        0.05,
        claim="step",
        sentence="Half the step changes the distance of formula (7) by less than 5 %.",
        statement=study.statement("method"),
        quantity="relative change of the distance",
    )
