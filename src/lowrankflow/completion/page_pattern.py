"""What was missing: a picture of the pattern, shares, and whether it looks random."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lowrankflow.completion.observed_table import ObservedTable
from lowrankflow.completion.page_words import DATA, Picture, percent, picture
from lowrankflow.studies import panels, readable

_BLOCKS, _COARSE = 200, 20
# Inches of a cell at most, of the picture; how long a table can be and keep its shape.
_CELL, _WIDEST, _TALLEST, _LONG = 0.3, 5.4, 4.2, 4.0
_IN_BLOCK, _EXPECTED = 20, 2  # entries of a coarse block on average, at least
_FEWEST = 50  # known entries from which on anything is said of where they lie
_ALPHA = LinearSegmentedColormap.from_list(
    "known", [(0.0, 0.447, 0.698, 0.0), (0.0, 0.447, 0.698, 1.0)]
)
# What is a dependence worth a warning: a rank correlation, a departure of blocks from
# what rows and columns by themselves would have, a ratio of crowdedness.
_CORRELATION, _BLOCKINESS, _CROWDED = 0.2, 0.3, 1.5
_CLEAR = 3.0  # standard errors
_BINS = 40
# Cells of a row up to which counts are drawn, not shares; what a long tail is.
_FEW_COUNTS, _TAIL = 20, 20


@dataclass(frozen=True, kw_only=True)
class Missingness:
    """How what is known lies in the table.

    Args:
        row_counts: known entries of each row.
        col_counts: known entries of each column.
        warnings: sentences on what is not random about it.
        advice: what follows from that.
    """

    row_counts: Int[np.ndarray, " rows"]
    col_counts: Int[np.ndarray, " cols"]
    warnings: tuple[str, ...]
    advice: str


def block_shares(table: ObservedTable, most: int) -> Float[np.ndarray, "rows cols"]:
    """Share known in blocks of neighbouring rows and columns, at most so many."""
    counts, cells = _blocks(table, most)
    return counts / cells


def _blocks(table: ObservedTable, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Known entries and cells of each block."""
    index, sizes = [], []
    for where, size in zip((table.rows, table.cols), table.shape, strict=True):
        count = min(size, most)
        index.append(where * count // size)
        sizes.append(np.bincount(np.arange(size) * count // size, minlength=count))
    shape = sizes[0].size, sizes[1].size
    flat = np.bincount(index[0] * shape[1] + index[1], minlength=shape[0] * shape[1])
    return flat.reshape(shape), np.outer(*sizes)


def missingness(
    table: ObservedTable, *, scale: Float[np.ndarray, " cols"] | None, scheme: str
) -> Missingness:
    """Whether entries seem to be missing at random.

    Args:
        table: the known entries.
        scale: of columns; None for 1.
        scheme: how entries were kept aside.
    """
    counts = [
        np.bincount(index, minlength=size)
        for index, size in zip((table.rows, table.cols), table.shape, strict=True)
    ]
    values = np.asarray(table.in_units(scale).values, float)
    if table.num_entries < _FEWEST:
        return Missingness(
            row_counts=counts[0],
            col_counts=counts[1],
            warnings=(),
            advice="There are too few known entries to see whether gaps are random.",
        )
    warnings, blocky = [], False
    col_means = _means(table.cols, values, counts[1])
    kept = {
        "row": (table.rows, values - col_means[table.cols], counts[0]),
        "column": (table.cols, values, counts[1]),
    }
    for what, (index, numbers, count) in kept.items():
        # Means of columns in different units say nothing of one another.
        if what == "column" and scale is not None:
            continue
        found = _rank_correlation(count, _means(index, numbers, count))
        if found is not None:
            more = "larger" if found > 0 else "smaller"
            warnings.append(
                f"{what.capitalize()}s with more known entries have {more} values "
                f"(rank correlation {found:+.2f}): what is known is not a random "
                "sample of the table."
            )
    warnings += _crowded(table, counts)
    blockiness = _blockiness(table)
    if blockiness > _BLOCKINESS:
        blocky = True
        warnings.append(
            "The gaps come in blocks: rows and columns by themselves do not explain "
            f"where they lie (departure {blockiness:.2f}, on a scale where random gaps "
            "have 0)."
        )
    return Missingness(
        row_counts=counts[0],
        col_counts=counts[1],
        warnings=tuple(warnings),
        advice=_advice(scheme, bool(warnings), blocky),
    )


def _advice(scheme: str, odd: bool, blocky: bool) -> str:
    if not odd:
        return (
            "Nothing speaks against it: rows and columns with more known entries have "
            "no other values than the others, and the gaps do not come in blocks. What "
            "the missing values themselves decide cannot be seen from the known ones."
        )
    if scheme == "random":
        wanted = (
            'validation_scheme="block" (of the command, --holdout-scheme block) keeps '
            "whole blocks aside, as they are missing here."
            if blocky
            else 'validation_scheme="rows" or "columns" (of the command, '
            "--holdout-scheme) takes every row or column alike; cells of which still "
            "less is known remain harder than any entries kept aside."
        )
        return (
            "Entries were kept aside at random, as if gaps were random: the errors on "
            f"this page may be too good for the cells that are missing. {wanted}"
        )
    return (
        f'Entries were kept aside by the scheme "{scheme}"; errors hold for cells that '
        "are missing in that way."
    )


def _means(index: np.ndarray, values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    sums = np.bincount(index, values, minlength=counts.size)
    return sums / np.maximum(counts, 1)


def _rank_correlation(counts: np.ndarray, means: np.ndarray) -> float | None:
    """Spearman's, of rows with entries; None where it is small or may be chance."""
    seen = counts > 0
    counts, means = counts[seen], means[seen]
    if counts.size < 10 or np.ptp(counts) == 0 or np.ptp(means) == 0:
        return None
    found = float(np.corrcoef(_ranks(counts), _ranks(means))[0, 1])
    clear = abs(found) > _CLEAR / np.sqrt(counts.size - 1)
    return found if clear and abs(found) > _CORRELATION else None


def _ranks(numbers: np.ndarray) -> np.ndarray:
    """Places in order; equal numbers share the mean of theirs."""
    _, inverse, count = np.unique(numbers, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count - 1) / 2)[inverse]


def _crowded(table: ObservedTable, counts: list[np.ndarray]) -> list[str]:
    """Where known entries sit in fuller rows (columns) than the missing cells do."""
    missing = table.shape[0] * table.shape[1] - table.num_entries
    if not missing:
        return []
    found = []
    sides = zip(("row", "column"), counts, table.shape[::-1], strict=True)
    for what, count, length in sides:
        # Others than itself: where gaps are random the two are alike.
        known = float(count @ (count - 1.0)) / table.num_entries
        gap = float(np.sum(count * (length - count.astype(float)))) / missing
        if known > _CROWDED * max(gap, 1.0):
            found.append(
                f"A known entry has {readable(known)} others in its {what} on average, "
                f"a missing cell {readable(gap)}: less is known where cells are filled."
            )
    return found


def _blockiness(table: ObservedTable) -> float:
    """How far coarse blocks are from what rows and columns explain; 0 by chance.

    The root of the mean squared contingency, less its expectation.
    """
    # Blocks large enough that chance evens out.
    most = int(np.clip(np.sqrt(table.num_entries / _IN_BLOCK), 2, _COARSE))
    counts, _ = _blocks(table, most)
    total = counts.sum()
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / total
    many = expected >= _EXPECTED
    freedom = (counts.shape[0] - 1) * (counts.shape[1] - 1) * many.mean()
    squares = np.square(counts - expected)[many] / expected[many]
    return float(np.sqrt(max(squares.sum() - freedom, 0.0) / total))


def pattern_picture(table: ObservedTable) -> Picture:
    """Where entries are known, block by block; call it while `styled` is in force."""
    shares = block_shares(table, _BLOCKS)
    rows, cols = table.shape
    exact = shares.shape == table.shape
    alike = 1 / _LONG <= rows / cols <= _LONG
    cell = min(_CELL, _WIDEST / cols) if alike else _CELL
    height = float(np.clip(cell * (rows if alike else shares.shape[0]), 0.8, _TALLEST))
    figure = Figure(figsize=(7.2, height + 0.7), layout="constrained")
    axes = figure.subplots()
    top = float(shares.max())
    uneven = not exact and top > 4 * shares.mean()
    image = axes.imshow(
        shares,
        cmap=_ALPHA,
        norm=PowerNorm(0.5 if uneven else 1.0, vmin=0, vmax=top),
        aspect="equal" if alike else "auto",
        interpolation="none",
        extent=(-0.5, cols - 0.5, rows - 0.5, -0.5),
    )
    axes.set_anchor("W")
    axes.grid(visible=False)
    axes.spines[["top", "right"]].set_visible(True)
    axes.set(xlabel="column", ylabel="row")
    for axis, size in ((axes.xaxis, cols), (axes.yaxis, rows)):
        axis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))
        if size == 1:
            axis.set_ticks([0])
    if not exact:
        bar = figure.colorbar(image, ax=axes, label="share known", fraction=0.04)
        ticks = np.linspace(0, np.sqrt(top), 4) ** 2 if uneven else None
        if ticks is not None:
            bar.set_ticks(ticks.tolist(), labels=[percent(t) for t in ticks])
    per = (
        "Each cell is coloured where it is known"
        if exact
        else f"Each of {shares.shape[0]} x {shares.shape[1]} blocks is the darker the "
        f"more of its cells are known, up to {percent(top)}"
    )
    known = percent(table.num_entries / (rows * cols))
    return picture(
        figure,
        "pattern",
        shows=f"Pattern of a table of {rows:,} rows and {cols:,} columns, of which "
        f"{known} is known.",
        caption=f"What is known of the table, rows and columns in the order of the "
        f"source. {per}. Blank bands are rows or columns of which little is known; "
        "blank blocks are gaps that are not random.",
    )


def share_picture(found: Missingness, shape: tuple[int, int]) -> Picture:
    """Share known of each row and column; call it while `styled` is in force."""
    figure, axes = panels(1, 2, height=2.2)
    sides = (
        ("row", found.row_counts, shape[1]),
        ("column", found.col_counts, shape[0]),
    )
    for place, (what, counts, length) in zip(axes[0], sides, strict=True):
        low, high = int(counts.min()), int(counts.max())
        # Whole counts, or bars would alternate; and no thinner than can be seen.
        step = -(-max(high - low + 1, high // 2) // _BINS)
        edges = np.arange(low, high + step + 1, step) - 0.5
        few = length < _FEW_COUNTS
        unit = 1.0 if few else 100 / length
        heights, *_ = place.hist(unit * counts, bins=unit * edges, color=DATA)  # pyright: ignore[reportArgumentType]
        name = f"known entries of a {what}" if few else f"known of a {what} (%)"
        place.set(xlabel=name, ylabel=f"{what}s")
        place.set_xlim(left=min(0.0, unit * float(edges[0])))
        if few:
            place.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
        if high > _TAIL * max(np.median(counts), 1) and np.max(heights) > _TAIL:
            place.set_yscale("log")
            continue
        place.yaxis.get_major_locator().set_params(integer=True)
    rows, cols = found.row_counts, found.col_counts
    return picture(
        figure,
        "shares",
        shows="Histograms of the share known of each row and of each column.",
        caption="How much is known of each row and column. A row has "
        f"{rows.min():,} to {rows.max():,} known entries (median "
        f"{np.median(rows):,.0f}), a column "
        f"{cols.min():,} to {cols.max():,} (median {np.median(cols):,.0f}).",
    )
