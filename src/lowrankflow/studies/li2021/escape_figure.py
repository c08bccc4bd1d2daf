"""The figure of the escape: errors and times against the scale."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021.escape_jobs import gamma
from lowrankflow.studies.li2021.escape_measures import (
    deep_error,
    leading_time,
    shallow_error,
    steps,
    time_to_leave,
)
from lowrankflow.studies.style import depth_look, draw_samples, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_escape(collection: Collection) -> "Figure":
    """Distances from the limit at depth 2 and beyond; times of leaving zero."""
    figure, ((left, middle, right),) = panels(1, 3, height=3.1)
    _shallow(left, collection)
    _deep(middle, collection)
    _times(right, collection)
    left.set(title="depth 2, R = 2", xlabel="log10 alpha", ylabel="distance from limit")
    middle.set(
        title="beyond, in M = $W^{2/L}$",
        xlabel="log10 alpha",
        ylabel="distance from limit",
    )
    right.set(title="leaving zero", xlabel="log10 scale", ylabel="flow time")
    for axes in (left, middle, right):
        axes.set_yscale("log")
    handles, labels = [], []
    for axes in (left, right, middle):
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            if label not in labels:
                handles.append(handle)
                labels.append(label)
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


def _shallow(axes: "Axes", collection: Collection) -> None:
    for variant, start in enumerate(("identity", "random")):
        at = steps(collection, "log10_scale", case="first", R=2.0, start=start)
        samples = [shallow_error(collection, 2.0, start, x) for x in at]
        look = depth_look(2, variant=variant, label=f"depth 2, {start}")
        draw_samples(axes, at, samples, look)
        power = gamma(2.0) * (2 - variant)
        label = "predicted" if variant == 0 else "_nolegend_"
        _line(axes, at, samples, power, look.color, label)


def _deep(axes: "Axes", collection: Collection) -> None:
    for depth in (3, 4, 5):
        for variant, R in enumerate((2.0, 5.0)):
            at = steps(collection, "log10_alpha", case="deep", R=R, depth=depth)[1:]
            samples = [deep_error(collection, R, depth, x) for x in at]
            label = f"depth {depth}" + (", R = 5" if variant else "")
            look = depth_look(depth, variant=variant, label=label)
            draw_samples(axes, at, samples, look)
            _line(axes, at, samples, 1.0, look.color, "_nolegend_")


def _times(axes: "Axes", collection: Collection) -> None:
    for depth in (2, 3, 4):
        at = steps(collection, "log10_scale", case="leave", depth=depth)
        samples = [time_to_leave(collection, depth, x) for x in at]
        look = depth_look(depth, label="depth 2, identity" if depth == 2 else "")
        draw_samples(axes, at, samples, look)
        line = [leading_time(depth, x) for x in at]
        axes.plot(at, line, color=look.color, linestyle=":", label="_nolegend_")


def _line(axes, at, samples, power, color, label) -> None:
    """The predicted slope through the geometric mean of the last point."""
    if not at or not len(samples[0]):
        return
    level = np.exp(np.mean(np.log(samples[0].values)))
    line = level * 10.0 ** (power * (np.array(at) - at[0]))
    axes.plot(at, line, color=color, linestyle=":", label=label)
