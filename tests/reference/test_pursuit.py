"""Rank-one matrix pursuit and GECO against the relations their papers prove."""

import numpy as np
import pytest

from lowrankflow.errors import SpecError
from lowrankflow.problems import (
    SensingProblem,
    SymmetricEntrySampling,
    planted_completion,
)
from lowrankflow.reference import geco, rank_one_pursuit


def problem_of(shape, share=0.5, rank=2):
    count = int(share * shape[0] * shape[1])
    return planted_completion(shape=shape, rank=rank, num_observed=count, seed=0)


def pull(problem, matrix):
    residual = problem.measurements - problem.operator.apply(matrix)
    return np.asarray(problem.operator.adjoint(residual).to_dense())


SHAPES = [(12, 20), (20, 12)]


@pytest.mark.parametrize("shape", SHAPES)
def test_pursuit_leaves_a_residual_orthogonal_to_its_pairs(shape):
    problem = problem_of(shape)
    path = rank_one_pursuit(problem, max_rank=6)
    for matrix in path.matrices:
        inner = np.einsum(
            "ir,ij,jr->r", matrix.left, pull(problem, matrix), matrix.right
        )
        assert np.abs(inner).max() < 1e-10


@pytest.mark.parametrize("economic", [False, True])
def test_pursuit_falls_at_the_linear_rate_it_is_proved_to(economic):
    problem = problem_of((12, 20))
    path = rank_one_pursuit(problem, max_rank=12, economic=economic)
    norms = path.residual_norms
    # wang2015, theorem 3.1: ||R_k|| <= sqrt(1 - 1 / min(rows, cols)) ||R_{k-1}||.
    assert (norms[1:] <= np.sqrt(1 - 1 / 12) * norms[:-1] * (1 + 1e-12)).all()
    assert len(path.matrices) == 12


@pytest.mark.parametrize("shape", SHAPES)
def test_geco_leaves_a_residual_orthogonal_to_what_it_spans(shape):
    problem = problem_of(shape)
    path = geco(problem, max_rank=5)
    for rank, matrix in enumerate(path.matrices, 1):
        assert matrix.core.shape == (rank, rank)
        inner = matrix.left.T @ pull(problem, matrix) @ matrix.right
        assert np.abs(inner).max() < 1e-10


def test_geco_fits_no_worse_than_pursuit_while_their_pairs_are_the_same():
    problem = problem_of((12, 20))
    ours = geco(problem, max_rank=2).residual_norms
    theirs = rank_one_pursuit(problem, max_rank=2).residual_norms
    assert ours[1] == pytest.approx(theirs[1], rel=1e-12)
    assert ours[2] <= theirs[2] * (1 + 1e-12)


@pytest.mark.parametrize("method", [geco, rank_one_pursuit])
def test_a_matrix_observed_whole_is_found_at_its_rank(method):
    problem = problem_of((8, 9), share=1.0)
    path = method(problem, max_rank=5)
    assert len(path.matrices) == 2
    assert path.residual_norms[-1] < 1e-12 * path.residual_norms[0]


def test_symmetric_entries_count_on_both_sides():
    rng = np.random.default_rng(0)
    vector = rng.standard_normal(6)
    rows, cols = np.triu_indices(6)
    values = np.outer(vector, vector)[rows, cols]
    problem = SensingProblem(SymmetricEntrySampling(rows, cols, 6), values)
    path = geco(problem, max_rank=3)
    assert len(path.matrices) == 1
    np.testing.assert_allclose(
        path.matrices[0].to_dense(), np.outer(vector, vector), atol=1e-12
    )


@pytest.mark.parametrize("method", [geco, rank_one_pursuit])
@pytest.mark.parametrize("max_rank", [0, -1, 1.5])
def test_a_rank_that_is_none_is_refused(method, max_rank):
    with pytest.raises(SpecError, match="max_rank"):
        method(problem_of((6, 7)), max_rank=max_rank)
