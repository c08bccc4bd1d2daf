"""Columns in units of their own, where they have some."""

import numpy as np
from jaxtyping import Float

from lowrankflow.completion.observed_table import ObservedTable

# As many entries as it takes to believe half of a column's own variance.
_BELIEF = 5.0
# Few columns whose standard deviations differ by more than this are of different units.
# Many are of one kind, as the bands of an image or the items of a shop, and what varies
# more is to count more.
_DIFFERENT, _FEW = 10.0, 64


def column_scale(
    table: ObservedTable, scale: str | None
) -> Float[np.ndarray, " cols"] | None:
    """What each column is divided by; None where columns stay as they are.

    Args:
        table: the entries.
        scale: "columns", or "auto" for the same where there are at most 64 columns and
            their standard deviations differ by more than a factor of ten; None for no
            scale.

    The variance of a column with few entries is drawn towards the mean of all.
    """
    if scale is None:
        return None
    size = table.shape[1]
    if scale == "auto" and size > _FEW:
        return None
    weights = np.ones(table.num_entries) if table.weights is None else table.weights
    counts = np.bincount(table.cols, weights, minlength=size)
    means = np.bincount(table.cols, weights * table.values, minlength=size)
    means = means / np.maximum(counts, 1e-300)
    squares = weights * np.square(table.values - means[table.cols], dtype=float)
    sums = np.bincount(table.cols, squares, minlength=size)
    seen = counts > 0
    own = sums[seen] / counts[seen]
    # Of a typical column: the columns may have any units, so the median.
    typical = float(np.median(own[own > 0])) if (own > 0).any() else 1.0
    variance = np.full(size, typical)
    if scale == "columns":
        variance[seen] = np.where(own > 0, own, typical)
        return np.sqrt(variance)
    drawn = (sums[seen] + _BELIEF * typical) / (counts[seen] + _BELIEF)
    if counts[seen].min(initial=np.inf) < _BELIEF or own.size < 2:
        return None
    if np.sqrt(drawn.max() / drawn.min()) <= _DIFFERENT:
        return None
    variance[seen] = np.where(own > 0, own, typical)
    return np.sqrt(variance)
