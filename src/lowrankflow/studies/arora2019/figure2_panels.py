"""The panels of figure 2: three quantities, against entries and against the start."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lowrankflow.studies.arora2019.completion_checks import (
    counts_of,
    ranks_of,
    scales_of,
)
from lowrankflow.studies.arora2019.figure2_claims import (
    DEEP,
    ERROR,
    NORM,
    OBSERVED,
    RANK,
    SCALE,
)
from lowrankflow.studies.arora2019.legend import shared_legend
from lowrankflow.studies.collection import AxisValue, Collection
from lowrankflow.studies.samples import Sample
from lowrankflow.studies.style import (
    Look,
    depth_look,
    draw_samples,
    method_look,
    panels,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_QUANTITIES = (
    (ERROR, "reconstruction error"),
    (NORM, "nuclear norm"),
    (RANK, "effective rank"),
)
# The paper's at depth 2, and one that is far smaller.
SHOWN_SCALES = (1e-3, 5e-4, 2.5e-4, 1e-6)


def draw_figure2(collection: Collection) -> "Figure":
    """One row per rank against the entries observed, and one against the start."""
    ranks = ranks_of(collection)
    rows = len(ranks) + 1
    figure, grid = panels(rows, len(_QUANTITIES), height=0.5 + 2.05 * rows)
    for row, rank in zip(grid, ranks, strict=False):
        _against_entries(row, collection, rank)
    _against_scale(grid[-1], collection)
    shared_legend(figure, grid.ravel(), ncols=3)
    return figure


def _against_entries(row: Sequence["Axes"], collection: Collection, rank: int) -> None:
    part = collection.select(sweep=OBSERVED, rank=rank)
    counts = counts_of(part)
    curves: list[tuple[Look, dict[str, AxisValue]]] = []
    scales = scales_of(part, method="flow", depth=2)
    shown = [scale for scale in SHOWN_SCALES if scale in scales]
    for variant, scale in enumerate(shown):
        label = f"depth 2, init scale {_power(scale)}" if variant else ""
        look = depth_look(2, variant=variant, label=label)
        curves.append((look, {"method": "flow", "depth": 2, "init_scale": scale}))
    deep = {"method": "flow", "depth": 3, "init_scale": max(scales, default=1.0)}
    curves.append((depth_look(3), deep))
    curves.append((method_look("min_nuclear_norm"), {"method": "min_nuclear_norm"}))
    for axes, (variable, name) in zip(row, _QUANTITIES, strict=True):
        lowest = []
        for look, fixed in curves:
            samples = [part.last(variable, num_observed=m, **fixed) for m in counts]
            draw_samples(axes, counts, samples, look, bars="deviation")
            if fixed["method"] == "flow":
                lowest += _numbers(samples)
        _truth(axes, collection, variable, rank)
        axes.set(title=f"rank {rank}", ylabel=name, xlabel="number of observed entries")
        _vertical(axes, variable, lowest)


def _against_scale(row: Sequence["Axes"], collection: Collection) -> None:
    part = collection.select(sweep=SCALE)
    scales = scales_of(part, method="flow")
    rank = int(part.axis("rank")[0])
    for axes, (variable, name) in zip(row, _QUANTITIES, strict=True):
        lowest = []
        for depth in (2, *DEEP):
            samples = [
                part.last(variable, method="flow", depth=depth, init_scale=scale)
                for scale in scales
            ]
            lowest += _numbers(samples)
            draw_samples(axes, scales, samples, depth_look(depth), bars="deviation")
        minimum = part.last(variable, method="min_nuclear_norm")
        _level(axes, minimum, method_look("min_nuclear_norm"))
        _truth(axes, collection, variable, rank)
        count = part.axis("num_observed")[0]
        axes.set(title=f"rank {rank}, {count:,} entries", ylabel=name)
        axes.set(xlabel="init scale", xscale="log")
        axes.tick_params(axis="x", which="minor", bottom=False)
        _vertical(axes, variable, lowest)


def _truth(axes: "Axes", collection: Collection, variable: str, rank: int) -> None:
    # The truth's own error is zero, which no logarithmic axis shows.
    if variable != ERROR:
        sample = collection.last(variable, method="truth", rank=rank)
        _level(axes, sample, method_look("truth"))


def _level(axes: "Axes", sample: Sample, look: Look) -> None:
    """A horizontal line at the mean over seeds."""
    if len(sample):
        axes.axhline(
            float(sample.values.mean()),
            color=look.color,
            linestyle=look.linestyle,
            label="_" if look.marker else look.label,
            linewidth=1.2,
        )


def _vertical(axes: "Axes", variable: str, lowest: Sequence[float]) -> None:
    if variable == ERROR:
        axes.set_yscale("log")
        if lowest:
            axes.set_ylim(bottom=min(lowest) / 3)


def _numbers(samples: Sequence[Sample]) -> list[float]:
    return [float(sample.values.min()) for sample in samples if len(sample)]


def _power(scale: float) -> str:
    mantissa, exponent = f"{scale:e}".split("e")
    factor = "" if float(mantissa) == 1 else rf"{float(mantissa):g} \times "
    return f"${factor}10^{{{int(exponent)}}}$"
