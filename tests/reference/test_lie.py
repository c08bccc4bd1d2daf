"""The dimension of the Lie algebra that matrices generate."""

import numpy as np
import pytest

from lowrankflow.errors import DataError, SpecError
from lowrankflow.reference import lie_algebra_dimension


def symmetric(size, count=2, seed=0):
    drawn = np.random.default_rng(seed).standard_normal((count, size, size))
    return drawn + drawn.transpose(0, 2, 1)


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_two_generic_symmetric_matrices_generate_all(size):
    # CLAIM 9
    assert lie_algebra_dimension(symmetric(size), rtol=1e-8) == size**2


def test_traceless_ones_generate_all_traceless():
    matrices = symmetric(3)
    traces = np.trace(matrices, axis1=1, axis2=2)
    matrices = matrices - traces[:, None, None] * np.eye(3) / 3
    assert lie_algebra_dimension(matrices, rtol=1e-8) == 8


def test_commuting_ones_generate_their_span():
    basis = np.linalg.qr(symmetric(5)[0])[0]
    values = np.random.default_rng(1).standard_normal((3, 5))
    stack = np.array([(basis * v) @ basis.T for v in values])
    assert lie_algebra_dimension(stack, rtol=1e-8) == 3
    again = [stack[0], 2 * stack[0], np.zeros((5, 5))]
    assert lie_algebra_dimension(again, rtol=1e-8) == 1


def test_skew_ones_generate_the_rotations():
    drawn = np.random.default_rng(2).standard_normal((2, 4, 4))
    assert lie_algebra_dimension(drawn - drawn.transpose(0, 2, 1), rtol=1e-8) == 6


def test_refusals_teach():
    with pytest.raises(SpecError, match="a share is between 0 and 1"):
        lie_algebra_dimension(symmetric(2), rtol=1.0)
    with pytest.raises(DataError, match="commutators are of square matrices"):
        lie_algebra_dimension(np.ones((2, 3, 4)), rtol=1e-8)
