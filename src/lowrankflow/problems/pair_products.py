"""Single entries of a thin product."""

import numpy as np
from jaxtyping import Float, Int

# Entries of a product that are found at once; multiplications from which on they are
# worth a compiled loop.
_GATHERED, _WORTH_COMPILING = 1024, 2_000_000


def pair_products(
    left: Float[np.ndarray, "rows rank"],
    right: Float[np.ndarray, "cols rank"],
    row_index: Int[np.ndarray, " m"],
    col_index: Int[np.ndarray, " m"],
) -> Float[np.ndarray, " m"]:
    """<left_i, right_j> for pairs (i, j): entries of left right'.

    Args:
        left: one row for each row of the matrix.
        right: one for each column.
        row_index: i_k, 0-based and in range, which is not checked.
        col_index: j_k, likewise.

    Exactness: exact but for rounding.
    Cost: m x rank multiplications, and nothing kept but the answer.
    """
    dtype = np.result_type(left, right)
    found = np.empty(len(row_index), dtype)
    if left.shape[1] and found.size * left.shape[1] >= _WORTH_COMPILING:
        # Numba takes half a second to import, and few problems need it.
        from lowrankflow.problems import sampled_kernel

        left, right = (np.ascontiguousarray(side, dtype) for side in (left, right))
        sampled_kernel.pairs(row_index, col_index, left, right, found)
        return found
    # Some at a time: rows gathered for all would leave the cache.
    for begin in range(0, found.size, _GATHERED):
        part = slice(begin, begin + _GATHERED)
        rows, cols = left[row_index[part]], right[col_index[part]]
        np.einsum("ij,ij->i", rows, cols, out=found[part])
    return found
