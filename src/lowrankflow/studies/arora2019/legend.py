"""One legend for all panels of a figure."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def shared_legend(figure: "Figure", panels: Iterable["Axes"], *, ncols: int) -> None:
    """Each label of the panels once, in order of the alphabet, below them."""
    entries = {}
    for axes in panels:
        handles, labels = axes.get_legend_handles_labels()
        for handle, label in zip(handles, labels, strict=True):
            entries.setdefault(label, handle)
    if entries:
        labels = sorted(entries)
        figure.legend(
            [entries[label] for label in labels],
            labels,
            loc="outside lower center",
            ncols=ncols,
        )
