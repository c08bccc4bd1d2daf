"""A loop over the steps of a discrete dynamics: count, clock, stop rules.

A flow chooses its steps by their error; descent and the time-ordered exponential have
steps of their own, and what they have in common is here: each step is counted, its
length is added to the clock, loss and gradient at the new point are found together, and
the same stop rules are tried in the same order as for a flow.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, UInt

from lowrankflow.dynamics.contract import (
    CODES,
    OVERFLOW,
    RESULTS,
    RUNNING,
    Limits,
    Snapshot,
    Until,
)
from lowrankflow.dynamics.steppers import Tree, tree_norm
from lowrankflow.factorizations import AbstractFactorization, to_host
from lowrankflow.result import Result

# Two codes compiled apart agree on the loss of one point to better than this.
_SAME_LOSS = 1e-12


class Evaluation(eqx.Module):
    """What is known of a point once it has been looked at.

    Args:
        gradient: what the next step is made from, for descent the gradient in the
            factors.
        slope: norm of the gradient in the factors.
        loss: f at the point.
    """

    gradient: Tree
    slope: Float[Array, ""]
    loss: Float[Array, ""]


class Move(eqx.Module):
    """A step taken, before its end is looked at.

    Args:
        point: the new factors.
        memory: what the rule that made the step remembers.
        step: what the step adds to the clock.
    """

    point: Tree
    memory: Tree
    step: Float[Array, ""]


class IterationState(eqx.Module):
    """Where a discrete dynamics is, and all that decides its next step.

    Args:
        point: the factors.
        gradient: what the next step is made from.
        memory: what the step rule remembers: a velocity, a running mean, or nothing.
        seed: decides, with the iteration, all that is drawn at random.
        time: sum of the step lengths.
        lost: what rounding has taken from that sum.
        step: length of the last step, 0 before the first.
        loss: f at the point.
        slope: norm of the gradient in the factors.
        iteration: steps taken.
        moved: whether the gradient has been above the stop rule's.
        status: code of a `Result`.
        is_mirrored: whether point and gradient are kept mirror images (`mirror`).
    """

    point: Tree
    gradient: Tree
    memory: Tree
    seed: UInt[Array, ""]
    time: Float[Array, ""]
    lost: Float[Array, ""]
    step: Float[Array, ""]
    loss: Float[Array, ""]
    slope: Float[Array, ""]
    iteration: Int[Array, ""]
    moved: Bool[Array, ""]
    status: Int[Array, ""]
    is_mirrored: bool = eqx.field(static=True)


Look = Callable[[Tree, Float[Array, ""], Int[Array, ""]], Evaluation]
Step = Callable[[IterationState], Move]


def begin(
    look: Look,
    point: Tree,
    *,
    memory: Tree,
    seed: UInt[Array, ""],
    is_mirrored: bool = False,
) -> IterationState:
    """The state of a discrete dynamics that begins here; traceable.

    Every leaf has a dtype of its own: one that takes its dtype from its partners, as
    `jnp.asarray(0)` does, comes back from storage as another kind of number, for which
    the loop would be compiled again.
    """
    point, memory = _as_float64(point), _as_float64(memory)
    zero, first = jnp.zeros((), jnp.float64), jnp.zeros((), jnp.int64)
    seen = _as_float64(look(point, zero, first))
    return IterationState(
        point=point,
        gradient=seen.gradient,
        memory=memory,
        seed=jnp.asarray(seed, jnp.uint64),
        time=zero,
        lost=zero,
        step=zero,
        loss=seen.loss,
        slope=seen.slope,
        iteration=first,
        moved=jnp.zeros((), bool),
        status=jnp.asarray(RUNNING, jnp.int64),
        is_mirrored=is_mirrored,
    )


def iterate(
    look: Look,
    step: Step,
    state: IterationState,
    *,
    until: Until,
    limits: Limits,
    stalls: bool,
) -> IterationState:
    """Steps until the chunk's end or a stop rule; traceable.

    Args:
        look: gradient and loss at a point, a time and an iteration.
        step: the step from a state.
        state: where to begin.
        until: end of the chunk: the first state at or after this time, or at this
            iteration.
        limits: stop rules; they are tried at the first state too.
        stalls: whether to end when a step changes no bit of the point and the memory,
            which for a dynamics without chance means that none ever will.

    Returns:
        The state at the end of the chunk, with the reason in `status` if the run ended;
        after a divergence the last finite state.
    """

    def going(state: IterationState) -> Array:
        running = state.status == RUNNING
        before = (state.time < until.time) & (state.iteration < until.iteration)
        return running & before

    def advance(state: IterationState) -> IterationState:
        move = step(state)
        time, lost = _added(state.time, state.lost, move.step)
        iteration = state.iteration + 1
        seen = _as_float64(look(move.point, time, iteration))
        broken = _is_broken(move.point, seen)
        # Only where the loss has hardly changed can the point be the same.
        level = abs(seen.loss - state.loss) <= _SAME_LOSS * abs(state.loss)
        still = jax.lax.cond(
            level & stalls,
            lambda: _same((move.point, move.memory), (state.point, state.memory)),
            lambda: jnp.asarray(False),
        )
        moved = IterationState(
            point=move.point,
            gradient=seen.gradient,
            memory=move.memory,
            seed=state.seed,
            time=time,
            lost=lost,
            step=move.step,
            loss=seen.loss,
            slope=seen.slope,
            iteration=iteration,
            moved=state.moved,
            status=state.status,
            is_mirrored=state.is_mirrored,
        )
        kept = jax.tree.map(lambda old, new: jnp.where(broken, old, new), state, moved)
        return _judged(kept, limits, still=still, broken=broken)

    broken = _is_broken(
        state.point, Evaluation(state.gradient, state.slope, state.loss)
    )
    state = _judged(state, limits, still=jnp.asarray(False), broken=broken)
    return jax.lax.while_loop(going, advance, state)


def iteration_snapshot(
    factorization: AbstractFactorization, state: IterationState
) -> Snapshot:
    """What can be seen of a discrete dynamics, on the host."""
    factors = to_host(state.point)
    matrix = np.asarray(factorization.end_to_end(factors))
    return Snapshot(
        time=float(state.time),
        iteration=int(state.iteration),
        matrix=matrix,
        factors=factors,
        loss=float(state.loss),
        gradient_norm=float(state.slope),
        result=RESULTS[int(state.status)],
        extra={"step": float(state.step)},
    )


def _judged(
    state: IterationState, limits: Limits, *, still: Array, broken: Array
) -> IterationState:
    """The state with the first stop rule that holds, if any, as its status."""
    status = jnp.asarray(RUNNING, jnp.int64)
    # The last assignment wins, so the most telling reason comes last.
    for holds, result in (
        (still, Result.stalled),
        (state.iteration >= limits.iterations, Result.iterations_reached),
        (state.time >= limits.time, Result.time_reached),
        (state.moved & (state.slope <= limits.gradient), Result.stationary),
        (state.loss <= limits.loss, Result.converged),
        (broken, Result.diverged),
    ):
        status = jnp.where(holds, CODES[result], status)
    return eqx.tree_at(
        lambda s: (s.status, s.moved),
        state,
        (
            jnp.where(state.status == RUNNING, status, state.status),
            state.moved | (state.slope > limits.gradient),
        ),
    )


def _as_float64(tree: Tree) -> Tree:
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), tree)


def _is_broken(point: Tree, seen: Evaluation) -> Array:
    finite = jnp.isfinite(seen.loss) & jnp.isfinite(seen.slope)
    return ~(finite & (_squares(point) <= OVERFLOW**2))


def slope_of(gradient: Tree) -> Float[Array, ""]:
    """The norm of a gradient, in one pass where its square is a normal number."""
    squares = _squares(gradient)
    return jax.lax.cond(
        (squares > 1e-250) & (squares < 1e250),
        lambda: jnp.sqrt(squares),
        lambda: tree_norm(gradient),
    )


def _squares(tree: Tree) -> Array:
    leaves = jax.tree.leaves(tree)
    return jnp.sum(jnp.stack([jnp.sum(leaf * leaf) for leaf in leaves]))


def _same(new: Tree, old: Tree) -> Array:
    equal = jax.tree.map(lambda a, b: jnp.all(a == b), new, old)
    return jnp.all(jnp.stack(jax.tree.leaves(equal)))


def _added(time: Array, lost: Array, step: Array) -> tuple[Array, Array]:
    """The sum and what its rounding loses, so that k equal steps add up to k times."""
    wanted = step - lost
    total = time + wanted
    return total, (total - time) - wanted
