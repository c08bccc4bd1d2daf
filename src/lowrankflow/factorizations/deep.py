"""Deep matrix factorization: W = W_N ... W_1."""

import operator

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lowrankflow.errors import SpecError
from lowrankflow.factorizations.factorization import (
    AbstractFactorization,
    Factors,
    norms_of_blocks,
)
from lowrankflow.problems import Numbers


class DeepFactorization(AbstractFactorization):
    r"""W = W_N W_{N-1} ... W_1, the end-to-end matrix of a deep linear network.

    Args:
        depth: N, the number of factors, >= 1; 1 is the plain matrix.
        widths: None for hidden dimensions of min(rows, cols), with which no rank is
            excluded; an integer for all hidden dimensions; or all of d_0, ..., d_N,
            from cols to rows.

    Raises:
        SpecError: when the depth or a width is not a positive integer, or the number of
            widths is not depth + 1.

    Exactness: exact.
    Cost: 3 (N - 1) products of width-sized matrices for product and pullback.
    Source: arora2019, section 2, equation (3).
    Differs: as in the source.
    """

    depth: int = eqx.field(static=True)
    widths: int | tuple[int, ...] | None = eqx.field(static=True)

    def __init__(self, depth: int, widths: int | tuple[int, ...] | None = None):
        self.depth = positive_int("DeepFactorization(depth)", depth)
        where = "DeepFactorization(widths)"
        if widths is None:
            self.widths = None
        elif isinstance(widths, tuple | list):
            self.widths = tuple(positive_int(where, width) for width in widths)
            if len(self.widths) != self.depth + 1:
                raise SpecError(
                    where=where,
                    rule=f"depth {self.depth} means {self.depth + 1} widths",
                    got=f"{len(self.widths)} of them: {self.widths}",
                    fix="Give one integer for all hidden widths, or all of d_0...d_N",
                )
        else:
            self.widths = positive_int(where, widths)

    def shapes(self, shape: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        rows, cols = shape
        if isinstance(self.widths, tuple):
            widths = self.widths
            if (widths[-1], widths[0]) != (rows, cols):
                raise SpecError(
                    where="DeepFactorization(widths)",
                    rule=f"widths run from cols = {cols} to rows = {rows}",
                    got=f"{widths}",
                    fix="Begin with cols and end with rows, or give one hidden width",
                )
        else:
            hidden = min(rows, cols) if self.widths is None else self.widths
            widths = (cols, *([hidden] * (self.depth - 1)), rows)
        return tuple(zip(widths[1:], widths[:-1], strict=True))

    @property
    def num_factors_in_product(self) -> int:
        return self.depth

    def end_to_end(self, factors: Factors) -> Float[Numbers, "rows cols"]:
        product = factors[0]
        for factor in factors[1:]:
            product = factor @ product
        return product

    def pullback(
        self, factors: Factors, gradient: Float[Numbers, "rows cols"]
    ) -> Factors:
        # d f / d W_j = (W_N ... W_{j+1})' G (W_{j-1} ... W_1)'
        before = [factors[0]]
        for factor in factors[1:-1]:
            before.append(factor @ before[-1])
        pulled = []
        for factor, product in zip(factors[:0:-1], before[::-1], strict=False):
            pulled.append(_times_transpose(gradient, product))
            gradient = _transpose_times(factor, gradient)
        return (gradient, *pulled[::-1])

    def unit_norms(self, factors: Factors) -> Float[Array, " units"]:
        if self.depth == 1:
            return norms_of_blocks([(factors[0].reshape(-1, 1), 0)])
        blocks = []
        for j, factor in enumerate(factors):
            if j < self.depth - 1:
                blocks.append((factor, 1))
            if j > 0:
                blocks.append((factor, 0))
        return norms_of_blocks(blocks)


def _times_transpose(left: Numbers, right: Numbers) -> Numbers:
    """The product left right', without a transpose for the compiler to fold away.

    Folded into a product that is needed untransposed too, that product is computed
    twice: seven products instead of six at depth 3.
    """
    if isinstance(left, np.ndarray):
        return left @ right.T
    return jnp.tensordot(left, right, ((1,), (1,)))


def _transpose_times(left: Numbers, right: Numbers) -> Numbers:
    if isinstance(left, np.ndarray):
        return left.T @ right
    return jnp.tensordot(left, right, ((0,), (0,)))


def positive_int(where: str, value: int) -> int:
    """The value as a Python int >= 1.

    Raises:
        SpecError: when it is not.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1 or isinstance(value, bool):
        raise SpecError(
            where=where,
            rule="this is an integer >= 1",
            got=f"{value!r}",
            fix="Give for example 2",
        )
    return number
