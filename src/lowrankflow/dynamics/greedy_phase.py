"""A phase of greedy learning on thin factors: its solvers, what is known at its end."""

import contextlib
import dataclasses
import functools
from collections.abc import Iterator

import numpy as np
import threadpoolctl

from lowrankflow.dynamics.greedy_path_record import PathCertificate, PathStep
from lowrankflow.dynamics.thin_alternating import alternate_factors
from lowrankflow.dynamics.thin_direction import Direction
from lowrankflow.dynamics.thin_newton import CriticalPoint, newton
from lowrankflow.dynamics.thin_objective import ThinObjective
from lowrankflow.problems import Factored, SensingProblem, total_weight

SOLVERS = {"newton": newton, "als": alternate_factors}
# How exactly a rate is found, relatively: as a phase ends, within these.
_FINEST, _COARSEST = 1e-10, 1e-2


def rate_exactness(rtol: float) -> float:
    """How exactly a direction's rate is found, relatively."""
    return min(max(rtol, _FINEST), _COARSEST)


def at_zero(objective: ThinObjective) -> CriticalPoint:
    """The zero matrix, in factors without columns: where every path begins."""
    rows, cols = objective.products.shape
    stacked = rows if objective.symmetric else rows + cols
    return CriticalPoint(
        point=np.zeros((stacked, 0), objective.values.dtype),
        residual=-objective.values,
        gradient=0.0,
        passes=0,
        converged=True,
    )


def path_step(
    matrix: Factored,
    *,
    loss: float,
    rate: float,
    slack: float,
    inside: float,
    penalty: float,
    psd: bool,
    gradient: float,
    converged: bool,
) -> PathStep:
    """A step whose certificate is still to be compared with the first rate."""
    norm = float(np.trace(matrix.core))
    certificate = PathCertificate(
        rate=rate,
        relative_rate=np.nan,
        penalty=penalty,
        slack=slack,
        gap=inside + max(rate + slack, penalty) * norm,
        psd=psd,
        is_optimal=False,
    )
    return PathStep(
        rank=matrix.core.shape[0],
        matrix=matrix,
        loss=loss,
        held_out_error=np.nan,
        certificate=certificate,
        gradient=gradient,
        converged=converged,
        seconds=0.0,
    )


def end_of_phase(
    objective: ThinObjective,
    end: CriticalPoint,
    matrix: Factored,
    ahead: Direction,
    *,
    penalty: float,
    divisor: float,
) -> PathStep:
    """The step at a critical point, in the problem's units.

    Args:
        objective: of which it is one.
        end: where it is.
        matrix: W there.
        ahead: the direction that grows fastest from there.
        penalty: of the nuclear norm, in the problem's units.
        divisor: what the problem's f is divided by.
    """
    dot, residual = objective.products.dot, end.residual
    squares = dot(residual, residual)
    return path_step(
        matrix,
        loss=0.5 * squares / divisor,
        rate=ahead.rate / divisor,
        slack=ahead.slack / divisor,
        inside=(squares + dot(residual, objective.values)) / divisor,
        penalty=penalty,
        psd=objective.symmetric,
        gradient=end.gradient,
        converged=end.converged,
    )


def judged_step(
    step: PathStep, problem: SensingProblem, tolerance: float, first: float
) -> PathStep:
    """The step with its certificate's verdict and its held-out error."""
    certificate = step.certificate
    relative = certificate.rate / first if first > 0 else 0.0
    certificate = dataclasses.replace(
        certificate,
        relative_rate=relative,
        is_optimal=certificate.rate + certificate.slack
        <= certificate.penalty + tolerance * first
        if first > 0
        else True,
    )
    error = np.nan
    if problem.held_out is not None:
        seen = np.asarray(problem.held_out.operator.apply(step.matrix))
        difference = seen - np.asarray(problem.held_out.measurements)
        weight = total_weight(problem.held_out.operator)
        error = float(np.sqrt(np.sum(difference**2) / weight))
    return dataclasses.replace(step, certificate=certificate, held_out_error=error)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Linear algebra of thin blocks, which more threads slow down on a busy machine."""
    with _blas().limit(limits=1, user_api="blas"):
        yield


@functools.cache
def _blas() -> threadpoolctl.ThreadpoolController:
    return threadpoolctl.ThreadpoolController()
