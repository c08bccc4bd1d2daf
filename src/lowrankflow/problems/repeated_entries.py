"""Completion from independent draws, in which an entry may be drawn more than once."""

from typing import Literal

from lowrankflow.errors import SpecError
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
    repeats: Literal["count", "once"] = "count",
    norm: float | None = None,
    normalization: Literal["sum", "mean"] = "sum",
) -> SensingProblem:
    """Complete a Gaussian low-rank matrix from draws of its entries with replacement.

    An entry drawn k times is observed once and counts k times in the loss, or once.
    Draws of one seed nest: more of them add to those of fewer.

    Args:
        shape: (rows, cols); arora2019 has (100, 100).
        rank: of the truth, in 1...min(rows, cols).
        num_draws: how many draws, >= 1; the notebook of arora2019 has 2000 and 5000,
            which hit some 1813 and 3935 entries.
        seed: of truth and draws, each drawn independently. The truth is the one that
            `planted_completion` has.
        repeats: whether an entry drawn k times counts k times ("count"), as where draws
            are listed, or "once", as where they are marked in a mask.
        norm: Frobenius norm of the truth; unless given, the mean squared entry is 1.
        normalization: "sum" or "mean", over the draws or over the distinct entries.

    Raises:
        SpecError: when the rank does not fit the shape, there is no draw, or `repeats`
            is another word.

    Exactness: exact; without noise.
    Cost: forms rows x cols numbers.
    Source: arora2019, the notebook published with it.
    Differs: that it draws so is inferred from its numbers; its generator does not.
    """
    where = "planted_completion_with_replacement"
    if repeats not in ("count", "once"):
        raise SpecError(
            where=f"{where}(repeats)",
            rule='an entry drawn again counts again ("count") or not ("once")',
            got=f"{repeats!r}",
            fix='Give repeats="count"',
        )
    shape = checked_shape(f"{where}(shape)", shape)
    rows, cols, counts = repeated_draws(where, shape, num_draws=num_draws, seed=seed)
    target = gaussian_truth(shape, rank=rank, seed=seed, norm=norm)
    # The loss divides by the number of distinct entries where it is a mean: these
    # weights make it one over the draws.
    share = rows.size / counts.sum() if normalization == "mean" else 1.0
    weights = share * counts if repeats == "count" else None
    return SensingProblem.from_entries(
        rows,
        cols,
        target[rows, cols],
        shape,
        weights=weights,
        normalization=normalization,
        target=target,
    )
