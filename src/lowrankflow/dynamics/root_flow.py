"""The flow of a deep symmetric product, in the variable M = W^(2/N)."""

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
from lowrankflow.dynamics.flow import flow_counts, host_norm
from lowrankflow.dynamics.integrator import FlowState, Real, first_state, integrate
from lowrankflow.dynamics.mirror import is_mirrored, on_host
from lowrankflow.dynamics.steppers import Tree
from lowrankflow.errors import SpecError
from lowrankflow.factorizations import AbstractFactorization, positive
from lowrankflow.metrics import imbalance
from lowrankflow.precision import in_float64
from lowrankflow.problems import AbstractObjective, to_dense

HostFactors = tuple[np.ndarray, ...]


class RootFlow(AbstractDynamics[FlowState]):
    r"""Gradient flow of a positive semidefinite W = M^(N/2), as a flow of M.

    M' = -(grad f(W) W + W grad f(W)), the symmetric part of grad f taken: from balanced
    factors and a positive semidefinite W the factors of any depth N >= 2 move W like
    this. At depth 2 M is W; beyond, directions that are small in W are larger in M.
    U U' counts as depth 2, on its own clock, which is the same.

    Args:
        rtol: error allowed per step, relative to ||M||_F; > 0.
        atol: the same in units of ||M(0)||_F; > 0.

    Raises:
        SpecError: when a tolerance is not positive; at the start, when the factors are
            not balanced, f or W is not symmetric or W not positive semidefinite.

    Exactness: within `rtol` per step; orders 2 and 5.
    Cost: an eigendecomposition for each right-hand side.
    Source: li2021, the section on deep factorizations.
    Differs: as in the source.
    """

    rtol: float
    atol: float

    numerics_version: ClassVar[int] = 1
    start_form: ClassVar[StartForm] = "factors"

    def __check_init__(self):
        positive("RootFlow(rtol)", self.rtol)
        positive("RootFlow(atol)", self.atol)

    @in_float64
    def init(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        factors: HostFactors,
        *,
        seed: int,
    ) -> FlowState:
        matrix = np.asarray(factorization.end_to_end(factors))
        power = factorization.num_factors_in_product / 2
        size = max(float(np.linalg.norm(factor, 2)) ** 2 for factor in factors)
        values, vectors = _checked(problem, factors, matrix, size, power)
        root = (vectors * values.clip(0) ** (1 / power)) @ vectors.T
        return _init(as_traced(self), problem, (root + root.T) / 2, np.asarray(power))

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
        power = np.asarray(factorization.num_factors_in_product / 2)
        limits = Limits.of(stop)
        return _advance(as_traced(self), problem, power, state, until, limits)

    @in_float64
    def snapshot(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: FlowState,
    ) -> Snapshot:
        (root,) = state.point
        power = factorization.num_factors_in_product / 2
        values, vectors = np.linalg.eigh(np.asarray(root))
        return Snapshot(
            time=float(state.time),
            iteration=int(state.iteration),
            matrix=(vectors * values.clip(0) ** power) @ vectors.T,
            factors=(),
            loss=float(state.loss),
            gradient_norm=host_norm(state.velocity),
            result=RESULTS[int(state.status)],
            extra=flow_counts(state),
        )


def _checked(
    problem: AbstractObjective,
    factors: HostFactors,
    matrix: Float[np.ndarray, "size size"],
    size: float,
    power: float,
) -> tuple[Float[np.ndarray, " size"], Float[np.ndarray, "size size"]]:
    """Eigenvalues and eigenvectors of a W that this flow may start from."""
    fix = "Use start=Identity(init_scale=...), or GradientFlow instead"
    # 1e-9: a balanced start is balanced to 1e-15; room for one read from a file.
    uneven = imbalance(factors) if len(factors) > 1 else 0.0
    if power < 1 or uneven > 1e-9 * size:
        raise SpecError(
            where="RootFlow",
            rule="two balanced factors at least: only then does W move on its own",
            got=f"{2 * power:g} factors, imbalance {uneven:.1e}",
            fix=fix,
        )
    if not is_mirrored(on_host(problem), ((matrix + matrix.T) / 2,)):
        raise SpecError(
            where="RootFlow",
            rule="grad f is symmetric at symmetric matrices",
            got="a problem where it is not",
            fix="Use lowrankflow.problems.symmetrized(problem)",
        )
    skew = np.abs(matrix - matrix.T).max()
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    if skew > 1e-9 * np.abs(matrix).max() or values[0] < -1e-9 * abs(values[-1]):
        raise SpecError(
            where="RootFlow",
            rule="W(0) is symmetric positive semidefinite, so that it has a root",
            got=f"a smallest eigenvalue {values[0]:.3g}, a skew part of {skew:.3g}",
            fix=fix,
        )
    return values, vectors


def _velocity(
    problem: AbstractObjective, power: Real, point: Tree
) -> tuple[Tree, Float[Array, ""]]:
    (root,) = point
    values, vectors = jnp.linalg.eigh(root)
    matrix = (vectors * jnp.maximum(values, 0) ** power) @ vectors.T
    gradient = jnp.asarray(to_dense(problem.gradient(matrix)))
    product = -(gradient + gradient.T) / 2 @ matrix
    return (product + product.T,), problem.value(matrix)


def _whole_norm(point: Tree) -> Float[Array, " units"]:
    (root,) = point
    return jnp.linalg.norm(root)[None]


@eqx.filter_jit
def _init(
    flow: RootFlow,
    problem: AbstractObjective,
    root: Float[np.ndarray, "size size"],
    power: Real,
) -> FlowState:
    return first_state(
        lambda y: _velocity(problem, power, y),
        _whole_norm,
        (root,),
        atol=flow.atol,
        time=jnp.zeros(()),
        linear_until=0.0,
        explicit=False,
        is_mirrored=True,
    )


@eqx.filter_jit
def _advance(
    flow: RootFlow,
    problem: AbstractObjective,
    power: Real,
    state: FlowState,
    until: Until,
    limits: Limits,
) -> FlowState:
    return integrate(
        lambda y: _velocity(problem, power, y),
        _whole_norm,
        state,
        rtol=flow.rtol,
        until=until,
        limits=limits,
        method="auto",
    )
