"""The figure of the basin: its boundary, and the answer across it."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021.basin_measures import boundary, derived, scales, ways
from lowrankflow.studies.style import GRID, depth_look, draw_samples, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_basin(collection: Collection) -> "Figure":
    """The boundary against R; the way to rank one against the scale at one R."""
    figure, ((left, right),) = panels(1, 2, height=3.0)
    _boundaries(left, collection)
    left.set(
        title="half of the way to rank one",
        xlabel="R",
        ylabel="log10(1 / scale of the start)",
        xscale="log",
        yscale="log",
    )
    ticks = (2, 5, 10, 20, 50, 100, 200, 400)
    left.set_xticks(ticks, [str(x) for x in ticks], minor=False)
    left.set_xticks([], minor=True)
    _answers(right, collection, 20.0)
    right.set(
        title="R = 20",
        xlabel="log10(1 / scale of the start)",
        ylabel="share of the way to rank one",
        xscale="log",
        ylim=(-0.03, 1.05),
    )
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


def _boundaries(axes: "Axes", collection: Collection) -> None:
    label = "derived, leading order"
    for depth in (2, 3, 4):
        runs = collection.select(depth=depth, start="identity")
        found = [float(R) for R in runs.axis("R")]
        samples = [boundary(collection, R, depth, "identity") for R in found]
        look = depth_look(depth)
        draw_samples(axes, found, samples, look)
        R = np.geomspace(5, 400 if depth > 2 else 100)
        line = np.array([derived(x, depth) for x in R])
        keep = line > 0.8
        axes.plot(R[keep], line[keep], color=look.color, linestyle=":", label=label)
        label = "_nolegend_"


def _answers(axes: "Axes", collection: Collection, R: float) -> None:
    axes.axhline(0.5, color=GRID, linewidth=1.2)
    for depth in (2, 3, 4):
        runs = collection.select(R=R, depth=depth, start="identity")
        if not len(runs):
            continue
        at = [-scale for scale in scales(collection, R, depth, "identity")]
        samples = ways(collection, R, depth, "identity")
        draw_samples(axes, at, samples, depth_look(depth))
