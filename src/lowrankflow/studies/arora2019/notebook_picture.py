"""The figure of the notebook's study: three quantities against the start, two rows."""

from typing import TYPE_CHECKING

from lowrankflow.studies.arora2019 import notebook_values as notebook
from lowrankflow.studies.arora2019.legend import shared_legend
from lowrankflow.studies.arora2019.notebook_ends import (
    DEEP,
    ERROR,
    NORM,
    RANK,
    counts_in_order,
    end,
    in_notebook,
    minimum,
    over_truth,
    starts,
)
from lowrankflow.studies.arora2019.notebook_jobs import (
    APART,
    DRAWN,
    ONCE,
    REPEATED,
)
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.samples import Sample
from lowrankflow.studies.style import (
    INK,
    depth_look,
    draw_samples,
    method_look,
    panels,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NAMES = {
    ERROR: "reconstruction error",
    NORM: "nuclear norm / truth's",
    RANK: "effective rank",
}
_LINES = {APART: 0, REPEATED: 1, ONCE: 3}
_MARK = {"linestyle": "", "marker": "*", "markersize": 9, "markerfacecolor": "none"}


def draw_notebook(collection: Collection) -> "Figure":
    """A row for each number of entries, a column for each quantity."""
    counts = counts_in_order(collection)
    figure, grid = panels(len(counts), len(_NAMES), height=5.0)
    for row, count in zip(grid, counts, strict=True):
        for axes, variable in zip(row, _NAMES, strict=True):
            _panel(axes, collection, variable, count)
    for drawn, line in (*zip(DRAWN, ("-", "--"), strict=True), (ONCE, ":")):
        grid[0, 0].plot([], [], color=INK, linestyle=line, label=f"drawn {drawn}")
    grid[0, 0].plot([], [], color=INK, label="the authors' notebook", **_MARK)
    shared_legend(figure, grid.ravel(), ncols=3)
    return figure


def _panel(axes: "Axes", collection: Collection, variable: str, count: int) -> None:
    lowest = []
    for depth in (2, *DEEP):
        for variant, drawn in enumerate((*DRAWN, ONCE)):
            scales = starts(collection, count, drawn, depth)
            samples = [
                _shown(
                    collection,
                    variable,
                    end(collection, variable, count, drawn, depth, scale),
                )
                for scale in scales
            ]
            # One entry of the legend for a depth, one for a way of drawing.
            label = "_" if variant else f"depth {depth}"
            look = depth_look(depth, variant=_LINES[drawn], label=label)
            draw_samples(axes, scales, samples, look, bars="deviation")
            lowest += [s.values.min() for s in samples if len(s)]
        _marks(axes, collection, variable, count, depth)
    _levels(axes, collection, variable, count)
    axes.set(title=f"{count:,} entries", xlabel="init scale", xscale="log")
    axes.set_ylabel(_NAMES[variable])
    axes.tick_params(axis="x", which="minor", bottom=False)
    if variable == ERROR:
        axes.set_yscale("log")
        if lowest:
            axes.set_ylim(bottom=min(lowest) / 3)


def _marks(
    axes: "Axes", collection: Collection, variable: str, count: int, depth: int
) -> None:
    """What the notebook shows at this depth."""
    place = in_notebook(collection, count)
    table = {ERROR: notebook.ERRORS, NORM: notebook.NORMS, RANK: notebook.RANKS}
    shown = table[variable].get((place, depth), {})
    unit = notebook.TRUE_NORM[place] if variable == NORM else 1.0
    if shown:
        axes.plot(
            list(shown),
            [value / unit for value in shown.values()],
            color=depth_look(depth).color,
            **_MARK,
        )


def _levels(axes: "Axes", collection: Collection, variable: str, count: int) -> None:
    """What does not depend on the start: the minimum, the truth."""
    label = method_look("min_nuclear_norm").label
    for drawn, line in zip(DRAWN, ("-", "--"), strict=True):
        sample = _shown(
            collection, variable, minimum(collection, variable, count, drawn)
        )
        # Where the minimum is exact its error is the solver's, below the panel.
        if len(sample) and (variable != ERROR or sample.values.mean() > 1e-8):
            axes.axhline(
                float(sample.values.mean()),
                color=INK,
                linestyle=line,
                linewidth=1.0,
                label=label,
            )
            label = "_"
    if variable != ERROR:
        truth = _shown(collection, variable, collection.last(variable, method="truth"))
        if len(truth):
            look = method_look("truth")
            axes.axhline(
                float(truth.values.mean()),
                color=look.color,
                linestyle=look.linestyle,
                linewidth=1.2,
                label=look.label,
            )
    value = _noted(collection, variable, count)
    if value is not None:
        scales = starts(collection, count, REPEATED, 2)
        axes.plot(
            [min(scales, default=1e-6) / 3],
            [value],
            color=INK,
            **_MARK,
        )


def _noted(collection: Collection, variable: str, count: int) -> float | None:
    """The notebook's minimum of the nuclear norm."""
    place = in_notebook(collection, count)
    if variable == ERROR:
        return notebook.MIN_ERROR[place]
    if variable == NORM:
        return notebook.MIN_NORM[place] / notebook.TRUE_NORM[place]
    return notebook.MIN_RANK.get(place)


def _shown(collection: Collection, variable: str, sample: Sample) -> Sample:
    return over_truth(collection, NORM, sample) if variable == NORM else sample
