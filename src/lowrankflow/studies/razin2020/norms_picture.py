"""The figure: |W_11| against the loss, against time, and against W_22."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.razin2020.norms_claims import corners
from lowrankflow.studies.razin2020.norms_jobs import (
    DEPTHS,
    OPPOSITE,
    PAIRS,
    PERTURBED_DEPTH,
)
from lowrankflow.studies.razin2020.norms_measures import (
    derived_time_exponent,
    last_corner,
    of_paths,
    paths,
)
from lowrankflow.studies.style import INK, depth_look, panels, spectrum_colors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SEEDS = 5


def draw_norms(collection: Collection) -> "Figure":
    """Divergence in the loss; in time; and what is left of it for W_22 > 0."""
    figure, ((left, middle, right),) = panels(1, 3, height=3.2)
    for depth in DEPTHS:
        _in_loss(left, collection, depth)
        _in_time(middle, collection, depth)
    _in_corner(right, collection)
    if left.lines:
        r = np.geomspace(np.sqrt(2) * 1e-3, 0.7, 60)
        left.plot(
            r**2 / 2, (1 - r) ** 2 / r, color=INK, linestyle=":", label="lower bound"
        )
        left.invert_xaxis()
        left.set_ylim(bottom=1e-2)
    left.set(title="either sign", xlabel="loss", ylabel=r"$|W_{11}|$")
    middle.set(title="positive determinant", xlabel="time")
    right.set(title="perturbed data, depth 3", xlabel=r"$W_{22}$")
    for axes in (left, middle, right):
        if axes.lines:
            axes.set(xscale="log", yscale="log")
            axes.legend(fontsize=7, handlelength=2.0)
    return figure


def _in_loss(axes: "Axes", collection: Collection, depth: int) -> None:
    look = depth_look(depth)
    for case, line, width in (("positive", "-", 1.2), ("negative", "--", 0.7)):
        found, _ = paths(collection, case=case, depth=depth)
        for number, path in enumerate(found[:_SEEDS]):
            first = number == 0 and case == "positive"
            axes.plot(
                path.loss,
                np.abs(path.corner),
                color=look.color,
                linestyle=line,
                linewidth=width,
                label=look.label if first else None,
            )


def _in_time(axes: "Axes", collection: Collection, depth: int) -> None:
    look, rate = depth_look(depth), derived_time_exponent(depth)
    found, _ = paths(collection, case="positive", depth=depth)
    for number, path in enumerate(found[:_SEEDS]):
        axes.plot(path.time, np.abs(path.corner), color=look.color, linewidth=1.0)
        if number == 0:
            late = path.time >= path.time[-1] / 300
            line = abs(path.corner[-1]) * (path.time[late] / path.time[-1]) ** rate
            axes.plot(
                path.time[late],
                1.5 * line,
                color=look.color,
                linestyle=":",
                label=f"slope {depth}/{2 * depth + 2}",
            )


def _in_corner(axes: "Axes", collection: Collection) -> None:
    at = [corner for corner in corners(collection) if corner]
    places = {"case": "perturbed", "depth": PERTURBED_DEPTH}
    colors = spectrum_colors(len(PAIRS))
    for number, (pair, color) in enumerate(zip(PAIRS, colors, strict=True)):
        marker, shift = "os"[number], 1.06 ** (2 * number - 1)
        found = [
            of_paths(collection, last_corner, pair=pair, corner=corner, **places)
            for corner in at
        ]
        other = of_paths(
            collection, last_corner, case="opposite", depth=PERTURBED_DEPTH, pair=pair
        )
        for corner, sample in zip(at, found, strict=True):
            if not len(sample):
                continue
            axes.plot(
                np.full(len(sample), corner * shift),
                sample.values,
                color=color,
                marker=marker,
                linestyle="",
                label=f"{pair}" if corner == at[0] else None,
            )
        if len(other):
            axes.plot(
                np.full(len(other), OPPOSITE * shift),
                other.values,
                color=color,
                marker=marker,
                linestyle="",
                fillstyle="none",
            )
    if axes.lines:
        x = np.array([at[0], at[-1]])
        axes.plot(x, 1 / x, color=INK, linestyle=":", label=r"$|W_{12}W_{21}|/W_{22}$")
