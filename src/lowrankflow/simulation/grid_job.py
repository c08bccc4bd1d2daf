"""A whole mask of the exhaustive 3 x 3 grid as one job.

The grid has 150,000 problems, of which a fifth have a completion: too many for a run
each. A job takes all fillings of one mask, from one size of start; a study over the
grid has one per mask, so that one that was killed loses seconds.
"""

import hashlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lowrankflow.dynamics import (
    GradientFlow,
    GreedyLowRank,
    SmallCompletions,
    SmallEnds,
    random_small_starts,
    small_flows,
    small_greedy,
)
from lowrankflow.errors import SpecError
from lowrankflow.factorizations import positive
from lowrankflow.problems import ExhaustiveGrid
from lowrankflow.seeds import checked_seed

# Raised when the same job gives other numbers.
_NUMERICS_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class GridJob:
    """All feasible problems of one mask of the grid, U U' with U of 3 x 3.

    Args:
        mask: 0...14, as in `ExhaustiveGrid`.
        dynamics: `GradientFlow` or `GreedyLowRank`, whose tolerances are used by their
            batched counterparts `small_flows` and `small_greedy`; the method of the
            flow and the largest rank play no part.
        residual_tolerance: a problem ends where ||A(W) - y|| <= this times ||y||; > 0.
        frobenius_norm: ||U_0||_F of the random starts of a flow; greedy learning has
            none.
        seed: of the starts, >= 0.
        num_values: of an entry; 10 in the paper.

    Raises:
        SpecError: when a setting is of the wrong kind or out of its range.
    """

    mask: int
    dynamics: GradientFlow | GreedyLowRank
    residual_tolerance: float
    frobenius_norm: float | None = None
    seed: int = 0
    num_values: int = 10

    kind: ClassVar[str] = "grid"

    def __post_init__(self):
        ExhaustiveGrid(num_values=self.num_values).problem(self.mask, 0)
        if not isinstance(self.dynamics, GradientFlow | GreedyLowRank):
            raise SpecError(
                where="GridJob(dynamics)",
                rule="the grid is for GradientFlow or GreedyLowRank",
                got=f"{self.dynamics!r}"[:200],
                fix="Give for example GradientFlow(rtol=1e-6, atol=1e-6)",
            )
        needs_start = isinstance(self.dynamics, GradientFlow)
        if needs_start == (self.frobenius_norm is None):
            raise SpecError(
                where="GridJob(frobenius_norm)",
                rule="a flow has a start, and greedy learning has none",
                got=f"{self.frobenius_norm!r}",
                fix="Give for example 1e-3" if needs_start else "Leave it out",
            )
        positive("GridJob(residual_tolerance)", self.residual_tolerance)
        if self.frobenius_norm is not None:
            positive("GridJob(frobenius_norm)", self.frobenius_norm)
            object.__setattr__(self, "frobenius_norm", float(self.frobenius_norm))
        object.__setattr__(self, "residual_tolerance", float(self.residual_tolerance))
        object.__setattr__(self, "seed", checked_seed(self.seed))

    @property
    def problems(self) -> SmallCompletions:
        """The feasible problems, in the order of their fillings."""
        grid = ExhaustiveGrid(num_values=self.num_values)
        return SmallCompletions(
            pairs=grid.masks[self.mask], values=grid.fillings[grid.feasible(self.mask)]
        )

    @property
    def data_fingerprint(self) -> str:
        """The SHA-256, in hexadecimal, of what is observed."""
        problems = self.problems
        total = hashlib.sha256(np.ascontiguousarray(problems.pairs, "<i8").tobytes())
        total.update(np.ascontiguousarray(problems.values, "<f8").tobytes())
        return total.hexdigest()

    @property
    def numerics(self) -> str:
        """The version of what makes the numbers."""
        return f"grid {_NUMERICS_VERSION}"

    @property
    def label(self) -> str:
        """What it is, in a few words, for lists and progress."""
        size = self.frobenius_norm
        start = "" if size is None else f" | ||U_0|| = {size:g} | seed {self.seed}"
        return f"3 x 3 grid, mask {self.mask} | {type(self.dynamics).__name__}{start}"

    def run(self) -> SmallEnds:
        """Where all the problems end; nothing is kept."""
        problems, dynamics = self.problems, self.dynamics
        tolerances = {
            "rtol": float(dynamics.rtol),
            "atol": float(dynamics.atol),
            "residual_tolerance": self.residual_tolerance,
        }
        if isinstance(dynamics, GreedyLowRank):
            return small_greedy(
                problems,
                seed_scale=float(dynamics.seed_scale),
                stage_tolerance=float(dynamics.stage_tolerance),
                optimality_tolerance=float(dynamics.optimality_tolerance),
                **tolerances,
            )
        assert self.frobenius_norm is not None, "a flow has a start"
        starts = random_small_starts(
            len(problems), frobenius_norm=self.frobenius_norm, seed=self.seed
        )
        return small_flows(problems, starts, **tolerances)
