"""Which candidates are tried on a table, in which order, and which are not, and why."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lowrankflow.completion.candidates.als_candidate import ALS, als_candidate
from lowrankflow.completion.candidates.bases import Base
from lowrankflow.completion.candidates.bayes_candidate import BAYES, bayes_candidate
from lowrankflow.completion.candidates.blend import BLEND
from lowrankflow.completion.candidates.effects_candidate import EFFECTS
from lowrankflow.completion.candidates.flow_candidate import (
    DEPTHS,
    FLOW,
    flow_candidate,
)
from lowrankflow.completion.candidates.greedy_candidate import GREEDY, greedy_candidate
from lowrankflow.completion.candidates.sizes import LARGE, Sizes
from lowrankflow.completion.candidates.soft_candidate import SOFT, soft_candidate
from lowrankflow.completion.candidates.watch import Watch
from lowrankflow.completion.results import CandidateResult

METHODS = (EFFECTS, GREEDY, FLOW, SOFT, ALS, BAYES, BLEND)
# Entries up to which the slow ones are part of "auto".
_MOST = {SOFT: 20_000, FLOW: 100_000, BAYES: LARGE}
# Soft-impute pays for cells too: many of its singular values are not zero.
_MOST_CELLS = 250_000
# Expected work, relative to one another.
_WORK = {GREEDY: 8.0, FLOW: 8.0, SOFT: 10.0, ALS: 6.0, BAYES: 4.0}


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One candidate on one base.

    Args:
        name: of the candidate.
        base: what it is added to.
        work: expected, relative to the others.
        run: does it.
    """

    name: str
    base: Base
    work: float
    run: Callable[[Watch], CandidateResult | None]


def planned(
    methods: Sequence[str], bases: Sequence[Base], sizes: Sizes, *, is_auto: bool
) -> tuple[list[Trial], list[str]]:
    """The trials, and sentences on what is left out.

    Args:
        methods: of `METHODS`.
        bases: what low-rank parts are added to; the first is the most promising.
        sizes: of the table.
        is_auto: whether nobody asked for each of them.
    """
    trials, skipped = [], []
    for method in methods:
        if method in (EFFECTS, BLEND):
            continue
        most = _MOST.get(method)
        if is_auto and most is not None and sizes.num_train > most:
            skipped.append(
                f"{method}: the table has {sizes.num_train:,} entries to fit, and it "
                f"is slow beyond {most:,}; ask for it with method={method!r}"
            )
            continue
        if is_auto and method == SOFT and sizes.num_cells > _MOST_CELLS:
            skipped.append(
                f"{method}: the table has {sizes.num_cells:,} cells, and it is slow "
                f"beyond {_MOST_CELLS:,}; ask for it with method={method!r}"
            )
            continue
        if method == SOFT and sizes.is_weighted:
            skipped.append(f"{method}: it knows no entry weights")
            continue
        for base in bases:
            trials += _of_method(method, base, sizes)
    return trials, skipped


def _of_method(method: str, base: Base, sizes: Sizes) -> list[Trial]:
    if method == FLOW:
        depths = DEPTHS if sizes.depth is None else (sizes.depth,)
        runs = [
            functools.partial(_flow, base, sizes=sizes, depth=depth) for depth in depths
        ]
    else:
        kinds = {
            GREEDY: greedy_candidate,
            SOFT: soft_candidate,
            ALS: als_candidate,
            BAYES: bayes_candidate,
        }
        runs = [functools.partial(kinds[method], base, sizes=sizes)]
    work = _WORK[method] / len(runs)
    return [Trial(name=method, base=base, work=work, run=run) for run in runs]


def _flow(base: Base, watch: Watch, *, sizes: Sizes, depth: int):
    return flow_candidate(base, watch, sizes, depth)
