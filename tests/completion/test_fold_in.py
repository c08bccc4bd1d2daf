"""Rows that are new, against dense arithmetic."""

import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.completion import alternating_least_squares, fold_in

ROWS, COLS = 40, 25


def entries(seed=0):
    """Rows of none, of few and of many entries."""
    rng = np.random.default_rng(seed)
    seen = rng.random((ROWS, COLS)) < rng.random(ROWS)[:, None]
    seen[3], seen[4] = False, np.arange(COLS) == 7
    rows, cols = np.nonzero(seen)
    order = rng.permutation(rows.size)
    values = rng.standard_normal(rows.size)
    return rows[order], cols[order], values, rng.uniform(0.5, 3, rows.size)


@pytest.mark.parametrize("rank", [1, 5, 12])
@pytest.mark.parametrize("ridge", [0.0, 0.7])
@pytest.mark.parametrize("by_count", [True, False])
@pytest.mark.parametrize("with_weights", [True, False])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_each_row_is_its_own_least_squares(rank, ridge, by_count, with_weights, dtype):
    rows, cols, values, weights = entries()
    right = np.random.default_rng(1).standard_normal((COLS, rank)).astype(dtype)
    found = fold_in(
        right,
        rows,
        cols,
        values,
        num_rows=ROWS,
        ridge=ridge,
        by_count=by_count,
        weights=weights if with_weights else None,
    )
    assert found.dtype == dtype
    each = weights if with_weights else np.ones(rows.size)
    for i in range(ROWS):
        own = rows == i
        root = np.sqrt(each[own])
        system = root[:, None] * right[cols[own]].astype(float)
        side = root * values[own]
        if ridge:
            amount = ridge * each[own].sum() if by_count else ridge
            system = np.vstack([system, np.sqrt(amount) * np.eye(rank)])
            side = np.concatenate([side, np.zeros(rank)])
        wanted = np.linalg.pinv(system) @ side if own.any() else np.zeros(rank)
        # the conditioning of as many random equations as unknowns
        room = 1e-9 if dtype == "float64" else 2e-3
        assert np.allclose(found[i], wanted, rtol=room, atol=room)
    assert np.array_equal(found[3], np.zeros(rank))


def test_equal_columns_share_what_nothing_decides():
    """The pseudo-inverse where a factor has two equal columns, and one of zeros."""
    right = np.random.default_rng(0).standard_normal((COLS, 4))
    right[:, 1], right[:, 3] = right[:, 0], 0
    rows, cols, values, _ = entries()
    for dtype in (np.float64, np.float32):
        found = fold_in(
            right.astype(dtype), rows, cols, values, num_rows=ROWS, ridge=0.0
        )
        assert np.isfinite(found).all()
        room = 1e-9 if dtype == np.float64 else 1e-3
        assert np.allclose(found[:, 0], found[:, 1], rtol=0, atol=room)
        assert np.abs(found[:, 3]).max() <= room


def test_a_trained_row_is_folded_in_where_it_stands():
    rng = np.random.default_rng(0)
    full = rng.standard_normal((ROWS, 2)) @ rng.standard_normal((2, COLS))
    rows, cols, _, weights = entries()
    problem = lrf.SensingProblem.from_entries(
        rows, cols, full[rows, cols], (ROWS, COLS), weights=weights
    )
    trained = alternating_least_squares(problem, rank=2, penalty=0.05, rtol=1e-14)
    left = fold_in(
        trained.right,
        rows,
        cols,
        full[rows, cols],
        num_rows=ROWS,
        ridge=0.05,
        by_count=True,
        weights=weights,
    )
    assert np.allclose(left, trained.left, rtol=0, atol=1e-5)


def test_many_rows_are_as_few():
    """Passes that are shared among threads, and systems decomposed in pieces."""
    rng = np.random.default_rng(0)
    right = rng.standard_normal((300, 20))
    rows = np.repeat(np.arange(9000), rng.integers(0, 30, 9000))
    cols = rng.integers(0, 300, rows.size)
    values = rng.standard_normal(rows.size)
    whole = fold_in(right, rows, cols, values, num_rows=9000, ridge=0.0)
    some = rows < 50
    part = fold_in(right, rows[some], cols[some], values[some], num_rows=50, ridge=0.0)
    assert np.allclose(whole[:50], part, rtol=0, atol=1e-8)
    assert np.isfinite(whole).all()


def test_nothing_to_fold_in_is_zeros():
    right = np.ones((4, 2), np.float32)
    found = fold_in(right, [], [], [], num_rows=3, ridge=0.0)
    assert found.dtype == np.float32
    assert np.array_equal(found, np.zeros((3, 2)))
    assert fold_in(right[:, :0], [0], [0], [1.0], num_rows=1, ridge=0).shape == (1, 0)
    assert fold_in(right, [], [], [], num_rows=0, ridge=0.0).shape == (0, 2)


@pytest.mark.parametrize(
    ("changed", "kind", "message"),
    [
        ({"rows": [5]}, lrf.DataError, r"must lie in 0\.\.\.1"),
        ({"cols": [4]}, lrf.DataError, r"must lie in 0\.\.\.3"),
        ({"values": [np.nan]}, lrf.DataError, "finite"),
        ({"values": [1.0, 2.0]}, lrf.DataError, "one row, column and value per entry"),
        ({"weights": [0.0]}, lrf.DataError, "above 0"),
        ({"right": np.full((4, 2), np.inf)}, lrf.DataError, "finite"),
        ({"right": np.ones(4)}, lrf.DataError, "dimension"),
        ({"ridge": -1.0}, lrf.SpecError, "number >= 0"),
        ({"num_rows": 2.5}, lrf.SpecError, "integer >= 0"),
        (
            {"values": [1e200], "right": np.ones((4, 2), np.float32)},
            lrf.DataError,
            "numbers in float32",
        ),
    ],
)
def test_what_cannot_be_folded_in_is_refused(changed, kind, message):
    given = {
        "right": np.ones((4, 2)),
        "rows": [0],
        "cols": [1],
        "values": [1.0],
        "num_rows": 2,
        "ridge": 0.1,
        "weights": None,
    } | changed
    with pytest.raises(kind, match=message):
        fold_in(**given)
