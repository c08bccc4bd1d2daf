"""The figure of controls: formula (7) as the start falls, and loops."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.gunasekar2017.controls_claims import (
    exponent_gap,
    gap,
    scales,
)
from lowrankflow.studies.samples import Sample
from lowrankflow.studies.style import INK, Look, draw_samples, method_look, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FLOW = method_look("flow")
_LOOKS = {
    "residual": Look(
        color=_FLOW.color, marker="o", linestyle="-", label="flow's residual"
    ),
    "smooth": Look(color="#d55e00", marker="s", linestyle="--", label="random smooth"),
    "3x3": Look(color="#009e73", marker="^", linestyle="-.", label="3 x 3 completion"),
}


def draw_controls(collection: Collection) -> "Figure":
    """Distance of the matrices; of the logarithms; loops."""
    figure, ((left, middle, right),) = panels(1, 3, height=3.1)
    _against_scale(left, collection, gap)
    left.set(ylabel="distance / ||X||", title="formula (7) from X", yscale="log")
    _against_scale(middle, collection, exponent_gap)
    middle.set(ylabel="distance / ||2 A*(s)||", title="their logarithms")
    middle.set_ylim(bottom=0)
    for axes in (left, middle):
        axes.set(xscale="log", xlabel="scale of the start")
    _loops(right, collection)
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _against_scale(
    axes: "Axes",
    collection: Collection,
    measure: Callable[[Collection, str, float], Sample],
) -> None:
    x = scales(collection)
    for case, look in _LOOKS.items():
        draw_samples(axes, x, [measure(collection, case, s) for s in x], look)


def _loops(axes: "Axes", collection: Collection) -> None:
    runs = collection.select(case="loops")
    x = [float(steps) for steps in runs.axis("steps")]
    shown = x if len(x) <= 6 else x[::2]
    samples = [runs.last("direct_gap", steps=int(steps)) for steps in x]
    look = Look(color="#aa4499", marker="D", linestyle="-", label="loops")
    draw_samples(axes, x, samples, look)
    numbers = samples[0].values[np.isfinite(samples[0].values)]
    if numbers.size:
        line = numbers.mean() * x[0] / np.array(x)
        axes.plot(x, line, color=INK, linestyle=":", label="1 / steps")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="steps in the time given",
        ylabel="way / ||X||",
        title="along a commutator",
    )
    axes.set_xticks(shown, [f"{steps:g}" for steps in shown], minor=False)
    axes.set_xticks([], minor=True)
    axes.legend(loc="lower left")
