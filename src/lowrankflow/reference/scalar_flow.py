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
    tau = finite_numbers("driven_value(drive)", drive)
    initial, tau = np.broadcast_arrays(initial, tau)
    if depth == 1:
        return np.asarray(initial + tau)
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
        return np.asarray(final - initial)
    if depth == 2:
        return np.asarray((np.log(final) - np.log(initial)) / 2)
    power = -(depth - 2) / depth
    return np.asarray((initial**power - final**power) / (depth - 2))


def escape_time(init_scale: float, *, growth_rate: float, depth: int) -> float:
    r"""When the flow leaves the neighbourhood of zero, to leading order.

    Near zero the top direction grows as if its gradient were constant, -mu u v'. At
    depth 2 this is the time at which it would reach 1, log(1/alpha) / (2 mu); from
    depth 3 on it is the time of blow-up, alpha^(-(N-2)/N) / ((N-2) mu). Shifted by it,
    the paths from all small multiples of the identity fall on one another.

    Args:
        init_scale: alpha > 0, the singular values of the end-to-end matrix at time 0.
        growth_rate: mu > 0, the largest eigenvalue of minus the gradient at zero.
        depth: N >= 2, the number of factors.

    Returns:
        A time; negative at depth 2 for an init scale above 1.

    Raises:
        SpecError: when the depth is below 2, or another argument is not positive.

    Exactness: leading order; what remains tends to a constant as alpha falls.
    Source: li2021, the theorems on the first phase at depth 2 and at depth >= 3.
    Differs: in terms of the end-to-end matrix, where the source has M = W^(2/N).
    """
    check_depth("escape_time(depth)", depth)
    positive = 0 < init_scale < math.inf and 0 < growth_rate < math.inf
    if depth < 2 or not positive:
        raise SpecError(
            where="escape_time(init_scale, growth_rate, depth)",
            rule="zero is a saddle from depth 2 on, left along a growing direction",
            got=f"{init_scale!r}, {growth_rate!r} and depth {depth!r}",
            fix="Give positive numbers and depth >= 2",
        )
    level = 1.0 if depth == 2 else math.inf
    return float(drive_to_reach(init_scale, level, depth=depth)) / growth_rate


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


def _starts(where: str, start: float | Numbers, depth: int) -> np.ndarray:
    initial = finite_numbers(where, start)
    if depth > 1 and (initial < 0).any():
        raise DataError(
            where=where,
            rule="singular values are >= 0, and keep their sign from depth 2 on",
            got=f"{initial.min()}",
            fix="Flip the sign of one of its singular vectors",
        )
    return initial


def finite_numbers(
    where: str, numbers: float | Numbers
) -> Float[np.ndarray, "*values"]:
    """The numbers as float64, of any shape.

    Raises:
        DataError: when one is not finite.
    """
    array = np.asarray(numbers, dtype=np.float64)
    if not np.isfinite(array).all():
        raise DataError(
            where=where,
            rule="every number must be finite",
            got=f"{array[~np.isfinite(array)][0]}",
            fix="Leave that number out",
        )
    return array
