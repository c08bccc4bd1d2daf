import numpy as np
import pytest

from lowrankflow import problems
from lowrankflow.errors import DataError

SHAPES = [(5, 7), (7, 5)]


def completion(shape):
    return problems.planted_completion(
        shape, rank=2, num_observed=20, seed=0, num_held_out=5, normalization="mean"
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_a_lifted_matrix_is_psd_with_twice_the_nuclear_norm(shape):
    matrix = np.random.default_rng(0).standard_normal(shape)
    lifted = problems.lift_matrix(matrix)
    rows = shape[0]
    # A decomposition of a matrix of size 12: a few units of rounding.
    np.testing.assert_allclose(lifted[:rows, rows:], matrix, atol=1e-13)
    np.testing.assert_allclose(lifted, lifted.T, atol=1e-13)
    assert np.linalg.eigvalsh(lifted)[0] > -1e-12
    nuclear = np.linalg.svd(matrix, compute_uv=False).sum()
    assert np.trace(lifted) == pytest.approx(2 * nuclear, rel=1e-13)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_lifted_problem_measures_the_block(shape):
    problem = completion(shape)
    lifted = problems.lift(problem)
    factor = np.random.default_rng(1).standard_normal((12, 3))
    large = factor @ factor.T
    block = large[: shape[0], shape[0] :]
    assert lifted.shape == (12, 12)
    assert lifted.normalization == problem.normalization
    assert lifted.value(large) == pytest.approx(problem.value(block), rel=1e-13)
    np.testing.assert_allclose(
        lifted.held_out.operator.apply(large),
        problem.held_out.operator.apply(block),
        atol=1e-13,
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_the_target_solves_the_lifted_problem(shape):
    lifted = problems.lift(completion(shape))
    # 1e-24: the square of a rounded residual.
    assert lifted.value(lifted.target) < 1e-24
    np.testing.assert_allclose(
        lifted.held_out.operator.apply(lifted.target),
        lifted.held_out.measurements,
        atol=1e-12,
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_the_flow_of_the_blocks_runs_at_half_the_speed(shape):
    problem = completion(shape)
    rows = shape[0]
    stacked = np.random.default_rng(2).standard_normal((12, 4))
    upper, lower = stacked[:rows], stacked[rows:]
    gradient = problem.gradient(upper @ lower.T).to_dense()
    lifted = problems.lift(problem).gradient(stacked @ stacked.T).to_dense()
    # U' = -grad f(U U') U for the lifted problem, against U_1' = -G U_2 and
    # U_2' = -G' U_1 for the two factors.
    expected = np.concatenate([gradient @ lower, gradient.T @ upper]) / 2
    np.testing.assert_allclose(lifted @ stacked, expected, atol=1e-12)


def test_a_problem_without_target_and_held_out_is_lifted_too():
    problem = problems.SensingProblem.from_entries(
        [0], [1], [2.0], (2, 3), loss=problems.Huber(0.5)
    )
    lifted = problems.lift(problem)
    assert lifted.target is None
    assert lifted.held_out is None
    assert lifted.loss == problem.loss


def test_lift_matrix_refuses_what_is_not_finite():
    with pytest.raises(DataError, match=r"lift_matrix.*finite.*nan at.*Remove it"):
        problems.lift_matrix(np.full((2, 2), np.nan))
