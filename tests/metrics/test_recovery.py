import math

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from lowrankflow.errors import DataError, SpecError
from lowrankflow.metrics import (
    held_out_rmse,
    mean_squared_error,
    relative_error,
    rms_error,
    unobserved_error,
)
from lowrankflow.problems import (
    DenseSensing,
    EntrySampling,
    Factored,
    HeldOut,
    SensingProblem,
)

SHAPES = [(5, 7), (7, 5), (1, 4)]
ON_TARGETS = [relative_error, mean_squared_error, rms_error]
ROUNDING = 1e-13  # norms of a few dozen numbers


def problem_of(target, held_out=None):
    operator = EntrySampling(np.array([0]), np.array([0]), np.shape(target))
    return SensingProblem(
        operator, np.zeros(1), target=np.asarray(target), held_out=held_out
    )


def without_target(shape=(2, 3)):
    return SensingProblem(
        EntrySampling(np.array([0]), np.array([0]), shape), np.zeros(1)
    )


def test_hand_computed_errors():
    problem = problem_of([[3.0, 0.0, 0.0], [0.0, 4.0, 0.0]])
    matrix = np.array([[3.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert relative_error(problem, matrix) == pytest.approx(3 / 5, rel=ROUNDING)
    assert mean_squared_error(problem, matrix) == pytest.approx(9 / 6, rel=ROUNDING)
    assert rms_error(problem, matrix) == pytest.approx(math.sqrt(1.5), rel=ROUNDING)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_target_itself_has_no_error_and_zero_has_all(shape):
    target = np.random.default_rng(0).standard_normal(shape)
    problem = problem_of(target)
    for error in ON_TARGETS:
        assert error(problem, target) == 0
    assert relative_error(problem, np.zeros(shape)) == pytest.approx(1, rel=ROUNDING)


def test_relative_error_of_a_zero_target():
    problem = problem_of(np.zeros((2, 3)))
    assert relative_error(problem, np.zeros((2, 3))) == 0
    assert relative_error(problem, np.full((2, 3), 1e-300)) == math.inf


def test_a_matrix_may_be_held_in_any_way():
    rng = np.random.default_rng(1)
    thin = Factored(rng.standard_normal((5, 2)), np.eye(2), rng.standard_normal((7, 2)))
    held_out = HeldOut(EntrySampling([1, 4], [6, 0], (5, 7)), np.zeros(2))
    problem = problem_of(rng.standard_normal((5, 7)), held_out)
    for error in [*ON_TARGETS, held_out_rmse]:
        expected = error(problem, thin.to_dense())
        assert error(problem, thin) == pytest.approx(expected, rel=ROUNDING)
        # float32 outside of the library's own precision: 1e-6
        inexact = error(problem, jnp.asarray(thin.to_dense()))
        assert inexact == pytest.approx(expected, rel=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(SHAPES), st.integers(0, 1000), st.floats(0.01, 100))
def test_errors_agree_with_one_another_and_with_the_unit(shape, seed, scale):
    rng = np.random.default_rng(seed)
    target, matrix = rng.standard_normal((2, *shape))
    problem, scaled = problem_of(target), problem_of(scale * target)
    mean = mean_squared_error(problem, matrix)
    assert rms_error(problem, matrix) ** 2 == pytest.approx(mean, rel=ROUNDING)
    size = np.linalg.norm(target) ** 2 / target.size
    relative = relative_error(problem, matrix)
    assert relative**2 * size == pytest.approx(mean, rel=ROUNDING)
    assert relative_error(scaled, scale * matrix) == pytest.approx(relative)
    transposed = relative_error(problem_of(target.T), matrix.T)
    assert transposed == pytest.approx(relative, rel=ROUNDING)


def test_held_out_rmse_looks_at_what_was_kept_aside_only():
    held_out = HeldOut(EntrySampling([0, 1], [1, 2], (2, 3)), np.array([1.0, 2.0]))
    problem = problem_of(np.zeros((2, 3)), held_out)
    matrix = np.array([[100.0, 4.0, 100.0], [100.0, 100.0, 6.0]])
    # residuals 3 and 4
    assert held_out_rmse(problem, matrix) == pytest.approx(12.5**0.5, rel=ROUNDING)


@pytest.mark.parametrize("error", ON_TARGETS)
def test_a_problem_without_a_target_is_refused(error):
    message = (
        rf"`{error.__name__}\(problem\)`: it needs problem.target, .* Got a problem "
        "without a target. Use held_out_rmse"
    )
    with pytest.raises(SpecError, match=message):
        error(without_target(), np.zeros((2, 3)))


def test_a_problem_without_held_out_measurements_is_refused():
    message = (
        r"`held_out_rmse\(problem\)`: it needs problem.held_out, .* Got a problem "
        r"without any. Give SensingProblem\(..., held_out="
    )
    with pytest.raises(SpecError, match=message):
        held_out_rmse(without_target(), np.zeros((2, 3)))


@pytest.mark.parametrize("error", ON_TARGETS)
def test_a_matrix_of_another_shape_is_refused(error):
    message = r"the target is a matrix of shape \(2, 3\). Got shape \(3, 2\). Transpose"
    with pytest.raises(DataError, match=message):
        error(problem_of(np.ones((2, 3))), np.ones((3, 2)))


@pytest.mark.parametrize("error", [*ON_TARGETS, held_out_rmse])
def test_a_matrix_that_is_not_finite_is_refused(error):
    held_out = HeldOut(EntrySampling([0], [1], (2, 3)), np.zeros(1))
    problem = problem_of(np.ones((2, 3)), held_out)
    with pytest.raises(DataError, match=r"\(matrix\)`: every number must be finite"):
        error(problem, np.full((2, 3), np.nan))


@pytest.mark.parametrize("error", [*ON_TARGETS, held_out_rmse])
@pytest.mark.parametrize("problem", [None, "problem", [1.0], np.ones((2, 3))])
def test_what_is_no_problem_is_refused(error, problem):
    message = (
        rf"`{error.__name__}\(problem\)`: this is a SensingProblem\. Got .*\. "
        r"Give for example SensingProblem\.from_matrix"
    )
    with pytest.raises(SpecError, match=message):
        error(problem, np.ones((2, 3)))


def test_hand_computed_errors_on_what_was_not_seen():
    aside = HeldOut(EntrySampling(np.array([1]), np.array([2]), (2, 3)), np.zeros(1))
    problem = problem_of([[9.0, 3.0, 1.0], [4.0, 0.0, 9.0]], held_out=aside)
    # Entries (0, 0) and (1, 2) are seen; the others are 3, 1, 4, 0 with mean 2.
    guess = np.array([[0.0, 3.0, 1.0], [1.0, 0.0, 7.0]])
    relative = unobserved_error(problem, guess)
    assert relative == pytest.approx(3 / math.sqrt(26), rel=ROUNDING)
    deviation = unobserved_error(problem, guess, relative_to="deviation")
    assert deviation == pytest.approx(3 / math.sqrt(10), rel=ROUNDING)
    mean = np.full((2, 3), 2.0)
    assert unobserved_error(problem, mean, relative_to="deviation") == pytest.approx(1)
    assert unobserved_error(problem, np.zeros((2, 3))) == pytest.approx(1)


def test_entries_not_seen_that_are_all_alike():
    problem = problem_of(np.zeros((2, 3)))
    assert unobserved_error(problem, np.zeros((2, 3))) == 0
    assert unobserved_error(problem, np.ones((2, 3))) == math.inf


def test_when_there_is_no_error_on_what_was_not_seen():
    with pytest.raises(SpecError, match="needs problem.target"):
        unobserved_error(without_target(), np.zeros((2, 3)))
    problem = problem_of(np.ones((1, 1)))
    with pytest.raises(SpecError, match=r"neither observed nor held out\. Got none"):
        unobserved_error(problem, np.ones((1, 1)))
    with pytest.raises(SpecError, match=r'"norm" or to the "deviation"'):
        unobserved_error(problem_of(np.ones((2, 3))), np.ones((2, 3)), relative_to="x")
    dense = SensingProblem(
        DenseSensing(np.ones((1, 2, 3))), np.ones(1), target=np.ones((2, 3))
    )
    with pytest.raises(SpecError, match="entries are observed, one by one"):
        unobserved_error(dense, np.ones((2, 3)))
