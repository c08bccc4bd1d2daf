"""Soft-impute against its optimality conditions and the minimum it tends to."""

import sys

import numpy as np
import pytest

from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems import DenseSensing, SensingProblem, planted_completion
from lowrankflow.reference import debiased, min_nuclear_norm, soft_impute
from lowrankflow.result import Result


def problem_of(shape, *, seed=0, rank=2, share=0.5):
    count = int(share * shape[0] * shape[1])
    return planted_completion(shape=shape, rank=rank, num_observed=count, seed=seed)


SHAPES = [(12, 20), (20, 12)]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_residual_is_a_subgradient(shape):
    problem = problem_of(shape)
    found = soft_impute(
        problem, penalty=1.0, gap_tolerance=1e-12, max_iterations=20_000
    )
    assert found.result is Result.converged
    residual = problem.measurements - problem.operator.apply(found.matrix)
    pull = np.asarray(problem.operator.adjoint(residual).to_dense())
    # sigma_1 <= penalty, and U' pull V = penalty I.
    assert np.linalg.norm(pull, 2) <= 1.0 + 1e-5
    core = found.left.T @ pull @ found.right
    np.testing.assert_allclose(core, np.eye(found.rank), atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_small_penalty_ends_at_the_minimum_nuclear_norm(shape):
    problem = problem_of(shape)
    least = min_nuclear_norm(problem).matrix
    found, start = None, None
    for penalty in (1.0, 0.1, 0.01, 1e-3):
        start = found = soft_impute(
            problem,
            penalty=penalty,
            gap_tolerance=1e-6,
            max_iterations=50_000,
            start=start,
        )
    distance = np.linalg.norm(found.matrix.to_dense() - least)
    assert distance < 5e-3 * np.linalg.norm(least)


def test_from_the_largest_singular_value_on_the_answer_is_zero():
    problem = problem_of((10, 14))
    top = np.linalg.norm(
        np.asarray(problem.operator.adjoint(problem.measurements).to_dense()), 2
    )
    assert soft_impute(problem, penalty=1.001 * top).rank == 0
    assert soft_impute(problem, penalty=0.9 * top).rank >= 1


def test_the_gap_bounds_how_far_the_objective_is_from_its_minimum():
    problem = problem_of((15, 15))
    rough = soft_impute(problem, penalty=0.5, max_iterations=15, gap_tolerance=1e-9)
    exact = soft_impute(
        problem, penalty=0.5, max_iterations=20_000, gap_tolerance=1e-11
    )
    assert rough.result is Result.iterations_reached
    assert rough.lower_value <= exact.objective <= rough.objective


def test_large_tables_are_not_formed_and_agree_with_full_decompositions():
    problem = problem_of((130, 150), rank=3, share=0.3)
    found = soft_impute(problem, penalty=5.0, gap_tolerance=1e-8, max_iterations=5000)
    assert found.result is Result.converged
    residual = problem.measurements - problem.operator.apply(found.matrix)
    pull = np.asarray(problem.operator.adjoint(residual).to_dense())
    assert np.linalg.norm(pull, 2) <= 5.0 * (1 + 1e-3)


def test_debiasing_undoes_the_shrinkage_and_never_fits_worse():
    problem = problem_of((20, 25), rank=2, share=0.7)
    found = soft_impute(problem, penalty=2.0, gap_tolerance=1e-8, max_iterations=20_000)
    refit = debiased(problem, found)

    def misfit(matrix):
        return np.linalg.norm(problem.measurements - problem.operator.apply(matrix))

    assert misfit(refit) < misfit(found.matrix)
    weights = np.diag(refit.core)
    assert (weights >= 0).all()
    assert weights.sum() > found.values.sum()


def test_debiasing_is_the_least_squares_problem_in_pieces_too(monkeypatch):
    problem = problem_of((9, 14), rank=2, share=0.8)
    found = soft_impute(problem, penalty=0.5, gap_tolerance=1e-8)
    whole = debiased(problem, found)
    monkeypatch.setattr(sys.modules[soft_impute.__module__], "_PIECE", 7)
    pieces = debiased(problem, found.matrix)
    np.testing.assert_allclose(pieces.to_dense(), whole.to_dense(), rtol=1e-9)
    # Where all weights are free, the misfit is orthogonal to each direction.
    weights = np.diag(whole.core)
    misfit = problem.measurements - problem.operator.apply(whole)
    pull = np.asarray(problem.operator.adjoint(misfit).to_dense())
    slopes = np.einsum("ir,ij,jr->r", found.left, pull, found.right)
    np.testing.assert_allclose(slopes[weights > 0], 0, atol=1e-9)
    assert (slopes[weights == 0] <= 1e-9).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_start_from_another_penalty_ends_where_one_from_zero_does(shape):
    problem = problem_of(shape)
    tight = {"gap_tolerance": 1e-11, "max_iterations": 20_000}
    direct = soft_impute(problem, penalty=0.5, **tight)
    first = soft_impute(problem, penalty=2.0, **tight)
    warm = soft_impute(problem, penalty=0.5, start=first, **tight)
    np.testing.assert_allclose(
        warm.matrix.to_dense(), direct.matrix.to_dense(), atol=1e-4
    )


@pytest.mark.parametrize("penalty", [0.0, -1.0, float("nan"), float("inf")])
def test_a_penalty_that_is_none_is_refused(penalty):
    with pytest.raises(SpecError, match="soft_impute\\(penalty\\)"):
        soft_impute(problem_of((6, 7)), penalty=penalty)


def test_other_settings_are_refused():
    problem = problem_of((6, 7))
    with pytest.raises(SpecError, match="max_iterations"):
        soft_impute(problem, penalty=1.0, max_iterations=0)
    dense = SensingProblem(DenseSensing(np.ones((1, 6, 7))), np.ones(1))
    with pytest.raises(SpecError, match="entries of the matrix"):
        soft_impute(dense, penalty=1.0)
    start = soft_impute(problem_of((7, 6)), penalty=1.0)
    with pytest.raises(DataError, match="soft_impute\\(start\\)"):
        soft_impute(problem, penalty=1.0, start=start)
