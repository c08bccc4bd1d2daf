"""The time-ordered exponential under a control that is pushed, beside formula (7)."""

import dataclasses
from typing import ClassVar, Literal

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

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
from lowrankflow.dynamics.steering import exponential_step
from lowrankflow.dynamics.steppers import Tree
from lowrankflow.errors import SpecError
from lowrankflow.factorizations import (
    AbstractFactorization,
    SymmetricFactorization,
    positive,
)
from lowrankflow.precision import in_float64
from lowrankflow.problems import (
    AbstractObjective,
    SensingProblem,
    real_number,
    to_dense,
)
from lowrankflow.seeds import generator

_WAVES = 4  # of a smooth push


class PushedFlow(AbstractDynamics[IterationState]):
    r"""X' = -A*(r) X - X A*(r) in steps, with r = follow x residual + push x p(t).

        X_{k+1} = exp(-step A*(r_k)) X_k exp(-step A*(r_k)), kept as U U', A*(r) by its
    symmetric part. A "smooth" p is a random sum of four cosines of random vectors,
    drawn by the run's seed, that fades to zero at the horizon: the control is then
    arbitrary, and with `follow` the run can still end at a fit. "loops" are e_1, e_2,
    -e_1, -e_2, one a step, whose effect is of commutators only. The accumulated control
    s = -int r is kept, and the record says how far exp(A*(s)) X_0 exp(A*(s)), the
    solution if all A_k commuted, is from X.

    Args:
        step: the time a step takes, > 0.
        follow: weight of the derivative of the loss, >= 0; 0 for the push alone.
        push: size of p, >= 0.
        horizon: when a smooth push has faded, > 0; loops know no end.
        shape: of the push, "smooth" or "loops".

    Records `direct_gap`, ||X - formula||_F / ||X||_F, and `exponent_gap`,
    ||log X - log formula||_F / ||2 A*(s)||_F, 0 while s is 0 to rounding.

    Raises:
        SpecError: when a number is out of range or the shape another word.

    Exactness: order 1 in the step, as `SteeredFlow`, which it is without a push.
    Cost: an eigendecomposition and three products of size x size matrices each step.
    Source: gunasekar2017, equations (7), (11) and (12).
    Differs: the paper's smooth controls are not said; these are our reading.
    """

    step: float
    follow: float = 1.0
    push: float = 0.0
    horizon: float = 1.0
    shape: Literal["smooth", "loops"] = eqx.field(static=True, default="smooth")

    numerics_version: ClassVar[int] = 1
    start_form: ClassVar[StartForm] = "factors"

    def __check_init__(self):
        positive("PushedFlow(step)", self.step)
        positive("PushedFlow(horizon)", self.horizon)
        for name in ("follow", "push"):
            value = getattr(self, name)
            if not 0 <= real_number(value) < np.inf:
                raise SpecError(
                    where=f"PushedFlow({name})",
                    rule="this is a weight, a finite number >= 0",
                    got=f"{value!r}",
                    fix="Give for example 1.0",
                )
        if self.shape not in ("smooth", "loops"):
            raise SpecError(
                where="PushedFlow(shape)",
                rule='a push is "smooth" or goes in "loops"',
                got=f"{self.shape!r}",
                fix='Give shape="smooth"',
            )

    @in_float64
    def init(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        factors: tuple[np.ndarray, ...],
        *,
        seed: int,
    ) -> IterationState:
        sensing = _checked(self, problem, factorization)
        count = sensing.num_measurements
        # The next ones: coefficients of the push, the control s, and the first factor.
        waves = generator(seed, "push").standard_normal((_WAVES, count))
        memory = (waves, np.zeros(count), np.asarray(factors[0]))
        return _init(as_traced(self), sensing, factorization, factors, memory)

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
        sensing = _checked(self, problem, factorization)
        limits = Limits.of(stop)
        return _advance(as_traced(self), sensing, factorization, state, until, limits)

    @in_float64
    def snapshot(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: IterationState,
    ) -> Snapshot:
        sensing = _checked(self, problem, factorization)
        seen = iteration_snapshot(factorization, state)
        _, control, first = (np.asarray(part) for part in state.memory)
        adjoint = np.asarray(to_dense(sensing.operator.adjoint(jnp.asarray(control))))
        direct, exponent = _gaps(seen.factors[0], first, (adjoint + adjoint.T) / 2)
        extra = {**seen.extra, "direct_gap": direct, "exponent_gap": exponent}
        return dataclasses.replace(seen, extra=extra)


