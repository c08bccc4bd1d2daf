import itertools
from fractions import Fraction

import numpy as np
import pytest

from lowrankflow import problems
from lowrankflow.errors import SpecError

GRID = problems.ExhaustiveGrid()


def test_there_are_fifteen_masks_of_four_distinct_entries():
    assert GRID.masks.shape == (15, 4, 2)
    as_sets = {frozenset(map(tuple, mask.tolist())) for mask in GRID.masks}
    assert len(as_sets) == 15
    assert all(len(mask) == 4 for mask in as_sets)
    assert all(0 <= i <= j <= 2 for mask in as_sets for i, j in mask)


def test_fillings_are_all_combinations_of_the_values():
    values = np.linspace(-1, 1, 10)
    expected = list(itertools.product(values, repeat=4))
    np.testing.assert_allclose(GRID.fillings, expected, atol=1e-15)
    np.testing.assert_array_equal(GRID.numerators, np.rint(9 * np.array(expected)))
    assert GRID.num_problems == 150_000


def test_the_number_of_feasible_problems_by_counting_by_hand():
    # Positive values: k/9 with k = 1, 3, 5, 7, 9. `minors` counts the (p, q, x) with
    # p, q > 0 and x^2 <= p q.
    positive, odd = (1, 3, 5, 7, 9), range(-9, 10, 2)
    minors = sum(x * x <= p * q for p in positive for q in positive for x in odd)
    assert minors == 118
    two_diagonals_missing = 3 * 5 * 10**3
    both_diagonals_of_the_missing_pair = 3 * 5**2 * 10**2
    one_diagonal_of_the_missing_pair = 6 * minors * 10
    two_pairs_missing = 3 * minors * 5
    total = (
        two_diagonals_missing
        + both_diagonals_of_the_missing_pair
        + one_diagonal_of_the_missing_pair
        + two_pairs_missing
    )
    assert GRID.num_feasible().sum() == total == 31_350


def best_smallest_eigenvalue(pairs, values):
    """The largest smallest eigenvalue of a completion, by search, for many fillings.

    A larger diagonal entry can only help, so the missing ones are 10^4. The smallest
    eigenvalue is concave in the rest: a lattice around its best point, shrunk again and
    again, closes in on the maximum.
    """
    missing = [p for p in itertools.combinations_with_replacement(range(3), 2)]
    missing = [p for p in missing if p not in pairs]
    free = [p for p in missing if p[0] != p[1]]
    matrices = np.zeros((len(values), 3, 3))
    for (i, j), value in zip(pairs, values.T, strict=True):
        matrices[:, i, j] = matrices[:, j, i] = value
    for i, j in missing:
        if i == j:
            matrices[:, i, i] = 1e4
    centre = np.zeros((len(values), len(free)))
    radius = 10.0
    steps = np.linspace(-1, 1, 7)
    offsets = np.array(list(itertools.product(steps, repeat=len(free))))
    best = np.full(len(values), -np.inf)
    for _ in range(40):
        points = centre[:, None, :] + radius * offsets
        trial = np.repeat(matrices[:, None], len(offsets), axis=1)
        for axis, (i, j) in enumerate(free):
            trial[..., i, j] = trial[..., j, i] = points[..., axis]
        smallest = np.linalg.eigvalsh(trial)[..., 0]
        chosen = smallest.argmax(axis=1)
        every = np.arange(len(values))
        best, centre = smallest[every, chosen], points[every, chosen]
        radius *= 0.6
    return best


@pytest.mark.parametrize("mask", range(15))
def test_a_search_over_completions_agrees(mask):
    pairs = [tuple(pair) for pair in GRID.masks[mask].tolist()]
    feasible = GRID.feasible(mask)
    random = np.random.default_rng(mask)
    yes = random.choice(np.flatnonzero(feasible), 25, replace=False)
    no = random.choice(np.flatnonzero(~feasible), 25, replace=False)
    chosen = np.concatenate([yes, no])
    found = best_smallest_eigenvalue(pairs, GRID.fillings[chosen])
    # Infeasible fillings miss by at least a minor of -2/81, or a diagonal of -1/9;
    # feasible ones may touch 0, known to the rounding of numbers of size 10^4.
    assert found[:25].min() > -1e-6
    assert found[25:].max() < -1e-4


