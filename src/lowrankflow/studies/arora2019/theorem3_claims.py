"""What recorded paths say of equation (7)."""

import functools

from lowrankflow.studies.arora2019.recorded_paths import over_paths
from lowrankflow.studies.arora2019.theorem3_jobs import SPOILED
from lowrankflow.studies.arora2019.theorem3_measures import (
    balanced_paths,
    bound_ratio,
    exponent,
    failures,
    relative_error,
    shapes_of,
    share_resolved,
)
from lowrankflow.studies.claims import at_least, at_most, trend
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.samples import largest, smallest
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.verdict import Verdict

EXACT = 1e-6
# Beyond this noise the imbalance is not small beside the least sigma^(2/N), 0.01.
_LINEAR = 3e-3


def law_holds(study: AbstractStudy, collection: Collection, depth: int) -> Verdict:
    samples = [
        over_paths(balanced_paths(collection, depth, shape), relative_error)
        for shape in shapes_of(collection, depth)
    ]
    return at_most(
        largest(samples),
        EXACT,
        claim=f"law-{depth}",
        sentence=f"At depth {depth} every singular value moves as equation (7) says.",
        statement=study.statement("law"),
        quantity="largest error of sigma', to the largest sigma' of the path",
        note="of the times at which vectors turn by at most 0.01 in a step, where five "
        "points err by (0.02)^4; the solver by 1e-11 over h, some 1e-8",
    )


def times_are_resolved(study: AbstractStudy, collection: Collection) -> Verdict:
    depths = [int(d) for d in collection.select(case="balanced").axis("depth")]
    samples = [
        over_paths(balanced_paths(collection, depth, shape), share_resolved)
        for depth in depths
        for shape in shapes_of(collection, depth)
    ]
    return at_least(
        smallest(samples),
        0.8,
        claim="resolved",
        sentence="The step resolves the turning of vectors at nearly all times.",
        statement=study.statement("law"),
        quantity="least share over paths of the times looked at",
        note="near a narrow gap of values a difference quotient says nothing",
    )


def other_law_fails(study: AbstractStudy, collection: Collection) -> Verdict:
    depths = [int(d) for d in collection.select(case="balanced").axis("depth")]
    samples = [
        over_paths(
            balanced_paths(collection, depth, shape),
            functools.partial(relative_error, depth=depth + 1),
        )
        for depth in depths
        for shape in shapes_of(collection, depth)
    ]
    return at_least(
        smallest(samples),
        0.05,
        claim="other-law",
        sentence="The law of one factor more does not describe any of these paths.",
        statement=study.statement("law"),
        quantity="least over paths of the largest relative error",
        note="from N to N + 1 the law changes by sigma^(2/(N(N+1))) (N+1)/N, by a "
        "third or more where sigma is near 1",
    )


def exponent_is(study: AbstractStudy, collection: Collection, depth: int) -> Verdict:
    samples = [
        over_paths(balanced_paths(collection, depth, shape), exponent)
        for shape in shapes_of(collection, depth)
    ]
    wanted = 2 - 2 / depth
    off = [sample.map(lambda p: abs(float(p) - wanted)) for sample in samples]
    return at_most(
        largest(off),
        1e-3,
        claim=f"exponent-{depth}",
        sentence=f"At depth {depth} what a value feels is multiplied by sigma^(2 - 2/N)"
        f" = sigma^{readable_power(depth)}, over all decades it grows through.",
        statement=study.statement("growth"),
        quantity="largest distance of the fitted exponent from 2 - 2/N",
        note="the exponent of a power law that is met to 1e-6; a neighbouring depth "
        "is off by 1/6 or more",
    )


def readable_power(depth: int) -> str:
    """2 - 2/N as a fraction."""
    return {1: "0", 2: "1", 3: "(4/3)", 4: "(3/2)"}[depth]


def bound_holds(study: AbstractStudy, collection: Collection) -> Verdict:
    ratios = [bound_ratio(collection, spoiled) for spoiled in SPOILED]
    return at_most(
        largest(ratios),
        1.0,
        claim="imbalance-bound",
        sentence="At depth 2 an unbalanced path departs from the law by no more than "
        "delta (|G v| + |G' u|), delta the spectral norm of the imbalance.",
        statement=study.statement("imbalance"),
        quantity="largest departure to its bound",
        note="derived on the study's page; a theorem, so 1 is the bound",
    )


def failure_is_linear(
    study: AbstractStudy, collection: Collection, depth: int
) -> Verdict:
    points = {
        spoiled: failures(collection, depth, spoiled)
        for spoiled in SPOILED
        if spoiled <= _LINEAR
    }
    return trend(
        points,
        log_x=True,
        log_y=True,
        lower=0.9,
        upper=1.1,
        claim=f"imbalance-linear-{depth}",
        sentence=f"At depth {depth} the departure is of first order in the imbalance.",
        statement=study.statement("imbalance"),
        quantity="largest |sigma' - law| against the noise on the factors, logarithms",
        note="first order where the imbalance is small beside sigma^(2/N)",
    )


def balance_is_needed(
    study: AbstractStudy, collection: Collection, depth: int
) -> Verdict:
    spoiled = failures(collection, depth, SPOILED[-1])
    return at_least(
        spoiled,
        1e-3,
        claim=f"imbalance-matters-{depth}",
        sentence=f"At depth {depth} the law needs the balance: with noise of "
        f"{SPOILED[-1]:g} on the factors it is plainly off.",
        statement=study.statement("imbalance"),
        quantity="largest |sigma' - law| to the largest |grad l|",
        note="a thousand times what balanced paths are held to",
    )
