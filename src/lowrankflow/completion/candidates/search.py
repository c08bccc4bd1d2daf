"""The search: effects, then every candidate on what they leave; the best of all."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from lowrankflow.completion.candidates.als_candidate import ALS, refit_als
from lowrankflow.completion.candidates.bases import Base, Kind, base_of
from lowrankflow.completion.candidates.bayes_candidate import BAYES, refit_bayes
from lowrankflow.completion.candidates.blend import BLEND, Blend, blended, combined
from lowrankflow.completion.candidates.effects_candidate import (
    EFFECTS,
    PENALTY,
    effects_candidate,
)
from lowrankflow.completion.candidates.flow_candidate import FLOW, refit_flow
from lowrankflow.completion.candidates.greedy_candidate import GREEDY, refit_greedy
from lowrankflow.completion.candidates.plan import Trial, planned
from lowrankflow.completion.candidates.sizes import Sizes
from lowrankflow.completion.candidates.soft_candidate import SOFT, refit_soft
from lowrankflow.completion.candidates.watch import EXACT, StopSearch, Watch
from lowrankflow.completion.model import CompletionModel
from lowrankflow.completion.observed_table import ObservedTable
from lowrankflow.completion.results import CandidateResult
from lowrankflow.completion.validation import Split

# Where they lower it by this much, and entries are few, nothing else is tried: what
# begins without them would first have to learn them.
_MOST, _PER_LINE = 0.5, 8
# Effects that lower the held-out mean square by less may be chance: other methods begin
# without them, and on a large table, where every base is one path more, end there.
_WORTH = 0.05
_REFITS = {
    GREEDY: refit_greedy,
    FLOW: refit_flow,
    SOFT: refit_soft,
    ALS: refit_als,
    BAYES: refit_bayes,
}


class Kept(Protocol):
    """Where finished candidates are kept."""

    def get(self, number: int, name: str) -> CandidateResult | None:
        """The candidate of a trial; None where it is not finished."""
        ...

    def put(self, number: int, result: CandidateResult) -> None:
        """Keep it."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """What a search found.

    Args:
        candidates: best first; one at least.
        bases: what the low-rank part of each is added to; of a blend None.
        blend: the blend, where there is one.
        blend_bases: what the low-rank parts of its parts are added to.
        skipped: what was not tried, and why.
        effects_error: held-out error of the best effects alone.
        mean_error: that of one number for all.
        interrupted: whether the caller ended it.
    """

    candidates: tuple[CandidateResult, ...]
    bases: tuple[Base | None, ...]
    blend: Blend | None
    blend_bases: tuple[Base, ...]
    skipped: tuple[str, ...]
    effects_error: float
    mean_error: float
    interrupted: bool

    def refitted(self, table: ObservedTable, sizes: Sizes) -> CompletionModel:
        """The winner, fitted to all entries.

        Args:
            table: all entries, in units of their columns.
            sizes: of the search.
        """
        winner = self.candidates[0]
        if winner.method != BLEND:
            return _refitted(winner, self.bases[0], table, sizes)
        assert self.blend is not None, "a blend that won is there"
        pairs = zip(self.blend.parts, self.blend_bases, strict=True)
        models = [_refitted(part, base, table, sizes) for part, base in pairs]
        return combined(models, self.blend.weights)


def search(
    split: Split,
    *,
    methods: Sequence[str],
    is_auto: bool,
    kinds: Sequence[Kind],
    sizes: Sizes,
    callback: Callable[..., object] | None,
    kept: Kept | None = None,
) -> Found:
    """Compare candidates on the entries kept aside.

    Args:
        split: the entries, in units of their columns.
        methods: which to try.
        is_auto: whether slow ones are left out where tables are large; and whether
            effects are all there is when nothing is kept aside to choose by.
        kinds: effects to try.
        sizes: what the size of the table decides.
        callback: told of progress; True ends the search.
        kept: where finished candidates are, and go; None to keep none.
    """
    watch = Watch(split, callback)
    mean = base_of(split.train, kind="mean", penalty=PENALTY)
    mean_error = watch.held_out(mean.model())[0]
    if split.selection is not None:
        watch.floor, watch.mean_error = EXACT * mean_error, mean_error
    best, base = effects_candidate(watch, kinds)
    skipped: list[str] = []
    if is_auto and split.selection is None:
        skipped.append(
            f"all but effects: {split.train.num_entries} known entries are too few to "
            "keep some aside to choose by"
        )
        methods = (EFFECTS,)
    bases = _bases(watch, best, base, kinds, sizes)
    trials, left_out = planned(methods, bases, sizes, is_auto=is_auto)
    tried = [(best, base)]
    total = sum(trial.work for trial in trials)
    interrupted = False
    try:
        for number, trial in enumerate(trials):
            watch.next_part(trial.work / total)
            watch.tell(trial.name)
            found = _finished(number, trial, watch, kept)
            if found is not None:
                tried.append((found, trial.base))
            if is_auto and watch.best_error <= watch.floor:
                skipped.append(
                    f"what comes after {trial.name}: the held-out error is "
                    f"{watch.best_error:.1e}, that of one number for all "
                    f"{mean_error:.1e}, and nothing is left to be won"
                )
                break
    except StopSearch:
        interrupted = True
    asked = [one for one in tried if one[0].method in methods] or tried
    blend = None
    if BLEND in methods and not interrupted:
        blend = blended([one for one, _ in asked], watch, seed=sizes.seed)
    base_of_part = {id(one): base for one, base in asked}
    blend_bases = tuple(base_of_part[id(p)] for p in (blend.parts if blend else ()))
    ranked: list[tuple[CandidateResult, Base | None]] = [*asked]
    if blend is not None:
        ranked.append((blend.result, None))
    ranked.sort(key=lambda one: _error(one[0]))
    results, of_results = zip(*ranked, strict=True)
    return Found(
        candidates=compared(results, split.selection),
        bases=of_results,
        blend=blend,
        blend_bases=blend_bases,
        skipped=(*skipped, *left_out),
        effects_error=best.held_out_error,
        mean_error=mean_error,
        interrupted=interrupted,
    )


def _finished(
    number: int, trial: Trial, watch: Watch, kept: Kept | None
) -> CandidateResult | None:
    """A candidate as it was kept; where it was not, as it comes out, and kept now."""
    found = None if kept is None else kept.get(number, trial.name)
    if found is not None:
        watch.consider(found)
        return found
    found = trial.run(watch)
    if kept is not None and found is not None:
        kept.put(number, found)
    return found


def compared(
    results: Sequence[CandidateResult], aside: ObservedTable | None
) -> tuple[CandidateResult, ...]:
    """Candidates with their differences from the first, entry by entry.

    Args:
        results: the first is the one to compare with.
        aside: the entries that they were judged on.
    """
    if aside is None:
        return tuple(results)
    weights = aside.weights
    weights = np.ones(aside.num_entries) if weights is None else weights
    weights = weights / weights.sum()
    best = np.square(results[0].residuals, dtype=float)
    found = []
    for one in results:
        paired = np.square(one.residuals, dtype=float) - best
        mean = float(weights @ paired)
        spread = np.sqrt(float(np.square(weights) @ np.square(paired - mean)))
        found.append(
            dataclasses.replace(one, difference=mean, difference_error=float(spread))
        )
    return tuple(found)


def _refitted(
    result: CandidateResult, base: Base | None, table: ObservedTable, sizes: Sizes
) -> CompletionModel:
    assert base is not None, "every candidate but a blend has a base"
    again = base.again(table)
    if result.method == EFFECTS:
        return again.model()
    return _REFITS[result.method](result, again, sizes)


def _bases(
    watch: Watch,
    best: CandidateResult,
    base: Base,
    kinds: Sequence[Kind],
    sizes: Sizes,
) -> list[Base]:
    """What low-rank parts are added to: the best effects, and nothing at all."""
    if "none" not in kinds or base.kind == "none":
        return [base]
    plain = base_of(watch.split.train, kind="none", penalty=PENALTY)
    error = watch.held_out(plain.model())[0]
    gain = 1 - (best.held_out_error / error) ** 2 if error > 0 else 0.0
    if sizes.is_large:
        return [base] if gain > _WORTH else [plain]
    if gain > _MOST and sizes.num_train < _PER_LINE * sum(watch.split.train.shape):
        return [base]
    if sizes.is_medium:
        return [base] if gain > _WORTH else [plain]
    return [base, plain] if gain > _WORTH else [plain, base]


def _error(result: CandidateResult) -> float:
    error = result.held_out_error
    return result.training_error if np.isnan(error) else error
