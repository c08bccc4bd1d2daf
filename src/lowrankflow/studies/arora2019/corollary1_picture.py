"""The figure of corollary 1: turning and off-diagonal gradient, over time, by pair."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.arora2019.corollary1_jobs import DEPTHS, STARTS
from lowrankflow.studies.arora2019.corollary1_measures import kinds, pairs_of, runs_of
from lowrankflow.studies.arora2019.legend import shared_legend
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.style import INK, depth_look, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SPEED, _OFF, _ON = "#0072b2", "#d55e00", "#767d86"
_SHOWN_SEEDS = 5


def draw_corollary1(collection: Collection) -> "Figure":
    """For each depth: both over time from two starts, and all pairs in their bounds."""
    figure, grid = panels(len(DEPTHS), 3, height=4.6)
    known = kinds(collection, *STARTS)
    for row, depth in zip(grid, DEPTHS, strict=True):
        for axes, start in zip(row, STARTS, strict=False):
            if (start, depth, "square") in known:
                _over_time(axes, collection, start, depth)
            axes.set(title=f"start {start}, depth {depth}", yscale="log")
        _by_pair(row[2], collection, depth)
    for axes in grid[-1, :2]:
        axes.set(xlabel="time")
    grid[-1, 2].set(xlabel="smaller / larger value")
    shared_legend(figure, grid[:, :2].ravel(), ncols=4)
    return figure


def _over_time(axes: "Axes", collection: Collection, start: str, depth: int) -> None:
    for path in runs_of(collection, start, depth, "square")[0][:1]:
        found = pairs_of(path)
        inner = np.linalg.norm(found.inner, axis=1)
        axes.plot(
            found.time,
            np.linalg.norm(found.speed, axis=1),
            color=_SPEED,
            label=r"turning, $\|(U^\top U', V^\top V')\|$",
        )
        axes.plot(
            found.time, inner, "--", color=_OFF, label=r"$U^\top G V$ off the diagonal"
        )
        axes.plot(
            found.time, found.diagonal, ":", color=_ON, label=r"$U^\top G V$ on it"
        )
        axes.fill_between(
            found.time,
            found.lower.min(axis=1) * inner,
            found.upper.max(axis=1) * inner,
            color=_SPEED,
            alpha=0.12,
            linewidth=0,
            label="bounds of the turning",
        )


def _by_pair(axes: "Axes", collection: Collection, depth: int) -> None:
    look = depth_look(depth)
    for start, own, shape in kinds(collection, *STARTS):
        if own != depth:
            continue
        for path in runs_of(collection, start, own, shape)[0][:_SHOWN_SEEDS]:
            found = pairs_of(path)
            heard = found.heard
            x = (found.second / found.first)[heard]
            y = (found.speed / found.inner / found.lower)[heard]
            axes.plot(
                x, y, ".", color=look.color, markersize=1.5, alpha=0.4, rasterized=True
            )
    x = np.linspace(0, 0.995, 400)
    axes.plot(x, np.ones_like(x), color=INK, linewidth=1)
    axes.plot(x, (1 + x) / (1 - x), color=INK, linewidth=1)
    axes.set(yscale="log", ylim=(0.5, 300), title="turning / lower bound, by pair")
