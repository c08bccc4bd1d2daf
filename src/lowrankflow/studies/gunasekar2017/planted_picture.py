"""How the runs of figures 1 and 2 are drawn: a number against the width, by panel."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.collection import AxisValue, Collection
from lowrankflow.studies.gunasekar2017.planted import LARGE, PANELS, SMALL, Panel
from lowrankflow.studies.gunasekar2017.planted_measures import (
    error,
    excess,
    is_planned,
    nuclear_norm,
    starts_of,
    training_error,
    widths_of,
)
from lowrankflow.studies.samples import Sample
from lowrankflow.studies.style import Look, draw_samples, method_look, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLES: dict[Panel, str] = {
    "rank 2": "rank 2",
    "decaying": "decaying spectrum",
    "too few": "too few measurements",
}
_SPECTRAL = Look(
    color="#767d86", marker="D", linestyle=":", label="flow, spectral optimum"
)
CURVES: tuple[tuple[dict[str, AxisValue], Look], ...] = (
    (
        {"method": "flow", "norm": SMALL},
        Look(color="#0072b2", marker="o", linestyle="-", label="flow, start 1e-4"),
    ),
    (
        {"method": "flow", "norm": LARGE},
        Look(color="#d55e00", marker="s", linestyle="--", label="flow, start 1"),
    ),
    (
        {"method": "line search", "norm": SMALL},
        Look(
            color="#009e73", marker="^", linestyle="-.", label="line search, start 1e-4"
        ),
    ),
    (
        {"method": "line search", "norm": LARGE},
        Look(color="#a67c00", marker="v", linestyle=":", label="line search, start 1"),
    ),
    ({"method": "spectral"}, _SPECTRAL),
)


def draw_errors(collection: Collection) -> "Figure":
    """Figure 1: reconstruction error above, training error below."""
    figure, rows = panels(2, 3, height=4.8)
    for (above, below), panel in zip(rows.T, PANELS, strict=True):
        _curves(above, collection, panel, error)
        _level(above, error(collection, panel=panel, method="min_nuclear_norm"))
        _curves(below, collection, panel, training_error)
        # Only where the truth is recovered do errors span decades.
        above.set(title=TITLES[panel], yscale="log" if panel == "rank 2" else "linear")
        if panel != "rank 2":
            above.set_ylim(bottom=0)
        below.set(xlabel="width of U", yscale="log")
    rows[0, 0].set_ylabel("reconstruction error")
    rows[1, 0].set_ylabel("training error")
    _legend(figure, rows[0, 0])
    return figure


def draw_norms(collection: Collection) -> "Figure":
    """Figure 2: nuclear norm above; below how far it is above the minimum, by start."""
    figure, rows = panels(2, 3, height=4.8)
    for (above, below), panel in zip(rows.T, PANELS, strict=True):
        _curves(above, collection, panel, nuclear_norm)
        _level(above, nuclear_norm(collection, panel=panel, method="min_nuclear_norm"))
        above.set(title=TITLES[panel], xlabel="width of U")
        _starts(below, collection, panel)
    rows[0, 0].set_ylabel("nuclear norm")
    rows[1, 0].set_ylabel("above the minimum, %")
    _legend(figure, rows[0, 0])
    return figure


def _curves(
    axes: "Axes",
    collection: Collection,
    panel: Panel,
    measure: Callable[..., Sample],
) -> None:
    """Every curve of a panel, the widths at equal distances."""
    widths = widths_of(collection, method="flow")
    for where, look in CURVES:
        if not is_planned(collection, panel=panel, **where):
            continue
        own = widths_of(collection, panel=panel, **where)
        samples = [measure(collection, panel=panel, width=w, **where) for w in own]
        draw_samples(axes, [widths.index(width) for width in own], samples, look)
    axes.set_xticks(range(len(widths)), [str(width) for width in widths])


def _starts(axes: "Axes", collection: Collection, panel: Panel) -> None:
    """The excess over the minimum at width n against the norm of the start."""
    width = widths_of(collection, method="flow")[-1]
    starts = [("flow", LARGE), *starts_of(collection, panel)]
    samples = [
        excess(collection, panel, width=width, method=method, norm=norm).map(
            lambda share: 100 * share
        )
        for method, norm in starts
    ]
    look = CURVES[0][1]
    draw_samples(axes, [-float(np.log10(norm)) for _, norm in starts], samples, look)
    line = method_look("min_nuclear_norm")
    axes.axhline(0.0, color=line.color, linestyle=line.linestyle)
    ticks = sorted({int(round(-np.log10(norm))) for _, norm in starts})
    apart = ticks[-1] / 5  # closer ones would write over each other
    shown = [n for n in ticks if n in (0, 8, 16, 32, 64) and (n > apart or not n)]
    axes.set_xticks(shown, [f"$10^{{-{n}}}$" if n else "1" for n in shown])
    axes.set(xlabel="norm of the start, U(0)")


def _level(axes: "Axes", sample: Sample) -> None:
    """A dashed line at the mean over seeds, with a band from least to largest."""
    numbers = sample.values
    if not len(sample) or numbers.mean() < 1e-6:
        return  # exact recovery has no place on a logarithmic axis
    line = method_look("min_nuclear_norm")
    axes.axhline(
        numbers.mean(), color=line.color, linestyle=line.linestyle, label=line.label
    )
    axes.axhspan(numbers.min(), numbers.max(), color=line.color, alpha=0.1, linewidth=0)


def _legend(figure: "Figure", axes: "Axes") -> None:
    handles, labels = axes.get_legend_handles_labels()
    line = method_look("min_nuclear_norm")
    if line.label not in labels:
        (handle,) = axes.plot([], [], color=line.color, linestyle=line.linestyle)
        handles, labels = [*handles, handle], [*labels, line.label]
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
