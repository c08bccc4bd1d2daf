"""Greedy low-rank learning as a tool: the path of solutions, rank by rank.

Each phase begins at the last solution plus the best new direction, at the weight that
an exact line search gives it, and ends at a critical point on the thin factors, which
any descent may find: the flow itself, Newton's method, or alternating least squares.
That a fast method ends where the flow does is no theorem; the study li2021/greedy-path
measures when it does.
"""

import dataclasses
import time
from collections.abc import Callable, Generator
from typing import Literal, TypeAlias

import numpy as np

from lowrankflow.dynamics.contract import RESULTS, RUNNING, Stop, Until
from lowrankflow.dynamics.greedy import GreedyLowRank
from lowrankflow.dynamics.greedy_path_checks import (
    PathSettings,
    check_patience,
    checked_settings,
)
from lowrankflow.dynamics.greedy_path_record import (
    GreedyPath,
    PathStep,
)
from lowrankflow.dynamics.greedy_phase import (
    SOLVERS,
    at_zero,
    end_of_phase,
    judged_step,
    one_thread,
    path_step,
    rate_exactness,
)
from lowrankflow.dynamics.thin_objective import ThinObjective
from lowrankflow.factorizations import DeepFactorization, SymmetricFactorization
from lowrankflow.problems import (
    Factored,
    SensingProblem,
    hold_out,
    remove_effects,
)
from lowrankflow.result import Result

Inner: TypeAlias = Literal["newton", "als", "flow"] | GreedyLowRank
# Of the flow that stands behind the word: relative to the first direction's weight.
_FLOW_RTOL, _FLOW_SEED = 1e-6, 1e-8
_FLOW_STEPS = 200_000


def greedy_low_rank_path(
    problem: SensingProblem,
    *,
    max_rank: int,
    rtol: float,
    psd: bool = False,
    inner: Inner = "newton",
    penalty: float = 0.0,
    optimality_tolerance: float | None = None,
    held_out: float | None = None,
    seed: int = 0,
    patience: int | None = None,
    effects_penalty: float | None = None,
    dtype: Literal["float64", "float32"] = "float64",
    callback: Callable[[PathStep], object] | None = None,
) -> GreedyPath:
    r"""The solutions of greedy low-rank learning at rank 0, 1, 2, ...

    At each critical point W_r the direction is added whose rate, lambda_1(-grad f) for
    W = U U' and sigma_1(grad f) elsewhere, is largest, and the factors are brought to
    the next critical point. The path ends where no direction's rate exceeds the
    penalty, at the largest rank, or where the held-out error has stopped to fall.

    Args:
        problem: with observed entries and the squared loss (any, for the flow). Its
            held-out entries judge the path.
        max_rank: the largest rank, >= 1.
        rtol: how near to a critical point a phase goes: the norm of the gradient in the
            factors, relative to the first rate and the factors' size; > 0. For data
            with noise 1e-3 is plenty.
        psd: whether W = U U'.
        inner: "newton" (a trust region), "als" (alternating least squares, not for
            U U'), "flow", or a `GreedyLowRank` with tolerances of its own. The flow
            forms rows x cols numbers and is for small problems.
        penalty: >= 0, of the nuclear norm, in the units of the problem's f. It keeps
            factors small where noise or few entries would have them grow; 0 is
            greedy low-rank learning itself. Not with the flow.
        optimality_tolerance: by how much of the first rate a rate must exceed the
            penalty to count; ten times `rtol` if None.
        held_out: fraction of the observed entries to hold out, instead of what the
            problem holds out; None for the latter.
        seed: of that choice.
        patience: stop so many ranks after the last best held-out error; None: never.
        effects_penalty: subtract row and column effects first, as `remove_effects` does
            with this penalty; None for no effects.
        dtype: of the arithmetic of "newton" and "als". "float32" halves memory and
            time of a large table; `rtol` then is at least 1e-5.
        callback: called with each `PathStep` as it is known.

    Returns:
        The path; `path.matrix()` is the solution of least held-out error.

    Raises:
        SpecError: when a setting is out of its range, or problem and settings do not
            fit together; the message says which.

    Exactness: a phase ends within `rtol` of a critical point. Which one is a matter of
        the inner solver; with "flow" it is that of the theory.
    Cost: some hundred passes over the entries a rank; memory for the entries and some
        twenty copies of the factors, beside the solutions. Never rows x cols numbers,
        but for the flow.
    Source: li2021, algorithm 1.
    Differs: an exact line search in place of an infinitesimal start; other descents
        than the flow; singular pairs for rectangles; the penalty.
    """
    settings = checked_settings(
        problem,
        max_rank=max_rank,
        rtol=rtol,
        psd=psd,
        inner=inner,
        penalty=penalty,
        optimality_tolerance=optimality_tolerance,
        patience=patience,
        dtype=dtype,
        callback=callback,
    )
    if held_out is not None:
        problem = hold_out(problem, fraction=held_out, seed=seed)
    effects = None
    if settings.patience is not None:
        check_patience(problem)
    if effects_penalty is not None:
        problem, effects = remove_effects(problem, penalty=effects_penalty)
    begun = time.perf_counter()
    walk = (
        _thin_steps(problem, psd, inner, float(penalty), settings)
        if isinstance(inner, str) and inner in SOLVERS
        else _flow_steps(problem, psd, inner, settings)
    )
    steps: list[PathStep] = []
    result = None
    while result is None:
        try:
            step = next(walk)
        except StopIteration as ended:
            result = ended.value
            break
        first = (steps or [step])[0].certificate.rate
        step = judged_step(step, problem, settings.tolerance, first)
        step = dataclasses.replace(step, seconds=time.perf_counter() - begun)
        steps.append(step)
        if callback is not None:
            callback(step)
        errors = [s.held_out_error for s in steps]
        if step.certificate.is_optimal:
            result = Result.optimal
        elif settings.patience is not None and (
            len(steps) - 1 - int(np.argmin(errors)) >= settings.patience
        ):
            result = Result.past_best
        elif step.rank >= settings.max_rank:
            result = Result.rank_reached
    walk.close()
    return GreedyPath(
        steps=tuple(steps), result=result, effects=effects, held_out=problem.held_out
    )


