"""One measurement, singular vectors at rest: how the values grow against one another.

With f(W) = 1/2 (<A, W> - y)^2 and singular vectors of W that are those of A, every
singular value is driven by the same number s(t), in proportion to its weight: the drive
of sigma_r is e_r rho_r s, where rho_r is the singular value of A and e_r = +-1 tells
whether the two pairs of vectors agree. Eliminating s gives curves that do not depend on
y, nor on the loss. Depth 1 gives lines, depth 2 powers; from depth 3 on the lesser
value stops short at an asymptote while the greater grows without bound.
"""

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import SpecError
from lowrankflow.problems import Numbers, finite_array
from lowrankflow.reference.diagonal import diagonal_limit
from lowrankflow.reference.scalar_flow import (
    check_depth,
    drive_to_reach,
    driven_value,
)


def single_measurement_curve(
    value: Numbers, *, start: float, value_start: float, ratio: float, depth: int
) -> Float[np.ndarray, " points"]:
    r"""One singular value as a function of another, under a single measurement.

    sigma_1 = a sigma_2 + c at depth 1, c sigma_2^a at depth 2, and
    (a sigma_2^(-(N-2)/N) + c)^(-N/(N-2)) from depth 3 on, with c fixed by the starts.

    Args:
        value: sigma_2, positive from depth 2 on.
        start: sigma_1 at the start.
        value_start: sigma_2 at the start.
        ratio: a = e_1 rho_1 / (e_2 rho_2), the weights of the two in the measurement.
        depth: N, the number of factors.

    Returns:
        sigma_1 at each sigma_2; inf where sigma_1 has blown up before.

    Raises:
        DataError: when a number has the wrong sign or is not finite.
        SpecError: when the depth or the ratio is not as described.

    Exactness: exact.
    Source: arora2019, equation (11).
    Differs: the constant c is written through the starts.
    """
    check_depth("single_measurement_curve(depth)", depth)
    _check_ratio("single_measurement_curve(ratio)", ratio)
    points = finite_array("single_measurement_curve(value)", value, ndim=1)
    drive = drive_to_reach(value_start, points, depth=depth)
    return driven_value(start, ratio * drive, depth=depth)


def single_measurement_asymptote(
    *, start: float, value_start: float, ratio: float, depth: int
) -> float:
    r"""What one singular value tends to while the other grows without bound.

    From depth 3 on and equal starts eps it is eps (1 - a)^(-N/(N-2)) for a < 1: a
    multiple of the start, the smaller the deeper.

    Args:
        start: sigma_1 at the start, positive from depth 2 on.
        value_start: sigma_2 at the start, likewise.
        ratio: a = e_1 rho_1 / (e_2 rho_2).
        depth: N, the number of factors.

    Returns:
        The limit of sigma_1; inf where it blows up first or along with sigma_2, and at
        depth <= 2 for a > 0. For a < 0 it is -inf at depth 1 and 0 at depth 2.

    Raises:
        DataError: when a start has the wrong sign or is not finite.
        SpecError: when the depth or the ratio is not as described.

    Exactness: exact.
    Source: arora2019, equation (11).
    Differs: its limit, derived here.
    """
    check_depth("single_measurement_asymptote(depth)", depth)
    _check_ratio("single_measurement_asymptote(ratio)", ratio)
    drive = float(drive_to_reach(value_start, np.inf, depth=depth))
    if np.isfinite(drive) or ratio == 0:
        finite = drive if ratio != 0 else 0.0
        return float(driven_value(start, ratio * finite, depth=depth))
    driven_value(start, 0.0, depth=depth)  # for its checks of the start
    if ratio > 0:
        return float("inf")
    return float("-inf") if depth == 1 else 0.0


def single_measurement_limit(
    weights: Numbers, measurement: float, *, start: Numbers, depth: int
) -> Float[np.ndarray, " sv"]:
    r"""The singular values at which the flow of a single measurement ends.

    Args:
        weights: e_r rho_r, the signed singular values of A in the vectors of W.
        measurement: y.
        start: sigma_r at the start, one per weight; positive from depth 2 on.
        depth: N, the number of factors.

    Returns:
        sigma_r at the end, in the order of the weights: sum_r weight_r sigma_r = y.

    Raises:
        DataError: when shapes disagree, a start is not positive, or no such values have
            the measurement.
        SpecError: when the depth is not a positive integer.

    Exactness: within rounding.
    Source: arora2019, equation (10).
    Differs: the source draws the curves and not their end.
    """
    numbers = finite_array("single_measurement_limit(weights)", weights, ndim=1)
    wanted = np.array([measurement], dtype=np.float64)
    begin = np.asarray(start, dtype=np.float64)
    return diagonal_limit(numbers[None], wanted, start=begin, depth=depth).values


def _check_ratio(where: str, ratio: float) -> None:
    if not np.isfinite(ratio):
        raise SpecError(
            where=where,
            rule="the ratio of two weights is a finite number",
            got=f"{ratio!r}",
            fix="Swap the two values where the second has weight zero",
        )
