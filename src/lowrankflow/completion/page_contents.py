"""All that a page says, as plain data, and the page made of it.

Each picture has a file of its own; nothing is judged or drawn here.
"""

import math
import platform
from typing import Any

import jinja2
import numpy as np

from lowrankflow.completion.completer import MatrixCompleter
from lowrankflow.completion.files.table import Table
from lowrankflow.completion.low_rank_verdict import low_rank_verdict, singular_values
from lowrankflow.completion.observed_table import ObservedTable
from lowrankflow.completion.page_candidates import candidate_picture, candidate_rows
from lowrankflow.completion.page_coverage import coverage, coverage_picture
from lowrankflow.completion.page_disagreements import bell_curve_most, disagreements
from lowrankflow.completion.page_path import certificate_words, path_picture
from lowrankflow.completion.page_pattern import (
    missingness,
    pattern_picture,
    share_picture,
)
from lowrankflow.completion.page_spectrum import spectrum_picture
from lowrankflow.completion.page_words import (
    label_of,
    labels_of,
    method_name,
    parts_of,
    percent,
    setting_words,
)
from lowrankflow.completion.standings import kept_aside, references, standing
from lowrankflow.studies import readable, styled
from lowrankflow.version import __version__


def rendered(
    completer: MatrixCompleter, table: ObservedTable | Table, *, source: str
) -> str:
    """The page, see `page`."""
    with styled():
        whole = contents(completer, table, source=source)
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [
                jinja2.PackageLoader("lowrankflow", "completion/templates"),
                # The look of the studies' report: one for all pages.
                jinja2.PackageLoader("lowrankflow", "studies/templates"),
            ]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"readable": _readable, "percent": percent}
    return environment.get_template("page.html.j2").render(whole)


def contents(
    completer: MatrixCompleter, table: ObservedTable | Table, *, source: str
) -> dict[str, Any]:
    """What the page says; pictures as `<svg>` elements."""
    validation = completer.validation_
    split = kept_aside(completer)
    mean, effects = references(completer, split)
    values = singular_values(completer)
    scaled = completer.scale_ is not None
    rows, cols = table.shape
    missing = rows * cols - table.num_entries
    pattern = missingness(
        completer.table_, scale=completer.scale_, scheme=validation.scheme
    )
    held = coverage(completer)
    clashes = disagreements(completer)
    return {
        "source": source,
        "shape": table.shape,
        "num_entries": table.num_entries,
        "num_missing": missing,
        "known": table.num_entries / (rows * cols),
        "what": _what(completer),
        "verdict": low_rank_verdict(
            completer, split=split, effects=effects, values=values
        ),
        "validation": validation,
        "standings": [
            standing("one number for all", validation.mean_error, completer, mean),
            standing("effects alone", validation.effects_error, completer, effects),
        ],
        "notes": _notes(completer, scaled=scaled),
        "pattern": pattern_picture(completer.table_),
        "shares": share_picture(pattern, table.shape),
        "missingness": pattern,
        "fills": _fills(completer),
        "empty": [
            (what, index.size, labels_of(labels, index, what))
            for what, index, labels in (
                ("row", completer.unobserved_rows_, table.row_labels),
                ("column", completer.unobserved_cols_, table.col_labels),
            )
            if index.size
        ],
        "candidates": candidate_rows(completer.comparison_),
        "dots": candidate_picture(completer.comparison_),
        "paths": _paths(completer),
        "rank": completer.rank_,
        "spectrum": spectrum_picture(values, scaled=scaled),
        "coverage": held
        and coverage_picture(held, count=validation.num_calibration, scaled=scaled),
        "coverage_rows": [] if held is None else _coverage_rows(held),
        "disagreements": [
            {
                "row": label_of(table.row_labels, one.row, "row"),
                "col": label_of(table.col_labels, one.col, "column"),
                "value": readable(one.value, 4),
                "predicted": readable(one.predicted, 4),
                "spreads": f"{one.spreads:.1f}",
            }
            for one in clashes
        ],
        "bell": bell_curve_most(table.num_entries),
        "call": repr(completer),
        "parameters": completer.get_params(deep=False),
        "is_drawn": completer.random_state is None,
        "versions": {
            "lowrankflow": __version__,
            "NumPy": np.__version__,
            "Python": platform.python_version(),
        },
    }


def _what(completer: MatrixCompleter) -> str:
    """The winner, in words."""
    name = {
        "effects": "effects alone",
        "greedy path": "the greedy path",
        "flow": "the deep flow, stopped in time",
        "als": "alternating least squares",
        "blend": "a blend",
    }.get(completer.method_, completer.method_)
    rank = f", rank {completer.rank_}" if completer.rank_ else ""
    return f"{name}{rank} ({setting_words(completer.setting_)})"


def _fills(completer: MatrixCompleter) -> str:
    """What a row or column without entries gets."""
    kind = completer.setting_.get("effects")
    if kind == "none":
        return "zeros, for the completion has no effects, fill"
    return "the mean fills" if kind == "mean" else "effects fill"


def _notes(completer: MatrixCompleter, *, scaled: bool) -> list[str]:
    notes = []
    if completer.interrupted_:
        notes.append(
            "The search was ended early: this is the best of what had been tried."
        )
    if scaled:
        notes.append(
            "Columns differ so much in size that each was divided by its standard "
            "deviation: errors, spectrum and widths are in these units."
        )
    if completer.table_.weights is not None:
        notes.append("Entries have weights: all errors are weighted means.")
    if completer.clip is not None:
        low, high = completer.clip
        notes.append(
            f"Filled cells stay within {readable(low)} and {readable(high)}; the "
            "errors on this page are of values before that."
        )
    if completer.smooth:
        notes.append("Known entries, too, were replaced by the model's values.")
    return notes


def _paths(completer: MatrixCompleter) -> list[dict[str, Any]]:
    """The path of the winner, or of each part of a blend."""
    found = []
    parts = parts_of(completer.comparison_)
    for k, (one, weight) in enumerate(parts):
        picture = path_picture(
            one,
            key=f"{k} {one.method}",
            effects_error=completer.validation_.effects_error,
        )
        found.append(
            {
                "title": f"{method_name(one.method)}, {percent(weight)} of the blend"
                if len(parts) > 1
                else "",
                "picture": picture,
                "certificate": certificate_words(one),
            }
        )
    return found


def _coverage_rows(held: Any) -> list[tuple[str, str]]:
    """Level and what was measured, of the levels people ask for."""
    wanted = (0.5, 0.8, 0.9, 0.95)
    return [
        (percent(level), percent(measured))
        for level, measured in zip(held.levels, held.measured, strict=True)
        if level in wanted
    ]


def _readable(number: float, digits: int = 3) -> str:
    return "not known" if math.isnan(number) else readable(number, digits)
