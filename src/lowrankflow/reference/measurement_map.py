"""Measurements in the coordinates a convex solver works in, as plain NumPy arrays.

A solver of the minimum nuclear norm spends its time in 𝒜 and 𝒜* and is helped by 𝒜𝒜*
being the identity. This file takes a problem apart once: the measurements are combined
into orthonormal ones, dependent ones fall away, a tall matrix is turned on its side,
and what no matrix can explain in the data is kept apart as `unexplained`.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import solve_triangular

from lowrankflow.errors import SpecError
from lowrankflow.problems import (
    AbstractSensingOperator,
    DenseSensing,
    EntrySampling,
    LiftedOperator,
    Numbers,
    SymmetricEntrySampling,
    WeightedEntrySampling,
    to_dense,
)

# A stack of measurement matrices with more numbers than this (4 GB) is refused.
_LARGEST_STACK = 5 * 10**8


@dataclass(frozen=True, kw_only=True)
class EntryMap:
    """Single entries, or means of mirrored pairs, each times a gain.

    Args:
        shape: (rows, cols), rows <= cols.
        flat: position of each entry in the matrix read row by row.
        mirrored: position of its mirror image; None without symmetry.
        gain: factor that makes the measurement matrices orthonormal (or 1).
        scale: the multiples in which the given measurements have the entries; 1 but
            for weighted ones.
        measurements: the data in these coordinates.
        unexplained: part of the data outside the range of 𝒜: always zero here.

    Exactness: exact.
    """

    shape: tuple[int, int]
    flat: Int[np.ndarray, " m"]
    mirrored: Int[np.ndarray, " m"] | None
    gain: Float[np.ndarray, " m"]
    scale: Float[np.ndarray, " m"]
    measurements: Float[np.ndarray, " m"]
    unexplained: Float[np.ndarray, " m"]

    def apply(self, matrix: Float[np.ndarray, "rows cols"]) -> Float[np.ndarray, " m"]:
        """The measurements of a matrix."""
        numbers = matrix.reshape(-1)
        if self.mirrored is None:
            return self.gain * numbers[self.flat]
        return self.gain * (0.5 * (numbers[self.flat] + numbers[self.mirrored]))

    def adjoint(self, dual: Float[np.ndarray, " m"]) -> Float[np.ndarray, "rows cols"]:
        """The combination of the measurement matrices, dense."""
        rows, cols = self.shape
        out = np.zeros(rows * cols)
        if self.mirrored is None:
            out[self.flat] = self.gain * dual
        else:
            half = 0.5 * self.gain * dual
            out[self.flat] = half
            out[self.mirrored] += half
        return out.reshape(rows, cols)

    def original_dual(self, dual: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
        """The same combination, as coefficients of the given measurements."""
        return self.gain * dual / self.scale

    def own_dual(self, dual: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
        """Coefficients of the given measurements, in these coordinates."""
        return dual * self.scale / self.gain

    def stack(self) -> Float[np.ndarray, "m rows cols"]:
        """All measurement matrices; forms m rows cols numbers."""
        return np.stack([self.adjoint(row) for row in np.eye(self.flat.size)])


@dataclass(frozen=True, kw_only=True)
class StackMap:
    """Measurement matrices held as one stack, in coordinates mixed by a matrix.

    Args:
        shape: (rows, cols), rows <= cols.
        matrices: the stack as `rank` x (rows cols) numbers.
        mixing: `rank` x m: these measurements are `mixing` times the given ones; None
            when they are the given ones.
        measurements: the data in these coordinates.
        unexplained: part of the data outside the range of 𝒜, in the given coordinates.

    Exactness: exact up to the rounding of a factorization of 𝒜𝒜*.
    """

    shape: tuple[int, int]
    matrices: Float[np.ndarray, "rank rows*cols"]
    mixing: Float[np.ndarray, "rank m"] | None
    measurements: Float[np.ndarray, " rank"]
    unexplained: Float[np.ndarray, " m"]

    def apply(self, matrix: Float[np.ndarray, "rows cols"]) -> Float[np.ndarray, " k"]:
        """The measurements of a matrix."""
        return self.matrices @ matrix.reshape(-1)

    def adjoint(self, dual: Float[np.ndarray, " k"]) -> Float[np.ndarray, "rows cols"]:
        """The combination of the measurement matrices, dense."""
        return (dual @ self.matrices).reshape(self.shape)

    def original_dual(self, dual: Float[np.ndarray, " k"]) -> Float[np.ndarray, " m"]:
        """The same combination, as coefficients of the given measurements."""
        return dual if self.mixing is None else dual @ self.mixing

    def own_dual(self, dual: Float[np.ndarray, " m"]) -> Float[np.ndarray, " k"]:
        """Coefficients of the given measurements, in these coordinates."""
        if self.mixing is None:
            return dual
        return np.linalg.lstsq(self.mixing.T, dual)[0]

    def stack(self) -> Float[np.ndarray, "k rows cols"]:
        """All measurement matrices."""
        return self.matrices.reshape(-1, *self.shape)


MeasurementMap = EntryMap | StackMap


def measurement_map(
    operator: AbstractSensingOperator,
    measurements: Float[Numbers, " m"],
    *,
    symmetric: bool,
    orthonormal: bool,
) -> MeasurementMap:
    """A problem's measurements in the coordinates of a solver.

    Args:
        operator: 𝒜, of any kind.
        measurements: y.
        symmetric: the matrices measured are symmetric, so only the symmetric part of
            each measurement matrix matters.
        orthonormal: combine the measurements into orthonormal ones. False keeps the
            given ones, which a ball ||𝒜(X) - y|| <= radius needs.

    Returns:
        A map for matrices with rows <= cols: the caller transposes a tall one.

    Raises:
        SpecError: when the operator has no structure known here and its stack of
            measurement matrices would not fit in 4 GB.

    Exactness: exact up to rounding; singular values of 𝒜 below 1e-13 of the largest
        count as zero.
    Cost: entries: linear. Other operators: forms m rows cols numbers and factors 𝒜𝒜*,
        m^2 (rows cols + m) operations.
    """
    y = np.asarray(measurements, dtype=np.float64)
    if isinstance(operator, EntrySampling) and not symmetric:
        pairs = _host(operator.row_index), _host(operator.col_index)
        return _entries(operator.shape, *pairs, y, mirror=False, orthonormal=True)
    if isinstance(operator, WeightedEntrySampling) and orthonormal and not symmetric:
        # Met exactly, a multiple of an entry says what the entry says.
        pairs = _host(operator.row_index), _host(operator.col_index)
        scale = np.asarray(operator.scale, np.float64)
        return _entries(
            operator.shape, *pairs, y, mirror=False, orthonormal=True, scale=scale
        )
    if isinstance(operator, SymmetricEntrySampling):
        pairs = _host(operator.row_index), _host(operator.col_index)
        return _entries(operator.shape, *pairs, y, mirror=True, orthonormal=orthonormal)
    if isinstance(operator, LiftedOperator):
        inner = operator.operator
        if isinstance(inner, EntrySampling):
            pairs = _host(inner.row_index), inner.shape[0] + _host(inner.col_index)
            return _entries(
                operator.shape, *pairs, y, mirror=True, orthonormal=orthonormal
            )
    return _stacked(operator, y, symmetric=symmetric, orthonormal=orthonormal)


def _host(index: Int[Numbers, " m"]) -> Int[np.ndarray, " m"]:
    return np.asarray(index, dtype=np.int64)


def _entries(
    shape: tuple[int, int],
    rows: Int[np.ndarray, " m"],
    cols: Int[np.ndarray, " m"],
    y: Float[np.ndarray, " m"],
    *,
    mirror: bool,
    orthonormal: bool,
    scale: Float[np.ndarray, " m"] | None = None,
) -> EntryMap:
    scale = np.ones(y.size) if scale is None else scale
    if shape[0] > shape[1]:
        shape, rows, cols = (shape[1], shape[0]), cols, rows
    # (E_ij + E_ji) / 2 has Frobenius norm 1/sqrt 2 off the diagonal and 1 on it.
    stretch = np.sqrt(2.0) if mirror and orthonormal else 1.0
    gain = np.where(rows == cols, 1.0, stretch) if mirror else np.ones(y.size)
    return EntryMap(
        shape=shape,
        flat=rows * shape[1] + cols,
        mirrored=cols * shape[1] + rows if mirror else None,
        gain=gain,
        scale=scale,
        measurements=gain * y / scale,
        unexplained=np.zeros(y.size),
    )


def _stacked(
    operator: AbstractSensingOperator,
    y: Float[np.ndarray, " m"],
    *,
    symmetric: bool,
    orthonormal: bool,
) -> StackMap:
    rows, cols = operator.shape
    if y.size * rows * cols > _LARGEST_STACK:
        raise SpecError(
            where="min_nuclear_norm(problem)",
            rule="measurements other than entries are held as a stack of at most 4 GB",
            got=f"{y.size} measurements of {rows} x {cols} matrices",
            fix="Use EntrySampling or SymmetricEntrySampling, or fewer measurements",
        )
    if isinstance(operator, DenseSensing):
        stack = np.asarray(operator.stack).reshape(-1, rows, cols)
    else:
        units = np.eye(y.size)
        stack = np.stack([np.asarray(to_dense(operator.adjoint(e))) for e in units])
    if symmetric:
        stack = 0.5 * (stack + stack.transpose(0, 2, 1))
    if rows > cols:
        stack, rows, cols = stack.transpose(0, 2, 1), cols, rows
    matrices = np.ascontiguousarray(stack, dtype=np.float64).reshape(y.size, -1)
    mixing, unexplained = _orthonormalizer(matrices, y)
    if not orthonormal:
        return StackMap(
            shape=(rows, cols),
            matrices=matrices,
            mixing=None,
            measurements=y,
            unexplained=unexplained,
        )
    return StackMap(
        shape=(rows, cols),
        matrices=mixing @ matrices,
        mixing=mixing,
        measurements=mixing @ y,
        unexplained=unexplained,
    )


def _orthonormalizer(
    matrices: Float[np.ndarray, "m rows*cols"], y: Float[np.ndarray, " m"]
) -> tuple[Float[np.ndarray, "rank m"], Float[np.ndarray, " m"]]:
    """The mixing C with C 𝒜𝒜* C' = I, and the part of y outside the range of 𝒜."""
    m = y.size
    try:
        factor = np.linalg.cholesky(matrices @ matrices.T)
        diagonal = np.diag(factor)
        # Above 1e-4 the condition of 𝒜𝒜* is about 1e8 and Cholesky keeps 8 digits,
        # so that C 𝒜𝒜* C' = I to 1e-8: this only conditions, nothing relies on it.
        independent = diagonal.min() > 1e-4 * diagonal.max()
    except np.linalg.LinAlgError:
        independent = False
    if independent:
        return solve_triangular(factor, np.eye(m), lower=True), np.zeros(m)
    # The SVD of the stack and not of 𝒜𝒜*, whose eigenvalues are their squares.
    left, values, _ = np.linalg.svd(matrices, full_matrices=False)
    # 1e-13: the rounding of an SVD of some thousand rows, relative to the largest.
    rank = int(np.sum(values > 1e-13 * values[0])) if values[0] > 0 else 0
    basis = left[:, :rank]
    unexplained = y - basis @ (basis.T @ y)
    return (basis / values[:rank]).T, unexplained
