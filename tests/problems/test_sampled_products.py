"""Passes over observed entries, against dense arithmetic."""

import numpy as np
import pytest

from lowrankflow.problems import SampledProducts

SHAPES = [(9, 6), (6, 9), (300, 200)]
RANK = 3


def sampled(shape, dtype=np.float64, threads=2):
    rng = np.random.default_rng(0)
    count = shape[0] * shape[1] * 2 // 5
    flat = rng.choice(shape[0] * shape[1], count, replace=False)
    rows, cols = np.divmod(flat, shape[1])
    rows[rows == 1] = 0 if shape[0] < 10 else 1  # a row without entries
    rows, cols = np.unique(np.stack([rows, cols], axis=1), axis=0).T
    order = rng.permutation(rows.size)
    rows, cols = rows[order], cols[order]
    products = SampledProducts.of(rows, cols, shape, threads=threads)
    factors = [rng.standard_normal((n, RANK)).astype(dtype) for n in (*shape, *shape)]
    values = rng.standard_normal(rows.size).astype(dtype)
    return products, rows, cols, values, factors


@pytest.fixture(params=["any rank", "a given width"], autouse=True)
def passes(request, monkeypatch):
    """Both kinds of compiled passes, whatever the number of entries."""
    least = 10**9 if request.param == "any rank" else 0
    module = "lowrankflow.problems.sampled_products"
    monkeypatch.setattr(f"{module}._WORTH_COMPILING", least)


def room(dtype):
    """Rounding of sums of a few hundred numbers of size 1."""
    return 1e-12 if dtype == np.float64 else 1e-4


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_products_agree_with_dense_ones(shape, dtype):
    products, rows, cols, values, (left, right, _, _) = sampled(shape, dtype)
    dense = np.zeros(shape, dtype)
    dense[rows, cols] = values
    y = products.sort(values)
    entries = products.sort((left @ right.T)[rows, cols])
    for found, wanted in (
        (products.entries(left, right), entries),
        (products.mm(y, right), dense @ right),
        (products.rmm(y, left), dense.T @ left),
    ):
        assert found.dtype == dtype
        assert np.allclose(found, wanted, rtol=0, atol=room(dtype) * 10)


# below a vector, a few vectors, and more columns than passes are compiled for
RANKS = [0, 1, 3, 10, 33, 70]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("rank", RANKS)
def test_residual_and_its_products_come_in_one_pass(shape, dtype, rank):
    products, rows, cols, values, _ = sampled(shape, dtype)
    rng = np.random.default_rng(1)
    left, right = (rng.standard_normal((n, rank)).astype(dtype) for n in shape)
    y = products.sort(values)
    dense = np.zeros(shape)
    wanted = (left.astype(float) @ right.T)[rows, cols] - values
    dense[rows, cols] = wanted
    in_rows = products.sort(wanted)
    sides = {
        "row": (y, left, right, dense @ right, in_rows),
        "col": (y[products.to_col], right, left, dense.T @ left, None),
    }
    sides["col"] = (*sides["col"][:4], in_rows[products.to_col])
    scale = room(dtype) * 10 * (1 + rank)
    for by, (observed, own, other, block, residual) in sides.items():
        written = np.empty_like(observed)
        found, square = products.residual_mm(
            observed, own, other, by=by, residual=written
        )
        assert found.dtype == dtype
        assert found.shape == own.shape
        assert np.allclose(found, block, rtol=0, atol=scale * (1 + rank))
        assert np.allclose(written, residual, rtol=0, atol=scale)
        assert square == pytest.approx(float(wanted @ wanted), rel=room(dtype))
        again, same = products.residual_mm(observed, own, other, by=by)
        assert np.array_equal(again, found)
        assert same == square


