"""In which coordinates a matrix is learned: the contract of a factorization."""

import abc

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

from lowrankflow.problems import Numbers

Factors = tuple[Numbers, ...]


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


def largest_rank(shapes: tuple[tuple[int, int], ...]) -> int:
    """The largest rank that a product of factors of these shapes can have."""
    return min(min(shape) for shape in shapes)


def to_host(factors: Factors) -> tuple[np.ndarray, ...]:
    """The factors as NumPy float64 arrays."""
    return tuple(np.asarray(factor, dtype=np.float64) for factor in factors)
