"""Thin decompositions inside the alternating direction method."""

import numpy as np
import pytest
import scipy.sparse

from lowrankflow.problems import (
    EntrySampling,
    SensingProblem,
    SymmetricEntrySampling,
    planted_completion,
)
from lowrankflow.reference import low_rank_splitting as thin, nuclear_norm
from lowrankflow.reference.measurement_map import measurement_map
from lowrankflow.reference.nuclear_norm import min_nuclear_norm
from lowrankflow.result import Result

SHAPES = [(30, 50), (50, 30)]


def noisy_completion(shape, seed=0):
    """Ratings-like data: no matrix of low rank fits them."""
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((shape[0], 2)) @ rng.standard_normal((2, shape[1]))
    chosen = rng.choice(truth.size, truth.size // 3, replace=False)
    rows, cols = np.divmod(chosen, shape[1])
    values = truth[rows, cols] + 0.3 * rng.standard_normal(chosen.size)
    return SensingProblem(EntrySampling(rows, cols, shape), values)


@pytest.mark.parametrize("shape", SHAPES)
def test_thresholding_is_exact_from_a_full_block(shape):
    rng = np.random.default_rng(1)
    left = np.linalg.qr(rng.standard_normal((shape[0], 3)))[0]
    right = np.linalg.qr(rng.standard_normal((shape[1], 3)))[0]
    values = np.array([5.0, 2.0, 1.0])
    block = np.linalg.qr(rng.standard_normal((shape[1], min(shape))))[0]
    previous = thin.ThinMatrix(left=left, values=values, right=right, block=block)
    dense = rng.standard_normal(shape) * (rng.random(shape) < 0.2)
    found = thin.thresholded(previous, scipy.sparse.csr_array(dense), 1.5)
    # The block is the whole space of the rows, or a random one and one pass from it.
    rtol = 1e-10 if shape[0] > shape[1] else 0.2
    u, s, vt = np.linalg.svd(previous.dense() + dense, full_matrices=False)
    expected = (u * np.maximum(s - 1.5, 0)) @ vt
    error = np.linalg.norm(found.dense() - expected) / np.linalg.norm(expected)
    assert error < rtol
    for frame in (found.left, found.right, found.block):
        np.testing.assert_allclose(frame.T @ frame, np.eye(frame.shape[1]), atol=1e-12)


def test_repeating_it_finds_the_leading_directions_from_any_block():
    rng = np.random.default_rng(2)
    dense = rng.standard_normal((30, 50)) * (rng.random((30, 50)) < 0.3)
    sparse = scipy.sparse.csr_array(dense)
    u, s, vt = np.linalg.svd(dense, full_matrices=False)
    level = 0.5 * (s[5] + s[6])
    expected = (u[:, :6] * (s[:6] - level)) @ vt[:6]
    block = np.linalg.qr(rng.standard_normal((50, 4)))[0]
    for _ in range(200):
        zero = thin.ThinMatrix(
            left=np.zeros((30, 0)),
            values=np.zeros(0),
            right=np.zeros((50, 0)),
            block=block,
        )
        found = thin.thresholded(zero, sparse, level)
        block = found.block
    assert found.values.size == 6
    np.testing.assert_allclose(found.dense(), expected, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_large_tables_end_at_the_same_certified_minimum(shape, monkeypatch):
    problem = noisy_completion(shape)
    usual = min_nuclear_norm(problem, gap_tolerance=1e-8)
    monkeypatch.setattr(thin, "_LARGE", 20)
    large = min_nuclear_norm(problem, gap_tolerance=1e-8)
    assert large.result is Result.converged
    assert large.certificate.holds
    value = usual.certificate.upper_value
    assert large.certificate.upper_value == pytest.approx(value, rel=3e-8)
    np.testing.assert_allclose(large.matrix, usual.matrix, atol=1e-3)


def test_newton_goes_on_where_the_thin_steps_ran_out(monkeypatch):
    problem = noisy_completion((30, 50), seed=3)
    monkeypatch.setattr(thin, "_LARGE", 20)
    monkeypatch.setattr(nuclear_norm, "_THIN_STEPS", 15)
    reference = min_nuclear_norm(problem, gap_tolerance=1e-8)
    assert reference.certificate.holds
    assert reference.iterations > 15


def test_a_loose_gap_costs_fewer_steps(monkeypatch):
    problem = noisy_completion((30, 50), seed=4)
    monkeypatch.setattr(thin, "_LARGE", 20)
    loose = min_nuclear_norm(problem, gap_tolerance=1e-2)
    tight = min_nuclear_norm(problem, gap_tolerance=1e-9)
    assert loose.certificate.holds
    assert tight.certificate.holds
    assert loose.iterations < tight.iterations


def test_only_large_tables_of_plain_entries_are_decomposed_thinly(monkeypatch):
    completion = planted_completion((30, 50), rank=2, num_observed=600, seed=0)
    y = np.asarray(completion.measurements)
    measure = measurement_map(completion.operator, y, symmetric=False, orthonormal=True)
    assert thin.large_table(measure) is None
    monkeypatch.setattr(thin, "_LARGE", 30)
    assert thin.large_table(measure) is measure
    mirrored = measurement_map(
        SymmetricEntrySampling(np.array([0]), np.array([1]), 40),
        np.ones(1),
        symmetric=True,
        orthonormal=True,
    )
    assert thin.large_table(mirrored) is None
