"""Thresholding through a Gram matrix against the singular values themselves."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from lowrankflow.problems import planted_completion
from lowrankflow.reference import soft_impute
from lowrankflow.reference.low_rank_splitting import first_block, thresholded
from lowrankflow.reference.narrow_threshold import is_narrow, narrow_thresholded
from lowrankflow.result import Result

SHAPES = [(150, 12), (12, 150)]


def case(shape):
    rng = np.random.default_rng(0)
    left, right = (np.linalg.qr(rng.standard_normal((n, 3)))[0] for n in shape)
    values = np.array([50.0, 20.0, -8.0])  # an extrapolated matrix may have such
    sparse = rng.standard_normal(shape) * (rng.random(shape) < 0.3)
    block = first_block(shape).block
    return type(first_block(shape))(
        left=left, values=values, right=right, block=block
    ), csr_array(sparse)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("level", [1.0, 7.0, 1e3])
def test_it_is_the_proximal_point(shape, level):
    thin, sparse = case(shape)
    found = narrow_thresholded(thin, sparse, level)
    dense = (thin.left * thin.values) @ thin.right.T + sparse.toarray()
    left, values, right = np.linalg.svd(dense, full_matrices=False)
    wanted = (left * np.maximum(values - level, 0)) @ right
    np.testing.assert_allclose(found.dense(), wanted, atol=1e-10)
    assert (found.values > 0).all()
    rank = found.values.size
    for frame in (found.left, found.right):
        np.testing.assert_allclose(frame.T @ frame, np.eye(rank), atol=1e-10)
    iterated = thresholded(thin, sparse, level)
    np.testing.assert_allclose(iterated.values, found.values, rtol=1e-2)


def test_what_squares_cannot_tell_is_left_to_others():
    thin, sparse = case((150, 12))
    assert narrow_thresholded(thin, sparse, 1e-9) is None


def test_which_tables_are_narrow():
    assert is_narrow((21_025, 200))
    assert is_narrow((200, 2000))
    assert not is_narrow((1682, 943))
    assert not is_narrow((100_000, 401))


@pytest.mark.parametrize("shape", SHAPES)
def test_soft_impute_of_a_narrow_table_is_optimal(shape):
    problem = planted_completion(shape=shape, rank=2, num_observed=900, seed=0)
    found = soft_impute(problem, penalty=0.05, gap_tolerance=1e-9, max_iterations=9000)
    assert found.result is Result.converged
    residual = problem.measurements - problem.operator.apply(found.matrix)
    pull = np.asarray(problem.operator.adjoint(residual).to_dense())
    assert np.linalg.norm(pull, 2) <= 0.05 * (1 + 1e-3)
    core = found.left.T @ pull @ found.right
    np.testing.assert_allclose(core, 0.05 * np.eye(found.rank), atol=1e-4)
