"""Completion from independent draws, in which an entry may be drawn more than once."""

from typing import Literal

from lowrankflow.problems.checks import checked_shape
from lowrankflow.problems.problem import SensingProblem
from lowrankflow.problems.sampling import repeated_draws
from lowrankflow.problems.truths import gaussian_truth


def planted_completion_with_replacement(
    shape: tuple[int, int],
    *,
    rank: int,
    num_draws: int,
    seed: int,
    norm: float | None = None,
    normalization: Literal["sum", "mean"] = "sum",
) -> SensingProblem:
    """Complete a Gaussian low-rank matrix from draws of its entries with replacement.

    An entry drawn k times is observed once and counts k times in the loss. Draws of one
    seed nest: more of them add to those of fewer.

    Args:
        shape: (rows, cols); arora2019 has (100, 100).
        rank: of the truth, in 1...min(rows, cols).
        num_draws: how many draws, >= 1; the notebook of arora2019 has 2000 and 5000,
            which hit some 1813 and 3935 entries.
        seed: of truth and draws, each drawn independently. The truth is the one that
            `planted_completion` has.
        norm: Frobenius norm of the truth; unless given, the mean squared entry is 1.
        normalization: "sum" over the draws or their "mean".

    Raises:
        SpecError: when the rank does not fit the shape or there is no draw.

    Exactness: exact; without noise.
    Cost: forms rows x cols numbers.
    Source: arora2019, the notebook published with it.
    Differs: that it draws so is inferred from its numbers; its generator does not.
    """
    where = "planted_completion_with_replacement"
    shape = checked_shape(f"{where}(shape)", shape)
    rows, cols, counts = repeated_draws(where, shape, num_draws=num_draws, seed=seed)
    target = gaussian_truth(shape, rank=rank, seed=seed, norm=norm)
    # The loss divides by the number of distinct entries where it is a mean: these
    # weights make it one over the draws.
    share = rows.size / counts.sum() if normalization == "mean" else 1.0
    return SensingProblem.from_entries(
        rows,
        cols,
        target[rows, cols],
        shape,
        weights=share * counts,
        normalization=normalization,
        target=target,
    )
