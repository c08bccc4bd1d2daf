"""A completion by a method that builds a path of matrices, as a job.

Greedy low-rank learning on thin factors and its classical relatives give a matrix for
every rank or penalty. Which of them to believe is a question of its own (held-out
entries answer it); here the truth is known and the best of the path counts, for every
method alike: what is asked is whether the path passes the truth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias, get_args

import numpy as np

from lowrankflow.dynamics import greedy_low_rank_path
from lowrankflow.errors import SpecError
from lowrankflow.problems import Factored, SensingProblem
from lowrankflow.reference import debiased, geco, rank_one_pursuit, soft_impute
from lowrankflow.simulation.recipes import Recipe

Method: TypeAlias = Literal[
    "greedy_path",
    "greedy_path_als",
    "greedy_path_flow",
    "rank_one_pursuit",
    "economic_rank_one_pursuit",
    "geco",
    "soft_impute",
]
METHODS: tuple[Method, ...] = get_args(Method)
# Raised when the same job gives other numbers.
_NUMERICS_VERSION = 2
# Newton's method is brought to 1e-8; the others are slow beyond 1e-6.
_GREEDY: dict[str, tuple[Literal["newton", "als", "flow"], float]] = {
    "greedy_path": ("newton", 1e-8),
    "greedy_path_als": ("als", 1e-6),
    "greedy_path_flow": ("flow", 1e-6),
}
_PENALTY_RATIO, _GAP = 0.5, 1e-4


@dataclass(frozen=True, kw_only=True)
class CompletionJob:
    """The path of one method on one completion problem with a known truth.

    Args:
        problem: the recipe of a completion problem.
        method: "greedy_path" (`greedy_low_rank_path`, Newton's method inside), the same
            with alternating least squares or the flow inside, "rank_one_pursuit" or
            "economic_rank_one_pursuit", "geco", or "soft_impute" (penalties halved
            from the largest on, each solution debiased).
        length: how many matrices the path has at most, >= 1.
        psd: greedy learning in U U'; the relatives know nothing of it.

    Raises:
        SpecError: when a setting is of the wrong kind or out of its range.
    """

    problem: Recipe
    method: Method
    length: int
    psd: bool = False

    kind: ClassVar[str] = "completion"

    def __post_init__(self):
        if not isinstance(self.problem, Recipe):
            raise SpecError(
                where="CompletionJob(problem)",
                rule="a job says its problem as a recipe",
                got=f"{type(self.problem).__name__}",
                fix='Give for example Recipe("planted_completion", {...})',
            )
        if self.method not in METHODS:
            raise SpecError(
                where="CompletionJob(method)",
                rule=f"the methods are {', '.join(METHODS)}",
                got=f"{self.method!r}"[:200],
                fix='Give for example method="greedy_path"',
            )
        is_count = isinstance(self.length, int) and not isinstance(self.length, bool)
        if not is_count or self.length < 1:
            raise SpecError(
                where="CompletionJob(length)",
                rule="a path has at least one matrix",
                got=f"{self.length!r}"[:200],
                fix="Give for example length=10",
            )
        if not isinstance(self.psd, bool):
            raise SpecError(
                where="CompletionJob(psd)",
                rule="this is True or False",
                got=f"{self.psd!r}"[:200],
                fix="Leave it out for False",
            )

    @property
    def numerics(self) -> str:
        """The version of what makes the numbers."""
        return f"completion {_NUMERICS_VERSION}"

    @property
    def label(self) -> str:
        """What it is, in a few words, for lists and progress."""
        return f"{self.problem} | {self.method}"

    def path(self, problem: SensingProblem) -> Sequence[Factored]:
        """The matrices the method finds; nothing is kept.

        Raises:
            SpecError: when the problem is not one of observed entries.
        """
        if self.method in _GREEDY:
            inner, rtol = _GREEDY[self.method]
            path = greedy_low_rank_path(
                problem, max_rank=self.length, rtol=rtol, psd=self.psd, inner=inner
            )
            return [step.matrix for step in path.steps if step.rank > 0]
        if self.method == "geco":
            return geco(problem, max_rank=self.length).matrices
        if self.method == "soft_impute":
            return _soft_imputed(problem, self.length)
        economic = self.method == "economic_rank_one_pursuit"
        pursuit = rank_one_pursuit(problem, max_rank=self.length, economic=economic)
        return pursuit.matrices


def _soft_imputed(problem: SensingProblem, length: int) -> list[Factored]:
    pull = np.asarray(problem.operator.adjoint(problem.measurements).to_dense())
    penalty, start, found = float(np.linalg.norm(pull, 2)), None, []
    for _ in range(length):
        penalty *= _PENALTY_RATIO
        start = soft_impute(problem, penalty=penalty, gap_tolerance=_GAP, start=start)
        found.append(debiased(problem, start))
    return found
