import numpy as np
import pytest

from lowrankflow import problems
from lowrankflow.errors import SpecError


def observed(operator):
    return set(
        zip(operator.row_index.tolist(), operator.col_index.tolist(), strict=True)
    )


def samples(seed, count):
    """Each way of drawing `count` distinct entries."""
    return {
        "uniform": problems.uniform_entries((5, 7), num_observed=count, seed=seed),
        "power law": problems.power_law_entries(
            (7, 5), num_observed=count, exponent=1.0, seed=seed
        ),
        "symmetric": problems.uniform_symmetric_entries(
            7, num_observed=count, include_diagonal=True, seed=seed
        ),
        "off diagonal": problems.uniform_symmetric_entries(
            7, num_observed=count, include_diagonal=False, seed=seed
        ),
        "symmetric power law": problems.power_law_symmetric_entries(
            7, num_observed=count, exponent=1.0, seed=seed
        ),
    }


@pytest.mark.parametrize("name", samples(0, 1))
def test_samples_have_the_number_asked_for_in_order_and_nest(name):
    small, large = samples(3, 6)[name], samples(3, 15)[name]
    for operator, count in [(small, 6), (large, 15)]:
        assert operator.num_measurements == count
        flat = operator.row_index * operator.shape[1] + operator.col_index
        assert np.all(np.diff(flat) > 0)
    assert observed(small) < observed(large)
    assert observed(samples(4, 6)[name]) != observed(small)


def test_all_entries_can_be_observed():
    assert len(observed(samples(0, 21)["off diagonal"])) == 21
    full = problems.uniform_entries((5, 7), num_observed=35, seed=0)
    assert observed(full) == {(i, j) for i in range(5) for j in range(7)}


def test_uniform_entries_are_uniform():
    counts = np.zeros((3, 4))
    for seed in range(600):
        operator = problems.uniform_entries((3, 4), num_observed=4, seed=seed)
        counts[operator.row_index, operator.col_index] += 1
    # Each entry has probability 1/3: mean 200, deviation 11.5. Chi-square with 11
    # degrees of freedom, shrunk by sampling without replacement: 37 is at 1e-4.
    assert ((counts - 200) ** 2 / (200 * 2 / 3)).sum() * 11 / 12 < 37


def test_the_diagonal_is_left_out_when_asked():
    assert all(i < j for i, j in observed(samples(0, 21)["off diagonal"]))
    assert any(i == j for i, j in observed(samples(0, 21)["symmetric"]))


def test_power_law_weights_the_first_draw():
    weights = np.outer([1, 1 / 2, 1 / 3], [1, 1 / 2])  # exponent 1
    expected = weights / weights.sum()
    counts = np.zeros((3, 2))
    for seed in range(2000):
        operator = problems.power_law_entries(
            (3, 2), num_observed=1, exponent=1.0, seed=seed
        )
        counts[operator.row_index, operator.col_index] += 1
    # Chi-square with 5 degrees of freedom passes 26 with probability 1e-4.
    assert ((counts - 2000 * expected) ** 2 / (2000 * expected)).sum() < 26


def test_power_law_draws_the_second_as_after_the_first():
    weights = 1 / np.arange(1.0, 4)
    expected = {
        (a, b): weights[a] * weights[b] / (weights.sum() - weights[a])
        for a in range(3)
        for b in range(3)
        if a != b
    }
    total = weights.sum()
    counts = dict.fromkeys([(0, 1), (0, 2), (1, 2)], 0)
    for seed in range(2000):
        operator = problems.power_law_entries(
            (1, 3), num_observed=2, exponent=1.0, seed=seed
        )
        counts[tuple(operator.col_index.tolist())] += 1
    chi = 0.0
    for a, b in counts:
        mean = 2000 * (expected[a, b] + expected[b, a]) / total
        chi += (counts[a, b] - mean) ** 2 / mean
    # Chi-square with 2 degrees of freedom passes 18.4 with probability 1e-4.
    assert chi < 18.4


