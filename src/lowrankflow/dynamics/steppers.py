r"""One step of an ordinary differential equation, by two explicit methods.

*Stabilized* (Runge-Kutta-Chebyshev, second order): s evaluations make steps of up to
0.65 s^2 / radius stable, where a classical method manages about half a step per
evaluation. The Hessian of the loss is what limits a gradient flow's step, its spectrum
is real, and near convergence the solution hardly moves: exactly this method's home.

*Explicit* (Dormand-Prince, fifth order): fewer evaluations where accuracy and not
stability sets the step, that is for tight tolerances while something happens.

Trees of arrays in, trees of arrays out; no state.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

Tree = PyTree[Array]
Velocity = Callable[[Tree], Tree]

# Rounding grows with the square of the stages: 1e-10 relative at 1000.
MAX_STAGES = 1000
DAMPING = 2 / 13


class Trial(eqx.Module):
    """A step taken, before the velocity at its end is known.

    Args:
        point: the new point.
        error: the estimate of the error but for the part in the velocity there.
        weight: the number that velocity is multiplied with in the estimate.
    """

    point: Tree
    error: Tree
    weight: Float[Array, ""]

    def full_error(self, velocity: Tree) -> Tree:
        """The estimate of the error, given the velocity at the new point."""
        return jax.tree.map(lambda e, k: e + self.weight * k, self.error, velocity)


def stabilized_step(
    velocity: Velocity,
    point: Tree,
    slope: Tree,
    step: Float[Array, ""],
    radius: Float[Array, ""],
) -> Trial:
    """One step of the Runge-Kutta-Chebyshev method of order two.

    Args:
        velocity: the right-hand side.
        point: where the step begins.
        slope: the velocity there.
        step: its length; at most `stable_step(radius)`.
        radius: a bound on the spectral radius of the velocity's derivative, whose
            eigenvalues should lie near the negative real axis or be small.

    Exactness: order 2.
    Cost: `num_stages(step, radius)` evaluations, that at the new point included, and 5
        passes over the tree for each.
    Source: sommeijer1998, equations 2.1-2.8.
    Differs: w1 from hyperbolic functions, so that the number of stages may vary freely.
    """
    stages = num_stages(step, radius)
    w0, w1 = _chebyshev_arguments(stages)
    # b_j = T_j'' / T_j'^2, with b_0 = b_1 = b_2; all derivatives at w0.
    b_first = 4 / (4 * w0) ** 2
    weight = b_first * w1
    new = _combine(point, (weight * step, slope))
    polynomials = (jnp.stack([1 + 0 * w0, 0 * w0, 0 * w0]), jnp.stack([w0, 1.0, 0.0]))
    start = (point, new, polynomials, (b_first, b_first))

    def stage(_: Array, carry: tuple) -> tuple:
        before, last, (older, old), (b_older, b_old) = carry
        # T_j, T_j', T_j'' by the three-term recurrence and its derivatives.
        lower = jnp.stack([0.0, 2 * old[0], 4 * old[1]])
        chebyshev = 2 * w0 * old - older + lower
        b = chebyshev[2] / chebyshev[1] ** 2
        mu, nu, weight = 2 * b * w0 / b_old, -b / b_older, 2 * b * w1 / b_old
        correction = -(1 - b_old * old[0]) * weight

        def recur(y: Array, a: Array, z: Array, k: Array, k0: Array) -> Array:
            drift = step * (weight * k + correction * k0)
            return (1 - mu - nu) * y + mu * z + nu * a + drift

        new = jax.tree.map(recur, point, before, last, velocity(last), slope)
        return last, new, (old, chebyshev), (b_old, b)

    _, new, _, _ = jax.lax.fori_loop(2, stages + 1, stage, start)
    error = jax.tree.map(
        lambda y, k, z: 0.8 * (y - z) + 0.4 * step * k, point, slope, new
    )
    return Trial(new, error, 0.4 * step)


def num_stages(step: Float[Array, ""], radius: Float[Array, ""]) -> Array:
    """The fewest stages, at least 2, for which a stabilized step is stable."""
    needed = jnp.ceil(jnp.sqrt(1 + 1.54 * step * radius))
    return jnp.clip(needed, 2, MAX_STAGES).astype(jnp.int32)


def stable_step(radius: Float[Array, ""]) -> Array:
    """The longest stabilized step that `MAX_STAGES` stages keep stable."""
    return (MAX_STAGES**2 - 1) / (1.54 * radius)


def explicit_step(
    velocity: Velocity, point: Tree, slope: Tree, step: Float[Array, ""]
) -> Trial:
    """One step of the fifth-order method of Dormand and Prince.

    Args:
        velocity: the right-hand side.
        point: where the step begins.
        slope: the velocity there.
        step: its length.

    Exactness: order 5, with an embedded estimate of order 4.
    Cost: 6 evaluations, that at the new point included.
    Source: dormand1980.
    Differs: as in the source.
    """
    tableau = step * jnp.asarray(_TABLEAU)
    error = step * jnp.asarray(_ERROR)

    def combined(weights: Array, slopes: Tree) -> Tree:
        return jax.tree.map(lambda k: jnp.tensordot(weights, k, axes=1), slopes)

    def stage(i: Array, slopes: Tree) -> Tree:
        here = jax.tree.map(jnp.add, point, combined(tableau[i], slopes))
        return jax.tree.map(
            lambda k, new: jax.lax.dynamic_update_index_in_dim(k, new, i, 0),
            slopes,
            velocity(here),
        )

    slopes = jax.tree.map(
        lambda k: jnp.zeros((6, *k.shape), k.dtype).at[0].set(k), slope
    )
    slopes = jax.lax.fori_loop(1, 6, stage, slopes)
    new = jax.tree.map(jnp.add, point, combined(tableau[6], slopes))
    return Trial(new, combined(error[:6], slopes), error[6])


def spectral_radius(
    velocity: Velocity,
    point: Tree,
    slope: Tree,
    direction: Tree,
    *,
    iterations: int,
) -> tuple[Float[Array, ""], Tree]:
    """An estimate of the spectral radius of the velocity's derivative at a point.

    Args:
        velocity: the right-hand side.
        point: where.
        slope: the velocity there.
        direction: where the power iteration begins; the last result serves best.
        iterations: how often to apply the derivative.

    Returns:
        The estimate (a lower bound but for rounding), and the direction it belongs to,
        of norm one.

    Exactness: heuristic; a safety factor belongs on it.
    Cost: one evaluation for each iteration.
    Source: sommeijer1998, section 3.1 (nonlinear power method).
    Differs: normalized at every iteration.
    """
    # A finite difference of relative size 1e-7 balances rounding and curvature.
    reach = 1e-7 * jnp.maximum(tree_norm(point), 1e-140)

    def iterate(_: Array, pair: tuple[Array, Tree]) -> tuple[Array, Tree]:
        _, vector = pair
        moved = velocity(_combine(point, (reach, vector)))
        image = jax.tree.map(lambda a, b: (a - b) / reach, moved, slope)
        size = tree_norm(image)
        fine = (size > 0) & jnp.isfinite(size)
        return jnp.where(fine, size, 0.0), jax.tree.map(
            lambda new, old: jnp.where(fine, new / size, old), image, vector
        )

    start = (jnp.zeros(()), _normalized(direction))
    return jax.lax.fori_loop(0, iterations, iterate, start)


def tree_norm(tree: Tree) -> Float[Array, ""]:
    """The Euclidean norm of all numbers of a tree, without underflow or overflow."""
    leaves = jax.tree.leaves(tree)
    largest = jnp.max(jnp.stack([jnp.max(jnp.abs(leaf)) for leaf in leaves]))
    unit = jnp.where((largest > 0) & jnp.isfinite(largest), largest, 1.0)
    return unit * jnp.sqrt(sum(jnp.sum((leaf / unit) ** 2) for leaf in leaves))


def _combine(point: Tree, term: tuple[Array, Tree]) -> Tree:
    weight, tree = term
    return jax.tree.map(lambda y, k: y + weight * k, point, tree)


def _normalized(tree: Tree) -> Tree:
    size = tree_norm(tree)
    unit = jnp.where(size > 0, size, 1.0)
    return jax.tree.map(lambda leaf: leaf / unit, tree)


def _chebyshev_arguments(stages: Array) -> tuple[Array, Array]:
    """w0, and w1 = T_s'(w0) / T_s''(w0): where the polynomials are taken."""
    excess = DAMPING / stages.astype(float) ** 2
    # acosh(1 + excess), without cancellation; T_s(cosh x) = cosh(s x).
    x = 2 * jnp.arcsinh(jnp.sqrt(excess / 2))
    even, odd, sinh = jnp.cosh(stages * x), jnp.sinh(stages * x), jnp.sinh(x)
    slope = stages * odd / sinh
    bend = (stages**2 * even - slope * jnp.cosh(x)) / sinh**2
    return 1 + excess, slope / bend


# The last row is the solution itself, whose velocity is the seventh slope.
_TABLEAU = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [1 / 5, 0, 0, 0, 0, 0],
        [3 / 40, 9 / 40, 0, 0, 0, 0],
        [44 / 45, -56 / 15, 32 / 9, 0, 0, 0],
        [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0, 0],
        [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0],
        [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
    ]
)
_ERROR = np.append(_TABLEAU[6], 0.0) - np.array(
    [5179 / 57600, 0, 7571 / 16695, 393 / 640, -92097 / 339200, 187 / 2100, 1 / 40]
)
