"""What every dynamics promises: init, advance, snapshot.

A dynamics is a setting, immutable; what changes is the state, a tree of arrays that is
passed in and handed back, so that a run can be stored at any chunk and continued to the
same bits. `advance` covers one chunk in compiled code: up to a time or an iteration,
whichever comes first, or until a stop rule ends the run, or to an event worth recording
(the end of a stage of greedy learning).
"""

import abc
import dataclasses
import operator
from typing import Generic, Literal, TypeAlias, TypeVar

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float

from lowrankflow.errors import SpecError
from lowrankflow.factorizations import AbstractFactorization, StartFrames
from lowrankflow.problems import AbstractObjective, Factored, real_number
from lowrankflow.result import Result

State = TypeVar("State", bound=eqx.Module)
# What `init` is given of a start: nothing, the factors, or the frames of W(0) for those
# who do not hold full-dimensional factors (`StartFrames`).
StartForm: TypeAlias = Literal["none", "factors", "frames"]

CODES = {result: code for code, result in enumerate(Result)}
RESULTS = tuple(Result)
RUNNING = CODES[Result.running]

# A point of a larger norm has diverged. Up to here the squares of the entries of Gram
# matrices of factors are finite, which the imbalance and Hessian products need.
OVERFLOW = 1e75


class Stop(eqx.Module):
    """When a run ends; the first rule that holds ends it.

    Args:
        loss: end when f(W) is at or below this number, in the problem's own
            normalization.
        gradient: end when the norm of the gradient in the factors, having once been
            above this number, falls to it.
        time: end at this flow time, >= 0; for descent, the sum of the step sizes.
        iterations: end after this many iterations of descent, or accepted steps of an
            adaptive flow.

    Raises:
        SpecError: when a number is NaN, a gradient or time negative, or the iterations
            not a non-negative integer.
    """

    loss: float | None = None
    gradient: float | None = None
    time: float | None = None
    iterations: int | None = eqx.field(default=None, static=True)

    def __check_init__(self):
        for name, least in (("loss", -np.inf), ("gradient", 0.0), ("time", 0.0)):
            value = getattr(self, name)
            if value is not None:
                _check_number(f"Stop({name})", value, least)
        if self.iterations is not None:
            _check_count("Stop(iterations)", self.iterations)


class Limits(eqx.Module):
    """A stop rule as plain numbers, for compiled loops.

    Args:
        loss: -inf when there is no such rule.
        gradient: -1 when there is no such rule.
        time: inf when there is no such rule.
        iterations: the largest integer when there is no such rule.
    """

    loss: Float[np.ndarray, ""]
    gradient: Float[np.ndarray, ""]
    time: Float[np.ndarray, ""]
    iterations: np.ndarray

    @staticmethod
    def of(stop: Stop) -> "Limits":
        """The rule as numbers."""
        most = np.iinfo(np.int64).max
        return Limits(
            loss=_as_array(-np.inf if stop.loss is None else stop.loss),
            gradient=_as_array(-1.0 if stop.gradient is None else stop.gradient),
            time=_as_array(np.inf if stop.time is None else stop.time),
            iterations=np.asarray(
                most if stop.iterations is None else stop.iterations, np.int64
            ),
        )


class Until(eqx.Module):
    """How far one call of `advance` goes: to a time or an iteration, the first reached.

    Args:
        time: flow time to land on exactly, or inf.
        iteration: iteration to stop at.
    """

    time: Float[np.ndarray, ""]
    iteration: np.ndarray

    @staticmethod
    def at(*, time: float = np.inf, iteration: int | None = None) -> "Until":
        """Up to this time, this iteration, or both."""
        most = np.iinfo(np.int64).max
        return Until(
            time=_as_array(time),
            iteration=np.asarray(most if iteration is None else iteration, np.int64),
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What can be seen of a state.

    Args:
        time: flow time.
        iteration: updates of descent, or accepted steps of a flow.
        matrix: the end-to-end matrix, rows x cols; `Factored` where it is not formed.
        factors: the factors, the first acting first; empty for a flow of W alone.
        loss: f(W).
        gradient_norm: norm of the gradient in the factors (of the velocity of W for a
            flow of W alone).
        result: `Result.running`, or why the run ended.
        extra: further numbers of this dynamics, recorded beside the others; the same
            names at every record.
    """

    time: float
    iteration: int
    matrix: Float[np.ndarray, "rows cols"] | Factored
    factors: tuple[np.ndarray, ...]
    loss: float
    gradient_norm: float
    result: Result
    extra: dict[str, float]


class AbstractDynamics(eqx.Module, Generic[State]):
    """How a factorization moves.

    Exactness of a run is stated by each dynamics. `numerics_version` is raised when the
    same setting would give other numbers than before; `start_form` is what `init` wants
    of a start.
    """

    numerics_version: eqx.AbstractClassVar[int]
    start_form: eqx.AbstractClassVar[StartForm]

    @abc.abstractmethod
    def init(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        factors: tuple[np.ndarray, ...] | StartFrames,
        *,
        seed: int,
    ) -> State:
        """The state at time zero.

        Raises:
            SpecError: when this dynamics cannot start there.
        """

    @abc.abstractmethod
    def advance(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: State,
        *,
        until: Until,
        stop: Stop,
    ) -> State:
        """The state at the end of the chunk; a state that has ended is not moved."""

    @abc.abstractmethod
    def snapshot(
        self,
        problem: AbstractObjective,
        factorization: AbstractFactorization,
        state: State,
    ) -> Snapshot:
        """What can be seen of the state, on the host."""


def as_traced(tree):
    """The tree with its floats as arrays, so that a new value does not recompile.

    Fields that are static (depths, shapes, modes) stay as they are.
    """
    return jax.tree.map(lambda x: np.asarray(x) if isinstance(x, float) else x, tree)


def _as_array(number: float) -> Float[np.ndarray, ""]:
    """In float64, whatever kind of number it was, so that code is compiled once."""
    return np.asarray(number, np.float64)


def _check_number(where: str, value: float, least: float) -> None:
    if not real_number(value) >= least:
        raise SpecError(
            where=where,
            rule="this is a number" + (" >= 0" if least == 0 else ""),
            got=f"{value!r}",
            fix="Give for example 1e-6, or None for no such rule",
        )


def _check_count(where: str, value: int) -> None:
    try:
        fine = operator.index(value) >= 0 and not isinstance(value, bool)
    except TypeError:
        fine = False
    if not fine:
        raise SpecError(
            where=where,
            rule="this is an integer >= 0",
            got=f"{value!r}",
            fix="Give for example 1000, or None for no such rule",
        )
