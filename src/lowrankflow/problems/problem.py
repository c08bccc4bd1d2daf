"""What is to be recovered: an objective, or measurements of an unknown matrix.

Everything that moves asks for the value and the gradient of a differentiable f(W), and
for nothing else; `Objective` wraps any such f. `SensingProblem` is the f of the three
papers, a loss on linear measurements, and keeps operator and measurements apart for
those who need them: reference solutions, metrics, engines that never form W.
"""

import abc
from collections.abc import Callable
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from lowrankflow.errors import SpecError
from lowrankflow.precision import in_float64
from lowrankflow.problems.checks import (
    checked_measurements,
    checked_same_shape,
    checked_shape,
    checked_target,
)
from lowrankflow.problems.losses import AbstractLoss, Squared
from lowrankflow.problems.matrices import AbstractMatrix, Dense, Numbers, as_matrix
from lowrankflow.problems.observed import listed_entries, observed_entries
from lowrankflow.problems.operators import (
    AbstractSensingOperator,
    checked_operator,
    described,
)


class AbstractObjective(eqx.Module):
    """A differentiable function of a matrix, known by value and gradient."""

    @property
    @abc.abstractmethod
    def shape(self) -> tuple[int, int]:
        """(rows, cols) of the matrix."""

    @abc.abstractmethod
    def value(self, matrix: AbstractMatrix | Numbers) -> Float[Array, ""]:
        """f(W)."""

    @abc.abstractmethod
    def gradient(self, matrix: AbstractMatrix | Numbers) -> AbstractMatrix:
        """The matrix of derivatives of f at W."""


class Objective(AbstractObjective):
    """Any differentiable f(W), written with JAX.

    Args:
        function: takes a float64 JAX array of the given shape, returns a scalar.
        shape: (rows, cols) of the matrix.

    Raises:
        DataError: when the shape is not a pair of positive integers.
        SpecError: when it is no function, has no hash, or does not return one real
            number for such a matrix.

    Exactness: exact (automatic derivative).
    Cost: that of the function, a few times over for the gradient.
    Source: li2021, section 3 (f is only assumed smooth).
    Differs: as in the source.
    """

    function: Callable[[Array], Array] = eqx.field(static=True)
    matrix_shape: tuple[int, int] = eqx.field(static=True)

    def __init__(self, function: Callable[[Array], Array], shape: tuple[int, int]):
        self.matrix_shape = checked_shape("Objective(shape)", shape)
        self.function = function
        self._check_scalar()

    @in_float64
    def _check_scalar(self) -> None:
        argument = jax.ShapeDtypeStruct(self.matrix_shape, jnp.float64)
        try:
            hash(self.function)  # by which compiled code is found again
            answer = jax.eval_shape(self.function, argument)
            got = str(answer)
            scalar = answer.shape == () and jnp.issubdtype(answer.dtype, jnp.floating)
        except Exception as error:  # whatever the user's function raises
            got, scalar = f"{type(error).__name__}: {error}", False
        if not scalar:
            raise SpecError(
                where="Objective(function)",
                rule=f"it maps a {self.matrix_shape} JAX array to one number, and can "
                "be hashed",
                got=got,
                fix="Write it with jax.numpy and end it with a sum or a mean",
            )

    @property
    def shape(self) -> tuple[int, int]:
        return self.matrix_shape

    @in_float64
    def value(self, matrix: AbstractMatrix | Numbers) -> Float[Array, ""]:
        return self.function(jnp.asarray(as_matrix(matrix).to_dense()))

    @in_float64
    def gradient(self, matrix: AbstractMatrix | Numbers) -> Dense:
        array = jnp.asarray(as_matrix(matrix).to_dense())
        return Dense(jax.grad(self.function)(array))


class HeldOut(eqx.Module):
    """Measurements kept aside, to judge a solution by.

    Args:
        operator: the measurements made; of the problem's shape.
        measurements: their values.
    """

    operator: AbstractSensingOperator
    measurements: Float[Numbers, " m"]


