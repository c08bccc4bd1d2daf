"""What recorded paths say of the analytic singular value decomposition."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from lowrankflow.studies.arora2019.lemma1_jobs import CASES
from lowrankflow.studies.arora2019.lemma1_measures import (
    crossings,
    gap_order,
    kinds,
    kinks,
    largest_sorted_step,
    least_overlap,
    reconstruction_error,
    runs_of,
    sign_changes,
    smoothness_order,
    sorted_order,
    sorted_step_order,
    step_order,
)
from lowrankflow.studies.arora2019.recorded_paths import RecordedPath, over_paths
from lowrankflow.studies.claims import at_least, at_most, within
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.samples import Sample, combine, largest, smallest
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.verdict import Verdict


def every(
    collection: Collection,
    measure: Callable[[RecordedPath], float],
    *cases: str,
    least_depth: int = 1,
) -> list[Sample]:
    """A number of every run of some cases."""
    return [
        over_paths(runs_of(collection, case, depth, shape), measure)
        for case in cases
        for depth, shape in kinds(collection, case)
        if depth >= least_depth
    ]


def where_values_cross(
    collection: Collection, measure: Callable[[RecordedPath], float]
) -> list[Sample]:
    """The same of the runs with the symmetry; not a number where no values cross."""

    def crossed(path: RecordedPath) -> float:
        return measure(path) if crossings(path) else math.nan

    return every(collection, crossed, "symmetric")


def largest_known(samples: list[Sample]) -> Sample:
    """Every seed's largest number of the runs that have one."""
    return combine(lambda *numbers: _known(numbers, max), *samples)


def smallest_known(samples: list[Sample]) -> Sample:
    """Every seed's smallest number of the runs that have one."""
    return combine(lambda *numbers: _known(numbers, min), *samples)


def _known(numbers: Sequence[float], choose: Callable[[list[float]], float]) -> float:
    known = [float(number) for number in numbers if not math.isnan(number)]
    return choose(known) if known else math.nan


