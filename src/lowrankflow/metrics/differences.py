"""Derivatives in time that are measured, from values at equally spaced times."""

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems import real_number

# For values at -reach, ..., reach steps; exact for polynomials of degree 2 reach.
_WEIGHTS = {
    3: np.array([-1, 0, 1]) / 2,
    5: np.array([1, -8, 0, 8, -1]) / 12,
    7: np.array([-1, 9, -45, 0, 45, -9, 1]) / 60,
}


def central_derivative(
    values: Float[np.ndarray, "points ..."], *, step: float
) -> Float[np.ndarray, "..."]:
    r"""The derivative at the middle of 3, 5 or 7 values at equally spaced times.

    With five points it errs by step^4 |f^(5)| / 30 in truncation, and by 1.5 times the
    noise of the values over the step.

    Args:
        values: along the first axis at t - reach step, ..., t + reach step.
        step: of time, > 0.

    Returns:
        f'(t), of the shape of one value.

    Raises:
        DataError: when there are not 3, 5 or 7 points.
        SpecError: when the step is not positive and finite.

    Exactness: order 2, 4 or 6 in the step; exact for polynomials of that degree.
    Source: fornberg1988, table 1.
    Differs: as in the source.
    """
    array = np.asarray(values, float)
    count = len(array) if array.ndim else 0
    if count not in _WEIGHTS:
        raise DataError(
            where="central_derivative(values)",
            rule="the values are those at 3, 5 or 7 times, along the first axis",
            got=f"an array of shape {array.shape}",
            fix="Give for example numpy.stack([before, here, after])",
        )
    if not 0 < real_number(step) < np.inf:
        raise SpecError(
            where="central_derivative(step)",
            rule="the step of time is positive and finite",
            got=f"{step!r}",
            fix="Give for example step=1e-3",
        )
    return np.tensordot(_WEIGHTS[count], array, axes=1) / float(step)
