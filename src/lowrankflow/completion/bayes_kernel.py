"""Compiled: the posterior of each row of a factor, the other factor's being given.

The entries are stored row after row, as in the passes of the problems folder, and one
thread does a row in one order, so that the bits do not depend on the threads.
"""

import math

import numba
import numpy as np

_SUMS = {"reassoc", "contract", "nsz"}


@numba.njit(cache=True, nogil=True, fastmath=_SUMS)
def posterior_rows(
    start,
    index,
    values,
    weights,
    other,
    second,
    prior,
    noise,
    mean,
    covariance,
    left_over,
    low,
    high,
):
    """Mean and covariance of rows `low` to `high`, and what the noise is made of.

    With P_j = E[r_j r_j'] packed in `second` (lower triangle, row by row), the
    precision of row i is diag(prior) + sum_k w_k P_j / noise and its mean solves that
    for sum_k w_k y_k r_j / noise. `left_over` is the expected weighted sum of squared
    residuals of the row: sum_k w_k (y_k^2 - 2 y_k m . r_j + tr(E[l l'] P_j)).
    """
    rank = other.shape[1]
    size = second.shape[1]
    packed = np.empty(size)
    root = np.empty((rank, rank))
    inverse = np.empty((rank, rank))
    right = np.empty(rank)
    weighted = weights.size > 0
    for i in range(low, high):
        for q in range(size):
            packed[q] = 0.0
        for c in range(rank):
            right[c] = 0.0
        squares = 0.0
        for k in range(start[i], start[i + 1]):
            j = index[k]
            w = np.float64(weights[k]) if weighted else 1.0
            y = np.float64(values[k])
            squares += w * y * y
            for q in range(size):
                packed[q] += w * second[j, q]
            for c in range(rank):
                right[c] += w * y * other[j, c]
        # Cholesky of the precision.
        q = 0
        for c in range(rank):
            for d in range(c + 1):
                root[c, d] = packed[q] / noise
                q += 1
            root[c, c] += prior[c]
        for c in range(rank):
            for d in range(c):
                total = root[c, d]
                for b in range(d):
                    total -= root[c, b] * root[d, b]
                root[c, d] = total / root[d, d]
            total = root[c, c]
            for b in range(c):
                total -= root[c, b] * root[c, b]
            root[c, c] = math.sqrt(max(total, prior[c] * 1e-12))
        # The inverse of the root, then of the precision.
        for d in range(rank):
            inverse[d, d] = 1.0 / root[d, d]
            for c in range(d + 1, rank):
                total = 0.0
                for b in range(d, c):
                    total -= root[c, b] * inverse[b, d]
                inverse[c, d] = total / root[c, c]
        q = 0
        for c in range(rank):
            for d in range(c + 1):
                total = 0.0
                for b in range(c, rank):
                    total += inverse[b, c] * inverse[b, d]
                covariance[i, q] = total
                q += 1
        for c in range(rank):
            mean[i, c] = 0.0
        q = 0
        for c in range(rank):
            for d in range(c + 1):
                mean[i, c] += covariance[i, q] * right[d] / noise
                if d < c:
                    mean[i, d] += covariance[i, q] * right[c] / noise
                q += 1
        total = squares
        q = 0
        for c in range(rank):
            total -= 2.0 * mean[i, c] * right[c]
            for d in range(c + 1):
                twice = 1.0 if d == c else 2.0
                both = mean[i, c] * mean[i, d] + covariance[i, q]
                total += twice * both * packed[q]
                q += 1
        left_over[i] = total


@numba.njit(cache=True, nogil=True)
def second_moments(mean, covariance, out):
    """E[r r'] of every row, packed: r r' + covariance."""
    rank = mean.shape[1]
    for j in range(mean.shape[0]):
        q = 0
        for c in range(rank):
            for d in range(c + 1):
                out[j, q] = mean[j, c] * mean[j, d] + covariance[j, q]
                q += 1
