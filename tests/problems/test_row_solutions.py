"""Least squares for each row, against dense arithmetic."""

import numpy as np
import pytest

from lowrankflow.problems import SampledProducts, move_rows

SHAPE = (60, 50)


def sampled(rank, dtype, threads=2):
    rng = np.random.default_rng(0)
    seen = rng.random(SHAPE) < 0.6 * rng.random(SHAPE[0])[:, None]
    seen[1], seen[:, 2] = False, False
    rows, cols = np.nonzero(seen)
    order = rng.permutation(rows.size)
    rows, cols = rows[order], cols[order]
    products = SampledProducts.of(rows, cols, SHAPE, threads=threads)
    left, right = (rng.standard_normal((n, rank)).astype(dtype) for n in SHAPE)
    values = rng.standard_normal(rows.size).astype(dtype)
    scale = rng.uniform(0.5, 2, rows.size).astype(dtype)
    return products, rows, cols, values, scale, left, right


# less than a tile, a tile, one more, panels that end within a tile, many tiles
@pytest.mark.parametrize("rank", [1, 3, 8, 9, 16, 21, 40, 130])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("ridge", [0.0, 0.7])
@pytest.mark.parametrize("by", ["row", "col"])
def test_rows_are_solved_for(rank, dtype, ridge, by):
    products, rows, cols, values, scale, left, right = sampled(rank, dtype)
    size = SHAPE[0] if by == "row" else SHAPE[1]
    ridges = ridge * (1 + np.arange(size))
    point, fixed = (left, right) if by == "row" else (right, left)
    here, there = (rows, cols) if by == "row" else (cols, rows)
    begun, y, s = point.copy(), products.sort(values), products.sort(scale)
    if by == "col":
        y, s = y[products.to_col], s[products.to_col]
    move_rows(products, y, point, fixed, by=by, ridge=ridges, scale=s)
    for i in range(size):
        own = here == i
        system = (scale[own, None] * fixed[there[own]]).astype(float)
        if not own.any():
            kept = begun[i] if ridges[i] == 0 else np.zeros(rank)
            assert np.allclose(point[i], kept, rtol=0, atol=1e-6)
            continue
        whole = np.vstack([system, np.sqrt(ridges[i]) * np.eye(rank)])
        side = np.concatenate([values[own], np.zeros(rank)])
        wanted = np.linalg.pinv(whole) @ side
        # the conditioning of square systems, squared in the normal equations
        room = 1e-8 if dtype == np.float64 else 1e-2
        assert np.allclose(point[i], wanted, rtol=room, atol=room)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_damped_row_stays_where_nothing_moves_it(dtype):
    products, rows, cols, values, _, left, right = sampled(5, dtype)
    y, begun = products.sort(values), left.copy()
    damping = 1e-10 if dtype == np.float64 else 1e-3
    move_rows(products, y, left, right, ridge=0.0, damping=damping)
    # rounding over the damping
    room = 1e-5 if dtype == np.float64 else 2e-3
    for i in range(SHAPE[0]):
        own = rows == i
        system = right[cols[own]].astype(float)
        left_free = np.eye(5) - np.linalg.pinv(system) @ system
        change = (left[i] - begun[i]).astype(float)
        assert np.allclose(left_free @ change, 0, rtol=0, atol=room)
        gram, misfit = system.T @ system, values[own] - system @ begun[i]
        gram += np.eye(5) * (damping * np.trace(gram) / 5 or 1.0)
        wanted = np.linalg.solve(gram, system.T @ misfit)
        assert np.allclose(change, wanted, rtol=0, atol=room * 10)


def test_a_problem_larger_than_a_block_is_solved_alike():
    """More entries a row than go into the normal equations at once."""
    rng = np.random.default_rng(0)
    rows, cols = np.divmod(np.arange(3 * 2000), 2000)
    products = SampledProducts.of(rows, cols, (3, 2000))
    right = rng.standard_normal((2000, 24))
    values = rng.standard_normal(rows.size)
    left = np.zeros((3, 24))
    move_rows(products, values, left, right, ridge=0.5)
    gram = right.T @ right + 0.5 * np.eye(24)
    wanted = np.linalg.solve(gram, right.T @ values.reshape(3, 2000).T).T
    assert np.allclose(left, wanted, rtol=0, atol=1e-12)


def test_the_bits_do_not_depend_on_the_threads(monkeypatch):
    monkeypatch.setattr("lowrankflow.problems.sampled_products._WORTH_SHARING", 1)
    answers = []
    for threads in (1, 2, 5):
        products, _, _, values, scale, left, right = sampled(9, np.float64, threads)
        y, s = products.sort(values), products.sort(scale)
        move_rows(products, y, left, right, ridge=0.1, scale=s)
        answers.append(left)
    assert all(np.array_equal(answers[0], other) for other in answers[1:])
