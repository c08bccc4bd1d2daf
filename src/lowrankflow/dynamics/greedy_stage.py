"""The pieces of a stage of greedy learning: its direction, its unit, its flow."""

import equinox as eqx
import numpy as np
from jaxtyping import Float

from lowrankflow.dynamics.contract import Limits, Until
from lowrankflow.dynamics.flow import factor_velocity
from lowrankflow.dynamics.integrator import FlowState, Real, first_state, integrate
from lowrankflow.dynamics.mirror import is_symmetric
from lowrankflow.dynamics.steppers import Tree
from lowrankflow.factorizations import (
    AbstractFactorization,
    SymmetricFactorization,
)
from lowrankflow.problems import AbstractObjective

HostFactors = tuple[np.ndarray, ...]


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
    if pull.shape[0] == pull.shape[1] and is_symmetric(pull):
        # Left and right then agree to the last bit, and a flow that keeps W symmetric
        # starts symmetric.
        values, vectors = np.linalg.eigh((pull + pull.T) / 2)
        top = -1 if values[-1] >= -values[0] else 0
        direction = vectors[:, top]
        return float(abs(values[top])), direction, np.sign(values[top]) * direction
    left, values, transposed = np.linalg.svd(pull, full_matrices=False)
    return float(values[0]), left[:, 0], transposed[0]


def with_unit(
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
def begin_stage(
    problem: AbstractObjective,
    factorization: AbstractFactorization,
    factors: Tree,
    atol: Real,
    time: Real,
    before: FlowState | None,
    is_mirrored: bool,
) -> FlowState:
    """The flow of a new stage; its counts go on from the stage before.

    Exactness: exact.
    """
    state = first_state(
        lambda y: factor_velocity(problem, factorization, y, is_mirrored=is_mirrored),
        factorization.unit_norms,
        factors,
        atol=atol,
        time=time,
        linear_until=0.0,
        explicit=False,
        is_mirrored=is_mirrored,
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
def advance_stage(
    problem: AbstractObjective,
    factorization: AbstractFactorization,
    state: FlowState,
    rtol: Real,
    still_relative: Real,
    still_rate: Real,
    until: Until,
    limits: Limits,
) -> FlowState:
    """The flow of a stage, to the end of a chunk or until nothing moves.

    Exactness: within `rtol` per step.
    """
    return integrate(
        lambda y: factor_velocity(
            problem, factorization, y, is_mirrored=state.is_mirrored
        ),
        factorization.unit_norms,
        state,
        rtol=rtol,
        until=until,
        limits=limits,
        method="auto",
        still_relative=still_relative,
        still_rate=still_rate,
    )
