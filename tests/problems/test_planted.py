import numpy as np
import pytest

from lowrankflow import problems
from lowrankflow.errors import DataError

SHAPES = [(5, 7), (7, 5)]


def observed(operator):
    return set(
        zip(operator.row_index.tolist(), operator.col_index.tolist(), strict=True)
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_planted_completion(shape):
    problem = problems.planted_completion(
        shape, rank=2, num_observed=20, seed=0, num_held_out=15, normalization="mean"
    )
    assert problem.shape == shape
    assert problem.num_measurements == 20
    assert problem.normalization == "mean"
    assert np.linalg.matrix_rank(problem.target) == 2
    assert problem.value(problem.target) == 0
    held_out = problem.held_out
    assert not observed(held_out.operator) & observed(problem.operator)
    np.testing.assert_array_equal(
        held_out.measurements, held_out.operator.apply(problem.target)
    )


def test_planted_psd_completion_observes_ordered_entries():
    problem = problems.planted_psd_completion(
        20, rank=3, num_observed=120, seed=0, num_held_out=9
    )
    pairs = observed(problem.operator)
    mirrored = {(j, i) for i, j in pairs if i != j}
    assert len(pairs) == 120
    assert pairs & mirrored  # some pairs in both orders
    assert mirrored - pairs  # and some in one
    assert problem.held_out.operator.num_measurements == 9
    assert problem.value(problem.target) == 0


@pytest.mark.parametrize("shape", SHAPES)
def test_planted_sensing(shape):
    problem = problems.planted_sensing(
        shape, rank=2, num_measurements=300, seed=0, num_held_out=40
    )
    assert problem.value(problem.target) == 0
    # Unit variance: 300 squares have deviation 0.08; five of them.
    assert np.mean(problem.measurements**2) == pytest.approx(1.0, abs=0.4)
    assert problem.held_out.operator.num_measurements == 40


def test_held_out_measurements_have_the_scale_of_the_others():
    problem = problems.planted_sensing(
        (5, 7),
        rank=2,
        num_measurements=400,
        seed=0,
        scale="near_isometry",
        num_held_out=100,
    )
    # 3500 numbers: the spread is known to 1.2 %; five times that.
    assert problem.held_out.operator.stack.std() == pytest.approx(400**-0.5, rel=0.06)


def test_planted_psd_sensing_nearly_keeps_the_norm():
    problem = problems.planted_psd_sensing(
        10, rank=2, num_measurements=400, seed=0, scale="near_isometry", norm=1.0
    )
    assert problem.value(problem.target) == 0
    # ||y||^2 is 1/400 of a chi-square with 400 degrees: deviation 0.07; five of them.
    assert np.sum(problem.measurements**2) == pytest.approx(1.0, abs=0.35)


def test_measure_puts_target_and_operators_together():
    target = np.arange(6.0).reshape(2, 3)
    operator = problems.EntrySampling([1], [2], (2, 3))
    aside = problems.EntrySampling([0], [1], (2, 3))
    problem = problems.measure(
        target, operator, held_out=aside, loss=problems.Huber(1.0)
    )
    np.testing.assert_array_equal(problem.measurements, [5.0])
    np.testing.assert_array_equal(problem.held_out.measurements, [1.0])
    assert problem.loss == problems.Huber(1.0)


def test_measure_refuses_other_shapes():
    operator = problems.EntrySampling([0], [0], (2, 3))
    other = problems.EntrySampling([0], [0], (3, 2))
    rule = r"`: it belongs to matrices of shape \(2, 3\). Got shape \(3, 2\). Transpose"
    with pytest.raises(DataError, match=r"measure\(target\)" + rule):
        problems.measure(np.ones((3, 2)), operator)
    with pytest.raises(DataError, match=r"measure\(held_out\)" + rule):
        problems.measure(np.ones((2, 3)), operator, held_out=other)
