"""Whether a table looks low-rank at all, decided by numbers.

A low-rank part is there to be better than effects of rows and columns on entries that
neither has seen. It is believed when the paired gain exceeds what chance could explain,
is not lost on entries that took no part in the choice, and comes from few directions.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float

from lowrankflow.completion.candidates.watch import EXACT
from lowrankflow.completion.completer import MatrixCompleter
from lowrankflow.completion.results import CandidateResult
from lowrankflow.completion.standings import kept_aside, references
from lowrankflow.completion.validation import Split

Outcome: TypeAlias = Literal["yes", "hardly", "no", "unknown"]
# Standard errors that a gain has to be; the shares of what effects leave below which it
# is next to nothing, and a little; entries below which only a clear gain is believed.
_CLEAR, _NOTHING, _LITTLE, _FEW = 2.0, 0.02, 0.1, 30
_MOST = 0.9  # of the sum of squares: so many directions are what the rank is
_ROUNDING = 1e-10


@dataclass(frozen=True, kw_only=True)
class LowRankVerdict:
    """The answer, and what it rests on.

    Args:
        outcome: "yes", "hardly", "no" or "unknown".
        headline: the answer in a few words.
        reason: the same in a sentence.
        evidence: sentences with the numbers.
    """

    outcome: Outcome
    headline: str
    reason: str
    evidence: tuple[str, ...]


def singular_values(completer: MatrixCompleter) -> Float[np.ndarray, " sv"]:
    """Of the low-rank part, descending; never forms rows x cols."""
    left, right = (np.asarray(side, float) for side in completer.factors_)
    if left.shape[1] == 0:
        return np.zeros(0)
    (_, r_left), (_, r_right) = (np.linalg.qr(side) for side in (left, right))
    return np.linalg.svd(r_left @ r_right.T, compute_uv=False)


def directions(values: Float[np.ndarray, " sv"], share: float = _MOST) -> int:
    """How many singular values make up this share of the sum of squares."""
    squares = np.cumsum(np.square(values))
    if squares.size == 0 or squares[-1] == 0:
        return 0
    return int(np.searchsorted(squares, share * squares[-1] * (1 - _ROUNDING))) + 1


def judged(completer: MatrixCompleter) -> LowRankVerdict:
    """Whether the data that a completer was fitted to look low-rank at all.

    Args:
        completer: fitted.

    Exactness: as for `low_rank_verdict`.
    Cost: divides the entries again, and finds effects if they were not compared.
    """
    split = kept_aside(completer)
    _, effects = references(completer, split)
    values = singular_values(completer)
    return low_rank_verdict(completer, split=split, effects=effects, values=values)


def low_rank_verdict(
    completer: MatrixCompleter,
    *,
    split: Split | None,
    effects: CandidateResult | None,
    values: Float[np.ndarray, " sv"],
) -> LowRankVerdict:
    """Whether the data look low-rank at all.

    Args:
        completer: fitted.
        split: its `kept_aside`.
        effects: effects alone, compared with the winner; see `references`.
        values: singular values of its low-rank part.

    Exactness: a judgement by thresholds: a gain of two standard errors and of 2 % of
        what effects leave, from no more directions than half of the shorter side.
    """
    validation, shape = completer.validation_, completer.table_.shape
    low = next((one for one in completer.comparison_ if one.rank > 0), None)
    if validation.num_selection == 0:
        return _unknown(
            "Too few entries to tell",
            f"Of {completer.table_.num_entries:,} known entries none were kept aside "
            "to compare on, so nothing says how good the completion is.",
        )
    if min(shape) == 1:
        return _unknown(
            "It cannot be told",
            "A table with one row or one column has rank one whatever stands in it.",
        )
    if _are_met(completer):
        return LowRankVerdict(
            outcome="no",
            headline="No: effects are all there is",
            reason="Effects reproduce the entries kept aside to within rounding; "
            "nothing is left for a low-rank part.",
            evidence=(),
        )
    if low is None:
        return _without_rank(completer)
    if effects is None:
        return _unknown(
            "It cannot be told",
            "Effects of rows and columns were not compared with a low-rank part, and "
            "the seed by which this could be made up for was drawn.",
        )
    aside = None if split is None else split.selection
    weights = None if aside is None else aside.weights
    gain, doubt = low_rank_gain(low.residuals, effects.residuals, weights)
    fresh = _fresh_gain(split, low, effects)
    clear = gain > _CLEAR * doubt
    evidence = _evidence(completer, gain, doubt, fresh, values)
    few = validation.num_selection < _FEW
    if few and not clear:
        return _unknown(
            "Too few entries to tell",
            f"Only {validation.num_selection} entries were compared on, and on these "
            "a low-rank part is not clearly better than effects of rows and columns.",
            evidence,
        )
    return _judged(completer, gain, clear, fresh, values, evidence)


def low_rank_gain(
    low: np.ndarray, effects: np.ndarray, weights: np.ndarray | None
) -> tuple[float, float]:
    """Share of the mean square of effects that a low-rank part saves, and its doubt.

    Args:
        low: residuals of the low-rank candidate.
        effects: those of effects alone, of the same entries.
        weights: of the entries; None for all alike.

    Returns:
        The share, below 0 where nothing is saved, and its standard error, that of a
        ratio of means; zeros where effects leave nothing.
    """
    own = np.ones(low.size) if weights is None else weights
    own = own / own.sum()
    saved, left = np.square(low, dtype=float), np.square(effects, dtype=float)
    mean = float(own @ left)
    if mean == 0:
        return 0.0, 0.0
    ratio = float(own @ saved) / mean
    doubt = np.sqrt(np.square(own) @ np.square(saved - ratio * left))
    return 1 - ratio, float(doubt) / mean


def _judged(
    completer: MatrixCompleter,
    gain: float,
    clear: bool,
    fresh: tuple[float, float] | None,
    values: Float[np.ndarray, " sv"],
    evidence: tuple[str, ...],
) -> LowRankVerdict:
    validation, shape = completer.validation_, completer.table_.shape
    count = directions(values)
    free = count * (sum(shape) - count)

    def said(outcome: Outcome, headline: str, reason: str) -> LowRankVerdict:
        return LowRankVerdict(
            outcome=outcome, headline=headline, reason=reason, evidence=evidence
        )

    if validation.held_out_error >= validation.mean_error * (1 - _ROUNDING):
        return said(
            "no",
            "No: one number does as well",
            "The known entries say next to nothing of the missing ones, at least of "
            "those kept aside: nothing is better than one number for all.",
        )
    if gain <= 0 or completer.rank_ == 0:
        return said(
            "no",
            "No: effects are all there is",
            "Beyond effects of rows and columns nothing is gained by a low-rank part.",
        )
    if not clear and fresh is not None and fresh[0] <= 0:
        return said(
            "no",
            "No: effects are all there is",
            "A low-rank part did better than effects by no more than chance could "
            "explain, and no better on other entries that were kept aside.",
        )
    if not clear:
        return said(
            "hardly",
            "Hardly",
            "A low-rank part did better than effects of rows and columns, but by no "
            "more than chance could explain.",
        )
    if fresh is not None and fresh[0] <= 0:
        return said(
            "hardly",
            "Hardly",
            "A low-rank part did better than effects on the entries it was chosen by, "
            "but not on others that were kept aside.",
        )
    if gain < _NOTHING:
        return said(
            "hardly",
            "Hardly",
            "A low-rank part is there, but explains next to nothing of what effects "
            "of rows and columns leave.",
        )
    if count > min(shape) / 2 or free > completer.table_.num_entries:
        return said(
            "hardly",
            "Hardly: its rank is not low",
            f"Factors help, but it takes {count} directions, of at most {min(shape)}, "
            "to make up most of them.",
        )
    little = gain < _LITTLE
    return said(
        "yes",
        "Yes, a little" if little else "Yes",
        "A low-rank part is better than effects of rows and columns by more than "
        "chance explains" + (", though by little." if little else "."),
    )


def _are_met(completer: MatrixCompleter) -> bool:
    """Whether effects alone, or one number, are exact as far as it can be told."""
    validation = completer.validation_
    values = completer.table_.in_units(completer.scale_).values
    size = float(np.abs(values).max())
    return validation.effects_error <= max(
        EXACT * validation.mean_error, _ROUNDING * size
    )


def _without_rank(completer: MatrixCompleter) -> LowRankVerdict:
    """The verdict where no candidate has a rank: none was tried, or none was better."""
    validation = completer.validation_
    tried = [p.held_out_error for c in completer.comparison_ for p in c.path if p.rank]
    if not tried:
        return _unknown(
            "It cannot be told",
            "No low-rank part was compared with effects"
            + (": the search was ended early." if completer.interrupted_ else "."),
        )
    evidence = (
        f"Of the models with a rank above zero the best has an error of "
        f"{min(tried):.4g} on the {validation.num_selection:,} entries compared on; "
        f"effects alone have {validation.effects_error:.4g}.",
    )
    if validation.num_selection < _FEW:
        return _unknown(
            "Too few entries to tell",
            f"On the {validation.num_selection} entries compared on every low-rank "
            "part did worse than none.",
            evidence,
        )
    return LowRankVerdict(
        outcome="no",
        headline="No: effects are all there is",
        reason="Every low-rank part that was tried did worse than none.",
        evidence=evidence,
    )


def _unknown(
    headline: str, reason: str, evidence: tuple[str, ...] = ()
) -> LowRankVerdict:
    return LowRankVerdict(
        outcome="unknown", headline=headline, reason=reason, evidence=evidence
    )


def _fresh_gain(
    split: Split | None, low: CandidateResult, effects: CandidateResult
) -> tuple[float, float] | None:
    """The gain on entries that took no part in the choice, and its doubt."""
    table = None if split is None else split.calibration
    if table is None:
        return None
    ours, theirs = (
        one.model.at(table.rows, table.cols) - table.values for one in (low, effects)
    )
    return low_rank_gain(ours, theirs, table.weights)


def _evidence(
    completer: MatrixCompleter,
    gain: float,
    doubt: float,
    fresh: tuple[float, float] | None,
    values: Float[np.ndarray, " sv"],
) -> tuple[str, ...]:
    """The numbers behind the verdict, in sentences."""
    validation, shape = completer.validation_, completer.table_.shape
    said = [
        f"On the {validation.num_selection:,} entries candidates were compared on, the "
        f"best low-rank part {_lowers(gain, doubt)} of effects alone."
    ]
    if fresh is not None:
        said.append(
            f"On {validation.num_calibration:,} others that no choice was made by, it "
            f"{_lowers(*fresh)}."
        )
    count = directions(values)
    if count:
        free = count * (sum(shape) - count)
        said.append(
            f"Of the completion's low-rank part, {count} of at most {min(shape)} "
            f"directions {'makes' if count == 1 else 'make'} up 90\u00a0% of its sum "
            f"of squares. Rank {count} has {free:,} free numbers in a table of this "
            "shape; known are "
            f"{completer.table_.num_entries:,} entries, "
            f"{completer.table_.num_entries / free:.1f} for each."
        )
    return tuple(said)


def _lowers(gain: float, doubt: float) -> str:
    verb = "lowers" if gain > 0 else "raises"
    return (
        f"{verb} the mean square by {100 * abs(gain):.3g}\u00a0% ± "
        f"{100 * doubt:.2g}\u00a0% (standard error)"
    )
