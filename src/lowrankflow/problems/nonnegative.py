"""Least squares over x >= 0, as a matrix problem whose measurements are diagonal."""

import numpy as np

from lowrankflow.errors import SpecError
from lowrankflow.problems.dense_operators import CommutingSensing
from lowrankflow.problems.planted import measure
from lowrankflow.problems.problem import SensingProblem
from lowrankflow.seeds import generator


def nonnegative_least_squares(
    *, size: int, num_measurements: int, sparsity: int, seed: int
) -> SensingProblem:
    r"""Recover a sparse x >= 0 from y = E x, written as diag(x).

    The measurements are A_k = diag(e_k), so that U U' from a multiple of the identity
    stays diagonal and is x = u * u, entry by entry.

    Args:
        size: features, the length of x.
        num_measurements: rows of E, in 1...size; entries are standard normal.
        sparsity: entries of the truth that are not zero, in 1...size; uniform in
            [0.5, 1.5], at the first places.
        seed: of design and truth, each drawn independently.

    Raises:
        SpecError: when a number is out of its range.

    Exactness: exact; without noise.
    Source: gunasekar2017, corollary 2.
    Differs: the paper names no family; this one is our own.
    """
    where = "nonnegative_least_squares"
    for name, value in (
        ("num_measurements", num_measurements),
        ("sparsity", sparsity),
    ):
        if not 1 <= value <= size:
            raise SpecError(
                where=f"{where}({name})",
                rule=f"this is in 1...size, here {size}",
                got=f"{value!r}",
                fix=f"Give for example {max(1, size // 2)}",
            )
    shape = (num_measurements, size)
    design = generator(seed, where, "design").standard_normal(shape)
    truth = np.zeros(size)
    truth[:sparsity] = generator(seed, where, "truth").uniform(0.5, 1.5, size=sparsity)
    return measure(np.diag(truth), CommutingSensing(np.eye(size), design))
