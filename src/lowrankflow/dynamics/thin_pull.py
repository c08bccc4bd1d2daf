"""The gradient of a loss on measurements, known by what it does to thin blocks.

The gradient at W is sum_k w_k A_k with one weight w_k for each measurement, and so are
its integral over time and its change from one time to another: what acts on thin blocks
here is an array of weights.
"""

import abc
import functools
import weakref
from collections.abc import Callable
from typing import Literal, TypeAlias

import jax
import numpy as np
from jaxtyping import Float

from lowrankflow.dynamics.mirror import on_host
from lowrankflow.errors import SpecError
from lowrankflow.problems import (
    AbstractObjective,
    AbstractSensingOperator,
    EntryOperator,
    SensingProblem,
    Squared,
    SymmetricEntrySampling,
    entry_products,
    to_dense,
)
from lowrankflow.seeds import generator

Weights: TypeAlias = Float[np.ndarray, " m"]
Rows: TypeAlias = Float[np.ndarray, "rows r"]
Cols: TypeAlias = Float[np.ndarray, "cols r"]
Core: TypeAlias = Float[np.ndarray, "r r"]
Precision: TypeAlias = Literal["float64", "float32"]

# Relative, of a product with a probe: what rounding leaves between G x and G' x.
_SAME = 1e-10
# Above this many numbers a matrix of observed entries is not formed.
_LARGE = 250_000


class AbstractPull(abc.ABC):
    """A loss on measurements in thin factors.

    Args:
        shape: (rows, cols).
        num_weights: measurements.
        dtype: of factors and weights.
    """

    shape: tuple[int, int]
    num_weights: int
    dtype: np.dtype

    @abc.abstractmethod
    def weights(self, left: Rows, right: Cols) -> tuple[Weights, float]:
        """The weights of grad f at W = left right', and f there."""

    @abc.abstractmethod
    def mm(self, weights: Weights, block: Cols) -> Rows:
        """The matrix with these weights times a block."""

    @abc.abstractmethod
    def rmm(self, weights: Weights, block: Rows) -> Cols:
        """Its transpose times a block."""

    @abc.abstractmethod
    def both_ways(
        self, weights: Weights
    ) -> tuple[Callable[[Cols], Rows], Callable[[Rows], Cols]]:
        """`mm` and `rmm` with these weights, for many products."""

    @abc.abstractmethod
    def seen(self, left: Rows, right: Cols) -> float:
        """The sum of squares of the measurements of left right'."""

    @abc.abstractmethod
    def products(
        self, left: Rows, core: Core | None, right: Cols, out: Weights
    ) -> tuple[Rows, Cols, float]:
        """G right, G' left and f for G = grad f(left core right').

        Args:
            left: rows x r.
            core: r x r; None for the identity.
            right: cols x r.
            out: where the weights go.
        """

    @abc.abstractmethod
    def mirrored_products(
        self, left: Rows, core: Core | None, out: Weights
    ) -> tuple[Rows, float]:
        """G left and f for a symmetric G = grad f(left core left')."""


