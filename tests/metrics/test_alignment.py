import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from lowrankflow.errors import DataError, SpecError
from lowrankflow.metrics import gradient_alignment, imbalance, is_balanced

PROPERTY = settings(max_examples=25, deadline=None)
ROUNDING = 1e-12  # products and decompositions of 8 x 8 matrices of size 1
WIDTHS = [(7, 6, 8, 5), (5, 8, 6, 7), (4, 4), (1, 3, 1)]


def drawn(widths, seed=0):
    rng = np.random.default_rng(seed)
    pairs = zip(widths[1:], widths[:-1], strict=True)
    return tuple(rng.standard_normal(pair) for pair in pairs)


def balanced(shape, rank, depth, seed=0):
    rng = np.random.default_rng(seed)
    bases = [np.linalg.qr(rng.standard_normal((8, rank)))[0] for _ in range(depth - 1)]
    ends = [np.linalg.qr(rng.standard_normal((n, rank)))[0] for n in shape]
    bases = [ends[1], *bases, ends[0]]
    sizes = np.exp(rng.standard_normal(rank))
    return tuple((bases[j + 1] * sizes) @ bases[j].T for j in range(depth))


def orthogonal(size, seed):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((size, size)))[0]


def test_imbalance_by_hand():
    first = np.array([[1.0, 2.0], [0.0, 1.0], [2.0, 0.0]])  # acts first: 2 -> 3
    second = np.array([[1.0, 0.0, 2.0]])
    # W_1 W_1' = [[5,2,2],[2,1,0],[2,0,4]], W_2' W_2 = [[1,0,2],[0,0,0],[2,0,4]]
    expected = math.sqrt(4**2 + 2 * 2**2 + 1)
    assert imbalance((first, second)) == pytest.approx(expected, rel=ROUNDING)


def test_imbalance_is_that_of_the_worst_pair():
    eye = np.eye(3)
    assert imbalance((eye, eye, 2 * eye)) == pytest.approx(3 * math.sqrt(3))
    assert imbalance((3 * eye, eye, 2 * eye)) == pytest.approx(8 * math.sqrt(3))


@pytest.mark.parametrize("shape", [(5, 7), (7, 5), (5, 5)])
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_balanced_factors_are_found_balanced(shape, depth):
    factors = balanced(shape, 3, depth)
    assert np.linalg.multi_dot(factors[::-1]).shape == shape
    assert is_balanced(factors, rtol=ROUNDING)
    largest = max(np.linalg.norm(factor) for factor in factors)
    assert imbalance(factors) <= ROUNDING * largest**2
    spoilt = (factors[0] * 1.1, *factors[1:])
    assert not is_balanced(spoilt, rtol=0.01)


def test_a_single_factor_and_zero_factors_are_balanced():
    single = (np.arange(6.0).reshape(2, 3),)
    assert imbalance(single) == 0
    assert is_balanced(single, rtol=0)
    assert is_balanced((np.zeros((3, 2)), np.zeros((2, 3))), rtol=0)


@PROPERTY
@given(st.sampled_from(WIDTHS), st.integers(0, 1000), st.floats(0.1, 10))
def test_imbalance_keeps_under_rotation_and_scales_as_a_square(widths, seed, scale):
    factors = drawn(widths, seed)
    turns = [orthogonal(width, seed + j) for j, width in enumerate(widths)]
    turned = tuple(
        turns[j + 1] @ factor @ turns[j].T for j, factor in enumerate(factors)
    )
    expected = imbalance(factors)
    assert imbalance(turned) == pytest.approx(expected, abs=1e-10)
    scaled = tuple(scale * factor for factor in factors)
    assert imbalance(scaled) == pytest.approx(scale**2 * expected)


@PROPERTY
@given(st.sampled_from(WIDTHS), st.integers(0, 1000))
def test_imbalance_of_the_transposed_product(widths, seed):
    factors = drawn(widths, seed)
    transposed = tuple(factor.T for factor in reversed(factors))
    assert imbalance(transposed) == pytest.approx(imbalance(factors), rel=ROUNDING)


def test_factors_that_do_not_chain_are_refused():
    message = (
        r"factors\[0\] acts first.* Got shapes \(2, 3\) and \(4, 5\) at 0 and 1. Re"
    )
    with pytest.raises(DataError, match=message):
        imbalance((np.ones((2, 3)), np.ones((4, 5))))


