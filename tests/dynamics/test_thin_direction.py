"""The direction that grows fastest, against decompositions of dense matrices."""

import numpy as np
import pytest

from lowrankflow.dynamics.thin_direction import next_direction
from lowrankflow.dynamics.thin_lanczos import LARGEST, top_pairs
from lowrankflow.problems import SampledProducts

# one decomposed whole, two by iteration
SHAPES = [(50, 30), (120, 90), (90, 120)]


def sampled(shape, dtype=np.float64, share=0.3):
    rng = np.random.default_rng(0)
    rows, cols = np.nonzero(rng.random(shape) < share)
    products = SampledProducts.of(rows, cols, shape)
    values = rng.standard_normal(rows.size).astype(dtype)
    residual = products.sort(values)
    dense = np.zeros(shape)
    dense[rows, cols] = values
    return products, residual, dense


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_top_singular_pair_of_noise_is_found(shape, dtype):
    products, residual, dense = sampled(shape, dtype)
    tolerance = 1e-9 if dtype == np.float64 else 1e-4
    found = next_direction(
        products,
        residual,
        residual[products.to_col],
        symmetric=False,
        tolerance=tolerance,
    )
    left, values, right = np.linalg.svd(-dense)
    assert found.rate == pytest.approx(values[0], rel=tolerance)
    assert found.rate <= values[0] * (1 + 1e-6)
    assert values[0] <= (found.rate + found.slack) * (1 + 1e-6)
    # of one singular vector: the error over the gap to the next
    assert abs(found.left @ left[:, 0]) == pytest.approx(1, abs=1e-3)
    assert found.left @ -dense @ found.right == pytest.approx(found.rate, rel=1e-4)
    assert abs(found.right @ right[0]) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("size", [40, 100])
def test_the_largest_eigenvalue_is_no_absolute_one(size):
    """A negative eigenvalue of larger size is no direction of descent in U U'."""
    products, residual, dense = sampled((size, size))
    residual += 3  # -grad then has a large negative eigenvalue
    dense[dense != 0] += 3
    pull = -(dense + dense.T) / 2
    values = np.linalg.eigvalsh(pull)
    assert abs(values[0]) > 2 * values[-1] > 0
    found = next_direction(
        products,
        residual,
        residual[products.to_col],
        symmetric=True,
        tolerance=1e-8,
    )
    assert found.rate == pytest.approx(values[-1], rel=1e-7)
    assert np.array_equal(found.left, found.right)


def test_a_loose_answer_is_within_its_slack_and_a_near_start_saves_products():
    products, residual, dense = sampled((300, 200))
    by_col = residual[products.to_col]
    top = np.linalg.norm(dense, 2)
    loose = next_direction(products, residual, by_col, symmetric=False, tolerance=0.05)
    assert loose.rate <= top * (1 + 1e-12) <= loose.rate + loose.slack
    assert 0 < loose.slack <= 0.05 * loose.rate
    settled = next_direction(
        products, residual, by_col, symmetric=False, tolerance=1e-8, near=loose.near
    )
    assert settled.rate == pytest.approx(top, rel=1e-8)


def test_no_residual_has_no_direction():
    products, residual, _ = sampled((90, 120))
    nothing = np.zeros_like(residual)
    found = next_direction(products, nothing, nothing, symmetric=False, tolerance=1e-8)
    assert found.rate == 0
    assert found.left @ found.left == found.right @ found.right == 1


def test_clustered_eigenvalues_are_no_obstacle():
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((LARGEST + 60, LARGEST + 60)))[0]
    values = np.concatenate([[1.0, 1 - 1e-9, 1 - 1e-8], np.linspace(0.5, -2, 97)])
    matrix = (basis * values) @ basis.T
    found = top_pairs(
        lambda block: matrix @ block,
        rng.standard_normal((100, 8)),
        met=lambda value, error: error <= 1e-10,
    )
    assert found.value == pytest.approx(1.0, abs=1e-12)
    assert found.products < 40
    gram = found.vectors.T @ found.vectors
    assert np.allclose(gram, np.eye(8), rtol=0, atol=1e-12)
