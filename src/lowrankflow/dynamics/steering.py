"""The time-ordered exponential: a flow of p.s.d. matrices under any control."""

from collections.abc import Callable
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lowrankflow.dynamics.contract import (
    AbstractDynamics,
    Limits,
    Snapshot,
    StartForm,
    Stop,
    Until,
    as_traced,
)
from lowrankflow.dynamics.iteration import (
    Evaluation,
    IterationState,
    Move,
    begin,
    iterate,
    iteration_snapshot,
    slope_of,
)
from lowrankflow.dynamics.steppers import Tree
from lowrankflow.errors import SpecError
from lowrankflow.factorizations import (
    AbstractFactorization,
    SymmetricFactorization,
    positive,
)
from lowrankflow.precision import in_float64
from lowrankflow.problems import AbstractObjective, SensingProblem, to_dense

Control = Callable[[Float[Array, ""], Float[Array, "size size"]], Float[Array, " m"]]


class SteeredFlow(AbstractDynamics[IterationState]):
    r"""The time-ordered exponential X' = -𝒜*(r) X - X 𝒜*(r) with a step.

        X_{k+1} = exp(-step 𝒜*(r_k)) X_k exp(-step 𝒜*(r_k)),
    kept as U_{k+1} = exp(-step 𝒜*(r_k)) U_k with X = U U', 𝒜*(r) by its symmetric part.
    With the residual for r it discretizes the flow of U U'; with another r it is that
    flow steered, which for measurements that commute never leaves the manifold
    { exp(𝒜*(s)) X_0 exp(𝒜*(s)) }. Time is the iteration times the step.

    Args:
        step: the time a step takes, > 0.
        control: None for the derivative of the loss in each prediction (the residual,
            for the squared loss); otherwise r as a function, written with JAX, of the
            time and X, with one number for each measurement.

    Raises:
        SpecError: when the step is not positive and finite.

    Exactness: order 1 in the step; X is symmetric and p.s.d. by construction, and each
        exponential is exact to rounding.
    Cost: an eigendecomposition and three products of size x size matrices each step.
    Source: gunasekar2017, equation (12); the controls, equation (11).
    Differs: as in the source.
    """

    step: float
    control: Control | None = eqx.field(default=None, static=True)

    numerics_version: ClassVar[int] = 1
    start_form: ClassVar[StartForm] = "factors"

    def __check_init__(self):
        positive("SteeredFlow(step)", self.step)

    @in_float64
    def init(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        factors: tuple[np.ndarray, ...],
        *,
        seed: int,
    ) -> IterationState:
        sensing = _checked_problem(problem, factorization)
        if self.control is not None:
            _check_control(self.control, sensing)
        return _init(as_traced(self), sensing, factorization, factors)

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
        sensing = _checked_problem(problem, factorization)
        limits = Limits.of(stop)
        return _advance(as_traced(self), sensing, factorization, state, until, limits)

    @in_float64
    def snapshot(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: IterationState,
    ) -> Snapshot:
        return iteration_snapshot(factorization, state)


def _checked_problem(
    problem: AbstractObjective, factorization: AbstractFactorization
) -> SensingProblem:
    if not isinstance(problem, SensingProblem):
        raise SpecError(
            where="SteeredFlow",
            rule="it steers along measurements, which only a SensingProblem has",
            got=f"{type(problem).__name__}",
            fix="Use GradientFlow or GradientDescent",
        )
    rows, cols = problem.shape
    if rows != cols:
        raise SpecError(
            where="SteeredFlow",
            rule="it moves a symmetric, positive semidefinite matrix",
            got=f"a problem of shape {problem.shape}",
            fix="Use lowrankflow.lift(problem)",
        )
    if not isinstance(factorization, SymmetricFactorization):
        raise SpecError(
            where="SteeredFlow",
            rule="it keeps its matrix as U U'",
            got=f"{type(factorization).__name__}",
            fix="Use SymmetricFactorization()",
        )
    return problem


def _check_control(control: Control, problem: SensingProblem) -> None:
    time = jax.ShapeDtypeStruct((), jnp.float64)
    matrix = jax.ShapeDtypeStruct(problem.shape, jnp.float64)
    wanted = (problem.num_measurements,)
    try:
        answer = jax.eval_shape(control, time, matrix)
        fine = answer.shape == wanted and answer.dtype == jnp.float64
        got = str(answer)
    except Exception as error:  # whatever the user's function raises
        fine, got = False, f"{type(error).__name__}: {error}"
    if not fine:
        raise SpecError(
            where="SteeredFlow(control)",
            rule=f"it maps a time and a {problem.shape} JAX array to a float64 array "
            f"of shape {wanted}",
            got=got,
            fix="Write it with jax.numpy, one number for each measurement",
        )


def _evaluated(
    flow: SteeredFlow,
    problem: SensingProblem,
    factorization: AbstractFactorization,
    factors: Tree,
    time: Float[Array, ""],
) -> Evaluation:
    """The symmetric matrix 𝒜*(r), and the loss."""
    matrix = jnp.asarray(factorization.end_to_end(factors))
    if flow.control is None:
        dual = problem.slopes(matrix)
    else:
        dual = flow.control(time, matrix)
    drive = to_dense(problem.operator.adjoint(dual))
    drive = (drive + drive.T) / 2
    slope = slope_of(factorization.pullback(factors, drive))
    return Evaluation(drive, slope, problem.value(matrix))


def _stepped(flow: SteeredFlow, state: IterationState) -> Move:
    (factor,) = state.point
    point = (exponential_step(factor, state.gradient, flow.step),)
    return Move(point, (), jnp.asarray(flow.step, jnp.float64))


def exponential_step(
    factor: Float[Array, "size width"],
    drive: Float[Array, "size size"],
    step: float | Array,
) -> Float[Array, "size width"]:
    """exp(-step drive) U, for a drive that is exactly symmetric.

    Exactness: to rounding.
    Source: gunasekar2017, equation (12).
    Differs: as in the source.
    """
    values, vectors = jnp.linalg.eigh(drive, symmetrize_input=False)
    growth = jnp.exp(-step * values)[:, None]
    return vectors @ (growth * (vectors.T @ factor))


@eqx.filter_jit
def _init(
    flow: SteeredFlow,
    problem: SensingProblem,
    factorization: AbstractFactorization,
    factors: Tree,
) -> IterationState:
    return begin(
        lambda point, time, _: _evaluated(flow, problem, factorization, point, time),
        factors,
        memory=(),
        seed=jnp.zeros((), jnp.uint64),
    )


@eqx.filter_jit
def _advance(
    flow: SteeredFlow,
    problem: SensingProblem,
    factorization: AbstractFactorization,
    state: IterationState,
    until: Until,
    limits: Limits,
) -> IterationState:
    return iterate(
        lambda point, time, _: _evaluated(flow, problem, factorization, point, time),
        lambda here: _stepped(flow, here),
        state,
        until=until,
        limits=limits,
        # A control may move again what it has left alone for a while.
        stalls=flow.control is None,
    )
