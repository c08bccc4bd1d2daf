r"""Greedy low-rank learning: the limit of the flow as its start goes to zero.

From an infinitesimal start the flow learns one direction at a time. It rests at a
critical point W_r of rank r; among all directions it has not learned, the one that
grows fastest, the top eigenvector (singular pair) of -grad f(W_r), leaves every other
behind; the flow follows it to the next critical point. Greedy low-rank learning is that
sequence of flows, each on r + 1 hidden units only.
"""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from lowrankflow.dynamics.contract import (
    CODES,
    RESULTS,
    RUNNING,
    AbstractDynamics,
    Limits,
    Snapshot,
    Stop,
    Until,
    as_traced,
)
from lowrankflow.dynamics.flow import factor_velocity, flow_counts, host_norm
from lowrankflow.dynamics.integrator import FlowState, Real, first_state, integrate
from lowrankflow.dynamics.steppers import Tree
from lowrankflow.errors import SpecError
from lowrankflow.factorizations import (
    AbstractFactorization,
    SymmetricFactorization,
    largest_rank,
    positive,
    positive_int,
    to_host,
)
from lowrankflow.precision import in_float64
from lowrankflow.problems import AbstractObjective, to_dense
from lowrankflow.result import Result

HostFactors = tuple[np.ndarray, ...]
_STAGE_ENDS = (CODES[Result.stalled], CODES[Result.step_too_small])


class GreedyState(eqx.Module):
    """Where greedy learning is.

    Args:
        flow: the flow on the hidden units in use; the others are zero and stay zero.
        stage: how many directions have been let in.
        rate: lambda_1(-grad f) at the last critical point (sigma_1 for a rectangle).
        first_rate: the same at zero.
        seed_pace: growth of the newest hidden unit when it entered, relative to its
            size; for depth N it is of the order rate x seed_scale^(1 - 2/N).
        at_critical_point: whether the stage's flow has come to rest.
        status: code of a `Result`.
    """

    flow: FlowState
    stage: Int[Array, ""]
    rate: Float[Array, ""]
    first_rate: Float[Array, ""]
    seed_pace: Float[Array, ""]
    at_critical_point: Bool[Array, ""]
    status: Int[Array, ""]


