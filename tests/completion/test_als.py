"""Alternating least squares, against dense arithmetic and published relations."""

import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.completion import alternating_least_squares

SHAPES = [(12, 9), (9, 12)]


def table(shape, seed=0, rank=2):
    """Rank two and noise; the second row and the last column are not observed."""
    rng = np.random.default_rng(seed)
    full = rng.standard_normal((shape[0], rank)) @ rng.standard_normal((rank, shape[1]))
    full += 0.3 * rng.standard_normal(shape)
    full[rng.random(shape) < 0.3] = np.nan
    full[1], full[:, -1] = np.nan, np.nan
    return full


def weighted(shape):
    full = table(shape)
    rows, cols = np.nonzero(~np.isnan(full))
    weights = np.random.default_rng(1).integers(1, 4, rows.size)
    values = full[rows, cols]
    problem = lrf.SensingProblem.from_entries(
        rows, cols, values, shape, weights=weights
    )
    grid = np.zeros(shape)
    grid[rows, cols] = weights
    return problem, np.nan_to_num(full), grid


def objective(full, grid, solution, penalty, by_count):
    left, right = solution.left.astype(float), solution.right.astype(float)
    rows = grid.sum(axis=1) if by_count else np.ones(len(left))
    cols = grid.sum(axis=0) if by_count else np.ones(len(right))
    fit = (grid * (left @ right.T - full) ** 2).sum()
    size = rows @ (left**2).sum(axis=1) + cols @ (right**2).sum(axis=1)
    return 0.5 * (fit + penalty * size)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("by_count", [True, False])
@pytest.mark.parametrize("with_weights", [True, False])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_end_is_a_fixed_point_of_the_normal_equations(
    shape, by_count, with_weights, dtype
):
    problem, full, grid = weighted(shape)
    if not with_weights:
        grid = (grid > 0).astype(float)
        problem = lrf.SensingProblem.from_matrix(table(shape))
    penalty = 0.1 if by_count else 0.8
    found = alternating_least_squares(
        problem, rank=3, penalty=penalty, by_count=by_count, rtol=1e-14, dtype=dtype
    )
    assert found.left.dtype == found.right.dtype == dtype
    left, right = found.left.astype(float), found.right.astype(float)
    room = 1e-6 if dtype == "float64" else 1e-3
    # zhou2008's solution for a user: (M M' + penalty n E)^-1 M r; likewise for a film
    for own, other, values, weights in (
        (left, right, full, grid),
        (right, left, full.T, grid.T),
    ):
        for i in range(len(own)):
            count = weights[i].sum() if by_count else 1.0
            gram = (other.T * weights[i]) @ other + penalty * count * np.eye(3)
            if count == 0:
                assert np.array_equal(own[i], np.zeros(3))
                continue
            wanted = np.linalg.solve(gram, other.T @ (weights[i] * values[i]))
            assert np.allclose(own[i], wanted, rtol=0, atol=room)
    assert found.objective == pytest.approx(
        objective(full, grid, found, penalty, by_count), rel=1e-12 + room**2
    )
    error = np.sqrt((grid * (left @ right.T - full) ** 2).sum() / grid.sum())
    assert found.training_error == pytest.approx(error, rel=room)
    assert np.allclose(found.matrix.to_dense(), left @ right.T, rtol=0, atol=1e-5)


@pytest.mark.parametrize("start", ["random", "spectral"])
def test_at_full_rank_a_ridge_is_the_nuclear_norm(start):
    """hastie2015, theorem 1: min of the ridge is min of the nuclear norm."""
    from lowrankflow.reference import soft_impute

    problem = lrf.SensingProblem.from_matrix(table((12, 9)))
    convex = soft_impute(problem, penalty=0.8, gap_tolerance=1e-11)
    assert convex.rank < 9
    found = alternating_least_squares(
        problem, rank=9, penalty=0.8, by_count=False, rtol=1e-14, start=start
    )
    assert found.objective == pytest.approx(convex.objective, rel=1e-8)
    dense = np.asarray(convex.matrix.to_dense())
    assert np.allclose(found.matrix.to_dense(), dense, rtol=0, atol=1e-3)
    # the factors are balanced at the best point: L'L = R'R
    balance = found.left.T @ found.left - found.right.T @ found.right
    assert np.abs(balance).max() <= 1e-4 * np.abs(found.left).max() ** 2


def test_the_objective_never_rises_and_is_what_the_callback_sees():
    problem, full, grid = weighted((12, 9))
    seen = []
    found = alternating_least_squares(
        problem,
        rank=2,
        penalty=0.1,
        rtol=1e-10,
        callback=lambda sweep, value: seen.append((sweep, value)),
    )
    values = [value for _, value in seen]
    assert [sweep for sweep, _ in seen] == list(range(1, found.sweeps + 1))
    assert all(b <= a * (1 + 1e-13) for a, b in zip(values, values[1:], strict=False))
    assert values[-1] == found.objective
    assert found.result is lrf.Result.converged


