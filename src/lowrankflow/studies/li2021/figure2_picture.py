"""The figure of passages: how close, and how long."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021.passages import DEPTHS
from lowrankflow.studies.li2021.passages_measures import closest, plateau, scales
from lowrankflow.studies.style import INK, depth_look, draw_samples, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_passages(collection: Collection) -> "Figure":
    """Closest approaches above, times spent below."""
    figure, (above, below) = panels(2, 3, height=4.6)
    for stage, axes in enumerate(above, start=1):
        for depth in DEPTHS:
            at = scales(collection, depth=depth)
            samples = [closest(collection, depth, w, stage) for w in at]
            draw_samples(axes, at, samples, depth_look(depth))
        axes.set(xscale="log", yscale="log", title=f"critical point {stage}")
    above[0].set_ylabel("closest approach")
    titles = ("time at zero", "time at critical point 1", "time at critical point 2")
    for stage, axes in enumerate(below):
        for depth in DEPTHS:
            at = scales(collection, depth=depth)
            samples = [plateau(collection, depth, w, stage) for w in at]
            draw_samples(axes, at, samples, depth_look(depth))
            last = samples[-1].values[np.isfinite(samples[-1].values)]
            if depth > 2 and last.size:
                law = last.mean() * (np.array(at) / at[-1]) ** -(1 - 2 / depth)
                axes.plot(at, law, color=INK, linestyle=":", linewidth=0.9)
        axes.set(xscale="log", yscale="log", title=titles[stage], xlabel="w")
    below[0].set_ylabel("flow time")
    for axes in (*above, *below):
        axes.set_xticks([1e-7, 1e-5, 1e-3, 1e-1])
        axes.set_xticks([], minor=True)
        axes.invert_xaxis()
    handles, labels = above[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure
