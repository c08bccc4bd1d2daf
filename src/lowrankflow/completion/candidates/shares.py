"""The best penalty on a line of penalties, from coarse to fine."""

from collections.abc import Callable, Sequence

import numpy as np

_WORSE = 2  # so many in a row and the way down ends


def best_share(
    error: Callable[[float], float],
    coarse: Sequence[float],
    *,
    refinements: int,
    highest: float = 1.0,
) -> None:
    """Try shares from large to small, then between the best and its neighbours.

    Args:
        error: what a share leads to; it keeps what it found itself.
        coarse: falling, > 0. The way down ends after two that are worse than the best.
        refinements: how often the two gaps beside the best are looked into.
        highest: a share above the first of which nothing is known to be good.
    """
    known: dict[float, float] = {}
    worse = 0
    for share in coarse:
        known[share] = error(share)
        worse = worse + 1 if known[share] > min(known.values()) else 0
        if worse >= _WORSE:
            break
    for _ in range(refinements):
        tried = sorted(known)
        at = tried.index(min(known, key=lambda share: known[share]))
        above = tried[at + 1] if at + 1 < len(tried) else highest
        middles = [float(np.sqrt(tried[at] * above))]
        if at > 0:
            middles.append(float(np.sqrt(tried[at] * tried[at - 1])))
        for share in middles:
            known[share] = error(share)
