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
    StartForm,
    Stop,
    Until,
)
from lowrankflow.dynamics.flow import flow_counts, host_norm, keeps_mirror
from lowrankflow.dynamics.greedy_stage import (
    HostFactors,
    advance_stage,
    begin_stage,
    top_direction,
    with_unit,
)
from lowrankflow.dynamics.greedy_thin import (
    ThinGreedyState,
    ThinGreedyWalk,
    thin_greedy_snapshot,
)
from lowrankflow.dynamics.integrator import FlowState, Real
from lowrankflow.dynamics.mirror import on_host
from lowrankflow.dynamics.thin_pull import (
    is_symmetric_pull,
    is_too_large,
    thin_pull,
)
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

_STAGE_ENDS = (CODES[Result.stalled], CODES[Result.step_too_small])
# The next direction is known when a tenfold slower flow changes it by no more.
_SAME_RATE = 0.01
# Below this relative speed rounding moves the factors.
_STILLEST = 1e-15


class GreedyState(eqx.Module):
    """Where greedy learning is.

    Args:
        flow: the flow on the hidden units in use; the others are zero and stay zero.
        stage: how many directions have been let in.
        rate: lambda_1(-grad f) at the last critical point (sigma_1 for a rectangle).
        first_rate: the same at zero.
        seed_pace: growth of the newest hidden unit when it entered, relative to its
            size; for depth N it is of the order rate x seed_scale^(1 - 2/N).
        stillness: relative speed below which the stage's flow is next looked at.
        next_rate: top rate when it was last looked at in this stage; NaN before.
        next_left: the direction of that rate, left.
        next_right: and right.
        at_critical_point: whether the stage's flow has come to rest.
        status: code of a `Result`.
    """

    flow: FlowState
    stage: Int[Array, ""]
    rate: Float[Array, ""]
    first_rate: Float[Array, ""]
    seed_pace: Float[Array, ""]
    stillness: Float[Array, ""]
    next_rate: Float[Array, ""]
    next_left: Float[Array, " rows"]
    next_right: Float[Array, " cols"]
    at_critical_point: Bool[Array, ""]
    status: Int[Array, ""]


