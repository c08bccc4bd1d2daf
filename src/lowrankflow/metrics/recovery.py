"""How far a matrix is from the one that was to be recovered."""

from typing import Literal

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import DataError, SpecError
from lowrankflow.precision import in_float64
from lowrankflow.problems import (
    AbstractMatrix,
    EntryOperator,
    Numbers,
    SensingProblem,
    checked_problem,
    described,
    finite_array,
    to_dense,
    total_weight,
)


def relative_error(problem: SensingProblem, matrix: AbstractMatrix | Numbers) -> float:
    r"""The distance to the target in units of the target, ||W - W*||_F / ||W*||_F.

    Args:
        problem: a problem whose target is known.
        matrix: W, of the problem's shape.

    Returns:
        A number >= 0; 1 for the zero matrix. For the zero target: 0 when W is zero,
        infinity otherwise.

    Raises:
        SpecError: when the problem has no target.
        DataError: when the shape is another or a number is not finite.

    Exactness: exact.
    Cost: forms rows x cols.
    Source: gunasekar2017, figure 1.
    Differs: as in the source.
    """
    error, target = _error_and_target("relative_error", problem, matrix)
    scale = np.abs(target).max()
    if scale == 0:
        return float("inf") if error.any() else 0.0
    # In units of the largest entry, so that no square under- or overflows.
    return float(np.linalg.norm(error / scale) / np.linalg.norm(target / scale))


def mean_squared_error(
    problem: SensingProblem, matrix: AbstractMatrix | Numbers
) -> float:
    r"""The mean over all entries of (W - W*)^2, those observed included.

    Args:
        problem: a problem whose target is known.
        matrix: W, of the problem's shape.

    Returns:
        A number >= 0.

    Raises:
        SpecError: when the problem has no target.
        DataError: when the shape is another or a number is not finite.

    Exactness: exact.
    Cost: forms rows x cols.
    Source: arora2019, figure 1 (reconstruction error).
    Differs: as in the source.
    """
    error, _ = _error_and_target("mean_squared_error", problem, matrix)
    return float(np.mean(error**2))


def rms_error(problem: SensingProblem, matrix: AbstractMatrix | Numbers) -> float:
    r"""The typical error of one entry, ||W - W*||_F / sqrt(rows cols).

    Args:
        problem: a problem whose target is known.
        matrix: W, of the problem's shape.

    Returns:
        A number >= 0, in the unit of the entries.

    Raises:
        SpecError: when the problem has no target.
        DataError: when the shape is another or a number is not finite.

    Exactness: exact.
    Cost: forms rows x cols.
    Source: arora2019, figure 1.
    Differs: the square root of the source's reconstruction error.
    """
    error, _ = _error_and_target("rms_error", problem, matrix)
    return float(np.linalg.norm(error) / np.sqrt(error.size))


@in_float64
def unobserved_error(
    problem: SensingProblem,
    matrix: AbstractMatrix | Numbers,
    *,
    relative_to: Literal["norm", "deviation"] = "norm",
) -> float:
    r"""The relative error on the entries that were not seen: the honest test.

    ||W - W*|| over the entries that are neither observed nor held out, divided by
    ||W*|| over the same ("norm"), or by ||W* - mean|| ("deviation"), the mean theirs.
    Data far from zero make the first small for any guess near the mean.

    Args:
        problem: a completion whose target is known.
        matrix: W, of the problem's shape.
        relative_to: "norm", where the zero matrix has 1, or "deviation", where the
            constant mean has 1.

    Returns:
        A number >= 0; infinity when what it is relative to is zero and the error not.

    Raises:
        SpecError: when the problem has no target, entries are not what is observed, no
            entry is left, or the word is another.
        DataError: when the shape is another or a number is not finite.

    Exactness: exact.
    Cost: forms rows x cols.
    Source: mazumder2010, section 9 (test error).
    Differs: the square root of the ratio of squares; the deviation is ours.
    """
    name = "unobserved_error"
    if relative_to not in ("norm", "deviation"):
        raise SpecError(
            where=f"{name}(relative_to)",
            rule='an error is relative to the "norm" or to the "deviation"',
            got=f"{relative_to!r}",
            fix='Leave it out for "norm"',
        )
    error, target = _error_and_target(name, problem, matrix)
    unseen = np.ones(problem.shape, bool)
    for part in (problem, problem.held_out):
        operator = None if part is None else part.operator
        if operator is not None and not isinstance(operator, EntryOperator):
            raise SpecError(
                where=f"{name}(problem)",
                rule="entries are observed, one by one",
                got=described(operator),
                fix="Use relative_error, which takes any measurements",
            )
        if operator is not None:
            unseen[np.asarray(operator.row_index), np.asarray(operator.col_index)] = 0
    error, target = error[unseen], target[unseen]
    if error.size == 0:
        raise SpecError(
            where=f"{name}(problem)",
            rule="some entries are neither observed nor held out",
            got="none",
            fix="Use held_out_rmse, or observe fewer entries",
        )
    if relative_to == "deviation":
        target = target - target.mean()
    scale = np.abs(target).max()
    if scale == 0:
        return float("inf") if error.any() else 0.0
    return float(np.linalg.norm(error / scale) / np.linalg.norm(target / scale))


@in_float64
def held_out_rmse(problem: SensingProblem, matrix: AbstractMatrix | Numbers) -> float:
    r"""The root mean squared residual on the measurements that were kept aside.

    Where entries have weights, the mean is weighted.

    Args:
        problem: a problem with held-out measurements.
        matrix: W, of the problem's shape; a factored one is not formed if the held-out
            measurements are entries.

    Returns:
        A number >= 0, in the unit of the measurements.

    Raises:
        SpecError: when nothing was held out.
        DataError: when the shape is another or a number is not finite.

    Exactness: exact.
    Source: arora2019, figure 3 (test error on ratings).
    Differs: the square root of the source's mean squared error.
    """
    held_out = checked_problem("held_out_rmse(problem)", problem).held_out
    if held_out is None or held_out.operator.num_measurements == 0:
        raise SpecError(
            where="held_out_rmse(problem)",
            rule="it needs problem.held_out, measurements kept aside",
            got="a problem without any",
            fix=(
                "Give SensingProblem(..., held_out=HeldOut(operator, measurements)), "
                "or use relative_error if the target is known"
            ),
        )
    predicted = np.asarray(held_out.operator.apply(matrix))
    error = finite_array(
        "held_out_rmse(matrix)", predicted - np.asarray(held_out.measurements), ndim=1
    )
    return float(np.linalg.norm(error) / np.sqrt(total_weight(held_out.operator)))


@in_float64
def _error_and_target(
    name: str, problem: SensingProblem, matrix: AbstractMatrix | Numbers
) -> tuple[Float[np.ndarray, "rows cols"], Float[np.ndarray, "rows cols"]]:
    """W - W* and W*."""
    if checked_problem(f"{name}(problem)", problem).target is None:
        raise SpecError(
            where=f"{name}(problem)",
            rule="it needs problem.target, the matrix to be recovered",
            got="a problem without a target",
            fix=(
                "Use held_out_rmse on measurements kept aside, or give "
                "SensingProblem(..., target=...) where the truth is known"
            ),
        )
    array = finite_array(f"{name}(matrix)", to_dense(matrix), ndim=2)
    if array.shape != problem.shape:
        raise DataError(
            where=f"{name}(matrix)",
            rule=f"the target is a matrix of shape {problem.shape}",
            got=f"shape {array.shape}",
            fix="Transpose it, or compare it with its own problem",
        )
    target = np.asarray(problem.target, dtype=np.float64)
    return array - target, target
