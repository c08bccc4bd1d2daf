"""The step to the minimum of the loss along minus the gradient, exactly."""

from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from lowrankflow.dynamics.iteration import IterationState, Move
from lowrankflow.dynamics.step_rules import AbstractStepRule, along
from lowrankflow.dynamics.steppers import Tree
from lowrankflow.errors import SpecError
from lowrankflow.factorizations import (
    AbstractFactorization,
    DeepFactorization,
    SymmetricFactorization,
    positive,
)
from lowrankflow.problems import AbstractObjective, SensingProblem, Squared


class ExactLineSearch(AbstractStepRule):
    r"""The step s >= 0 that minimizes f(W_1 - s g_1, ..., W_N - s g_N).

    With the squared loss the residual along the ray is a polynomial of degree N in s
    with vector coefficients, and the loss one of degree 2 N (U U': degrees 2 and 4). Of
    the positive roots of its derivative the one of least loss is taken, which need not
    be the first: a step may leap over a hill.

    Args:
        max_step: a limit on s, > 0, for stability; the minimum is then that over
            [0, max_step]. None for no limit.

    Raises:
        SpecError: when the limit is not positive and finite.

    Exactness: exact to rounding: all stationary points are found and compared.
    Cost: N (N + 1) - 2 products of factors and N + 1 applications of 𝒜 for each step,
        and the eigenvalues of a matrix of size 2 N - 1, which JAX finds on CPUs and
        GPUs.
    Source: gunasekar2017, figure 1 (exact line search, clipped).
    Differs: the paper does not say where it clips.
    """

    max_step: float | None = None

    needs_whole_loss: ClassVar[bool] = True

    def __check_init__(self):
        if self.max_step is not None:
            positive("ExactLineSearch(max_step)", self.max_step)

    def check(
        self, problem: AbstractObjective, factorization: AbstractFactorization
    ) -> None:
        squared = isinstance(problem, SensingProblem)
        if not (squared and isinstance(problem.loss, Squared)):
            what = problem.loss if isinstance(problem, SensingProblem) else problem
            raise SpecError(
                where="ExactLineSearch",
                rule="the loss along a ray is a polynomial only for the squared loss "
                "of linear measurements",
                got=f"{type(what).__name__}",
                fix="Use ConstantStep(learning_rate=...)",
            )
        if not isinstance(factorization, DeepFactorization | SymmetricFactorization):
            raise SpecError(
                where="ExactLineSearch",
                rule="the product along a ray is known for DeepFactorization and "
                "SymmetricFactorization",
                got=f"{type(factorization).__name__}",
                fix="Use ConstantStep(learning_rate=...)",
            )

    def first_memory(self, factors: Tree) -> Tree:
        return ()

    def move(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: IterationState,
    ) -> Move:
        assert isinstance(problem, SensingProblem)  # `check` has seen to it
        residuals = residual_polynomial(
            problem, factorization, state.point, state.gradient
        )
        step = best_step(residuals, self.max_step)
        return Move(along(state.point, -step, state.gradient), (), step)


def residual_polynomial(
    problem: SensingProblem,
    factorization: AbstractFactorization,
    factors: Tree,
    gradient: Tree,
) -> Float[Array, "coefficients m"]:
    """The coefficients in s of 𝒜(product of the factors - s gradient) - y.

    Exactness: exact to rounding.
    Cost: N (N + 1) - 2 products of factors and N + 1 applications of 𝒜.
    """
    pairs = list(zip(factors, gradient, strict=True))
    if isinstance(factorization, SymmetricFactorization):
        ((factor, slope),) = pairs
        pairs = [(factor.T, slope.T), (factor, slope)]
    (first, slope), *rest = pairs
    product = [first, -slope]
    for factor, slope in rest:
        raised = [factor @ product[0]]
        for low, high in zip(product[:-1], product[1:], strict=True):
            raised.append(factor @ high - slope @ low)
        product = [*raised, -slope @ product[-1]]
    measured = jnp.stack([problem.operator.apply(matrix) for matrix in product])
    return measured.at[0].add(-problem.measurements)


def best_step(
    residuals: Float[Array, "coefficients m"], max_step: Float[Array, ""] | float | None
) -> Float[Array, ""]:
    """The s in [0, max_step] that minimizes ||sum_k s^k residuals[k]||.

    Args:
        residuals: coefficients, the constant one first; the first-order one must lower
            the norm, else the answer is 0.
        max_step: the largest step, or None.

    Exactness: exact to rounding: all stationary points are compared.
    Cost: (degree + 1)^2 m operations and the eigenvalues of a small matrix.
    """
    degree = residuals.shape[0] - 1
    powers = jnp.arange(degree + 1)
    # In units of `unit` no coefficient is larger than the constant one.
    sizes = jnp.linalg.norm(residuals, axis=1)
    orders = 1 / powers[1:].astype(jnp.float64)
    ratios = sizes[0] / jnp.where(sizes[1:] > 0, sizes[1:], 1.0)
    unit = jnp.min(jnp.where(sizes[1:] > 0, ratios**orders, jnp.inf))
    usable = (unit > 0) & jnp.isfinite(unit)
    unit = jnp.where(usable, unit, 1.0)
    scaled = residuals * (unit**powers / jnp.where(usable, sizes[0], 1.0))[:, None]
    gram = scaled @ scaled.T
    # ||r||^2 is the sum over i, j of s^(i+j) <r_i, r_j>.
    loss = jnp.zeros(2 * degree + 1).at[powers[:, None] + powers[None, :]].add(gram)
    slope = loss[1:] * jnp.arange(1, 2 * degree + 1)
    falls = usable & (slope[0] < 0)
    roots = _reciprocal_roots(jnp.where(falls, slope, 1.0))
    limit = jnp.inf if max_step is None else max_step / unit
    roots = jnp.minimum(_polished(slope, roots), limit)
    heights = jnp.where(roots > 0, jnp.polyval(loss[::-1], roots), jnp.inf)
    best = roots[jnp.argmin(heights)]
    # Where rounding hides every minimum, the step stays put.
    lower = jnp.min(heights) < loss[0]
    step = jnp.where(falls & lower, unit * best, 0.0)
    return step if max_step is None else jnp.minimum(step, max_step)


def _reciprocal_roots(coefficients: Float[Array, " n"]) -> Float[Array, " roots"]:
    """Candidates for positive roots: 1 / Re u over the roots u of the reversed one.

    Reversed, the leading coefficient is the constant one, which is never zero here,
    while the highest may well be. Every positive root is among the candidates; whatever
    else is among them is told apart by its height. Unusable ones are 0.
    """
    size = coefficients.shape[0] - 1
    companion = jnp.eye(size, k=-1).at[0].set(-coefficients[1:] / coefficients[0])
    inverse = jnp.real(jnp.linalg.eigvals(companion))
    return jnp.where(inverse > 0, 1 / jnp.where(inverse > 0, inverse, 1.0), 0.0)


def _polished(
    slope: Float[Array, " n"], roots: Float[Array, " k"]
) -> Float[Array, " k"]:
    """The roots after Newton steps, each taken only where it lowers |slope|."""
    bend = slope[1:] * jnp.arange(1, slope.shape[0])

    def polish(_: Array, roots: Array) -> Array:
        value = jnp.polyval(slope[::-1], roots)
        change = jnp.polyval(bend[::-1], roots)
        trial = roots - value / jnp.where(change == 0, 1.0, change)
        better = abs(jnp.polyval(slope[::-1], trial)) < abs(value)
        return jnp.where(better & (trial > 0) & (change != 0), trial, roots)

    return jax.lax.fori_loop(0, 3, polish, roots)