class GreedyLowRank(AbstractDynamics[GreedyState | ThinGreedyState]):
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
        stage_tolerance: a stage is first looked at when nothing moves faster than this,
            relative to its size and to the fastest rate of the flow (nor than a tenth
            of the pace at which the newest direction entered); > 0. It has come to rest
            when a tenth of that leaves the next direction and its rate what they were,
            to a hundredth; until then the tolerance is lowered tenfold.
        optimality_tolerance: the end, relative to the top rate at zero; > 0.
        max_rank: largest number of stages; None for as many as the widths allow.

    Raises:
        SpecError: when a number is not positive, or the factorization has one factor.

    Exactness: heuristic in the limit `seed_scale` -> 0; the flow within `rtol`.
    Cost: a few hundred right-hand sides for each stage. Observed entries of a matrix of
        more than 250,000 numbers are passed over, and the matrix is never formed.
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

    numerics_version: ClassVar[int] = 2
    start_form: ClassVar[StartForm] = "none"

    def __check_init__(self):
        sizes = ("rtol", "atol", "seed_scale")
        for name in (*sizes, "stage_tolerance", "optimality_tolerance"):
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
    ) -> GreedyState | ThinGreedyState:
        if factorization.num_factors_in_product < 2:
            raise SpecError(
                where="GreedyLowRank",
                rule="a plain matrix has no hidden units to let in one by one",
                got="a factorization with one factor",
                fix="Use DeepFactorization(depth=2) or SymmetricFactorization()",
            )
        shapes = factorization.shapes(problem.shape)
        if is_too_large(problem):
            return self._thin(problem, factorization, None).state()
        zero = tuple(np.zeros(shape) for shape in shapes)
        rate, left, right = self._next_direction(problem, factorization, zero)
        flow = self._begun(problem, factorization, zero, np.asarray(0.0), None)
        status = CODES[Result.optimal] if rate <= 0 else RUNNING
        return GreedyState(
            flow=flow,
            stage=jnp.asarray(0, jnp.int64),
            rate=jnp.asarray(rate, float),
            first_rate=jnp.asarray(rate, float),
            seed_pace=jnp.zeros(()),
            stillness=jnp.asarray(self.stage_tolerance, float),
            next_rate=jnp.asarray(jnp.nan, float),
            next_left=jnp.asarray(left),
            next_right=jnp.asarray(right),
            at_critical_point=jnp.asarray(True),
            status=jnp.asarray(status, jnp.int64),
        )

    @in_float64
    def advance(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: GreedyState | ThinGreedyState,
        *,
        until: Until,
        stop: Stop,
    ) -> GreedyState | ThinGreedyState:
        if int(state.status) != RUNNING:
            return state
        if isinstance(state, ThinGreedyState):
            thin = self._thin(problem, factorization, state)
            return thin.advanced(until, Limits.of(stop))
        greedy: GreedyState = state
        if greedy.at_critical_point:
            greedy = self._let_in(problem, factorization, greedy)
        while True:
            flow = advance_stage(
                problem,
                factorization,
                greedy.flow,
                np.asarray(float(self.rtol)),
                np.asarray(float(greedy.stillness)),
                # A new unit is no sooner at rest than at a tenth of its first pace.
                np.asarray(0.1 * float(greedy.seed_pace)),
                until,
                Limits.of(stop),
            )
            new = (flow, flow.status)
            greedy = eqx.tree_at(lambda s: (s.flow, s.status), greedy, new)
            if int(flow.status) not in _STAGE_ENDS:
                return greedy
            greedy = self._looked_at(problem, factorization, greedy)
            if greedy.at_critical_point:
                return greedy

    @in_float64
    def snapshot(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: GreedyState | ThinGreedyState,
    ) -> Snapshot:
        if isinstance(state, ThinGreedyState):
            one = isinstance(factorization, SymmetricFactorization)
            return thin_greedy_snapshot(state, one_factor=one)
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

    def _thin(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: ThinGreedyState | None,
    ) -> ThinGreedyWalk:
        """The same stages on thin factors, for what is too large to be formed."""
        pull = thin_pull("GreedyLowRank(problem)", problem, "float64")
        symmetric = isinstance(factorization, SymmetricFactorization)
        if state is None and symmetric and not is_symmetric_pull(pull):
            raise SpecError(
                where="GreedyLowRank(problem)",
                rule="U U' of a large matrix asks for a symmetric gradient",
                got="one that is not symmetric at symmetric matrices",
                fix="Observe pairs by SymmetricEntrySampling",
            )
        return ThinGreedyWalk(
            self,
            pull,
            factorization.num_factors_in_product,
            state,
            is_mirrored=symmetric if state is None else state.is_mirrored,
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
        factors = with_unit(factorization, factors, unit, size, left, right)
        flow = self._begun(problem, factorization, factors, state.flow.time, state.flow)
        speeds = factorization.unit_norms(flow.velocity)
        sizes = factorization.unit_norms(flow.point)
        return eqx.tree_at(
            lambda s: (
                s.flow,
                s.stage,
                s.seed_pace,
                s.stillness,
                s.next_rate,
                s.at_critical_point,
            ),
            state,
            (
                flow,
                state.stage + 1,
                speeds[unit] / sizes[unit],
                jnp.asarray(self.stage_tolerance, float),
                jnp.asarray(jnp.nan, float),
                jnp.asarray(False),
            ),
        )

    def _begun(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        factors: HostFactors,
        time: Real,
        before: FlowState | None,
    ) -> FlowState:
        mirror = keeps_mirror(on_host(problem), factorization, factors)
        atol = np.asarray(float(self.atol))
        return begin_stage(problem, factorization, factors, atol, time, before, mirror)

    def _looked_at(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: GreedyState,
    ) -> GreedyState:
        """The state once its flow is slow: at rest, or to go on to a slower pace.

        How slow is slow enough depends on how ill-conditioned the stage is, which shows
        only in what it decides: the next direction and its rate. Where they still
        change, the critical point is not there yet.
        """
        pull = self._pull(problem, factorization, to_host(state.flow.point))
        rate, left, right = top_direction(factorization, pull)
        is_last = rate <= float(self.optimality_tolerance) * float(state.first_rate)
        before = float(state.next_rate)
        still_top = np.asarray(state.next_left) @ pull @ np.asarray(state.next_right)
        same = abs(rate - before) <= _SAME_RATE * rate
        same = same and rate - still_top <= _SAME_RATE * rate
        resolved = (
            int(state.flow.status) == CODES[Result.step_too_small]
            or float(state.stillness) <= _STILLEST
        )
        at_rest = is_last or same or resolved
        capacity = largest_rank(factorization.shapes(problem.shape))
        capacity = min(capacity, self.max_rank or capacity)
        status = RUNNING
        if is_last:
            status = CODES[Result.optimal]
        elif at_rest and int(state.stage) >= capacity:
            status = CODES[Result.rank_reached]
        return eqx.tree_at(
            lambda s: (
                s.flow.status,
                s.rate,
                s.stillness,
                s.next_rate,
                s.next_left,
                s.next_right,
                s.at_critical_point,
                s.status,
            ),
            state,
            (
                jnp.asarray(RUNNING, jnp.int64),
                jnp.asarray(rate, float),
                state.stillness / 10,
                jnp.asarray(rate, float),
                jnp.asarray(left),
                jnp.asarray(right),
                jnp.asarray(at_rest),
                jnp.asarray(status, jnp.int64),
            ),
        )

    def _next_direction(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        factors: HostFactors,
    ) -> tuple[float, Float[np.ndarray, " rows"], Float[np.ndarray, " cols"]]:
        """The top rate of -grad f, and its direction."""
        return top_direction(factorization, self._pull(problem, factorization, factors))

    def _pull(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        factors: HostFactors,
    ) -> Float[np.ndarray, "rows cols"]:
        matrix = factorization.end_to_end(factors)
        return -np.asarray(to_dense(on_host(problem).gradient(matrix)))
