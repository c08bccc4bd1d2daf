"""Figure 3 drawn: singular values along training, alignment, test errors."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes as PlotAxes

from lowrankflow.studies.arora2019.figure3_claims import PRINTED, least_error
from lowrankflow.studies.arora2019.figure3_jobs import (
    DEPTHS,
    LAW,
    PAPER_DEPTHS,
    SYNTHETIC,
    TIME_PER_ITERATION,
)
from lowrankflow.studies.arora2019.figure3_measures import rise
from lowrankflow.studies.arora2019.figure3_onsets import measured_and_predicted
from lowrankflow.studies.arora2019.figure3_ratings import (
    PRINTED_RATINGS,
    data_of_ratings,
    least_held_out,
)
from lowrankflow.studies.collection import Collection, Trajectory
from lowrankflow.studies.samples import Sample
from lowrankflow.studies.style import (
    INK,
    depth_look,
    draw_samples,
    panels,
    spectrum_colors,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN = 10
_UNIT = 1000  # iterations


def draw_figure3(collection: Collection) -> "Figure":
    """The paper's eight panels, a row for each of the data; below them what is ours.

    That is depth 4 on both data, the least test errors, and rises against the law.
    """
    figure, rows = panels(3, 4, height=6.4)
    real = data_of_ratings(collection)
    for row, data, name in ((0, SYNTHETIC, "synthetic"), (1, real, "ratings")):
        places = [*zip(rows[row], PAPER_DEPTHS, strict=False), (rows[2][row], 4)]
        for axes, depth in places:
            draw_spectrum(axes, collection, data, depth, is_log=data == real)
            axes.set(title=f"{name}, depth {depth}", xlabel="iterations / 1000")
        rows[row][0].set_ylabel("singular values")
        draw_alignment(rows[row][3], collection, data)
        rows[row][3].set(title=f"{name}, depth 2", xlabel="iterations / 1000")
        rows[row][3].set_ylabel(r"entries of $|U^\top \nabla \ell\, V|$")
    rows[2][0].set_ylabel("singular values")
    _draw_errors(rows[2][2], collection, real)
    draw_onsets(rows[2][3], collection, SYNTHETIC)
    return figure


def draw_spectrum(
    axes: PlotAxes, collection: Collection, data: str, depth: int, *, is_log: bool
) -> None:
    """The ten largest singular values of the first seed along training."""
    runs = collection.trajectory(
        "singular_values", data=data, method="flow", depth=depth
    )
    if not runs:
        _say_missing(axes)
        return
    iterations, shown = _shown(runs[0])
    values = runs[0].values[shown]
    count = min(_SHOWN, values.shape[1])
    for r, color in enumerate(spectrum_colors(count)):
        label = {0: "largest", count - 1: f"number {count}"}.get(r, "_")
        axes.plot(iterations, values[:, r], color=color, linewidth=1.2, label=label)
    axes.set_xlim(0, iterations[-1])
    if is_log:
        top = values.max()
        axes.set_yscale("log")
        axes.set_ylim(top * 1e-4, top * 2)
    else:
        axes.set_ylim(bottom=0)
    if depth == 1 and not is_log:
        axes.legend(loc="lower right", handlelength=1.6)


def draw_alignment(axes: PlotAxes, collection: Collection, data: str) -> None:
    """Entries of |U' grad V| on the diagonal and off it at depth 2, the first seed."""
    look = depth_look(2)
    parts: tuple[tuple[str, str, str], ...] = (
        ("alignment_on", "-", "diagonal"),
        ("alignment_off", "--", "off-diagonal"),
    )
    means: list[float] = []
    for name, dashes, label in parts:
        where = {"data": data, "method": "flow", "depth": 2}
        runs = collection.trajectory(name, **where)
        if not runs:
            _say_missing(axes)
            return
        deviations = collection.trajectory(f"{name}_std", **where)[0].values
        iterations, shown = _shown(runs[0])
        mean, deviation = runs[0].values[shown], deviations[shown]
        axes.plot(iterations, mean, color=look.color, linestyle=dashes, label=label)
        axes.fill_between(
            iterations,
            np.maximum(mean - deviation, mean / 10),
            mean + deviation,
            color=look.color,
            alpha=0.15,
            linewidth=0,
        )
        axes.set_xlim(0, iterations[-1])
        means.extend(mean[1:])
    axes.set_yscale("log")
    # Room above the curves for the legend.
    axes.set_ylim(min(means) / 2, max(means) * 40)
    axes.legend(loc="upper right")


def draw_onsets(axes: PlotAxes, collection: Collection, data: str) -> None:
    """How long singular values take to rise by the law, over measured; all seeds."""
    for depth in DEPTHS[1:]:
        where = {"data": data, "method": "flow", "depth": depth}
        columns = [
            collection.trajectory(name, **where) for name in ("singular_values", *LAW)
        ]
        look = depth_look(depth)
        for runs in zip(*columns, strict=True):
            iterations = runs[0].time / TIME_PER_ITERATION
            values = [run.values for run in runs]
            measured, predicted = measured_and_predicted(depth, iterations, *values).T
            axes.plot(
                [rise(iterations, sigma) / _UNIT for sigma in values[0].T[: len(LAW)]],
                predicted / measured,
                linestyle="none",
                marker=look.marker,
                color=look.color,
                markersize=4,
                label=look.label if runs[0].seed == columns[0][0].seed else "_",
            )
    axes.axhline(1, color=INK, linewidth=0.6)
    axes.set(ylim=(0.95, 1.05), xlabel="iterations / 1000")
    axes.set_title("law / measured rise")
    if len(axes.lines) > 1:
        axes.legend(loc="upper right", handlelength=1)
    else:
        _say_missing(axes)


def draw_errors_of(
    axes: PlotAxes,
    collection: Collection,
    data: str,
    error: Callable[[Collection, str, int], Sample] = least_error,
) -> None:
    """The least error along training, over all entries unless given, by depth."""
    for depth in DEPTHS:
        look = depth_look(depth, label="_")
        draw_samples(axes, [depth], [error(collection, data, depth)], look)
    axes.set_yscale("log")
    axes.set(title="least test error", xlabel="depth", xticks=DEPTHS, xlim=(0.7, 4.3))


def _draw_errors(axes: PlotAxes, collection: Collection, real: str) -> None:
    """On both data, beside the numbers of the paper."""
    draw_errors_of(axes, collection, SYNTHETIC)
    draw_errors_of(axes, collection, real, least_held_out)
    for name, printed in (("synthetic", PRINTED), ("ratings", PRINTED_RATINGS)):
        axes.plot(
            list(printed),
            list(printed.values()),
            color=INK,
            marker="_",
            markersize=12,
            linestyle="none",
            label="the paper's" if name == "ratings" else "_",
        )
        axes.annotate(name, (0.78, printed[1] / 2.2), va="top", fontsize=8)
    axes.legend(loc="lower left", handlelength=1.6)


def _shown(run: Trajectory) -> tuple[np.ndarray, np.ndarray]:
    """Iterations in thousands and which records: those recorded at even distances."""
    iterations = run.time / TIME_PER_ITERATION
    steps = np.diff(iterations)
    sparse = np.flatnonzero(steps > 1.5 * steps[0])
    last = int(sparse[0]) if sparse.size else iterations.size - 1
    return iterations[: last + 1] / _UNIT, np.arange(last + 1)


def _say_missing(axes: PlotAxes) -> None:
    axes.text(0.5, 0.5, "no run", transform=axes.transAxes, ha="center", va="center")
