"""Compiled: passes over the observed entries of a matrix, a range of rows at a time.

The entries are stored row after row: those of row i are at `start[i]` to
`start[i + 1]`, in the columns `index`. The same passes serve the columns, from storage
sorted the other way. A row of the answer is made by one thread in one order, so that
the bits do not depend on how many threads share the rows.
"""

import math

import numba
import numpy as np

# Sums may be taken in the order of the machine's vectors.
_SUMS = {"reassoc", "contract", "nsz"}


@numba.njit(cache=True, nogil=True, fastmath=_SUMS)
def dot(a, b):
    """The inner product of long vectors, in float64 whatever they are."""
    total = 0.0
    for k in range(a.size):
        total += np.float64(a[k]) * np.float64(b[k])
    return total


@numba.njit(cache=True, nogil=True, fastmath=_SUMS)
def entries(start, index, left, right, out, low, high):
    """<left_i, right_j> for each entry (i, j)."""
    for i in range(low, high):
        for k in range(start[i], start[i + 1]):
            j = index[k]
            total = left[i, 0] * right[j, 0]
            for c in range(1, left.shape[1]):
                total += left[i, c] * right[j, c]
            out[k] = total


@numba.njit(cache=True, nogil=True, fastmath=_SUMS)
def pairs(rows, cols, left, right, out):
    """<left_i, right_j> for pairs (i, j) in any order."""
    for k in range(rows.size):
        i, j = rows[k], cols[k]
        total = left[i, 0] * right[j, 0]
        for c in range(1, left.shape[1]):
            total += left[i, c] * right[j, c]
        out[k] = total


@numba.njit(cache=True, nogil=True, fastmath=_SUMS)
def product(start, index, values, block, out, low, high):
    """Rows of the matrix of entries times a thin block."""
    for i in range(low, high):
        for c in range(block.shape[1]):
            out[i, c] = 0
        for k in range(start[i], start[i + 1]):
            j = index[k]
            value = values[k]
            for c in range(block.shape[1]):
                out[i, c] += value * block[j, c]


@numba.njit(cache=True, nogil=True, fastmath=_SUMS)
def residual_product(
    start, index, values, own, other, residual, out, squares, low, high
):
    """Rows of the residual times the other factor, and each row's sum of squares.

    With e = <own_i, other_j> - value for each entry this is the sum over the entries of
    row i of e other_j. The residuals are written where `residual` has room for them.
    """
    rank = own.shape[1]
    kept = residual.size > 0
    for i in range(low, high):
        for c in range(rank):
            out[i, c] = 0
        square = 0.0
        for k in range(start[i], start[i + 1]):
            j = index[k]
            e = -values[k]
            for c in range(rank):
                e += own[i, c] * other[j, c]
            if kept:
                residual[k] = e
            square += np.float64(e) * np.float64(e)
            for c in range(rank):
                out[i, c] += e * other[j, c]
        squares[i] = square


@numba.njit(cache=True, nogil=True, fastmath=_SUMS)
def curvature(start, index, residual, own, other, moved, other_moved, out, low, high):
    """Rows of what the gradient in `own` changes by, when both factors move.

    With e = <moved_i, other_j> + <own_i, other_moved_j> this is the sum over the
    entries of row i of e other_j + residual other_moved_j.
    """
    rank = own.shape[1]
    for i in range(low, high):
        for c in range(rank):
            out[i, c] = 0
        for k in range(start[i], start[i + 1]):
            j = index[k]
            e = moved[i, 0] * other[j, 0] + own[i, 0] * other_moved[j, 0]
            for c in range(1, rank):
                e += moved[i, c] * other[j, c] + own[i, c] * other_moved[j, c]
            r = residual[k]
            for c in range(rank):
                out[i, c] += e * other[j, c] + r * other_moved[j, c]


@numba.njit(cache=True, nogil=True, fastmath=_SUMS)
def least_squares(start, index, values, fixed, rank, ridge, damping, point, low, high):
    """Each row of `point` moved to its least squares solution, `fixed` held.

    The change solves (G + ridge + damping tr G / rank) change = -gradient with G the
    sum of fixed_j fixed_j' over the row's entries: where these leave a direction free,
    the row stays what it was in that direction.
    """
    gram = np.empty((rank, rank), fixed.dtype)
    step = np.empty(rank, fixed.dtype)
    for i in range(low, high):
        if start[i] == start[i + 1] and ridge == 0:
            continue
        gram[:, :] = 0
        for c in range(rank):
            step[c] = -ridge * point[i, c]
        for k in range(start[i], start[i + 1]):
            j = index[k]
            r = values[k]
            for c in range(rank):
                r -= point[i, c] * fixed[j, c]
            for c in range(rank):
                f = fixed[j, c]
                step[c] += r * f
                for d in range(c + 1):
                    gram[c, d] += f * fixed[j, d]
        trace = 0.0
        for c in range(rank):
            trace += gram[c, c]
        shift = ridge + damping * trace / rank
        if shift + trace == 0:
            continue
        for c in range(rank):
            gram[c, c] += shift
        # Cholesky in place, then the two triangular solves.
        for c in range(rank):
            for d in range(c):
                total = gram[c, d]
                for b in range(d):
                    total -= gram[c, b] * gram[d, b]
                gram[c, d] = total / gram[d, d]
            total = gram[c, c]
            for b in range(c):
                total -= gram[c, b] * gram[c, b]
            gram[c, c] = math.sqrt(max(total, shift))
        for c in range(rank):
            total = step[c]
            for b in range(c):
                total -= gram[c, b] * step[b]
            step[c] = total / gram[c, c]
        for c in range(rank - 1, -1, -1):
            total = step[c]
            for b in range(c + 1, rank):
                total -= gram[b, c] * step[b]
            step[c] = total / gram[c, c]
        for c in range(rank):
            point[i, c] += step[c]
