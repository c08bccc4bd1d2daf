import numpy as np
import pytest

from lowrankflow import problems
from lowrankflow.errors import SpecError
from lowrankflow.problems import planted_completion_with_replacement, to_dense
from lowrankflow.problems.sampling import repeated_draws

SHAPES = [(5, 7), (7, 5)]


def drawn(shape, num_draws, seed):
    """(row, column) of every draw, repeats among them."""
    rows, cols, counts = repeated_draws("test", shape, num_draws=num_draws, seed=seed)
    return np.repeat(rows, counts), np.repeat(cols, counts)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("normalization", ["sum", "mean"])
def test_an_entry_counts_as_often_as_it_is_drawn(shape, normalization):
    problem = planted_completion_with_replacement(
        shape, rank=2, num_draws=60, seed=1, normalization=normalization
    )
    rows, cols = drawn(shape, 60, 1)
    assert problem.num_measurements < 35 < rows.size == 60
    other = np.random.default_rng(0).standard_normal(shape)
    residual = other[rows, cols] - problem.target[rows, cols]
    gradient = np.zeros(shape)
    np.add.at(gradient, (rows, cols), residual)
    divisor = 60 if normalization == "mean" else 1
    assert float(problem.value(other)) == pytest.approx(
        0.5 * (residual**2).sum() / divisor, rel=1e-12
    )
    np.testing.assert_allclose(
        to_dense(problem.gradient(other)), gradient / divisor, rtol=1e-12, atol=1e-14
    )
    assert float(problem.value(problem.target)) == pytest.approx(0, abs=1e-28)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_truth_is_that_of_completion_without_replacement(shape):
    one = planted_completion_with_replacement(shape, rank=2, num_draws=9, seed=4)
    other = problems.planted_completion(shape, rank=2, num_observed=9, seed=4)
    np.testing.assert_array_equal(one.target, other.target)


def test_draws_are_those_of_the_sampling_and_nest():
    distinct = problems.uniform_entries_with_replacement((9, 6), num_draws=40, seed=2)
    rows, cols = drawn((9, 6), 40, 2)
    assert set(zip(rows, cols, strict=True)) == set(
        zip(
            distinct.row_index.tolist(),
            distinct.col_index.tolist(),
            strict=True,
        )
    )
    counts = np.zeros((9, 6), int)
    np.add.at(counts, (rows, cols), 1)
    more = np.zeros((9, 6), int)
    np.add.at(more, drawn((9, 6), 70, 2), 1)
    assert np.all(counts <= more)
    assert counts.max() > 1


@pytest.mark.parametrize("shape", SHAPES)
def test_an_entry_may_count_once_however_often_it_is_drawn(shape):
    problem = planted_completion_with_replacement(
        shape, rank=2, num_draws=60, seed=1, repeats="once", normalization="mean"
    )
    operator = problems.uniform_entries_with_replacement(shape, num_draws=60, seed=1)
    other = np.random.default_rng(0).standard_normal(shape)
    rows, cols = np.asarray(operator.row_index), np.asarray(operator.col_index)
    residual = other[rows, cols] - problem.target[rows, cols]
    assert float(problem.value(other)) == pytest.approx(0.5 * np.mean(residual**2))


def test_what_it_refuses():
    with pytest.raises(SpecError, match=r"with_replacement\(num_draws\)"):
        planted_completion_with_replacement((5, 7), rank=2, num_draws=0, seed=0)
    with pytest.raises(SpecError, match=r"\(repeats\)"):
        planted_completion_with_replacement(
            (5, 7), rank=2, num_draws=9, seed=0, repeats="twice"
        )
    with pytest.raises(SpecError, match="rank"):
        planted_completion_with_replacement((5, 7), rank=6, num_draws=9, seed=0)
