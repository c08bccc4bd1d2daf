"""What the runs that leave zero say of li2021's theorems on first stages."""

import numpy as np

from lowrankflow.studies.claims import at_least, at_most, trend, within
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021.escape_jobs import TOY, gamma, growth
from lowrankflow.studies.li2021.escape_measures import (
    deep_error,
    end_error,
    leading_time,
    second_of_toy,
    shallow_error,
    steps,
    time_to_leave,
    toy_bound,
)
from lowrankflow.studies.samples import Sample, combine, largest, smallest
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.verdict import Verdict

PARAMETERS = (2.0, 3.0)
DEEP_PARAMETERS = (2.0, 5.0)
# Of every exponent but those that the source gives its own width.
WIDTH = 0.05


def _first(collection: Collection, R: float, start: str) -> dict[float, Sample]:
    at = steps(collection, "log10_scale", case="first", R=R, start=start)
    return {10.0**x: shallow_error(collection, R, start, x) for x in at}


def slope(points: dict[float, Sample]) -> Sample:
    """The slope of log y against log x, one per seed."""
    x = np.log(sorted(points))
    centred = x - x.mean()
    return combine(
        lambda *y: float(centred @ np.log(y) / (centred @ centred)),
        *(points[at] for at in sorted(points)),
    )


def first_stage(
    study: AbstractStudy, collection: Collection, R: float, start: str
) -> Verdict:
    wanted = gamma(R) * (2 if start == "identity" else 1)
    name = "alpha I" if start == "identity" else "alpha times a random p.s.d. matrix"
    return trend(
        _first(collection, R, start),
        log_x=True,
        log_y=True,
        lower=wanted - WIDTH,
        upper=wanted + WIDTH,
        claim=f"first-{start}-{R:g}",
        sentence=f"From {name} the path differs from its limit by alpha^{wanted:.3f}, "
        f"R = {R:g}.",
        statement=study.statement(f"rate-{start}"),
        quantity="distance at one time after the escape against alpha, logarithms",
    )


def bound_holds(study: AbstractStudy, collection: Collection) -> Verdict:
    excess = [
        slope(_first(collection, R, "random")).map(
            lambda found, R=R: float(found - gamma(R) / (1 + gamma(R)))
        )
        for R in PARAMETERS
    ]
    return at_least(
        smallest(excess),
        -WIDTH,
        claim="bound",
        sentence="From random starts the exponent is not below gamma / (1 + gamma).",
        statement=study.statement("bound"),
        quantity="exponent less the theorem's, the least over R",
    )


def ends(study: AbstractStudy, collection: Collection, start: str) -> Verdict:
    wanted = gamma(2.0) * (2 if start == "identity" else 1)
    at = steps(collection, "log10_scale", case="end", R=2.0, start=start)
    return trend(
        {10.0**x: end_error(collection, 2.0, start, x) for x in at},
        log_x=True,
        log_y=True,
        lower=wanted - WIDTH,
        upper=wanted + WIDTH,
        claim=f"end-{start}",
        sentence=f"The flow's end differs from rank one by alpha^{wanted:.3f}, from "
        f"{'the identity' if start == 'identity' else 'random starts'}, R = 2.",
        statement=study.statement("end"),
        quantity="distance of the end from v v' against alpha, logarithms",
    )


def deep_exponent(study: AbstractStudy, collection: Collection, depth: int) -> Verdict:
    slopes = []
    for R in DEEP_PARAMETERS:
        at = steps(collection, "log10_alpha", case="deep", R=R, depth=depth)[1:]
        points = {10.0**x: deep_error(collection, R, depth, x) for x in at}
        # The farthest from 1 of both, with its sign.
        slopes.append(slope(points))
    return within(
        combine(lambda *found: max(found, key=lambda x: abs(x - 1)), *slopes),
        0.9,
        1.1,
        claim=f"deep-{depth}",
        sentence=f"At depth {depth} the path of M differs from its limit by alpha, "
        "for both gaps at zero.",
        statement=study.statement("deep"),
        quantity="exponent, the one farther from 1 of R = 2 and 5",
        note="the theorem has 1/(P+1), P = L/2; mu_2/mu_1 = 0.61 and 0.82",
    )


def second_direction_deep(study: AbstractStudy, collection: Collection) -> Verdict:
    ratios = [
        second_of_toy(collection, depth, x).map(
            lambda found, depth=depth: float(found / toy_bound(depth))
        )
        for depth in (3, 4)
        for x in steps(collection, "log10_alpha", case="toy", depth=depth)
    ]
    return at_most(
        largest(ratios),
        1.05,
        claim="second-deep",
        sentence="When the first direction is of order one the second, of M, is below "
        "alpha (1 - mu_2/mu_1)^(-1/(P-1)), depths 3 and 4.",
        statement=study.statement("second"),
        quantity="largest m_2 to that bound",
        note="5 % for the first one's being at half its end and not far beyond",
    )


def second_direction_shallow(study: AbstractStudy, collection: Collection) -> Verdict:
    wanted = 1 - TOY[1] / TOY[0]
    at = steps(collection, "log10_alpha", case="toy", depth=2)
    points = {
        10.0**x: second_of_toy(collection, 2, x).map(lambda m, x=x: float(m) * 10.0**x)
        for x in at
    }
    return trend(
        points,
        log_x=True,
        log_y=True,
        lower=wanted - 0.02,
        upper=wanted + 0.02,
        claim="second-shallow",
        sentence="At depth 2 the second is alpha^(1 - mu_2/mu_1) instead.",
        statement=study.statement("second"),
        quantity="m_2 against alpha, logarithms",
    )


def time_of_leaving(
    study: AbstractStudy, collection: Collection, depth: int
) -> Verdict:
    at = steps(collection, "log10_scale", case="leave", depth=depth)
    rate = 1 / (2 * growth(2.0)[0][0])
    if depth == 2:
        return trend(
            {-x * np.log(10): time_to_leave(collection, 2, x) for x in at},
            lower=0.99 * rate,
            upper=1.01 * rate,
            claim="time-2",
            sentence="Depth 2 leaves zero after ln(1/scale) / (2 mu_1), R = 2.",
            statement=study.statement("time"),
            quantity="time against ln(1/scale)",
            note=f"1 / (2 mu_1) = {rate:.5f}",
        )
    wanted = (depth - 2) / depth
    return trend(
        {10.0**-x: time_to_leave(collection, depth, x) for x in at},
        log_x=True,
        log_y=True,
        lower=wanted - 0.05,
        upper=wanted + 0.05,
        claim=f"time-{depth}",
        sentence=f"Depth {depth} leaves zero after scale^(-{wanted:.2f}), R = 2.",
        statement=study.statement("time"),
        quantity="time against 1/scale, logarithms",
    )


def times_are_leading(study: AbstractStudy, collection: Collection) -> Verdict:
    spreads = []
    for depth in (2, 3, 4):
        at = steps(collection, "log10_scale", case="leave", depth=depth)
        offsets = [
            time_to_leave(collection, depth, x).map(
                lambda t, depth=depth, x=x: leading_time(depth, x) - float(t)
            )
            for x in at
        ]
        spreads.append(combine(lambda *found: float(np.ptp(found)), *offsets))
    return at_most(
        largest(spreads),
        0.1,
        claim="offset",
        sentence="The times differ from the leading-order ones by constants.",
        statement=study.statement("time"),
        quantity="largest spread of the difference over the scales",
        note="the times themselves are up to 19,000",
    )