class GreedyLowRank(AbstractDynamics[GreedyState]):
    r"""Greedy low-rank learning (GLRL), shallow and deep.

    Stage r + 1 starts at W_r with one more hidden unit of size `seed_scale` along the
    top direction of -grad f(W_r), and follows the gradient flow on its thin factors to
    the next critical point. It ends when no direction is left whose rate exceeds
    `optimality_tolerance`: for convex f and U U' the last point is then a global
    minimizer over all positive semidefinite matrices.

    Starts at zero: the `start` of a run is not used.

    Args:
        rtol: error allowed per step of the flow; > 0.
        atol: the same in units of a hidden unit's size when its stage begins; > 0.
        seed_scale: size at which a direction enters, as a singular value of W; > 0. The
            theory has the limit 0: the error of W is of its order, and for depth 3 and
            more it also sets the time spent near a critical point.
        stage_tolerance: a stage has come to rest when nothing moves faster than this,
            relative to its size and to the fastest rate of the flow (nor than a tenth
            of the pace at which the newest direction entered); > 0.
        optimality_tolerance: the end, relative to the top rate at zero; > 0.
        max_rank: largest number of stages; None for as many as the widths allow.

    Raises:
        SpecError: when a number is not positive, or the factorization has one factor.

    Exactness: heuristic in the limit `seed_scale` -> 0; the flow within `rtol`.
    Cost: a few hundred right-hand sides for each stage.
    Source: li2021, algorithm 1 and section 5.
    Differs: the flow replaces descent with a small step; rectangles by singular pairs
        (their lifted problem's top eigenvector).
    """

    rtol: float
    atol: float
    seed_scale: float
    stage_tolerance: float
    optimality_tolerance: float
    max_rank: int | None = eqx.field(default=None, static=True)

    numerics_version: ClassVar[int] = 1
    needs_start: ClassVar[bool] = False

    def __check_init__(self):
        for name in (
            "rtol",
            "atol",
            "seed_scale",
            "stage_tolerance",
            "optimality_tolerance",
        ):
            positive(f"GreedyLowRank({name})", getattr(self, name))
        if self.max_rank is not None:
            positive_int("GreedyLowRank(max_rank)", self.max_rank)

    @in_float64
    def init(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        factors: HostFactors,
        *,
        seed: int,
    ) -> GreedyState:
        if factorization.num_factors_in_product < 2:
            raise SpecError(
                where="GreedyLowRank",
                rule="a plain matrix has no hidden units to let in one by one",
                got="a factorization with one factor",
                fix="Use DeepFactorization(depth=2) or SymmetricFactorization()",
            )
        shapes = factorization.shapes(problem.shape)
        zero = tuple(np.zeros(shape) for shape in shapes)
        rate, _, _ = self._next_direction(problem, factorization, zero)
        flow = _begin(
            as_traced(self), problem, factorization, zero, np.asarray(0.0), None
        )
        return GreedyState(
            flow=flow,
            stage=jnp.asarray(0),
            rate=jnp.asarray(rate),
            first_rate=jnp.asarray(rate),
            seed_pace=jnp.asarray(0.0),
            at_critical_point=jnp.asarray(True),
            status=jnp.asarray(CODES[Result.optimal] if rate <= 0 else RUNNING),
        )

    @in_float64
    def advance(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: GreedyState,
        *,
        until: Until,
        stop: Stop,
    ) -> GreedyState:
        if int(state.status) != RUNNING:
            return state
        if state.at_critical_point:
            state = self._let_in(problem, factorization, state)
        flow = _advance(
            as_traced(self),
            problem,
            factorization,
            state.flow,
            # A new unit is no sooner at rest than at a tenth of the pace it began with.
            np.asarray(0.1 * float(state.seed_pace)),
            until,
            Limits.of(stop),
        )
        state = eqx.tree_at(lambda s: (s.flow, s.status), state, (flow, flow.status))
        if int(flow.status) in _STAGE_ENDS:
            state = self._come_to_rest(problem, factorization, state)
        return state

    @in_float64
    def snapshot(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: GreedyState,
    ) -> Snapshot:
        factors = to_host(state.flow.point)
        return Snapshot(
            time=float(state.flow.time),
            iteration=int(state.flow.iteration),
            matrix=np.asarray(factorization.end_to_end(factors)),
            factors=factors,
            loss=float(state.flow.loss),
            gradient_norm=host_norm(state.flow.velocity),
            result=RESULTS[int(state.status)],
            extra={
                "stage": int(state.stage),
                "at_critical_point": int(state.at_critical_point),
                "rate": float(state.rate),
                **flow_counts(state.flow),
            },
        )

    def _let_in(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: GreedyState,
    ) -> GreedyState:
        """The state with one more hidden unit, along the top direction."""
        factors = to_host(state.flow.point)
        _, left, right = self._next_direction(problem, factorization, factors)
        unit = int(state.stage)
        size = float(self.seed_scale) ** (1 / factorization.num_factors_in_product)
        factors = _with_unit(factorization, factors, unit, size, left, right)
        flow = _begin(
            as_traced(self),
            problem,
            factorization,
            factors,
            state.flow.time,
            state.flow,
        )
        speeds = factorization.unit_norms(flow.velocity)
        sizes = factorization.unit_norms(flow.point)
        return eqx.tree_at(
            lambda s: (s.flow, s.stage, s.seed_pace, s.at_critical_point),
            state,
            (
                flow,
                state.stage + 1,
                speeds[unit] / sizes[unit],
                jnp.asarray(False),
            ),
        )

    def _come_to_rest(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: GreedyState,
    ) -> GreedyState:
        """The state at a critical point: what comes next, and whether anything does."""
        factors = to_host(state.flow.point)
        rate, _, _ = self._next_direction(problem, factorization, factors)
        capacity = largest_rank(factorization.shapes(problem.shape))
        if self.max_rank is not None:
            capacity = min(capacity, self.max_rank)
        if rate <= float(self.optimality_tolerance) * float(state.first_rate):
            status = CODES[Result.optimal]
        elif int(state.stage) >= capacity:
            status = CODES[Result.rank_reached]
        else:
            status = RUNNING
        return eqx.tree_at(
            lambda s: (s.rate, s.at_critical_point, s.status),
            state,
            (jnp.asarray(rate), jnp.asarray(True), jnp.asarray(status)),
        )

    def _next_direction(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        factors: HostFactors,
    ) -> tuple[float, Float[np.ndarray, " rows"], Float[np.ndarray, " cols"]]:
        """The top rate of -grad f, and its direction."""
        matrix = factorization.end_to_end(factors)
        pull = -np.asarray(to_dense(problem.gradient(matrix)))
        return top_direction(factorization, pull)


