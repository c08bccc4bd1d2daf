r"""Soft-impute: the penalized cousin of the minimum nuclear norm.

    minimize 1/2 sum over observed (W_ij - y_ij)^2 + penalty ||W||_*.

A step fills the unobserved entries with its last answer and takes `penalty` off the
singular values. The filled matrix is a sparse one plus a thin one and is never formed.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import threadpoolctl
from jaxtyping import Float

from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems import Factored, SensingProblem
from lowrankflow.reference.low_rank_splitting import (
    ThinMatrix,
    first_block,
    thresholded,
)
from lowrankflow.reference.narrow_threshold import is_narrow, narrow_thresholded
from lowrankflow.reference.sampled_entries import SampledEntries, SortedTable
from lowrankflow.result import Result

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_REVIEW = 10  # steps between two looks at the gap
_PIECE = 20_000  # entries whose equations are held at once
_WHERE = "soft_impute"


@dataclass(frozen=True, kw_only=True)
class SoftImpute:
    """A penalized completion and how far from optimal it is, at most.

    Args:
        left: U, rows x rank, orthonormal columns.
        values: singular values, descending, > 0.
        right: V, cols x rank, orthonormal columns.
        penalty: of the nuclear norm.
        objective: the value of the problem at U diag(values) V'.
        lower_value: a value that the objective is nowhere below, by duality.
        iterations: steps taken.
        result: `Result.converged` when the gap is within what was asked, else
            `Result.iterations_reached`.
        thin: where the next penalty may start from.
    """

    left: Float[np.ndarray, "rows rank"]
    values: Float[np.ndarray, " rank"]
    right: Float[np.ndarray, "cols rank"]
    penalty: float
    objective: float
    lower_value: float
    iterations: int
    result: Result
    thin: ThinMatrix

    @property
    def rank(self) -> int:
        """How many singular values there are."""
        return self.values.size

    @property
    def relative_gap(self) -> float:
        """(objective - lower value) / objective; 0 where the objective is 0."""
        if self.objective <= 0:
            return 0.0
        return (self.objective - self.lower_value) / self.objective

    @property
    def matrix(self) -> Factored:
        """U diag(values) V', thin."""
        return Factored(self.left, np.diag(self.values), self.right)


def soft_impute(
    problem: SensingProblem,
    *,
    penalty: float,
    gap_tolerance: float = 1e-4,
    max_iterations: int = 1000,
    start: SoftImpute | None = None,
) -> SoftImpute:
    """The completion of least squared error plus `penalty` times the nuclear norm.

    Args:
        problem: of observed entries; its loss is taken as half the sum of squares. A
            symmetric sampling counts both mirror images.
        penalty: > 0; from sigma_1 of the matrix of observations on the answer is 0.
        gap_tolerance: relative duality gap to stop at, > 0.
        max_iterations: steps allowed, >= 1.
        start: the answer for another penalty, of the same shape: for a path, from the
            largest penalty down.

    Returns:
        The completion with its duality gap; it never raises for want of convergence.

    Raises:
        SpecError: when a number is out of range, or the measurements are no entries.
        DataError: when `start` has another shape.

    Exactness: within `gap_tolerance`; the gap takes an iterated singular value on large
        tables.
    Cost: per step, some 8 (observed entries + rank (rows + cols)) rank operations.
    Source: mazumder2010, algorithm 1; yao2015 for the acceleration.
    Differs: thin decompositions by subspace iteration from the last step's block (from
        the Gram matrix of a table ten times as long as it is wide), and a stop by the
        duality gap. Steps longer than 1, with backtracking, were tried on
        Indian Pines and saved a tenth of the steps for more time each.
    """
    _check_numbers(penalty, gap_tolerance, max_iterations)
    entries = SampledEntries.of(_WHERE, problem)
    thin = first_block(problem.shape) if start is None else start.thin
    if (len(thin.left), len(thin.right)) != problem.shape:
        raise DataError(
            where="soft_impute(start)",
            rule=f"a start is of the problem's shape {problem.shape}",
            got=f"shape {(len(thin.left), len(thin.right))}",
            fix="Start from an answer for the same table, or leave it out",
        )
    threads = 1 if min(problem.shape) < 400 else None
    with threadpoolctl.threadpool_limits(threads, user_api="blas"):
        return _iterate(entries, thin, penalty, gap_tolerance, max_iterations)


