"""One singular value on its own: the flows that have a formula.

Where singular vectors stand still, each singular value of the end-to-end matrix obeys

    sigma' = N sigma^(2 - 2/N) gamma(t),      gamma = -u' grad f(W) v,

and everything about it depends on time only through the drive tau, the time integral
of gamma. `driven_value` is that dependence and `drive_to_reach` its inverse; the
commuting solutions, the single-measurement curves and the escape times are made of
these two. Depth 2 grows exponentially; from depth 3 on the growth is a power law that
ends at a finite drive, which is why deeper factorizations select more sharply.

The clock is the library's: factors move by the plain gradient flow of f(W_N ... W_1),
symmetric factors by U' = -grad f(UU') U. At depth 2 the two agree.
"""

import math

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq
from scipy.special import hyp2f1

from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems import Numbers


def driven_value(
    start: float | Float[np.ndarray, "*values"],
    drive: float | Float[np.ndarray, "*values"],
    *,
    depth: int,
) -> Float[np.ndarray, "*values"]:
    r"""The singular value that a start has become under a drive.

    Depth 1: start + drive. Depth 2: start exp(2 drive). Depth N >= 3:
    (start^(-(N-2)/N) - (N-2) drive)^(-N/(N-2)).

    Args:
        start: sigma(0) >= 0; any real number at depth 1.
        drive: tau, the integral of gamma over time; negative drives shrink.
        depth: N, the number of factors.

    Returns:
        sigma, broadcast over both arguments; inf from the drive of blow-up on; 0 for
        a start of 0 at depth >= 2, which no drive can move.

    Raises:
        DataError: when a start is negative or a number is not finite.
        SpecError: when the depth is not a positive integer.

    Exactness: exact.
    Source: arora2019, equation (10); gunasekar2017, equation (7) for depth 2.
    Differs: integrated, for any control of the residual.
    """
    check_depth("driven_value(depth)", depth)
    initial = _starts("driven_value(start)", start, depth)
    tau = _finite("driven_value(drive)", drive)
    initial, tau = np.broadcast_arrays(initial, tau)
    if depth == 1:
        return initial + tau
    moving = initial > 0
    values = np.zeros(initial.shape)
    with np.errstate(over="ignore"):  # beyond the largest number is inf, as it should
        if depth == 2:
            values[moving] = initial[moving] * np.exp(2 * tau[moving])
            return values
        left = initial[moving] ** (-(depth - 2) / depth) - (depth - 2) * tau[moving]
        safe = np.where(left > 0, left, 1.0)
        values[moving] = np.where(left > 0, safe ** (-depth / (depth - 2)), np.inf)
    return values


