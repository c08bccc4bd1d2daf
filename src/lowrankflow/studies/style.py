"""One look for all figures: a colour means the same depth or method everywhere.

Colours differ in hue and lightness so that those who see fewer colours, and a printer
without any, can tell them apart; each depth and method has its own marker or dashes as
well. The ink and the grid have colours of their own, which a page may replace by the
reader's (a dark screen). Equal data give equal bytes.
"""

import contextlib
import dataclasses
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import matplotlib
import numpy as np
from matplotlib.axes import Axes as PlotAxes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure

from lowrankflow.errors import SpecError
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.samples import Sample
from lowrankflow.studies.study import AbstractStudy

INK = "#1f2328"
GRID = "#d5dae0"
WIDTH = 7.2  # inches: two columns of a paper, the width of the report's text

_SETTINGS: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9,
    "axes.titlecolor": INK,
    "figure.facecolor": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with Matplotlib: the same everywhere
    "font.size": 8.5,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.handlelength": 3.2,  # so that dashes are seen beside a marker
    "legend.labelcolor": INK,
    "lines.linewidth": 1.5,
    "lines.markersize": 4.5,
    "mathtext.fontset": "dejavusans",
    "savefig.facecolor": "none",
    "svg.fonttype": "path",
    "text.color": INK,
    "xtick.color": INK,
    "xtick.labelsize": 8,
    "ytick.color": INK,
    "ytick.labelsize": 8,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Look:
    """How a curve is drawn.

    Args:
        color: in hexadecimal.
        marker: of its points.
        linestyle: between them.
        label: in the legend.
    """

    color: str
    marker: str
    linestyle: str
    label: str

    def keywords(self, *, markers: bool = True) -> dict[str, str]:
        """What Matplotlib's `plot` takes, for points or for a line of many."""
        words = {"color": self.color, "linestyle": self.linestyle, "label": self.label}
        return {**words, "marker": self.marker} if markers else words


_DEPTHS = (
    ("#aa4499", "v"),
    ("#0072b2", "o"),
    ("#d55e00", "s"),
    ("#009e73", "^"),
    ("#a67c00", "D"),
)
_LINES = ("-", "--", "-.", ":")
METHODS = {
    "min_nuclear_norm": Look(
        color=INK, marker="x", linestyle="--", label="minimum nuclear norm"
    ),
    "min_frobenius_norm": Look(
        color="#767d86", marker="+", linestyle="--", label="minimum Frobenius norm"
    ),
    "truth": Look(color=INK, marker="", linestyle=":", label="ground truth"),
    "greedy": Look(
        color="#a67c00", marker="P", linestyle="-", label="greedy low-rank learning"
    ),
    "flow": Look(color="#0072b2", marker="o", linestyle="-", label="gradient flow"),
    "descent": Look(
        color="#aa4499", marker="X", linestyle="-.", label="gradient descent"
    ),
}
_SPECTRUM = LinearSegmentedColormap.from_list(
    "spectrum", ["#d55e00", "#b0509f", "#2b7fbd"]
)


def depth_look(depth: int, *, variant: int = 0, label: str = "") -> Look:
    """How a depth is drawn in every figure.

    Args:
        depth: number of factors, >= 1; depths above 5 share the look of 5.
        variant: 0, 1, 2 or 3, another line for another setting of the same depth.
        label: in the legend; "depth N" without it.
    """
    color, marker = _DEPTHS[min(depth, len(_DEPTHS)) - 1]
    return Look(
        color=color,
        marker=marker,
        linestyle=_LINES[variant],
        label=label or f"depth {depth}",
    )


def method_look(method: str) -> Look:
    """How a method is drawn in every figure.

    Raises:
        SpecError: when it is none of `METHODS`.
    """
    if method not in METHODS:
        raise SpecError(
            where="method_look(method)",
            rule="the methods with a look are " + ", ".join(METHODS),
            got=f"{method!r}",
            fix="Use one of them, or add it to METHODS",
        )
    return METHODS[method]


def spectrum_colors(count: int) -> list[str]:
    """Colours of singular values, from the largest to the smallest shown."""
    return [to_hex(_SPECTRUM(x)) for x in np.linspace(0, 1, count)]


def panels(
    rows: int, cols: int, *, height: float | None = None
) -> tuple[Figure, np.ndarray]:
    """A figure of the report's width with rows x cols axes.

    Args:
        rows: of panels.
        cols: of panels.
        height: in inches; 0.78 of a panel's width per row without it.

    Returns:
        The figure and a rows x cols array of axes.
    """
    figure = Figure(
        figsize=(WIDTH, height or rows * max(1.9, 0.78 * WIDTH / cols)),
        layout="constrained",
    )
    return figure, figure.subplots(rows, cols, squeeze=False)


def draw_samples(
    axes: PlotAxes,
    x: Sequence[float],
    samples: Sequence[Sample],
    look: Look,
    *,
    bars: Literal["range", "deviation"] = "range",
) -> None:
    """A curve through the means over seeds, with bars.

    Points without any finite number are left out.

    Args:
        axes: where to draw.
        x: one value per sample.
        samples: one number per seed each.
        look: of the curve.
        bars: from the least number to the largest ("range"), or one standard deviation
            of the seeds either way, not below the least number ("deviation"): on a
            logarithmic axis the lower end would often be negative.
    """
    ends = _deviation if bars == "deviation" else _range
    points = [
        (at, numbers.mean(), *ends(numbers))
        for at, sample in zip(x, samples, strict=True)
        if (numbers := sample.values[np.isfinite(sample.values)]).size
    ]
    if not points:
        return
    at, mean, low, high = np.array(points, float).T
    axes.plot(at, mean, **look.keywords())  # pyright: ignore[reportArgumentType]
    axes.vlines(at, low, high, colors=look.color, linewidth=0.9)


def _range(numbers: np.ndarray) -> tuple[float, float]:
    return numbers.min(), numbers.max()


def _deviation(numbers: np.ndarray) -> tuple[float, float]:
    mean, deviation = numbers.mean(), numbers.std(ddof=min(1, numbers.size - 1))
    return max(mean - deviation, numbers.min()), mean + deviation


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """What is drawn inside has the look of all figures; nothing outside changes."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        for name, value in _SETTINGS.items():
            matplotlib.rcParams[name] = value  # pyright: ignore[reportArgumentType]
        yield


def draw(study: AbstractStudy, collection: Collection) -> str:
    """The study's figure of these runs, as SVG.

    Returns:
        An `<svg>` element; its ids begin with the study's key, so that several can
        stand in one page.
    """
    with styled():
        return to_svg(study.figure(collection), study.key, study.figure_text)


def to_svg(figure: Figure, key: str, text: str) -> str:
    """A figure as an `<svg>` element, the same bytes every time.

    Args:
        figure: drawn while `styled` was in force.
        key: makes the ids unique among figures.
        text: what it shows, for those who cannot see it.
    """
    name = slug(key)
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.id": None}):
        figure.savefig(buffer, format="svg", metadata=nothing)
    _, _, element = buffer.getvalue().partition("<svg")
    element = re.sub(r' id="([^"]+)"', rf' id="{name}-\1"', element)
    element = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', element)
    element = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", element)
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return f'<svg role="img" aria-label="{escaped}"{element}'.rstrip() + "\n"


def themed(svg: str) -> str:
    """The figure with ink and grid that follow the page's `--ink` and `--grid`."""
    return svg.replace(INK, f"var(--ink, {INK})").replace(GRID, f"var(--grid, {GRID})")


def slug(key: str) -> str:
    """A key as an id or a file name: arora2019/figure2 is arora2019-figure2."""
    return re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-")
