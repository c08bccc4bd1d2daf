"""The figure of errors over time: mean and one standard deviation over instances."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021.passages import DEPTHS
from lowrankflow.studies.li2021.passages_measures import scales
from lowrankflow.studies.style import panels, spectrum_colors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TIMES = np.geomspace(0.03, 1e4, 400)


def draw_errors(collection: Collection) -> "Figure":
    """One panel per depth, one curve per scale."""
    figure, (row,) = panels(1, 3, height=2.9)
    everywhere = scales(collection)
    colors = dict(zip(everywhere, spectrum_colors(len(everywhere)), strict=True))
    for depth, axes in zip(DEPTHS, row, strict=True):
        for w in scales(collection, depth=depth):
            paths = collection.trajectory(
                "relative_error", method="flow", depth=depth, init_scale=w
            )
            if not paths:
                continue
            # A flow that has ended stays where it is.
            errors = [np.interp(_TIMES, path.time, path.values) for path in paths]
            mean, deviation = np.mean(errors, axis=0), np.std(errors, axis=0)
            axes.plot(_TIMES, mean, color=colors[w], label=f"w = {w:.0e}")
            low = np.maximum(mean - deviation, 1e-5)
            axes.fill_between(
                _TIMES, low, mean + deviation, color=colors[w], alpha=0.2, linewidth=0
            )
        axes.set(
            xscale="log",
            yscale="log",
            ylim=(1e-4, 2.0),
            xlabel="flow time",
            title=f"depth {depth}",
        )
    row[0].set_ylabel("relative error")
    handles, labels = row[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure
