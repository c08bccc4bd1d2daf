"""The figure of lemma 2: turns, an avoided crossing, errors against its gap."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.arora2019.lemma2_claims import crossing_depths
from lowrankflow.studies.arora2019.lemma2_jobs import (
    FINE_STEP,
    NOISES,
    crossing_time,
)
from lowrankflow.studies.arora2019.lemma2_measures import (
    completion_paths,
    crossing_paths,
    errors,
    gaps,
    kappa,
    kinds,
    least_gap,
    peak_error,
    predicted,
    sensitivity,
)
from lowrankflow.studies.arora2019.recorded_paths import ALL, NEAR, measured
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.style import INK, depth_look, panels, spectrum_colors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SHOWN_NOISES = NOISES[:4]
_DEPTH = 2
_THREE, _FIVE, _CHANGE = "#d55e00", "#0072b2", "#009e73"


def draw_lemma2(collection: Collection) -> "Figure":
    """Errors along completions; speeds in avoided crossings; errors by their gap."""
    figure, ((left, middle, right),) = panels(1, 3, height=3.0)
    _completions(left, collection)
    _speeds(middle, collection)
    _by_gap(right, collection)
    return figure


def _completions(axes: "Axes", collection: Collection) -> None:
    seen = set()
    for depth, shape in kinds(collection):
        look = depth_look(depth)
        for path in completion_paths(collection, depth, shape)[0][:5]:
            here = measured(path)
            axes.plot(
                gaps(here),
                np.maximum(errors(here, "left"), 1e-13),
                look.marker,
                color=look.color,
                markersize=2,
                alpha=0.6,
                label=None if depth in seen else look.label,
                rasterized=True,
            )
            seen.add(depth)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="least gap of singular values",
        title="error of (8) along completions",
    )
    if seen:
        axes.legend(handlelength=1)


def _speeds(axes: "Axes", collection: Collection) -> None:
    if _DEPTH not in crossing_depths(collection):
        return
    colors = spectrum_colors(len(_SHOWN_NOISES))
    for noise, color in zip(_SHOWN_NOISES, colors, strict=True):
        for path in crossing_paths(collection, _DEPTH, noise)[0][:1]:
            here = measured(path)
            time = here.time - crossing_time(_DEPTH)
            wanted = np.linalg.norm(predicted(here)[0], axis=(1, 2))
            found = np.linalg.norm(here.left_velocity, axis=(1, 2))
            axes.plot(time, wanted, color=color, label=f"coupling {noise:g}")
            axes.plot(time, found, "o", color=color, markersize=2.5)
    axes.set_xscale("symlog", linthresh=1e-3, linscale=0.6)
    axes.set(
        yscale="log",
        xlabel="time from the crossing",
        title=r"$\|U'\|$: measured, and by (8)",
        xticks=[-0.1, -1e-3, 1e-3, 0.1],
    )
    axes.set_xticklabels(["-0.1", "-0.001", "0.001", "0.1"])
    axes.minorticks_off()
    if axes.lines:
        axes.legend(loc="lower center", handlelength=1.2)


def _by_gap(axes: "Axes", collection: Collection) -> None:
    if _DEPTH not in crossing_depths(collection):
        return
    found = [
        (path, least_gap(path))
        for noise in NOISES
        for path in crossing_paths(collection, _DEPTH, noise)[0]
    ]
    if not found:
        return
    gap = np.array([size for _, size in found])
    rows = {
        "three points": (_THREE, "s", [peak_error(p, NEAR) for p, _ in found]),
        "five points": (_FIVE, "o", [peak_error(p, ALL) for p, _ in found]),
        r"$W$ changed by $10^{-9}$": (
            _CHANGE,
            "^",
            [1e-9 * sensitivity(p) for p, _ in found],
        ),
    }
    for label, (color, marker, values) in rows.items():
        axes.plot(gap, values, marker, color=color, markersize=3.5, label=label)
    turns = FINE_STEP * np.array([kappa(path) for path, _ in found])
    order = np.argsort(gap)
    for line in (0.375 * turns**2, 31 / 32 * turns**4):
        shown = line[order] > 1e-12
        axes.plot(gap[order][shown], line[order][shown], ":", color=INK, linewidth=1)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="least gap",
        ylim=(1e-13, 1),
        title="relative error of (8)",
    )
    axes.legend(loc="upper right", handlelength=1)
