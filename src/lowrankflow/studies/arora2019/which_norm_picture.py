"""The figure: by surrogate and number of entries, how often the flow's answer is lower.

One panel for each rank, depth and rival; a row for each surrogate, a column for each
number of observed entries.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from matplotlib.colors import LinearSegmentedColormap

from lowrankflow.studies.arora2019.completion import FEW, PAPER_SCALE
from lowrankflow.studies.arora2019.completion_checks import (
    counts_of,
    ranks_of,
    scales_of,
)
from lowrankflow.studies.arora2019.which_norm_measures import (
    MINIMUM,
    SURROGATES,
    TRUTH,
    Comparison,
)
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.style import INK, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

_SHARES = LinearSegmentedColormap.from_list("shares", ["#d55e00", "#f4e9dd", "#0072b2"])
_RIVALS = {MINIMUM: "minimum norm", TRUTH: "truth"}


def draw_which_norm(collection: Collection, found: Sequence[Comparison]) -> "Figure":
    """A row of panels for each rank: depths 2 and 3 against both rivals."""
    ranks = ranks_of(collection)
    figure, grid = panels(max(len(ranks), 1), 4, height=1.0 + 2.9 * max(len(ranks), 1))
    shallow = min(scales_of(collection, method="flow", depth=2), default=PAPER_SCALE)
    flows = ((2, shallow), (3, PAPER_SCALE))
    image = None
    for row, rank in zip(grid, ranks, strict=False):
        kinds = [(flow, rival) for rival in _RIVALS for flow in flows]
        for axes, ((depth, scale), rival) in zip(row, kinds, strict=True):
            counts = counts_of(collection, rank=rank)
            part = [
                one
                for one in found
                if one.rank == rank
                and (one.flow.depth, one.flow.init_scale) == (depth, scale)
                and one.rival.method == rival
            ]
            image = _panel(axes, part, counts)
            _few(axes, collection, rank, counts)
            axes.set_title(
                f"rank {rank}: depth {depth},\n{_power(scale)}, to {_RIVALS[rival]}",
                fontsize=7.5,
            )
        for axes in row[1:]:
            axes.set_yticklabels([])
        for axes in row:
            axes.set_xlabel("observed entries", fontsize=7.5)
    if image is not None:
        bar = figure.colorbar(
            image, ax=grid, location="bottom", shrink=0.6, aspect=40, pad=0.02
        )
        bar.set_label(
            "share of seeds in which the factorization's answer is the lower one "
            "(dots: both are one answer)",
            fontsize=8,
        )
        bar.ax.tick_params(labelsize=7)
        bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue]
    return figure


def shares(
    part: Sequence[Comparison], counts: Sequence[int]
) -> Float[np.ndarray, "surrogates counts"]:
    """Of the seeds whose answers differ; not a number where none do."""
    found = np.full((len(SURROGATES), len(counts)), np.nan)
    for col, count in enumerate(counts):
        apart = [one for one in part if one.count == count and not one.is_same]
        if apart:
            for row, surrogate in enumerate(SURROGATES):
                found[row, col] = np.mean([one.is_lower(surrogate) for one in apart])
    return found


def _panel(
    axes: "Axes", part: Sequence[Comparison], counts: Sequence[int]
) -> "AxesImage":
    found = shares(part, counts)
    image = axes.imshow(found, cmap=_SHARES, vmin=0, vmax=1, aspect="auto")
    rows, cols = np.nonzero(np.isnan(found))
    axes.plot(cols, rows, linestyle="", marker=".", markersize=2, color=INK)
    axes.grid(visible=False)
    axes.set_yticks(range(len(SURROGATES)), list(SURROGATES), fontsize=7)
    axes.set_xticks(
        range(len(counts)), [str(count) for count in counts], rotation=90, fontsize=6.5
    )
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    return image


def _few(
    axes: "Axes", collection: Collection, rank: int, counts: Sequence[int]
) -> None:
    """Lines around the columns that are few."""
    (freedom,) = collection.select(rank=rank).axis("degrees_of_freedom")
    for bound in FEW:
        at = sum(count < bound * int(freedom) for count in counts) - 0.5
        if -0.5 < at < len(counts) - 0.5:
            axes.axvline(at, color=INK, linewidth=0.8, linestyle=":")


def _power(scale: float) -> str:
    return rf"$10^{{{round(np.log10(scale))}}}$"