def decomposition_is_exact(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_most(
        largest(every(collection, reconstruction_error, *CASES)),
        1e-12,
        claim="exact",
        sentence="The followed decomposition is one at every record: U S V' is W and "
        "the columns are orthonormal.",
        statement=study.statement("analytic"),
        quantity="largest of ||U S V' - W|| / ||W|| and |U'U - I|, |V'V - I|",
        note="rounding of decompositions of 6 x 4 matrices, with room",
    )


def path_is_resolved(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_least(
        smallest(every(collection, least_overlap, *CASES)),
        0.7,
        claim="resolved",
        sentence="From record to record every direction is most like itself.",
        statement=study.statement("analytic"),
        quantity="least overlap of a direction with itself one record before",
        note="below cos 45 degrees another direction could be taken for it",
    )


def values_cross(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_least(
        combine(
            lambda *counts: float(np.mean([count > 0 for count in counts])),
            *every(collection, crossings, "symmetric"),
        ),
        0.8,
        claim="crosses",
        sentence="With the symmetry singular values cross in nearly every run.",
        statement=study.statement("analytic"),
        quantity="share of the runs of a seed, over depths and shapes, with a crossing",
        note="the odd part starts below the even one and ends above it, given time",
    )


def vectors_go_on(study: AbstractStudy, collection: Collection) -> Verdict:
    return within(
        smallest_known(where_values_cross(collection, step_order)),
        0.85,
        1.1,
        claim="vectors-continue",
        sentence="Through crossings followed vectors have a bounded speed: half the "
        "step, half the largest change.",
        statement=study.statement("analytic"),
        quantity="least order in the step of the largest change of U",
        note="1 for a path with a derivative; 0 for one that jumps",
    )


def sorted_vectors_jump(study: AbstractStudy, collection: Collection) -> Verdict:
    return within(
        smallest_known(where_values_cross(collection, largest_sorted_step)),
        1.9,
        2.2,
        claim="sorted-jump",
        sentence="Sorted vectors change places there, a jump of norm 2.",
        statement=study.statement("analytic"),
        quantity="largest change of sorted U between records, best signs",
        note="two orthonormal columns exchanged: sqrt(2 + 2)",
    )


def sorted_jump_stays(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_most(
        largest_known(where_values_cross(collection, sorted_step_order)),
        0.1,
        claim="sorted-jump-stays",
        sentence="That jump is the same at half the step.",
        statement=study.statement("analytic"),
        quantity="largest order in the step of the largest change of sorted U",
        note="0 for a jump",
    )


def vectors_are_smooth(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_least(
        smallest_known(where_values_cross(collection, smoothness_order)),
        3.0,
        claim="smooth",
        sentence="At crossings followed vectors lie on the cubic through their "
        "neighbours up to the fourth order of the step.",
        statement=study.statement("analytic"),
        quantity="least order in the step of the error of the cubic",
        note="4 for four bounded derivatives; room for steps that are not small; of "
        "runs in which that error is not the solver's",
    )


def sorted_are_not(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_most(
        largest_known(where_values_cross(collection, sorted_order)),
        0.5,
        claim="sorted-not-smooth",
        sentence="Sorted ones do not, at any step.",
        statement=study.statement("analytic"),
        quantity="largest order in the step of the error of the cubic",
        note="0 for a jump",
    )


def signs_are_kept(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_most(
        largest(every(collection, sign_changes, *CASES, least_depth=2)),
        0.0,
        claim="signs",
        sentence="At depth 2 and 3 no singular value changes its sign, in any run.",
        statement=study.statement("signs"),
        quantity="largest number of changes of sign",
        note="sigma = 0 is a fixed point of equation (7)",
    )


def plain_flow_passes_zero(study: AbstractStudy, collection: Collection) -> Verdict:
    runs = runs_of(collection, "zero", 1, "square")
    return at_least(
        over_paths(runs, lambda path: sign_changes(path) % 2),
        1.0,
        claim="passes-zero",
        sentence="At depth 1, where the determinant must change its sign, an odd number"
        " of values pass zero; the runs of depth 2 and 3 from there are among those "
        "above.",
        statement=study.statement("signs"),
        quantity="number of changes of sign, modulo 2",
        note="det W is the product of the followed values times a sign that is fixed; "
        "the limit of depth 1 is known before the run",
    )


def zero_is_passed_smoothly(study: AbstractStudy, collection: Collection) -> Verdict:
    runs = runs_of(collection, "zero", 1, "square")
    return at_most(
        over_paths(runs, lambda path: kinks(path)[0]),
        0.5,
        claim="no-kink",
        sentence="There the followed value goes on at its slope.",
        statement=study.statement("analytic"),
        quantity="change of the slope over three steps, to the slope",
        note="of first order in the step; 2 for a kink",
    )


def sizes_have_a_kink(study: AbstractStudy, collection: Collection) -> Verdict:
    runs = runs_of(collection, "zero", 1, "square")
    return at_least(
        over_paths(runs, lambda path: kinks(path)[1]),
        1.5,
        claim="kink",
        sentence="Its size turns round, with a kink.",
        statement=study.statement("analytic"),
        quantity="change of the slope of |sigma| over three steps, to the slope",
        note="2 up to the first order of the step",
    )


def generic_values_do_not_cross(
    study: AbstractStudy, collection: Collection
) -> Verdict:
    return at_most(
        largest(every(collection, crossings, "perturbed")),
        0.0,
        claim="generic",
        sentence="Without the symmetry no two values cross.",
        statement=study.statement("generic"),
        quantity="largest number of crossings",
        note="equal values are of codimension 2 among matrices, a path meets none",
    )


def generic_gap_is_resolved(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_most(
        largest(every(collection, lambda p: abs(gap_order(p)), "perturbed")),
        0.3,
        claim="generic-gap",
        sentence="Their least gap is a number, and not what the step leaves of zero.",
        statement=study.statement("generic"),
        quantity="largest order in the step of the least gap",
        note="0 for a gap that is resolved, 1 on average for a crossing",
    )
