"""Both flows on top of each other, and how far they are apart."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from matplotlib.axes import Axes as PlotAxes
from matplotlib.lines import Line2D

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.samples import Sample
from lowrankflow.studies.scale import agreement_measures as measures
from lowrankflow.studies.scale.agreement_jobs import (
    ADMISSION,
    FLOWS,
    PAIRS,
    STAGES,
    SWEEP_SCALES,
    WIDE,
)
from lowrankflow.studies.style import (
    INK,
    Look,
    depth_look,
    draw_samples,
    panels,
    spectrum_colors,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_Corner: TypeAlias = Literal["best", "upper left", "upper right", "lower left"]
_SHOWN_SCALE = 1e-4
_NAMES = {
    ("wide", "aligned"): "wide\naligned",
    ("tall", "aligned"): "tall\naligned",
    ("p.s.d.", "identity"): "p.s.d.\nidentity",
    ("wide", "balanced"): "wide\nrandom",
}
_PERCENT = 100
_COUNTS = (2, 5, 10, 20, 50, 100)


def draw_pairs(collection: Collection) -> "Figure":
    """Above the flows themselves, below their distances."""
    figure, (above, below) = panels(2, 3, height=5.2)
    _draw_errors(above[0], collection)
    _draw_passages(above[1], collection)
    _draw_followed(above[2], collection)
    _draw_distances(below[0], collection, measures.curve, 1.0, "the paths")
    _draw_distances(below[1], collection, measures.end, 0.1, "the ends")
    _draw_sweep(below[2], collection)
    below[0].set_ylabel("distance, % of $||W||$")
    return figure


def _draw_errors(axes: PlotAxes, runs: Collection) -> None:
    """The error along the path: a line for the dense flow, marks for the other."""
    cells = [
        cell
        for cell in measures.cells(runs, "aligned")
        if cell[0] == WIDE and cell[3] == _SHOWN_SCALE
    ]
    for cell in cells:
        look = depth_look(cell[2])
        share, ours, dense = (
            measures.number(runs, cell, name).values
            for name in ("path_share", "relative_error", "reference_error")
        )
        if not len(share):
            continue
        axes.plot(share[0], dense[0], color=look.color, linewidth=1.2)
        axes.plot(
            share[0][::3],
            ours[0][::3],
            color=look.color,
            marker=look.marker,
            linestyle="none",
            markersize=3.5,
            label=look.label,
        )
    axes.set(
        xlabel="share of the path's length",
        ylabel="relative error",
        title="line: dense flow, marks: adaptive",
    )
    _legend(axes, loc="upper right")


def _draw_passages(axes: PlotAxes, runs: Collection) -> None:
    """Distances from the critical points of greedy learning."""
    stages = measures.stages(runs)
    colors = spectrum_colors(len(stages))
    for stage, color in zip(stages, colors, strict=True):
        for method in FLOWS:
            where = {"part": STAGES, "method": method}
            name = f"greedy_point_distance_{stage}"
            if not runs.select(**where).runs:
                continue
            path = runs.trajectory(name, **where)[0]
            norm = measures.end_norms(runs, method)[path.seed]
            shown = np.maximum(path.values / norm, 1e-7)
            dense = method == "dense"
            axes.plot(
                path.time,
                shown * _PERCENT,
                color=color,
                linestyle="-" if dense else "none",
                marker="" if dense else ".",
                markevery=4,
                markersize=3,
                linewidth=1.0,
                label=f"point {stage}" if dense else "_",
            )
    axes.set(
        yscale="log",
        xlabel="time",
        ylabel="distance, % of $||W||$",
        title="from the greedy points, depth 3",
    )
    _legend(axes, loc="lower left", ncols=2)


def _draw_followed(axes: PlotAxes, runs: Collection) -> None:
    """Directions followed against the start, by depth."""
    cells = [c for c in measures.cells(runs, "aligned") if c[0] == WIDE]
    for depth in sorted({cell[2] for cell in cells}):
        own = [cell for cell in cells if cell[2] == depth]
        samples = [measures.followed(runs, cell) for cell in own]
        draw_samples(axes, [cell[3] for cell in own], samples, depth_look(depth))
    rank = measures.rank(runs)
    axes.axhline(rank, color=INK, linestyle=":", linewidth=1)
    axes.annotate(
        f"rank of the truth, {rank}",
        (0.98, rank),
        va="bottom",
        ha="right",
        xycoords=("axes fraction", "data"),
        fontsize=7,
    )
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="init_scale",
        ylabel="directions",
        title="directions followed at most",
        ylim=(2, 200),
    )
    axes.set_yticks(_COUNTS, [str(count) for count in _COUNTS])
    axes.minorticks_off()
    _legend(axes, loc="upper left")


def _draw_distances(
    axes: PlotAxes,
    runs: Collection,
    of: Callable[[Collection, measures.Cell], Sample],
    bound: float,
    title: str,
) -> None:
    """One mark for each pair of runs."""
    for place, (problem, start) in enumerate(PAIRS):
        cells = [c for c in measures.cells(runs, start) if c[0] == problem]
        for offset, cell in zip(
            np.linspace(-0.3, 0.3, max(len(cells), 1)), cells, strict=False
        ):
            found = of(runs, cell)
            look = depth_look(cell[2], label="_")
            draw_samples(axes, [place + offset], [_percent(found)], look)
        height = bound * (10 if start == "balanced" and bound < 1 else 1)
        axes.plot([place - 0.4, place + 0.4], [height] * 2, color=INK, linewidth=1)
    axes.annotate("bound", (-0.4, bound), va="bottom", fontsize=7)
    axes.set_xticks(range(len(PAIRS)), [_NAMES[pair] for pair in PAIRS], fontsize=7)
    axes.set(yscale="log", title=f"how far apart: {title}", xlim=(-0.5, 3.5))
    axes.grid(visible=False, axis="x")
    axes.legend(
        handles=[
            Line2D([], [], color=look.color, marker=look.marker, linestyle="none")
            for look in _looks(runs)
        ],
        labels=[look.label for look in _looks(runs)],
        loc="lower center",
        ncols=3,
        handlelength=0.5,
        handletextpad=0.4,
        columnspacing=0.6,
        fontsize=6.5,
    )
    least, most = axes.get_ylim()
    axes.set_ylim(least / 5, most)


def _looks(runs: Collection) -> list[Look]:
    depths = {cell[2] for _, start in PAIRS for cell in measures.cells(runs, start)}
    return [depth_look(depth) for depth in sorted(depths)]


def _draw_sweep(axes: PlotAxes, runs: Collection) -> None:
    """Distances against the admission tolerance."""
    for depth in SWEEP_SCALES:
        for variable, variant, name in (
            ("curve_distance", 0, "path"),
            ("end_distance", 1, "end"),
        ):
            swept = measures.swept(runs, depth, variable)
            look = depth_look(depth, variant=variant, label=f"depth {depth}, {name}")
            draw_samples(axes, list(swept), [_percent(s) for s in swept.values()], look)
    axes.axvline(ADMISSION, color=INK, linestyle=":", linewidth=1)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="admission_tolerance",
        title="tighter is nearer",
    )
    _legend(axes, loc="best", length=3.6)


def _legend(
    axes: PlotAxes, *, loc: _Corner, ncols: int = 1, length: float = 1.6
) -> None:
    """One where there is something to name."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc=loc, ncols=ncols, handlelength=length, fontsize=7)


def _percent(sample: Sample) -> Sample:
    return sample.map(lambda number: _PERCENT * number)
