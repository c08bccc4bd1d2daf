"""How sure a number over seeds is: bootstrap intervals that are the same every time."""

from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import SpecError
from lowrankflow.seeds import generator

Statistic: TypeAlias = Literal["mean", "median", "geometric mean"]

LEVEL = 0.95
NUM_RESAMPLES = 10_000


def summary(values: Float[np.ndarray, "... seeds"], statistic: Statistic):
    """The statistic over the last axis.

    Raises:
        SpecError: when the statistic is another word.
    """
    # A number may be infinite, where a run diverged, or zero.
    with np.errstate(divide="ignore", invalid="ignore"):
        if statistic == "mean":
            return np.mean(values, axis=-1)
        if statistic == "median":
            return np.median(values, axis=-1)
        if statistic == "geometric mean":
            return np.exp(np.mean(np.log(values), axis=-1))
    raise SpecError(
        where="summary(statistic)",
        rule='this is "mean", "median" or "geometric mean"',
        got=f"{statistic!r}",
        fix='Give statistic="mean"',
    )


def bootstrap_interval(
    values: Float[np.ndarray, " seeds"],
    statistic: Statistic = "mean",
) -> tuple[float, float] | None:
    """The bootstrap percentile interval at 95 % of a statistic over seeds.

    The seeds are drawn with replacement 10,000 times, by a generator that depends on
    their number only, and the interval runs from the 2.5th to the 97.5th percentile of
    the statistic. It does not depend on the order of the seeds. With few seeds it is
    too short: of three seeds it is from the least to the largest value, which a fourth
    leaves half of the time.

    Returns:
        (lower, upper), or None for fewer than two values, which have no interval.

    Exactness: heuristic for few seeds; deterministic.
    Source: Efron and Tibshirani, An Introduction to the Bootstrap, chapter 13.
    Differs: as in the source.
    """
    ordered = np.sort(np.asarray(values, float))
    if ordered.size < 2:
        return None
    random = generator(0, "bootstrap", ordered.size)
    drawn = random.integers(ordered.size, size=(NUM_RESAMPLES, ordered.size))
    # Percentiles that are values of the statistic themselves: no interpolation, which
    # is undefined between infinite ones.
    tail = (1 - LEVEL) / 2
    resampled = np.sort(summary(ordered[drawn], statistic))
    lower = resampled[int(tail * NUM_RESAMPLES)]
    upper = resampled[NUM_RESAMPLES - 1 - int(tail * NUM_RESAMPLES)]
    return float(lower), float(upper)
