"""What the runs say of the scale at which the counter-example's answer changes."""

import numpy as np

from lowrankflow.studies.claims import at_most, judged, trend, within
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021.basin_measures import (
    boundary,
    derived,
    exponent,
    scales,
    ways,
)
from lowrankflow.studies.samples import Sample, combine, largest, smallest
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.verdict import Region, Verdict

# Of the paper's instance, computed elsewhere.
TRACES = {-1000.0: 1161.0, -3000.0: 2181.0}
# The derivation is to leading order in R; the paper's is the largest asked for.
LARGE, LARGEST = 20.0, 100.0


def parameters(collection: Collection, depth: int, start: str) -> list[float]:
    """R whose boundary was looked for, ascending."""
    runs = collection.select(depth=depth, start=start)
    found = [float(R) for R in runs.axis("R")]
    # The paper's instance is out of reach at depth 2.
    return [R for R in found if not (depth == 2 and R == 100.0)]


def traces_of_the_papers_instance(
    study: AbstractStudy, collection: Collection
) -> Verdict:
    errors = [
        collection.last(
            "nuclear_norm", R=100.0, depth=2, start="identity", log10_scale=scale
        ).map(lambda norm, trace=trace: abs(float(norm) / trace - 1))
        for scale, trace in TRACES.items()
    ]
    return at_most(
        largest(errors),
        0.01,
        claim="traces",
        sentence="With R = 100 depth 2 ends at the traces 1161 from 1e-1000 and 2181 "
        "from 1e-3000.",
        statement=study.statement("traces"),
        quantity="largest relative difference",
    )


def smaller_is_further(study: AbstractStudy, collection: Collection) -> Verdict:
    steps = []
    for depth in (2, 3, 4):
        for R in parameters(collection, depth, "identity"):
            # A start of 0.1 and more is not small: its own trace shows.
            at = scales(collection, R, depth, "identity")
            points = ways(collection, R, depth, "identity")
            points = [way for x, way in zip(at, points, strict=True) if x <= -1.0]
            if len(points) > 1:
                steps.append(combine(lambda *y: float(np.diff(y).min()), *points))
    return judged(
        smallest(steps),
        # Close to rank one the rest of the loss is what is left of a step.
        Region(lower=-1e-4),
        claim="further",
        sentence="A smaller start ends further from the least nuclear norm, for every "
        "R and depth, at every step of the sweep below 0.1.",
        statement=study.statement("limit"),
        quantity="least step on the way to rank one",
        note="down to -1e-4, ten times what the loss at the end leaves open",
    )


def gap_alone(study: AbstractStudy, collection: Collection) -> Verdict:
    return trend(
        _points(collection, 2),
        log_x=True,
        log_y=True,
        lower=0.8,
        upper=1.2,
        claim="gap",
        sentence="At depth 2 the logarithm of the boundary is proportional to R, as if "
        "the gap at zero alone set it.",
        statement=study.statement("gap"),
        quantity="ln(1/scale) at the boundary against R, logarithms",
        note="R from 20 to 60",
    )


def grows_with(study: AbstractStudy, collection: Collection, depth: int) -> Verdict:
    wanted = exponent(depth)
    what = "ln(1/scale)" if depth == 2 else "1/scale"
    return trend(
        _points(collection, depth),
        log_x=True,
        # A boundary is kept as a logarithm already.
        log_y=depth == 2,
        lower=0.9 * wanted,
        upper=1.1 * wanted,
        claim=f"exponent-{depth}",
        sentence=f"At depth {depth} {what} at the boundary grows as R^{wanted:g}.",
        statement=study.statement("path"),
        quantity=f"{what} at the boundary against R, logarithms",
        note="R from 20 to 100; 10 % of the exponent, chosen before the runs",
    )


