"""Candidates compared: rows of a table, and how far each is from the winner."""

from collections.abc import Sequence

import numpy as np

from lowrankflow.completion.candidates.als_candidate import ALS
from lowrankflow.completion.candidates.effects_candidate import EFFECTS
from lowrankflow.completion.page_words import (
    CHOSEN,
    DATA,
    OTHER,
    Picture,
    method_name,
    picture,
    setting_words,
)
from lowrankflow.completion.results import CandidateResult
from lowrankflow.studies import duration, panels, readable

_ADDED = {
    "none": "no effects",
    "mean": "a mean",
    "rows": "row effects",
    "columns": "column effects",
    "both": "both effects",
}
_FAR = 5.0  # times the reach of effects: what is farther off is drawn at the edge


def short_name(one: CandidateResult) -> str:
    """A candidate in two or three words, told from others of its method."""
    if one.method == "blend":
        return f"blend of {len(one.setting['parts'])}"
    kind = one.setting["effects"]
    if one.method == EFFECTS:
        return f"effects: {kind}"
    words = ["ALS" if one.method == ALS else one.method]
    if "depth" in one.setting:
        words.append(f"depth {one.setting['depth']}")
    return ", ".join([*words, _ADDED[kind]])


def above_winner(one: CandidateResult, winner: CandidateResult) -> tuple[float, float]:
    """By how much an error exceeds the winner's, and the standard error of that.

    A difference of mean squares over the sum of the errors is that of the errors.
    """
    total = one.held_out_error + winner.held_out_error
    if total == 0:
        return 0.0, 0.0
    return one.difference / total, one.difference_error / total


def candidate_rows(candidates: Sequence[CandidateResult]) -> list[dict[str, str]]:
    """What a table says of each."""
    rows = []
    for one in candidates:
        above, doubt = above_winner(one, candidates[0])
        known = not np.isnan(one.held_out_error)
        rows.append(
            {
                "method": method_name(one.method),
                "setting": setting_words(one.setting),
                "rank": str(one.rank),
                "error": readable(one.held_out_error, 4) if known else "none",
                "training": readable(one.training_error, 4),
                "above": "best"
                if one is candidates[0]
                else f"{readable(above)} ± {readable(doubt, 2)}"
                if known
                else "not known",
                "seconds": "of its parts"
                if "parts" in one.setting
                else duration(one.seconds),
            }
        )
    return rows


def candidate_picture(candidates: Sequence[CandidateResult]) -> Picture | None:
    """Errors above the winner's with intervals; call it while `styled` is in force.

    Returns:
        None where there is nothing to compare.
    """
    if len(candidates) < 2 or np.isnan(candidates[0].held_out_error):
        return None
    pairs = [above_winner(one, candidates[0]) for one in candidates]
    above = np.array([pair[0] for pair in pairs])
    reach = np.array([2 * pair[1] for pair in pairs])
    edge = float((above + reach).max())
    own = [k for k, one in enumerate(candidates) if one.method == EFFECTS]
    if own and own[0] > 0:
        edge = min(edge, _FAR * float(above[own[0]] + reach[own[0]]))
    elif len(candidates) > 2:
        edge = min(edge, _FAR * float(np.median((above + reach)[1:])))
    edge = edge or 1.0
    figure, axes = panels(1, 1, height=0.7 + 0.27 * len(candidates))
    place = axes[0, 0]
    least = float((above - reach).min())
    place.set_xlim(min(least * 1.1, -0.04 * edge), 1.06 * edge)
    place.axvline(0, color=CHOSEN, linewidth=0.9, linestyle="--")
    far = 0
    for k, one in enumerate(candidates):
        at = float(above[k])
        color = CHOSEN if k == 0 else OTHER if one.method == EFFECTS else DATA
        if at > edge:
            far += 1
            place.plot([edge], [k], marker=">", color=color, clip_on=False)
            place.annotate(
                f"{readable(at)} ",
                (edge, k),
                (-6, 0),
                textcoords="offset points",
                ha="right",
                va="center",
            )
            continue
        place.plot([at], [k], marker="o", color=color, clip_on=False)
        place.hlines(k, at - reach[k], min(at + reach[k], edge), colors=color)
    place.set_yticks(range(len(candidates)), [short_name(one) for one in candidates])
    place.set_ylim(len(candidates) - 0.5, -0.5)
    place.set_xlabel("held-out error above the winner's")
    place.grid(axis="y", visible=False)
    return picture(
        figure,
        "candidates",
        shows=f"Held-out error of {len(candidates)} candidates above that of the "
        f"winner, {candidates[0].method}, with intervals of two standard errors.",
        caption="How much larger each candidate's held-out error is than the winner's, "
        "± two standard errors of the difference, paired entry by entry. A line that "
        "crosses zero is a candidate that may be as good; orange is the winner, grey "
        "are effects alone."
        + (" Arrows are farther off than is drawn." if far else ""),
    )
