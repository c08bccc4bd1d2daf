"""Least squares for each row of a factor, the other factor held.

What alternating least squares and the fold-in of new rows are made of: a small
regularized system for each row, solved by Cholesky's method where it is well determined
and by singular values where it is not.
"""

from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from lowrankflow.problems.padding import LINE_BYTES, padded
from lowrankflow.problems.sampled_products import SampledProducts, SortedEntries

# A pivot below this part of its diagonal leaves fewer digits than a solution by
# singular values.
_FLOOR = {"float64": 1e-9, "float32": 1e-4}
# Numbers of equations that are decomposed at once.
_AT_ONCE = 4_000_000


def move_rows(
    products: SampledProducts,
    values: Float[np.ndarray, " m"],
    point: Float[np.ndarray, "here rank"],
    fixed: Float[np.ndarray, "there rank"],
    *,
    by: Literal["row", "col"] = "row",
    ridge: float | Float[np.ndarray, " here"],
    damping: float = 0.0,
    scale: Float[np.ndarray, " m"] | None = None,
) -> None:
    """Move each row of `point`, in place, to its least squares solution.

    Row p_i minimizes 1/2 sum_k (scale_k <p_i, fixed_{j_k}> - y_k)^2 + ridge_i/2
    ||p_i||^2 over its entries k. What these leave undecided, with a ridge of 0, is the
    row of least norm; with damping it stays what it was.

    Args:
        products: the entries, sorted.
        values: y, in the order of rows (by "row") or of columns (by "col").
        point: the factor that is solved for; float32 or float64. Changed. A row without
            entries becomes 0 where its ridge is above 0, and stays where it is 0.
        fixed: the other factor, of the same type.
        by: whether `point` belongs to the "row"s or the "col"s.
        ridge: >= 0, one for all rows or one for each.
        damping: >= 0; a multiple of the equations' mean diagonal that is added to it,
            for steps that are taken again and again.
        scale: > 0, in the order of `values`; 1 where None.

    Exactness: exact but for rounding; the bits do not depend on the threads. Systems of
        a condition beyond some 1e9 (1e4 in float32) are solved by singular values.
    Cost: m rank^2 / 2 operations and rows rank^3 / 6; compiled once, in a few seconds.
    """
    # Numba takes half a second to import, and few problems need it.
    from lowrankflow.problems import row_solutions_kernel as kernels

    rank, dtype = point.shape[1], point.dtype
    if rank == 0:
        return
    half = products.by_row if by == "row" else products.by_col
    tile = LINE_BYTES // dtype.itemsize
    width = -(-rank // tile) * tile
    ridges = np.full(point.shape[0], ridge, dtype) if np.ndim(ridge) == 0 else ridge
    moved, held = padded(point, width), padded(fixed, width)
    flagged = np.zeros(point.shape[0], bool)
    products.share(
        kernels.move_rows(tile),
        half,
        rank * rank,
        np.ascontiguousarray(values, dtype),
        np.empty(0, dtype) if scale is None else np.ascontiguousarray(scale, dtype),
        held,
        rank,
        np.ascontiguousarray(ridges, dtype),
        dtype.type(damping),
        dtype.type(_FLOOR[dtype.name]),
        moved,
        flagged,
    )
    if moved is not point:
        point[:] = moved[:, :rank]
    left = np.flatnonzero(flagged)
    if left.size:
        ridges = np.asarray(ridges, float)
        _solve_by_singular_values(half, left, values, scale, point, fixed, ridges)


def _solve_by_singular_values(
    half: SortedEntries,
    which: Int[np.ndarray, " some"],
    values: Float[np.ndarray, " m"],
    scale: Float[np.ndarray, " m"] | None,
    point: Float[np.ndarray, "here rank"],
    fixed: Float[np.ndarray, "there rank"],
    ridges: Float[np.ndarray, " here"],
) -> None:
    """The rows that Cholesky's method left, in float64; those of like length at once.

    Equations of zeros, by which shorter systems are filled up, change no solution.
    """
    counts = np.diff(half.start)[which]
    order = np.argsort(counts, kind="stable")
    which, counts = which[order], counts[order]
    rank, resolved = point.shape[1], float(np.finfo(point.dtype).eps)
    begin = 0
    while begin < which.size:
        # Sorted by length: at most twice as long as the first, and not too many.
        most = 2 * counts[begin] + 1
        end = int(np.searchsorted(counts, most, side="right"))
        end = min(end, begin + max(1, _AT_ONCE // int(most * rank)))
        rows, longest = which[begin:end], int(counts[end - 1])
        at = half.start[rows][:, None] + np.arange(longest)
        real = np.arange(longest) < counts[begin:end, None]
        at = np.where(real, at, 0)
        factor = real if scale is None else np.where(real, scale[at], 0)
        system = fixed[half.index[at]].astype(float) * factor[:, :, None]
        side = np.where(real, values[at], 0).astype(float)
        u, sv, v = np.linalg.svd(system, full_matrices=False)
        ridge = ridges[rows][:, None]
        kept = sv > resolved * max(longest, rank) * sv[:, :1]
        gain = np.where(kept | (ridge > 0), sv, 0)
        gain /= np.where(gain > 0, sv**2 + ridge, 1)
        along = gain * np.einsum("kns,kn->ks", u, side)
        point[rows] = np.einsum("ksr,ks->kr", v, along)
        begin = end