def _thin_steps(
    problem: SensingProblem,
    psd: bool,
    inner: str,
    penalty: float,
    settings: PathSettings,
) -> Generator[PathStep, None, Result]:
    """Critical points one after the other, on thin factors alone."""
    divisor = problem.num_measurements if problem.normalization == "mean" else 1
    objective = ThinObjective.of(
        problem, symmetric=psd, penalty=penalty * divisor, dtype=settings.dtype
    )
    solve = SOLVERS[inner]
    end = at_zero(objective)
    first, near = None, None
    exactness = rate_exactness(settings.rtol)
    while True:
        with one_thread():
            point, matrix = objective.balanced(end.point)
            residual = end.residual
            ahead = objective.next_direction(
                end.point,
                residual,
                tolerance=exactness,
                enough=exactness * settings.tolerance * (first or 0.0),
                near=near,
            )
            first, near = ahead.rate if first is None else first, ahead.near
            step = end_of_phase(
                objective, end, matrix, ahead, penalty=penalty, divisor=divisor
            )
        yield step
        with one_thread():
            weight = objective.weight(ahead.rate, ahead.left, ahead.right)
            point = objective.extended(point, weight, ahead.left, ahead.right)
            end = solve(objective, point, rtol=settings.rtol, rate=first)


def _flow_steps(
    problem: SensingProblem, psd: bool, inner: Inner, settings: PathSettings
) -> Generator[PathStep, None, Result]:
    """Critical points one after the other, by the flow."""
    factorization = SymmetricFactorization() if psd else DeepFactorization(2)
    if isinstance(inner, GreedyLowRank):
        dynamics = inner
    else:
        dynamics = _default_flow(problem, settings)
    state = dynamics.init(problem, factorization, (), seed=0)
    first = float(state.rate)
    stop = Stop(iterations=_FLOW_STEPS)
    forever = Until.at()
    while True:
        seen = dynamics.snapshot(problem, factorization, state)
        left, right = (
            (seen.factors[0],) * 2
            if psd
            else (
                seen.factors[1],
                seen.factors[0].T,
            )
        )
        matrix = _thin(left, right, int(state.stage))
        slopes = np.asarray(problem.slopes(matrix))
        inside = float(slopes @ np.asarray(problem.operator.apply(matrix)))
        size = np.sqrt(sum(float((f * f).sum()) for f in seen.factors)) * first
        yield path_step(
            matrix,
            loss=seen.loss,
            rate=max(float(state.rate), 0.0),
            slack=0.0,
            inside=inside,
            penalty=0.0,
            psd=psd,
            gradient=seen.gradient_norm / size if size else 0.0,
            converged=bool(state.at_critical_point),
        )
        before = int(state.stage)
        while int(state.status) == RUNNING:
            state = dynamics.advance(
                problem, factorization, state, until=forever, stop=stop
            )
            if int(state.stage) > before and bool(state.at_critical_point):
                break
        if int(state.stage) == before:
            return RESULTS[int(state.status)]


def _default_flow(problem: SensingProblem, settings: PathSettings) -> GreedyLowRank:
    """The flow behind the word: near the theory's limit, at a moderate price."""
    top = float(np.abs(np.asarray(problem.measurements)).max()) or 1.0
    return GreedyLowRank(
        rtol=_FLOW_RTOL,
        atol=_FLOW_RTOL,
        seed_scale=_FLOW_SEED * top,
        stage_tolerance=settings.rtol,
        optimality_tolerance=settings.tolerance,
    )


def _thin(left: np.ndarray, right: np.ndarray, rank: int) -> Factored:
    (left, a), (right, b) = np.linalg.qr(left[:, :rank]), np.linalg.qr(right[:, :rank])
    u, values, v = np.linalg.svd(a @ b.T)
    return Factored(left @ u, np.diag(values), right @ v.T)
