"""Figure 4: how far every instance ends above its least trace, per size of start."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.collection import AxisValue, Collection
from lowrankflow.studies.gunasekar2017.figure4_measures import (
    all_excess,
    grid_sample,
    share_above,
    starts,
)
from lowrankflow.studies.samples import Sample
from lowrankflow.studies.style import depth_look, draw_samples, method_look, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_EDGES = np.linspace(0.0, 1.0, 41)
# Shares above 1 %, 10 % and 50 %, in three looks.
_BOUNDS = ((0.01, 2), (0.1, 3), (0.5, 4))


def draw_figure4(collection: Collection) -> "Figure":
    """Five histograms, and the share above three bounds against the start."""
    figure, axes = panels(2, 3, height=4.6)
    places = axes.ravel()
    smallest = starts(collection)[-1]
    for place, size in zip(places, (1.0, 1e-3, 1e-5, smallest), strict=False):
        _histogram(
            place,
            collection,
            f"start {size:g}",
            color=method_look("flow").color,
            method="flow",
            frobenius_norm=size,
        )
    _histogram(
        places[4],
        collection,
        "greedy learning",
        color=method_look("greedy").color,
        method="greedy",
    )
    top = max(place.get_ylim()[1] for place in places[:5])
    for place in places[:5]:
        place.set(yscale="log", ylim=(0.7, 2 * top), xlabel="above the least trace")
    for place in (places[0], places[3]):
        place.set(ylabel="instances")
    _shares(places[5], collection)
    handles, labels = places[5].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


def _histogram(
    axes: "Axes", collection: Collection, title: str, *, color: str, **which: AxisValue
) -> None:
    excess = all_excess(collection, **which)
    # What lies further out stands in the last bar.
    clipped = np.clip(excess, 0.0, 1.0 - 1e-9)
    axes.hist(clipped, bins=_EDGES.tolist(), color=color)
    share = np.mean(excess > 0.01) if excess.size else 0.0
    axes.set(title=f"{title}: {100 * share:.0f} % over 1 %")
    axes.set_xticks([0, 0.5, 1], ["0", "50 %", "≥ 100 %"])


def _shares(axes: "Axes", collection: Collection) -> None:
    sizes = starts(collection)
    decades = [-float(np.log10(size)) for size in sizes]
    for bound, depth in _BOUNDS:
        look = depth_look(depth, label=f"more than {100 * bound:g} %")
        samples = [_share(collection, bound, size) for size in sizes]
        draw_samples(axes, decades, samples, look)
        limit = grid_sample(collection, share_above(bound), method="greedy").values
        if limit.size:
            axes.axhline(limit[0], color=look.color, linestyle=":", linewidth=1.1)
    axes.plot([], [], color="#767d86", linestyle=":", label="the same, greedy learning")
    axes.set(
        title="share that deviates",
        xlabel="start (log)",
        ylabel="share",
        ylim=(0, None),
    )
    # Linear in the logarithm up to 1e-5, where the paper ends, and beyond.
    most = max(decades) + 1e-9
    shown = [d for d in (0, 16, 32, 64, 100) if d <= most and (d > most / 5 or not d)]
    axes.set_xticks(shown, [f"$10^{{-{d}}}$" if d else "1" for d in shown])


def _share(collection: Collection, bound: float, size: float) -> Sample:
    return grid_sample(
        collection, share_above(bound), method="flow", frobenius_norm=size
    )
