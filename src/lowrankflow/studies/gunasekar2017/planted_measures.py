"""Numbers of the runs of figures 1 and 2, one per seed."""

import math
from collections.abc import Iterable

import numpy as np

from lowrankflow.studies.claims import at_most
from lowrankflow.studies.collection import Choice, Collection
from lowrankflow.studies.gunasekar2017.planted import GAP_TOLERANCE, RANK, SMALL, Panel
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.samples import Sample, combine
from lowrankflow.studies.verdict import Verdict

CERTIFIED = Statement(
    key="certified",
    text="What is called the minimum of the nuclear norm has a dual certificate.",
    source="own check",
)
METHOD = Statement(
    key="method",
    text="Where the flow stands for descent of a small fixed step, both end at the "
    "same matrix.",
    source="own check",
)


def training_error(collection: Collection, **axes: Choice) -> Sample:
    """||A(X) - y|| / ||X*||_F at the end; the truth has norm 1."""
    return collection.last("loss", **axes).map(lambda loss: math.sqrt(2 * loss))


def error(collection: Collection, **axes: Choice) -> Sample:
    """||X - X*||_F / ||X*||_F at the end."""
    return collection.last("relative_error", **axes)


def nuclear_norm(collection: Collection, **axes: Choice) -> Sample:
    """The sum of the singular values at the end."""
    return collection.last("nuclear_norm", **axes)


def excess(collection: Collection, panel: Panel, **axes: Choice) -> Sample:
    """The nuclear norm above the certified minimum of the same instance, relative."""
    return combine(
        lambda norm, least: norm / least - 1,
        nuclear_norm(collection, panel=panel, **axes),
        nuclear_norm(collection, panel=panel, method="min_nuclear_norm"),
    )


def widths_of(collection: Collection, **axes: Choice) -> list[int]:
    """The widths of some runs, ascending."""
    return [int(width) for width in collection.select(**axes).axis("width")]


def wide_enough(collection: Collection, panel: Panel, **axes: Choice) -> list[int]:
    """Widths at which the measurements can be fitted.

    A truth of rank 2 can be from width 2. The decaying one has full rank; what fits it
    in place of the truth is there once U has as many degrees of freedom as there are
    measurements, size x width - width (width - 1) / 2.
    """
    widths = widths_of(collection, panel=panel, **axes)
    if panel != "decaying":
        return [width for width in widths if width >= RANK]
    (count,) = collection.select(panel=panel).axis("num_measurements")
    size = widths_of(collection, method="flow")[-1]
    return [w for w in widths if size * w - w * (w - 1) // 2 >= int(count)]


def descent_agrees(collection: Collection, panel: Panel, bound: float) -> Verdict:
    """That descent of a fixed step ends where the flow does, at full width."""
    steps = collection.last("matrix", method="descent", panel=panel)
    width = widths_of(collection, method="flow", panel=panel)[-1]
    flow = collection.last(
        "matrix", method="flow", panel=panel, norm=SMALL, width=width
    )
    kept = [seed in steps.seeds for seed in flow.seeds]
    flow = Sample(
        values=flow.values[kept] if len(flow) else flow.values,
        seeds=tuple(seed for seed in flow.seeds if seed in steps.seeds),
        missing=flow.missing,
    )
    return at_most(
        combine(
            lambda a, b: float(np.linalg.norm(a - b) / np.linalg.norm(b)), steps, flow
        ),
        bound,
        claim=f"method-{slugged(panel)}",
        sentence=f"{titled(panel)}: from the same small start, descent of a fixed step "
        "ends where the flow does, at width n.",
        statement=METHOD,
        quantity="relative difference of the final matrices",
        note="Both stop at a training error of 1e-3.",
    )


def every_minimum_certified(collection: Collection) -> Verdict:
    """That all minima of the nuclear norm are proved to be."""
    part = collection.select(method="min_nuclear_norm")
    by_seed: dict[int, list[float]] = {}
    for own, dataset in part.runs:
        gap = dataset.attrs.get("certificate_relative_gap", math.inf)
        by_seed.setdefault(int(own["seed"]), []).append(float(gap))
    seeds = tuple(sorted(by_seed))
    return at_most(
        Sample(
            values=np.array([np.max(by_seed[seed]) for seed in seeds], float),
            seeds=seeds,
            missing=tuple(str(failure) for failure in part.failures),
        ),
        GAP_TOLERANCE,
        claim="certified",
        sentence="All minima of the nuclear norm are certified to 1e-6.",
        statement=CERTIFIED,
        quantity="largest relative duality gap",
        note="Checked by code that does not import the solver.",
    )


def starts_of(collection: Collection, panel: Panel) -> list[tuple[str, float]]:
    """(method, norm of U(0)) of the flows of width n from small starts, descending."""
    runs = collection.select(panel=panel, method="smaller start")
    return [("flow", SMALL)] + [
        ("smaller start", float(norm)) for norm in runs.axis("norm")[::-1]
    ]


def is_planned(collection: Collection, **axes: Choice) -> bool:
    """Whether there are such runs, those that failed among them."""
    part = collection.select(**axes)
    return bool(len(part) or part.failures)


def joined(samples: Iterable[Sample], what: str) -> list[Sample]:
    """The samples, or one that says that there is none."""
    found = list(samples)
    return found or [
        Sample(values=np.empty(0), seeds=(), missing=(f"{what}: none was planned",))
    ]


def slugged(panel: Panel) -> str:
    """A panel as part of a claim's name."""
    return panel.replace(" ", "-")


def titled(panel: Panel) -> str:
    """A panel at the beginning of a sentence."""
    return {
        "rank 2": "Rank 2",
        "decaying": "Decaying spectrum",
        "too few": "Too few measurements",
    }[panel]
