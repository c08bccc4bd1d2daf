"""A reference solution: what a convex solver hands out, with its proof."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import DataError
from lowrankflow.problems import SensingProblem
from lowrankflow.reference.certificate import Certificate
from lowrankflow.reference.infeasibility import InfeasibilityCertificate
from lowrankflow.result import Result


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A reference solution and its proof.

    Args:
        matrix: X, rows x cols. When unreachable, where the solver was when it saw that.
        dual: lambda, one number per measurement, scaled to be feasible. When
            unreachable, the ray that proves it.
        certificate: what `verify` (or `verify_unreachable`) says of the two.
        iterations: decompositions spent by the solver, thin ones of large tables too.
        result: `Result.converged` when the certificate holds; else why it stopped.
    """

    matrix: Float[np.ndarray, "rows cols"]
    dual: Float[np.ndarray, " m"]
    certificate: Certificate | InfeasibilityCertificate
    iterations: int
    result: Result


def check_start(problem: SensingProblem, start: Reference | None) -> None:
    """Refuse a start of another problem.

    Raises:
        DataError: when its shapes are not the problem's.
    """
    if start is None:
        return
    got = (start.matrix.shape, start.dual.shape)
    if got != (problem.shape, problem.measurements.shape):
        raise DataError(
            where="min_nuclear_norm(start)",
            rule=f"a start has a matrix of shape {problem.shape} and "
            f"{problem.measurements.shape[0]} dual numbers",
            got=f"shapes {got[0]} and {got[1]}",
            fix="Start from a solution of a problem of the same size, or leave it out",
        )
