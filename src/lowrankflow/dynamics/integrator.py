"""An adaptive loop over steps of a gradient flow: error, stability, stop rules.

The error of a step is measured hidden unit by hidden unit, each relative to its own
size, because from a small start the directions that will matter later are tiny while
they grow, and an error that is small beside the large ones would be the wrong growth of
theirs.
"""

from collections.abc import Callable
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from lowrankflow.dynamics.contract import CODES, OVERFLOW, RUNNING, Limits, Until
from lowrankflow.dynamics.steppers import (
    Tree,
    explicit_step,
    num_stages,
    spectral_radius,
    stabilized_step,
    stable_step,
    tree_norm,
)
from lowrankflow.result import Result

Method = Literal["auto", "stabilized", "explicit"]
Evaluate = Callable[[Tree], tuple[Tree, Float[Array, ""]]]
Real = float | Array | np.ndarray
UnitNorms = Callable[[Tree], Float[Array, " units"]]

# Above this product of step and spectral radius the explicit method is at the edge of
# its stability (3.3 on the real axis), and below half of it the stabilized one gains
# nothing.
_EXPLICIT_EDGE = 2.6
# "auto" goes to the explicit method below this tolerance only: its order pays then.
EXPLICIT_BELOW = 1e-4
_REFRESH = 8
_SAFETY = 1.15
# A step that must be shorter than this, in units of the flow's fastest rate, fails by
# rounding and not by error.
_SMALLEST_REACH = 1e-14


class FlowState(eqx.Module):
    """Where an adaptive flow is, and all that decides its next step.

    Args:
        point: the factors (or W itself).
        velocity: their velocity.
        direction: last direction of the power iteration.
        floor: size of each hidden unit below which its relative error does not count.
        time: flow time.
        time_error: what rounding has left out of it; a deep flow from a tiny start
            moves in the last 1e-20 of its time.
        linear_until: end of the phase that a closed form covers; 0 if there is none.
        step: length of the next step.
        radius: estimate of the spectral radius of the velocity's derivative.
        loss: f at the point.
        iteration: accepted steps.
        rejections: rejected steps.
        evaluations: evaluations of the velocity.
        explicit: whether the explicit method is in use.
        patience: steps in a row in favour of the other method.
        moved: whether the gradient has been above the stop rule's.
        status: code of a `Result`.
        is_mirrored: whether point and velocity are kept mirror images (`mirror`).
    """

    point: Tree
    velocity: Tree
    direction: Tree
    floor: Float[Array, " units"]
    time: Float[Array, ""]
    time_error: Float[Array, ""]
    linear_until: Float[Array, ""]
    step: Float[Array, ""]
    radius: Float[Array, ""]
    loss: Float[Array, ""]
    iteration: Int[Array, ""]
    rejections: Int[Array, ""]
    evaluations: Int[Array, ""]
    explicit: Bool[Array, ""]
    patience: Int[Array, ""]
    moved: Bool[Array, ""]
    status: Int[Array, ""]
    is_mirrored: bool = eqx.field(static=True)


def first_state(
    evaluate: Evaluate,
    unit_norms: UnitNorms,
    point: Tree,
    *,
    atol: Real,
    time: Real,
    linear_until: Real,
    explicit: bool,
    is_mirrored: bool,
) -> FlowState:
    """The state of a flow that begins here."""
    velocity, loss = evaluate(point)
    sizes = unit_norms(point)
    rate = jnp.max(ratios(unit_norms(velocity), sizes))
    radius, direction = spectral_radius(
        lambda y: evaluate(y)[0], point, velocity, velocity, iterations=6
    )
    return FlowState(
        point=point,
        velocity=velocity,
        direction=direction,
        floor=jnp.asarray(atol * sizes),
        time=jnp.asarray(time, float),
        time_error=jnp.zeros(()),
        linear_until=jnp.asarray(linear_until, float),
        step=jnp.where(rate > 0, 0.01 / rate, 1.0),
        radius=radius,
        loss=loss,
        iteration=jnp.asarray(0, jnp.int64),
        rejections=jnp.asarray(0, jnp.int64),
        evaluations=jnp.asarray(7, jnp.int64),
        explicit=jnp.asarray(explicit),
        patience=jnp.asarray(0, jnp.int64),
        moved=jnp.asarray(False),
        status=jnp.asarray(RUNNING, jnp.int64),
        is_mirrored=is_mirrored,
    )


