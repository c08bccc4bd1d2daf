"""Words and pictures of a page: numbers, settings, labels, figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lowrankflow.completion.results import CandidateResult
from lowrankflow.studies import readable, themed, to_svg

# Colours of the house: data, what was chosen, and what it is compared with.
DATA, CHOSEN, OTHER = "#0072b2", "#d55e00", "#767d86"
_MOST_LABELS, _LONGEST = 20, 40
_KINDS = {
    "none": "no effects",
    "mean": "a mean",
    "rows": "row effects",
    "columns": "column effects",
    "both": "row and column effects",
}
_HIDDEN = ("effects", "by_count", "relative_gap", "method", "parts")


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure and what is said under it.

    Args:
        svg: an `<svg>` element.
        caption: what to see.
    """

    svg: str
    caption: str


def picture(figure: Figure, key: str, *, shows: str, caption: str) -> Picture:
    """A figure, drawn while `styled` was in force, ready for a page.

    Args:
        figure: of Matplotlib.
        key: makes its ids unique in the page.
        shows: for those who cannot see it.
        caption: what to see.
    """
    return Picture(svg=themed(to_svg(figure, key, shows)), caption=caption)


def label_of(labels: Sequence[Any] | np.ndarray | None, at: int, what: str) -> str:
    """What a row (column) is called; its number from 0 where it has no name."""
    if labels is None:
        return f"{what} {at}"
    text = str(labels[at])
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def labels_of(
    labels: Sequence[Any] | np.ndarray | None, index: np.ndarray, what: str
) -> str:
    """Several of them, the first ones where they are many."""
    named = ", ".join(label_of(labels, int(k), what) for k in index[:_MOST_LABELS])
    more = index.size - _MOST_LABELS
    return f"{named} and {more:,} more" if more > 0 else named


def setting_words(setting: Mapping[str, Any]) -> str:
    """A setting in a line."""
    if "parts" in setting:
        return " + ".join(
            f"{part['weight']:.0%} {method_name(part['method'])} (rank {part['rank']}; "
            f"{setting_words({k: v for k, v in part.items() if k not in _PART})})"
            for part in setting["parts"]
        )
    words = [_KINDS[setting["effects"]]] if "effects" in setting else []
    for name, value in setting.items():
        if value is None or name in _HIDDEN:
            continue
        if name == "effects_penalty" and setting["effects"] in ("none", "mean"):
            continue
        number = isinstance(value, float | np.floating)
        said = readable(float(value)) if number else str(value)
        words.append(f"{name.replace('_', ' ')} {said}")
    if setting.get("by_count"):
        words.append("per entry")
    return ", ".join(words)


_PART = ("weight", "method", "rank")


def method_name(method: str) -> str:
    """A method at the beginning of a line."""
    return "ALS" if method == "als" else method[:1].upper() + method[1:]


def parts_of(
    candidates: Sequence[CandidateResult],
) -> list[tuple[CandidateResult, float]]:
    """The winner and its weight 1; of a blend its parts, with theirs."""
    winner = candidates[0]
    wanted = winner.setting.get("parts")
    if wanted is None:
        return [(winner, 1.0)]
    found = []
    for part in wanted:
        inside = {k: v for k, v in part.items() if k not in _PART}
        found += [
            (one, part["weight"])
            for one in candidates
            if (one.method, one.rank) == (part["method"], part["rank"])
            and one.setting == inside
        ][:1]
    return found


def percent(share: float) -> str:
    """A share with digits that mean something; not 0 or 100 % where it is neither."""
    if 0.9995 <= share < 1:
        return "more than 99.9 %"
    if 0 < share < 5e-6:
        return "less than 0.001 %"
    return f"{100 * share:.3g} %"
