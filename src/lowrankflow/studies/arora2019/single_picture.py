"""The figure of equations (10) and (11)."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.reference import (
    single_measurement_asymptote,
    single_measurement_curve,
)
from lowrankflow.studies.arora2019.legend import shared_legend
from lowrankflow.studies.arora2019.single_jobs import SMALL, TABLE_SCALE, WEIGHTS
from lowrankflow.studies.arora2019.single_measures import (
    depths,
    diagonal_path,
    of_passages,
    passages,
    scales,
)
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.style import depth_look, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SEEDS = 8


def draw_single_measurement(collection: Collection) -> "Figure":
    """Curves; turning of the leading vector; errors of the equation."""
    figure, ((left, middle, right),) = panels(1, 3, height=3.3)
    for depth in (1, 2, 3, 4):
        _curves(left, collection, depth)
    for depth in depths(collection):
        _turning(middle, collection, depth)
        _errors(right, collection, depth)
    left.set(title="A = diag(1, 0.6, 0.3)", xlabel=r"$\sigma_1$", ylabel=r"$\sigma_2$")
    middle.set(
        title=f"random A and start, scale {SMALL:g}",
        xlabel=r"$\sigma_1$ over its last size",
        ylabel=r"$u_1$ since $t_0$, degrees",
    )
    right.set(
        title=r"equation (11) for $\sigma_2$",
        xlabel="scale of the start",
        ylabel="relative error at the end",
    )
    for axes in (left, right):
        if axes.lines:
            axes.set(xscale="log", yscale="log")
    shared_legend(figure, [left], ncols=4)
    return figure


def _curves(axes: "Axes", collection: Collection, depth: int) -> None:
    path, look = diagonal_path(collection, depth, TABLE_SCALE), depth_look(depth)
    if path is None:
        return
    x = np.geomspace(TABLE_SCALE, path[-1, 0], 100)
    starts = {"start": TABLE_SCALE, "value_start": TABLE_SCALE}
    wanted = single_measurement_curve(x, **starts, ratio=WEIGHTS[1], depth=depth)
    axes.plot(x, wanted, color=look.color, linewidth=1.0)
    # Some dozen records, evenly along the path.
    steps = np.searchsorted(path[:, 0], np.geomspace(TABLE_SCALE, path[-1, 0], 10))
    shown = np.unique(np.minimum(steps, len(path) - 1))
    axes.plot(
        path[shown, 0],
        path[shown, 1],
        color=look.color,
        marker=look.marker,
        linestyle="",
        label=look.label,
    )
    if depth > 2:
        limit = single_measurement_asymptote(**starts, ratio=WEIGHTS[1], depth=depth)
        axes.axhline(limit, color=look.color, linestyle=":", linewidth=1.0)


def _turning(axes: "Axes", collection: Collection, depth: int) -> None:
    look = depth_look(depth)
    found, _ = passages(collection, depth, SMALL)
    for passage in list(found.values())[:_SEEDS]:
        axes.plot(passage.fraction, passage.moved, color=look.color, linewidth=0.9)


def _errors(axes: "Axes", collection: Collection, depth: int) -> None:
    look, at = depth_look(depth), scales(collection)
    for name, fill, line in (("stated", "full", "-"), ("frozen", "none", ":")):
        samples = [of_passages(collection, depth, scale, name) for scale in at]
        if not all(len(sample) for sample in samples):
            continue
        axes.plot(
            at,
            [float(np.median(sample.values)) for sample in samples],
            color=look.color,
            marker=look.marker,
            fillstyle=fill,
            linestyle=line,
        )
