"""What the runs of figure 2 say of its statements."""

import numpy as np

from lowrankflow.studies.claims import (
    at_least,
    at_most,
    monotone,
    smaller_than,
    within,
)
from lowrankflow.studies.collection import AxisValue, Collection
from lowrankflow.studies.gunasekar2017.planted import LARGE, SMALL, Panel
from lowrankflow.studies.gunasekar2017.planted_measures import (
    excess,
    joined,
    slugged,
    starts_of,
    titled,
    wide_enough,
    widths_of,
)
from lowrankflow.studies.samples import Sample, largest
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.verdict import Verdict

_SMALL_FLOW: dict[str, AxisValue] = {"method": "flow", "norm": SMALL}
_QUANTITY = "nuclear norm above the certified minimum, relative"


def on_the_minimum(
    study: AbstractStudy, collection: Collection, panel: Panel
) -> Verdict:
    return at_most(
        _worst(collection, panel),
        0.05,
        claim=f"minimum-{slugged(panel)}",
        sentence=f"{titled(panel)}: from the small start the flow ends at most 5 % "
        "above the minimum, at every width that can fit.",
        statement=study.statement("minimum"),
        quantity=f"largest {_QUANTITY}",
        note='"Almost on the line" is read as 5 %, a marker\'s size in the figure.',
    )


def near_the_minimum(
    study: AbstractStudy, collection: Collection, panel: Panel
) -> Verdict:
    return at_most(
        excess(collection, panel, width=_full(collection), **_SMALL_FLOW),
        0.15,
        claim=f"near-{slugged(panel)}",
        sentence=f"{titled(panel)}, width n: from the small start the flow ends at "
        "most 15 % above the minimum.",
        statement=study.statement("minimum"),
        quantity=_QUANTITY,
        note="A looser reading; own trial, with too few measurements: 9 %.",
    )


def large_start_is_above(
    study: AbstractStudy, collection: Collection, panel: Panel
) -> Verdict:
    width = _full(collection)
    return smaller_than(
        excess(collection, panel, width=width, **_SMALL_FLOW),
        excess(collection, panel, width=width, method="flow", norm=LARGE),
        by="difference",
        factor=1 / 1.5,
        claim=f"large-start-{slugged(panel)}",
        sentence=f"{titled(panel)}, width n: the large start ends at least 1.5 times "
        "further above the minimum than the small one.",
        statement=study.statement("above"),
        quantity=_QUANTITY,
        note="The factor is that of our plan for this check.",
    )


def far_above(
    study: AbstractStudy, collection: Collection, panel: Panel, name: str
) -> Verdict:
    where: dict[str, AxisValue] = {
        "the large start": {"method": "flow", "norm": LARGE},
        "exact line search": {"method": "line search", "norm": SMALL},
        "descent on X": {"method": "spectral"},
    }[name]
    return at_least(
        excess(collection, panel, width=_full(collection), **where),
        0.2,
        claim=f"far-{name.split()[-1]}-{slugged(panel)}",
        sentence=f"{titled(panel)}, width n: {name} ends at least 20 % above the "
        "minimum.",
        statement=study.statement("above"),
        quantity=_QUANTITY,
        note="Four times what is read as being on the line.",
    )


def limit_is_the_minimum(
    study: AbstractStudy, collection: Collection, panel: Panel
) -> Verdict:
    method, norm = starts_of(collection, panel)[-1]
    width = _full(collection)
    return at_most(
        excess(collection, panel, width=width, method=method, norm=norm),
        0.05,
        claim=f"limit-{slugged(panel)}",
        sentence=f"{titled(panel)}, width n: from the smallest start, {norm:g}, the "
        "flow ends at most 5 % above the minimum.",
        statement=study.statement("conjecture"),
        quantity=_QUANTITY,
        note="The conjecture says 0 in the limit; 5 % is read as being on the line.",
    )


def smaller_is_further(
    study: AbstractStudy, collection: Collection, panel: Panel
) -> Verdict:
    points: dict[float, Sample] = {}
    for method, norm in starts_of(collection, panel):
        points[-float(np.log10(norm))] = excess(
            collection, panel, width=_full(collection), method=method, norm=norm
        )
    return monotone(
        points,
        "rising",
        claim=f"away-{slugged(panel)}",
        sentence=f"{titled(panel)}, width n: below 1e-4, the smaller the start, the "
        "further above the minimum, at every step of the sweep.",
        statement=study.statement("away"),
        quantity="excess of the nuclear norm against -log10 of ||U(0)||",
    )


def early_is_on_the_minimum(study: AbstractStudy, collection: Collection) -> Verdict:
    return within(
        excess(collection, "decaying", method="early stop"),
        -0.01,
        0.01,
        claim="early",
        sentence="Decaying spectrum, width n: stopped at a training error of 0.036, "
        "the flow from the small start is within 1 % of the minimum.",
        statement=study.statement("early"),
        quantity=_QUANTITY,
        note="Below zero it can be, since it does not fit yet.",
    )


def _worst(collection: Collection, panel: Panel) -> Sample:
    widths = wide_enough(collection, panel, **_SMALL_FLOW)
    ends = [excess(collection, panel, width=w, **_SMALL_FLOW) for w in widths]
    return largest(joined(ends, "wide flows"))


def _full(collection: Collection) -> int:
    return widths_of(collection, method="flow")[-1]
