"""What the runs say of theorem 2: the closed form, the limit, its rate."""

import numpy as np

from lowrankflow.studies.arora2019.theorem2_jobs import (
    PATH_SCALE,
    PERTURBATION,
    ROTATED_SCALE,
)
from lowrankflow.studies.arora2019.theorem2_measures import (
    SIGNED_SLACK,
    depths,
    excess,
    fixture_formula,
    formula_rank,
    from_formula,
    least_slacks,
    off_diagonal,
    off_manifold,
    predicted_excess,
    ranks,
    scales,
)
from lowrankflow.studies.claims import (
    at_least,
    at_most,
    monotone,
    smaller_than,
    trend,
    within,
)
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.commuting import family, local_exponent, minimum
from lowrankflow.studies.samples import Sample, combine, largest
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.verdict import Verdict

# A tolerance of 1e-8 per step over some hundred steps.
SAME = 1e-6


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


def path_has_its_formula(study: AbstractStudy, collection: Collection) -> Verdict:
    found = [
        off_manifold(collection, depth, PATH_SCALE) for depth in depths(collection)
    ]
    return at_most(
        largest(found),
        SAME,
        claim="formula-path",
        sentence="At every record and depth the eigenvalues are those of the closed "
        "form under one control.",
        statement=study.statement("formula"),
        quantity="largest part of the drives that no control gives",
        note="the solver's tolerance times some hundred steps",
    )


def end_has_its_formula(
    study: AbstractStudy, collection: Collection, case: str
) -> Verdict:
    at = [ROTATED_SCALE] if case == "rotated" else scales(collection, case)
    found = [
        from_formula(collection, case, depth, scale)
        for depth in depths(collection)
        for scale in at
    ]
    basis = "a random common basis" if case == "rotated" else "the unit vectors"
    return at_most(
        largest(found),
        SAME,
        claim=f"formula-end-{case}",
        sentence=f"With {basis} the flow ends at the end of the closed form.",
        statement=study.statement("formula"),
        quantity="largest relative difference over depths and scales",
        note="as on the path",
    )


def excess_falls(study: AbstractStudy, collection: Collection, depth: int) -> Verdict:
    points = {
        -np.log10(scale): excess(collection, "family", depth, scale).map(np.log10)
        for scale in scales(collection, "family")
    }
    return monotone(
        points,
        "falling",
        claim=f"falls-{depth}",
        sentence=f"At depth {depth} the excess falls at every step to a smaller start.",
        statement=study.statement("minimum" if depth > 2 else "asymmetric"),
        quantity="log10 of the excess",
    )


def excess_vanishes(study: AbstractStudy, collection: Collection) -> Verdict:
    deep = [depth for depth in depths(collection) if depth > 2]
    least = scales(collection, "family")[0]
    return at_most(
        largest([excess(collection, "family", depth, least) for depth in deep]),
        1e-6,
        claim="vanishes",
        sentence=f"From depth 3 on, at scale {least:g}, nothing is left of it.",
        statement=study.statement("minimum"),
        quantity="largest relative excess over depths",
        note="the scale times slack^-2, were the least slack 0.01",
    )


def exponent_is_one(
    study: AbstractStudy, collection: Collection, depth: int
) -> Verdict:
    return within(
        last_exponent(collection, "family", depth),
        0.95,
        1.05,
        claim=f"rate-{depth}",
        sentence=f"At depth {depth} the excess falls linearly in the product's scale.",
        statement=study.statement("rate"),
        quantity="exponent between the two smallest scales",
        note="room for the next order of families with a small slack",
    )


def constant_is_derived(
    study: AbstractStudy, collection: Collection, depth: int
) -> Verdict:
    least = scales(collection, "family")[0]
    found = excess(collection, "family", depth, least)
    wanted = predicted_excess(found.seeds, depth=depth, scale=least)
    return within(
        combine(lambda a, b: a / b, found, wanted),
        0.9,
        1.05,
        claim=f"constant-{depth}",
        sentence=f"At depth {depth} its constant is the sum of slack^(-2/(N-2)).",
        statement=study.statement("rate"),
        quantity=f"excess over the formula at scale {least:g}",
        note="the next order lowers it, by scale x slack^(-N/(N-2))",
    )


def exponent_is_the_slack(study: AbstractStudy, collection: Collection) -> Verdict:
    slope = last_exponent(collection, "family", 2)
    return within(
        combine(lambda a, b: a - b, slope, least_slacks(slope.seeds)),
        -0.05,
        0.05,
        claim="rate-2",
        sentence="At depth 2 the exponent is the least slack of the dual.",
        statement=study.statement("slack"),
        quantity="exponent measured minus predicted",
        note="a second eigenvalue of nearly the same slack is what it still feels",
    )


def deeper_is_nearer(
    study: AbstractStudy, collection: Collection, depth: int
) -> Verdict:
    """Against one factor less, at equal scales of the product."""
    scale = 1e-4
    return smaller_than(
        excess(collection, "family", depth, scale),
        excess(collection, "family", depth - 1, scale),
        claim=f"nearer-{depth}",
        sentence=f"At scale {scale:g} depth {depth} ends nearer to the least trace "
        f"than depth {depth - 1}.",
        statement=study.statement("depth"),
        quantity="excess",
        note="slacks of these families are below 1; 'signed' has one above",
    )


