"""What the runs say of equations (10) and (11)."""

import numpy as np

from lowrankflow.problems import named
from lowrankflow.reference import single_measurement_asymptote
from lowrankflow.studies.arora2019.single_jobs import (
    LARGE,
    LEAST_SCALE,
    SMALL,
    TABLE_SCALE,
    WEIGHTS,
)
from lowrankflow.studies.arora2019.single_measures import (
    depths,
    diagonal_end,
    of_passages,
    off_curve,
)
from lowrankflow.studies.claims import at_least, at_most, smaller_than, within
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.samples import largest
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.verdict import Verdict


def path_is_the_curve(
    study: AbstractStudy, collection: Collection, depth: int
) -> Verdict:
    found = [off_curve(collection, depth, s) for s in (TABLE_SCALE, LEAST_SCALE)]
    return at_most(
        largest(found),
        1e-6,
        claim=f"curve-{depth}",
        sentence=f"At depth {depth} the singular values move along equation (11).",
        statement=study.statement("curves"),
        quantity="largest relative distance over records",
        note="the solver's tolerance of 1e-9 times some hundred steps",
    )


def end_is_the_tables(
    study: AbstractStudy, collection: Collection, depth: int
) -> Verdict:
    known = named("arora2019-single-measurement").known
    wanted = np.asarray(known[f"singular_values_depth_{depth}"].value)
    return at_most(
        diagonal_end(collection, depth, TABLE_SCALE).map(
            lambda values: float(np.abs(values - wanted).max())
        ),
        1e-6,
        claim=f"table-{depth}",
        sentence=f"At depth {depth} they end where the equations say.",
        statement=study.statement("equations"),
        quantity="largest difference",
        note="the table has six decimals",
    )


def lesser_value_stops_short(
    study: AbstractStudy, collection: Collection, depth: int
) -> Verdict:
    limit = single_measurement_asymptote(
        start=LEAST_SCALE, value_start=LEAST_SCALE, ratio=WEIGHTS[1], depth=depth
    )
    return within(
        diagonal_end(collection, depth, LEAST_SCALE).map(
            lambda values: float(values[1] / limit)
        ),
        0.98,
        1.0,
        claim=f"asymptote-{depth}",
        sentence=f"At depth {depth}, from {LEAST_SCALE:g}, sigma_2 stops at eps "
        "(1-a)^(-N/(N-2)).",
        statement=study.statement("asymptote"),
        quantity="sigma_2 over its asymptote",
        note="the next order lowers it by (eps / sigma_1)^((N-2)/N)",
    )


def deeper_leaves_less(study: AbstractStudy, collection: Collection) -> Verdict:
    ends = [diagonal_end(collection, depth, TABLE_SCALE) for depth in (1, 2, 3, 4)]
    ratios = [end.map(lambda values: float(values[1] / values[0])) for end in ends]
    return at_most(
        largest(
            [
                smaller.map(lambda x, other=other: _over(x, other.values))
                for other, smaller in zip(ratios[:-1], ratios[1:], strict=True)
            ]
        ),
        0.9,
        claim="depth",
        sentence="Each factor more leaves less of sigma_2 beside sigma_1.",
        statement=study.statement("gap"),
        quantity="largest ratio of sigma_2 / sigma_1 to that of one factor less",
    )


def vectors_turn_first(
    study: AbstractStudy, collection: Collection, depth: int
) -> Verdict:
    return at_least(
        of_passages(collection, depth, SMALL, "turned"),
        10.0,
        claim=f"turn-{depth}",
        sentence=f"From a random start at depth {depth} u_1 turns before t_0.",
        statement=study.statement("stationary"),
        quantity="degrees",
        note="the start's vectors are random, and all its singular values equal",
    )


def vectors_are_stationary(
    study: AbstractStudy, collection: Collection, depth: int
) -> Verdict:
    return at_most(
        of_passages(collection, depth, SMALL, "moved"),
        5.0,
        claim=f"stationary-{depth}",
        sentence=f"From {SMALL:g} at depth {depth} u_1 hardly moves from t_0 on.",
        statement=study.statement("stationary"),
        quantity="degrees",
        note="set after a trial of two seeds, which had 0.3 to 1.3",
    )


def equation_holds(
    study: AbstractStudy, collection: Collection, depth: int, name: str
) -> Verdict:
    frozen = name == "frozen"
    whose = "weights u_r' A v_r of t_0" if frozen else "the singular values of A"
    return at_most(
        of_passages(collection, depth, SMALL, name),
        0.1,
        claim=f"{name}-{depth}",
        sentence=f"From t_0 on, at depth {depth}, equation (11) with {whose} gives "
        "sigma_2.",
        statement=study.statement("weights" if frozen else "curves"),
        quantity="relative error at the end",
        note="set after a trial of two seeds, which had at most 0.03 and 0.08",
    )


def smaller_is_nearer(
    study: AbstractStudy, collection: Collection, depth: int
) -> Verdict:
    return smaller_than(
        of_passages(collection, depth, SMALL, "stated"),
        of_passages(collection, depth, LARGE, "stated"),
        by="difference",
        claim=f"scale-{depth}",
        sentence=f"At depth {depth} it is nearer from a smaller start.",
        statement=study.statement("stationary"),
        quantity="relative error with the singular values of A",
    )


def second_vector_is_not_aligned(
    study: AbstractStudy, collection: Collection, depth: int
) -> Verdict:
    return at_least(
        of_passages(collection, depth, SMALL, "second"),
        30.0,
        claim=f"second-{depth}",
        sentence=f"At depth {depth} u_2 ends far from that of A.",
        statement=study.statement("second"),
        quantity="degrees",
        note="sigma_2 grows by a factor only, too little to turn; 52 to 81 in a trial",
    )


def depth_2_aligns_more(study: AbstractStudy, collection: Collection) -> Verdict:
    deepest = depths(collection)[-1]
    return smaller_than(
        of_passages(collection, 2, SMALL, "second"),
        of_passages(collection, deepest, SMALL, "second"),
        by="difference",
        claim="second-2",
        sentence=f"At depth 2 it ends nearer to it than at depth {deepest}.",
        statement=study.statement("second"),
        quantity="degrees",
    )


def _over(number: np.ndarray, others: np.ndarray) -> float:
    return float(number / others[0]) if others.size else float("nan")
