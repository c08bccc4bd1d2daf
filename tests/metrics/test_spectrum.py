import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from lowrankflow.errors import DataError, SpecError
from lowrankflow.metrics import (
    effective_rank,
    log_det_surrogate,
    nuclear_norm,
    numerical_rank,
    schatten_power,
    singular_values,
    stable_rank,
)
from lowrankflow.problems import Dense, Entries, Factored

SHAPES = [(5, 7), (7, 5), (1, 6), (6, 1), (4, 4)]
ROUNDING = 1e-12  # sums of a dozen numbers of size 1, decompositions of 7 x 7
PROPERTY = settings(max_examples=25, deadline=None)

ALL = {
    "nuclear_norm": nuclear_norm,
    "effective_rank": effective_rank,
    "stable_rank": stable_rank,
    "schatten_half": lambda values: schatten_power(values, p=0.5),
    "log_det": lambda values: log_det_surrogate(values, scale=0.1),
    "numerical_rank": lambda values: numerical_rank(values, rtol=1e-6),
}


def drawn(shape, seed=0, rank=None):
    rng = np.random.default_rng(seed)
    if rank is None:
        return rng.standard_normal(shape)
    return rng.standard_normal((shape[0], rank)) @ rng.standard_normal((rank, shape[1]))


def positive_values():
    number = st.floats(1e-6, 1e6)
    return st.lists(number, min_size=1, max_size=8).map(np.array)


@pytest.mark.parametrize("shape", SHAPES)
def test_singular_values_are_those_of_the_gram_matrix(shape):
    matrix = drawn(shape)
    values = singular_values(matrix)
    small = matrix @ matrix.T if shape[0] <= shape[1] else matrix.T @ matrix
    assert values.shape == (min(shape),)
    assert np.all(np.diff(values) <= 0)
    assert np.allclose(values**2, np.linalg.eigvalsh(small)[::-1], rtol=1e-10)


def test_singular_values_of_a_matrix_done_by_hand():
    # W W' = [[25, 0], [0, 4]]
    matrix = np.array([[3.0, 4.0, 0.0], [0.0, 0.0, -2.0]])
    assert singular_values(matrix) == pytest.approx([5.0, 2.0], abs=ROUNDING)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ranks", [(1, 1), (2, 3), (9, 8)])
def test_a_factored_matrix_is_decomposed_without_being_formed(
    shape, ranks, monkeypatch
):
    rng = np.random.default_rng(1)
    thin = Factored(
        rng.standard_normal((shape[0], ranks[0])),
        rng.standard_normal(ranks),
        rng.standard_normal((shape[1], ranks[1])),
    )
    dense = thin.to_dense()

    def forbidden(self):
        raise AssertionError("the matrix was formed")

    monkeypatch.setattr(Factored, "to_dense", forbidden)
    values = singular_values(thin)
    assert values.shape == (min(shape),)
    assert values == pytest.approx(singular_values(dense), abs=ROUNDING * 100)
    assert np.all(values[min(*shape, *ranks) :] == 0)


def test_entries_and_dense_are_decomposed_alike():
    sparse = Entries(np.array([0, 2]), np.array([1, 0]), np.array([-3.0, 2.0]), (3, 4))
    assert singular_values(sparse) == pytest.approx([3.0, 2.0, 0.0], abs=ROUNDING)
    dense = Dense(sparse.to_dense())
    assert np.array_equal(singular_values(sparse), singular_values(dense))


def test_hand_computed_values():
    values = np.array([4.0, 2.0, 2.0, 0.0])
    assert nuclear_norm(values) == 8
    # shares 1/2, 1/4, 1/4: entropy 1/2 log 2 + 2/4 log 4 = 3/2 log 2
    assert effective_rank(values) == pytest.approx(2**1.5, rel=ROUNDING)
    assert stable_rank(values) == pytest.approx(24 / 16, rel=ROUNDING)
    assert schatten_power(values, p=0.5) == pytest.approx(2 + 2 * 2**0.5, rel=ROUNDING)
    assert schatten_power(values, p=2) == 24
    expected = math.log(5) + 2 * math.log(3)
    assert log_det_surrogate(values, scale=1.0) == pytest.approx(expected, rel=ROUNDING)
    assert numerical_rank(values, rtol=0.4) == 3
    assert numerical_rank(values, rtol=0.5) == 1  # strictly above
    assert numerical_rank(values, rtol=0) == 3


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("values", [np.zeros(3), np.zeros(1), np.zeros(0)])
def test_the_zero_matrix_has_zero_of_everything(name, values):
    assert ALL[name](values) == 0


