"""The figure of corollary 2: excess of the sum, and its exponent."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.gunasekar2017.corollary2_claims import (
    Problem,
    measured_exponent,
    predicted_exponent,
    scales,
    sum_excess,
)
from lowrankflow.studies.style import INK, method_look, panels, spectrum_colors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN = 6


def draw_corollary2(collection: Collection, problem: Problem) -> "Figure":
    """Excess against the scale of the start; exponent against the dual's slack."""
    figure, ((left, right),) = panels(1, 2, height=3.1)
    x = np.array(scales(collection))
    samples = [sum_excess(collection, problem, scale) for scale in x]
    seeds = samples[0].seeds[:_SHOWN]
    slopes = predicted_exponent(collection, problem, seeds).values
    for number, (seed, slope, color) in enumerate(
        zip(seeds, slopes, spectrum_colors(len(seeds)), strict=True)
    ):
        found = [s.values[s.seeds.index(seed)] for s in samples if seed in s.seeds]
        if len(found) < len(x):
            continue
        left.plot(x, found, color=color, marker="o", markersize=3)
        left.plot(
            x,
            found[0] * (x / x[0]) ** slope,
            color=color,
            linestyle=":",
            label="slope by the dual" if number == 0 else None,
        )
    left.set(
        xscale="log",
        yscale="log",
        xlabel="scale of the start of x",
        ylabel="excess of the sum over the least",
        title=f"{len(seeds)} of the seeds",
    )
    left.set_ylim(top=30)
    left.legend(loc="lower right")
    measured = measured_exponent(collection, problem)
    predicted = predicted_exponent(collection, problem, measured.seeds)
    look = method_look("flow")
    top = 1.05 * max([*measured.values, *predicted.values, 0.1])
    right.plot([0, top], [0, top], color=INK, linestyle="--", label="equal")
    right.plot(
        predicted.values,
        measured.values,
        color=look.color,
        marker=look.marker,
        linestyle="",
        label="one seed",
    )
    right.set(
        xlabel="least slack of the dual",
        ylabel="exponent measured",
        title="exponent of the excess",
    )
    right.legend(loc="upper left")
    return figure
