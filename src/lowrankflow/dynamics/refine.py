"""A solution of given rank brought to a critical point: one phase, no new direction."""

import dataclasses
import time
from typing import Literal

import numpy as np

from lowrankflow.dynamics.greedy_path_checks import checked_settings
from lowrankflow.dynamics.greedy_path_record import PathStep
from lowrankflow.dynamics.greedy_phase import (
    SOLVERS,
    at_zero,
    end_of_phase,
    judged_step,
    one_thread,
    rate_exactness,
)
from lowrankflow.dynamics.thin_objective import Stacked, ThinObjective
from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems import Factored, SensingProblem, described, finite_array

_NAME = "refine"
# Relative, of the sides of a symmetric matrix.
_SAME = 1e-5


def refine(
    problem: SensingProblem,
    matrix: Factored,
    *,
    rtol: float,
    penalty: float = 0.0,
    psd: bool = False,
    inner: Literal["newton", "als"] = "newton",
    optimality_tolerance: float | None = None,
    dtype: Literal["float64", "float32"] = "float64",
) -> PathStep:
    """The critical point of the same rank that is reached from a thin matrix.

    It is one phase of `greedy_low_rank_path` without a new direction: to fit a rank
    that was chosen with entries held out to all entries, or to follow a rank along
    penalties or data that change.

    Args:
        problem: with observed entries and the squared loss. Effects that the matrix is
            without have been subtracted, as by `remove_effects`.
        matrix: where from, thin; with `psd` it is symmetric and positive semidefinite.
            A singular value of 0 stays 0, since the gradient in its factors is zero.
        rtol: how near to the critical point: the norm of the gradient in the factors,
            relative to the first rate and the factors' size; > 0.
        penalty: >= 0, of the nuclear norm, in the units of the problem's f.
        psd: whether W = U U'.
        inner: "newton" or "als", which is not for U U'.
        optimality_tolerance: of the certificate, as in `greedy_low_rank_path`.
        dtype: of the arithmetic; `rtol` is at least 1e-5 in "float32".

    Returns:
        The step of a path that the critical point would be, with the certificate of
        optimality and, where the problem holds entries out, the error on these.

    Raises:
        SpecError: when a setting is out of its range, or problem and settings do not
            fit together.
        DataError: when the matrix has another shape, is not finite, or is not of the
            kind that `psd` asks for.

    Exactness: within `rtol` of a critical point; the value never rises above that at
        the start.
    Cost: some hundred passes over the entries, and some tens for the certificate.
    Source: li2021, algorithm 1, the inner phase.
    Differs: other descents than the flow; begun anywhere.
    """
    if not isinstance(matrix, Factored):
        raise SpecError(
            where=f"{_NAME}(matrix)",
            rule="this is a thin matrix, a Factored",
            got=described(matrix),
            fix="Give for example path.matrix(), or Factored(left, core, right)",
        )
    if not (isinstance(inner, str) and inner in SOLVERS):
        raise SpecError(
            where=f"{_NAME}(inner)",
            rule=f"this is one of {', '.join(map(repr, SOLVERS))}",
            got=f"{inner!r}"[:200],
            fix="Leave it out for Newton's method",
        )
    settings = checked_settings(
        problem,
        max_rank=max(1, matrix.core.shape[0]),
        rtol=rtol,
        psd=psd,
        inner=inner,
        penalty=penalty,
        optimality_tolerance=optimality_tolerance,
        patience=None,
        dtype=dtype,
        callback=None,
        name=_NAME,
    )
    begun = time.perf_counter()
    divisor = problem.num_measurements if problem.normalization == "mean" else 1
    objective = ThinObjective.of(
        problem, symmetric=psd, penalty=float(penalty) * divisor, dtype=dtype
    )
    exactness = rate_exactness(settings.rtol)
    with one_thread():
        point = _stacked(problem, matrix, psd).astype(dtype)
        zero = objective.next_direction(
            point[:, :0], -objective.values, tolerance=exactness, enough=0.0
        )
        if point.shape[1] and zero.rate > 0:
            end = SOLVERS[inner](objective, point, rtol=settings.rtol, rate=zero.rate)
        else:
            end = at_zero(objective)
        _, thin = objective.balanced(end.point)
        ahead = objective.next_direction(
            end.point,
            end.residual,
            tolerance=exactness,
            enough=exactness * settings.tolerance * zero.rate,
            near=zero.near,
        )
        step = end_of_phase(
            objective, end, thin, ahead, penalty=float(penalty), divisor=divisor
        )
    step = judged_step(step, problem, settings.tolerance, zero.rate / divisor)
    return dataclasses.replace(step, seconds=time.perf_counter() - begun)


def _stacked(problem: SensingProblem, matrix: Factored, psd: bool) -> Stacked:
    """Balanced factors of a thin matrix: L over R, or U alone."""
    where = f"{_NAME}(matrix)"
    left, core, right = (
        finite_array(where, part, ndim=2)
        for part in (matrix.left, matrix.core, matrix.right)
    )
    if matrix.shape != problem.shape or core.shape != (left.shape[1], right.shape[1]):
        raise DataError(
            where=where,
            rule=f"the problem's matrices are of shape {problem.shape}",
            got=f"parts of shapes {left.shape}, {core.shape} and {right.shape}",
            fix="Give a solution of a problem with the same rows and columns",
        )
    (left, a), (right, b) = np.linalg.qr(left), np.linalg.qr(right)
    u, values, v = np.linalg.svd(a @ core @ b.T, full_matrices=False)
    left, right = left @ u, right @ v.T
    root = np.sqrt(values)
    # Of a symmetric matrix without negative eigenvalues the two sides are the same.
    if psd and np.abs((left - right) * root).max(initial=0) > _SAME * root.max(
        initial=0
    ):
        raise DataError(
            where=where,
            rule="with psd=True it is symmetric and positive semidefinite",
            got="one that is not",
            fix="Leave psd out, or give left diag(values) left' with values >= 0",
        )
    return left * root if psd else np.concatenate([left * root, right * root])
