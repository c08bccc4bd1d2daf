"""The deep flow as a candidate: full-dimensional factors, a small start, a stop."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from lowrankflow.completion.candidates.bases import Base
from lowrankflow.completion.candidates.polish import POLISHED, polish, refit_polished
from lowrankflow.completion.candidates.sizes import Sizes
from lowrankflow.completion.candidates.watch import Trail, Watch
from lowrankflow.completion.fold_in import fold_in
from lowrankflow.completion.model import CompletionModel, balanced
from lowrankflow.completion.results import CandidateResult
from lowrankflow.dynamics import AdaptiveRankFlow, Snapshot, Stop, Until
from lowrankflow.factorizations import Aligned, DeepFactorization, start_frames
from lowrankflow.problems import Factored, SensingProblem
from lowrankflow.result import Result

FLOW = "flow"
DEPTHS = (2, 3)
# Of the start, relative to the first direction's weight.
_SCALE = 1e-5
_RTOL, _EXACT_RTOL = 1e-2, 1e-3
# What is left out, relative to the largest: with many entries a direction more is dear,
# and one that is small when the flow is stopped changes little.
_ADMISSION, _EXACT_ADMISSION, _MANY = 1e-2, 1e-3, 20_000
# Steps between two looks, and the largest number of steps.
_LOOK, _MOST_STEPS = 5, 4000
# Steps between looks when the winner is fitted again, how much longer it may take, how
# much longer where the loss is far from what it was, and what is not far.
_LOOK_CLOSER, _LONGER, _LONGEST, _NEARLY = 2, 1.5, 4.0, 1.2
# Looks without a better one, and the risen error, relative to the best, that end it.
# A small table can wait: between two stages the error may rise for long.
_ENDS, _ENDS_SMALL = ((4, 1.02), (12, 1.003)), ((12, 1.3), (40, 1.003))
_SMALL = 10_000
# The loss, relative to that at zero, at which nothing is left to learn.
_LEARNT = 1e-12
_RIDGES = (0.0, 1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)


def flow_candidate(
    base: Base, watch: Watch, sizes: Sizes, depth: int
) -> CandidateResult | None:
    """Follow the flow and judge it on the way.

    Args:
        base: what the low-rank part is added to.
        watch: the judge.
        sizes: the largest rank, the scale of the start.
        depth: how many factors, >= 2.
    """
    trail = Trail(watch, FLOW)
    problem = base.left_over.problem()
    scale = sizes.init_scale or _SCALE * first_weight(problem)
    if scale == 0:
        return None
    last_better, begun = 0, np.nan
    ends = _ENDS_SMALL if sizes.num_train <= _SMALL else _ENDS
    for looks, seen in enumerate(_looks(problem, depth, scale, sizes, until=np.inf)):
        model = base.model(*balanced(thin(seen)))
        before = trail.best_error
        setting = {
            "effects": base.kind,
            "depth": depth,
            "init_scale": scale,
            "time": seen.time,
        }
        error = trail.add(model, setting)
        begun = seen.loss if np.isnan(begun) else begun
        last_better = looks if error < before else last_better
        late = any(
            looks - last_better >= patience and error > risen * trail.best_error
            for patience, risen in ends
        )
        watch.tell(
            f"flow, depth {depth}, rank {model.rank}, error {error:.4g}",
            within=looks / (looks + 30),
        )
        if late or seen.loss <= _LEARNT * begun:
            break
    stopped = trail.result()
    if stopped is None or stopped.rank == 0:
        return stopped
    polish(trail, stopped, base, problem, sizes)
    found = trail.result() or stopped
    if POLISHED in found.setting:
        return found
    ridge = _best_ridge(base, watch, found.model)
    return dataclasses.replace(
        found, model=dataclasses.replace(found.model, ridge=ridge)
    )


def refit_flow(result: CandidateResult, base: Base, sizes: Sizes) -> CompletionModel:
    """The flow of all entries, stopped where it fits as well as the chosen one did.

    Args:
        result: the chosen one.
        base: of all entries.
        sizes: the largest rank.

    Between two stages a little time more or less is a direction more or less, and with
    other entries the stages come at other times: the training error says where the flow
    is. Where it is nearly as low at the same time, and not reached in half as much time
    again, there is more noise to fit now, and it is stopped at the same time; all times
    are shorter by as much as there are more entries, since the loss is a sum.
    """
    setting, table = result.setting, base.left_over
    if POLISHED in setting:
        return refit_polished(result, base, sizes)
    time = setting["time"] * sizes.num_train / table.num_entries
    total = table.num_entries if table.weights is None else table.weights.sum()
    target = result.training_error**2 * total / 2
    looks = _looks(
        table.problem(),
        setting["depth"],
        setting["init_scale"],
        sizes,
        until=_LONGEST * time,
        look=_LOOK_CLOSER,
    )
    last = at_time = next(looks)
    for seen in looks:
        if seen.loss <= target:
            nearer = target - seen.loss < last.loss - target
            return _model(seen if nearer else last, result, base)
        if abs(seen.time - time) <= abs(at_time.time - time):
            at_time = seen
        last = seen
        if seen.time > _LONGER * time and at_time.loss <= _NEARLY * target:
            break
    return _model(at_time if at_time.loss <= _NEARLY * target else last, result, base)


def _model(seen: Snapshot, result: CandidateResult, base: Base) -> CompletionModel:
    return base.model(*balanced(thin(seen)), ridge=result.model.ridge)


def thin(seen: Snapshot) -> Factored:
    """The matrix of a flow at its current rank, which is held as thin factors."""
    assert isinstance(seen.matrix, Factored), "it is never formed"
    return seen.matrix


def first_weight(problem: SensingProblem) -> float:
    """The largest weight that a single direction would begin with: of its best step."""
    flow = _flow(Sizes(num_train=1, num_cells=1, max_rank=1))
    factorization = DeepFactorization(2)
    frames = start_frames(Aligned(init_scale=1.0), problem, factorization, seed=0)
    state = flow.init(problem, factorization, frames, seed=0)
    return float(state.reference)


def _flow(sizes: Sizes) -> AdaptiveRankFlow:
    many = sizes.num_train > _MANY
    rtol = _RTOL if many else _EXACT_RTOL
    return AdaptiveRankFlow(
        admission_tolerance=_ADMISSION if many else _EXACT_ADMISSION,
        rtol=rtol,
        atol=rtol,
        max_rank=sizes.max_rank,
        precision=sizes.dtype,
    )


def _looks(
    problem: SensingProblem,
    depth: int,
    scale: float,
    sizes: Sizes,
    *,
    until: float,
    look: int = _LOOK,
) -> Iterator[Snapshot]:
    """The flow every few steps, from its start on, to a time or its own end."""
    flow, factorization = _flow(sizes), DeepFactorization(depth)
    frames = start_frames(
        Aligned(init_scale=scale), problem, factorization, seed=sizes.seed
    )
    state = flow.init(problem, factorization, frames, seed=sizes.seed)
    seen = flow.snapshot(problem, factorization, state)
    yield seen
    stop = Stop(
        time=None if np.isinf(until) else until,
        iterations=_MOST_STEPS,
    )
    while seen.result is Result.running:
        ahead = Until.at(time=until, iteration=seen.iteration + look)
        state = flow.advance(problem, factorization, state, until=ahead, stop=stop)
        seen = flow.snapshot(problem, factorization, state)
        yield seen


def _best_ridge(base: Base, watch: Watch, model: CompletionModel) -> float:
    """The ridge with which rows that are found anew predict best."""
    table, aside = base.left_over, watch.split.selection
    if aside is None:
        return 0.0
    top = float(np.square(model.right).sum(axis=0).max())
    best = np.inf, 0.0
    for share in _RIDGES:
        left = fold_in(
            model.right,
            table.rows,
            table.cols,
            table.values,
            num_rows=table.shape[0],
            ridge=share * top,
            weights=table.weights,
        )
        error = watch.held_out(dataclasses.replace(model, left=left))[0]
        best = min(best, (error, share * top))
    return best[1]
