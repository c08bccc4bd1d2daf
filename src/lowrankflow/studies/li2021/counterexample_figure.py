"""The figure of the counter-example: where flows end as their start shrinks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021.counterexample_claims import distance
from lowrankflow.studies.style import (
    depth_look,
    draw_samples,
    method_look,
    panels,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SCALE = "scale of the start (log-log)"


def draw_counterexample(collection: Collection) -> "Figure":
    """Final nuclear norm, R = 2; distance from rank 1, R = 3; nuclear norm, R = 100."""
    figure, ((left, middle, right),) = panels(1, 3, height=2.9)
    _norms(left, collection, 2.0)
    left.set(title="R = 2", ylabel="final nuclear norm")
    _distances(middle, collection, 3.0)
    middle.set(title="R = 3", ylabel="relative distance from rank 1")
    _norms(right, collection, 100.0)
    right.set(title="R = 100", ylabel="final nuclear norm", yscale="log")
    for axes, decades in (
        (left, (1, 4, 32)),
        (middle, (1, 4, 32)),
        (right, (2, 8, 50, 300)),
    ):
        ticks = [f"$10^{{-{n}}}$" for n in decades]
        axes.set(xscale="log", xlabel=_SCALE)
        axes.set_xticks(decades, ticks, minor=False)
        axes.set_xticks([], minor=True)
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _norms(axes: "Axes", collection: Collection, R: float) -> None:
    for depth in (2, 3, 4):
        runs = collection.select(method="flow", start="identity", R=R, depth=depth)
        if not len(runs):
            continue
        scales = [float(scale) for scale in runs.axis("init_scale")]
        samples = [runs.last("nuclear_norm", init_scale=scale) for scale in scales]
        draw_samples(axes, _decades(scales), samples, depth_look(depth))
    for method in ("min_nuclear_norm", "greedy"):
        level = collection.last("nuclear_norm", method=method, R=R).values
        if level.size:
            look = method_look(method)
            axes.axhline(
                level[0], color=look.color, linestyle=look.linestyle, label=look.label
            )


def _distances(axes: "Axes", collection: Collection, R: float) -> None:
    for depth in (2, 3, 4):
        runs = collection.select(method="flow", start="identity", R=R, depth=depth)
        if not len(runs):
            continue
        scales = [float(scale) for scale in runs.axis("init_scale")]
        samples = [distance(runs, R, init_scale=scale) for scale in scales]
        draw_samples(axes, _decades(scales), samples, depth_look(depth))
    runs = collection.select(method="flow", start="random", R=R)
    if len(runs):
        scales = [float(scale) for scale in runs.axis("init_scale")]
        samples = [distance(runs, R, init_scale=scale) for scale in scales]
        look = depth_look(2, variant=1, label="depth 2, random starts")
        draw_samples(axes, _decades(scales), samples, look)
    axes.set_yscale("log")


def _decades(scales: Sequence[float]) -> list[float]:
    """How many powers of ten below 1: depth 2 asks for so many more than the others."""
    return [float(-np.log10(scale)) for scale in scales]
