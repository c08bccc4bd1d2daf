"""Known entries that the model disagrees with most: possible errors in the table."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lowrankflow.completion.candidates.watch import EXACT
from lowrankflow.completion.completer import MatrixCompleter
from lowrankflow.completion.observed_table import ObservedTable

_MOST = 10
_PIECE = 1_000_000
# Of a bell curve, its deviation over the median of its absolute values.
_NORMAL = 1.4826
# As many entries as it takes to believe half of a row's spread; the least it can be.
_BELIEF, _LEAST = 10.0, 0.3


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """A known entry and what the model says of it.

    Args:
        row: 0-based.
        col: 0-based.
        value: that stands in the table.
        predicted: the model's.
        spreads: how many spreads lie between them.
    """

    row: int
    col: int
    value: float
    predicted: float
    spreads: float


def disagreements(completer: MatrixCompleter, most: int = _MOST) -> list[Disagreement]:
    """The largest, in spreads; none where the model meets every entry.

    Args:
        completer: fitted.
        most: how many.

    The spread is how far entries of this row and this column usually are from the
    model, by medians: errors that are looked for do not widen it.
    """
    table, scale = completer.table_, completer.scale_
    predicted = np.concatenate(
        [
            completer.predict(table.rows[k : k + _PIECE], table.cols[k : k + _PIECE])
            for k in range(0, table.num_entries, _PIECE)
        ]
    )
    gaps = np.abs(predicted - np.asarray(table.values, float))
    if scale is not None:
        gaps = gaps / scale[table.cols]
    if float(np.sqrt(np.mean(np.square(gaps)))) <= EXACT * _size(completer):
        return []
    spreads = _in_spreads(table, gaps)
    at = np.argsort(-spreads, kind="stable")[:most]
    return [
        Disagreement(
            row=int(table.rows[k]),
            col=int(table.cols[k]),
            value=float(table.values[k]),
            predicted=float(predicted[k]),
            spreads=float(spreads[k]),
        )
        for k in at
        if gaps[k] > 0
    ]


def _size(completer: MatrixCompleter) -> float:
    """Of what there is to explain: the entries' deviation, in units of columns."""
    values = np.asarray(completer.table_.in_units(completer.scale_).values, float)
    return float(values.std()) or float(np.abs(values).max())


def _in_spreads(
    table: ObservedTable, gaps: Float[np.ndarray, " m"]
) -> Float[np.ndarray, " m"]:
    """Gaps relative to what is usual in the table, then in the row, then the column."""
    usual = _NORMAL * float(np.median(gaps))
    # Where most entries are met exactly the median is nothing to divide by.
    found = gaps / max(usual, 1e-3 * float(np.sqrt(np.mean(np.square(gaps)))))
    for index, size in zip((table.rows, table.cols), table.shape, strict=True):
        found = found / _usual(index, found, size)[index]
    return found


def _usual(
    index: np.ndarray, found: Float[np.ndarray, " m"], size: int
) -> Float[np.ndarray, " lines"]:
    """Medians of rows (columns), drawn towards 1 where entries are few."""
    order = np.lexsort((found, index))
    counts = np.bincount(index, minlength=size)
    seen = counts > 0
    middle = (np.cumsum(counts) - counts + (counts - 1) // 2)[seen]
    medians = np.ones(size)
    medians[seen] = np.maximum(_NORMAL * found[order][middle], _LEAST)
    return medians ** (counts / (counts + _BELIEF))


def bell_curve_most(count: int) -> float:
    """About the largest of so many draws from a bell curve, in standard deviations."""
    return float(np.sqrt(2 * np.log(max(count, 2))))
