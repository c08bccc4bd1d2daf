"""The figure of the theorems: differences, rates of stages, the second stage."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021.theorems_claims import (
    DEPTHS,
    FLOWS,
    RANKS,
    TIMES,
    root_error,
)
from lowrankflow.studies.li2021.theorems_jobs import LIMIT, second_stage
from lowrankflow.studies.li2021.theorems_measures import (
    beyond_rank,
    block_error,
    closed_error,
    critical_rates,
    later_error,
)
from lowrankflow.studies.samples import largest
from lowrankflow.studies.style import INK, method_look, panels, spectrum_colors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_theorems(collection: Collection) -> "Figure":
    """Relative differences; lambda_1 at critical points; errors of the second stage."""
    figure, ((left, middle, right),) = panels(1, 3, height=2.9)
    _differences(left, collection)
    _stages(middle, collection)
    _second(right, collection)
    return figure


def _differences(axes: "Axes", collection: Collection) -> None:
    rows = {
        "all observed": [closed_error(collection, "full", t) for t in TIMES["full"]],
        "linear loss": [closed_error(collection, "linear", t) for t in TIMES["linear"]],
        "rank kept": [beyond_rank(collection, f, k) for f in FLOWS for k in RANKS],
        "flow of M": [root_error(collection, depth) for depth in DEPTHS],
        "lifting": [block_error(collection, "lift")],
        "lifting, greedy": [block_error(collection, "lift-greedy")],
    }
    look = method_look("flow")
    for place, samples in enumerate(rows.values()):
        values = np.maximum(largest(samples).values, 1e-17)
        axes.plot(values, np.full(values.size, -place), look.marker, color=look.color)
    axes.set_yticks(-np.arange(len(rows)), list(rows))
    axes.set(xscale="log", xlim=(1e-17, 1), title="relative difference")


def _stages(axes: "Axes", collection: Collection) -> None:
    look = method_look("greedy")
    for rates in critical_rates(collection)[0]:
        stages = np.arange(len(rates) + 1)
        values = np.maximum([1.0, *rates], 1e-12)
        axes.plot(stages, values, color=look.color, marker=look.marker, linewidth=0.8)
    axes.axhline(1e-6, color=INK, linestyle=":")
    axes.set(
        yscale="log",
        xlabel="stage of greedy learning",
        title=r"$\lambda_1(-\nabla f)$ at its end, to that at 0",
        xticks=range(4),
    )


def _second(axes: "Axes", collection: Collection) -> None:
    at = [float(x) for x in collection.select(case="later").axis("log10_eps")]
    at = [x for x in at if x != LIMIT]
    samples = [later_error(collection, x) for x in at]
    seeds = samples[0].seeds if samples else ()
    for seed, color in zip(seeds, spectrum_colors(max(len(seeds), 2)), strict=False):
        values = [
            sample.values[sample.seeds.index(seed)]
            for sample in samples
            if seed in sample.seeds
        ]
        if len(values) < len(at):
            continue
        axes.plot(at, values, color=color, marker="o")
        power = second_stage(int(seed or 0))[3]
        line = values[0] * 10 ** (power * (np.array(at) - at[0]))
        axes.plot(at, line, color=color, linestyle=":")
    axes.set(yscale="log", xlabel="log10 eps", title="error of the second stage")
