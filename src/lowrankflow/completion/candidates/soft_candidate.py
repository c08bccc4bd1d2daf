"""Soft-impute as a candidate: the least nuclear norm with a penalty, globally."""

import numpy as np

from lowrankflow.completion.candidates.bases import Base
from lowrankflow.completion.candidates.shares import best_share
from lowrankflow.completion.candidates.sizes import Sizes
from lowrankflow.completion.candidates.watch import Trail, Watch
from lowrankflow.completion.model import CompletionModel, balanced
from lowrankflow.completion.results import CandidateResult
from lowrankflow.dynamics import greedy_low_rank_path
from lowrankflow.reference import SoftImpute, soft_impute

SOFT = "soft-impute"
_COARSE = (0.3, 0.1, 0.03, 0.01, 0.003)
_GAP, _REFIT_GAP, _MOST_STEPS = 1e-3, 1e-4, 500


def soft_candidate(base: Base, watch: Watch, sizes: Sizes) -> CandidateResult | None:
    """Go down a line of penalties, from the last answer each time.

    Args:
        base: what the low-rank part is added to.
        watch: the judge.
        sizes: a penalty that is given, for one.
    """
    trail = Trail(watch, SOFT)
    problem = base.left_over.problem()
    top = float(
        greedy_low_rank_path(problem, max_rank=1, rtol=1e-2, patience=None).rates[0]
    )
    if top == 0:
        return None
    last: SoftImpute | None = None
    tried = 0

    def error_at(share: float) -> float:
        nonlocal last, tried
        penalty = share * top
        watch.tell(
            f"soft-impute, penalty {penalty:.3g}", within=min(tried / sizes.trials, 1.0)
        )
        last = soft_impute(
            problem,
            penalty=penalty,
            gap_tolerance=_GAP,
            max_iterations=_MOST_STEPS,
            start=last,
        )
        tried += 1
        model = base.model(*balanced(last.matrix), ridge=penalty)
        setting = {
            "effects": base.kind,
            "penalty": penalty,
            "relative_gap": last.relative_gap,
        }
        return trail.add(model, setting)

    if sizes.penalty is not None:
        error_at(sizes.penalty / top)
    else:
        best_share(error_at, _COARSE, refinements=2)
    return trail.result()


def refit_soft(result: CandidateResult, base: Base, sizes: Sizes) -> CompletionModel:
    """The same of all entries; the penalty grows as the root of their number.

    Args:
        result: the chosen one.
        base: of all entries.
        sizes: whether the penalty was given.
    """
    penalty = result.setting["penalty"]
    if sizes.penalty is None:
        penalty *= np.sqrt(base.left_over.num_entries / sizes.num_train)
    found = soft_impute(
        base.left_over.problem(),
        penalty=penalty,
        gap_tolerance=_REFIT_GAP,
        max_iterations=_MOST_STEPS,
    )
    return base.model(*balanced(found.matrix), ridge=penalty)
