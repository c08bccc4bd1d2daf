"""The figure of lemma 1: values that cross, avoid one another, pass zero."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.arora2019.lemma1_measures import (
    followed,
    kinds,
    largest_sorted_step,
    largest_step,
    runs_of,
    sorted_frames,
    steps,
)
from lowrankflow.studies.arora2019.recorded_paths import RecordedPath
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.style import INK, depth_look, panels, spectrum_colors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STRIDES = (1, 2, 4)
_FOLLOWED, _SORTED = "#0072b2", "#d55e00"


def draw_lemma1(collection: Collection) -> "Figure":
    """Followed values above; below, what vectors do from record to record."""
    figure, axes = panels(2, 3, height=4.6)
    titles = {"symmetric": "symmetric: values cross", "perturbed": "without symmetry"}
    for column, (case, title) in enumerate(titles.items()):
        path = _first(collection, case, 2)
        _values(axes[0, column], path, title)
        _changes(axes[1, column], path)
    axes[0, 0].set(ylabel="followed singular values")
    axes[1, 0].set(ylabel="change of U per step")
    _through_zero(axes[0, 2], collection)
    _by_step(axes[1, 2], collection)
    return figure


def _first(collection: Collection, case: str, depth: int) -> RecordedPath | None:
    if (depth, "square") not in kinds(collection, case):
        return None
    found = runs_of(collection, case, depth, "square")[0]
    return found[0] if found else None


def _values(axes: "Axes", path: RecordedPath | None, title: str) -> None:
    if path is not None:
        values = followed(path).values
        for column, color in zip(
            values.T, spectrum_colors(values.shape[1]), strict=True
        ):
            axes.plot(path.time, column, color=color)
    axes.set(title=title)


def _changes(axes: "Axes", path: RecordedPath | None) -> None:
    if path is not None:
        for frames, color, label in (
            (sorted_frames(path), _SORTED, "sorted"),
            (followed(path).left, _FOLLOWED, "followed"),
        ):
            change = steps(frames)
            axes.plot(path.time[1:], change, color=color, label=label)
        axes.legend(loc="lower left")
    axes.set(yscale="log", ylim=(1e-6, 10), xlabel="time")


def _through_zero(axes: "Axes", collection: Collection) -> None:
    for depth in (1, 2, 3):
        path = _first(collection, "zero", depth)
        if path is None:
            continue
        values, look = followed(path).values, depth_look(depth)
        for r, column in enumerate(values.T):
            keywords = look.keywords(markers=False)
            if r:
                keywords.pop("label")
            axes.plot(path.time, column, linewidth=1.1, **keywords)  # pyright: ignore[reportArgumentType]
    axes.axhline(0, color=INK, linewidth=0.7)
    axes.set(title="one W(0): depth 1 passes zero")
    axes.margins(y=0.25)
    if axes.lines[1:]:
        axes.legend(loc="upper left", handlelength=1.2, ncols=3, columnspacing=0.8)


def _by_step(axes: "Axes", collection: Collection) -> None:
    for depth, shape in kinds(collection, "symmetric"):
        for path in runs_of(collection, "symmetric", depth, shape)[0]:
            step = path.time[1] * np.array(_STRIDES)
            for measure, color in (
                (largest_sorted_step, _SORTED),
                (largest_step, _FOLLOWED),
            ):
                change = [measure(path, stride) for stride in _STRIDES]
                axes.plot(step, change, "o-", color=color, linewidth=0.8, markersize=3)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="step between records",
        title="largest change of U per step",
    )
    axes.minorticks_off()
    if axes.lines:
        ticks = sorted(
            {round(float(x), 4) for x in np.asarray(axes.lines[0].get_xdata())}
        )
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
