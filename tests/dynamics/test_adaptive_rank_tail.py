"""What an adaptive-rank flow carries of the growth outside, made as thin as it is."""

import numpy as np
import pytest

from lowrankflow.dynamics.adaptive_rank_tail import carried_here


def frames(rng, rows, rank):
    return np.linalg.qr(rng.standard_normal((rows, rank)))[0]


@pytest.mark.parametrize(("rows", "cols"), [(9, 13), (13, 9)])
@pytest.mark.parametrize("gives_up", [False, True])
def test_it_is_the_same_growth_outside_and_thin(monkeypatch, rows, cols, gives_up):
    """Also where divide and conquer finds no decomposition of the core."""
    rng = np.random.default_rng(rows)
    left, right = frames(rng, rows, 3), frames(rng, cols, 3)
    # Five columns, but the growth that they make has rank two.
    a = rng.standard_normal((rows, 2)) @ rng.standard_normal((2, 5))
    b = rng.standard_normal((cols, 5))
    outside = (
        (np.eye(rows) - left @ left.T) @ a @ b.T @ (np.eye(cols) - right @ right.T)
    )
    if gives_up:

        def refuse(*_, **__):
            raise np.linalg.LinAlgError("SVD did not converge")

        monkeypatch.setattr(np.linalg, "svd", refuse)
    found = carried_here((a, b), left, right, 1.0)
    assert found[0].shape == (rows, 2)
    assert found[1].shape == (cols, 2)
    # Rounding of sums of some ten numbers of size ten.
    assert np.abs(found[0] @ found[1].T - outside).max() < 1e-12