class SensingProblem(AbstractObjective):
    r"""Recover a matrix from linear measurements y = 𝒜(W*).

    f(W) = sum_k loss(𝒜(W)_k, y_k), divided by the number of measurements when the
    normalization is "mean". With the squared loss this is 1/2 ||𝒜(W) - y||^2.

    Args:
        operator: 𝒜.
        measurements: y, finite, one per measurement.
        loss: the cost of one prediction.
        normalization: "sum", or "mean" to divide by the number of measurements. It
            scales time, not the solutions.
        target: W*, where it is known; used by metrics and never by dynamics.
        held_out: measurements kept aside, likewise.

    Raises:
        DataError: when a shape disagrees or a value is not finite.
        SpecError: when operator, loss or held_out is not what its name says, or the
            normalization is another word.

    Exactness: exact.
    Source: gunasekar2017, equation (1); arora2019, equation (2).
    Differs: gunasekar2017 has no factor 1/2; arora2019's code has the mean of r^2.
    """

    operator: AbstractSensingOperator
    measurements: Float[Numbers, " m"]
    loss: AbstractLoss
    target: Float[Numbers, "rows cols"] | None
    held_out: HeldOut | None
    normalization: Literal["sum", "mean"] = eqx.field(static=True)

    def __init__(
        self,
        operator: AbstractSensingOperator,
        measurements: Numbers,
        *,
        loss: AbstractLoss | None = None,
        normalization: Literal["sum", "mean"] = "sum",
        target: Numbers | None = None,
        held_out: HeldOut | None = None,
    ):
        self.operator = checked_operator("SensingProblem(operator)", operator)
        self.measurements = checked_measurements(
            "SensingProblem(measurements)", operator.num_measurements, measurements
        )
        self.loss = Squared() if loss is None else _checked_loss(loss)
        self.loss.check(self.measurements)
        if normalization not in ("sum", "mean"):
            raise SpecError(
                where="SensingProblem(normalization)",
                rule='the loss is a "sum" over measurements or their "mean"',
                got=f"{normalization!r}",
                fix='Give normalization="sum"',
            )
        self.normalization = normalization
        self.target = checked_target("SensingProblem(target)", operator.shape, target)
        if held_out is not None:
            where = "SensingProblem(held_out)"
            count = _checked_held_out(where, held_out).operator.num_measurements
            values = checked_measurements(where, count, held_out.measurements)
            checked_same_shape(where, held_out.operator.shape, operator.shape)
            held_out = HeldOut(held_out.operator, values)
        self.held_out = held_out

    @staticmethod
    def from_matrix(
        matrix: Numbers,
        *,
        loss: AbstractLoss | None = None,
        normalization: Literal["sum", "mean"] = "sum",
        target: Numbers | None = None,
    ) -> "SensingProblem":
        """Complete a matrix in which NaN marks what was not observed.

        Args:
            matrix: rows x cols, real; NaN where not observed, finite elsewhere.
            loss: the cost of one prediction; squared unless given.
            normalization: "sum" or "mean".
            target: the complete matrix, where it is known.

        Returns:
            The problem; its measurements run through the entries row by row. A row or
            column without any observation is allowed: no solution says anything of it.

        Raises:
            DataError: when it is no matrix, an entry is infinite, or none is observed.
        """
        operator, values = observed_entries(matrix)
        return SensingProblem(
            operator, values, loss=loss, normalization=normalization, target=target
        )

    @staticmethod
    def from_entries(
        rows: Numbers,
        cols: Numbers,
        values: Numbers,
        shape: tuple[int, int],
        *,
        weights: Numbers | None = None,
        duplicates: Literal["error", "mean"] = "error",
        loss: AbstractLoss | None = None,
        normalization: Literal["sum", "mean"] = "sum",
        target: Numbers | None = None,
    ) -> "SensingProblem":
        """Complete a matrix from a list of its entries.

        Args:
            rows: 0-based row of each entry.
            cols: 0-based column of each entry.
            values: the entries, finite.
            shape: (rows, cols) of the matrix.
            weights: how much each entry counts, > 0: the squared loss then is 1/2
                sum_k weight_k (W[i_k, j_k] - value_k)^2, and the measurements are
                sqrt(weight_k) value_k. 2 is the same as to observe an entry twice.
            duplicates: what to do with a pair given twice: refuse it ("error"), or
                observe the mean of its values once ("mean"), with the sum of their
                weights.
            loss: the cost of one prediction; squared unless given.
            normalization: "sum" or "mean".
            target: the complete matrix, where it is known.

        Raises:
            DataError: when lengths differ, an index is out of range, a value is not
                finite, a weight not above 0, a pair repeats, or there is no entry.
            SpecError: when `duplicates` is another word, or weights come with another
                loss than the squared one.
        """
        if weights is not None and not isinstance(loss, Squared | None):
            raise SpecError(
                where="SensingProblem.from_entries(weights)",
                rule="weights scale the errors, which weighs a squared loss only",
                got=described(loss) if isinstance(loss, type) else f"{loss!r}"[:200],
                fix="Leave out the loss, or the weights",
            )
        operator, values = listed_entries(
            rows, cols, values, shape, duplicates, weights
        )
        return SensingProblem(
            operator, values, loss=loss, normalization=normalization, target=target
        )

    @property
    def shape(self) -> tuple[int, int]:
        return self.operator.shape

    @property
    def num_measurements(self) -> int:
        """How many measurements there are."""
        return self.operator.num_measurements

    @in_float64
    def residual(self, matrix: AbstractMatrix | Numbers) -> Float[Numbers, " m"]:
        """𝒜(W) - y, in this sign."""
        return self.operator.apply(matrix) - self.measurements

    @in_float64
    def value(self, matrix: AbstractMatrix | Numbers) -> Float[Array, ""]:
        prediction = self.operator.apply(matrix)
        costs = self.loss.value(prediction, self.measurements)
        return costs.sum() / self._divisor()

    @in_float64
    def gradient(self, matrix: AbstractMatrix | Numbers) -> AbstractMatrix:
        return self.operator.adjoint(self.slopes(matrix))

    @in_float64
    def slopes(self, matrix: AbstractMatrix | Numbers) -> Float[Numbers, " m"]:
        """The derivative of f in each prediction; the gradient is its adjoint image."""
        prediction = self.operator.apply(matrix)
        return self.loss.derivative(prediction, self.measurements) / self._divisor()

    def _divisor(self) -> int:
        return self.num_measurements if self.normalization == "mean" else 1


def checked_problem(where: str, problem: SensingProblem) -> SensingProblem:
    """The problem itself.

    Raises:
        SpecError: when it is no `SensingProblem`.
    """
    if not isinstance(problem, SensingProblem):
        raise SpecError(
            where=where,
            rule="this is a SensingProblem",
            got=described(problem),
            fix="Give for example SensingProblem.from_matrix(matrix)",
        )
    return problem


def _checked_loss(loss: AbstractLoss) -> AbstractLoss:
    if not isinstance(loss, AbstractLoss):
        raise SpecError(
            where="SensingProblem(loss)",
            rule="this is a loss, the cost of one prediction",
            got=described(loss),
            fix="Give for example loss=Huber(delta=1.0), or leave it out for Squared()",
        )
    return loss


def _checked_held_out(where: str, held_out: HeldOut) -> HeldOut:
    if not isinstance(held_out, HeldOut):
        raise SpecError(
            where=where,
            rule="measurements kept aside come with the operator that made them",
            got=described(held_out),
            fix="Give HeldOut(operator, measurements)",
        )
    checked_operator(f"{where}.operator", held_out.operator)
    return held_out