@pytest.mark.parametrize("mask", range(15))
def test_boundary_cases_have_an_exact_completion(mask):
    # X_ij^2 = X_ii X_jj leaves no room: found in fractions.
    pairs = [tuple(pair) for pair in GRID.masks[mask].tolist()]
    numbers = {p: k for k, p in enumerate(pairs)}
    touching = np.zeros(len(GRID.numerators), bool)
    for i, j in pairs:
        if i != j and (i, i) in numbers and (j, j) in numbers:
            product = (
                GRID.numerators[:, numbers[i, i]] * GRID.numerators[:, numbers[j, j]]
            )
            touching |= product == GRID.numerators[:, numbers[i, j]] ** 2
    for filling in np.flatnonzero(touching & GRID.feasible(mask))[::7]:
        known = dict(zip(pairs, GRID.numerators[filling].tolist(), strict=True))
        assert has_psd_completion(known), (mask, filling)


def has_psd_completion(known):
    """Whether some completion among a few candidates is p.s.d., in exact arithmetic."""
    missing = [
        p
        for p in itertools.combinations_with_replacement(range(3), 2)
        if p not in known
    ]
    candidates = [Fraction(0), Fraction(10**6)]
    offdiagonal = [v for (i, j), v in known.items() if i != j]
    diagonal = [v for (i, j), v in known.items() if i == j and v != 0]
    if len(offdiagonal) == 2:
        product = offdiagonal[0] * offdiagonal[1]
        candidates += [Fraction(product, value) for value in diagonal]
    for choice in itertools.product(candidates, repeat=2):
        entries = known | dict(zip(missing, choice, strict=True))
        x = [[entries[min(i, j), max(i, j)] for j in range(3)] for i in range(3)]
        minors = [x[i][i] for i in range(3)]
        minors += [
            x[i][i] * x[j][j] - x[i][j] ** 2 for i, j in [(0, 1), (0, 2), (1, 2)]
        ]
        minors.append(
            x[0][0] * x[1][1] * x[2][2]
            + 2 * x[0][1] * x[0][2] * x[1][2]
            - x[0][0] * x[1][2] ** 2
            - x[1][1] * x[0][2] ** 2
            - x[2][2] * x[0][1] ** 2
        )
        if min(minors) >= 0:
            return True
    return False


def test_zeros_on_the_diagonal_with_an_odd_number_of_values():
    grid = problems.ExhaustiveGrid(num_values=3)
    for mask in range(15):
        pairs = [tuple(pair) for pair in grid.masks[mask].tolist()]
        feasible = grid.feasible(mask)
        expected = [
            has_psd_completion(dict(zip(pairs, row, strict=True)))
            for row in grid.numerators.tolist()
        ]
        np.testing.assert_array_equal(feasible, expected, err_msg=str(pairs))


def test_problems_are_those_of_the_feasible_fillings():
    mask = 7
    made = list(itertools.islice(GRID.problems(mask), 5))
    fillings = np.flatnonzero(GRID.feasible(mask))[:5]
    for problem, filling in zip(made, fillings, strict=True):
        pairs = np.stack([problem.operator.row_index, problem.operator.col_index], 1)
        np.testing.assert_array_equal(pairs, GRID.masks[mask])
        np.testing.assert_array_equal(problem.measurements, GRID.fillings[filling])
    assert sum(1 for _ in GRID.problems(mask)) == GRID.num_feasible()[mask]


def test_the_masks_cannot_be_changed_from_outside():
    GRID.masks[:] = 0
    assert GRID.masks.any()


@pytest.mark.parametrize("mask", [-1, 15, 1.5, "a"])
def test_masks_are_numbered(mask):
    rule = r"ExhaustiveGrid\(mask\)`: a mask is a number in 0...14. Got .*mask=0"
    for call in (GRID.feasible, GRID.problems, lambda m: GRID.problem(m, 0)):
        with pytest.raises(SpecError, match=rule):
            call(mask)


def test_fillings_are_numbered():
    rule = r"\(filling\)`: a filling is a number in 0...9999. Got 10000. .*filling=0"
    with pytest.raises(SpecError, match=rule):
        GRID.problem(0, 10_000)


def test_there_are_at_least_two_values():
    with pytest.raises(
        SpecError, match=r"at least two. Got 1. Give for.*num_values=10"
    ):
        problems.ExhaustiveGrid(num_values=1)
    with pytest.raises(SpecError, match=r"\(num_values\)`: .*integer >= 1. Got 2.5"):
        problems.ExhaustiveGrid(num_values=2.5)
