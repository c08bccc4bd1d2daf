"""The alternating direction method of `splitting`, for tables too large to decompose.

Without over-relaxation the matrix that a step decomposes is

    X_{k-1} + sigma 𝒜*(lambda),   a matrix of low rank plus a sparse one:

its product with a thin block costs the observed entries and the rank, and only what
exceeds the threshold has to be found. The block of the last step is nearly right for
the next one, so that a pass or two of subspace iteration take the place of a full
decomposition. What they miss is found in later steps; the certificate is checked
elsewhere, by full decompositions, and believes none of this.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from lowrankflow.reference.measurement_map import EntryMap, MeasurementMap
from lowrankflow.reference.spectral_threshold import spectral_bound
from lowrankflow.reference.splitting import SplittingPoint

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# From as many rows and columns on, thin decompositions are the cheaper ones.
_LARGE = 400
# Directions kept beyond those above the threshold, as a share and at least.
_SPARE, _FEWEST_SPARE = 0.15, 10
_PASSES = 2  # of subspace iteration, each step
_REVIEW = 10  # steps between two looks at the residuals
_PROOF = 50  # the same for the gap, a full decomposition; a multiple of the former
_BALANCE = 1.2  # by which the penalty moves then


@dataclass(frozen=True, kw_only=True)
class ThinMatrix:
    """U diag(s) V', and the block that the next decomposition starts from.

    Args:
        left: U, orthonormal columns.
        values: s, descending, all above zero.
        right: V, orthonormal columns.
        block: V and the spare directions, orthonormal columns.
    """

    left: Float[np.ndarray, "rows rank"]
    values: Float[np.ndarray, " rank"]
    right: Float[np.ndarray, "cols rank"]
    block: Float[np.ndarray, "cols block"]

    def dense(self) -> Float[np.ndarray, "rows cols"]:
        """The matrix itself."""
        return (self.left * self.values) @ self.right.T


def large_table(measure: MeasurementMap) -> EntryMap | None:
    """The measurements themselves, where `alternate_low_rank` is made for them."""
    if not isinstance(measure, EntryMap) or measure.mirrored is not None:
        return None
    return measure if min(measure.shape) >= _LARGE else None


def alternate_low_rank(
    measure: EntryMap,
    *,
    penalty: float,
    gap: float,
    max_steps: int,
) -> SplittingPoint:
    """Alternate from zero until the relative gap is estimated to be small.

    Args:
        measure: distinct entries of matrices with rows <= cols, without mirror images.
        penalty: sigma at the start; it is adapted to balance the residuals.
        gap: estimate of the relative duality gap at which to stop.
        max_steps: steps allowed.

    Returns:
        As `alternate`; its count of decompositions is of thin ones.

    Exactness: within `gap`, as far as an estimate goes, where it is reached; the thin
        decompositions are inexact in a step, and exact in the limit.
    Cost: per step, 4 (observed entries + rank (rows + cols)) (rank + spare) operations
        a pass, and 2 rank rows cols to look at the observed entries.
    Source: wen2010 for the method; cai2010 for the threshold.
    Differs: decomposed by subspace iteration from the last step's block, and the
        penalty is adapted every ten steps.
    """
    # A tenth of a second to import, and few problems need it.
    from scipy.sparse import csr_array

    y = measure.measurements
    size = float(np.linalg.norm(y))
    rows, cols = np.divmod(measure.flat, measure.shape[1])
    thin = first_block(measure.shape)
    before = np.zeros(measure.shape)
    dual = y / penalty
    count = 0
    while True:
        count += 1
        sparse = csr_array((penalty * dual, (rows, cols)), measure.shape)
        thin = thresholded(thin, sparse, penalty)
        here = thin.dense()
        seen = measure.apply(here)
        carried = dual + (measure.apply(before) - seen) / penalty
        if count >= max_steps:
            break
        if count % _REVIEW == 0:
            primal = float(np.linalg.norm(seen - y)) / size
            feasible = before - here
            violation = float(np.linalg.norm(feasible)) / penalty
            feasible += sparse.toarray()
            violation /= max(1.0, float(np.linalg.norm(feasible)) / penalty)
            looked = count % _PROOF == 0
            if looked and _estimated_gap(measure, thin, dual, primal * size) <= gap:
                break
            if primal > 2 * violation:
                penalty /= _BALANCE
            elif violation > 2 * primal:
                penalty *= _BALANCE
        before = here
        dual = carried + (y - seen) / penalty
    return SplittingPoint(
        matrix=here,
        dual=dual,
        penalty=penalty,
        residual=float(np.linalg.norm(seen - y)) / size,
        decompositions=count,
    )


def thresholded(previous: ThinMatrix, sparse: "csr_array", level: float) -> ThinMatrix:
    """The sum of a thin and a sparse matrix with `level` taken off its singular values.

    Args:
        previous: the thin matrix, and where to look for the leading directions.
        sparse: the other one, of the same shape.
        level: what is taken off; what is below falls away.

    Exactness: the better, the nearer the block of `previous` is to the leading right
        singular vectors of the sum; it grows until it holds all above the level.
    Cost: see `alternate_low_rank`.
    """
    scaled = previous.left * previous.values

    def forward(block):
        return sparse @ block + scaled @ (previous.right.T @ block)

    def backward(block):
        return sparse.T @ block + previous.right @ (scaled.T @ block)

    block, smaller = previous.block, min(len(previous.left), len(previous.right))
    while True:
        for _ in range(_PASSES - 1):
            block = np.linalg.qr(backward(forward(block)))[0]
        frame = np.linalg.qr(forward(block))[0]
        right, values, turn = np.linalg.svd(backward(frame), full_matrices=False)
        rank = int(np.sum(values > level))
        spare = max(_FEWEST_SPARE, int(_SPARE * rank))
        if rank < values.size or values.size >= smaller:
            break
        block = _widened(right, min(2 * values.size, smaller))
    kept = min(rank + spare, smaller)
    block = right[:, :kept]
    if kept > values.size:
        block = _widened(right, kept)
    return ThinMatrix(
        left=frame @ turn.T[:, :rank],
        values=values[:rank] - level,
        right=right[:, :rank],
        block=block,
    )


def _estimated_gap(
    measure: EntryMap, thin: ThinMatrix, dual: np.ndarray, residual: float
) -> float:
    """Relative gap with what a correction of the residual may cost at most."""
    norm_bound = float(thin.values.sum()) + residual * np.sqrt(measure.shape[0])
    factor = max(1.0, spectral_bound(measure.adjoint(dual), psd=False))
    value = float(measure.measurements @ dual) / factor
    return (norm_bound - value) / norm_bound if norm_bound > 0 else np.inf


def _widened(
    block: Float[np.ndarray, "cols block"], width: int
) -> Float[np.ndarray, "cols width"]:
    """The same directions and random ones beside them, orthonormal."""
    cols, given = block.shape
    fresh = np.random.default_rng(given).standard_normal((cols, width - given))
    return np.linalg.qr(np.hstack([block, fresh]))[0]


def first_block(shape: tuple[int, int]) -> ThinMatrix:
    """Zero, with a random block of as many directions as are looked for first."""
    rows, cols = shape
    width = min(rows, cols, 2 * _FEWEST_SPARE)
    normal = np.random.default_rng(0).standard_normal((cols, width))
    return ThinMatrix(
        left=np.zeros((rows, 0)),
        values=np.zeros(0),
        right=np.zeros((cols, 0)),
        block=np.linalg.qr(normal)[0],
    )
