"""Intervals: how often they hold where they were not made, and how wide they are."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from lowrankflow.completion.completer import MatrixCompleter
from lowrankflow.completion.intervals import Conformal
from lowrankflow.completion.observed_table import ObservedTable
from lowrankflow.completion.page_words import CHOSEN, DATA, OTHER, Picture, picture
from lowrankflow.errors import DataError
from lowrankflow.seeds import generator
from lowrankflow.studies import panels, readable

_LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
_CELLS = 20_000
_SHOWN = 0.99  # of widths: the widest would leave no room for the others


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What intervals hold.

    Args:
        levels: nominal, ascending.
        measured: share of entries inside, of each level.
        errors: standard errors of these at the nominal level.
        width_level: of the widths.
        widths: of intervals at missing cells, drawn at random.
    """

    levels: Float[np.ndarray, " n"]
    measured: Float[np.ndarray, " n"]
    errors: Float[np.ndarray, " n"]
    width_level: float
    widths: Float[np.ndarray, " cells"]


def coverage(completer: MatrixCompleter) -> Coverage | None:
    """Coverage at several levels, and widths; None where entries are too few."""
    conformal = completer.conformal_
    if conformal is None:
        return None
    pairs = [(level, _covered(conformal, level)) for level in _LEVELS]
    kept = np.array([pair for pair in pairs if np.isfinite(pair[1])], float)
    if kept.size == 0:
        return None
    levels, measured = kept.T
    level = 0.9 if 0.9 in levels else float(levels[-1])
    rows, cols = some_missing(completer.table_, _CELLS)
    widths = 2 * conformal.quantile(level) * conformal.spread(rows, cols)
    return Coverage(
        levels=levels,
        measured=measured,
        errors=np.sqrt(levels * (1 - levels) / conformal.scores.size),
        width_level=level,
        widths=widths,
    )


def _covered(conformal: Conformal, level: float) -> float:
    try:
        return conformal.coverage(level)
    except DataError:  # too few scores for this level
        return np.nan


def some_missing(
    table: ObservedTable, most: int
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """Missing cells, at random; any cells where none are missing."""
    rows, cols = table.shape
    known = table.rows.astype(np.int64) * cols + table.cols
    if rows * cols <= 4 * most:
        cells = np.arange(rows * cols)
    else:
        rng = generator(0, "completion", "page")
        cells = np.unique(rng.integers(0, rows * cols, 4 * most))
    missing = cells[~np.isin(cells, known)]
    chosen = missing if missing.size else cells
    if chosen.size > most:
        chosen = generator(1, "completion", "page").permutation(chosen)[:most]
    return chosen // cols, chosen % cols


def coverage_picture(found: Coverage, *, count: int, scaled: bool) -> Picture:
    """Nominal against measured, and widths; call it while `styled` is in force.

    Args:
        found: what intervals hold.
        count: of entries that measured it.
        scaled: whether widths are in units of columns.
    """
    figure, axes = panels(1, 2, height=2.7)
    left, right = axes[0]
    levels, measured = 100 * found.levels, 100 * found.measured
    left.plot([0, 100], [0, 100], color=OTHER, linewidth=0.9, linestyle="--")
    left.errorbar(
        levels, measured, yerr=200 * found.errors, color=DATA, marker="o", capsize=2
    )
    left.set(xlabel="level asked for (%)", ylabel="held (%)")
    left.set(xlim=(0, 102), ylim=(0, 105))
    top = float(np.quantile(found.widths, _SHOWN))
    shown = found.widths[found.widths <= top]
    spread = float(np.ptp(shown)) > 1e-9 * top
    bins = 40 if spread else 1
    span = (float(shown.min()), top) if spread else (0.5 * top, 1.5 * top)
    if top > 0:
        right.hist(shown, bins=bins, range=span, color=DATA)
    middle = float(np.median(found.widths))
    right.axvline(middle, color=CHOSEN, linewidth=1.1, linestyle="--")
    units = " (units of columns)" if scaled else ""
    right.set(xlabel=f"width at {found.width_level:.0%}{units}", ylabel="missing cells")
    far = np.abs(found.measured - found.levels) > 3 * found.errors
    says = (
        "points off the diagonal by more than their bars are levels that do not hold."
        if far.any()
        else "the points lie on the diagonal as far as their bars tell: intervals hold "
        "as often as they say."
    )
    return picture(
        figure,
        "coverage",
        shows="Share of entries inside intervals against the level asked for, and a "
        f"histogram of widths with median {readable(middle)}.",
        caption=f"Left: {says} Measured on {count:,} entries kept aside, one half by "
        "the other's intervals, ± two standard errors; it holds for cells missing in "
        "the way these were taken. Right: how wide intervals are at missing cells "
        f"(median {readable(middle)}, dashed; the widest 1 % are not drawn).",
    )
