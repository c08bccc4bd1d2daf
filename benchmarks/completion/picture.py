"""Pictures of the results: our error over the best peer's, and where recovery is."""

import re
from pathlib import Path

import numpy as np
from run import AUTO
from table import SHORT, shown

from lowrankflow.studies.style import GRID, INK, depth_look, panels, styled

LOWER, HIGHER, SAME = "#0072b2", "#d55e00", "#767d86"
CURVES = (
    (AUTO, "MatrixCompleter"),
    ("soft-impute", "soft-impute"),
    ("cmfrec", "cmfrec"),
    ("IterativeImputer", "IterativeImputer"),
    ("surprise SVD", "surprise SVD"),
)
RECOVERY = re.compile(r"rank 5, ([\d,]+) of 10,000$")


def draw(results, folder: Path) -> None:
    """Write both pictures into a folder."""
    with styled():
        for name, figure in (
            ("completion-ratios", ratios(results)),
            ("completion-recovery", recovery(results)),
        ):
            figure.patch.set_facecolor("white")
            figure.patch.set_alpha(1.0)
            figure.savefig(folder / f"{name}.png", dpi=160, facecolor="white")


def ratios(results):
    """Our error over the best peer's on every table; below 1 ours is the lower."""
    rows = []
    for table in results.tables():
        rival = results.best_rival(table)
        found = results.ratios(table, AUTO, rival) if rival else []
        if found:
            rows.append((table, rival, found))
    figure, ((axes,),) = panels(1, 1, height=0.9 + 0.19 * len(rows))
    floor = 0.05
    for place, (_table, rival, found) in enumerate(reversed(rows)):
        low, mean, high = min(found), float(np.mean(found)), max(found)
        even = abs(mean - 1) <= 0.01 or low <= 1 <= high
        color = SAME if even else LOWER if mean < 1 else HIGHER
        kept = max(mean, floor)
        axes.hlines(
            place, max(low, floor), max(high, floor), color=color, linewidth=1.4
        )
        marker = "<" if mean < floor else "s" if even else "o" if mean < 1 else "D"
        axes.plot(kept, place, marker=marker, color=color, markersize=4.5)
        said = f"{mean:.2g}" if mean < 0.1 else f"{mean:.3f}"
        axes.text(
            1.02,
            place,
            f"{said}  {SHORT.get(rival, rival)}",
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=7,
        )
    axes.axvline(1.0, color=INK, linewidth=0.9)
    axes.set_xscale("log")
    axes.set_yticks(
        range(len(rows)), [shown(row[0]) for row in reversed(rows)], fontsize=7
    )
    axes.set_ylim(-0.8, len(rows) - 0.2)
    axes.grid(axis="y", color=GRID, linewidth=0.4)
    ticks = [0.05, 0.1, 0.2, 0.5, 0.7, 1.0, 1.2]
    axes.set_xlim(floor * 0.9, 1.35)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel(
        "our test error over the best peer's (logarithmic); left of 1 ours is lower"
    )
    return figure


def recovery(results):
    """Errors against how many entries of a rank-5 table are seen."""
    tables = [t for t in results.tables() if RECOVERY.match(t)]
    counts = [int(RECOVERY.match(t)[1].replace(",", "")) for t in tables]
    figure, ((axes,),) = panels(1, 1, height=3.2)
    for number, (method, label) in enumerate(CURVES):
        look = depth_look(number + 1, variant=number % 4, label=label)
        points = [
            (count, results.numbers(table, method))
            for count, table in zip(counts, tables, strict=True)
        ]
        points = [(count, values) for count, values in points if values]
        if not points:
            continue
        at = [count for count, _ in points]
        axes.plot(at, [np.median(v) for _, v in points], **look.keywords())
        axes.vlines(
            at,
            [min(v) for _, v in points],
            [max(v) for _, v in points],
            colors=look.color,
            linewidth=0.9,
        )
    axes.axvline(975, color=INK, linewidth=0.9, linestyle=":")
    axes.text(
        985,
        0.02,
        "degrees of freedom",
        rotation=90,
        fontsize=7,
        va="bottom",
        transform=axes.get_xaxis_transform(),
    )
    axes.set_yscale("log")
    axes.set_xlabel(
        "entries seen of a 100 x 100 table of rank 5 and variance 1, no noise"
    )
    axes.set_ylabel("root-mean-square error")
    axes.legend(loc="center right")
    return figure
