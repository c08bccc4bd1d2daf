"""Gradient flow on the factors, by an adaptive solver."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lowrankflow.dynamics.contract import (
    RESULTS,
    RUNNING,
    AbstractDynamics,
    Limits,
    Snapshot,
    StartForm,
    Stop,
    Until,
    as_traced,
)
from lowrankflow.dynamics.first_phase import (
    advance_linear,
    graded_units,
    linear_phase,
)
from lowrankflow.dynamics.integrator import (
    EXPLICIT_BELOW,
    FlowState,
    Method,
    Real,
    first_state,
    integrate,
)
from lowrankflow.dynamics.mirror import is_mirrored, mirrored, on_host
from lowrankflow.dynamics.steppers import Tree
from lowrankflow.errors import SpecError
from lowrankflow.factorizations import (
    AbstractFactorization,
    SymmetricFactorization,
    positive,
    to_host,
)
from lowrankflow.precision import in_float64
from lowrankflow.problems import AbstractObjective, to_dense


class GradientFlow(AbstractDynamics[FlowState]):
    r"""Gradient flow on the factors: W_j' = - d f(W_N ... W_1) / d W_j.

    For U U' it is U' = -sym(grad f) U. The error of each step is controlled for every
    hidden unit relative to its own size, so that directions that are still tiny grow at
    their right rate. Factors that are each other's mirror images, on a symmetric
    objective, are kept so in rounding too: the exact flow keeps W symmetric, and
    rounding would leave that path (`mirror`).

    From a start so small that grad f is still its value at zero, depth 2 and U U' begin
    with the closed solution of that linear flow (`first_phase`), and the solver starts
    where it ends; scales such as 1e-64 cost nothing.

    Args:
        rtol: error allowed per step, relative to each hidden unit's size; > 0.
        atol: the same in units of each hidden unit's size at the start; what has shrunk
            far below its start is not resolved further; > 0.
        method: "stabilized" (Runge-Kutta-Chebyshev, order 2), "explicit"
            (Dormand-Prince, order 5), or "auto" to switch between them by what limits
            the step.

    Raises:
        SpecError: when a tolerance is not positive or the method another word.

    Exactness: within `rtol` per step; orders 2 and 5.
    Cost: a few hundred right-hand sides from scale 1e-3 to loss 1e-6.
    Source: arora2019, equation (4); gunasekar2017, equation (3).
    Differs: as in the sources, with the clocks described in the documentation.
    """

    rtol: float
    atol: float
    method: Method = eqx.field(default="auto", static=True)

    numerics_version: ClassVar[int] = 2
    start_form: ClassVar[StartForm] = "factors"

    def __check_init__(self):
        positive("GradientFlow(rtol)", self.rtol)
        positive("GradientFlow(atol)", self.atol)
        check_method("GradientFlow(method)", self.method)

    @in_float64
    def init(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        factors: tuple[np.ndarray, ...],
        *,
        seed: int,
    ) -> FlowState:
        at_hand = on_host(problem)
        is_mirrored = keeps_mirror(at_hand, factorization, factors)
        factors = graded_units(at_hand, factorization, factors, is_mirrored=is_mirrored)
        phase = linear_phase(
            at_hand,
            factorization,
            factors,
            rtol=float(self.rtol),
            is_mirrored=is_mirrored,
        )
        end = 0.0 if phase is None else phase.end
        return self._started(
            problem,
            factorization,
            factors,
            time=0.0,
            linear=end,
            is_mirrored=is_mirrored,
        )

    @in_float64
    def advance(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: FlowState,
        *,
        until: Until,
        stop: Stop,
    ) -> FlowState:
        in_linear_phase = float(state.time) < float(state.linear_until)
        if int(state.status) == RUNNING and in_linear_phase:
            state = self._through_linear_phase(problem, factorization, state, until)
        limits = Limits.of(stop)
        return _advance(self._traced(), problem, factorization, state, until, limits)

    def _traced(self) -> "GradientFlow":
        """The setting for compiled code, with "auto" decided where it never switches.

        Halves what is compiled.
        """
        method = self.method
        if method == "auto" and float(self.rtol) >= EXPLICIT_BELOW:
            method = "stabilized"
        return as_traced(GradientFlow(rtol=self.rtol, atol=self.atol, method=method))

    def _through_linear_phase(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: FlowState,
        until: Until,
    ) -> FlowState:
        """The state where the linear phase or the chunk ends, the first of both."""
        factors = to_host(state.point)
        phase = linear_phase(
            on_host(problem),
            factorization,
            factors,
            rtol=float(self.rtol),
            is_mirrored=state.is_mirrored,
        )
        if phase is None:
            return eqx.tree_at(lambda s: s.linear_until, state, state.time)
        now, end = float(state.time), float(state.linear_until)
        stop_at = min(end, float(until.time))
        factors = advance_linear(
            phase,
            factorization,
            factors,
            stop_at - now,
            is_mirrored=state.is_mirrored,
        )
        moved = self._started(
            problem,
            factorization,
            factors,
            time=stop_at,
            linear=end,
            is_mirrored=state.is_mirrored,
        )
        return eqx.tree_at(lambda s: s.iteration, moved, state.iteration + 1)

    def _started(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        factors: tuple[np.ndarray, ...],
        *,
        time: float,
        linear: float,
        is_mirrored: bool,
    ) -> FlowState:
        times = np.asarray(time), np.asarray(linear)
        setting = self._traced()
        return _init(setting, problem, factorization, factors, *times, is_mirrored)

    @in_float64
    def snapshot(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: FlowState,
    ) -> Snapshot:
        factors = to_host(state.point)
        return Snapshot(
            time=float(state.time),
            iteration=int(state.iteration),
            matrix=np.asarray(factorization.end_to_end(factors)),
            factors=factors,
            loss=float(state.loss),
            gradient_norm=host_norm(state.velocity),
            result=RESULTS[int(state.status)],
            extra=flow_counts(state),
        )


def keeps_mirror(
    problem: AbstractObjective,
    factorization: AbstractFactorization,
    factors: tuple[np.ndarray, ...],
) -> bool:
    """Whether the flow of these factors is to be kept a mirror image of itself.

    Never for U U', whose velocity keeps W symmetric by itself.
    """
    if isinstance(factorization, SymmetricFactorization):
        return False
    return is_mirrored(problem, factors)


def factor_velocity(
    problem: AbstractObjective,
    factorization: AbstractFactorization,
    factors: Tree,
    *,
    is_mirrored: bool,
) -> tuple[Tree, Float[Array, ""]]:
    """Minus the gradient in the factors, and the loss; traceable."""
    matrix = factorization.end_to_end(factors)
    gradient = to_dense(problem.gradient(matrix))
    pulled = factorization.pullback(factors, gradient)
    velocity = jax.tree.map(jnp.negative, pulled)
    return mirrored(velocity) if is_mirrored else velocity, problem.value(matrix)


def flow_counts(state: FlowState) -> dict[str, float]:
    """What an adaptive flow counts, for the record."""
    return {
        "evaluations": int(state.evaluations),
        "rejections": int(state.rejections),
        "step": float(state.step),
    }


def host_norm(tree: Tree) -> float:
    """The Euclidean norm of all numbers of a tree, on the host, at any scale."""
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]
    largest = float(np.max([np.abs(leaf).max() for leaf in leaves]))
    if not 0 < largest < np.inf:
        return largest
    squares = sum(float(np.sum((leaf / largest) ** 2)) for leaf in leaves)
    return largest * float(np.sqrt(squares))


def check_method(where: str, method: str) -> None:
    """Nothing, for a known method.

    Raises:
        SpecError: for another word.
    """
    if method not in ("auto", "stabilized", "explicit"):
        raise SpecError(
            where=where,
            rule='the method is "auto", "stabilized" or "explicit"',
            got=f"{method!r}",
            fix='Give method="auto"',
        )


@eqx.filter_jit
def _init(
    flow: GradientFlow,
    problem: AbstractObjective,
    factorization: AbstractFactorization,
    factors: Tree,
    time: Real,
    linear_until: Real,
    is_mirrored: bool,
) -> FlowState:
    return first_state(
        lambda y: factor_velocity(problem, factorization, y, is_mirrored=is_mirrored),
        factorization.unit_norms,
        factors,
        atol=flow.atol,
        time=time,
        linear_until=linear_until,
        explicit=flow.method == "explicit",
        is_mirrored=is_mirrored,
    )


@eqx.filter_jit
def _advance(
    flow: GradientFlow,
    problem: AbstractObjective,
    factorization: AbstractFactorization,
    state: FlowState,
    until: Until,
    limits: Limits,
) -> FlowState:
    return integrate(
        lambda y: factor_velocity(
            problem, factorization, y, is_mirrored=state.is_mirrored
        ),
        factorization.unit_norms,
        state,
        rtol=flow.rtol,
        until=until,
        limits=limits,
        method=flow.method,
    )
