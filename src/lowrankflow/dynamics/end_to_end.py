"""The flow of the end-to-end matrix alone, for balanced factors of any depth."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lowrankflow.dynamics.contract import (
    RESULTS,
    AbstractDynamics,
    Limits,
    Snapshot,
    StartForm,
    Stop,
    Until,
    as_traced,
)
from lowrankflow.dynamics.flow import check_method, flow_counts, host_norm
from lowrankflow.dynamics.integrator import (
    FlowState,
    Method,
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
)
from lowrankflow.metrics import imbalance
from lowrankflow.precision import in_float64
from lowrankflow.problems import AbstractObjective, to_dense


class EndToEndFlow(AbstractDynamics[FlowState]):
    r"""Gradient flow of balanced factors, seen as a flow of W alone.

    W' = - sum_j (W W')^((j-1)/N) grad f(W) (W' W)^((N-j)/N), which for U U' is
    W' = - sym(grad f) W - W sym(grad f).

    The fractional powers come from a thin singular value decomposition, so the null
    space of a rectangle is exact. Directions of W below 1e-16 of the largest are
    rounding here; `GradientFlow` resolves them. A W that the exact flow keeps symmetric
    is kept so in rounding too (`mirror`).

    Args:
        rtol: error allowed per step, relative to ||W||_F; > 0.
        atol: the same in units of ||W(0)||_F; > 0.
        method: "stabilized", "explicit" or "auto", as for `GradientFlow`.

    Raises:
        SpecError: when a tolerance is not positive or the method another word; at the
            start, when the factors are not balanced.

    Exactness: within `rtol` per step; orders 2 and 5.
    Cost: a singular value decomposition for each right-hand side.
    Source: arora2018, theorem 1; arora2019, section 3.
    Differs: as in the source.
    """

    rtol: float
    atol: float
    method: Method = eqx.field(default="auto", static=True)

    numerics_version: ClassVar[int] = 1
    start_form: ClassVar[StartForm] = "factors"

    def __check_init__(self):
        positive("EndToEndFlow(rtol)", self.rtol)
        positive("EndToEndFlow(atol)", self.atol)
        check_method("EndToEndFlow(method)", self.method)

    @in_float64
    def init(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        factors: tuple[np.ndarray, ...],
        *,
        seed: int,
    ) -> FlowState:
        uneven = imbalance(factors)
        size = max(np.linalg.norm(factor, 2) ** 2 for factor in factors)
        # 1e-9: a balanced start is balanced to 1e-15; room for one read from a file.
        if uneven > 1e-9 * size:
            raise SpecError(
                where="EndToEndFlow",
                rule="the start must be balanced: only then does W move on its own",
                got=f"imbalance {uneven:.1e} beside factors of squared norm {size:.1e}",
                fix="Use start=Balanced(init_scale=...), or GradientFlow instead",
            )
        matrix = np.asarray(factorization.end_to_end(factors))
        is_symmetric = is_mirrored(on_host(problem), (matrix,))
        return _init(as_traced(self), problem, factorization, matrix, is_symmetric)

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
        limits = Limits.of(stop)
        return _advance(as_traced(self), problem, factorization, state, until, limits)

    @in_float64
    def snapshot(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: FlowState,
    ) -> Snapshot:
        (matrix,) = state.point
        return Snapshot(
            time=float(state.time),
            iteration=int(state.iteration),
            matrix=np.asarray(matrix),
            factors=(),
            loss=float(state.loss),
            gradient_norm=host_norm(state.velocity),
            result=RESULTS[int(state.status)],
            extra=flow_counts(state),
        )


def end_to_end_velocity(
    matrix: Float[Array, "rows cols"],
    gradient: Float[Array, "rows cols"],
    *,
    depth: int,
) -> Float[Array, "rows cols"]:
    r"""The velocity of W under gradient flow of N balanced factors.

    Args:
        matrix: W.
        gradient: grad f(W).
        depth: N >= 1.

    Exactness: exact; a power 0 is the identity on the whole space.
    Cost: a thin singular value decomposition and six products.
    Source: arora2018, theorem 1.
    Differs: fractional powers through the singular value decomposition of W.
    """
    if depth == 1:
        return -gradient
    left, values, transposed = jnp.linalg.svd(matrix, full_matrices=False)
    # (W W')^(j/N) = left values^(2j/N) left'
    powers = [values ** (2 * j / depth) for j in range(depth)]
    first = ((gradient @ transposed.T) * powers[-1]) @ transposed
    last = left @ (powers[-1][:, None] * (left.T @ gradient))
    total = first + last
    if depth > 2:
        inner = sum(
            powers[j][:, None] * powers[depth - 1 - j][None, :]
            for j in range(1, depth - 1)
        )
        between = left.T @ gradient @ transposed.T
        total = total + left @ (inner * between) @ transposed
    return -total


def _matrix_velocity(
    problem: AbstractObjective,
    factorization: AbstractFactorization,
    point: Tree,
    is_symmetric: bool,
) -> tuple[Tree, Float[Array, ""]]:
    (matrix,) = point
    gradient = jnp.asarray(to_dense(problem.gradient(matrix)))
    if isinstance(factorization, SymmetricFactorization):
        pull = -(gradient + gradient.T) / 2
        product = pull @ matrix
        velocity = product + product.T
    else:
        depth = factorization.num_factors_in_product
        velocity = end_to_end_velocity(matrix, gradient, depth=depth)
    if is_symmetric:
        (velocity,) = mirrored((velocity,))
    return (velocity,), problem.value(matrix)


def _whole_norm(point: Tree) -> Float[Array, " units"]:
    (matrix,) = point
    return jnp.linalg.norm(matrix)[None]


@eqx.filter_jit
def _init(
    flow: EndToEndFlow,
    problem: AbstractObjective,
    factorization: AbstractFactorization,
    matrix: Float[np.ndarray, "rows cols"],
    is_symmetric: bool,
) -> FlowState:
    return first_state(
        lambda y: _matrix_velocity(problem, factorization, y, is_symmetric),
        _whole_norm,
        (matrix,),
        atol=flow.atol,
        time=jnp.zeros(()),
        linear_until=0.0,
        explicit=flow.method == "explicit",
        is_mirrored=is_symmetric,
    )


@eqx.filter_jit
def _advance(
    flow: EndToEndFlow,
    problem: AbstractObjective,
    factorization: AbstractFactorization,
    state: FlowState,
    until: Until,
    limits: Limits,
) -> FlowState:
    return integrate(
        lambda y: _matrix_velocity(problem, factorization, y, state.is_mirrored),
        _whole_norm,
        state,
        rtol=flow.rtol,
        until=until,
        limits=limits,
        method=flow.method,
    )