class EntryPull(AbstractPull):
    """Of observed entries: compiled passes over them, rows x cols never formed."""

    def __init__(self, problem: SensingProblem, dtype: np.dtype):
        operator = problem.operator
        assert isinstance(operator, EntryOperator | SymmetricEntrySampling)
        self.shape, self.dtype = problem.shape, dtype
        self.num_weights = problem.num_measurements
        self.is_symmetrized = isinstance(operator, SymmetricEntrySampling)
        self._sorted = entry_products(operator, dtype=dtype)
        # In the order of rows, and weights are in that order throughout.
        values = self._sorted.sort(np.asarray(problem.measurements, float))
        self._values = values.astype(dtype)
        self._by_col = self._values[self._sorted.to_col]
        mean = problem.normalization == "mean"
        self._divisor = problem.num_measurements if mean else 1
        self._loss = problem.loss
        self._fused = isinstance(problem.loss, Squared) and not self.is_symmetrized

    def weights(self, left: Rows, right: Cols) -> tuple[Weights, float]:
        seen = self._sorted.entries(left, right)
        if self.is_symmetrized:
            seen = (seen + self._sorted.entries(right, left)) / 2
        if isinstance(self._loss, Squared):
            slopes = seen - self._values
            loss = 0.5 * float(np.square(slopes, dtype=float).sum())
        else:
            slopes = np.asarray(self._loss.derivative(seen, self._values))
            loss = float(np.asarray(self._loss.value(seen, self._values)).sum())
        return (slopes / self._divisor).astype(self.dtype), loss / self._divisor

    def mm(self, weights: Weights, block: Cols) -> Rows:
        block = np.ascontiguousarray(block, self.dtype)
        if self.is_symmetrized:
            twice = self._sorted.mm(weights, block) + self._sorted.rmm(weights, block)
            return twice / 2
        return self._sorted.mm(weights, block)

    def rmm(self, weights: Weights, block: Rows) -> Cols:
        if self.is_symmetrized:
            return self.mm(weights, block)
        return self._sorted.rmm(weights, np.ascontiguousarray(block, self.dtype))

    def both_ways(
        self, weights: Weights
    ) -> tuple[Callable[[Cols], Rows], Callable[[Rows], Cols]]:
        forth = functools.partial(self.mm, weights)
        if self.is_symmetrized:
            return forth, forth
        # Into the order of columns once: that is most of a product with few columns.
        by_col = weights[self._sorted.to_col]

        def back(block: Rows) -> Cols:
            block = np.ascontiguousarray(block, self.dtype)
            return self._sorted.rmm_by_col(by_col, block)

        return forth, back

    def seen(self, left: Rows, right: Cols) -> float:
        found = self._sorted.entries(
            np.ascontiguousarray(left, self.dtype),
            np.ascontiguousarray(right, self.dtype),
        )
        return float(np.square(found, dtype=float).sum()) / self._divisor

    def products(
        self, left: Rows, core: Core | None, right: Cols, out: Weights
    ) -> tuple[Rows, Cols, float]:
        if not self._fused:
            return _in_passes(self, left, core, right, out)
        own = left if core is None else left @ core
        rows, squares = self._sorted.residual_mm(self._values, own, right, residual=out)
        other = right if core is None else right @ core.T
        cols, _ = self._sorted.residual_mm(self._by_col, other, left, by="col")
        loss = 0.5 * squares / self._divisor
        if self._divisor != 1:
            for block in (out, rows, cols):
                block /= self._divisor
        return rows, cols, loss

    def mirrored_products(
        self, left: Rows, core: Core | None, out: Weights
    ) -> tuple[Rows, float]:
        if not self._fused:
            return _mirrored_in_passes(self, left, core, out)
        own = left if core is None else left @ core
        rows, squares = self._sorted.residual_mm(self._values, own, left, residual=out)
        if self._divisor != 1:
            out /= self._divisor
            rows /= self._divisor
        return rows, 0.5 * squares / self._divisor


class DensePull(AbstractPull):
    """Of given measurement matrices, for comparison at small size: forms rows x cols.

    Every operator that is not of entries is used through its `apply` and `adjoint`.
    """

    def __init__(self, problem: SensingProblem, dtype: np.dtype):
        self.shape, self.dtype = problem.shape, dtype
        self.num_weights = problem.num_measurements
        self._problem = problem

    def weights(self, left: Rows, right: Cols) -> tuple[Weights, float]:
        problem = self._problem
        prediction = np.asarray(problem.operator.apply(left @ right.T))
        costs = np.asarray(problem.loss.value(prediction, problem.measurements)).sum()
        slopes = problem.loss.derivative(prediction, problem.measurements)
        mean = problem.normalization == "mean"
        divisor = problem.num_measurements if mean else 1
        return np.asarray(slopes) / divisor, float(costs) / divisor

    def mm(self, weights: Weights, block: Cols) -> Rows:
        return np.asarray(self._problem.operator.adjoint(weights).mm(block))

    def rmm(self, weights: Weights, block: Rows) -> Cols:
        return np.asarray(self._problem.operator.adjoint(weights).rmm(block))

    def both_ways(
        self, weights: Weights
    ) -> tuple[Callable[[Cols], Rows], Callable[[Rows], Cols]]:
        matrix = np.asarray(to_dense(self._problem.operator.adjoint(weights)))
        return matrix.__matmul__, matrix.T.__matmul__

    def seen(self, left: Rows, right: Cols) -> float:
        found = np.asarray(self._problem.operator.apply(left @ right.T))
        mean = self._problem.normalization == "mean"
        return float(found @ found) / (self.num_weights if mean else 1)

    def products(
        self, left: Rows, core: Core | None, right: Cols, out: Weights
    ) -> tuple[Rows, Cols, float]:
        return _in_passes(self, left, core, right, out)

    def mirrored_products(
        self, left: Rows, core: Core | None, out: Weights
    ) -> tuple[Rows, float]:
        return _mirrored_in_passes(self, left, core, out)


