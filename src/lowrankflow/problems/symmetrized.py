"""A problem of a symmetric matrix, seen by measurements that need not be symmetric."""

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import SpecError
from lowrankflow.problems.matrices import AbstractMatrix, Dense, Numbers, to_dense
from lowrankflow.problems.operators import (
    AbstractSensingOperator,
    checked_dual,
    checked_matrix,
    checked_operator,
)
from lowrankflow.problems.problem import HeldOut, SensingProblem, checked_problem


class SymmetrizedOperator(AbstractSensingOperator):
    r"""Measure the symmetric part: <(A_k + A_k') / 2, W> = <A_k, (W + W') / 2>.

    Args:
        operator: measurements of square matrices.

    Raises:
        SpecError: when it is no operator, or its matrices are not square.

    Exactness: exact.
    Cost: that of the operator on a dense matrix; `gram` forms m matrices one by one.
    Source: li2021, section 3 (f(W) is replaced by (f(W) + f(W')) / 2).
    Differs: f((W + W') / 2), which has the same values and gradients where W = W'.
    """

    operator: AbstractSensingOperator

    def __check_init__(self):
        where = "SymmetrizedOperator(operator)"
        rows, cols = checked_operator(where, self.operator).shape
        if rows != cols:
            raise SpecError(
                where=where,
                rule="only a square matrix has a symmetric part",
                got=f"measurements of {rows} x {cols} matrices",
                fix="Use lowrankflow.lift(problem) for a rectangle",
            )

    @property
    def shape(self) -> tuple[int, int]:
        return self.operator.shape

    @property
    def num_measurements(self) -> int:
        return self.operator.num_measurements

    def apply(self, matrix: AbstractMatrix | Numbers) -> Float[Numbers, " m"]:
        array = checked_matrix(self, matrix).to_dense()
        return self.operator.apply((array + array.T) / 2)

    def adjoint(self, dual: Float[Numbers, " m"]) -> Dense:
        checked_dual(self, dual)
        array = to_dense(self.operator.adjoint(dual))
        return Dense((array + array.T) / 2)

    def norm_bound(self) -> float:
        return self.operator.norm_bound()

    def gram(self) -> Float[np.ndarray, "m m"]:
        rows = [
            self.apply(self.adjoint(unit)) for unit in np.eye(self.num_measurements)
        ]
        return np.stack(rows)


def symmetrized(problem: SensingProblem) -> SensingProblem:
    """The problem that looks only at the symmetric part of W.

    A deep factorization that starts symmetric (`Identity`) then stays symmetric, as in
    li2021, also when the observed entries are ordered pairs.

    Args:
        problem: measurements of a square matrix; a target must be symmetric.

    Raises:
        SpecError: when it is no `SensingProblem` or not square, or its target not
            symmetric.

    Exactness: exact.
    Source: li2021, section 3.
    Differs: as said in `SymmetrizedOperator`.
    """
    target = checked_problem("symmetrized(problem)", problem).target
    operator = SymmetrizedOperator(problem.operator)
    # 1e-12: a symmetric target is symmetric to rounding.
    if target is not None and np.abs(target - target.T).max() > 1e-12 * max(
        np.abs(target).max(), 1e-300
    ):
        raise SpecError(
            where="symmetrized(problem)",
            rule="the target is what is to be recovered, so it must be symmetric",
            got="a target that is not",
            fix="Symmetrize it, or leave it out",
        )
    held_out = problem.held_out
    if held_out is not None:
        aside = SymmetrizedOperator(held_out.operator)
        held_out = HeldOut(aside, held_out.measurements)
    return SensingProblem(
        operator,
        problem.measurements,
        loss=problem.loss,
        normalization=problem.normalization,
        target=target,
        held_out=held_out,
    )
