"""The direction in which a completion's loss falls fastest from where it is.

It is the top singular pair of the sparse residual, or the top eigenvector where
W = U U', found by passes over the entries with a few columns at once.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lowrankflow.dynamics.thin_lanczos import BLOCK, LARGEST, Columns, top_pairs
from lowrankflow.problems import SampledProducts, WeightedProducts
from lowrankflow.seeds import generator

# Up to so many rows or columns the matrix itself is decomposed.
_SMALL = 64
assert _SMALL >= LARGEST


@dataclass(frozen=True, kw_only=True, eq=False)
class Direction:
    """A direction that would grow from nothing, and how fast.

    Args:
        rate: at which it grows; an estimate from below of the largest.
        slack: by how much the largest may exceed it, as far as the iteration shows.
        left: of unit length.
        right: the same where W = U U'.
        near: columns close to the directions after it; None where they were not sought.
    """

    rate: float
    slack: float
    left: Float[np.ndarray, " rows"]
    right: Float[np.ndarray, " cols"]
    near: Columns | None


def next_direction(
    products: SampledProducts | WeightedProducts,
    residual: Float[np.ndarray, " m"],
    by_col: Float[np.ndarray, " m"],
    *,
    symmetric: bool,
    tolerance: float,
    enough: float = 0.0,
    near: Columns | None = None,
) -> Direction:
    """The direction that grows fastest from nothing.

    Args:
        products: the passes over the entries.
        residual: entries - y at the present point, in the order of rows.
        by_col: the same in the order of columns.
        symmetric: whether W = U U'.
        tolerance: how exactly its rate is wanted, relatively.
        enough: and absolutely: whichever is met first.
        near: the `near` of a direction at a point close by.

    Returns:
        lambda_1(-grad f) with its eigenvector twice where W = U U', sigma_1 with its
        singular pair elsewhere; of the loss alone, without the penalty.

    Exactness: to rounding up to 64 rows or columns; elsewhere from below, and within
        the `slack` that comes with it.
    Cost: some tens of products of the sparse residual with eight columns.
    """
    rows, cols = products.shape
    if not residual.any():
        left, right = np.eye(rows, 1)[:, 0], np.eye(cols, 1)[:, 0]
        return Direction(rate=0.0, slack=0.0, left=left, right=right, near=None)

    def forth(block: Columns) -> Columns:
        return -products.mm(residual, block.astype(residual.dtype, copy=False))

    def back(block: Columns) -> Columns:
        return -products.rmm_by_col(by_col, block.astype(residual.dtype, copy=False))

    def symmetrized(block: Columns) -> Columns:
        return (forth(block) + back(block)) / 2

    short = min(rows, cols)
    if short <= _SMALL:
        return _small(forth, back, rows, cols, symmetric)
    start = generator(0, "greedy path", "direction").standard_normal((short, BLOCK))
    if near is not None:
        # One column at random, lest a direction be missed that none shows.
        start[:, 1:] = near[:, 1:]

    def rate_of(value: float, error: float) -> tuple[float, float]:
        if symmetric:
            return value, error
        rate = float(np.sqrt(max(value, 0.0)))
        return rate, float(np.sqrt(max(value, 0.0) + error)) - rate

    def met(value: float, error: float) -> bool:
        rate, slack = rate_of(value, error)
        return slack <= max(tolerance * abs(rate), enough)

    across, along = (forth, back) if cols <= rows else (back, forth)

    def multiply(block: Columns) -> Columns:
        image = symmetrized(block) if symmetric else along(across(block))
        return image.astype(float, copy=False)

    found = top_pairs(multiply, start, met=met)
    rate, slack = rate_of(found.value, found.error)
    here = found.vectors[:, 0]
    if symmetric:
        return Direction(
            rate=rate, slack=slack, left=here, right=here, near=found.vectors
        )
    there = across(here[:, None])[:, 0].astype(float)
    rate = float(np.linalg.norm(there))
    there /= rate or 1.0
    left, right = (there, here) if cols <= rows else (here, there)
    return Direction(rate=rate, slack=slack, left=left, right=right, near=found.vectors)


def _small(forth, back, rows: int, cols: int, symmetric: bool) -> Direction:
    """By the eigenvectors themselves, or the decomposition of a thin matrix."""
    if symmetric:
        values, vectors = np.linalg.eigh((forth(np.eye(cols)) + back(np.eye(rows))) / 2)
        rate, left = float(values[-1]), vectors[:, -1]
        return Direction(rate=rate, slack=0.0, left=left, right=left, near=None)
    # The shorter side times itself: thin, whatever the longer one is.
    thin = forth(np.eye(cols)) if cols <= rows else back(np.eye(rows))
    left, values, right = np.linalg.svd(thin, full_matrices=False)
    left, right = left[:, 0], right[0]
    if cols > rows:
        left, right = right, left
    return Direction(
        rate=float(values[0]), slack=0.0, left=left, right=right, near=None
    )
