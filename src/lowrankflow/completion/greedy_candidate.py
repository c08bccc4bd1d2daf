"""The greedy path as a candidate: a solution for every rank, at several penalties."""

import numpy as np

from lowrankflow.completion.bases import Base
from lowrankflow.completion.model import CompletionModel, balanced
from lowrankflow.completion.results import CandidateResult
from lowrankflow.completion.shares import best_share
from lowrankflow.completion.sizes import Sizes
from lowrankflow.completion.watch import Trail, Watch
from lowrankflow.dynamics import (
    PathStep,
    greedy_low_rank_path,
    refine,
)
from lowrankflow.problems import Factored, HeldOut, SensingProblem

GREEDY = "greedy path"
# Of the first rate: far below every penalty, or a path would end too early.
_OPTIMAL = 1e-5
_COARSE = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
_COARSE_LARGE = (0.1,)
_PATIENCE = 3
# The error of a path that has found a truth without noise, relative to zero's.
_EXACT = 1e-3


def greedy_candidate(base: Base, watch: Watch, sizes: Sizes) -> CandidateResult | None:
    """Go along the path without penalty, then with penalties, and judge every rank.

    Args:
        base: what the low-rank part is added to.
        watch: the judge.
        sizes: the largest rank, a penalty that is given, how exact.
    """
    trail = Trail(watch, GREEDY)
    problem = with_held_out(base, watch)
    found: dict[str, float] = {}
    tried = 0

    def error_at(share: float) -> float:
        nonlocal tried
        penalty = share * found.get("top", 0.0) if sizes.penalty is None else share
        least = np.inf

        def judge(step: PathStep) -> None:
            nonlocal least
            found.setdefault("top", step.certificate.rate)
            left, right = balanced(step.matrix)
            setting = {"effects": base.kind, "penalty": penalty}
            model = base.model(left, right, ridge=penalty)
            error = trail.add(model, setting, certificate=step.certificate)
            least = min(least, error)
            watch.tell(
                f"greedy path, penalty {penalty:.3g}, rank {step.rank}",
                within=min((tried + step.rank / (step.rank + 8)) / sizes.trials, 1.0),
            )

        greedy_low_rank_path(
            problem,
            max_rank=sizes.max_rank,
            rtol=sizes.rtol,
            penalty=penalty,
            optimality_tolerance=_OPTIMAL,
            patience=None if problem.held_out is None else _PATIENCE,
            dtype=sizes.dtype,
            callback=judge,
        )
        tried += 1
        return least

    if sizes.penalty is not None:
        error_at(sizes.penalty)
        return trail.result()
    alone = error_at(0.0)
    if problem.held_out is not None and alone > _EXACT * first_error(base, watch):
        coarse = _COARSE_LARGE if sizes.is_large else _COARSE
        best_share(error_at, coarse, refinements=0 if sizes.is_large else 2)
    return trail.result()


def refit_greedy(result: CandidateResult, base: Base, sizes: Sizes) -> CompletionModel:
    """The critical point of all entries next to the one that was chosen.

    Args:
        result: the chosen one.
        base: of all entries.
        sizes: how exact.

    The penalty grows as the square root of the number of entries, as noise does.
    """
    model, table = result.model, base.left_over
    penalty = result.setting["penalty"]
    if sizes.penalty is None:
        penalty *= np.sqrt(table.num_entries / sizes.num_train)
    if model.rank == 0:
        return base.model(ridge=penalty)
    identity = np.eye(model.rank)
    refined = refine(
        table.problem(),
        Factored(model.left, identity, model.right),
        penalty=penalty,
        rtol=sizes.refit_rtol,
        dtype=sizes.dtype,
    )
    return base.model(*balanced(refined.matrix), ridge=penalty)


def with_held_out(base: Base, watch: Watch) -> SensingProblem:
    """The problem of what effects leave, judged on the entries to choose by."""
    problem = base.left_over.problem()
    aside = watch.split.selection
    if aside is None:
        return problem
    left = aside.values - base.effects.at(aside.rows, aside.cols)
    held_out = aside.with_values(left).problem()
    return SensingProblem(
        problem.operator,
        problem.measurements,
        held_out=HeldOut(held_out.operator, held_out.measurements),
    )


def first_error(base: Base, watch: Watch) -> float:
    """The held-out error of the effects alone."""
    return watch.held_out(base.model())[0]