def integrate(
    evaluate: Evaluate,
    unit_norms: UnitNorms,
    state: FlowState,
    *,
    rtol: Real,
    until: Until,
    limits: Limits,
    method: Method,
    still_relative: Real = 1e-13,
    still_rate: Real = float("inf"),
) -> FlowState:
    """Steps until the chunk's end or a stop rule; traceable.

    Args:
        evaluate: velocity and loss at a point.
        unit_norms: sizes of the hidden units' blocks of a tree like the point.
        state: where to begin.
        rtol: error allowed per step, relative to each hidden unit's size.
        until: end of the chunk; a finite time is landed on exactly.
        limits: stop rules.
        method: "stabilized", "explicit", or "auto" to switch between them.
        still_relative: end when nothing moves faster than this, relative to its size
            and to the fastest rate of the flow; 1e-13 is what rounding leaves.
        still_rate: and not faster than this either, relative to its size only.

    Returns:
        The state at the end of the chunk, with the reason in `status` if the run ended.
    """

    def velocity(point: Tree) -> Tree:
        return evaluate(point)[0]

    def going(state: FlowState) -> Array:
        running = state.status == RUNNING
        before = (state.time < until.time) & (state.iteration < until.iteration)
        return running & before

    def stabilized(state: FlowState, step: Array, radius: Array) -> tuple:
        trial = stabilized_step(velocity, state.point, state.velocity, step, radius)
        return trial, num_stages(step, radius).astype(jnp.int64)

    def explicit(state: FlowState, step: Array, radius: Array) -> tuple:
        trial = explicit_step(velocity, state.point, state.velocity, step)
        return trial, jnp.asarray(6)

    def attempt(state: FlowState) -> FlowState:
        attempts = state.iteration + state.rejections
        stale = attempts % _REFRESH == 0
        radius, direction = jax.lax.cond(
            stale,
            lambda: spectral_radius(
                velocity, state.point, state.velocity, state.direction, iterations=2
            ),
            lambda: (state.radius, state.direction),
        )
        bound = _SAFETY * jnp.maximum(radius, 1e-300)
        wanted = jnp.minimum(
            state.step, jnp.where(state.explicit, jnp.inf, stable_step(bound))
        )
        room = until.time - state.time
        lands = wanted >= room
        step = jnp.where(lands, room, wanted)
        if method == "stabilized":
            trial, cost = stabilized(state, step, bound)
        elif method == "explicit":
            trial, cost = explicit(state, step, bound)
        else:
            trial, cost = jax.lax.cond(
                state.explicit, explicit, stabilized, state, step, bound
            )
        new_velocity, new_loss = evaluate(trial.point)
        sizes, new_sizes = unit_norms(state.point), unit_norms(trial.point)
        allowed = jnp.asarray(rtol * jnp.maximum(sizes, new_sizes)) + state.floor
        errors = unit_norms(trial.full_error(new_velocity))
        worst = jnp.max(ratios(errors, allowed))
        fine = jnp.isfinite(worst) & jnp.all(jnp.isfinite(new_sizes))
        within = fine & (worst <= 1)
        # A step that is right but leaves the finite numbers ends the run before it.
        broken = within & (
            ~jnp.isfinite(new_loss) | (tree_norm(trial.point) > OVERFLOW)
        )
        accepted = within & ~broken
        order = jnp.where(state.explicit, 5.0, 3.0)
        growth = 0.85 * jnp.where(worst > 0, worst, 1e-12) ** (-1 / order)
        growth = jnp.where(fine, jnp.clip(growth, 0.1, 5.0), 0.1)
        growth = jnp.where(accepted, growth, jnp.minimum(growth, 0.7))
        next_step = step * growth
        # A step cut short to land somewhere says nothing against longer ones.
        next_step = jnp.where(
            lands & accepted, jnp.maximum(next_step, wanted), next_step
        )

        def pick(new: Tree, old: Tree) -> Tree:
            return jax.tree.map(lambda a, b: jnp.where(accepted, a, b), new, old)

        is_explicit, patience = _switch(
            method, state, step * bound, worst, accepted, rtol
        )
        # Compensated: steps far below the rounding of a large time still add up.
        ahead = step + state.time_error
        summed = state.time + ahead
        new_time = jnp.where(lands, until.time, summed)
        time_error = jnp.where(lands, 0.0, ahead - (summed - state.time))
        moved = FlowState(
            point=pick(trial.point, state.point),
            velocity=pick(new_velocity, state.velocity),
            direction=direction,
            floor=state.floor,
            time=jnp.where(accepted, new_time, state.time),
            time_error=jnp.where(accepted, time_error, state.time_error),
            linear_until=state.linear_until,
            step=next_step,
            radius=radius,
            loss=jnp.where(accepted, new_loss, state.loss),
            iteration=state.iteration + accepted,
            rejections=state.rejections + ~accepted,
            evaluations=state.evaluations + cost + 2 * stale,
            explicit=is_explicit,
            patience=patience,
            moved=state.moved,
            status=state.status,
            is_mirrored=state.is_mirrored,
        )
        slowest = jnp.minimum(still_rate, still_relative * radius)
        return _judged(moved, unit_norms, limits, accepted, broken, step, slowest)

    return jax.lax.while_loop(going, attempt, _judged_at_entry(state, limits))


