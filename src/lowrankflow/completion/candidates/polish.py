"""From where the flow was stopped to the critical point of its rank next to it.

A truth without noise is found by the flow but for what its stop leaves; with the rank
that its spectrum shows, Newton's method finishes in a few steps what the flow would
take ever longer for. Where there is noise the held-out error says that it does not pay.
"""

import numpy as np

from lowrankflow.completion.candidates.bases import Base
from lowrankflow.completion.candidates.sizes import Sizes
from lowrankflow.completion.candidates.watch import Trail
from lowrankflow.completion.model import CompletionModel, balanced
from lowrankflow.completion.results import CandidateResult
from lowrankflow.dynamics import refine
from lowrankflow.problems import Factored, SensingProblem

POLISHED = "polished"
# Ranks below which a singular value falls by so much are worth a try, so many of them.
_GAP, _MOST_RANKS = 0.2, 2


def polish(
    trail: Trail,
    found: CandidateResult,
    base: Base,
    problem: SensingProblem,
    sizes: Sizes,
) -> None:
    """Try the ranks that a model's spectrum shows, without penalty.

    Args:
        trail: where they are judged.
        found: the model at the flow's best time.
        base: what it was added to.
        problem: its entries.
        sizes: how exact.
    """
    left, right = found.model.left, found.model.right
    values = np.square(left).sum(axis=0)  # balanced: the singular values
    ratios = values[1:] / values[:-1]
    ranks = 1 + np.argsort(ratios, kind="stable")[:_MOST_RANKS]
    for rank in sorted(int(r) for r in ranks if ratios[r - 1] < _GAP):
        refined = refine(
            problem,
            Factored(left[:, :rank], np.eye(rank), right[:, :rank]),
            penalty=0.0,
            rtol=sizes.rtol * 1e-3,
            dtype=sizes.dtype,
        )
        setting = found.setting | {POLISHED: rank, "penalty": 0.0}
        trail.add(base.model(*balanced(refined.matrix)), setting)


def refit_polished(
    result: CandidateResult, base: Base, sizes: Sizes
) -> CompletionModel:
    """The critical point of all entries next to the one that was chosen.

    Args:
        result: the chosen one.
        base: of all entries.
        sizes: how exact.
    """
    model = result.model
    refined = refine(
        base.left_over.problem(),
        Factored(model.left, np.eye(model.rank), model.right),
        penalty=0.0,
        rtol=sizes.exact_rtol,
        dtype=sizes.dtype,
    )
    return base.model(*balanced(refined.matrix))
