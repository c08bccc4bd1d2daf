"""The least sum of x >= 0, its dual and the exponent that follows."""

import numpy as np
import pytest

from lowrankflow.errors import DataError, SpecError
from lowrankflow.reference import diagonal_limit, min_l1_norm


@pytest.mark.parametrize("seed", range(5))
def test_the_dual_proves_the_minimum(seed):
    rng = np.random.default_rng(seed)
    design = rng.standard_normal((3, 7))
    wanted = design @ rng.uniform(0.5, 1.5, 7)
    found = min_l1_norm(design, wanted)
    np.testing.assert_allclose(design @ found.values, wanted, atol=1e-9)
    assert found.values.min() >= 0
    assert (1 - design.T @ found.dual).min() > -1e-9
    assert wanted @ found.dual == pytest.approx(found.total, rel=1e-9)
    assert np.abs(found.slack * found.values).max() < 1e-9
    assert found.exponent == found.slack[found.values == 0].min()


def test_the_exponent_is_the_rate_of_the_flows_limit():
    rng = np.random.default_rng(0)
    design = rng.standard_normal((2, 4))
    wanted = design @ rng.uniform(0.5, 1.5, 4)
    least = min_l1_norm(design, wanted)
    excess = [
        least.slack
        @ diagonal_limit(design, wanted, start=np.full(4, scale), depth=2).values
        for scale in (1e-12, 1e-14)
    ]
    slope = np.log10(excess[0] / excess[1]) / 2
    assert slope == pytest.approx(least.exponent, abs=0.01)


def test_where_nothing_is_zero_there_is_no_exponent():
    assert min_l1_norm(np.eye(2), np.array([1.0, 2.0])).exponent == np.inf


def test_refusals_teach():
    with pytest.raises(DataError, match="some x >= 0 has these measurements"):
        min_l1_norm(np.ones((1, 3)), np.array([-1.0]))
    with pytest.raises(DataError, match="one measurement per row of the design, 1"):
        min_l1_norm(np.ones((1, 3)), np.array([1.0, 2.0]))


@pytest.mark.parametrize("depth", [3, 4, 5])
def test_the_leading_excess_is_that_of_the_deep_limit(depth):
    rng = np.random.default_rng(1)
    design = rng.standard_normal((2, 5))
    wanted = design @ rng.uniform(0.5, 1.5, 5)
    least = min_l1_norm(design, wanted)
    scale = 1e-12
    limit = diagonal_limit(design, wanted, start=np.full(5, scale), depth=depth)
    found = float(least.slack @ limit.values)
    assert found == pytest.approx(least.leading_excess(scale, depth=depth), rel=1e-3)


def test_depth_2_has_no_linear_excess():
    least = min_l1_norm(np.ones((1, 2)), np.ones(1))
    with pytest.raises(SpecError, match="linear in the scale from depth 3 on"):
        least.leading_excess(1e-3, depth=2)
