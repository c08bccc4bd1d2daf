"""What the runs with squared parameters say of corollary 2."""

from collections.abc import Callable, Mapping

import numpy as np

from lowrankflow.simulation import Recipe
from lowrankflow.studies.claims import (
    at_least,
    at_most,
    monotone,
    smaller_than,
    within,
)
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.commuting import (
    excess,
    exponents,
    local_exponent,
    minimum,
)
from lowrankflow.studies.samples import Sample, combine, largest
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.verdict import Verdict

Problem = Callable[[int], Recipe]


def scales(collection: Collection) -> list[float]:
    """The scales of the start of x, ascending."""
    return [float(s) for s in collection.select(method="flow").axis("init_scale")]


def recipes(collection: Collection, problem: Problem) -> Mapping[int | None, Recipe]:
    """The problem of every seed."""
    return {int(seed): problem(int(seed)) for seed in collection.axis("seed")}


def sum_excess(collection: Collection, problem: Problem, scale: float) -> Sample:
    """The excess of the sum over its minimum, relative, by seed."""
    places = {"method": "flow", "init_scale": scale}
    return excess(collection, recipes(collection, problem), **places)


def measured_exponent(collection: Collection, problem: Problem) -> Sample:
    """The slope of the logarithms between the two smallest scales."""
    first, second = scales(collection)[:2]
    return local_exponent(
        (first, second),
        sum_excess(collection, problem, first),
        sum_excess(collection, problem, second),
    )


def predicted_exponent(
    collection: Collection, problem: Problem, seeds: tuple[int | None, ...]
) -> Sample:
    """The least slack of the dual."""
    return exponents(recipes(collection, problem), seeds)


def program_is_certified(
    study: AbstractStudy, collection: Collection, problem: Problem
) -> Verdict:
    certified = collection.last("nuclear_norm", method="minimum")
    totals = [minimum(problem(int(seed or 0)))[1].total for seed in certified.seeds]
    program = Sample(values=np.array(totals), seeds=certified.seeds)
    return at_most(
        combine(lambda a, b: abs(a / b - 1), certified, program),
        1e-7,
        claim="minimum",
        sentence="The linear program's least sum is the certified least trace.",
        statement=study.statement("minimum"),
        quantity="relative difference",
        note="ten times the duality gap asked for",
    )


def stays_diagonal(study: AbstractStudy, collection: Collection) -> Verdict:
    def off(matrix: np.ndarray) -> float:
        return float(np.abs(matrix - np.diag(np.diag(matrix))).max())

    return at_most(
        largest(
            [
                collection.last("matrix", method="flow", init_scale=scale).map(off)
                for scale in scales(collection)
            ]
        ),
        0.0,
        claim="diagonal",
        sentence="The matrix flow is the vector's: no entry leaves the diagonal.",
        statement=study.statement("minimum"),
        quantity="largest entry off the diagonal",
        note="zeros stay zeros in floating point",
    )


def sum_falls(
    study: AbstractStudy, collection: Collection, problem: Problem
) -> Verdict:
    points = {
        -np.log10(scale): sum_excess(collection, problem, scale).map(
            lambda number: float(np.log10(number))
        )
        for scale in scales(collection)
    }
    return monotone(
        points,
        "falling",
        claim="falls",
        sentence="The excess falls at every step to a smaller start.",
        statement=study.statement("minimum"),
        quantity="log10 of the excess",
    )


def near_at_factor_scale(
    study: AbstractStudy, collection: Collection, problem: Problem
) -> Verdict:
    return at_most(
        sum_excess(collection, problem, 1e-8),
        0.01,
        claim="scale",
        sentence="From u_0 = 1e-4 the sum is within 1 % of the least.",
        statement=study.statement("scale"),
        quantity="excess of the sum, relative",
        note="the bound was set on two instances",
    )


def exponent_is_the_slack(
    study: AbstractStudy, collection: Collection, problem: Problem
) -> Verdict:
    slope = measured_exponent(collection, problem)
    predicted = predicted_exponent(collection, problem, slope.seeds)
    return within(
        combine(lambda a, b: a - b, slope, predicted),
        -0.05,
        0.05,
        claim="exponent",
        sentence="Between the two smallest scales the excess falls as the scale to the "
        "power of the dual's least slack.",
        statement=study.statement("rate"),
        quantity="exponent measured minus predicted",
    )


def ends_at_the_minimizer(
    study: AbstractStudy, collection: Collection, problem: Problem
) -> Verdict:
    def distance(scale: float) -> Sample:
        ends = collection.last("matrix", method="flow", init_scale=scale)
        values = []
        for seed, matrix in zip(ends.seeds, ends.values, strict=True):
            wanted = minimum(problem(int(seed or 0)))[1].values
            gap = np.linalg.norm(np.diag(matrix) - wanted)
            values.append(float(gap / np.linalg.norm(wanted)))
        return Sample(values=np.array(values), seeds=ends.seeds, missing=ends.missing)

    ordered = scales(collection)
    return smaller_than(
        distance(ordered[0]),
        distance(1.0),
        factor=0.1,
        claim="minimizer",
        sentence=f"From {ordered[0]:g} x ends ten times nearer to the vertex of least "
        "sum than from 1.",
        statement=study.statement("minimum"),
        quantity="distance from the vertex",
    )


def large_starts_are_far(
    study: AbstractStudy, collection: Collection, problem: Problem
) -> Verdict:
    return at_least(
        sum_excess(collection, problem, 1.0),
        0.1,
        claim="large",
        sentence="From 1, a start of the solution's size, the sum is more than 10 % "
        "above the least.",
        statement=study.statement("minimum"),
        quantity="excess of the sum, relative",
        note="without this the instances would not tell a bias from none",
    )
