"""In which coordinates a matrix is learned: the contract of a factorization."""

import abc
from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lowrankflow.problems import Numbers

Factors = tuple[Numbers, ...]
# Below the first a sum of squares has lost some of them; the second, a power of two,
# lifts any number whose square is that small into the middle of the range.
_LOST, _LIFT = 2.0**-800, 2.0**600


class AbstractFactorization(eqx.Module):
    """Coordinates of a matrix: factors, their product, and the chain rule.

    Factors are a tuple of arrays, the first acting first. A *hidden unit* is one of the
    inner dimensions: a row of one factor together with a column of the next. The
    product does not change under a rotation of hidden units, and from a small start
    different units have very different sizes, so errors are measured unit by unit.
    """

    @abc.abstractmethod
    def shapes(self, shape: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        """The shapes of the factors of a (rows, cols) matrix.

        Raises:
            SpecError: when there is no such factorization of a matrix of this shape.
        """

    @property
    @abc.abstractmethod
    def num_factors_in_product(self) -> int:
        """N in the law sigma^(2 - 2/N): how many factors the product has."""

    @abc.abstractmethod
    def end_to_end(self, factors: Factors) -> Float[Numbers, "rows cols"]:
        """The product of the factors; of their kind, NumPy or JAX."""

    @abc.abstractmethod
    def pullback(
        self, factors: Factors, gradient: Float[Numbers, "rows cols"]
    ) -> Factors:
        """The gradient in the factors, from the gradient in the product."""

    @abc.abstractmethod
    def unit_norms(self, factors: Factors) -> Float[Array, " units"]:
        """The norms of the hidden units' blocks, factor by factor, in a fixed order."""


def norms_of_blocks(
    blocks: Sequence[tuple[Float[Numbers, "rows cols"], int]],
) -> Float[Array, " units"]:
    """The norms of rows or columns of matrices, without underflow of the squares.

    A hidden unit may be as small as 1e-300, whose square is no number. Where a sum of
    squares is that small it is taken again of the numbers times a power of two.

    Args:
        blocks: each a matrix and the axis to sum over: 0 for the norms of its columns,
            1 for those of its rows.

    Returns:
        The norms, one matrix's after the other's.

    Exactness: to rounding, from the smallest normal number to 1e154.
    """
    # JAX arrays: where a lifted number is past the largest, the plain sum is taken.
    blocks = [(jnp.asarray(matrix), axis) for matrix, axis in blocks]
    plain = jnp.concatenate([(x * x).sum(axis=axis) for x, axis in blocks])
    lifted = jnp.concatenate([((x * _LIFT) ** 2).sum(axis=axis) for x, axis in blocks])
    return jnp.where(plain < _LOST, jnp.sqrt(lifted) / _LIFT, jnp.sqrt(plain))


def largest_rank(shapes: tuple[tuple[int, int], ...]) -> int:
    """The largest rank that a product of factors of these shapes can have."""
    return min(min(shape) for shape in shapes)


def to_host(factors: Factors) -> tuple[np.ndarray, ...]:
    """The factors as NumPy float64 arrays."""
    return tuple(np.asarray(factor, dtype=np.float64) for factor in factors)
