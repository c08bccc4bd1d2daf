"""The figure of paths: distance over time, its maximum and mean, its exponent."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021.figure1_claims import (
    exponents,
    gamma,
    largest_distance,
    mean_distance,
    norms,
)
from lowrankflow.studies.li2021.passages_measures import rate_sample
from lowrankflow.studies.style import (
    INK,
    depth_look,
    draw_samples,
    panels,
    spectrum_colors,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_paths(collection: Collection) -> "Figure":
    """Distance over time, distance against the start, exponents against gamma."""
    figure, ((left, middle, right),) = panels(1, 3, height=3.0)
    there = norms(collection, "random")
    for norm, color in zip(there, spectrum_colors(len(there)), strict=True):
        paths = collection.trajectory(
            "greedy_distance", method="flow", start="random", norm=norm
        )
        for path in paths[:1]:
            label = f"$10^{{{round(np.log10(norm))}}}$"
            left.plot(path.time, path.values, color=color, label=label)
    left.set(
        xscale="log",
        yscale="log",
        xlim=(0.1, 1e3),
        ylim=(1e-6, 10),
        xlabel="flow time",
        ylabel="distance from greedy path",
    )
    left.legend(ncols=2, fontsize=6, handlelength=1.2, loc="lower left")
    at = [-np.log10(norm) for norm in there]
    for measure, variant, label in (
        (largest_distance, 0, "largest"),
        (mean_distance, 1, "mean"),
    ):
        samples = [measure(collection, norm) for norm in there]
        draw_samples(middle, at, samples, depth_look(2, variant=variant, label=label))
    middle.set(yscale="log", xlabel="-log10 of ||W(0)||", ylabel="distance")
    middle.legend()
    line = np.array([0.0, 0.3])
    for start, times, marker in (("random", 1, "o"), ("identity", 2, "s")):
        found = exponents(collection, start)
        x = rate_sample(found, gamma).values
        if len(found):
            right.plot(x, found.values, marker, color=depth_look(times + 1).color)
        label = f"{start}: y = {'2 ' if times == 2 else ''}x"
        right.plot(line, times * line, color=depth_look(times + 1).color, label=label)
    right.plot(line, line / (1 + line), color=INK, linestyle=":", label="bound")
    right.set(xlabel="gamma", ylabel="exponent, first phase", xlim=(0, 0.3))
    right.legend(fontsize=7)
    return figure
