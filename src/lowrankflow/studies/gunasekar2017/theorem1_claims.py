"""What the runs of commuting problems say of theorem 1."""

import numpy as np

from lowrankflow.simulation import Recipe
from lowrankflow.studies.claims import at_most, monotone, trend, within
from lowrankflow.studies.collection import AxisValue, Collection
from lowrankflow.studies.commuting import (
    FIXTURE,
    apart,
    excess,
    exponents,
    family,
    local_exponent,
    minimum,
)
from lowrankflow.studies.samples import Sample, combine, largest
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.verdict import Verdict


def scales(collection: Collection, case: str) -> list[float]:
    """The scales of a case, ascending."""
    return [float(s) for s in collection.select(case=case).axis("init_scale")]


def family_excess(collection: Collection, **axes: AxisValue) -> Sample:
    """The relative excess of the families, by seed."""
    seeds = collection.select(case="family").axis("seed")
    recipes: dict[int | None, Recipe] = {int(s): family(int(s)) for s in seeds}
    return excess(collection, recipes, case="family", **axes)


def fixture_excess(collection: Collection, depth: int, scale: float) -> Sample:
    """The same of the fixture."""
    places = {"case": "fixture", "depth": depth, "init_scale": scale}
    return excess(collection, {None: FIXTURE}, **places)


def fixture_formula(scale: float) -> np.ndarray:
    """Where the flow of depth 2 from scale x I ends on the fixture."""
    z = (np.sqrt(1 + 4 / scale) - 1) / 2
    return np.diag([scale * z, scale * z**2, scale * z])


def minimum_is_certified(study: AbstractStudy, collection: Collection) -> Verdict:
    certified = collection.last("nuclear_norm", case="minimum")
    totals = [minimum(family(int(seed or 0)))[1].total for seed in certified.seeds]
    program = Sample(values=np.array(totals), seeds=certified.seeds)
    return at_most(
        combine(lambda a, b: abs(a / b - 1), certified, program),
        1e-7,
        claim="minimum",
        sentence="The certified least trace is that of the linear program.",
        statement=study.statement("minimum"),
        quantity="relative difference",
        note="ten times the duality gap asked for",
    )


def fixture_has_its_formula(study: AbstractStudy, collection: Collection) -> Verdict:
    errors = [
        collection.last("matrix", case="fixture", depth=2, init_scale=scale).map(
            lambda W, scale=scale: float(np.abs(W - fixture_formula(scale)).max())
        )
        for scale in scales(collection, "fixture")
    ]
    return at_most(
        largest(errors),
        1e-6,
        claim="formula",
        sentence="On the fixture the flow of depth 2 ends at the formula.",
        statement=study.statement("rate"),
        quantity="largest difference of an entry",
        note="the solver's tolerance times some hundred steps",
    )


def fixture_rate(study: AbstractStudy, collection: Collection, depth: int) -> Verdict:
    rate = 0.5 if depth == 2 else 1.0
    # At 0.1 the next order still shows.
    small = [scale for scale in scales(collection, "fixture") if scale <= 1.01e-2]
    points = {scale: fixture_excess(collection, depth, scale) for scale in small}
    return trend(
        points,
        log_x=True,
        log_y=True,
        lower=rate - 0.05,
        upper=rate + 0.05,
        claim=f"rate-{depth}",
        sentence=f"On the fixture the excess at depth {depth} falls as the scale to "
        f"the power {rate:g}.",
        statement=study.statement("rate" if depth == 2 else "deep"),
        quantity="excess of the trace against the scale, logarithms",
    )


def excess_falls(study: AbstractStudy, collection: Collection) -> Verdict:
    points = {
        -np.log10(scale): family_excess(collection, path="flow", init_scale=scale).map(
            lambda number: float(np.log10(number))
        )
        for scale in scales(collection, "family")
    }
    return monotone(
        points,
        "falling",
        claim="falls",
        sentence="On random families the excess falls at every step to a smaller "
        "start.",
        statement=study.statement("minimum"),
        quantity="log10 of the excess",
    )


def exponent_is_the_slack(study: AbstractStudy, collection: Collection) -> Verdict:
    first, second = scales(collection, "family")[:2]
    slope = local_exponent(
        (first, second),
        family_excess(collection, path="flow", init_scale=first),
        family_excess(collection, path="flow", init_scale=second),
    )
    seeds = slope.seeds
    predicted = exponents({seed: family(int(seed or 0)) for seed in seeds}, seeds)
    return within(
        combine(lambda a, b: a - b, slope, predicted),
        -0.05,
        0.05,
        claim="exponent",
        sentence=f"Between {second:g} and {first:g} the excess falls as the scale to "
        "the power of the dual's least slack.",
        statement=study.statement("rate"),
        quantity="exponent measured minus predicted",
        note="a second eigenvalue of nearly the same slack is what it still feels",
    )


def path_has_the_same_end(
    study: AbstractStudy, collection: Collection, path: str
) -> Verdict:
    names = {
        "huber": "the Huber loss",
        "power": "the loss |r|^1.5",
        "push": "a random push of the control",
    }
    return at_most(
        _apart_from_flow(collection, path),
        1e-5,
        claim=f"same-end-{path}",
        sentence=f"With {names[path]} the end is that of the squared loss.",
        statement=study.statement("controls"),
        quantity="largest relative difference of the ends over the scales",
        note="residuals are at most 3e-7 at the end",
    )


def batches_are_near(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_most(
        _apart_from_flow(collection, "batches"),
        0.05,
        claim="same-end-batches",
        sentence="One random measurement a step ends near the flow's end.",
        statement=study.statement("controls"),
        quantity="largest relative difference of the ends over the scales",
        note="the step is 0.02, and the difference of first order in it",
    )


def batches_are_first_order(study: AbstractStudy, collection: Collection) -> Verdict:
    whole = _apart_from_flow(collection, "batches")
    half = _apart_from_flow(collection, "batches, half the step")
    return within(
        combine(lambda a, b: float(np.log2(a / b)), whole, half),
        0.7,
        1.3,
        claim="order-batches",
        sentence="Half the step halves the distance of the batches' end.",
        statement=study.statement("steps"),
        quantity="order in the step",
        note="1 by theory; the batches drawn are others at each step",
    )


def _apart_from_flow(collection: Collection, path: str) -> Sample:
    def end(way: str, scale: float) -> Sample:
        return collection.last("matrix", case="family", path=way, init_scale=scale)

    return largest(
        [
            apart(end(path, scale), end("flow", scale))
            for scale in scales(collection, "family")
        ]
    )
