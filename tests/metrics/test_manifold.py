"""The distance from the manifold that commuting flows stay on."""

import numpy as np
import pytest

from lowrankflow.errors import DataError, SpecError
from lowrankflow.metrics import manifold_distance
from lowrankflow.problems import CommutingSensing, DenseSensing
from lowrankflow.reference import commuting_solution

BASIS = np.linalg.qr(np.random.default_rng(0).standard_normal((4, 4)))[0]
DESIGN = np.array([[1.0, 1.0, 0.0, 0.5], [0.0, 1.0, 1.0, 0.2]])
OPERATOR = CommutingSensing(BASIS, DESIGN)
SCALE = 1e-3


def factor(logarithms):
    """U of U U' = scale x Q exp(logarithms) Q'."""
    return (BASIS * np.sqrt(SCALE * np.exp(logarithms))) @ BASIS.T


def test_points_of_the_manifold_have_distance_zero():
    for control in ([0.0, 0.0], [3.0, -2.0], [-1.0, 4.0]):
        matrix = commuting_solution(OPERATOR, control, start=SCALE * np.eye(4))
        values, vectors = np.linalg.eigh(matrix)
        found = manifold_distance(OPERATOR, vectors * np.sqrt(values), init_scale=SCALE)
        assert found < 1e-10  # rounding


def test_the_distance_is_that_of_logarithms():
    # A direction orthogonal to both rows of the design, so that its length remains.
    off = np.linalg.svd(DESIGN)[2][-1]
    on = DESIGN.T @ np.array([2.0, -1.0])
    found = manifold_distance(OPERATOR, factor(on + 0.3 * off), init_scale=SCALE)
    assert found == pytest.approx(0.3, rel=1e-10)


def test_another_scale_and_another_basis_are_seen():
    assert manifold_distance(OPERATOR, factor(np.zeros(4)), init_scale=1.0) > 0.1
    turned = np.diag([1.0, 2.0, 3.0, 4.0]) * np.sqrt(SCALE)
    assert manifold_distance(OPERATOR, turned, init_scale=SCALE) > 0.1


def test_a_factor_without_full_rank_is_infinitely_far():
    assert manifold_distance(OPERATOR, np.zeros((4, 4)), init_scale=SCALE) == np.inf
    assert manifold_distance(OPERATOR, np.ones((4, 2)), init_scale=SCALE) == np.inf


def test_refusals_teach():
    with pytest.raises(SpecError, match="measurements by CommutingSensing"):
        manifold_distance(DenseSensing(np.ones((1, 4, 4))), np.eye(4), init_scale=1.0)
    with pytest.raises(SpecError, match="positive multiple of the identity"):
        manifold_distance(OPERATOR, np.eye(4), init_scale=0.0)
    with pytest.raises(DataError, match="as many rows as the measured matrix, 4"):
        manifold_distance(OPERATOR, np.ones((3, 4)), init_scale=1.0)
