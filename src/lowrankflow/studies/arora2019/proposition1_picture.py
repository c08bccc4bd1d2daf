"""The figure of proposition 1: Schatten powers beside the end, and other starts."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.arora2019.proposition1_jobs import DEPTHS, SIZE
from lowrankflow.studies.arora2019.proposition1_measures import (
    POWERS,
    amplification,
    at_size,
    beside,
    coupling,
    derived_amplification,
    powers,
    start_correlation,
)
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.style import INK, depth_look, panels, spectrum_colors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKERS = ("o", "s", "^", "D")


def draw_proposition1(collection: Collection) -> "Figure":
    """What a step changes; what an offset becomes; random starts."""
    figure, ((left, middle, right),) = panels(1, 3, height=3.0)
    _steps(left, collection)
    _offsets(middle, collection)
    _starts(right, collection)
    left.set(
        title="beside the end, depth 3",
        xlabel="step e",
        ylabel="change of the Schatten power",
    )
    middle.set(title="an offset of the start", xlabel="depth", xticks=DEPTHS)
    middle.set(ylabel="amplification", xlim=(1.5, 4.5))
    right.set(title="random starts", xlabel=r"$|W_{12}|$ at the start, to scale")
    right.set(ylabel=r"$|W_{12}|$ at the end", xlim=(0, 1), ylim=(0, 1.04))
    for axes in (left, right):
        if axes.get_legend_handles_labels()[1]:
            axes.legend(fontsize=7, handlelength=2.0)
    return figure


def _steps(axes: "Axes", collection: Collection) -> None:
    fine, marked = np.linspace(0, 0.95, 96), np.linspace(0.1, 0.9, 9)
    ends = at_size(collection, 3, SIZE)
    axes.axhline(0, color=INK, linewidth=0.7)
    colors = spectrum_colors(len(POWERS))
    for p, color, marker in zip(POWERS, colors, _MARKERS, strict=True):
        axes.plot(fine, (1 + fine) ** p + (1 - fine) ** p - 2, color=color)
        if len(ends):
            end = ends.values[0]
            found = [powers(beside(end, e), p) - powers(end, p) for e in marked]
            axes.plot(
                marked,
                found,
                color=color,
                marker=marker,
                linestyle="",
                label=f"p = {p:g}",
            )


def _offsets(axes: "Axes", collection: Collection) -> None:
    shown = False
    for depth in DEPTHS:
        look, found = depth_look(depth), amplification(collection, depth)
        if not len(found):
            continue
        shown = True
        spread = np.linspace(-0.12, 0.12, len(found))
        axes.plot(
            depth + spread,
            found.values,
            color=look.color,
            marker=look.marker,
            linestyle="",
            markersize=3.5,
        )
        axes.hlines(
            derived_amplification(depth),
            depth - 0.35,
            depth + 0.35,
            colors=look.color,
            linestyles="--",
            linewidth=1.0,
        )
    if shown:
        axes.set_yscale("log")


def _starts(axes: "Axes", collection: Collection) -> None:
    axes.plot([0, 1], [0, 1], color=INK, linestyle=":", linewidth=1.0)
    for depth in DEPTHS:
        look, found = depth_look(depth), coupling(collection, "random", depth)
        began = start_correlation(found.seeds)
        axes.plot(
            np.abs(began.values),
            np.abs(found.values),
            color=look.color,
            marker=look.marker,
            linestyle="",
            markersize=4,
            label=look.label,
        )
