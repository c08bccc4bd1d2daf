"""Single entries of a thin product: by the compiled loop and without it."""

import numpy as np
import pytest

from lowrankflow.problems import Factored, pair_products


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("count", [0, 1, 3000, 60_000])  # compiled from 50,000 on
def test_entries_are_those_of_the_product(dtype, count):
    rng = np.random.default_rng(count)
    left, right = (rng.normal(size=(n, 40)).astype(dtype) for n in (70, 50))
    rows, cols = rng.integers(70, size=count), rng.integers(50, size=count)
    found = pair_products(left, right, rows, cols)
    assert found.dtype == dtype
    expected = (left.astype(float) @ right.T.astype(float))[rows, cols]
    assert np.allclose(found, expected, rtol=0, atol=50 * 40 * np.finfo(dtype).eps)


def test_rank_zero_is_zero():
    rows = np.zeros(3_000_000, int)
    found = pair_products(np.zeros((2, 0)), np.zeros((3, 0)), rows, rows)
    assert not found.any()


def test_a_factored_matrix_has_its_core():
    rng, count = np.random.default_rng(0), 60_000
    matrix = Factored(
        rng.normal(size=(70, 40)), rng.normal(size=(40, 45)), rng.normal(size=(50, 45))
    )
    rows, cols = rng.integers(70, size=count), rng.integers(50, size=count)
    expected = matrix.to_dense()[rows, cols]
    assert np.allclose(matrix.entries(rows, cols), expected, rtol=0, atol=1e-11)
    # Indices of other widths, and factors that are not contiguous.
    again = Factored(np.asfortranarray(matrix.left), matrix.core, matrix.right)
    found = again.entries(rows.astype(np.int32), cols.astype(np.int32))
    assert np.allclose(found, expected, rtol=0, atol=1e-11)
