"""Figure 3 drawn: nuclear norms over the minimum, and the ratings along training."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes as PlotAxes

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.gunasekar2017 import figure3_measures as measures
from lowrankflow.studies.gunasekar2017.figure3_jobs import (
    DESCENT,
    EXPONENTIAL,
    FLOW,
    LEAST,
    MEASUREMENTS,
    NORM,
    ON_X,
    SMALLER_NORM,
    TRUTHS,
)
from lowrankflow.studies.samples import Sample, combine
from lowrankflow.studies.style import INK, Look, method_look, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_GREY = method_look("min_frobenius_norm")
_LOOKS = {
    EXPONENTIAL: Look(
        color="#009e73", marker="^", linestyle="", label="time-ordered exponential"
    ),
    FLOW: Look(color="#0072b2", marker="o", linestyle="", label="adaptive solver"),
    DESCENT: Look(color="#aa4499", marker="X", linestyle="", label="small steps"),
    ON_X: Look(color=_GREY.color, marker="+", linestyle="", label="descent on X"),
}
_TITLES = {
    "gaussian": "Gaussian measurements",
    "uniform": "uniform entries",
    "power law": "power-law entries",
}
_SPREAD = 0.6  # of a category's width


def draw_figure3(runs: Collection) -> "Figure":
    """Nuclear norms by panel above; ratings along training and small starts below."""
    figure, (top, bottom) = panels(2, 3, height=4.9)
    for axes, measured in zip(top, MEASUREMENTS, strict=True):
        _draw_norms(axes, runs, measured)
        axes.set_title(_TITLES[measured])
    top[0].set_ylabel("nuclear norm / minimum")
    least = method_look("min_nuclear_norm")
    figure.legend(
        *top[0].get_legend_handles_labels(), loc="outside upper center", ncols=3
    )
    _draw_path(bottom[0], runs, "nuclear_norm", measures.ratings_norm)
    bottom[0].set(ylabel="nuclear norm", title="ratings")
    _draw_path(bottom[1], runs, "held_out_rmse", _held_out)
    bottom[1].set(ylabel="held-out RMSE", title="ratings")
    if bottom[0].get_legend_handles_labels()[0]:
        bottom[0].legend(loc="center", bbox_to_anchor=(0.5, 0.7), handlelength=2.2)
    _draw_starts(bottom[2], runs, least.linestyle)
    return figure


def _held_out(runs: Collection, method: str) -> Sample:
    data = measures.data_of_ratings(runs)
    return runs.last("held_out_rmse", data=data, method=method)


def _draw_norms(axes: PlotAxes, runs: Collection, measured: str) -> None:
    offsets = np.linspace(-_SPREAD / 2, _SPREAD / 2, len(_LOOKS))
    for offset, (method, look) in zip(offsets, _LOOKS.items(), strict=True):
        samples = [
            measures.planted_excess(runs, (measured, truth), method).map(
                lambda excess: 1 + excess
            )
            for truth in TRUTHS
        ]
        _points(axes, np.arange(len(TRUTHS)) + offset, samples, look)
    least = method_look("min_nuclear_norm")
    axes.axhline(1, color=least.color, linestyle=least.linestyle, label=least.label)
    axes.set_xticks(range(len(TRUTHS)), TRUTHS)
    axes.set_xlim(-0.5, len(TRUTHS) - 0.5)


def _draw_path(axes: PlotAxes, runs: Collection, variable: str, reference) -> None:
    look = _LOOKS[FLOW]
    for number, (_, training, values) in enumerate(
        measures.ratings_path(runs, variable)
    ):
        axes.plot(
            training,
            values,
            color=look.color,
            label="factors, along training" if number == 0 else "_",
        )
    for method, line in ((LEAST, method_look("min_nuclear_norm")), (ON_X, _GREY)):
        for number, level in enumerate(reference(runs, method).values):
            axes.axhline(
                level,
                color=line.color,
                linestyle="--" if method == LEAST else ":",
                label=("_" if number else "minimum" if method == LEAST else "on X"),
            )
    axes.set_xscale("log")
    axes.set_xlim(1.1, 0.008)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("relative training error")


def _draw_starts(axes: PlotAxes, runs: Collection, linestyle: str) -> None:
    """The flow from two starts: the excess over the minimum, every panel a line."""
    styles = {"gaussian": "-", "uniform": "--", "power law": ":"}
    colors = {"rank 2": "#0072b2", "decaying": "#d55e00", "too few": "#009e73"}
    for place in measures.PLACES:
        samples = [
            measures.planted_excess(runs, place, FLOW, norm)
            for norm in (NORM, SMALLER_NORM)
        ]
        both = combine(lambda a, b: np.array([a, b]), *samples).values
        if not both.size:
            continue
        axes.plot(
            [0, 1],
            100 * both.mean(axis=0),
            color=colors[place[1]],
            linestyle=styles[place[0]],
            marker="o",
            markersize=3,
            label=place[1] if place[0] == "gaussian" else "_",
        )
    axes.axhline(0, color=INK, linestyle=linestyle, linewidth=1)
    ticks = [f"$10^{{{round(np.log10(norm))}}}$" for norm in (NORM, SMALLER_NORM)]
    axes.set_xticks([0, 1], ticks)
    axes.set_xlim(-0.25, 1.25)
    axes.set(
        xlabel=r"norm of the start, $\|U(0)\|_F$",
        ylabel="above the minimum (%)",
        title="adaptive solver",
    )
    if axes.get_legend_handles_labels()[0]:
        axes.set_ylim(top=1.5 * axes.get_ylim()[1])
        axes.legend(loc="upper left", handlelength=1.6)


def _points(
    axes: PlotAxes, x: np.ndarray, samples: Sequence[Sample], look: Look
) -> None:
    """Means over seeds, with bars from least to largest, and no line between them."""
    for number, (at, sample) in enumerate(zip(x, samples, strict=True)):
        values = sample.values[np.isfinite(sample.values)]
        if not values.size:
            continue
        axes.plot(
            at,
            values.mean(),
            color=look.color,
            marker=look.marker,
            linestyle="",
            label=look.label if number == 0 else "_",
        )
        axes.vlines(at, values.min(), values.max(), colors=look.color, linewidth=0.9)
