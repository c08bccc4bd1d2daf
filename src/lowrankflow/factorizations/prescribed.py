"""Starts that are prescribed: by a norm, by a solution, by the caller."""

from typing import Literal

import equinox as eqx
import numpy as np
from jaxtyping import Float

from lowrankflow.errors import SpecError
from lowrankflow.factorizations.factorization import (
    AbstractFactorization,
    largest_rank,
    to_host,
)
from lowrankflow.factorizations.frames import balanced_factors
from lowrankflow.factorizations.start import AbstractStart, HostFactors, positive
from lowrankflow.factorizations.symmetric import SymmetricFactorization
from lowrankflow.problems import AbstractObjective, Numbers, finite_array
from lowrankflow.seeds import generator


class RandomPSD(AbstractStart):
    r"""A random positive semidefinite W(0) = c B B' of a given Frobenius norm.

    B has independent normal entries, as many columns as U has; twice as many as rows
    for a deep factorization, which gets balanced factors of W(0) and asks for a square
    problem without narrow widths.

    Args:
        frobenius_norm: ||W(0)||_F, or ||U(0)||_F when `of` is "factor"; > 0.
        of: whether the norm is that of the end-to-end "matrix" (li2021) or of the
            "factor" U (gunasekar2017).

    Raises:
        SpecError: when the norm is not positive and finite, `of` is another word, or
            the factorization does not fit.

    Exactness: exact.
    Source: li2021, section 7; gunasekar2017, section 5.
    Differs: as in the sources.
    """

    frobenius_norm: float
    of: Literal["matrix", "factor"] = eqx.field(static=True, default="matrix")

    def __check_init__(self):
        positive("RandomPSD(frobenius_norm)", self.frobenius_norm)
        if self.of not in ("matrix", "factor"):
            raise SpecError(
                where="RandomPSD(of)",
                rule='the norm is that of the "matrix" or of the "factor"',
                got=f"{self.of!r}",
                fix='Give of="matrix"',
            )

    def factors(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        *,
        seed: int,
    ) -> HostFactors:
        shapes = factorization.shapes(problem.shape)
        size, wanted = problem.shape[0], float(self.frobenius_norm)
        rng = generator(seed, "start", "psd")
        if isinstance(factorization, SymmetricFactorization):
            (factor,) = (rng.standard_normal(shape) for shape in shapes)
            if self.of == "factor":
                return (factor * (wanted / np.linalg.norm(factor)),)
            unit = factor / np.sqrt(np.linalg.norm(factor @ factor.T))
            return (unit * np.sqrt(wanted),)
        if largest_rank(shapes) < size or problem.shape != (size, size):
            raise SpecError(
                where="RandomPSD",
                rule="a full-rank p.s.d. start needs a square matrix and full widths",
                got=f"factors of shapes {shapes}",
                fix="Use Balanced(init_scale=...), or SymmetricFactorization()",
            )
        drawn = rng.standard_normal((size, 2 * size))
        values, vectors = np.linalg.eigh(drawn @ drawn.T)
        values = values / np.linalg.norm(values)
        factors = balanced_factors(factorization, vectors, values, vectors, None)
        depth = factorization.num_factors_in_product
        power = 1 / depth if self.of == "matrix" else 1.0
        norm = 1.0 if self.of == "matrix" else np.linalg.norm(factors[0])
        return tuple(f / norm * wanted**power for f in factors)


class SpectralOptimum(AbstractStart):
    r"""The leading spectral part of a given matrix, balanced: a start at its solution.

    gunasekar2017 starts descent from the leading part of a rank-unconstrained optimum
    X_gd (`reference.projected_gradient`), to show a global optimum of the factorized
    problem that does not generalize.

    Args:
        matrix: rows x cols, finite; symmetric and p.s.d. for U U', to 1e-8 of its
            largest entry or eigenvalue.

    Raises:
        DataError: when it is no finite matrix.
        SpecError: when its shape is not the problem's, or for U U' when it is not
            symmetric, whose symmetric part need not be a solution, or not p.s.d.

    Exactness: exact: the best approximation of the rank that the widths allow.
    Source: gunasekar2017, figure 1 ("SVD initialization").
    Differs: the paper's recipe is described in words only; this is our reading.
    """

    matrix: Float[Numbers, "rows cols"]

    def __init__(self, matrix: Numbers):
        self.matrix = finite_array("SpectralOptimum(matrix)", matrix, ndim=2)

    def factors(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        *,
        seed: int,
    ) -> HostFactors:
        rank = largest_rank(factorization.shapes(problem.shape))
        array = np.asarray(self.matrix)
        if array.shape != problem.shape:
            raise SpecError(
                where="SpectralOptimum(matrix)",
                rule=f"the matrix has the problem's shape {problem.shape}",
                got=f"shape {array.shape}",
                fix="Give a solution of this problem",
            )
        if isinstance(factorization, SymmetricFactorization):
            # 1e-8: what a projection on the p.s.d. cone leaves behind, with room.
            asymmetry = np.abs(array - array.T).max()
            if asymmetry > 1e-8 * np.abs(array).max():
                raise SpecError(
                    where="SpectralOptimum(matrix)",
                    rule="U U' is symmetric, so the matrix must be",
                    got=f"an entry that is {asymmetry:.3g} off its mirror image",
                    fix="Use reference.projected_gradient(problem).matrix, or give "
                    "(matrix + matrix.T) / 2",
                )
            values, vectors = np.linalg.eigh((array + array.T) / 2)
            if values[0] < -1e-8 * np.abs(values).max():
                raise SpecError(
                    where="SpectralOptimum(matrix)",
                    rule="U U' is positive semidefinite, so the matrix must be",
                    got=f"smallest eigenvalue {values[0]:.3g}",
                    fix="Use reference.projected_gradient(problem).matrix",
                )
            left = right = vectors[:, ::-1][:, :rank]
            values = values[::-1][:rank].clip(0)
        else:
            left, values, transposed = np.linalg.svd(array, full_matrices=False)
            left, values, right = left[:, :rank], values[:rank], transposed[:rank].T
        return balanced_factors(factorization, left, values, right, None)


class GivenFactors(AbstractStart):
    """Factors that the caller brings.

    Args:
        given: the factors, the one that acts first first; finite.

    Raises:
        DataError: when one is no finite matrix.
        SpecError: when their shapes are not those of the factorization.
    """

    given: tuple[Numbers, ...]

    def __init__(self, given: tuple[Numbers, ...]):
        self.given = tuple(
            finite_array(f"GivenFactors(given)[{j}]", factor, ndim=2)
            for j, factor in enumerate(given)
        )

    def factors(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        *,
        seed: int,
    ) -> HostFactors:
        shapes = factorization.shapes(problem.shape)
        got = tuple(factor.shape for factor in self.given)
        if got != shapes:
            raise SpecError(
                where="GivenFactors(given)",
                rule=f"this factorization has factors of shapes {shapes}",
                got=f"{got}",
                fix="Order them as they act, the first first",
            )
        return to_host(self.given)
