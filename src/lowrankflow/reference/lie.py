"""The Lie algebra of measurements: the directions that controls can reach."""

from collections.abc import Sequence

import numpy as np

from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems import Numbers, finite_array


def lie_algebra_dimension(matrices: Sequence[Numbers] | Numbers, *, rtol: float) -> int:
    """The dimension of the span of the matrices and all their commutators.

    The least space that holds the A_k and with two matrices B, C also B C - C B. Where
    the A_k commute it is their span. Two generic symmetric n x n matrices give all
    n^2 directions: no argument can then leave the path of the residual out.

    Args:
        matrices: A_k, square, all of one size.
        rtol: a direction counts as new when more than this share of it lies outside the
            span of those before, > 0 and < 1.

    Raises:
        DataError: when they are no stack of square matrices, or not finite.
        SpecError: when the share is not in (0, 1).

    Exactness: exact but for the decision that `rtol` makes.
    Cost: dimension x m commutators, each orthogonalized against the dimension.
    Source: gunasekar2017, section 4 (the remark on the Lie algebra).
    Differs: as in the source.
    """
    where = "lie_algebra_dimension"
    if not 0 < rtol < 1:
        raise SpecError(
            where=f"{where}(rtol)",
            rule="a share is between 0 and 1",
            got=f"{rtol!r}",
            fix="Give for example 1e-8",
        )
    stack = finite_array(f"{where}(matrices)", np.asarray(matrices), ndim=3)
    if stack.shape[1] != stack.shape[2]:
        raise DataError(
            where=f"{where}(matrices)",
            rule="commutators are of square matrices",
            got=f"shape {stack.shape}",
            fix="Lift a rectangular problem with lowrankflow.problems.lift",
        )
    generators = [matrix / np.linalg.norm(matrix) for matrix in stack if matrix.any()]
    basis = np.empty((0, stack.shape[1] ** 2))
    waiting = list(generators)
    while waiting:
        matrix = waiting.pop(0)
        rest = matrix.ravel()
        for _ in range(2):  # twice is enough for orthogonality to rounding
            rest = rest - basis.T @ (basis @ rest)
        share = float(np.linalg.norm(rest))
        if share <= rtol:
            continue
        basis = np.vstack([basis, rest / share])
        new = (rest / share).reshape(matrix.shape)
        # Commutators with the generators alone span all nested ones, by Jacobi.
        for other in generators:
            bracket = other @ new - new @ other
            size = float(np.linalg.norm(bracket))
            if size > rtol:
                waiting.append(bracket / size)
    return len(basis)
