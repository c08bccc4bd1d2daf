"""The greedy path as a candidate: a solution for every rank, at several penalties."""

import numpy as np

from lowrankflow.completion.candidates.bases import Base
from lowrankflow.completion.candidates.shares import best_share
from lowrankflow.completion.candidates.sizes import Sizes
from lowrankflow.completion.candidates.watch import Trail, Watch
from lowrankflow.completion.model import CompletionModel, balanced
from lowrankflow.completion.results import CandidateResult
from lowrankflow.dynamics import (
    PathStep,
    greedy_low_rank_path,
    refine,
)
from lowrankflow.problems import Factored, HeldOut, SensingProblem

GREEDY = "greedy path"
# Of the first rate: far below every penalty, or a path would end too early.
_OPTIMAL, _OPTIMAL_LARGE = 1e-5, 1e-3
_COARSE = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
_COARSE_MEDIUM = (0.3, 0.03, 0.003)
# Held-out errors below this share of that of one number for all are nearly a truth
# without noise: the rank is brought to its critical point exactly.
_NEARLY = 0.02
# On a large table: of the rank that is best without penalty, one phase each.
_LARGE = (0.03, 0.1)
_PATIENCE, _PATIENCE_LARGE = 3, 1


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
    patience = _PATIENCE_LARGE if sizes.is_large else _PATIENCE

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
            error = trail.add(
                model,
                setting,
                certificate=step.certificate,
                training_error=_training_error(base, step),
            )
            least = min(least, error)
            watch.tell(
                f"greedy path, penalty {penalty:.3g}, rank {step.rank}",
                within=min((tried + step.rank / (step.rank + 8)) / sizes.trials, 1.0),
            )

        greedy_low_rank_path(
            problem,
            max_rank=sizes.max_rank,
            rtol=sizes.rtol,
            inner=sizes.inner,
            penalty=penalty,
            optimality_tolerance=_OPTIMAL_LARGE if sizes.is_large else _OPTIMAL,
            patience=None if problem.held_out is None else patience,
            dtype=sizes.dtype,
            callback=judge,
        )
        tried += 1
        return least

    if sizes.penalty is not None:
        error_at(sizes.penalty)
        return trail.result()
    alone = error_at(0.0)
    if alone <= _NEARLY * watch.mean_error:
        alone = _exactly(base, trail, problem, sizes)
    if problem.held_out is None or alone <= watch.floor:
        return trail.result()
    if sizes.is_large:
        _at_best_rank(base, watch, trail, problem, sizes, found["top"])
    elif sizes.is_medium:
        best_share(error_at, _COARSE_MEDIUM, refinements=1)
    else:
        best_share(error_at, _COARSE, refinements=2)
    return trail.result()


def _exactly(base: Base, trail: Trail, problem: SensingProblem, sizes: Sizes) -> float:
    """The best rank without penalty, at its critical point; its held-out error."""
    found = trail.result()
    if found is None or found.rank == 0:
        return np.inf
    step = refine(
        problem,
        Factored(found.model.left, np.eye(found.rank), found.model.right),
        rtol=sizes.exact_rtol,
        dtype=sizes.dtype,
    )
    model = base.model(*balanced(step.matrix))
    setting = {"effects": base.kind, "penalty": 0.0}
    return trail.add(model, setting, certificate=step.certificate)


def _training_error(base: Base, step: PathStep) -> float:
    """Root mean square over the entries fitted to, of the loss that a step ended at."""
    table = base.left_over
    total = table.num_entries if table.weights is None else table.weights.sum()
    return float(np.sqrt(2 * step.loss / total))


def _at_best_rank(
    base: Base,
    watch: Watch,
    trail: Trail,
    problem: SensingProblem,
    sizes: Sizes,
    top: float,
) -> None:
    """Penalties at the rank that is best without: a phase each, not a path."""
    found = trail.result()
    if found is None or found.rank == 0:
        return
    last = found.model
    for share in _LARGE:
        penalty = share * top
        watch.tell(f"greedy path, rank {last.rank}, penalty {penalty:.3g}", within=0.8)
        step = refine(
            problem,
            Factored(last.left, np.eye(last.rank), last.right),
            penalty=penalty,
            rtol=sizes.rtol,
            inner=sizes.inner,
            dtype=sizes.dtype,
        )
        before = trail.best_error
        last = base.model(*balanced(step.matrix), ridge=penalty)
        setting = {"effects": base.kind, "penalty": penalty}
        error = trail.add(
            last,
            setting,
            certificate=step.certificate,
            training_error=_training_error(base, step),
        )
        if error > before:
            return


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
        rtol=sizes.exact_rtol,
        inner=sizes.inner,
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
