"""What recorded paths say of vectors at rest and a diagonal gradient."""

from collections.abc import Callable

from lowrankflow.studies.arora2019.corollary1_jobs import STARTS
from lowrankflow.studies.arora2019.corollary1_measures import (
    correlation,
    gradient_between,
    identity_error,
    imbalance_ratio,
    kinds,
    pair_violation,
    runs_of,
    sandwich_violation,
    share_resolved,
    speed_at_rest,
)
from lowrankflow.studies.arora2019.recorded_paths import RecordedPath, over_paths
from lowrankflow.studies.claims import at_least, at_most
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.samples import Sample, largest, smallest
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.verdict import Verdict

# Room for what is measured: a thousandth.
_IN = 1.001


def every(
    collection: Collection, measure: Callable[[RecordedPath], float], *starts: str
) -> list[Sample]:
    """A number of every run with some starts."""
    return [
        over_paths(runs_of(collection, *kind), measure)
        for kind in kinds(collection, *starts)
    ]


def identity_holds(study: AbstractStudy, collection: Collection, start: str) -> Verdict:
    return at_most(
        largest(every(collection, identity_error, start)),
        1e-5,
        claim=f"identity-{start}",
        sentence=f"From the start {start} the off-diagonal part of U'U. S - S V'V. is "
        "that of -H o (U'GV).",
        statement=study.statement("identity"),
        quantity="largest difference, to the largest entry of the path",
        note="at times at which vectors turn by at most 0.01 in a step, where five "
        "points err by (0.02)^4",
    )


def times_are_resolved(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_least(
        smallest(every(collection, share_resolved, *STARTS)),
        0.8,
        claim="resolved",
        sentence="Those are nearly all times.",
        statement=study.statement("identity"),
        quantity="least share of times at which the step resolves the turn",
        note="values come near one another now and then",
    )


def sandwich_holds(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_most(
        largest(every(collection, sandwich_violation, *STARTS)),
        _IN,
        claim="sandwich",
        sentence="||U'U. S - S V'V.|| off the diagonal lies between min H and max H "
        "times ||U'GV|| off the diagonal.",
        statement=study.statement("bounds"),
        quantity="largest factor beyond a bound; at most 1 is between",
        note="follows from the identity, entry by entry; room for 1e-3 of measurement",
    )


def pairs_are_in_bounds(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_most(
        largest(every(collection, pair_violation, *STARTS)),
        _IN,
        claim="pairs",
        sentence="Every pair of directions r, s turns at between H / (r + s) and "
        "H / |r - s| times the gradient between them.",
        statement=study.statement("bounds"),
        quantity="largest factor beyond a bound; at most 1 is between",
        note="derived on the study's page; at depth 2 the lower bound is 1",
    )


def vanish_together(
    study: AbstractStudy, collection: Collection, start: str
) -> Verdict:
    return at_least(
        smallest(every(collection, correlation, start)),
        0.8,
        claim=f"together-{start}",
        sentence=f"From the start {start} speed and off-diagonal gradient rise and "
        "fall together over time.",
        statement=study.statement("rest"),
        quantity="least correlation of their logarithms, over depths and shapes",
        note="chosen before the runs; the bounds leave a factor (r + s) / |r - s|",
    )


def vectors_stand_still(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_most(
        largest(every(collection, speed_at_rest, "still")),
        1e-6,
        claim="still",
        sentence="Where W and the gradient have the same singular vectors these stand "
        "still.",
        statement=study.statement("rest"),
        quantity="largest speed of a pair",
        note="zero in exact arithmetic; 1e-16 over gap and step in rounding",
    )


def gradient_is_diagonal(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_most(
        largest(every(collection, gradient_between, "still")),
        1e-10,
        claim="diagonal",
        sentence="And U'GV stays diagonal all the time.",
        statement=study.statement("rest"),
        quantity="largest off-diagonal gradient to the largest gradient",
        note="zero in exact arithmetic",
    )


def balance_is_needed(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_least(
        smallest(every(collection, identity_error, "factors")),
        1e-3,
        claim="unbalanced-off",
        sentence="From Gaussian factors, which are not balanced, the identity is off.",
        statement=study.statement("imbalance"),
        quantity="least over runs of the largest difference",
        note="a hundred times what balanced runs are held to",
    )


def imbalance_bounds_it(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_most(
        imbalance_ratio(collection, "square"),
        1.0,
        claim="unbalanced-bound",
        sentence="At depth 2 by no more than 2 delta ||G||, delta the spectral norm of "
        "the imbalance.",
        statement=study.statement("imbalance"),
        quantity="largest difference to its bound",
        note="as for singular values, on the page of theorem 3",
    )
