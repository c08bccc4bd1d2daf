"""The maps of recovery."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021.recovery_claims import KINDS
from lowrankflow.studies.li2021.recovery_jobs import METHODS
from lowrankflow.studies.li2021.recovery_measures import RECOVERED, cells, errors
from lowrankflow.studies.style import INK, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TITLES = {
    "greedy": "greedy learning",
    "flow, depth 3": "flow, depth 3",
    "flow, depth 2": "flow, depth 2",
    "min_nuclear_norm": "least nuclear\nnorm",
    "soft_impute": "soft-impute,\ndebiased",
    "geco": "GECO",
    "rank_one_pursuit": "rank-one\npursuit",
}


def draw_maps(collection: Collection) -> "Figure":
    """A row of maps for each kind of matrix, a column for each method."""
    figure, rows = panels(len(KINDS), len(METHODS), height=3.6)
    image = None
    for row, kind in zip(rows, KINDS, strict=True):
        for axes, method in zip(row, METHODS, strict=True):
            image = _map(axes, collection, kind, method)
            if kind == "psd":
                axes.set_title(_TITLES[method], fontsize=8)
            else:
                axes.set_xlabel("entries")
        row[0].set_ylabel(f"{KINDS[kind].lower()}\nrank")
    if image is not None:
        bar = figure.colorbar(image, ax=rows, shrink=0.7, pad=0.01)
        bar.set_label("share recovered")
    return figure


def _map(axes: "Axes", collection: Collection, kind: str, method: str):
    planned = list(cells(collection, kind))
    ranks = sorted({rank for rank, _ in planned})
    counts = sorted({entries for _, entries in planned})
    share = np.full((len(ranks), len(counts)), np.nan)
    for rank, entries in planned:
        values = errors(collection, kind, method, rank, entries).values
        if values.size:
            at = ranks.index(rank), counts.index(entries)
            share[at] = np.mean(values < RECOVERED)
    image = axes.imshow(
        share, origin="lower", aspect="auto", cmap="cividis", vmin=0, vmax=1
    )
    axes.grid(visible=False)
    axes.set_yticks(range(len(ranks)), [str(rank) for rank in ranks])
    axes.tick_params(labelleft=method == METHODS[0])
    shown = [0, len(counts) - 1]
    axes.set_xticks(shown, [str(counts[n]) for n in shown])
    _freedom(axes, kind, ranks, counts)
    return image


def _freedom(axes: "Axes", kind: str, ranks: list[int], counts: list[int]) -> None:
    """A mark where there are as many entries as degrees of freedom."""
    rows, cols = (20, 20) if kind == "psd" else (20, 30)
    if max(counts) < 100:
        return  # the smoke profile's sizes are others
    for height, rank in enumerate(ranks):
        freedom = rank * (rows + cols - rank)
        if kind == "psd":
            freedom = rank * rows - rank * (rank - 1) // 2
        at = np.interp(freedom, counts, np.arange(len(counts)), left=-0.5)
        axes.vlines(at, height - 0.5, height + 0.5, colors="white", linewidth=2.4)
        axes.vlines(at, height - 0.5, height + 0.5, colors=INK, linestyles=":")