def grows_far_out(study: AbstractStudy, collection: Collection, depth: int) -> Verdict:
    wanted = exponent(depth)
    points = {
        R: boundary(collection, R, depth, "identity")
        for R in parameters(collection, depth, "identity")
        if R > LARGEST
    }
    return trend(
        points,
        log_x=True,
        lower=0.9 * wanted,
        upper=1.1 * wanted,
        claim=f"exponent-{depth}-far",
        sentence=f"From R = 200 to 400 the boundary of depth {depth} grows as "
        f"R^{wanted:g}.",
        statement=study.statement("path"),
        quantity="1/scale at the boundary against R, logarithms",
        note="beyond the paper's R = 100; added after the exponents from 20 to 100",
    )


def is_where_derived(
    study: AbstractStudy, collection: Collection, depth: int
) -> Verdict:
    found = parameters(collection, depth, "identity")
    R = max(R for R in found if R <= LARGEST)
    found = boundary(collection, R, depth, "identity")
    if depth == 2:
        values, lower, upper = found.map(lambda x: x / derived(R, 2)), 0.5, 2.0
        quantity = "log10(1/scale) at the boundary to the derived one"
    else:
        values, lower, upper = found.map(lambda x: x - derived(R, depth)), -0.7, 0.7
        quantity = "decades from the derived boundary"
    return within(
        values,
        lower,
        upper,
        claim=f"place-{depth}",
        sentence=f"At R = {R:g} and depth {depth} the boundary is where the slow path "
        "puts it.",
        statement=study.statement("path"),
        quantity=quantity,
        note="a factor of 2 in the logarithm, or of 5 in the scale: leading order",
    )


def depth_needs_less(study: AbstractStudy, collection: Collection) -> Verdict:
    ratios = []
    for R in parameters(collection, 2, "identity"):
        found = [boundary(collection, R, depth, "identity") for depth in (2, 3, 4)]
        ratios.append(combine(lambda a, b, c: max(b / a, c / b), *found))
    return at_most(
        largest(ratios),
        1.0,
        claim="depth",
        sentence="At every R depth 3 changes its answer at a larger scale than depth "
        "2, and depth 4 at a larger one than depth 3.",
        statement=study.statement("depth"),
        quantity="largest ratio of log10(1/scale) to that of one depth less",
    )


def out_of_reach(study: AbstractStudy, collection: Collection) -> Verdict:
    scale = scales(collection, 100.0, 2, "identity")[-1]
    return at_most(
        ways(collection, 100.0, 2, "identity")[-1],
        0.5,
        claim="out-of-reach",
        sentence=f"With R = 100 depth 2 from 10^{scale:g} is still nearer to the least "
        "nuclear norm.",
        statement=study.statement("path"),
        quantity="how far on the way to rank one",
        note="the derived boundary is 10^-54000",
    )


def random_starts_alike(study: AbstractStudy, collection: Collection) -> Verdict:
    ratios = [
        combine(
            # The larger of the ratio and its inverse.
            lambda a, b: float(max(a / b, b / a)),
            boundary(collection, R, 2, "random"),
            _every_seed(collection, R, boundary(collection, R, 2, "identity")),
        )
        for R in parameters(collection, 2, "random")
    ]
    return at_most(
        largest(ratios),
        2.0,
        claim="random",
        sentence="From random p.s.d. starts the boundary's logarithm is within a "
        "factor of two of that from the identity.",
        statement=study.statement("limit"),
        quantity="largest ratio over R",
        note="R up to 10",
    )


def _points(collection: Collection, depth: int) -> dict[float, Sample]:
    return {
        R: boundary(collection, R, depth, "identity")
        for R in parameters(collection, depth, "identity")
        if LARGE <= R <= LARGEST
    }


def _every_seed(collection: Collection, R: float, sample: Sample) -> Sample:
    """The number of a run without chance, beside each seed."""
    seeds = tuple(int(s) for s in collection.select(R=R, start="random").axis("seed"))
    values = np.repeat(sample.values, len(seeds))
    seeds = seeds if len(sample) else ()
    return Sample(values=values, seeds=seeds, missing=sample.missing)
