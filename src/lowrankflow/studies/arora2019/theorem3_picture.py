"""The figure of theorem 3: rates against sizes, one path, departures by imbalance."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.arora2019.legend import shared_legend
from lowrankflow.studies.arora2019.recorded_paths import measured
from lowrankflow.studies.arora2019.theorem3_jobs import SPOILED, UNBALANCED_DEPTHS
from lowrankflow.studies.arora2019.theorem3_measures import (
    balanced_paths,
    failures,
    growth,
    imbalance_sample,
    law,
    shapes_of,
)
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.style import INK, depth_look, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SHOWN_SEEDS = 5


def draw_theorem3(collection: Collection) -> "Figure":
    """Growth laws of all depths; measured and predicted rates; unbalanced starts."""
    figure, ((left, middle, right),) = panels(1, 3, height=3.1)
    _laws(left, collection)
    _rates(middle, collection)
    _departures(right, collection)
    shared_legend(figure, (left, middle, right), ncols=5)
    return figure


def _depths(collection: Collection) -> list[int]:
    return [int(d) for d in collection.select(case="balanced").axis("depth")]


def _laws(axes: "Axes", collection: Collection) -> None:
    for depth in _depths(collection):
        look = depth_look(depth)
        for shape in shapes_of(collection, depth)[:1]:
            paths = balanced_paths(collection, depth, shape)[0][:_SHOWN_SEEDS]
            pairs = [growth(measured(path)) for path in paths]
            if not pairs:
                continue
            sigma, rate = (
                np.concatenate(column) for column in zip(*pairs, strict=True)
            )
            axes.plot(
                sigma,
                rate,
                look.marker,
                color=look.color,
                markersize=2.5,
                label=look.label,
                rasterized=True,
            )
            line = np.geomspace(sigma.min(), sigma.max(), 2)
            axes.plot(line, depth * line ** (2 - 2 / depth), color=INK, linewidth=0.7)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="singular value",
        title=r"$\sigma' / \langle -\nabla\ell, uv^\top\rangle$",
    )


def _rates(axes: "Axes", collection: Collection) -> None:
    for depth in _depths(collection):
        for shape in shapes_of(collection, depth)[:1]:
            for path in balanced_paths(collection, depth, shape)[0][:1]:
                here, look = measured(path), depth_look(depth)
                axes.plot(here.time, law(here)[:, 0], color=look.color, linewidth=1)
                axes.plot(
                    here.time[::2],
                    here.value_velocity[::2, 0],
                    look.marker,
                    color=look.color,
                    markersize=3.5,
                )
    axes.set(xlabel="time", title=r"$\sigma_1'$: measured, and by (7)")


def _departures(axes: "Axes", collection: Collection) -> None:
    for depth in UNBALANCED_DEPTHS:
        look, points = depth_look(depth), []
        for spoiled in SPOILED:
            x = imbalance_sample(collection, depth, spoiled)
            y = failures(collection, depth, spoiled)
            points += list(zip(x.values, y.values, strict=True))
        if not points:
            continue
        x, y = np.array(points).T
        axes.plot(x, y, look.marker, color=look.color, markersize=3, alpha=0.8)
        if depth == 2:
            line = np.array([x.min(), x.max()])
            axes.plot(line, 2 * line, color=INK, linestyle="--", label="bound, depth 2")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel=r"imbalance $\delta$",
        title=r"$|\sigma' - \mathrm{law}|\,/\,\|\nabla\ell\|$",
    )
