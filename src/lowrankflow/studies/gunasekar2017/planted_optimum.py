"""A global optimum of the factorized problem that does not generalize.

The paper's "SVD initialization" starts from the leading spectral part of what projected
gradient descent on X itself finds. A start is plain data, and this one's is a matrix:
it is found when the runs are planned, once per process, in some tenths of a second.
"""

import functools

import numpy as np
from jaxtyping import Float

from lowrankflow.problems import SensingProblem
from lowrankflow.reference import projected_gradient
from lowrankflow.simulation import Recipe, build

# Machines differ in the last bits of an eigendecomposition; a plan should not.
_DECIMALS = 10


@functools.cache
def projected_optimum(
    recipe: Recipe, *, gradient_tolerance: float, max_iterations: int
) -> Float[np.ndarray, "size size"]:
    """Where projected gradient descent on X from zero ends, rounded, on the cone.

    Args:
        recipe: of measurements of square matrices.
        gradient_tolerance: the norm of the projected gradient to stop at, > 0.
        max_iterations: the most steps to make.

    Returns:
        Symmetric; its eigenvalues are >= 0 to the rounding of its entries.
    """
    problem = build(recipe)
    assert isinstance(problem, SensingProblem), "every recipe here makes one"
    found = projected_gradient(
        problem, gradient_tolerance=gradient_tolerance, max_iterations=max_iterations
    )
    return np.round(found.matrix, _DECIMALS)
