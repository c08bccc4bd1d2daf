"""Compiled: passes over the observed entries, for factors of a given padded rank.

What `sampled_kernel` does for any rank, with rows that stay in registers: each pass is
compiled for a `width`, the number of columns that factors are padded to with zeros. A
row of the answer is made by one thread in one order, as there.
"""

import functools
import math

import numba
import numpy as np

from lowrankflow.problems.sampled_vectors import (
    add_scaled,
    dot,
    load,
    prefetch,
    store,
    zeros_like,
)

_SUMS = {"reassoc", "contract", "nsz"}
_COMPILED = {"cache": True, "nogil": True, "fastmath": _SUMS}
# Entries between asking for a row and using it.
_AHEAD = 32


@functools.cache
def entries(width):
    """Of factors of `width` columns; arguments as in `sampled_kernel.entries`."""

    @numba.njit(**_COMPILED)
    def entries(start, index, left, right, out, low, high):
        last = index.size - 1
        for i in range(low, high):
            own = load(left, i, width)
            for k in range(start[i], start[i + 1]):
                prefetch(right, index[min(k + _AHEAD, last)], width)
                out[k] = dot(own, load(right, index[k], width))

    return entries


@functools.cache
def product(width):
    """Of a block of `width` columns; arguments as in `sampled_kernel.product`."""

    @numba.njit(**_COMPILED)
    def product(start, index, values, block, out, low, high):
        last = index.size - 1
        for i in range(low, high):
            total = zeros_like(load(out, i, width))
            for k in range(start[i], start[i + 1]):
                prefetch(block, index[min(k + _AHEAD, last)], width)
                row = load(block, index[k], width)
                total = add_scaled(total, values[k], row)
            store(out, i, total)

    return product


@functools.cache
def residual_product(width, kept):
    """Of factors of `width` columns; arguments as in `sampled_kernel`.

    Whether residuals are `kept` is compiled in: writing them costs as much memory
    traffic as reading the values.
    """

    @numba.njit(**_COMPILED)
    def residual_product(
        start, index, values, own, other, residual, out, squares, low, high
    ):
        last = index.size - 1
        for i in range(low, high):
            here = load(own, i, width)
            total = zeros_like(here)
            square = 0.0
            for k in range(start[i], start[i + 1]):
                prefetch(other, index[min(k + _AHEAD, last)], width)
                row = load(other, index[k], width)
                e = dot(here, row) - values[k]
                if kept:
                    residual[k] = e
                square += np.float64(e) * np.float64(e)
                total = add_scaled(total, e, row)
            store(out, i, total)
            squares[i] = square

    return residual_product


@functools.cache
def curvature(width):
    """Of factors of `width` columns; arguments as in `sampled_kernel.curvature`."""

    @numba.njit(**_COMPILED)
    def curvature(
        start, index, residual, own, other, moved, other_moved, out, low, high
    ):
        last = index.size - 1
        for i in range(low, high):
            here, here_moved = load(own, i, width), load(moved, i, width)
            total = zeros_like(here)
            for k in range(start[i], start[i + 1]):
                later = index[min(k + _AHEAD, last)]
                prefetch(other, later, width)
                prefetch(other_moved, later, width)
                there = load(other, index[k], width)
                there_moved = load(other_moved, index[k], width)
                e = dot(here_moved, there) + dot(here, there_moved)
                total = add_scaled(total, e, there)
                total = add_scaled(total, residual[k], there_moved)
            store(out, i, total)

    return curvature


@functools.cache
def least_squares(width):
    """Of factors of `width` columns; arguments as in `sampled_kernel.least_squares`.

    `rank` of the columns are solved for. Four entries go into the normal equations at
    once, so that each row of these is read and written a quarter as often.
    """

    @numba.njit(**_COMPILED)
    def least_squares(
        start, index, values, fixed, rank, ridge, damping, point, low, high
    ):
        last = index.size - 1
        gram = np.empty((rank, width), fixed.dtype)
        side = np.empty((1, width), fixed.dtype)
        inverse = np.empty(rank, fixed.dtype)
        one = fixed.dtype.type(1)
        for i in range(low, high):
            begin, end = start[i], start[i + 1]
            if begin == end and ridge == 0:
                continue
            gram[:, :] = 0
            here = load(point, i, width)
            step = add_scaled(zeros_like(here), -ridge, here)
            fours = end - (end - begin) % 4
            for k in range(begin, fours, 4):
                for b in range(4):
                    prefetch(fixed, index[min(k + _AHEAD + b, last)], width)
                j0, j1, j2, j3 = index[k], index[k + 1], index[k + 2], index[k + 3]
                row0, row1 = load(fixed, j0, width), load(fixed, j1, width)
                row2, row3 = load(fixed, j2, width), load(fixed, j3, width)
                step = add_scaled(step, values[k] - dot(here, row0), row0)
                step = add_scaled(step, values[k + 1] - dot(here, row1), row1)
                step = add_scaled(step, values[k + 2] - dot(here, row2), row2)
                step = add_scaled(step, values[k + 3] - dot(here, row3), row3)
                for c in range(rank):
                    total = load(gram, c, width)
                    total = add_scaled(total, fixed[j0, c], row0)
                    total = add_scaled(total, fixed[j1, c], row1)
                    total = add_scaled(total, fixed[j2, c], row2)
                    total = add_scaled(total, fixed[j3, c], row3)
                    store(gram, c, total)
            for k in range(fours, end):
                j = index[k]
                row = load(fixed, j, width)
                step = add_scaled(step, values[k] - dot(here, row), row)
                for c in range(rank):
                    total = add_scaled(load(gram, c, width), fixed[j, c], row)
                    store(gram, c, total)
            trace = fixed.dtype.type(0)
            for c in range(rank):
                trace += gram[c, c]
            shift = ridge + damping * trace / fixed.dtype.type(rank)
            if shift + trace == 0:
                continue
            for c in range(rank):
                gram[c, c] += shift
            # Cholesky in place, an upper triangle; what stands below it is not used.
            for c in range(rank):
                inverse[c] = one / math.sqrt(max(gram[c, c], shift))
                row = load(gram, c, width)
                row = add_scaled(zeros_like(row), inverse[c], row)
                store(gram, c, row)
                for b in range(c + 1, rank):
                    store(gram, b, add_scaled(load(gram, b, width), -gram[c, b], row))
            store(side, 0, step)
            for c in range(rank):
                side[0, c] *= inverse[c]
                for b in range(c + 1, rank):
                    side[0, b] -= side[0, c] * gram[c, b]
            for c in range(rank - 1, -1, -1):
                total = side[0, c]
                for b in range(c + 1, rank):
                    total -= gram[c, b] * side[0, b]
                side[0, c] = total * inverse[c]
            for c in range(rank):
                point[i, c] += side[0, c]

    return least_squares