def drive_to_reach(
    start: float | Float[np.ndarray, "*values"],
    value: float | Float[np.ndarray, "*values"],
    *,
    depth: int,
) -> Float[np.ndarray, "*values"]:
    r"""The drive under which a start becomes a value: the inverse of `driven_value`.

    With a constant gamma the time needed is this divided by gamma. From init scale
    alpha at depth 2 it is log(value / alpha) / 2; at depth N >= 3 it tends to the drive
    of blow-up, alpha^(-(N-2)/N) / (N-2), as the value grows.

    Args:
        start: sigma(0) > 0; any real number at depth 1.
        value: sigma > 0, or inf for the drive of blow-up; any real number at depth 1.
        depth: N, the number of factors.

    Returns:
        tau, broadcast over both; negative where the value is below the start.

    Raises:
        DataError: when a number has the wrong sign or is nan.
        SpecError: when the depth is not a positive integer.

    Exactness: exact.
    Source: li2021, the escape times of its first phase, for depth 2 and above.
    Differs: for any two levels; in terms of W, where the source has M = W^(2/N).
    """
    check_depth("drive_to_reach(depth)", depth)
    initial = _starts("drive_to_reach(start)", start, depth)
    final = np.asarray(value, dtype=np.float64)
    wrong = np.isnan(final) | ((final <= 0) & (depth > 1))
    if wrong.any() or ((initial <= 0).any() and depth > 1):
        raise DataError(
            where="drive_to_reach(start, value)",
            rule="from depth 2 on a singular value keeps away from zero and its sign",
            got=f"start {start!r} and value {value!r}",
            fix="Give positive numbers; value may be numpy.inf",
        )
    initial, final = np.broadcast_arrays(initial, final)
    if depth == 1:
        return final - initial
    if depth == 2:
        return (np.log(final) - np.log(initial)) / 2
    power = -(depth - 2) / depth
    return (initial**power - final**power) / (depth - 2)


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
    Cost: some fifty hypergeometric functions per time at depth >= 3.
    Source: saxe2014, equation (5) for depth 2; arora2019, equation (7).
    Differs: the inverse for depth >= 3 is derived here.
    """
    check_depth("full_observation_value(depth)", depth)
    _check_observed("full_observation_value", start, target)
    clock = _finite("full_observation_value(times)", times)
    if (clock < 0).any():
        raise DataError(
            where="full_observation_value(times)",
            rule="the flow runs from time 0 on",
            got=f"{clock.min()}",
            fix="Give times >= 0",
        )
    if depth == 1:
        return target + (start - target) * np.exp(-clock)
    if target == 0:
        power = 2 - 2 / depth
        return (start**-power + depth * power * clock) ** (-1 / power)
    if depth == 2:
        # Written with decaying exponentials only, so that no time overflows.
        grown = -np.expm1(-2 * target * clock) / target
        return start / (np.exp(-2 * target * clock) + start * grown)
    return np.array([_invert_time(t, start, target, depth) for t in clock.reshape(-1)])


def _invert_time(time: float, start: float, target: float, depth: int) -> float:
    """The value at which t(sigma) is the time; sigma is between start and target."""
    if time == 0 or start == target:
        return start
    rises = start < target
    offset = _clock_of(start, target, depth) + time
    # In log |s*/sigma - 1| the interval to the target is unbounded and t nearly linear.
    begin = math.log(abs(target / start - 1))
    width = 1.0

    def value(level: float) -> float:
        return target / (1 + math.exp(level) * (1 if rises else -1))

    def late(level: float) -> float:
        return _clock_of(value(level), target, depth) - offset

    while late(begin - width) < 0:
        width *= 2
        if value(begin - width) == target:  # closer than rounding
            return target
    level = brentq(late, begin - width, begin, xtol=1e-14, rtol=1e-15)
    return value(float(level))


def _clock_of(value: float, target: float, depth: int) -> float:
    """t(sigma) up to a constant, for depth >= 3.

    The antiderivative of 1 / (N sigma^a (s* - sigma)) with a = 2 - 2/N: split off the
    part that is singular at zero, and the rest is an incomplete beta function.
    """
    a = 2 - 2 / depth
    ratio = value / target
    if ratio < 1:
        near_zero = ratio ** (1 - a) / (1 - a)
        rest = ratio ** (2 - a) / (2 - a) * hyp2f1(1, 2 - a, 3 - a, ratio)
        return float((near_zero + rest) / (depth * target**a))
    inverse = 1 / ratio
    return float(inverse**a / a * hyp2f1(1, a, 1 + a, inverse) / (depth * target**a))


def check_depth(where: str, depth: int) -> None:
    """Nothing, when the depth is a positive integer.

    Raises:
        SpecError: when it is not.
    """
    whole = isinstance(depth, int | np.integer) and not isinstance(depth, bool)
    if not whole or depth < 1:
        raise SpecError(
            where=where,
            rule="the depth counts factors, an integer >= 1",
            got=f"{depth!r}",
            fix="Give for example depth=3",
        )


def _check_observed(name: str, start: float, target: float) -> None:
    if not (0 < start < math.inf and 0 <= target < math.inf):
        raise DataError(
            where=f"{name}(start, target)",
            rule="the start is positive, the target at least zero, and both finite",
            got=f"{start!r} and {target!r}",
            fix="Flip the sign of a singular vector where the target is negative",
        )


def _starts(where: str, start: float | Numbers, depth: int) -> np.ndarray:
    initial = _finite(where, start)
    if depth > 1 and (initial < 0).any():
        raise DataError(
            where=where,
            rule="singular values are >= 0, and keep their sign from depth 2 on",
            got=f"{initial.min()}",
            fix="Flip the sign of one of its singular vectors",
        )
    return initial


def _finite(where: str, numbers: float | Numbers) -> np.ndarray:
    array = np.asarray(numbers, dtype=np.float64)
    if not np.isfinite(array).all():
        raise DataError(
            where=where,
            rule="every number must be finite",
            got=f"{array[~np.isfinite(array)][0]}",
            fix="Leave that number out",
        )
    return array