def _in_passes(
    pull: AbstractPull, left: Rows, core: Core | None, right: Cols, out: Weights
) -> tuple[Rows, Cols, float]:
    out[:], loss = pull.weights(left if core is None else left @ core, right)
    return pull.mm(out, right), pull.rmm(out, left), loss


def _mirrored_in_passes(
    pull: AbstractPull, left: Rows, core: Core | None, out: Weights
) -> tuple[Rows, float]:
    out[:], loss = pull.weights(left if core is None else left @ core, left)
    return pull.mm(out, left), loss


def thin_pull(where: str, problem: AbstractObjective, precision: str) -> AbstractPull:
    """The problem's gradient on thin blocks; sorted once for each problem.

    Raises:
        SpecError: when the problem's measurements have no such products.
    """
    operator = problem.operator if isinstance(problem, SensingProblem) else None
    entries = isinstance(operator, EntryOperator | SymmetricEntrySampling)
    small = problem.shape[0] * problem.shape[1] <= _LARGE
    if operator is None or not (entries or small):
        raise SpecError(
            where=where,
            rule="measurements have products with thin blocks: observed entries, or "
            f"any others of a matrix of at most {_LARGE} numbers",
            got=f"{type(operator or problem).__name__} of shape {problem.shape}",
            fix="Use a SensingProblem with EntrySampling, or GradientFlow",
        )
    assert isinstance(problem, SensingProblem)
    if precision == "float32" and not entries:
        raise SpecError(
            where=where,
            rule="single precision is for observed entries",
            got=type(operator).__name__,
            fix='Give precision="float64"',
        )
    # Known by its arrays: other problems may have the same measurements. The operator
    # is kept, so that its arrays' names are not given to others.
    arrays = tuple(id(leaf) for leaf in jax.tree.leaves(operator))
    cost = f"{problem.normalization} {problem.loss!r}"
    key = (id(problem.measurements), arrays, cost, precision)
    kept = _PULLS.get(key)
    if kept is not None and kept[0]() is problem.measurements:
        return kept[2]
    kind = EntryPull if entries else DensePull
    pull = kind(on_host(problem), np.dtype(precision))
    # With its own hold of the table: at the interpreter's end the module has let go.
    pulls = _PULLS
    gone = weakref.ref(problem.measurements, lambda _: pulls.pop(key, 0))
    _PULLS[key] = gone, operator, pull
    return pull


def is_too_large(problem: AbstractObjective) -> bool:
    """Whether entries are observed of a matrix that is better not formed."""
    operator = problem.operator if isinstance(problem, SensingProblem) else None
    entries = isinstance(operator, EntryOperator | SymmetricEntrySampling)
    return entries and problem.shape[0] * problem.shape[1] > _LARGE


def is_symmetric_pull(pull: AbstractPull) -> bool:
    """Whether grad f(W) is symmetric wherever W is: probed at zero and elsewhere.

    Exactness: to rounding; no coincidence for an analytic f.
    """
    rows, cols = pull.shape
    if rows != cols:
        return False
    rng = generator(0, "symmetric probe", "thin")
    probe = rng.standard_normal((rows, 3)).astype(pull.dtype)
    for point in (0 * probe[:, :2], probe[:, :2]):
        weights, _ = pull.weights(point, point)
        there, back = pull.mm(weights, probe), pull.rmm(weights, probe)
        largest = np.abs(there).max()
        if not np.abs(there - back).max() <= max(_SAME, 10 * _eps(pull)) * largest:
            return False
    return True


def _eps(pull: AbstractPull) -> float:
    return float(np.finfo(pull.dtype).eps) * 100 if pull.dtype.itemsize == 4 else 0.0


_PULLS: dict[tuple, tuple[weakref.ref, AbstractSensingOperator, AbstractPull]] = {}
