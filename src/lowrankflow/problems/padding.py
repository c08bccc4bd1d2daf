"""Factors padded with columns of zeros, so that rows are whole vectors of the machine.

Code is compiled for each padded rank, so that there are few of them; from the widest on
rows are long enough for loops over any rank.
"""

from typing import TypeAlias

import numpy as np
from jaxtyping import Float

Block: TypeAlias = Float[np.ndarray, "n rank"]
WIDEST = 64
LINE_BYTES = 64


def padded_rank(rank: int) -> int:
    """The number of columns that a factor is padded to; `rank` itself above `WIDEST`.

    Multiples of a line of float64, of two above 32 columns: few widths to compile.
    """
    if rank > WIDEST:
        return rank
    step = 8 if rank <= 32 else 16
    return -(-rank // step) * step


def aligned(shape: tuple[int, int], dtype: np.dtype) -> Block:
    """An empty block that begins where a line of the cache does."""
    size = shape[0] * shape[1]
    room = np.empty(size + LINE_BYTES // dtype.itemsize, dtype)
    skip = -room.ctypes.data % LINE_BYTES // dtype.itemsize
    return room[skip : skip + size].reshape(shape)


def padded(block: Block, width: int) -> Block:
    """The block with `width` columns, those that were not there zero."""
    rank = block.shape[1]
    if rank == width and block.flags.c_contiguous:
        return block
    out = aligned((block.shape[0], width), block.dtype)
    out[:, :rank] = block
    out[:, rank:] = 0
    return out
