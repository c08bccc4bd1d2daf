"""The figure of theorem 1: excess of the trace against the scale of the start."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.commuting import family, minimum
from lowrankflow.studies.gunasekar2017.theorem1_claims import (
    family_excess,
    fixture_excess,
    scales,
)
from lowrankflow.studies.style import INK, depth_look, panels, spectrum_colors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Excess on the fixture, in the scale of the product.
_FORMULAS = {2: (1.0, 0.5), 3: (8.0, 1.0), 4: (4.0, 1.0)}
_PATHS = {
    "flow": ("o", "flow"),
    "huber": ("s", "Huber loss"),
    "power": ("^", r"$|r|^{1.5}$"),
    "push": ("D", "pushed"),
    "batches": ("x", "batches of one"),
}


def draw_theorem1(collection: Collection) -> "Figure":
    """The fixture; random families; one family along other paths."""
    figure, ((left, middle, right),) = panels(1, 3, height=3.1)
    _fixture(left, collection)
    _families(middle, collection)
    _ways(right, collection)
    for axes in (left, middle, right):
        axes.set(xscale="log", yscale="log", xlabel="scale of the start")
        axes.legend(loc="lower right", fontsize=7, handlelength=2.0)
    left.set(title="fixture", ylabel="excess of the trace")
    middle.set(title="random families")
    return figure


def _fixture(axes: "Axes", collection: Collection) -> None:
    x = np.array(scales(collection, "fixture"))
    for depth, (factor, power) in _FORMULAS.items():
        look = depth_look(depth)
        values = [_one(fixture_excess(collection, depth, s).values) for s in x]
        axes.plot(x, values, color=look.color, marker=look.marker, linestyle="")
        label = {2: r"$\sqrt{\alpha}$", 3: r"$8\,\alpha$", 4: r"$4\,\alpha$"}[depth]
        axes.plot(
            x,
            factor * x**power,
            color=look.color,
            linestyle=":",
            label=f"depth {depth}, {label}",
        )


def _families(axes: "Axes", collection: Collection) -> None:
    x = np.array(scales(collection, "family"))
    seeds = [int(seed) for seed in collection.select(case="family").axis("seed")]
    samples = [family_excess(collection, path="flow", init_scale=s) for s in x]
    shown = seeds[:8]
    for number, (seed, color) in enumerate(
        zip(shown, spectrum_colors(len(shown)), strict=True)
    ):
        found = [s.values[s.seeds.index(seed)] for s in samples if seed in s.seeds]
        if len(found) < len(x):
            continue
        slope = minimum(family(seed))[1].exponent
        first = number == 0
        axes.plot(x, found, color=color, marker="o", linestyle="-", markersize=3)
        # Through the point of the smallest scale.
        axes.plot(
            x,
            found[0] * (x / x[0]) ** slope,
            color=color,
            linestyle=":",
            label="slope by the dual" if first else None,
        )


def _ways(axes: "Axes", collection: Collection) -> None:
    x = scales(collection, "family")
    seeds = collection.select(case="family").axis("seed")
    seed = int(seeds[min(1, len(seeds) - 1)])
    colors = [INK, "#0072b2", "#d55e00", "#009e73", "#aa4499"]
    for (path, (marker, label)), color in zip(_PATHS.items(), colors, strict=True):
        runs = collection.select(case="family", path=path, seed=seed)
        if not len(runs):
            continue
        values = [_one(family_excess(runs, init_scale=s).values) for s in x]
        plain = path == "flow"
        axes.plot(
            x,
            values,
            color=color,
            marker=marker,
            linestyle="-" if plain else "",
            markersize=8 if plain else 4,
            fillstyle="none" if plain else "full",
            label=label,
        )
    axes.set_title(f"seed {seed}, other paths")


def _one(values: np.ndarray) -> float:
    return float(values[0]) if values.size else float("nan")
