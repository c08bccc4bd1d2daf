"""Singular values of a table with few columns (or rows) thresholded, from its Gram.

Where one side is short, W'W is small and its eigenvectors are all there is to find: the
time does not grow with the rank, and nothing is iterated. The table itself is formed.
"""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.reference.low_rank_splitting import ThinMatrix

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Up to so many columns, and from so many rows for each of them.
_NARROW, _SLENDER = 400, 10
# Singular values below this share of the largest are lost in the rounding of squares.
_RESOLVED = 1e-6


def is_narrow(shape: tuple[int, int]) -> bool:
    """Whether a table of this shape is better decomposed through its Gram matrix."""
    short, long = sorted(shape)
    return short <= _NARROW and long >= _SLENDER * short


def narrow_thresholded(
    previous: ThinMatrix, sparse: "csr_array", level: float
) -> ThinMatrix | None:
    """The sum of a thin and a sparse matrix with `level` taken off its singular values.

    Args:
        previous: the thin matrix; its block is handed on.
        sparse: the other one, of the same shape.
        level: what is taken off; what is below falls away.

    Returns:
        As `thresholded`; None where the level is too far below the largest singular
        value for squares to tell.

    Exactness: singular values s within 1e-16 (largest / s)^2 of their size.
    Cost: forms rows x cols; rows x cols x the shorter side operations.
    """
    table = sparse.toarray()
    table += (previous.left * previous.values) @ previous.right.T
    is_wide = table.shape[0] < table.shape[1]
    tall = table.T if is_wide else table
    squares, turn = np.linalg.eigh(tall.T @ tall)
    values = np.sqrt(np.maximum(squares[::-1], 0))
    if level < _RESOLVED * values[0]:
        return None
    rank = int(np.sum(values > level))
    short = np.ascontiguousarray(turn[:, ::-1][:, :rank])
    values = values[:rank]
    long = (tall @ short) / values
    left, right = (short, long) if is_wide else (long, short)
    return ThinMatrix(
        left=left, values=values - level, right=right, block=previous.block
    )