def top_direction(
    factorization: AbstractFactorization, pull: Float[np.ndarray, "rows cols"]
) -> tuple[float, Float[np.ndarray, " rows"], Float[np.ndarray, " cols"]]:
    """The direction that grows fastest from nothing, and its rate.

    Args:
        factorization: U U' takes the top eigenvector, a product of several factors the
            top singular pair.
        pull: -grad f(W).

    Returns:
        The largest eigenvalue of the symmetric part, or the largest singular value,
        and the unit vectors left and right.

    Exactness: exact.
    Source: li2021, algorithm 1.
    """
    if isinstance(factorization, SymmetricFactorization):
        values, vectors = np.linalg.eigh((pull + pull.T) / 2)
        return float(values[-1]), vectors[:, -1], vectors[:, -1]
    left, values, transposed = np.linalg.svd(pull, full_matrices=False)
    return float(values[0]), left[:, 0], transposed[0]


def _with_unit(
    factorization: AbstractFactorization,
    factors: HostFactors,
    unit: int,
    size: float,
    left: Float[np.ndarray, " rows"],
    right: Float[np.ndarray, " cols"],
) -> HostFactors:
    """The factors with one hidden unit set to size^N left right'."""
    factors = tuple(factor.copy() for factor in factors)
    if isinstance(factorization, SymmetricFactorization):
        factors[0][:, unit] = size * left
        return factors
    factors[0][unit, :] = size * right
    factors[-1][:, unit] = size * left
    for factor in factors[1:-1]:
        factor[unit, unit] = size
    return factors


@eqx.filter_jit
def _begin(
    greedy: GreedyLowRank,
    problem: AbstractObjective,
    factorization: AbstractFactorization,
    factors: Tree,
    time: Real,
    before: FlowState | None,
) -> FlowState:
    """The flow of a new stage; its counts go on from the stage before."""
    state = first_state(
        lambda y: factor_velocity(problem, factorization, y),
        factorization.unit_norms,
        factors,
        atol=greedy.atol,
        time=time,
        linear_until=jnp.zeros(()),
        explicit=False,
    )
    if before is None:
        return state
    return eqx.tree_at(
        lambda s: (s.iteration, s.rejections, s.evaluations, s.moved),
        state,
        (
            before.iteration,
            before.rejections,
            before.evaluations + state.evaluations,
            before.moved,
        ),
    )


@eqx.filter_jit
def _advance(
    greedy: GreedyLowRank,
    problem: AbstractObjective,
    factorization: AbstractFactorization,
    state: FlowState,
    still_rate: Real,
    until: Until,
    limits: Limits,
) -> FlowState:
    return integrate(
        lambda y: factor_velocity(problem, factorization, y),
        factorization.unit_norms,
        state,
        rtol=greedy.rtol,
        until=until,
        limits=limits,
        method="auto",
        still_relative=greedy.stage_tolerance,
        still_rate=still_rate,
    )
