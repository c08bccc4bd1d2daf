"""Variational Bayes as a candidate: no penalty, and ranks that fall away."""

import numpy as np

from lowrankflow.completion.bayes import BayesFactors, bayes_factors
from lowrankflow.completion.candidates.bases import Base
from lowrankflow.completion.candidates.sizes import Sizes
from lowrankflow.completion.candidates.watch import Trail, Watch
from lowrankflow.completion.model import CompletionModel
from lowrankflow.completion.results import CandidateResult

BAYES = "bayes"
_RANKS, _LOOK, _RTOL = (8, 24), 5, 1e-5
_MOST_SWEEPS, _REFIT_SWEEPS = 150, 150
# A held-out error risen by this share of the best ends a run.
_RISEN = 1.01


def bayes_candidate(base: Base, watch: Watch, sizes: Sizes) -> CandidateResult | None:
    """Two largest ranks, each judged on its way to the evidence's maximum.

    Args:
        base: what the low-rank part is added to.
        watch: the judge.
        sizes: the largest rank, the seed.
    """
    trail = Trail(watch, BAYES)
    table = base.left_over
    if not table.values.any():
        return None
    ranks = sorted({min(rank, sizes.max_rank) for rank in _RANKS})
    for tried, rank in enumerate(ranks):
        least = np.inf

        def judge(sweep: int, factors, rank: int = rank, tried: int = tried) -> bool:
            nonlocal least
            if sweep % _LOOK and sweep != _MOST_SWEEPS:
                return False
            error = trail.add(*_model(base, factors(), rank))
            least = min(least, error)
            watch.tell(
                f"variational Bayes, rank at most {rank}, error {error:.4g}",
                within=(tried + sweep / (sweep + 30)) / len(ranks),
            )
            return error > _RISEN * least

        last = bayes_factors(
            table.problem(),
            rank=rank,
            rtol=_RTOL,
            max_sweeps=_MOST_SWEEPS,
            seed=sizes.seed,
            callback=judge,
        )
        trail.add(*_model(base, last, rank))
    return trail.result()


def refit_bayes(result: CandidateResult, base: Base, sizes: Sizes) -> CompletionModel:
    """The same of all entries, for as many sweeps.

    Args:
        result: the chosen one.
        base: of all entries.
        sizes: the seed.
    """
    found = bayes_factors(
        base.left_over.problem(),
        rank=result.setting["largest_rank"],
        rtol=0.0,
        max_sweeps=result.setting["sweeps"],
        seed=sizes.seed,
    )
    return base.model(found.left, found.right, ridge=found.noise)


def _model(
    base: Base, found: BayesFactors, rank: int
) -> tuple[CompletionModel, dict[str, object]]:
    setting = {
        "effects": base.kind,
        "largest_rank": rank,
        "noise": float(np.sqrt(found.noise)),
        "sweeps": found.sweeps,
    }
    return base.model(found.left, found.right, ridge=found.noise), setting
