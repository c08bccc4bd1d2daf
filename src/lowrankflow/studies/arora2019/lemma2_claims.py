"""What recorded paths say of equations (8) and (9)."""

import functools
import math
from collections.abc import Callable

from lowrankflow.studies.arora2019.lemma2_jobs import FINE_STEP, NOISES
from lowrankflow.studies.arora2019.lemma2_measures import (
    completion_paths,
    crossing_paths,
    error_inside_the_span,
    five_point_ratio,
    kinds,
    sensitivity,
    share_resolved,
    speed_ratio,
    three_point_ratio,
    worst_error,
)
from lowrankflow.studies.arora2019.recorded_paths import RecordedPath, over_paths
from lowrankflow.studies.claims import at_least, at_most, trend, within
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.samples import Sample, combine, largest, smallest
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.verdict import Verdict

# Where the error of three points is above that of the trajectory, 1e-11 / step.
_NARROW = tuple(noise for noise in NOISES if noise <= 0.03)


def vectors_move_as_said(
    study: AbstractStudy, collection: Collection, side: str
) -> Verdict:
    number, name = {"left": (8, "U"), "right": (9, "V")}[side]
    return at_most(
        largest(_completions(collection, functools.partial(worst_error, side=side))),
        1e-5,
        claim=f"vectors-{side}",
        sentence=f"Along completions {name} turns as equation ({number}) says, square "
        "and rectangular, at every depth.",
        statement=study.statement("vectors"),
        quantity=f"largest ||{name}' - ({number})|| / max(1, ||({number})||)",
        note="of the times at which vectors turn by at most 0.01 in a step: five "
        "points err there by (0.02)^4, the solver by 1e-11 over step and gap",
    )


def most_times_are_resolved(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_least(
        smallest(_completions(collection, share_resolved)),
        0.8,
        claim="resolved",
        sentence="These are nearly all times.",
        statement=study.statement("vectors"),
        quantity="least share of times at which the step resolves the turn",
        note="values come near one another now and then",
    )


def other_depth_fails(study: AbstractStudy, collection: Collection) -> Verdict:
    samples = [
        over_paths(
            completion_paths(collection, depth, shape),
            functools.partial(worst_error, side="left", depth=depth + 1),
        )
        for depth, shape in kinds(collection)
    ]
    return at_least(
        smallest(samples),
        0.03,
        claim="other-depth",
        sentence="With the F of one factor more they do not.",
        statement=study.statement("vectors"),
        quantity="least over paths of the largest error",
        note="the change of sigma^(2/N) from N = 4 to 5 is a tenth for values near 1",
    )


def the_rest_of_space_counts(study: AbstractStudy, collection: Collection) -> Verdict:
    samples = [
        over_paths(completion_paths(collection, depth, shape), error_inside_the_span)
        for depth, shape in kinds(collection)
        if shape != "square"
    ]
    return at_least(
        smallest(samples),
        0.03,
        claim="outside",
        sentence="In rectangles the part that leaves the span of the frame is needed.",
        statement=study.statement("vectors"),
        quantity="least over paths of the largest error without it",
        note="two of six dimensions are outside: no small part of a gradient",
    )


def speed_is_over_the_gap(study: AbstractStudy, collection: Collection) -> Verdict:
    return within(
        _worst(_crossings(collection, speed_ratio, NOISES)),
        0.9,
        1.1,
        claim="speed-gap",
        sentence="Through an avoided crossing vectors turn at a speed inverse to the "
        "gap, at the rate at which the values would have passed.",
        statement=study.statement("gap"),
        quantity="gap ||U'|| sqrt(2) / c, the farthest from 1",
        note="c by equation (7) at the crossing without coupling; the next order is "
        "that of the coupling, 0.1 at most",
    )


def three_points_err_as_derived(
    study: AbstractStudy, collection: Collection
) -> Verdict:
    return within(
        _worst(_crossings(collection, three_point_ratio, _NARROW)),
        0.9,
        1.1,
        claim="three-points",
        sentence="There the difference of three points from equation (8) is that of "
        "the points: (3/8) (h kappa)^2 of the speed, kappa = c / gap.",
        statement=study.statement("gap"),
        quantity="error to (3/8) (h kappa)^2, the farthest from 1",
        note=f"h = {FINE_STEP:g}; derived on the study's page",
    )


def five_points_err_as_derived(study: AbstractStudy, collection: Collection) -> Verdict:
    return within(
        _worst(_crossings(collection, five_point_ratio, NOISES[-1:])),
        0.9,
        1.1,
        claim="five-points",
        sentence="And that of five points, at the narrowest, (31/32) (h kappa)^4.",
        statement=study.statement("gap"),
        quantity="error to (31/32) (h kappa)^4, the farthest from 1",
        note="at wider gaps this is below what the trajectory is known to",
    )


def formula_is_ill_conditioned(
    study: AbstractStudy, collection: Collection, depth: int
) -> Verdict:
    points = {
        noise: over_paths(crossing_paths(collection, depth, noise), sensitivity)
        for noise in NOISES
    }
    return trend(
        points,
        log_x=True,
        log_y=True,
        lower=-1.1,
        upper=-0.9,
        claim=f"conditioning-{depth}",
        sentence=f"At depth {depth} a change of W changes equation (8) relatively by "
        "some multiple of its size over the gap.",
        statement=study.statement("gap"),
        quantity="relative change over the change of W, against the coupling, "
        "logarithms",
        note="the gap is proportional to the coupling; F and U each have a derivative "
        "of 1 / gap",
    )


def crossing_depths(collection: Collection) -> list[int]:
    """The depths of the avoided crossings."""
    return [int(depth) for depth in collection.select(case="crossing").axis("depth")]


def _completions(
    collection: Collection, measure: Callable[[RecordedPath], float]
) -> list[Sample]:
    return [
        over_paths(completion_paths(collection, depth, shape), measure)
        for depth, shape in kinds(collection)
    ]


def _crossings(
    collection: Collection,
    measure: Callable[[RecordedPath], float],
    noises: tuple[float, ...],
) -> list[Sample]:
    return [
        over_paths(crossing_paths(collection, depth, noise), measure)
        for depth in crossing_depths(collection)
        for noise in noises
    ]


def _worst(ratios: list[Sample]) -> Sample:
    """Every seed's ratio that is the farthest from 1."""
    return combine(lambda *numbers: max(numbers, key=_distance), *ratios)


def _distance(ratio: float) -> float:
    return math.inf if math.isnan(ratio) else abs(float(ratio) - 1)
