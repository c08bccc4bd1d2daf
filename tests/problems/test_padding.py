"""Factors padded to whole vectors."""

import numpy as np
import pytest

from lowrankflow.problems.padding import WIDEST, aligned, padded, padded_rank


def test_padded_ranks_are_whole_vectors_and_few():
    widths = [padded_rank(rank) for rank in range(1, WIDEST + 1)]
    assert all(w >= rank for rank, w in enumerate(widths, 1))
    assert all(w % 8 == 0 for w in widths)  # 32 bytes of float32
    assert len(set(widths)) == 6
    assert padded_rank(WIDEST + 3) == WIDEST + 3


@pytest.mark.parametrize("shape", [(5, 7), (7, 5)])
def test_a_padded_block_is_the_block_and_zeros(shape):
    block = np.arange(35.0).reshape(shape)
    wide = padded(block, 8)
    assert np.array_equal(wide[:, : shape[1]], block)
    assert not wide[:, shape[1] :].any()
    assert wide.ctypes.data % 64 == 0
    assert padded(block, shape[1]) is block
    turned = padded(block.T, shape[0])
    assert turned.flags.c_contiguous
    assert np.array_equal(turned, block.T)
    assert aligned((3, 4), np.dtype(np.float32)).ctypes.data % 64 == 0
