"""What the runs say of proposition 1."""

import numpy as np

from lowrankflow.studies.arora2019.proposition1_jobs import (
    LARGE,
    LARGE_SCALE,
    SCALE,
    SMALL_SCALE,
)
from lowrankflow.studies.arora2019.proposition1_measures import (
    amplification,
    coupling,
    derived_amplification,
    from_limit,
    largest_change,
    least_eigenvalue,
    limits,
    off_formula,
    residual_change,
    start_correlation,
    worst,
)
from lowrankflow.studies.claims import at_least, at_most, smaller_than, within
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.samples import Sample, combine
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.verdict import Verdict


def ends(collection: Collection, case: str) -> list[Sample]:
    """The ends of a case."""
    if case == "limit":
        return limits(collection)
    return [collection.last("matrix", case="family")]


def _named(case: str) -> str:
    problems = "the proposition's problems", "random families in a random basis"
    return problems[case == "family"]


def limit_is_reached(
    study: AbstractStudy, collection: Collection, depth: int
) -> Verdict:
    return at_most(
        worst(limits(collection, depth), from_limit),
        1e-6,
        claim=f"limit-{depth}",
        sentence=f"At depth {depth} the flow ends at diag(1, 1, 0, ...), all sizes.",
        statement=study.statement("limit" if depth > 2 else "depth-2"),
        quantity="largest Frobenius distance",
        note=f"scale {SCALE:g}, and residuals of 1e-10",
    )


def unmeasured_entries_stay(study: AbstractStudy, collection: Collection) -> Verdict:
    def moved(matrix: np.ndarray) -> float:
        return float(np.abs(np.diag(matrix)[2:] / SCALE - 1).max())

    return at_most(
        worst(limits(collection), moved),
        1e-6,
        claim="unmeasured",
        sentence="What is not measured stays where it started.",
        statement=study.statement("limit"),
        quantity="largest relative change of a diagonal entry",
        note="nothing pulls at it; the product of the factors is rounded",
    )


def step_is_feasible(
    study: AbstractStudy, collection: Collection, case: str
) -> Verdict:
    return at_most(
        residual_change(collection, case),
        1e-6,
        claim=f"feasible-{case}",
        sentence=f"On {_named(case)} a step along q_1 q_2' + q_2 q_1' keeps the "
        "measurements.",
        statement=study.statement("beside" if case == "limit" else "families"),
        quantity="relative change of the measurements",
        note="the flow keeps the common basis to its tolerance",
    )


def step_is_psd(study: AbstractStudy, collection: Collection, case: str) -> Verdict:
    return at_most(
        worst(ends(collection, case), least_eigenvalue),
        1e-12,
        claim=f"psd-{case}",
        sentence=f"On {_named(case)} a step below sqrt(x_1 x_2) stays p.s.d.",
        statement=study.statement("beside" if case == "limit" else "families"),
        quantity="minus the least eigenvalue, to the largest",
    )


def quasi_norms_fall(
    study: AbstractStudy, collection: Collection, case: str
) -> Verdict:
    return at_most(
        worst(ends(collection, case), largest_change),
        -0.1,
        claim=f"falls-{case}",
        sentence=f"On {_named(case)} it lowers every Schatten quasi-norm tried.",
        statement=study.statement("quasi-norms" if case == "limit" else "families"),
        quantity="largest change over p (1 - p) step^2",
        note="-1 to leading order at equal eigenvalues; a tenth of it for unequal ones",
    )


def falls_by_the_formula(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_most(
        worst(limits(collection), off_formula),
        1e-3,
        claim="formula",
        sentence="The change is (1+e)^p + (1-e)^p - 2.",
        statement=study.statement("quasi-norms"),
        quantity="largest relative difference",
        note="an end of distance 1e-8 changes by 1e-8, and the least change is 9e-6",
    )


def offset_is_amplified(
    study: AbstractStudy, collection: Collection, depth: int
) -> Verdict:
    factor = derived_amplification(depth)
    return within(
        amplification(collection, depth).map(lambda a: a / factor),
        0.98,
        1.02,
        claim=f"amplified-{depth}",
        sentence=f"At depth {depth} an offset of the start is amplified "
        f"{factor:.4g}-fold.",
        statement=study.statement("unstable"),
        quantity="amplification over w^(-(N-2)/N)",
        note=f"offset 1e-6, w = {SMALL_SCALE:g}; the next order is its square",
    )


def depth_2_keeps_the_offset(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_most(
        coupling(collection, "large", 2).map(abs),
        2.1 * LARGE,
        claim="kept-2",
        sentence=f"At depth 2 an offset of {LARGE:g} ends as what it was.",
        statement=study.statement("unstable"),
        quantity="|W_12| at the end",
        note="it is 2 delta S_12 at the start, |S_12| <= 1",
    )


def depth_4_ends_at_rank_one(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_least(
        coupling(collection, "large", 4).map(abs),
        0.99,
        claim="rank-one",
        sentence=f"At depth 4, from {LARGE_SCALE:g}, the same offset ends at rank one.",
        statement=study.statement("unstable"),
        quantity="|W_12| at the end",
        note="amplified by 10^6 the offset is of order one before the escape",
    )


def random_start_keeps_its_angle(
    study: AbstractStudy, collection: Collection
) -> Verdict:
    found = coupling(collection, "random", 2)
    return at_most(
        combine(lambda a, b: abs(a - b), found, start_correlation(found.seeds)),
        1e-4,
        claim="angle",
        sentence="From a random p.s.d. start depth 2 ends at W_12 = W_12(0) / "
        "sqrt(W_11(0) W_22(0)).",
        statement=study.statement("starts"),
        quantity="difference",
        note="two rows of U that only grow keep their angle; the solver's tolerance",
    )


def depth_closes_the_angle(
    study: AbstractStudy, collection: Collection, depth: int
) -> Verdict:
    return smaller_than(
        coupling(collection, "random", depth).map(lambda c: 1 - abs(c)),
        coupling(collection, "random", depth - 1).map(lambda c: 1 - abs(c)),
        by="difference",
        claim=f"angle-{depth}",
        sentence=f"From the same W(0) depth {depth} ends nearer to rank one than depth "
        f"{depth - 1}.",
        statement=study.statement("starts"),
        quantity="1 - |W_12|",
    )
