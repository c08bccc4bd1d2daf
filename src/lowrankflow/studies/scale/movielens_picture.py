"""Ten singular values of both flows on ratings, and how far they are apart."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes as PlotAxes
from matplotlib.lines import Line2D

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.scale import movielens_measures as measures
from lowrankflow.studies.scale.movielens_jobs import (
    ADAPTIVE,
    ADMISSIONS,
    DENSE,
    INIT_SCALE,
    SHOWN,
)
from lowrankflow.studies.style import INK, depth_look, panels, spectrum_colors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SPECTRUM = "singular_values"


def draw_ratings(collection: Collection) -> "Figure":
    """A column for each depth and tolerance: values above, distances below."""
    columns = [(depth, tol) for depth, tols in ADMISSIONS.items() for tol in tols]
    figure, (above, below) = panels(2, len(columns), height=4.8)
    for axes, under, (depth, tolerance) in zip(above, below, columns, strict=True):
        _draw_values(axes, collection, depth, tolerance)
        _draw_distances(under, collection, depth, tolerance)
        under.set_xlabel("time")
    above[0].set_ylabel("ten largest singular values")
    below[0].set_ylabel("distance of the ten, %")
    above[0].legend(
        handles=[
            Line2D([], [], color=INK, linewidth=1.2),
            Line2D([], [], color=INK, marker=".", linestyle="none"),
        ],
        labels=["dense flow", "adaptive"],
        loc="lower right",
        handlelength=1.4,
    )
    if below[0].get_legend_handles_labels()[0]:
        below[0].legend(loc="upper left", handlelength=1.6, fontsize=7)
    return figure


def _draw_values(
    axes: PlotAxes, runs: Collection, depth: int, tolerance: float
) -> None:
    dense = runs.trajectory(_SPECTRUM, method=DENSE, depth=depth)
    ours = runs.trajectory(_SPECTRUM, method=ADAPTIVE, depth=depth, tolerance=tolerance)
    for paths, is_line in ((dense, True), (ours, False)):
        if not paths:
            continue
        values = paths[0].values[:, :SHOWN]
        for r, color in enumerate(spectrum_colors(values.shape[1])):
            followed = values[:, r] > 0
            axes.plot(
                paths[0].time[followed],
                values[followed, r],
                color=color,
                linestyle="-" if is_line else "none",
                marker="" if is_line else ".",
                linewidth=1.0,
                markersize=4,
            )
    slow, fast = (
        measures.seconds(runs, DENSE, depth, 0.0),
        measures.seconds(runs, ADAPTIVE, depth, tolerance),
    )
    axes.set_title(
        f"depth {depth}, tolerance {tolerance:.0e}\n".replace("e-0", "e-")
        + f"{_said(slow)} and {_said(fast)}",
        fontsize=8,
    )
    axes.set_yscale("log")
    axes.set_ylim(bottom=INIT_SCALE / 2)


def _draw_distances(
    axes: PlotAxes, runs: Collection, depth: int, tolerance: float
) -> None:
    dense = runs.trajectory(_SPECTRUM, method=DENSE, depth=depth)
    ours = runs.trajectory(_SPECTRUM, method=ADAPTIVE, depth=depth, tolerance=tolerance)
    color = depth_look(depth).color
    if dense and ours:
        for measure, line, label in (
            (measures.apart, "-", "from the curve"),
            (measures.relatively_apart, "--", "the same, relatively"),
            (measures.apart_in_time, ":", "at equal times"),
        ):
            found = 100 * np.maximum(measure(ours[0], dense[0]), 1e-7)
            axes.plot(ours[0].time, found, color=color, linestyle=line, label=label)
    axes.axhline(1.0, color=INK, linewidth=0.8)
    axes.annotate("1 %", (0.01, 1.0), xycoords=("axes fraction", "data"), va="bottom")
    axes.set_yscale("log")
    axes.set_ylim(1e-5, 1e4)  # with room for a legend


def _said(number: float) -> str:
    """Seconds or minutes, in a few letters."""
    if not np.isfinite(number):
        return "no run"
    if number < 100:
        return f"{number:.1f} s" if number < 10 else f"{number:.0f} s"
    return f"{number / 60:.1f} min"
