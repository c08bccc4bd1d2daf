"""Compiled: regularized least squares for each row of a factor, the other one held.

The rows of the other factor that a row's entries meet are copied side by side, a block
of entries at a time, so that the normal equations are made of small tiles which stay in
registers while all entries of the block go into them. Tiles below the diagonal are left
out. The rank is not compiled in.
"""

import functools
import math

import numba
import numpy as np

from lowrankflow.problems.sampled_vectors import (
    add_scaled,
    dot,
    load,
    number,
    prefetch,
    store,
    zeros_like,
)

_COMPILED = {
    "cache": True,
    "nogil": True,
    "fastmath": {"reassoc", "contract", "nsz"},
}
# Numbers of a block of entries: half of a fast cache of 32 KB in float64.
_BLOCK = 2048
# Entries between asking for a row and copying it.
_AHEAD = 16
# Pivots after which the rest of the triangle is brought up to date.
PANEL = 8


@functools.cache
def add_block(tile, sign):
    """Upper tiles of the sum of outer products: gram += sign sum rows' rows.

    Rows of `tile` numbers: `rows` holds `count` rows of `across` tiles each, from
    `first` on; `gram` one row of `across` tiles for each of `ends` columns, a multiple
    of four, of which those before `begin` are left alone.
    """

    @numba.njit(inline="always")
    def scalar(rows, row, column):
        found = number(rows, row, column)
        return found if sign > 0 else -found

    @numba.njit(**_COMPILED)
    def add_block(rows, first, count, across, begin, ends, gram):
        for t in range(begin // tile, across):
            for c in range(begin, min((t + 1) * tile, ends), 4):
                own, lane = c // tile, c % tile
                a = load(gram, c * across + t, tile)
                b = load(gram, (c + 1) * across + t, tile)
                d = load(gram, (c + 2) * across + t, tile)
                e = load(gram, (c + 3) * across + t, tile)
                for n in range(first, first + count):
                    at = n * across
                    there = load(rows, at + t, tile)
                    a = add_scaled(a, scalar(rows, at + own, lane), there)
                    b = add_scaled(b, scalar(rows, at + own, lane + 1), there)
                    d = add_scaled(d, scalar(rows, at + own, lane + 2), there)
                    e = add_scaled(e, scalar(rows, at + own, lane + 3), there)
                store(gram, c * across + t, a)
                store(gram, (c + 1) * across + t, b)
                store(gram, (c + 2) * across + t, d)
                store(gram, (c + 3) * across + t, e)

    return add_block


@functools.cache
def factorize(tile):
    """Cholesky's upper triangle in place, the inverses of its diagonal aside.

    A pivot below `floor` times what stood there is not used: it is put to `shift` where
    that is above zero, and elsewhere nothing is answered but that it failed.
    """
    update = add_block(tile, -1)

    @numba.njit(**_COMPILED)
    def factorize(gram, tiles, rank, across, ends, floor, shift, inverse):
        for c in range(rank):
            inverse[c] = floor * gram[c, c]
        for panel in range(0, rank, PANEL):
            last = min(panel + PANEL, rank)
            for c in range(panel, last):
                pivot = gram[c, c]
                if shift > 0:
                    pivot = max(pivot, shift)
                elif not pivot > inverse[c]:
                    return False
                one = 1 / math.sqrt(pivot)
                inverse[c] = one
                for d in range(c, rank):
                    gram[c, d] *= one
                for b in range(c + 1, last):
                    scale = gram[c, b]
                    for d in range(b, rank):
                        gram[b, d] -= scale * gram[c, d]
            if last < rank:
                update(tiles, panel, PANEL, across, last, ends, tiles)
        return True

    return factorize


@functools.cache
def move_rows(tile):
    """Each row of `point` moved to its least squares solution, `fixed` held.

    With f_k = scale_k fixed_{j_k} over the entries k of a row (scale 1 where the array
    is empty), the change solves
    (G + ridge_i + damping tr G / rank) change = sum_k (values_k - <f_k, point_i>) f_k -
    ridge_i point_i, G = sum_k f_k f_k'.

    Args of the kernel beside these: `rank` columns count, those after them are zero and
    fill whole tiles of `tile` numbers. `floor`: a pivot that falls below this part of
    its diagonal is no pivot, without damping: the row is `flagged` and stays.
    """
    gather_in, triangle = add_block(tile, 1), factorize(tile)

    @numba.njit(**_COMPILED)
    def move_rows(
        start,
        index,
        values,
        scale,
        fixed,
        rank,
        ridge,
        damping,
        floor,
        point,
        flagged,
        low,
        high,
    ):
        dtype = fixed.dtype
        width = fixed.shape[1]
        across = width // tile
        ends = -(-rank // 4) * 4
        room = max(_BLOCK // width, 8)
        weighted = scale.size > 0
        last = index.size - 1
        one = dtype.type(1)
        fixed_tiles = fixed.reshape(fixed.shape[0] * across, tile)
        point_tiles = point.reshape(point.shape[0] * across, tile)
        block_tiles = np.empty((room * across, tile), dtype)
        gram = np.empty((width, width), dtype)
        gram_tiles = gram.reshape(width * across, tile)
        misfit = np.empty(room, dtype)
        step = np.empty((across, tile), dtype)
        flat = step.reshape(width)
        inverse = np.empty(width, dtype)
        for i in range(low, high):
            begin, end = start[i], start[i + 1]
            own = ridge[i]
            if own == 0 and damping == 0 and end - begin < rank:
                flagged[i] = end > begin
                continue
            if begin == end and own == 0:
                continue
            gram[:ends, :] = 0
            for c in range(width):
                flat[c] = -own * point[i, c]
            for first in range(begin, end, room):
                count = min(room, end - first)
                for n in range(count):
                    k = first + n
                    j = index[k]
                    ahead = index[min(k + _AHEAD, last)] * across
                    for t in range(across):
                        prefetch(fixed_tiles, ahead + t, tile)
                    total = dtype.type(0)
                    factor = scale[k] if weighted else one
                    for t in range(across):
                        row = load(fixed_tiles, j * across + t, tile)
                        if weighted:
                            row = add_scaled(zeros_like(row), factor, row)
                        store(block_tiles, n * across + t, row)
                        total += dot(load(point_tiles, i * across + t, tile), row)
                    misfit[n] = values[k] - total
                for t in range(across):
                    total = load(step, t, tile)
                    for n in range(count):
                        there = load(block_tiles, n * across + t, tile)
                        total = add_scaled(total, misfit[n], there)
                    store(step, t, total)
                gather_in(block_tiles, 0, count, across, 0, ends, gram_tiles)
            trace = dtype.type(0)
            for c in range(rank):
                trace += gram[c, c]
            shift = own + damping * trace / dtype.type(rank)
            for c in range(rank):
                gram[c, c] += shift
            if damping == 0:
                shift = dtype.type(0)
            elif shift + trace == 0:
                continue
            if not triangle(
                gram, gram_tiles, rank, across, ends, floor, shift, inverse
            ):
                flagged[i] = True
                continue
            for c in range(rank):
                flat[c] *= inverse[c]
                solved = flat[c]
                for b in range(c + 1, rank):
                    flat[b] -= solved * gram[c, b]
            for c in range(rank - 1, -1, -1):
                solved = flat[c]
                for b in range(c + 1, rank):
                    solved -= gram[c, b] * flat[b]
                flat[c] = solved * inverse[c]
            for c in range(rank):
                point[i, c] += flat[c]

    return move_rows
