"""The figure of the warm-up: fitting in W, leaving the manifold in U."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.commuting import apart
from lowrankflow.studies.gunasekar2017.warmup_claims import distance, steps
from lowrankflow.studies.style import INK, Look, draw_samples, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LOOKS = {
    "descent": Look(color="#aa4499", marker="o", linestyle="-", label="descent"),
    "heavy ball": Look(color="#d55e00", marker="s", linestyle="--", label="heavy ball"),
    "nesterov": Look(color="#0072b2", marker="^", linestyle="-.", label="Nesterov"),
    "normalized": Look(color="#a67c00", marker="D", linestyle=":", label="normalized"),
    "push": Look(color="#009e73", marker="v", linestyle=":", label="pushed control"),
}


def draw_warmup(collection: Collection) -> "Figure":
    """Distance from the least norm in W; distance from the manifold in U."""
    figure, ((left, right),) = panels(1, 2, height=3.1)
    _least_norm(left, collection)
    left.set(
        yscale="log",
        ylabel="relative distance at the end",
        title="in W: from the least Frobenius norm",
        ylim=(1e-12, 10),
    )
    left.axhline(1.0, color=INK, linestyle=":", label="start, W = 0")
    left.legend(loc="center right")
    x = steps(collection)
    for method in ("descent", "heavy ball", "nesterov", "push"):
        samples = [distance(collection, method, step) for step in x]
        draw_samples(right, x, samples, _LOOKS[method])
    right.set(
        xscale="log",
        yscale="log",
        xlabel="step",
        ylabel="distance from the manifold",
        title="in U: from the manifold",
    )
    right.legend(loc="center right")
    return figure


def _least_norm(axes: "Axes", collection: Collection) -> None:
    least = collection.last("matrix", case="matrix", method="minimum")
    names = ["descent", "heavy ball", "nesterov", "normalized"]
    for at, method in enumerate(names):
        ends = collection.last("matrix", case="matrix", method=method)
        values = apart(ends, least).values
        look = _LOOKS[method]
        spread = at + np.linspace(-0.2, 0.2, len(values)) if len(values) else values
        axes.plot(spread, values, color=look.color, marker=look.marker, linestyle="")
    axes.set_xticks(range(len(names)), [_LOOKS[name].label for name in names])