def _iterate(
    entries: SampledEntries,
    thin: ThinMatrix,
    penalty: float,
    gap_tolerance: float,
    max_iterations: int,
) -> SoftImpute:
    table = SortedTable.of(entries)
    misfit = _misfit(table, thin)
    objective, before, last_misfit, momentum = np.inf, thin, misfit, 1.0
    for count in range(1, max_iterations + 1):
        # Nesterov's extrapolation of two thin matrices is thin, and its misfit is the
        # same combination of theirs; begun again where the objective has grown.
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        share = (momentum - 1) / following
        ahead = _combined(thin, before, share)
        sparse = table.sparse((1 + share) * misfit - share * last_misfit)
        before, thin = thin, _thresholded(ahead, sparse, penalty)
        last_misfit, misfit = misfit, _misfit(table, thin)
        last_objective = objective
        objective = float(0.5 * misfit @ misfit + penalty * thin.values.sum())
        momentum = following
        if objective > last_objective:
            before, last_misfit, momentum = thin, misfit, 1.0
        last = count == max_iterations
        if count % _REVIEW and not last:
            continue
        top = table.largest(misfit)
        dual = misfit * min(1.0, penalty / top) if top > 0 else misfit
        lower = float(table.values @ dual) - 0.5 * float(dual @ dual)
        if objective - lower <= gap_tolerance * objective or last:
            close = objective - lower <= gap_tolerance * objective
            break
    return SoftImpute(
        left=thin.left,
        values=thin.values,
        right=thin.right,
        penalty=float(penalty),
        objective=objective,
        lower_value=lower,
        iterations=count,
        result=Result.converged if close else Result.iterations_reached,
        thin=thin,
    )


def debiased(problem: SensingProblem, solution: SoftImpute | Factored) -> Factored:
    """The same singular vectors with the weights that fit the entries best.

    The penalty shrinks every singular value; this takes the shrinkage back, by least
    squares over weights >= 0.

    Args:
        problem: of observed entries.
        solution: what `soft_impute` found for it, or another thin matrix with
            orthonormal columns and a diagonal core, as those of `GreedyPath`.

    Exactness: to rounding.
    Cost: observed entries x rank^2 operations; memory for the entries.
    Source: mazumder2010, section 7 (post-processing by unshrinking).
    """
    from scipy.optimize import nnls

    entries = SampledEntries.of("debiased", problem)
    thin = solution.matrix if isinstance(solution, SoftImpute) else solution
    left, right = np.asarray(thin.left), np.asarray(thin.right)
    rank = left.shape[1]
    if rank == 0:
        return thin
    # The triangle of [design, y], piece by piece: the design itself may be large.
    triangle = np.zeros((0, rank + 1))
    for begin in range(0, entries.values.size, _PIECE):
        piece = slice(begin, begin + _PIECE)
        design = left[entries.rows[piece]] * right[entries.cols[piece]]
        block = np.column_stack([design, entries.values[piece]])
        triangle = np.asarray(np.linalg.qr(np.vstack([triangle, block]), mode="r"))
    weights, _ = nnls(triangle[:rank, :rank], triangle[:rank, rank])
    return Factored(left, np.diag(weights), right)


def _combined(here: ThinMatrix, before: ThinMatrix, share: float) -> ThinMatrix:
    """Here + share (here - before), held thin; its "values" may be negative."""
    if share == 0:
        return here
    return ThinMatrix(
        left=np.hstack([here.left, before.left]),
        values=np.r_[(1 + share) * here.values, -share * before.values],
        right=np.hstack([here.right, before.right]),
        block=here.block,
    )


def _thresholded(ahead: ThinMatrix, sparse: "csr_array", level: float) -> ThinMatrix:
    """By the Gram matrix where one side is short, else by subspace iteration."""
    found = None
    if is_narrow((len(ahead.left), len(ahead.right))):
        found = narrow_thresholded(ahead, sparse, level)
    return thresholded(ahead, sparse, level) if found is None else found


def _misfit(table: SortedTable, thin: ThinMatrix) -> Float[np.ndarray, " m"]:
    return table.misfit(thin.left * thin.values, thin.right)


def _check_numbers(penalty: float, gap_tolerance: float, max_iterations: int) -> None:
    for name, value in (("penalty", penalty), ("gap_tolerance", gap_tolerance)):
        if not (np.isfinite(value) and value > 0):
            raise SpecError(
                where=f"soft_impute({name})",
                rule="this is a positive, finite number",
                got=f"{value!r}",
                fix="For penalty 0 use min_nuclear_norm"
                if name == "penalty"
                else "Give for example gap_tolerance=1e-4",
            )
    if max_iterations < 1:
        raise SpecError(
            where="soft_impute(max_iterations)",
            rule="at least one step is allowed",
            got=f"{max_iterations!r}",
            fix="Leave max_iterations out, or give for example 1000",
        )