@pytest.mark.parametrize("size", [1, 3, 6])
def test_claim_26_effective_rank_of_a_padded_identity(size):
    values = np.concatenate([np.full(size, 0.3), np.zeros(4)])
    assert effective_rank(values) == pytest.approx(size, rel=ROUNDING)
    assert stable_rank(values) == pytest.approx(size, rel=ROUNDING)
    assert numerical_rank(values, rtol=1e-3) == size


def test_claim_26_effective_rank_of_a_gaussian_product():
    # Five values of a 100 x 5 by 5 x 100 product are nearly equal. The interval is the
    # one stated, 4.9 to 4.96, widened by the spread of 20 draws, about 0.02 each.
    ranks = [
        effective_rank(singular_values(drawn((100, 100), seed, rank=5)))
        for seed in range(20)
    ]
    assert min(ranks) > 4.88
    assert max(ranks) < 4.98
    assert 4.9 < np.mean(ranks) < 4.96


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e307])
def test_ranks_do_not_depend_on_the_unit(scale):
    values = np.array([4.0, 2.0, 1.0])
    for rank in (effective_rank, stable_rank, lambda v: numerical_rank(v, rtol=0.3)):
        assert rank(values * scale) == pytest.approx(rank(values), rel=ROUNDING)


@PROPERTY
@given(positive_values(), st.floats(1e-3, 1e3))
def test_ranks_lie_between_one_and_the_rank(values, scale):
    size = len(values)
    above = ROUNDING * size
    # Renyi entropies fall with their order: stable rank <= sum / largest <= effective.
    assert 1 - above <= stable_rank(values) <= effective_rank(values) + above
    assert 1 - above <= effective_rank(values) <= size + above
    assert 1 <= numerical_rank(values, rtol=1e-3) <= size
    assert effective_rank(values * scale) == pytest.approx(effective_rank(values))


@PROPERTY
@given(positive_values(), st.floats(0.05, 0.95))
def test_powers_join_the_rank_and_the_nuclear_norm(values, p):
    # Jensen: the p-th power mean is at most the mean, with equality for equal values.
    size = len(values)
    bound = size * (nuclear_norm(values) / size) ** p
    assert schatten_power(values, p=p) <= bound * (1 + 1e-9)
    equal = np.full(size, values[0])
    expected = size * values[0] ** p
    assert schatten_power(equal, p=p) == pytest.approx(expected)


@PROPERTY
@given(st.sampled_from(SHAPES), st.integers(0, 100), st.sampled_from(sorted(ALL)))
def test_rotation_transposition_and_padding_change_nothing(shape, seed, name):
    metric, matrix = ALL[name], drawn(shape, seed)
    left, _ = np.linalg.qr(drawn((shape[0], shape[0]), seed + 1))
    right, _ = np.linalg.qr(drawn((shape[1], shape[1]), seed + 2))
    expected = metric(singular_values(matrix))
    padded = np.pad(matrix, ((0, 2), (0, 1)))
    for other in (left @ matrix @ right, matrix.T, padded):
        # 1e-7: an appended value is zero to 1e-16, whose root is 1e-8.
        assert metric(singular_values(other)) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("name", ALL)
def test_a_negative_singular_value_is_refused(name):
    with pytest.raises(
        DataError, match=r"\(values\)`: singular values are >= 0. Got -1.0 at pos"
    ):
        ALL[name](np.array([2.0, -1.0]))


@pytest.mark.parametrize("name", ALL)
def test_singular_values_that_are_no_numbers_are_refused(name):
    with pytest.raises(DataError, match="every number must be finite. Got nan"):
        ALL[name](np.array([2.0, np.nan]))
    with pytest.raises(DataError, match=r"with 1 dimension\(s\). Got shape \(2, 2\)"):
        ALL[name](np.eye(2))


def test_a_matrix_that_is_not_finite_is_refused():
    with pytest.raises(DataError, match=r"singular_values\(matrix\)`: every number"):
        singular_values(np.array([[1.0, np.inf]]))
    bad = Factored(np.full((3, 1), np.nan), np.eye(1), np.ones((2, 1)))
    with pytest.raises(DataError, match=r"singular_values\(matrix\)`: every number"):
        singular_values(bad)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.inf, math.nan, "1", None, True, [1.0]])
def test_powers_and_scales_must_be_positive(bad):
    values = np.ones(2)
    with pytest.raises(SpecError, match=r"schatten_power\(p\)`: this is a positive"):
        schatten_power(values, p=bad)
    with pytest.raises(SpecError, match=r"log_det_surrogate\(scale\)`: this is a pos"):
        log_det_surrogate(values, scale=bad)


@pytest.mark.parametrize("bad", [-0.1, 1.0, math.nan, "0.1", None, False, [0.1]])
def test_the_tolerance_of_the_numerical_rank_is_a_share(bad):
    with pytest.raises(SpecError, match=r"numerical_rank\(rtol\)`: .*lies in \[0, 1\)"):
        numerical_rank(np.ones(2), rtol=bad)
