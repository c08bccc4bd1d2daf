"""One singular value that is fully observed: logistic curves of any depth."""

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import DataError
from lowrankflow.reference.scalar_flow import check_depth, finite_numbers


def full_observation_value(
    times: Float[np.ndarray, " times"], *, start: float, target: float, depth: int
) -> Float[np.ndarray, " times"]:
    r"""A singular value that is fully observed: sigma' = N sigma^(2-2/N) (s* - sigma).

    f(W) = 1/2 ||W - W*||_F^2 from a start that shares the singular vectors of W*. At
    depth 2 it is the logistic curve; the time of the rise is later and the rise sharper
    with depth.

    Args:
        times: >= 0, finite.
        start: sigma(0) > 0.
        target: s* >= 0.
        depth: N, the number of factors.

    Returns:
        sigma at the times; monotone from the start towards the target.

    Raises:
        DataError: when a time, the start or the target has the wrong sign.
        SpecError: when the depth is not a positive integer.

    Exactness: exact for depth 1, depth 2 and target 0; otherwise the closed form of
        t(sigma) inverted to rounding.
    Cost: some fifty evaluations of t(sigma) per time at depth >= 3.
    Source: saxe2014 for depth 2; arora2019, equation (7), for the flow.
    Differs: the inverse for depth >= 3 is derived here.
    """
    check_depth("full_observation_value(depth)", depth)
    _check_observed("full_observation_value", start, target)
    clock = finite_numbers("full_observation_value(times)", times)
    if (clock < 0).any():
        raise DataError(
            where="full_observation_value(times)",
            rule="the flow runs from time 0 on",
            got=f"{clock.min()}",
            fix="Give times >= 0",
        )
    if depth == 1:
        return start * np.exp(-clock) - target * np.expm1(-clock)
    # The decay towards zero, which a target below rounding of it does not change.
    power = 2 - 2 / depth
    path = (start**-power + depth * power * clock) ** (-1 / power)
    near = target > 1e-17 * path
    if depth == 2:
        # Written with decaying exponentials only, so that no time overflows.
        decay = -2 * target * clock[near]
        growth = -np.expm1(decay) / target if near.any() else decay
        path[near] = start / (np.exp(decay) + start * growth)
    else:
        path[near] = [_invert_time(t, start, target, depth) for t in clock[near]]
    return path


def _invert_time(time: float, start: float, target: float, depth: int) -> float:
    """The value at which t(sigma) is the time; sigma is between start and target."""
    rises = start < target
    offset = _clock_of(start, target, depth) + time
    if time == 0 or not math.isfinite(offset):
        return start  # or so near the target that nothing moves any more

    # In log |s*/sigma - 1| the interval to the target is unbounded, t nearly linear.
    def value(level: float) -> float:
        return target / (1 + math.exp(level) if rises else -math.expm1(level))

    def late(level: float) -> float:
        return _clock_of(value(level), target, depth) - offset

    begin = math.log(target / start - 1) if rises else math.log1p(-target / start)
    if late(begin) >= 0:  # a time below the rounding of t(sigma)
        return start
    width = 1.0
    while late(begin - width) < 0:
        width *= 2
    end = begin - width
    if not math.isfinite(late(end)):  # brentq takes finite numbers only
        end = _last_finite(late, begin, end)
        if late(end) < 0:
            return target
    # xtol: levels near 0 belong to starts far above the target, and count relatively.
    # A third of a second to import, and few need it.
    from scipy.optimize import root_scalar

    found = root_scalar(late, bracket=(end, begin), method="brentq", xtol=1e-300)
    return value(found.root)


def _last_finite(function: Callable[[float], float], begin: float, end: float) -> float:
    """By bisection, the argument towards the end up to which the value is finite."""
    while abs(end - begin) > 1e-6 * (1 + abs(end)):
        middle = (begin + end) / 2
        if math.isfinite(function(middle)):
            begin = middle
        else:
            end = middle
    return begin


def _clock_of(value: float, target: float, depth: int) -> float:
    """t(sigma) up to a constant, for depth >= 3; inf at the target.

    The antiderivative of 1 / (N sigma^a (s* - sigma)) with a = 2 - 2/N: split off the
    part that is singular at zero, and the rest is an incomplete beta function.
    """
    a = 2 - 2 / depth
    scale = depth * target**a
    ratio = value / target
    if ratio == 1 or 1 / ratio == 1:
        return math.inf
    if ratio < 1:
        near_zero = ratio ** (1 - a) / (1 - a)
        return (near_zero + _incomplete_beta(ratio, 2, depth)) / scale
    return _incomplete_beta(1 / ratio, 2 * depth - 2, depth) / scale


def _incomplete_beta(ratio: float, k: int, depth: int) -> float:
    """The integral of v^(k/N - 1) / (1 - v) from 0 to a ratio below 1, for 0 < k < 2N.

    It is sum_n x^(n + k/N) / (n + k/N). SciPy's hyp2f1(1, b, 1 + b, x) is this series,
    but has the wrong value for b = 5/3 and x = 0.999 (SciPy 1.17).
    """
    if ratio < 0.5:
        powers = np.arange(64) + k / depth  # 2^-64 is below rounding
        return float(np.sum(ratio**powers / powers))
    # With w = x^(1/N), N sum w^l / l over l = k, k + N, ...: a logarithm at each root
    # of unity picks every N-th term, from the first on that is congruent to k.
    first = k % depth
    w = ratio ** (1 / depth)
    turns = np.exp(2j * np.pi * np.arange(1, depth) / depth)
    logs = -np.log1p(-turns * w) / turns**first
    total = -math.log(-math.expm1(math.log(ratio) / depth)) + float(np.sum(logs.real))
    return total - (depth * w**first / first if first < k else 0.0)


def _check_observed(name: str, start: float, target: float) -> None:
    if not (0 < start < math.inf and 0 <= target < math.inf):
        raise DataError(
            where=f"{name}(start, target)",
            rule="the start is positive, the target at least zero, and both finite",
            got=f"{start!r} and {target!r}",
            fix="Flip the sign of a singular vector where the target is negative",
        )