def _checked(
    flow: PushedFlow, problem: AbstractObjective, factorization: AbstractFactorization
) -> SensingProblem:
    rows, cols = problem.shape
    wrong = ""
    if not isinstance(problem, SensingProblem):
        wrong = f"{type(problem).__name__}, which has no measurements"
    elif rows != cols or not isinstance(factorization, SymmetricFactorization):
        wrong = f"{type(factorization).__name__} and a problem of shape {problem.shape}"
    elif flow.shape == "loops" and problem.num_measurements < 2:
        wrong = "one measurement, which commutes with itself"
    if wrong:
        raise SpecError(
            where="PushedFlow",
            rule="it moves U U' along measurements, in loops along two of them",
            got=wrong,
            fix="Use SymmetricFactorization() and a square SensingProblem",
        )
    assert isinstance(problem, SensingProblem)
    return problem


def _gaps(
    factor: Float[np.ndarray, "size width"],
    first: Float[np.ndarray, "size width"],
    drive: Float[np.ndarray, "size size"],
) -> tuple[float, float]:
    """How far formula (7) is from U U', and its logarithm from that of U U'."""
    values, vectors = np.linalg.eigh(drive)
    formula = (vectors * np.exp(values)) @ (vectors.T @ first)
    matrix = factor @ factor.T
    gap = np.linalg.norm(matrix - formula @ formula.T) / np.linalg.norm(matrix)
    size = 2 * float(np.linalg.norm(drive))
    if size < 1e-9 or factor.shape[0] > factor.shape[1]:
        return float(gap), 0.0
    apart = _logarithm(factor) - _logarithm(formula)
    return float(gap), float(np.linalg.norm(apart)) / size


def _logarithm(factor: Float[np.ndarray, "size width"]) -> np.ndarray:
    """log(U U'); from the singular values of U, which keep twice the digits."""
    left, values, _ = np.linalg.svd(factor, full_matrices=False)
    with np.errstate(divide="ignore"):
        return (left * (2 * np.log(values))) @ left.T


def _control(
    flow: PushedFlow,
    problem: SensingProblem,
    memory: Tree,
    matrix: Float[Array, "size size"],
    time: Float[Array, ""],
    iteration: Int[Array, ""],
) -> Float[Array, " m"]:
    residual = flow.follow * jnp.asarray(problem.slopes(matrix))
    waves = memory[0]
    if flow.shape == "loops":
        turn = iteration % 4
        sign = jnp.where(turn < 2, 1.0, -1.0)
        along = jnp.arange(problem.num_measurements) == turn % 2
        return residual - flow.push * sign * along
    share = jnp.clip(time / flow.horizon, 0.0, 1.0)
    cosines = jnp.cos(jnp.pi * jnp.arange(_WAVES) * share) / jnp.sqrt(float(_WAVES))
    return residual - flow.push * jnp.cos(jnp.pi * share / 2) ** 2 * (cosines @ waves)


def _evaluated(
    flow: PushedFlow,
    problem: SensingProblem,
    factorization: AbstractFactorization,
    memory: Tree,
    factors: Tree,
    time: Float[Array, ""],
    iteration: Int[Array, ""],
) -> Evaluation:
    """The control and the loss."""
    matrix = jnp.asarray(factorization.end_to_end(factors))
    dual = _control(flow, problem, memory, matrix, time, iteration)
    return Evaluation(dual, slope_of(dual), problem.value(matrix))


def _stepped(flow: PushedFlow, problem: SensingProblem, state: IterationState) -> Move:
    drive = jnp.asarray(to_dense(problem.operator.adjoint(state.gradient)))
    (factor,) = state.point
    point = (exponential_step(factor, (drive + drive.T) / 2, flow.step),)
    waves, control, first = state.memory
    memory = (waves, control - flow.step * state.gradient, first)
    return Move(point, memory, jnp.asarray(flow.step, jnp.float64))


@eqx.filter_jit
def _init(
    flow: PushedFlow,
    problem: SensingProblem,
    factorization: AbstractFactorization,
    factors: Tree,
    memory: Tree,
) -> IterationState:
    return begin(
        lambda point, time, iteration: _evaluated(
            flow, problem, factorization, memory, point, time, iteration
        ),
        factors,
        memory=memory,
        seed=jnp.zeros((), jnp.uint64),
    )


@eqx.filter_jit
def _advance(
    flow: PushedFlow,
    problem: SensingProblem,
    factorization: AbstractFactorization,
    state: IterationState,
    until: Until,
    limits: Limits,
) -> IterationState:
    return iterate(
        lambda point, time, iteration: _evaluated(
            flow, problem, factorization, state.memory, point, time, iteration
        ),
        lambda here: _stepped(flow, problem, here),
        state,
        until=until,
        limits=limits,
        # A push may move again what the residual has left alone for a while.
        stalls=False,
    )
