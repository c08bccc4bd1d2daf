r"""Split-conformal intervals: how far from the truth a predicted entry may be.

A score |residual| / spread is taken on entries that neither fitted nor chose anything;
its (1 + 1/n) level quantile q makes [prediction - q spread, prediction + q spread] hold
a new entry, drawn as those were, with at least the asked probability, whatever the
distribution (lei2018, section 2). The spread is larger in rows and columns whose
held-out residuals were larger: it changes how wide intervals are where, not how often
they hold.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lowrankflow.completion.model import CompletionModel
from lowrankflow.completion.observed_table import ObservedTable
from lowrankflow.completion.validation import Split
from lowrankflow.errors import DataError, SpecError

# As many residuals as it takes to believe half of a row's own spread.
_BELIEF = 10.0
_FEWEST = 30


@dataclass(frozen=True, kw_only=True, eq=False)
class Conformal:
    """Scores of entries set aside, and the spread of rows and columns.

    Args:
        row_spread: of each row, around 1.
        col_spread: of each column.
        level_spread: the residuals' root mean square.
        scores: |residual| / spread of the calibration entries, ascending.
    """

    row_spread: Float[np.ndarray, " rows"]
    col_spread: Float[np.ndarray, " cols"]
    level_spread: float
    scores: Float[np.ndarray, " n"]

    @staticmethod
    def of(model: CompletionModel, split: Split) -> "Conformal | None":
        """From the entries that the model was not fitted to.

        Args:
            model: fitted to the first part.
            split: scores are taken on the third part. Spreads are learnt from the
                others: from the first in rows (columns) where it has more than twice
                as many entries as the model has ranks, so that residuals there are
                more than what fitting has left.

        Returns:
            None when there is no third part.
        """
        if split.selection is None or split.calibration is None:
            return None
        fitted, mean_fitted = _squares(model, split.train)
        fresh, mean = _squares(model, split.selection)
        spreads = []
        for name, size in zip(("rows", "cols"), split.train.shape, strict=True):
            index = getattr(split.train, name)
            counts = np.bincount(index, minlength=size)
            many = (counts > 2 * model.rank)[index]
            index = np.concatenate([index[many], getattr(split.selection, name)])
            squares = np.concatenate([fitted[many] / mean_fitted, fresh / mean])
            spreads.append(_spread(index, squares, size))
        found = Conformal(
            row_spread=spreads[0],
            col_spread=spreads[1],
            level_spread=float(np.sqrt(mean)),
            scores=np.zeros(0),
        )
        scores = found.scores_of(model, split.calibration)
        return Conformal(
            row_spread=found.row_spread,
            col_spread=found.col_spread,
            level_spread=found.level_spread,
            scores=np.sort(scores),
        )

    def spread(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """How large a residual is expected to be, up to a factor."""
        return self.level_spread * self.row_spread[rows] * self.col_spread[cols]

    def scores_of(self, model: CompletionModel, table: ObservedTable) -> np.ndarray:
        """|residual| / spread of entries."""
        residuals = np.abs(model.at(table.rows, table.cols) - table.values)
        return residuals / self.spread(table.rows, table.cols)

    def quantile(self, level: float) -> float:
        """What the score of a new entry exceeds with a probability below 1 - level.

        Raises:
            SpecError: when the level is not in (0, 1).
            DataError: when there are too few scores for it.
        """
        return _quantile(self.scores, level)

    def coverage(self, level: float) -> float:
        """The share of calibration entries inside intervals made from the others.

        Half of them measure those of the other half, in turns.
        """
        shuffled = np.random.default_rng(0).permutation(self.scores)
        halves = np.array_split(shuffled, 2)
        if halves[1].size < _FEWEST / 2:
            return np.nan
        held = [
            float(np.mean(one <= _quantile(np.sort(other), level)))
            for one, other in (halves, halves[::-1])
        ]
        return float(np.mean(held))


def _quantile(scores: np.ndarray, level: float) -> float:
    if not 0 < level < 1:
        raise SpecError(
            where="MatrixCompleter.interval(level)",
            rule="it is the probability that an interval holds the truth, in (0, 1)",
            got=f"{level!r}",
            fix="Give level=0.9",
        )
    n = scores.size
    at = int(np.ceil((n + 1) * level))
    if at > n:
        raise DataError(
            where="MatrixCompleter.interval(level)",
            rule=f"a level of {level:g} needs {int(np.ceil(level / (1 - level)))} "
            "entries kept aside for intervals",
            got=f"{n}",
            fix="Give a lower level, or a larger validation=",
        )
    return float(scores[at - 1])


def _squares(model: CompletionModel, table: ObservedTable) -> tuple[np.ndarray, float]:
    """Squared residuals and their mean, which is not 0."""
    squares = np.square(model.at(table.rows, table.cols) - table.values, dtype=float)
    return squares, max(float(squares.mean()), float(np.finfo(float).tiny))


def _spread(index: np.ndarray, squares: np.ndarray, size: int) -> np.ndarray:
    """Root mean squares of rows (columns), drawn towards 1 where there are few."""
    counts = np.bincount(index, minlength=size)
    sums = np.bincount(index, squares, minlength=size)
    return np.sqrt((sums + _BELIEF) / (counts + _BELIEF))
