"""Distances from greedy learning's path: over a run, and against the start."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021.figure1_measures import (
    largest_distance,
    mean_distance,
    sizes,
)
from lowrankflow.studies.style import Look, draw_samples, panels, spectrum_colors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LARGEST = Look(color="#0072b2", marker="o", linestyle="-", label="largest")
_MEAN = Look(color="#d55e00", marker="s", linestyle="--", label="mean over steps")
# Below this the tolerance of the path itself shows.
_FLOOR = 1e-6


def draw_distances(collection: Collection) -> "Figure":
    """Two panels."""
    figure, ((left, right),) = panels(1, 2, height=2.8)
    norms = sizes(collection)
    for norm, color in zip(norms, spectrum_colors(len(norms)), strict=True):
        for line in collection.trajectory(
            "greedy_distance", against="iteration", method="flow", norm=norm
        )[:1]:
            share = line.time / max(line.time[-1], 1)
            left.plot(
                share, np.maximum(line.values, _FLOOR), color=color, label=_power(norm)
            )
    left.set(
        yscale="log",
        xlabel="share of the run's steps",
        ylabel="distance from the path",
        title="one instance",
    )
    left.legend(fontsize=7, ncols=2, title="norm of the start", title_fontsize=7)
    decades = [-float(np.log10(norm)) for norm in norms]
    for measure, look in ((largest_distance, _LARGEST), (mean_distance, _MEAN)):
        samples = [measure(collection, norm) for norm in norms]
        draw_samples(right, decades, samples, look)
    shown = [d for d in (0, 8, 16, 32, 64, 128) if d <= max(decades) + 0.5]
    shown = [d for d in shown if d > max(decades) / 8 or d == 0]
    right.set_xticks(shown, [f"$10^{{-{d}}}$" if d else "1" for d in shown])
    right.set(yscale="log", xlabel="norm of the start, W(0)", title="all instances")
    right.legend()
    return figure


def _power(norm: float) -> str:
    decade = -round(float(np.log10(norm)))
    return f"$10^{{-{decade}}}$" if decade else "1"