@pytest.mark.parametrize("rank", RANKS)
def test_passes_of_every_rank_agree_with_dense_ones(rank):
    products, rows, cols, values, _ = sampled((300, 200))
    rng = np.random.default_rng(1)
    # columns of a wider array, as a factor's first columns are
    left = rng.standard_normal((300, rank + 2))[:, :rank]
    right = rng.standard_normal((200, rank + 2))[:, :rank]
    dense = np.zeros((300, 200))
    dense[rows, cols] = values
    y = products.sort(values)
    entries = products.sort((left @ right.T)[rows, cols])
    assert np.allclose(products.entries(left, right), entries, rtol=0, atol=1e-12)
    assert np.allclose(products.mm(y, right), dense @ right, rtol=0, atol=1e-12)
    assert np.allclose(products.rmm(y, left), dense.T @ left, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_curvature_is_the_derivative_of_the_gradient(shape):
    products, _, _, values, (left, right, a, b) = sampled(shape)
    y = products.sort(values)

    def gradient(t):
        point = left + t * a, right + t * b
        residual = products.entries(*point) - y
        return products.mm(residual, point[1]), products.rmm(residual, point[0])

    step = 1e-5
    residual = products.entries(left, right) - y
    found = products.curvature(
        residual, residual[products.to_col], (left, right), (a, b)
    )
    for k in range(2):
        slope = (gradient(step)[k] - gradient(-step)[k]) / (2 * step)
        # the gradient is a cubic: the error is the square of the step
        assert np.allclose(found[k], slope, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ridge", [0.0, 0.7])
def test_rows_and_columns_are_solved_by_least_squares(shape, ridge):
    products, rows, cols, values, (left, right, _, _) = sampled(shape)
    y = products.sort(values)
    settings = {"ridge": ridge, "damping": 1e-12}
    solved = left.copy()
    products.least_squares_rows(y, solved, right, **settings)
    across = right.copy()
    products.least_squares_cols(y[products.to_col], left, across, **settings)
    for point, fixed, here, there in (
        (solved, right, rows, cols),
        (across, left, cols, rows),
    ):
        for i in range(len(point)):
            seen = here == i
            if seen.sum() < RANK and ridge == 0:
                continue
            a = fixed[there[seen]]
            gram = a.T @ a + ridge * np.eye(RANK)
            wanted = np.linalg.solve(gram, a.T @ values[seen])
            # the conditioning of a few rows of three numbers
            assert np.allclose(point[i], wanted, rtol=1e-6, atol=1e-7)


def test_a_row_without_entries_stays_what_it_was():
    products, rows, _, values, (left, right, _, _) = sampled((9, 6))
    assert 1 not in rows
    solved = left.copy()
    y = products.sort(values)
    products.least_squares_rows(y, solved, right, ridge=0.0, damping=1e-10)
    assert np.array_equal(solved[1], left[1])
    assert np.array_equal(products.mm(y, right)[1], np.zeros(RANK))


def test_the_bits_do_not_depend_on_the_threads(monkeypatch):
    monkeypatch.setattr("lowrankflow.problems.sampled_products._WORTH_SHARING", 1)
    answers = []
    for threads in (1, 2, 5):
        products, _, _, values, (left, right, _, _) = sampled(
            (300, 200), threads=threads
        )
        y = products.sort(values)
        solved = left.copy()
        products.least_squares_rows(y, solved, right, ridge=0.1, damping=1e-10)
        fused, square = products.residual_mm(y, left, right, by="row")
        assert products.threads == threads
        answers.append(
            (
                products.entries(left, right),
                products.mm(y, right),
                solved,
                fused,
                np.array(square),
            )
        )
    for other in answers[1:]:
        for a, b in zip(answers[0], other, strict=True):
            assert np.array_equal(a, b)


@pytest.mark.parametrize("shape", SHAPES)
def test_entries_are_sorted_both_ways(shape):
    products, rows, cols, values, _ = sampled(shape)
    assert np.array_equal(products.order, np.lexsort((cols, rows)))
    there = products.order[products.to_col]
    assert np.array_equal(there, np.lexsort((rows, cols)))
    assert np.array_equal(products.by_row.index, cols[products.order])
    assert np.array_equal(products.by_col.index, rows[there])
    for half, size in zip((products.by_row, products.by_col), shape, strict=True):
        assert half.start.size == size + 1
        assert half.shares[0] == 0
        assert half.shares[-1] == size
    assert np.array_equal(np.diff(products.by_row.start), np.bincount(rows))
    assert np.array_equal(products.sort(values), values[products.order])
