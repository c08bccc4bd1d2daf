"""What the size of a table decides: how exact, how many trials, which candidates."""

from dataclasses import dataclass
from typing import Literal

from lowrankflow.completion.observed_table import ObservedTable

# From so many entries on a table is large: fewer trials, in single precision.
LARGE = 2_000_000
# From so many on a candidate has one base and fewer penalties.
MEDIUM = 150_000
# Up to so many entries everything is exact to the last digit that counts.
SMALL = 100_000
# The largest rank that is tried unless another is asked for.
_MOST_RANK = 100


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Settings of candidates, by the size of what they are fitted to.

    Args:
        num_train: entries fitted to in the search.
        num_cells: rows x cols.
        max_rank: the largest rank to try.
        penalty: the only one to try; None to choose one.
        depth: the only one to try; None to choose one.
        init_scale: of the flow; None to choose one.
        seed: of what is random.
        is_weighted: whether entries have weights.
    """

    num_train: int
    num_cells: int
    max_rank: int
    penalty: float | None = None
    depth: int | None = None
    init_scale: float | None = None
    seed: int = 0
    is_weighted: bool = False

    @property
    def is_large(self) -> bool:
        """Whether trials are to be few."""
        return self.num_train >= LARGE

    @property
    def is_medium(self) -> bool:
        """Whether trials are to be fewer."""
        return self.num_train >= MEDIUM

    @property
    def dtype(self) -> Literal["float64", "float32"]:
        """Of the arithmetic."""
        return "float32" if self.is_large else "float64"

    @property
    def rtol(self) -> float:
        """How near to a critical point a phase goes in the search."""
        if self.is_large:
            return 1e-2
        return 1e-4 if self.num_train <= SMALL else 1e-3

    @property
    def inner(self) -> Literal["newton", "als"]:
        """What descends to critical points: sweeps are cheap, Newton's steps exact."""
        return "als" if self.is_large else "newton"

    @property
    def exact_rtol(self) -> float:
        """The same without penalty, where a truth may be found, and at the end."""
        return 1e-7 if self.num_train <= min(SMALL, LARGE - 1) else self.rtol

    @property
    def trials(self) -> int:
        """Penalties that a line of them takes, about."""
        return 2 if self.is_large else 5 if self.is_medium else 8

    @staticmethod
    def of(
        train: ObservedTable,
        *,
        max_rank: int | None,
        penalty: float | None,
        depth: int | None,
        init_scale: float | None,
        seed: int,
    ) -> "Sizes":
        """Those for a table; without a largest rank, what the entries could decide."""
        most = min(*train.shape, _MOST_RANK if max_rank is None else max_rank)
        return Sizes(
            num_train=train.num_entries,
            num_cells=train.shape[0] * train.shape[1],
            max_rank=max(most, 1),
            penalty=penalty,
            depth=depth,
            init_scale=init_scale,
            seed=seed,
            is_weighted=train.weights is not None,
        )
