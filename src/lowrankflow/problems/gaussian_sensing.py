"""Gaussian measurements of a matrix, in the scales of the papers."""

from typing import Literal, TypeAlias

import numpy as np

from lowrankflow.errors import SpecError
from lowrankflow.problems.checks import checked_shape, real_number
from lowrankflow.problems.dense_operators import DenseSensing
from lowrankflow.problems.sampling import checked_count
from lowrankflow.seeds import generator

SensingScale: TypeAlias = float | Literal["unit_measurements", "near_isometry"]


def gaussian_sensing(
    shape: tuple[int, int],
    *,
    num_measurements: int,
    scale: SensingScale,
    seed: int,
    part: str = "observed",
) -> DenseSensing:
    """Measurements with independent N(0, scale^2) entries.

    Args:
        shape: (rows, cols).
        num_measurements: how many, >= 1; equal seeds nest.
        scale: the standard deviation, > 0. "unit_measurements" is
            1 / sqrt(rows x cols), which gives measurements of variance 1 to a matrix of
            mean squared entry 1 (arora2019: 1 / n). "near_isometry" is
            1 / sqrt(num_measurements), which keeps Frobenius norms on average
            (gunasekar2017, as far as can be told).
        seed: of the measurements.
        part: a name; other names with the same seed give independent measurements.

    Raises:
        SpecError: when a number is out of range.

    Exactness: exact.
    Cost: forms num_measurements x rows x cols numbers.
    Source: arora2019, appendix on matrix sensing; gunasekar2017, figure 1.
    Differs: gunasekar2017 does not say its scale.
    """
    rows, cols = checked_shape("gaussian_sensing(shape)", shape)
    where = "gaussian_sensing(num_measurements)"
    count = checked_count(where, num_measurements, None)
    deviation = sensing_deviation("gaussian_sensing(scale)", scale, count, rows * cols)
    normal = generator(seed, "sensing", part).standard_normal((count, rows, cols))
    return DenseSensing(normal * deviation)


def symmetric_gaussian_sensing(
    size: int,
    *,
    num_measurements: int,
    scale: SensingScale,
    seed: int,
    part: str = "observed",
) -> DenseSensing:
    """The symmetric parts of the matrices of `gaussian_sensing`.

    They measure a symmetric matrix just as those do: <A_k, X> has variance
    scale^2 ||X||_F^2. Diagonal entries have variance scale^2, the others half of it.

    Args:
        size: rows and columns.
        num_measurements: how many, >= 1; equal seeds nest.
        scale: as in `gaussian_sensing`.
        seed: of the measurements.
        part: a name; other names with the same seed give independent measurements.

    Raises:
        SpecError: when a number is out of range.

    Exactness: exact; symmetric to the last bit.
    Cost: forms num_measurements x size x size numbers.
    Source: gunasekar2017, figure 1.
    Differs: the paper does not say its scale.
    """
    size, _ = checked_shape("symmetric_gaussian_sensing(size)", (size, size))
    where = "symmetric_gaussian_sensing(num_measurements)"
    count = checked_count(where, num_measurements, None)
    deviation = sensing_deviation(
        "symmetric_gaussian_sensing(scale)", scale, count, size**2
    )
    normal = generator(seed, "sensing", part).standard_normal((count, size, size))
    return DenseSensing((normal + normal.transpose(0, 2, 1)) * (deviation / 2))


def sensing_deviation(
    where: str, scale: SensingScale, num_measurements: int, num_entries: int
) -> float:
    """The standard deviation of the entries of A_k that a scale stands for.

    Raises:
        SpecError: when the scale is neither one of its names nor a positive number.
    """
    if scale == "unit_measurements":
        return num_entries**-0.5
    if scale == "near_isometry":
        return num_measurements**-0.5
    if not isinstance(scale, str) and 0 < real_number(scale) < np.inf:
        return float(scale)
    raise SpecError(
        where=where,
        rule='a scale is a positive number, "unit_measurements" or "near_isometry"',
        got=f"{scale!r}",
        fix='Give scale="near_isometry"',
    )