def test_no_factors_and_no_numbers_are_refused():
    with pytest.raises(
        DataError, match=r"imbalance\(factors\)`: there is at least one"
    ):
        imbalance(())
    for bad in (None, 3.0, np.asarray(1.0)):
        message = r"imbalance\(factors\)`: factors are a tuple.* Got an obj.*\. Give"
        with pytest.raises(DataError, match=message):
            imbalance(bad)
    with pytest.raises(DataError, match=r"is_balanced\(factors\[1\]\)`: every number"):
        is_balanced((np.eye(2), np.full((2, 2), np.inf)), rtol=0.1)


@pytest.mark.parametrize("bad", [-1e-3, math.inf, math.nan, "0.1", None, [0.1]])
def test_the_tolerance_of_balance_is_finite(bad):
    with pytest.raises(
        SpecError, match=r"is_balanced\(rtol\)`: the tolerance is a fin"
    ):
        is_balanced((np.eye(2),), rtol=bad)


@pytest.mark.parametrize("shape", [(5, 7), (7, 5)])
def test_alignment_reads_off_what_was_put_in(shape):
    left, right = orthogonal(shape[0], 1)[:, :3], orthogonal(shape[1], 2)[:, :3]
    matrix = (left * [3.0, 2.0, 1.0]) @ right.T
    inner = np.array([[5.0, -1.0, 0.0], [1.0, -7.0, 2.0], [0.0, -2.0, 9.0]])
    found = gradient_alignment(matrix, left @ inner @ right.T, rank=3)
    assert found.diagonal_mean == pytest.approx(7, rel=ROUNDING)
    assert found.diagonal_std == pytest.approx(math.sqrt(8 / 3), rel=1e-10)
    assert found.off_diagonal_mean == pytest.approx(1, rel=1e-10)
    assert found.off_diagonal_std == pytest.approx(math.sqrt(4 / 6), rel=1e-10)
    assert found.ratio == pytest.approx(7, rel=1e-10)
    fewer = gradient_alignment(matrix, left @ inner @ right.T, rank=2)
    assert fewer.diagonal_mean == pytest.approx(6, rel=ROUNDING)
    assert fewer.off_diagonal_mean == pytest.approx(1, rel=1e-10)


@PROPERTY
@given(st.sampled_from([(5, 7), (7, 5), (4, 4)]), st.integers(0, 1000))
def test_alignment_keeps_under_rotation_and_transposition(shape, seed):
    rng = np.random.default_rng(seed)
    matrix, gradient = rng.standard_normal((2, *shape))
    left, right = orthogonal(shape[0], seed), orthogonal(shape[1], seed + 1)
    expected = gradient_alignment(matrix, gradient, rank=3)
    for other, slope in (
        (left @ matrix @ right, left @ gradient @ right),
        (matrix.T, gradient.T),
    ):
        found = gradient_alignment(other, slope, rank=3)
        # 1e-6: singular vectors move by rounding over the gap of the values, which
        # in a thousand draws can be as small as 1e-5.
        assert found.diagonal_mean == pytest.approx(expected.diagonal_mean, abs=1e-6)
        assert found.off_diagonal_std == pytest.approx(
            expected.off_diagonal_std, abs=1e-6
        )


def test_alignment_of_one_direction_has_no_off_diagonal():
    found = gradient_alignment(np.array([[3.0, 4.0]]), np.array([[10.0, 5.0]]), rank=1)
    assert found.diagonal_mean == pytest.approx(10, rel=ROUNDING)
    assert found.diagonal_std == 0
    assert math.isnan(found.off_diagonal_mean)
    assert math.isnan(found.off_diagonal_std)
    assert math.isnan(found.ratio)


def test_the_ratio_of_a_diagonal_gradient_is_infinite():
    matrix = np.diag([2.0, 1.0])
    assert gradient_alignment(matrix, np.diag([1.0, 3.0]), rank=2).ratio == math.inf
    assert math.isnan(gradient_alignment(matrix, np.zeros((2, 2)), rank=2).ratio)


def test_a_gradient_of_another_shape_is_refused():
    message = r"gradient_alignment\(gradient\)`: .*\(2, 3\) has its shape. Got shape"
    with pytest.raises(DataError, match=message):
        gradient_alignment(np.ones((2, 3)), np.ones((3, 2)), rank=1)


@pytest.mark.parametrize("rank", [0, 3, 1.5, math.nan, "1", None, True, [1]])
def test_a_rank_out_of_range_is_refused(rank):
    with pytest.raises(SpecError, match=r"gradient_alignment\(rank\)`: from 1 to 2 "):
        gradient_alignment(np.ones((2, 3)), np.ones((2, 3)), rank=rank)
