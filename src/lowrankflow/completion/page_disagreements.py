"""Known entries that the model disagrees with most: possible errors in the table."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lowrankflow.completion.completer import MatrixCompleter
from lowrankflow.completion.watch import EXACT

_MOST = 10
_PIECE = 1_000_000


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

    The spread is that of intervals: what a residual on entries kept aside usually is in
    this row and column. Without intervals it is the root mean square of all residuals.
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
    spreads = gaps / _spread(completer, gaps)
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


def _spread(
    completer: MatrixCompleter, gaps: Float[np.ndarray, " m"]
) -> Float[np.ndarray, " m"]:
    table, conformal = completer.table_, completer.conformal_
    typical = float(np.sqrt(np.mean(np.square(gaps))))
    if conformal is None:
        return np.full(gaps.size, typical)
    found = conformal.spread(table.rows, table.cols)
    # Where fresh entries were met exactly a spread is nothing to divide by.
    return np.maximum(found, 1e-3 * typical)


def bell_curve_most(count: int) -> float:
    """About the largest of so many draws from a bell curve, in standard deviations."""
    return float(np.sqrt(2 * np.log(max(count, 2))))
