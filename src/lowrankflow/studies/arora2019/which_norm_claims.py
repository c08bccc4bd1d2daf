"""What the comparisons of answers say of the paper's statements."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.arora2019.completion import PAPER_SCALE
from lowrankflow.studies.arora2019.completion_checks import FEW_IN_WORDS, ranks_of
from lowrankflow.studies.arora2019.which_norm_measures import (
    EFFECTIVE,
    MINIMUM,
    SCHATTEN,
    STABLE,
    SURROGATES,
    TRUTH,
    Comparison,
    best_of,
    log_det,
    meets_from,
    share_least,
    share_lower,
    with_few,
)
from lowrankflow.studies.claims import at_least, at_most, judged, within
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.samples import Sample
from lowrankflow.studies.verdict import Region, Verdict

if TYPE_CHECKING:
    from lowrankflow.studies.study import AbstractStudy

# Nineteen of twenty comparisons: all but what one instance may do otherwise.
NEARLY_ALL = 0.95
_NOT_ALL = Region(upper=1.0, strict=True)


class Judge:
    """The claims, about one set of comparisons.

    Args:
        study: whose statements are judged.
        collection: of the runs.
        found: their comparisons.
    """

    def __init__(
        self,
        study: "AbstractStudy",
        collection: Collection,
        found: Sequence[Comparison],
    ):
        self._study = study
        self._collection = collection
        self._found = found
        self._few = with_few(collection, found)
        self._missing = tuple(str(failure) for failure in collection.failures)

    def verdicts(self) -> list[Verdict]:
        """All of them."""
        return [
            self._differs(),
            *(self._meets(rank) for rank in ranks_of(self._collection)),
            self._effective_rank_deep(),
            self._effective_rank_most(),
            self._deeper_is_lower(),
            self._smaller_is_lower(),
            self._no_schatten(),
            self._no_schatten_against_minimum(),
            self._schatten_deep(),
            self._truth_is_lower(),
            self._log_det_deep(),
            self._stable_rank_deep(),
            self._none_is_least_of_all(),
        ]

    def _against(
        self,
        *rivals: str,
        when: Callable[[Comparison], bool] = lambda one: True,
    ) -> list[Comparison]:
        few = (one for one in self._few if one.rival.method in rivals)
        return [one for one in few if when(one)]

    def _share(self, found: Sequence[Comparison], surrogate: str) -> Sample:
        return share_lower(found, surrogate, self._missing)

    def _differs(self) -> Verdict:
        found = self._against(MINIMUM)
        seeds = sorted({one.seed for one in found})
        shares = [
            sum(not one.is_same for one in found if one.seed == seed)
            / sum(one.seed == seed for one in found)
            for seed in seeds
        ]
        return at_least(
            _sample(shares, seeds, self._missing),
            NEARLY_ALL,
            claim="differs-from-minimum",
            sentence="Few entries: in nearly all cases the factorization's answer is "
            "another than the minimum nuclear norm, which the nuclear norm prefers.",
            statement=self._study.statement("norm"),
            quantity="share of answers more than 1 % away",
            note=FEW_IN_WORDS,
        )

    def _meets(self, rank: int) -> Verdict:
        found = [
            one
            for one in self._found
            if one.rival.method == MINIMUM and _is_main(one, 3)
        ]
        part = self._collection.select(rank=rank)
        (freedom,) = part.axis("degrees_of_freedom")
        return within(
            meets_from(found, rank, int(freedom), self._missing),
            2.1,
            3.2,
            claim=f"meets-minimum-rank-{rank}",
            sentence=f"Rank {rank}: from somewhere between 2.1 and 3.2 entries for "
            "each degree of freedom on, depth 3 finds the minimum nuclear norm.",
            statement=self._study.statement("norm"),
            quantity="least number of entries from which on both agree within 1 %, for "
            "each degree of freedom",
            note="From where entries are few no more; an earlier run had the minimum "
            "exact to 1e-4 from 2.6 on. Up to the next number of the profile.",
        )

    def _effective_rank_deep(self) -> Verdict:
        return at_least(
            self._share(self._against(MINIMUM, when=_is_deep), EFFECTIVE),
            NEARLY_ALL,
            claim="effective-rank-deep",
            sentence="Few entries: the effective rank of depths 3 and 4 is below that "
            "of the minimum nuclear norm in nearly all comparisons.",
            statement=self._study.statement("rank"),
            quantity="share of comparisons",
            note=FEW_IN_WORDS,
        )

    def _effective_rank_most(self) -> Verdict:
        return at_least(
            self._share(self._against(MINIMUM), EFFECTIVE),
            0.5,
            claim="effective-rank-most",
            sentence="Few entries: over all depths and starts it is so in most "
            "comparisons.",
            statement=self._study.statement("rank"),
            quantity="share of comparisons",
            note="The nuclear norm has none, as the minimum is certified.",
        )

    def _deeper_is_lower(self) -> Verdict:
        found = self._against(
            "flow",
            when=lambda one: (
                (one.flow.depth, one.rival.depth) == (3, 2)
                and one.flow.init_scale == one.rival.init_scale
            ),
        )
        return at_least(
            self._share(found, EFFECTIVE),
            NEARLY_ALL,
            claim="deeper-is-lower",
            sentence="Few entries: the effective rank of depth 3 is below that of "
            "depth 2 from the same scale in nearly all comparisons.",
            statement=self._study.statement("depth"),
            quantity="share of comparisons",
            note=FEW_IN_WORDS,
        )

    def _smaller_is_lower(self) -> Verdict:
        found = self._against(
            "flow",
            when=lambda one: (
                one.flow.depth == one.rival.depth == 2
                and one.flow.init_scale < one.rival.init_scale
            ),
        )
        return at_least(
            self._share(found, EFFECTIVE),
            NEARLY_ALL,
            claim="smaller-is-lower",
            sentence="Few entries: at depth 2 the effective rank from the smaller "
            "start is the lower one in nearly all comparisons.",
            statement=self._study.statement("depth"),
            quantity="share of comparisons",
            note=FEW_IN_WORDS,
        )

    def _no_schatten(self) -> Verdict:
        found = self._against(MINIMUM, TRUTH)
        name, best = best_of(
            {p: share_least(found, p, self._missing) for p in SCHATTEN}
        )
        return judged(
            best,
            _NOT_ALL,
            claim="no-schatten",
            sentence="Few entries: for no power from 0.1 to 1 is every factorization's "
            "answer lower than both the minimum nuclear norm and the truth.",
            statement=self._study.statement("schatten"),
            quantity="share of answers, at the best power",
            note=f"Best: {name}. {FEW_IN_WORDS}",
        )

    def _no_schatten_against_minimum(self) -> Verdict:
        found = self._against(MINIMUM)
        name, best = best_of({p: self._share(found, p) for p in SCHATTEN})
        return judged(
            best,
            _NOT_ALL,
            claim="no-schatten-against-minimum",
            sentence="Few entries: for no power is every factorization's answer lower "
            "than the minimum nuclear norm alone.",
            statement=self._study.statement("schatten"),
            quantity="share of comparisons, at the best power",
            note=f"Best: {name}.",
        )

    def _schatten_deep(self) -> Verdict:
        found = self._against(MINIMUM, when=_is_deep)
        name, best = best_of({p: self._share(found, p) for p in SCHATTEN})
        return at_least(
            best,
            1.0,
            claim="schatten-deep",
            sentence="Few entries: for some power every answer of depths 3 and 4 is "
            "lower than the minimum nuclear norm.",
            statement=self._study.statement("some-power"),
            quantity="share of comparisons, at the best power",
            note=f"Best: {name}.",
        )

    def _truth_is_lower(self) -> Verdict:
        found = self._against(TRUTH, when=lambda one: one.flow.depth == 2)
        name, best = best_of({p: self._share(found, p) for p in SCHATTEN[1:]})
        return at_most(
            best,
            1 - NEARLY_ALL,
            claim="truth-is-lower",
            sentence="Few entries: for every power below 1 the truth, which fits as "
            "well, is lower than the answer of depth 2 in nearly all comparisons.",
            statement=self._study.statement("schatten"),
            quantity="share of comparisons in which it is not, at the worst power",
            note=f"Worst: {name}.",
        )

    def _log_det_deep(self) -> Verdict:
        return at_least(
            self._share(self._against(MINIMUM, when=_is_deep), log_det(1.0)),
            NEARLY_ALL,
            claim="log-det-deep",
            sentence="Few entries: log det(W W' + I) of depths 3 and 4 is below that "
            "of the minimum nuclear norm in nearly all comparisons.",
            statement=self._study.statement("others"),
            quantity="share of comparisons",
            note="With singular values in units in which the mean squared entry is 1.",
        )

    def _stable_rank_deep(self) -> Verdict:
        return at_least(
            self._share(self._against(MINIMUM, when=_is_deep), STABLE),
            NEARLY_ALL,
            claim="stable-rank-deep",
            sentence="Few entries: so is the stable rank.",
            statement=self._study.statement("others"),
            quantity="share of comparisons",
            note="As the bound for the effective rank.",
        )

    def _none_is_least_of_all(self) -> Verdict:
        found = self._against(MINIMUM, TRUTH, "flow")
        name, best = best_of(
            {s: share_least(found, s, self._missing) for s in SURROGATES}
        )
        return judged(
            best,
            _NOT_ALL,
            claim="none-is-least",
            sentence="Few entries: no surrogate is least at every factorization's "
            "answer among all that fit, those of other depths and starts too.",
            statement=self._study.statement("schatten"),
            quantity="share of answers, at the best surrogate",
            note=f"Best: {name}. Where answers differ no function of a matrix can be "
            "least at all of them.",
        )


def _is_deep(one: Comparison) -> bool:
    return one.flow.depth > 2


def _is_main(one: Comparison, depth: int) -> bool:
    return one.flow.depth == depth and one.flow.init_scale == PAPER_SCALE


def _sample(
    values: Sequence[float], seeds: Sequence[int], missing: tuple[str, ...]
) -> Sample:
    return Sample(values=np.array(values, float), seeds=tuple(seeds), missing=missing)
