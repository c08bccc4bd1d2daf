"""Compiled: entries sorted by rows and by columns, by counting.

Three passes, each of which writes every entry once: into rows in any order, from there
into columns, where rows then ascend, and from there into rows, where columns do.
"""

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def starts(keys, size):
    """Where each key's entries begin once they are sorted, and the end."""
    start = np.zeros(size + 1, np.int64)
    for key in keys:
        start[key + 1] += 1
    for i in range(size):
        start[i + 1] += start[i]
    return start


@numba.njit(cache=True, nogil=True)
def sort_both(rows, cols, row_start, col_start):
    """(columns by rows, rows by columns, order, to_col), as `SampledProducts` has them.

    The pairs are distinct, and given in any order.
    """
    m = rows.size
    order, index = np.empty(m, np.int32), np.empty(m, np.int32)
    place = row_start[:-1].copy()
    for k in range(m):
        p = place[rows[k]]
        place[rows[k]] = p + 1
        order[p] = k
        index[p] = cols[k]
    # Where in rows, and where in the order given, each entry by columns came from.
    by_col, given = np.empty(m, np.int32), np.empty(m, np.int32)
    place = col_start[:-1].copy()
    for i in range(row_start.size - 1):
        for p in range(row_start[i], row_start[i + 1]):
            j = index[p]
            q = place[j]
            place[j] = q + 1
            by_col[q] = i
            given[q] = order[p]
    to_col = np.empty(m, np.int32)
    place = row_start[:-1].copy()
    for j in range(col_start.size - 1):
        for q in range(col_start[j], col_start[j + 1]):
            i = by_col[q]
            p = place[i]
            place[i] = p + 1
            index[p] = j
            order[p] = given[q]
            to_col[q] = p
    return index, by_col, order, to_col
