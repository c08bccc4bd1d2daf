"""Row and column effects, and entries kept aside."""

import numpy as np
import pytest

import lowrankflow as lrf


def table(shape, seed=0):
    rng = np.random.default_rng(seed)
    rows, cols = rng.standard_normal(shape[0]), rng.standard_normal(shape[1])
    full = 3.5 + rows[:, None] + cols
    return full, np.where(rng.random(shape) < 0.5, full, np.nan)


@pytest.mark.parametrize("shape", [(12, 8), (8, 12)])
def test_effects_solve_the_penalized_least_squares(shape):
    _, seen = table(shape)
    problem = lrf.SensingProblem.from_matrix(seen)
    left, effects = lrf.remove_effects(problem, penalty=2.0)
    i, j = np.nonzero(~np.isnan(seen))
    y = seen[i, j]
    design = np.zeros((y.size, sum(shape)))
    design[np.arange(y.size), i] = 1
    design[np.arange(y.size), shape[0] + j] = 1
    gram = design.T @ design + 2.0 * np.eye(sum(shape))
    wanted = np.linalg.solve(gram, design.T @ (y - y.mean()))
    found = np.concatenate([effects.rows, effects.cols])
    assert np.allclose(found, wanted, rtol=0, atol=1e-10)
    assert np.allclose(left.measurements, y - effects.at(i, j), rtol=0, atol=1e-12)


def test_held_out_entries_lose_the_same_effects():
    full, seen = table((30, 20))
    problem = lrf.hold_out(lrf.SensingProblem.from_matrix(seen), fraction=0.2, seed=0)
    left, effects = lrf.remove_effects(problem, penalty=1e-6)
    aside = left.held_out.operator
    assert np.allclose(left.held_out.measurements, 0, atol=1e-4)
    truth = full[aside.row_index, aside.col_index]
    assert np.allclose(effects.at(aside.row_index, aside.col_index), truth, atol=1e-4)


def test_entries_are_on_one_side_or_the_other():
    problem = lrf.SensingProblem.from_matrix(table((12, 8))[1])
    m = problem.num_measurements
    split = lrf.hold_out(problem, fraction=0.25, seed=1)
    kept = set(zip(split.operator.row_index, split.operator.col_index, strict=True))
    aside = split.held_out.operator
    other = set(zip(aside.row_index, aside.col_index, strict=True))
    assert len(other) == round(0.25 * m)
    assert len(kept | other) == m
    again = lrf.hold_out(problem, fraction=0.25, seed=1)
    assert np.array_equal(again.measurements, split.measurements)


def test_what_cannot_be_split_or_fitted_is_refused():
    problem = lrf.SensingProblem.from_matrix(table((12, 8))[1])
    gaussian = lrf.planted_sensing(shape=(4, 3), rank=1, num_measurements=9, seed=0)
    with pytest.raises(lrf.SpecError, match="a part of the .* entries is kept aside"):
        lrf.hold_out(problem, fraction=1.5, seed=0)
    with pytest.raises(lrf.SpecError, match="entries are observed, one by one"):
        lrf.hold_out(gaussian, fraction=0.5, seed=0)
    with pytest.raises(lrf.SpecError, match="a positive number of observations"):
        lrf.remove_effects(problem, penalty=0.0)
    with pytest.raises(lrf.SpecError, match="this is a SensingProblem"):
        lrf.remove_effects("ratings", penalty=1.0)
