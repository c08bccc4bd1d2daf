"""Alternating least squares as a candidate: a rank, a penalty that counts entries."""

from typing import Literal, TypeAlias

import numpy as np

from lowrankflow.completion.als import (
    AlternatingLeastSquares,
    alternating_least_squares,
)
from lowrankflow.completion.candidates.bases import Base
from lowrankflow.completion.candidates.shares import best_share
from lowrankflow.completion.candidates.sizes import Sizes
from lowrankflow.completion.candidates.watch import Trail, Watch
from lowrankflow.completion.model import CompletionModel
from lowrankflow.completion.results import CandidateResult

ALS = "als"
Begin: TypeAlias = Literal["random"] | tuple[np.ndarray, np.ndarray]
# Of the root mean square of what effects leave.
_COARSE = (0.3, 0.1, 0.03, 0.01)
_COARSE_LARGE = (0.03, 0.1)
_RANKS, _RTOL, _REFIT_RTOL, _MOST_SWEEPS = (10, 40), 1e-4, 1e-6, 60


def als_candidate(base: Base, watch: Watch, sizes: Sizes) -> CandidateResult | None:
    """Two ranks, a line of penalties each; a row's penalty counts its entries.

    Args:
        base: what the low-rank part is added to.
        watch: the judge.
        sizes: the largest rank, a penalty that is given, the seed.
    """
    trail = Trail(watch, ALS)
    table = base.left_over
    problem = table.problem()
    unit = float(np.sqrt(table.mean_square(table.values)))
    if unit == 0:
        return None
    ranks = _RANKS
    if sizes.is_large:  # the rank that is best so far, if one is
        known = 0 if watch.best is None else watch.best.rank
        ranks = (known or _RANKS[0],)
    ranks = sorted({min(rank, sizes.max_rank) for rank in ranks})
    tried = 0
    for rank in ranks:
        last: AlternatingLeastSquares | None = None
        begin = _begin(watch, rank) if sizes.is_large else "random"

        def error_at(share: float, rank: int = rank, begin: Begin = begin) -> float:
            nonlocal last, tried
            penalty = share * unit
            watch.tell(
                f"alternating least squares, rank {rank}, penalty {penalty:.3g}",
                within=min(tried / (len(ranks) * sizes.trials), 1.0),
            )
            last = alternating_least_squares(
                problem,
                rank=rank,
                penalty=penalty,
                by_count=True,
                max_sweeps=_MOST_SWEEPS,
                rtol=_RTOL,
                seed=sizes.seed,
                start=begin if last is None else (last.left, last.right),
                dtype=sizes.dtype,
            )
            tried += 1
            model = base.model(last.left, last.right, ridge=penalty, by_count=True)
            setting = {"effects": base.kind, "penalty": penalty, "by_count": True}
            return trail.add(model, setting, training_error=last.training_error)

        if sizes.penalty is not None:
            error_at(sizes.penalty / unit)
        else:
            best_share(
                error_at,
                _COARSE_LARGE if sizes.is_large else _COARSE,
                refinements=0 if sizes.is_large else 1,
            )
    return trail.result()


def _begin(watch: Watch, rank: int) -> Begin:
    """The factors of the best candidate so far, if they are of this rank."""
    best = watch.best
    if best is None or best.rank != rank:
        return "random"
    return best.model.left, best.model.right


def refit_als(result: CandidateResult, base: Base, sizes: Sizes) -> CompletionModel:
    """The same of all entries, from where the search ended.

    Args:
        result: the chosen one.
        base: of all entries.
        sizes: the seed.
    """
    model, penalty = result.model, result.setting["penalty"]
    found = alternating_least_squares(
        base.left_over.problem(),
        rank=model.rank,
        penalty=penalty,
        by_count=True,
        max_sweeps=_MOST_SWEEPS,
        rtol=_REFIT_RTOL,
        seed=sizes.seed,
        start=(model.left, model.right),
        dtype=sizes.dtype,
    )
    return base.model(found.left, found.right, ridge=penalty, by_count=True)
