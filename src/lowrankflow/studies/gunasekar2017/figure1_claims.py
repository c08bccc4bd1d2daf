"""What the runs of figure 1 say of its statements."""

from lowrankflow.studies.claims import at_least, at_most, smaller_than
from lowrankflow.studies.collection import AxisValue, Collection
from lowrankflow.studies.gunasekar2017.planted import LARGE, RANK, SMALL, Panel
from lowrankflow.studies.gunasekar2017.planted_measures import (
    error,
    is_planned,
    joined,
    slugged,
    titled,
    training_error,
    wide_enough,
    widths_of,
)
from lowrankflow.studies.gunasekar2017.planted_picture import CURVES
from lowrankflow.studies.samples import largest, smallest
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.verdict import Verdict

_SMALL_FLOW: dict[str, AxisValue] = {"method": "flow", "norm": SMALL}
_LARGE_FLOW: dict[str, AxisValue] = {"method": "flow", "norm": LARGE}
_SMALL_SEARCH: dict[str, AxisValue] = {"method": "line search", "norm": SMALL}


def fits(study: AbstractStudy, collection: Collection, panel: Panel) -> Verdict:
    errors = []
    for curve, _ in CURVES:
        if is_planned(collection, panel=panel, **curve):
            errors += [
                training_error(collection, panel=panel, width=width, **curve)
                for width in wide_enough(collection, panel, **curve)
            ]
    return at_most(
        largest(joined(errors, f"runs of {panel}")),
        0.01,
        claim=f"fits-{slugged(panel)}",
        sentence=f"{titled(panel)}: wherever the width allows a fit, every start and "
        "step ends at a training error of at most 0.01.",
        statement=study.statement("fits"),
        quantity="largest training error, relative to the norm of the truth",
        note="Runs stop at 0.001; zero on the axis of the figure is read as 0.01.",
    )


def small_start_recovers(study: AbstractStudy, collection: Collection) -> Verdict:
    widths = wide_enough(collection, "rank 2", **_SMALL_FLOW)
    return at_most(
        largest(
            [error(collection, panel="rank 2", width=w, **_SMALL_FLOW) for w in widths]
        ),
        0.01,
        claim="recovers",
        sentence="Rank 2: from the small start the flow errs by at most 1 % at every "
        "width from 2 to n.",
        statement=study.statement("recovers"),
        quantity="largest relative error",
    )


def large_start_degrades(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_least(
        error(
            collection,
            panel="rank 2",
            width=widths_of(collection, **_LARGE_FLOW)[-1],
            **_LARGE_FLOW,
        ),
        0.2,
        claim="large-start",
        sentence="Rank 2, width n: from the large start the flow errs by at least 0.2.",
        statement=study.statement("degrades"),
        quantity="relative error",
    )


def line_search_degrades(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_least(
        error(
            collection,
            panel="rank 2",
            width=widths_of(collection, **_SMALL_SEARCH)[-1],
            **_SMALL_SEARCH,
        ),
        0.2,
        claim="line-search",
        sentence="Rank 2, width n: from the small start exact line search errs by at "
        "least 0.2.",
        statement=study.statement("degrades"),
        quantity="relative error",
    )


def degrades_with_width(study: AbstractStudy, collection: Collection) -> Verdict:
    wide = [w for w in widths_of(collection, **_LARGE_FLOW) if w > RANK]
    return smaller_than(
        largest(
            [error(collection, panel="rank 2", width=w, **_SMALL_FLOW) for w in wide]
        ),
        smallest(
            [
                error(collection, panel="rank 2", width=w, **curve)
                for w in wide
                for curve in (_LARGE_FLOW, _SMALL_SEARCH)
            ]
        ),
        factor=0.1,
        claim="above-the-rank",
        sentence="Rank 2: at every width above 2 the small start with small steps errs "
        "by less than a tenth of what the large start and line search do.",
        statement=study.statement("degrades"),
        quantity="largest relative error of the one to the smallest of the others",
        note="A factor of ten is our reading.",
    )


def decaying_near_minimum(study: AbstractStudy, collection: Collection) -> Verdict:
    widths = wide_enough(collection, "decaying", **_SMALL_FLOW)
    ends = [error(collection, panel="decaying", width=w, **_SMALL_FLOW) for w in widths]
    return smaller_than(
        largest(joined(ends, "wide flows")),
        error(collection, panel="decaying", method="min_nuclear_norm"),
        factor=1.1,
        claim="decaying-recovers",
        sentence="Decaying spectrum: from the small start the flow errs by at most "
        "10 % more than the certified minimum of the nuclear norm, at every width "
        "that can fit.",
        statement=study.statement("decaying"),
        quantity="largest relative error, to that of the minimum",
        note="The minimum is not the truth here, so that small is relative to it.",
    )


def decaying_degrades(
    study: AbstractStudy, collection: Collection, method: str
) -> Verdict:
    curve = _LARGE_FLOW if method == "flow" else _SMALL_SEARCH
    width = widths_of(collection, **curve)[-1]
    name = "the large start" if method == "flow" else "exact line search"
    return smaller_than(
        error(collection, panel="decaying", width=width, **_SMALL_FLOW),
        error(collection, panel="decaying", width=width, **curve),
        factor=0.75,
        claim=f"decaying-{'large-start' if method == 'flow' else 'line-search'}",
        sentence="Decaying spectrum, width n: the small start with small steps errs by "
        f"less than three quarters of what {name} does.",
        statement=study.statement("decaying"),
        quantity="relative error",
        note="Own trial: 0.56 of the large start's, 0.67 of line search's.",
    )


def spectral_is_bad(
    study: AbstractStudy, collection: Collection, panel: Panel
) -> Verdict:
    width = widths_of(collection, method="spectral")[-1]
    least = error(collection, panel=panel, width=width, **_SMALL_FLOW)
    return smaller_than(
        least,
        error(collection, panel=panel, width=width, method="spectral"),
        factor=0.75,
        claim=f"spectral-{slugged(panel)}",
        sentence=f"{titled(panel)}, width n: where descent on X ends, the error is "
        "such that the small start has less than three quarters of it.",
        statement=study.statement("spectral"),
        quantity="relative error",
        note="That it fits is part of the claim on training errors.",
    )


def nobody_reconstructs(study: AbstractStudy, collection: Collection) -> Verdict:
    errors = [error(collection, panel="too few", method="min_nuclear_norm")]
    for curve, _ in CURVES:
        if is_planned(collection, panel="too few", **curve):
            errors += [
                error(collection, panel="too few", width=width, **curve)
                for width in wide_enough(collection, "too few", **curve)
            ]
    return at_least(
        smallest(errors),
        0.5,
        claim="too-few",
        sentence="Too few measurements: every method, start and width errs by at "
        "least 0.5.",
        statement=study.statement("too-few"),
        quantity="smallest relative error",
    )
