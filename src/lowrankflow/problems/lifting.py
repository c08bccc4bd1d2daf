"""A rectangular problem seen as a positive semidefinite one of size rows + cols."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from lowrankflow.problems.checks import finite_array
from lowrankflow.problems.matrices import (
    AbstractMatrix,
    Dense,
    Numbers,
    to_dense,
)
from lowrankflow.problems.operators import (
    AbstractSensingOperator,
    checked_dual,
    checked_matrix,
    checked_operator,
)
from lowrankflow.problems.problem import HeldOut, SensingProblem, checked_problem


class LiftedOperator(AbstractSensingOperator):
    r"""Measure the off-diagonal block of a symmetric matrix of size rows + cols.

    For X = [[P, W], [W', Q]] the measurements are those of W. The matrices are kept
    symmetric, A~ = [[0, A], [A', 0]] / 2, so that <A~, X> = <A, (X_12 + X_21') / 2>.

    Args:
        operator: the measurements of W, of shape (rows, cols).

    Raises:
        SpecError: when it is no operator.

    Exactness: exact.
    Source: gunasekar2017, section 2 (asymmetric factorizations).
    Differs: as in the source.
    """

    operator: AbstractSensingOperator

    def __check_init__(self):
        checked_operator("LiftedOperator(operator)", self.operator)

    @property
    def shape(self) -> tuple[int, int]:
        size = sum(self.operator.shape)
        return size, size

    @property
    def num_measurements(self) -> int:
        return self.operator.num_measurements

    def apply(self, matrix: AbstractMatrix | Numbers) -> Float[Numbers, " m"]:
        rows = self.operator.shape[0]
        array = checked_matrix(self, matrix).to_dense()
        block = (array[:rows, rows:] + array[rows:, :rows].T) / 2
        return self.operator.apply(block)

    def adjoint(self, dual: Float[Numbers, " m"]) -> Dense:
        checked_dual(self, dual)
        block = to_dense(self.operator.adjoint(dual)) / 2
        xp = np if isinstance(block, np.ndarray) else jnp
        rows, cols = self.operator.shape
        upper = xp.concatenate([xp.zeros((rows, rows), block.dtype), block], axis=1)
        lower = xp.concatenate([block.T, xp.zeros((cols, cols), block.dtype)], axis=1)
        return Dense(xp.concatenate([upper, lower], axis=0))

    def norm_bound(self) -> float:
        # ||(X_12 + X_21') / 2||_F <= ||X||_F / sqrt 2, with equality for symmetric X.
        return self.operator.norm_bound() / 2**0.5

    def gram(self) -> Float[np.ndarray, " m"] | Float[np.ndarray, "m m"]:
        return self.operator.gram() / 2


def lift(problem: SensingProblem) -> SensingProblem:
    r"""The p.s.d. problem of size rows + cols that has the same solutions.

    Its flow X = U U' is the flow of W = U_1 U_2' for the blocks U = [U_1; U_2], and its
    minimum trace is twice the minimum nuclear norm of W. Time runs at half the speed of
    the depth-2 flow of W, because the gradient splits over the two blocks.

    Args:
        problem: measurements of a rows x cols matrix W.

    Returns:
        Measurements of X = [[P, W], [W', Q]]; a target W* is lifted to the p.s.d. X*
        whose blocks are those of its balanced factors.

    Raises:
        SpecError: when it is no `SensingProblem`.

    Exactness: exact.
    Cost: forms (rows + cols)^2 numbers.
    Source: gunasekar2017, section 2.
    Differs: as in the source.
    """
    checked_problem("lift(problem)", problem)
    target = None if problem.target is None else lift_matrix(problem.target)
    held_out = problem.held_out
    if held_out is not None:
        operator = LiftedOperator(held_out.operator)
        held_out = HeldOut(operator, held_out.measurements)
    return SensingProblem(
        LiftedOperator(problem.operator),
        problem.measurements,
        loss=problem.loss,
        normalization=problem.normalization,
        target=target,
        held_out=held_out,
    )


def lift_matrix(matrix: Numbers) -> Float[np.ndarray, "size size"]:
    """The p.s.d. matrix of least trace with W in its off-diagonal block.

    With W = L diag(s) R' it is [L; R] diag(s) [L; R]', of trace 2 ||W||_*.

    Raises:
        DataError: when it is no matrix of finite real numbers.

    Exactness: exact.
    Cost: a singular value decomposition; forms (rows + cols)^2 numbers.
    """
    array = finite_array("lift_matrix(matrix)", matrix, ndim=2)
    left, values, right = np.linalg.svd(array, full_matrices=False)
    stacked = np.concatenate([left, right.T])
    return (stacked * values) @ stacked.T
