"""What the runs say of razin2020: norms, ranks, determinants, perturbed data."""

import numpy as np

from lowrankflow.studies.claims import at_least, at_most, trend, within
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.razin2020.norms_jobs import (
    DEPTHS,
    OPPOSITE,
    PAIRS,
    PERTURBED_DEPTH,
    SCALE,
    WRONG_SIDE,
)
from lowrankflow.studies.razin2020.norms_measures import (
    corner_exponent,
    derived_time_exponent,
    largest_corner,
    last_corner,
    least_determinant,
    least_over_bound,
    norm_exponent,
    of_paths,
    product_error,
    rank_one_distance,
    time_exponent,
    wrong_side_product,
)
from lowrankflow.studies.samples import largest, smallest
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.verdict import Verdict


def corners(collection: Collection) -> list[float]:
    """The values of W_22, ascending."""
    return [float(c) for c in collection.select(case="perturbed").axis("corner")]


def determinant_is_kept(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_least(
        smallest(
            [
                of_paths(collection, least_determinant, case="positive", depth=depth)
                for depth in DEPTHS
            ]
        ),
        -1e-12,
        claim="determinant",
        sentence="From p.s.d. starts the determinant stays positive.",
        statement=study.statement("determinant"),
        quantity="least over records and depths",
        note="the determinant falls to rounding of W_11 W_22, which is 1",
    )


def bound_holds(study: AbstractStudy, collection: Collection, case: str) -> Verdict:
    kind = "p.s.d." if case == "positive" else "unbalanced"
    return at_least(
        smallest(
            [
                of_paths(collection, least_over_bound(), case=case, depth=depth)
                for depth in DEPTHS
                if case == "positive" or depth > 2
            ]
        ),
        1.0,
        claim=f"bound-{case}",
        sentence=f"From {kind} starts W_11 is above (1-r)^2 / r, r = sqrt(2 loss).",
        statement=study.statement("norms" if case == "positive" else "unbalanced"),
        quantity="least |W_11| over the bound, of records and depths",
        note="elementary where the determinant is positive",
    )


def norm_diverges(study: AbstractStudy, collection: Collection, depth: int) -> Verdict:
    return within(
        of_paths(collection, norm_exponent, case="positive", depth=depth),
        -0.55,
        -0.45,
        claim=f"diverges-{depth}",
        sentence=f"At depth {depth} the nuclear norm grows as loss^(-1/2).",
        statement=study.statement("norms"),
        quantity="exponent from a loss of 0.01 on",
        note="the bound grows as that; what is above it need not",
    )


def product_is_one(study: AbstractStudy, collection: Collection, depth: int) -> Verdict:
    return at_most(
        of_paths(collection, product_error, case="positive", depth=depth),
        0.03,
        claim=f"product-{depth}",
        sentence=f"At depth {depth} W_11 sqrt(2 loss) is 1.",
        statement=study.statement("valley"),
        quantity="largest |W_11 sqrt(2 loss) - 1| from a loss of 0.01 on",
        note="runs at depth 3 had 0.97 to 1.01 before",
    )


def rate_in_time(study: AbstractStudy, collection: Collection, depth: int) -> Verdict:
    rate = derived_time_exponent(depth)
    return within(
        of_paths(collection, time_exponent, case="positive", depth=depth),
        rate - 0.01,
        rate + 0.01,
        claim=f"time-{depth}",
        sentence=f"At depth {depth} W_11 grows as time^({depth}/{2 * depth + 2}).",
        statement=study.statement("time"),
        quantity="exponent over the last decade of the loss",
        note="a third of the least distance between two depths",
    )


def rank_falls(study: AbstractStudy, collection: Collection) -> Verdict:
    found = [
        collection.last("effective_rank", case="positive", depth=depth)
        for depth in DEPTHS
    ]
    return at_most(
        largest(found),
        1.05,
        claim="effective-rank",
        sentence="The effective rank tends to one.",
        statement=study.statement("rank"),
        quantity="largest at the end, over depths",
        note="of the order loss log(1 / loss), and at most 1e-4 x 9 here",
    )


def distance_to_rank_one(study: AbstractStudy, collection: Collection) -> Verdict:
    found = [
        of_paths(collection, rank_one_distance, case="positive", depth=depth)
        for depth in DEPTHS
    ]
    return at_most(
        largest(found),
        1.0,
        claim="rank-one",
        sentence="The distance to rank one is at most 3 sqrt(2 loss).",
        statement=study.statement("rank"),
        quantity="largest share of the bound, over records and depths",
    )


def negative_stays(study: AbstractStudy, collection: Collection) -> Verdict:
    found = [
        of_paths(collection, largest_corner, case="negative", depth=depth)
        for depth in DEPTHS
    ]
    return at_most(
        largest(found),
        10.0,
        claim="negative",
        sentence="From a negative determinant W_11 stays of order one.",
        statement=study.statement("sign"),
        quantity="largest |W_11| over records and depths",
        note="0.65 to 3.4 in three earlier runs at depth 3",
    )


def negative_has_no_exponent(study: AbstractStudy, collection: Collection) -> Verdict:
    found = [
        of_paths(collection, corner_exponent, case="negative", depth=depth)
        for depth in DEPTHS
    ]
    return at_least(
        smallest(found),
        -0.1,
        claim="negative-exponent",
        sentence="There it does not grow while the loss falls.",
        statement=study.statement("sign"),
        quantity="least exponent of |W_11| in the loss, over depths",
        note="-1/2 where norms diverge",
    )


def perturbed_bound(study: AbstractStudy, collection: Collection, pair: str) -> Verdict:
    at = {"case": "perturbed", "depth": PERTURBED_DEPTH, "pair": pair}
    found = [
        of_paths(collection, least_over_bound(pair, c), corner=c, **at)
        for c in corners(collection)
    ]
    return at_least(
        smallest(found),
        1.0,
        claim=f"perturbed-bound-{pair}",
        sentence=f"With W_12, W_21 = {pair} and every W_22, |W_11| is above "
        "(|W_12| - r)(|W_21| - r) / (|W_22| + r).",
        statement=study.statement("perturbed"),
        quantity="least |W_11| over the bound",
    )


def perturbed_diverges(
    study: AbstractStudy, collection: Collection, pair: str
) -> Verdict:
    at = {"case": "perturbed", "depth": PERTURBED_DEPTH, "pair": pair}
    return within(
        of_paths(collection, corner_exponent, corner=0.0, **at),
        -0.55,
        -0.45,
        claim=f"perturbed-diverges-{pair}",
        sentence=f"With W_12, W_21 = {pair} and W_22 = 0 the entry diverges.",
        statement=study.statement("perturbed"),
        quantity="exponent of |W_11| in the loss",
    )


def perturbed_is_finite(
    study: AbstractStudy, collection: Collection, pair: str
) -> Verdict:
    at = {"case": "perturbed", "depth": PERTURBED_DEPTH, "pair": pair}
    points = {
        c: of_paths(collection, last_corner, corner=c, **at)
        for c in corners(collection)
        if c
    }
    return trend(
        points,
        log_x=True,
        log_y=True,
        lower=-1.05,
        upper=-0.95,
        claim=f"perturbed-finite-{pair}",
        sentence=f"With W_12, W_21 = {pair} and W_22 > 0 it ends finite, as 1 / W_22.",
        statement=study.statement("finite"),
        quantity="|W_11| at the end against W_22, logarithms",
    )


def perturbed_ends_at_rank_one(
    study: AbstractStudy, collection: Collection, pair: str
) -> Verdict:
    at = {"case": "perturbed", "depth": PERTURBED_DEPTH, "pair": pair}
    size = abs(np.prod(PAIRS[pair]))

    def off(corner: float):
        found = of_paths(collection, last_corner, corner=corner, **at)
        return found.map(lambda last: abs(last * corner / size - 1))

    return at_most(
        largest([off(c) for c in corners(collection) if c]),
        0.1,
        claim=f"perturbed-rank-{pair}",
        sentence=f"With W_12, W_21 = {pair} it ends near the completion of rank one.",
        statement=study.statement("finite"),
        quantity="largest relative distance of W_11 from W_12 W_21 / W_22",
        note="the determinant that is left shrinks with the start, of scale 0.001",
    )


def opposite_sign_stays(study: AbstractStudy, collection: Collection) -> Verdict:
    found = [
        of_paths(
            collection,
            largest_corner,
            case="opposite",
            depth=PERTURBED_DEPTH,
            pair=pair,
        )
        for pair in PAIRS
    ]
    return at_most(
        largest(found),
        10.0,
        claim="opposite",
        sentence=f"From the other sign, with W_22 = {OPPOSITE:g}, it stays of order "
        "one.",
        statement=study.statement("sign"),
        quantity="largest |W_11| over records and both pairs",
        note="the completion of rank one has 100; the bound is that of 'negative'",
    )


def wrong_side_diverges(study: AbstractStudy, collection: Collection) -> Verdict:
    at = {"case": "wrong side", "depth": PERTURBED_DEPTH}
    return at_least(
        of_paths(collection, last_corner, **at),
        10 / WRONG_SIDE,
        claim="wrong-side",
        sentence=f"With W_22 = {WRONG_SIDE:g} and a start where it is negative, W_11 "
        "passes ten times that of the completion of rank one.",
        statement=study.statement("side"),
        quantity="|W_11| at the end",
        note="191 after 2000 steps and 4655 after 200,000: it goes on",
    )


def wrong_side_has_its_loss(study: AbstractStudy, collection: Collection) -> Verdict:
    at = {"case": "wrong side", "depth": PERTURBED_DEPTH}
    return within(
        of_paths(collection, wrong_side_product, **at),
        0.95,
        1.05,
        claim="wrong-side-loss",
        sentence="There the loss tends to e^2 / 2, as e / |W_11| above it.",
        statement=study.statement("side"),
        quantity="|W_11| (loss - e^2 / 2) / e at the end",
    )


def larger_diverges(study: AbstractStudy, collection: Collection) -> Verdict:
    return within(
        of_paths(collection, corner_exponent, case="larger", depth=3),
        -0.55,
        -0.45,
        claim="larger",
        sentence="In a 3 x 3 matrix, all entries but W_11 observed and the wrong sign "
        "of the determinant, it diverges as well.",
        statement=study.statement("larger"),
        quantity="exponent of |W_11| in the loss",
        note=f"balanced starts of scale {SCALE:g}",
    )