def ratios(
    amounts: Float[Array, " units"], sizes: Float[Array, " units"]
) -> Float[Array, " units"]:
    """Amounts / sizes, and 0 where the amount is 0 (a unit that is switched off)."""
    return jnp.where(amounts == 0, 0.0, amounts / jnp.where(amounts == 0, 1.0, sizes))


def _switch(
    method: Method,
    state: FlowState,
    reach: Array,
    worst: Array,
    accepted: Array,
    rtol: Real,
) -> tuple[Array, Array]:
    """Which method comes next: the other one after three steps that favour it."""
    if method != "auto":
        return state.explicit, state.patience
    at_edge = reach > _EXPLICIT_EDGE
    eased = (reach < _EXPLICIT_EDGE / 2) & (rtol < EXPLICIT_BELOW)
    votes = jnp.where(state.explicit, at_edge, eased & accepted)
    patience = jnp.where(votes, state.patience + 1, 0)
    changes = patience >= 3
    return state.explicit ^ changes, jnp.where(changes, 0, patience)


def _judged_at_entry(state: FlowState, limits: Limits) -> FlowState:
    """The state, ended if it needs no step: loss, time or count is there already."""
    status = state.status
    for holds, result in (
        (state.iteration >= limits.iterations, Result.iterations_reached),
        (state.time >= limits.time, Result.time_reached),
        (state.loss <= limits.loss, Result.converged),
    ):
        running = state.status == RUNNING
        status = jnp.where(running & holds, CODES[result], status)
    return eqx.tree_at(lambda s: s.status, state, status)


def _judged(
    state: FlowState,
    unit_norms: UnitNorms,
    limits: Limits,
    accepted: Array,
    broken: Array,
    step: Array,
    slowest: Array,
) -> FlowState:
    """The state with the first stop rule that holds, if any, as its status."""
    slope = tree_norm(state.velocity)
    speeds = unit_norms(state.velocity)
    sizes = jnp.maximum(unit_norms(state.point), state.floor)
    still = jnp.max(ratios(speeds, sizes)) <= slowest
    tiny = ~accepted & (step * state.radius <= _SMALLEST_REACH)
    status = jnp.asarray(RUNNING, jnp.int64)
    # The last assignment wins, so the most telling reason comes last.
    for holds, result in (
        (still & accepted, Result.stalled),
        (tiny, Result.step_too_small),
        (state.iteration >= limits.iterations, Result.iterations_reached),
        (state.time >= limits.time, Result.time_reached),
        (state.moved & (slope <= limits.gradient), Result.stationary),
        (state.loss <= limits.loss, Result.converged),
        (broken | ~jnp.isfinite(state.loss), Result.diverged),
    ):
        status = jnp.where(holds, CODES[result], status)
    return eqx.tree_at(
        lambda s: (s.status, s.moved),
        state,
        (status, state.moved | (slope > limits.gradient)),
    )
