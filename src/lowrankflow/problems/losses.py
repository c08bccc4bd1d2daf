"""What a wrong measurement costs: value and derivative, measurement by measurement.

A loss compares a prediction <A_k, W> with a measurement y_k. gunasekar2017's theorem
for commuting measurements holds for any control of the residual, so losses other than
the squared one are part of the theory and not an extra.
"""

import abc
from types import ModuleType

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Float

from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems.checks import real_number
from lowrankflow.problems.matrices import Numbers


class AbstractLoss(eqx.Module):
    """A convex, differentiable cost of one prediction against one measurement."""

    @abc.abstractmethod
    def value(
        self, prediction: Float[Numbers, " m"], measurement: Float[Numbers, " m"]
    ) -> Float[Numbers, " m"]:
        """The cost of each measurement, >= 0."""

    @abc.abstractmethod
    def derivative(
        self, prediction: Float[Numbers, " m"], measurement: Float[Numbers, " m"]
    ) -> Float[Numbers, " m"]:
        """Its derivative in the prediction."""

    @abc.abstractmethod
    def check(self, measurements: Float[np.ndarray, " m"]) -> None:
        """Nothing, when these measurements have a meaning for this loss."""


class Squared(AbstractLoss):
    """r^2 / 2 with r = prediction - measurement: the loss of the three papers.

    Source: arora2019, equation (2).
    """

    def value(
        self, prediction: Float[Numbers, " m"], measurement: Float[Numbers, " m"]
    ) -> Float[Numbers, " m"]:
        return (prediction - measurement) ** 2 / 2

    def derivative(
        self, prediction: Float[Numbers, " m"], measurement: Float[Numbers, " m"]
    ) -> Float[Numbers, " m"]:
        return prediction - measurement

    def check(self, measurements: Float[np.ndarray, " m"]) -> None:
        return None


class Huber(AbstractLoss):
    """r^2 / 2 up to |r| = delta and delta (|r| - delta / 2) beyond.

    Args:
        delta: where the cost turns from quadratic to linear, > 0, in the unit of the
            measurements.

    Source: huber1964.
    """

    delta: float

    def __check_init__(self):
        _check_positive("Huber(delta)", self.delta)

    def value(
        self, prediction: Float[Numbers, " m"], measurement: Float[Numbers, " m"]
    ) -> Float[Numbers, " m"]:
        xp = _namespace(prediction)
        size = xp.abs(prediction - measurement)
        clipped = xp.minimum(size, self.delta)
        return clipped * (size - clipped / 2)

    def derivative(
        self, prediction: Float[Numbers, " m"], measurement: Float[Numbers, " m"]
    ) -> Float[Numbers, " m"]:
        xp = _namespace(prediction)
        return xp.clip(prediction - measurement, -self.delta, self.delta)

    def check(self, measurements: Float[np.ndarray, " m"]) -> None:
        return None


class PNorm(AbstractLoss):
    """|r|^p / p.

    Args:
        p: > 1, so that the derivative |r|^(p-1) sign(r) is continuous; 2 is `Squared`.

    Source: gunasekar2017, the remark on other losses after theorem 1.
    """

    p: float

    def __check_init__(self):
        if not _is_between(1, self.p):
            raise SpecError(
                where="PNorm(p)",
                rule="the power must be above 1, where the derivative is continuous",
                got=f"{self.p!r}",
                fix="Give for example PNorm(1.5), or use Huber(delta=...)",
            )

    def value(
        self, prediction: Float[Numbers, " m"], measurement: Float[Numbers, " m"]
    ) -> Float[Numbers, " m"]:
        return abs(prediction - measurement) ** self.p / self.p

    def derivative(
        self, prediction: Float[Numbers, " m"], measurement: Float[Numbers, " m"]
    ) -> Float[Numbers, " m"]:
        residual = prediction - measurement
        return _namespace(prediction).sign(residual) * abs(residual) ** (self.p - 1)

    def check(self, measurements: Float[np.ndarray, " m"]) -> None:
        return None


class Logistic(AbstractLoss):
    """log(1 + exp(-y z)) for a binary measurement y of -1 or +1 and a prediction z.

    The infimum 0 is not attained: predictions grow without bound as it is approached.

    Source: soudry2018.
    """

    def value(
        self, prediction: Float[Numbers, " m"], measurement: Float[Numbers, " m"]
    ) -> Float[Numbers, " m"]:
        return _namespace(prediction).logaddexp(0.0, -measurement * prediction)

    def derivative(
        self, prediction: Float[Numbers, " m"], measurement: Float[Numbers, " m"]
    ) -> Float[Numbers, " m"]:
        # The sigmoid by tanh, which does not overflow.
        margin = measurement * prediction
        return -measurement * (1 - _namespace(prediction).tanh(margin / 2)) / 2

    def check(self, measurements: Float[np.ndarray, " m"]) -> None:
        wrong = np.flatnonzero(abs(measurements) != 1)
        if wrong.size:
            raise DataError(
                where="SensingProblem(measurements)",
                rule="with the Logistic loss every measurement is -1 or +1",
                got=f"{measurements[wrong[0]]} at position {wrong[0]}",
                fix="Recode the two classes as -1 and +1",
            )


def _namespace(numbers: Numbers) -> ModuleType:
    """NumPy for NumPy's arrays, so that they stay float64, and JAX's for JAX's."""
    return np if isinstance(numbers, np.ndarray) else jnp


def _check_positive(where: str, value: float) -> None:
    if not _is_between(0, value):
        raise SpecError(
            where=where,
            rule="this is a positive, finite number",
            got=f"{value!r}",
            fix="Give for example 1.0",
        )


def _is_between(low: float, value: float) -> bool:
    """Whether the value is a number above `low` and finite; yes where it is traced."""
    if isinstance(value, Tracer):
        return True
    return low < real_number(value) < np.inf
