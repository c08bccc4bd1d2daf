"""Greedy methods that add rank-one matrices: the classical relatives of the flow.

Both add the top singular pair of the residual, as greedy low-rank learning does. They
differ in what they refit: rank-one matrix pursuit only the weights of the pairs it has,
GECO everything between the columns and rows that they span. Greedy learning refits the
spanning vectors themselves.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import SpecError
from lowrankflow.problems import Factored, SensingProblem
from lowrankflow.reference.sampled_entries import SampledEntries


@dataclass(frozen=True, kw_only=True)
class PursuitPath:
    """The matrices a greedy method finds, rank by rank.

    Args:
        matrices: those of rank 1, 2, ...; fewer than asked for where the residual fell
            to rounding.
        residual_norms: ||y - P(W)|| at rank 0, 1, 2, ...
    """

    matrices: tuple[Factored, ...]
    residual_norms: Float[np.ndarray, " ranks"]


def rank_one_pursuit(
    problem: SensingProblem, *, max_rank: int, economic: bool = False
) -> PursuitPath:
    """Orthogonal rank-one matrix pursuit.

    Args:
        problem: of observed entries; a symmetric sampling counts both mirror images.
        max_rank: how many pairs to add, >= 1.
        economic: refit only the new weight and a common factor of the old ones.

    Raises:
        SpecError: when the rank is not positive, or the measurements are no entries.

    Exactness: to rounding.
    Cost: per rank, a singular pair of a sparse matrix, and observed entries x rank
        operations for the weights (economic: x 1).
    Source: wang2015, algorithms 1 and 2.
    """
    _check_rank("rank_one_pursuit", max_rank)
    entries = SampledEntries.of("rank_one_pursuit", problem)
    size = float(np.linalg.norm(entries.values))
    lefts, rights, matrices, norms = [], [], [], [size]
    columns = np.zeros((entries.values.size, 0))
    weights, fitted = np.zeros(0), np.zeros_like(entries.values)
    while len(matrices) < max_rank and norms[-1] > 1e-14 * size:
        _, left, right = entries.top_pair(entries.values - fitted)
        lefts.append(left)
        rights.append(right)
        column = left[entries.rows] * right[entries.cols]
        columns = np.column_stack([columns, column])
        if economic:
            pair = np.column_stack([fitted, column])
            share, new = np.linalg.lstsq(pair, entries.values)[0]
            weights = np.r_[share * weights, new]
        else:
            weights = np.linalg.lstsq(columns, entries.values)[0]
        fitted = columns @ weights
        norms.append(float(np.linalg.norm(entries.values - fitted)))
        matrices.append(
            Factored(np.array(lefts).T, np.diag(weights), np.array(rights).T)
        )
    return PursuitPath(matrices=tuple(matrices), residual_norms=np.array(norms))


def geco(problem: SensingProblem, *, max_rank: int) -> PursuitPath:
    """GECO: greedy efficient component optimization.

    Args:
        problem: of observed entries; a symmetric sampling counts both mirror images.
        max_rank: how many pairs to add, >= 1.

    Returns:
        The path; the matrix of rank r minimizes the sum of squares among all with the
        columns and rows spanned so far (where they do not determine it, of least norm).

    Raises:
        SpecError: when the rank is not positive, or the measurements are no entries.

    Exactness: to rounding.
    Cost: per rank, a singular pair of a sparse matrix, and least squares with rank^2
        unknowns: observed entries x rank^4 operations.
    Source: shalevshwartz2011, algorithm 1.
    """
    _check_rank("geco", max_rank)
    entries = SampledEntries.of("geco", problem)
    size = float(np.linalg.norm(entries.values))
    matrices, norms = [], [size]
    left, right = (np.zeros((n, 0)) for n in problem.shape)
    fitted = np.zeros_like(entries.values)
    while len(matrices) < min(max_rank, *problem.shape) and norms[-1] > 1e-14 * size:
        _, u, v = entries.top_pair(entries.values - fitted)
        left = np.linalg.qr(np.column_stack([left, u]))[0]
        right = np.linalg.qr(np.column_stack([right, v]))[0]
        rank = left.shape[1]
        products = left[entries.rows][:, :, None] * right[entries.cols][:, None, :]
        design = products.reshape(-1, rank**2)
        core = np.linalg.lstsq(design, entries.values)[0]
        fitted = design @ core
        norms.append(float(np.linalg.norm(entries.values - fitted)))
        matrices.append(Factored(left, core.reshape(rank, rank), right))
    return PursuitPath(matrices=tuple(matrices), residual_norms=np.array(norms))


def _check_rank(where: str, max_rank: int) -> None:
    if not isinstance(max_rank, int | np.integer) or max_rank < 1:
        raise SpecError(
            where=f"{where}(max_rank)",
            rule="at least one rank-one matrix is added",
            got=f"{max_rank!r}",
            fix="Give for example max_rank=10",
        )