def test_steep_power_laws_do_not_underflow():
    operator = problems.power_law_entries(
        (30, 30), num_observed=900, exponent=300.0, seed=0
    )
    assert operator.num_measurements == 900
    first = problems.power_law_entries((9, 9), num_observed=1, exponent=300.0, seed=0)
    assert observed(first) == {(0, 0)}


def test_replacement_observes_each_hit_once():
    operator = problems.uniform_entries_with_replacement(
        (100, 100), num_draws=2000, seed=0
    )
    # 10^4 (1 - (1 - 1e-4)^2000) = 1813 distinct entries, with deviation below 13.
    assert operator.num_measurements == pytest.approx(1813, abs=65)
    fewer = problems.uniform_entries_with_replacement((100, 100), num_draws=9, seed=0)
    assert observed(fewer) < observed(operator)
    all_hit = problems.uniform_entries_with_replacement((1, 2), num_draws=99, seed=0)
    assert observed(all_hit) == {(0, 0), (0, 1)}


def test_unobserved_entries_are_the_others():
    operator = problems.uniform_entries((5, 7), num_observed=10, seed=0)
    others = problems.unobserved_entries(operator, num_entries=25, seed=0)
    assert observed(operator) | observed(others) == {
        (i, j) for i in range(5) for j in range(7)
    }
    some = problems.unobserved_entries(operator, num_entries=3, seed=0)
    assert observed(some) < observed(others)


@pytest.mark.parametrize(
    ("call", "where", "largest"),
    [
        (
            lambda n: problems.uniform_entries((5, 7), num_observed=n, seed=0),
            r"uniform_entries\(num_observed\)",
            35,
        ),
        (
            lambda n: problems.power_law_entries(
                (5, 7), num_observed=n, exponent=1.0, seed=0
            ),
            r"power_law_entries\(num_observed\)",
            35,
        ),
        (
            lambda n: problems.uniform_symmetric_entries(
                5, num_observed=n, include_diagonal=True, seed=0
            ),
            r"uniform_symmetric_entries\(num_observed\)",
            15,
        ),
        (
            lambda n: problems.uniform_symmetric_entries(
                5, num_observed=n, include_diagonal=False, seed=0
            ),
            r"uniform_symmetric_entries\(num_observed\)",
            10,
        ),
        (
            lambda n: problems.power_law_symmetric_entries(
                5, num_observed=n, exponent=1.0, seed=0
            ),
            r"power_law_symmetric_entries\(num_observed\)",
            15,
        ),
        (
            lambda n: problems.planted_completion(
                (5, 7), rank=1, num_observed=30, num_held_out=n, seed=0
            ),
            r"unobserved_entries\(num_entries\)",
            5,
        ),
    ],
)
def test_no_more_entries_than_there_are(call, where, largest):
    rule = rf"^`{where}`: there are {largest} entries to choose from"
    fix = rf"Give at most {largest}\.$"
    with pytest.raises(SpecError, match=rf"{rule}.*Got {largest + 1}\. {fix}"):
        call(largest + 1)
    for wrong in (-1, 2.0, "3", True):
        with pytest.raises(
            SpecError, match=rf"^`{where}`: this is an integer >= 1. Got .*Give for ex"
        ):
            call(wrong)


@pytest.mark.parametrize("count", [0, -1, 2.5, None])
def test_numbers_of_measurements_are_positive_integers(count):
    for call in (
        lambda: problems.uniform_entries_with_replacement(
            (5, 7), num_draws=count, seed=0
        ),
        lambda: problems.gaussian_sensing(
            (5, 7), num_measurements=count, scale=1.0, seed=0
        ),
        lambda: problems.symmetric_gaussian_sensing(
            5, num_measurements=count, scale="near_isometry", seed=0
        ),
    ):
        with pytest.raises(SpecError, match="this is an integer >= 1. Got .*Give for"):
            call()