def test_it_stops_where_it_is_told_to():
    problem = lrf.SensingProblem.from_matrix(table((12, 9)))
    settings = {"rank": 2, "penalty": 0.1}
    stopped = alternating_least_squares(
        problem, rtol=1e-12, callback=lambda sweep, _: sweep == 3, **settings
    )
    three = alternating_least_squares(problem, rtol=0, max_sweeps=3, **settings)
    assert stopped.sweeps == three.sweeps == 3
    assert three.result is lrf.Result.iterations_reached
    assert np.array_equal(stopped.left, three.left)
    assert stopped.objective == three.objective
    again = alternating_least_squares(
        problem, rtol=0, max_sweeps=2, start=(three.left, three.right), **settings
    )
    five = alternating_least_squares(problem, rtol=0, max_sweeps=5, **settings)
    assert np.allclose(again.left, five.left, rtol=0, atol=1e-10)
    other = alternating_least_squares(problem, rtol=0, max_sweeps=3, seed=1, **settings)
    assert not np.allclose(other.left, three.left)


def test_a_start_is_not_written_on():
    problem = lrf.SensingProblem.from_matrix(table((12, 9)))
    rng = np.random.default_rng(0)
    start = rng.standard_normal((12, 2)), rng.standard_normal((9, 2))
    kept = [factor.copy() for factor in start]
    settings = {"rank": 2, "penalty": 0.1, "rtol": 0, "max_sweeps": 1}
    alternating_least_squares(problem, start=start, **settings)
    assert all(np.array_equal(a, b) for a, b in zip(start, kept, strict=True))


@pytest.mark.parametrize("penalty", [0.0, 1e-300])
def test_no_penalty_and_too_few_entries_leave_no_nan(penalty):
    values = np.full((6, 5), np.nan)
    values[[0, 1, 2, 3], [0, 1, 2, 2]] = [1.0, 2.0, 3.0, 4.0]
    problem = lrf.SensingProblem.from_matrix(values)
    found = alternating_least_squares(
        problem, rank=4, penalty=penalty, rtol=1e-10, max_sweeps=50
    )
    assert found.training_error <= 1e-6
    assert np.isfinite(found.left).all()
    zero = lrf.SensingProblem.from_matrix(np.zeros((3, 3)))
    for start in ("random", "spectral"):
        found = alternating_least_squares(
            zero, rank=2, penalty=0.1, rtol=1e-6, start=start
        )
        assert found.objective <= 1e-6


PROBLEM = lrf.SensingProblem.from_matrix(table((12, 9)))

SENSING = lrf.planted_sensing(shape=(4, 3), rank=1, num_measurements=9, seed=0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"rank": 0}, "an integer >= 1 and at most 9"),
        ({"rank": 10}, "at most 9. Got 10"),
        ({"rank": True}, "an integer >= 1"),
        ({"penalty": -1.0}, "number >= 0. Got -1.0"),
        ({"penalty": np.nan}, "number >= 0"),
        ({"rtol": "small"}, "number >= 0. Got 'small'"),
        ({"max_sweeps": 0}, "integer >= 1. Got 0"),
        ({"by_count": "yes"}, "True or False"),
        ({"dtype": "float16"}, '"float64" or "float32"'),
        ({"start": "zeros"}, '"random", "spectral" or'),
        ({"start": 3}, '"random", "spectral" or'),
        ({"problem": "ratings"}, "this is a SensingProblem"),
        (
            {"problem": SENSING},
            "entries are observed, one by one",
        ),
        (
            {
                "problem": lrf.SensingProblem(
                    PROBLEM.operator, PROBLEM.measurements, loss=lrf.Huber(1.0)
                )
            },
            "of the squared loss",
        ),
    ],
)
def test_what_is_no_setting_is_refused(changed, message):
    settings = {"problem": PROBLEM, "rank": 2, "penalty": 0.1, "rtol": 1e-3} | changed
    with pytest.raises(lrf.SpecError, match=message):
        alternating_least_squares(settings.pop("problem"), **settings)


def test_what_is_no_number_is_refused():
    settings = {"rank": 2, "penalty": 0.1, "rtol": 1e-3}
    with pytest.raises(lrf.DataError, match=r"R has the shape \(9, 2\)"):
        alternating_least_squares(
            PROBLEM, start=(np.ones((12, 2)), np.ones((9, 3))), **settings
        )
    with pytest.raises(lrf.DataError, match="finite"):
        alternating_least_squares(
            PROBLEM, start=(np.ones((12, 2)), np.full((9, 2), np.nan)), **settings
        )
    huge = lrf.SensingProblem.from_matrix(np.full((3, 3), 1e200))
    with pytest.raises(lrf.DataError, match="numbers in float32"):
        alternating_least_squares(huge, dtype="float32", **settings)
