"""Every small completion problem there is: the exhaustive 3 x 3 grid of gunasekar2017.

Four of the six distinct entries of a symmetric 3 x 3 matrix are observed, in all 15
ways, and take all combinations of a few equally spaced values in [-1, 1]. Whether a
p.s.d. completion exists is decided in integers, so that no boundary case is left to
rounding.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from lowrankflow.errors import SpecError
from lowrankflow.problems.operators import SymmetricEntrySampling
from lowrankflow.problems.problem import SensingProblem
from lowrankflow.problems.sampling import checked_count

_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
_MASKS = np.array(list(itertools.combinations(_PAIRS, 4)))


@dataclass(frozen=True, kw_only=True)
class ExhaustiveGrid:
    """All fillings of all four-entry masks of a symmetric 3 x 3 matrix.

    A mask is a number 0...14 and a filling a number 0...num_values^4 - 1; both count in
    lexicographic order, with the values ascending.

    Args:
        num_values: how many equally spaced values of [-1, 1] an entry takes, >= 2. With
            an even number none of them is 0.

    Raises:
        SpecError: when there are fewer than two values.

    Exactness: exact; the values are integers over num_values - 1.
    Source: gunasekar2017, section 5, figure 4 (150 000 problems, with 10 values).
    Differs: the number of values and the interval are restored from memory.
    """

    num_values: int = 10

    def __post_init__(self):
        count = checked_count("ExhaustiveGrid(num_values)", self.num_values, None)
        if count < 2:
            raise SpecError(
                where="ExhaustiveGrid(num_values)",
                rule="the values run from -1 to 1, so there are at least two",
                got=f"{count}",
                fix="Give for example num_values=10",
            )

    @property
    def masks(self) -> Int[np.ndarray, "15 4 2"]:
        """The observed (row, column) pairs of each mask, row <= column."""
        return _MASKS.copy()

    @property
    def numerators(self) -> Int[np.ndarray, "fillings 4"]:
        """The values of each filling, times num_values - 1: integers."""
        top = self.num_values - 1
        values = np.arange(-top, top + 1, 2)
        return np.stack(np.meshgrid(*[values] * 4, indexing="ij"), -1).reshape(-1, 4)

    @property
    def fillings(self) -> Float[np.ndarray, "fillings 4"]:
        """The values of each filling, in the order of the pairs of a mask."""
        return self.numerators / (self.num_values - 1)

    @property
    def num_problems(self) -> int:
        """How many problems there are, with a completion or without."""
        return len(_MASKS) * self.num_values**4

    def feasible(self, mask: int) -> Bool[np.ndarray, " fillings"]:
        """Whether each filling of a mask has a p.s.d. completion.

        Necessary: observed diagonal entries are >= 0, the observed entries in the row
        of a zero diagonal entry are 0, and every fully observed 2 x 2 principal minor
        is >= 0. Sufficient, by what is not observed:
        two off-diagonal entries: put 0 there;
        two diagonal entries: make them large, as the third, if positive, needs;
        a diagonal entry k and the pair (i, j) without it: put 0 there, make k large;
        a diagonal entry k and the pair (i, k): put X_ij X_jk / X_jj there (0 when X_jj
        is), make k large.

        Args:
            mask: 0...14.

        Raises:
            SpecError: when there is no such mask.

        Exactness: exact, in integers.
        """
        pairs = _MASKS[self._checked_mask(mask)]
        numbers = dict(zip(map(tuple, pairs.tolist()), self.numerators.T, strict=True))
        possible = np.ones(self.num_values**4, bool)
        for i in range(3):
            if (i, i) in numbers:
                possible &= numbers[i, i] >= 0
        for (i, j), value in numbers.items():
            if i == j:
                continue
            for k in (i, j):
                if (k, k) in numbers:
                    possible &= (numbers[k, k] != 0) | (value == 0)
            if (i, i) in numbers and (j, j) in numbers:
                possible &= numbers[i, i] * numbers[j, j] >= value**2
        return possible

    def num_feasible(self) -> Int[np.ndarray, " masks"]:
        """How many fillings of each mask have a p.s.d. completion."""
        return np.array([self.feasible(mask).sum() for mask in range(len(_MASKS))])

    def problem(self, mask: int, filling: int) -> SensingProblem:
        """One completion problem; an off-diagonal observation counts once.

        Args:
            mask: 0...14.
            filling: 0...num_values^4 - 1.

        Raises:
            SpecError: when there is no such mask or filling.
        """
        self._require_index("filling", filling, self.num_values**4)
        rows, cols = _MASKS[self._checked_mask(mask)].T
        top = self.num_values - 1
        digits = np.unravel_index(filling, (self.num_values,) * 4)
        values = (2 * np.array(digits) - top) / top
        return SensingProblem(SymmetricEntrySampling(rows, cols, 3), values)

    def problems(self, mask: int) -> Iterator[SensingProblem]:
        """The feasible problems of a mask, in the order of their fillings.

        Args:
            mask: 0...14.

        Raises:
            SpecError: when there is no such mask.
        """
        feasible = np.flatnonzero(self.feasible(mask))
        return (self.problem(mask, int(filling)) for filling in feasible)

    def _checked_mask(self, mask: int) -> int:
        self._require_index("mask", mask, len(_MASKS))
        return mask

    def _require_index(self, what: str, index: int, count: int) -> None:
        whole = isinstance(index, int | np.integer) and not isinstance(index, bool)
        if not whole or not 0 <= index < count:
            raise SpecError(
                where=f"ExhaustiveGrid({what})",
                rule=f"a {what} is a number in 0...{count - 1}",
                got=f"{index!r}",
                fix=f"Give for example {what}=0",
            )
