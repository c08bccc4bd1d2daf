"""Agreement and recovery against the number of observations."""

from typing import TYPE_CHECKING

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021.greedy_path_jobs import FACTORS, METHODS
from lowrankflow.studies.li2021.greedy_path_measures import FLOW, recovered, same_share
from lowrankflow.studies.style import Look, draw_samples, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLORS = {"psd": "#0072b2", "rectangle": "#d55e00"}
_NAMES = {"psd": "p.s.d.", "rectangle": "rectangle"}
_LINES = {
    "greedy_path": ("-", "o", "Newton"),
    "greedy_path_als": ("--", "s", "least squares"),
    "greedy_path_flow": (":", "x", "flow"),
}


def draw_agreement(collection: Collection) -> "Figure":
    """Two panels."""
    figure, ((left, right),) = panels(1, 2, height=2.8)
    for kind, methods in METHODS.items():
        for method in methods:
            line, marker, name = _LINES[method]
            look = Look(
                color=_COLORS[kind],
                marker=marker,
                linestyle=line,
                label=f"{_NAMES[kind]}, {name}",
            )
            found = [recovered(collection, kind, method, f) for f in FACTORS]
            draw_samples(right, FACTORS, found, look)
            if method != FLOW:
                same = [same_share(collection, kind, method, f) for f in FACTORS]
                draw_samples(left, FACTORS, same, look)
    for axes in (left, right):
        axes.set(
            xlabel="observations per degree of freedom",
            ylim=(-0.03, 1.03),
            xticks=FACTORS,
        )
        axes.legend(fontsize=7)
    left.set(ylabel="share of phases", title="ends where the flow does")
    right.set(ylabel="share of instances", title="recovered")
    return figure
