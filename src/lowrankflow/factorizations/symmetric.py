"""Symmetric factorization of a positive semidefinite matrix: X = U U'."""

import equinox as eqx
from jaxtyping import Array, Float

from lowrankflow.errors import SpecError
from lowrankflow.factorizations.deep import positive_int
from lowrankflow.factorizations.factorization import (
    AbstractFactorization,
    Factors,
    norms_of_blocks,
)
from lowrankflow.problems import Numbers


class SymmetricFactorization(AbstractFactorization):
    r"""X = U U' with U of size x width: the positive semidefinite matrices.

    The flow is U' = -sym(grad f(U U')) U, that of f(U U') / 2: the clock of
    gunasekar2017 (equation 3) and li2021, and that of the depth-2 factorization from
    the symmetric start W_2 = W_1' = U.

    Args:
        width: number of columns of U, >= 1; None for as many as rows, with which no
            rank is excluded.

    Raises:
        SpecError: when the width is not a positive integer.

    Exactness: exact.
    Cost: 2 products of size x size x width numbers for product and pullback.
    Source: gunasekar2017, equation (2); li2021, section 3.
    Differs: gunasekar2017 writes ||.||^2 without the factor 1/2 and absorbs constants.
    """

    width: int | None = eqx.field(static=True)

    def __init__(self, width: int | None = None):
        where = "SymmetricFactorization(width)"
        self.width = None if width is None else positive_int(where, width)

    def shapes(self, shape: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        rows, cols = shape
        if rows != cols:
            raise SpecError(
                where="SymmetricFactorization",
                rule="U U' is square, so the problem must be",
                got=f"a problem of shape {shape}",
                fix="Use DeepFactorization(depth=2), or lowrankflow.lift(problem)",
            )
        return ((rows, rows if self.width is None else self.width),)

    @property
    def num_factors_in_product(self) -> int:
        return 2

    def end_to_end(self, factors: Factors) -> Float[Numbers, "rows cols"]:
        (factor,) = factors
        return factor @ factor.T

    def pullback(
        self, factors: Factors, gradient: Float[Numbers, "rows cols"]
    ) -> Factors:
        (factor,) = factors
        return (((gradient + gradient.T) / 2) @ factor,)

    def unit_norms(self, factors: Factors) -> Float[Array, " units"]:
        (factor,) = factors
        return norms_of_blocks([(factor, 0)])
