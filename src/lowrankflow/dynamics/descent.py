"""Gradient descent on the factors, with a choice of step rules and of batches."""

import operator
from typing import ClassVar

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float, Int, UInt

from lowrankflow.dynamics.batches import batch_seed, batch_weights
from lowrankflow.dynamics.contract import (
    AbstractDynamics,
    Limits,
    Snapshot,
    StartForm,
    Stop,
    Until,
    as_traced,
)
from lowrankflow.dynamics.flow import keeps_mirror
from lowrankflow.dynamics.iteration import (
    Evaluation,
    IterationState,
    begin,
    iterate,
    iteration_snapshot,
    slope_of,
)
from lowrankflow.dynamics.mirror import mirrored, on_host
from lowrankflow.dynamics.step_rules import AbstractStepRule
from lowrankflow.dynamics.steppers import Tree
from lowrankflow.errors import SpecError
from lowrankflow.factorizations import AbstractFactorization, positive_int
from lowrankflow.precision import in_float64
from lowrankflow.problems import AbstractObjective, SensingProblem, to_dense


class GradientDescent(AbstractDynamics[IterationState]):
    r"""Gradient descent on the factors of f(W_N ... W_1), or of U U'.

    For U U' the gradient is sym(grad f) U, that of f(U U') / 2: the clock of the
    flow. Time is the sum of the step lengths, so that small steps follow `GradientFlow`
    at equal times. `until.time` ends a chunk at the first iteration at or after it; the
    iteration does not land there. A descent that keeps W symmetric is kept so in
    rounding too, except from batches (`mirror`).

    Args:
        step: how far and where a step goes: `ConstantStep`, `ExactLineSearch`,
            `NormalizedStep`, `HeavyBall` or `Nesterov`.
        batch_size: None to use all m measurements; otherwise each step takes the
            gradient of the loss on a random subset of this size, drawn afresh without
            replacement, times m / batch_size. The loss recorded is the whole one, the
            gradient norm that of the batch about to be used.

    Raises:
        SpecError: when the step is not a step rule or the batch size not a positive
            integer.

    Exactness: that of the step rule; order 1 as a discretization of the flow.
    Cost: 3 (N - 1) products of factors, and 𝒜 and its adjoint once, for each step;
        batches change the path and save nothing.
    Source: gunasekar2017, section 5; arora2019, section 4.
    Differs: as in the sources, with the clocks described in the documentation.
    """

    step: AbstractStepRule
    batch_size: int | None = eqx.field(default=None, static=True)

    numerics_version: ClassVar[int] = 1
    start_form: ClassVar[StartForm] = "factors"

    def __check_init__(self):
        if not isinstance(self.step, AbstractStepRule):
            raise SpecError(
                where="GradientDescent(step)",
                rule="this is a step rule",
                got=f"{self.step!r}",
                fix="Give for example step=ConstantStep(learning_rate=1e-3)",
            )
        if self.batch_size is not None:
            positive_int("GradientDescent(batch_size)", self.batch_size)

    @in_float64
    def init(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        factors: tuple[np.ndarray, ...],
        *,
        seed: int,
    ) -> IterationState:
        self.step.check(problem, factorization)
        self._check_batches(problem)
        setting, source = as_traced(self), batch_seed(seed)
        # A batch of the measurements need not be symmetric where all of them are.
        is_mirrored = not _draws(self, problem) and keeps_mirror(
            on_host(problem), factorization, factors
        )
        return _init(setting, problem, factorization, factors, source, is_mirrored)

    @in_float64
    def advance(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: IterationState,
        *,
        until: Until,
        stop: Stop,
    ) -> IterationState:
        limits = Limits.of(stop)
        return _advance(as_traced(self), problem, factorization, state, until, limits)

    @in_float64
    def snapshot(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: IterationState,
    ) -> Snapshot:
        return iteration_snapshot(factorization, state)

    def _check_batches(self, problem: AbstractObjective) -> None:
        if self.batch_size is None:
            return
        where = "GradientDescent(batch_size)"
        if not isinstance(problem, SensingProblem):
            raise SpecError(
                where=where,
                rule="batches are subsets of measurements, which only a SensingProblem "
                "has",
                got=f"{type(problem).__name__}",
                fix="Leave batch_size out",
            )
        if operator.index(self.batch_size) > problem.num_measurements:
            raise SpecError(
                where=where,
                rule=f"a batch is a subset of the {problem.num_measurements} "
                "measurements",
                got=f"{self.batch_size}",
                fix=f"Give at most {problem.num_measurements}, or leave it out",
            )
        if self.step.needs_whole_loss:
            raise SpecError(
                where=where,
                rule=f"{type(self.step).__name__} lowers the whole loss along its own "
                "gradient",
                got=f"batch_size={self.batch_size}",
                fix="Leave batch_size out, or use ConstantStep(learning_rate=...)",
            )


def _evaluated(
    descent: GradientDescent,
    problem: AbstractObjective,
    factorization: AbstractFactorization,
    factors: Tree,
    iteration: Int[Array, ""],
    seed: UInt[Array, ""],
    is_mirrored: bool,
) -> Evaluation:
    """Gradient and loss; the compiler forms the product they share once."""
    matrix = factorization.end_to_end(factors)
    if _draws(descent, problem):
        assert isinstance(problem, SensingProblem)  # `init` has seen to it
        assert descent.batch_size is not None
        weights: Float[Array, " m"] = batch_weights(
            seed,
            iteration,
            num_measurements=problem.num_measurements,
            batch_size=descent.batch_size,
        )
        pull = problem.operator.adjoint(weights * problem.slopes(matrix))
    else:
        pull = problem.gradient(matrix)
    gradient = factorization.pullback(factors, to_dense(pull))
    if is_mirrored:
        gradient = mirrored(gradient)
    return Evaluation(gradient, slope_of(gradient), problem.value(matrix))


def _draws(descent: GradientDescent, problem: AbstractObjective) -> bool:
    if descent.batch_size is None or not isinstance(problem, SensingProblem):
        return False
    return descent.batch_size < problem.num_measurements


@eqx.filter_jit
def _init(
    descent: GradientDescent,
    problem: AbstractObjective,
    factorization: AbstractFactorization,
    factors: Tree,
    seed: UInt[Array, ""],
    is_mirrored: bool,
) -> IterationState:
    return begin(
        lambda point, _, iteration: _evaluated(
            descent, problem, factorization, point, iteration, seed, is_mirrored
        ),
        factors,
        memory=descent.step.first_memory(factors),
        seed=seed,
        is_mirrored=is_mirrored,
    )


@eqx.filter_jit
def _advance(
    descent: GradientDescent,
    problem: AbstractObjective,
    factorization: AbstractFactorization,
    state: IterationState,
    until: Until,
    limits: Limits,
) -> IterationState:
    return iterate(
        lambda point, _, iteration: _evaluated(
            descent,
            problem,
            factorization,
            point,
            iteration,
            state.seed,
            state.is_mirrored,
        ),
        lambda here: descent.step.move(problem, factorization, here),
        state,
        until=until,
        limits=limits,
        stalls=not _draws(descent, problem),
    )
