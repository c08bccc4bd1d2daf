"""How the winner stands beside one number for all and effects alone.

A completer keeps errors of these, and not their residuals. The entries that were kept
aside are found again by the seed, so that differences can be paired entry by entry.
"""

import numbers
from dataclasses import dataclass

import numpy as np

from lowrankflow.completion.candidates.bases import KINDS, base_of
from lowrankflow.completion.candidates.effects_candidate import (
    EFFECTS,
    PENALTY,
    effects_candidate,
)
from lowrankflow.completion.candidates.search import compared
from lowrankflow.completion.candidates.sizes import LARGE
from lowrankflow.completion.candidates.watch import Trail, Watch
from lowrankflow.completion.completer import MatrixCompleter
from lowrankflow.completion.completer_checks import checked_settings
from lowrankflow.completion.results import CandidateResult
from lowrankflow.completion.validation import Split, split_entries


@dataclass(frozen=True, kw_only=True)
class Standing:
    """An error beside the winner's.

    Args:
        name: whose error.
        error: root mean square over the entries that candidates were compared on.
        above: by how much it exceeds the winner's.
        doubt: standard error of that, paired over the entries; NaN where not known.
    """

    name: str
    error: float
    above: float
    doubt: float


def kept_aside(completer: MatrixCompleter) -> Split | None:
    """The entries that a completer kept aside, found again by its seed.

    Args:
        completer: fitted.

    Returns:
        The parts, in units of columns; None when nothing was kept aside, the seed was
        drawn anew, or parameters have changed since.
    """
    if not isinstance(completer.random_state, numbers.Integral):
        return None
    settings = checked_settings(completer.get_params(deep=False))
    split = split_entries(
        completer.table_,
        fraction=settings.validation,
        scheme=settings.validation_scheme,
        seed=settings.seed,
    ).in_units(completer.scale_)
    aside = split.selection
    if aside is None or aside.num_entries != completer.validation_.num_selection:
        return None
    # A blend's residuals are cross-fitted, and not those of its model.
    for one in completer.comparison_:
        if not one.model.parts:
            again = one.model.at(aside.rows, aside.cols) - aside.values
            return split if np.allclose(again, one.residuals) else None
    return None


def references(
    completer: MatrixCompleter, split: Split | None
) -> tuple[CandidateResult | None, CandidateResult | None]:
    """One number for all and effects alone, compared with the winner.

    Args:
        completer: fitted.
        split: its `kept_aside`.

    Returns:
        Each None where it cannot be had.
    """
    known = next((c for c in completer.comparison_ if c.method == EFFECTS), None)
    if split is None or split.selection is None:
        return None, known if completer.validation_.num_selection else None
    watch = Watch(split, None)
    trail = Trail(watch, "mean")
    trail.add(base_of(split.train, kind="mean", penalty=PENALTY).model(), {})
    mean = trail.result()
    if known is None:
        asked = checked_settings(completer.get_params(deep=False)).effects
        kinds = KINDS if asked == "auto" else (asked,)
        if asked == "auto" and split.train.num_entries >= LARGE:
            kinds = ("none", "both")
        known, _ = effects_candidate(watch, kinds)
    assert mean is not None, "a mean can always be found"
    _, mean, effects = compared(
        (completer.comparison_[0], mean, known), split.selection
    )
    return mean, effects


def standing(
    name: str, error: float, completer: MatrixCompleter, one: CandidateResult | None
) -> Standing:
    """An error beside the winner's, in the units of errors.

    Args:
        name: whose.
        error: root mean square.
        completer: fitted.
        one: compared with the winner; None where its residuals are not known.
    """
    best = completer.validation_.held_out_error
    total = error + best
    doubt = np.nan if one is None else one.difference_error / total if total else 0.0
    return Standing(name=name, error=error, above=error - best, doubt=float(doubt))
