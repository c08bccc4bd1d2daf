"""Compiled: passes over the observed entries, for factors of a given padded rank.

What `sampled_kernel` does for any rank, with rows that stay in registers: each pass is
compiled for a `width`, the number of columns that factors are padded to with zeros. A
row of the answer is made by one thread in one order, as there.
"""

import functools

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