def fixture_has_its_constant(
    study: AbstractStudy, collection: Collection, depth: int
) -> Verdict:
    least = scales(collection, "fixture")[0]
    formula = fixture_formula(depth, least)
    # The next order: 1 - (E'nu)_k of what is positive, relative to the slack.
    room = 4 * least ** (0.5 if depth == 2 else (depth - 2) / depth)
    return within(
        excess(collection, "fixture", depth, least).map(lambda a: a / formula),
        1 - room,
        1 + room,
        claim=f"fixture-{depth}",
        sentence=f"On the fixture the excess at depth {depth} is "
        + ("sqrt(scale)." if depth == 2 else f"{formula / least:.3g} x scale."),
        statement=study.statement("rate" if depth > 2 else "slack"),
        quantity=f"excess over the formula at scale {least:g}",
        note="room for the next order, scale^((N-2)/N), scale^(1/2) at depth 2",
    )


def signed_rate(study: AbstractStudy, collection: Collection, depth: int) -> Verdict:
    at = scales(collection, "signed", depth)[:2]
    rate = SIGNED_SLACK if depth == 2 else 1.0
    return trend(
        {scale: excess(collection, "signed", depth, scale) for scale in at},
        log_x=True,
        log_y=True,
        lower=rate - 0.05,
        upper=rate + 0.05,
        claim=f"signed-{depth}",
        sentence=f"Where all slacks are 3, the exponent at depth {depth} is {rate:g}.",
        statement=study.statement("depth"),
        quantity="excess of the trace against the scale, logarithms",
        note=f"between {at[0]:g} and {at[-1]:g}",
    )


def depth_2_is_nearest(study: AbstractStudy, collection: Collection) -> Verdict:
    scale, deep = 1e-3, depths(collection)[-1]
    return smaller_than(
        excess(collection, "signed", 2, scale),
        excess(collection, "signed", deep, scale),
        factor=0.01,
        claim="signed-nearest",
        sentence=f"There, at scale {scale:g}, depth 2 is a hundred times nearer to the "
        f"least trace than depth {deep}.",
        statement=study.statement("depth"),
        quantity="excess",
        note="the formulas give 3^(2N/(N-2) - 1) / 3 x 1e-6 at most 3e-5",
    )


def unequal_factors(study: AbstractStudy, collection: Collection) -> Verdict:
    return within(
        collection.last("nuclear_norm", case="unequal"),
        1.5,
        1.51,
        claim="unequal",
        sentence="From factors 2 a I and a I / 2 the product ends at the least nuclear "
        "norm of all fits, 3/2, below the 2 of p.s.d. ones.",
        statement=study.statement("signs"),
        quantity="nuclear norm at the end",
        note="what is left is of order scale^(1/2), 0.001",
    )


def depth_2_forgives(study: AbstractStudy, collection: Collection) -> Verdict:
    found = [off_diagonal(collection, 2, s) for s in scales(collection, "perturbed")]
    return at_most(
        largest(found),
        10 * PERTURBATION,
        claim="stable-2",
        sentence="At depth 2 a start off the commuting path by 1e-6 ends off it by no "
        "more than ten times that.",
        statement=study.statement("stability"),
        quantity="largest off-diagonal part over the scales",
        note="by the closed form for any start it is carried along as sqrt(x_j x_k)",
    )


def depth_leaves_the_path(study: AbstractStudy, collection: Collection) -> Verdict:
    depth, least = depths(collection)[-1], scales(collection, "perturbed")[0]
    return at_least(
        off_diagonal(collection, depth, least),
        0.05,
        claim="unstable",
        sentence=f"At depth {depth} and scale {least:g} the same start ends elsewhere.",
        statement=study.statement("stability"),
        quantity="off-diagonal part at the end",
        note="growth of 10^4.7; set after a trial of four seeds had 0.5 to 0.7",
    )


def path_left_to_lower_rank(study: AbstractStudy, collection: Collection) -> Verdict:
    depth, least = depths(collection)[-1], scales(collection, "perturbed")[0]
    found = ranks(collection, "perturbed", depth, least)
    return smaller_than(
        found,
        formula_rank(found.seeds, depth=depth, scale=least),
        by="difference",
        claim="lower-rank",
        sentence="It ends at a lower effective rank than the commuting path does.",
        statement=study.statement("stability"),
        quantity="effective rank",
    )


def trace_off_the_path(study: AbstractStudy, collection: Collection) -> Verdict:
    depth, least = depths(collection)[-1], scales(collection, "perturbed")[0]
    found = excess(collection, "perturbed", depth, least)
    # That some end has a higher trace is shown by one: the largest has no interval.
    worst = found.values.max(initial=0.0) if len(found) else np.nan
    return at_least(
        Sample(values=np.array([worst]), seeds=(None,), missing=found.missing),
        1e-3,
        claim="higher-trace",
        sentence="Its trace need not be the least one.",
        statement=study.statement("stability"),
        quantity="largest relative excess of the trace over seeds",
        note="1e-5 on the path; set after trials, where some had 5e-6 and one 0.3",
    )


def last_exponent(collection: Collection, case: str, depth: int) -> Sample:
    """The slope of log excess between the two smallest scales."""
    first, second = scales(collection, case)[:2]
    return local_exponent(
        (first, second),
        excess(collection, case, depth, first),
        excess(collection, case, depth, second),
    )
