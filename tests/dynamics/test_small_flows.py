"""Very many small flows at once: the same ends as one flow at a time."""

import numpy as np
import pytest

from lowrankflow.dynamics import (
    GradientFlow,
    GreedyLowRank,
    SmallCompletions,
    Stop,
    random_small_starts,
    small_flows,
    small_greedy,
)
from lowrankflow.errors import DataError, SpecError
from lowrankflow.factorizations import GivenFactors, SymmetricFactorization
from lowrankflow.problems import ExhaustiveGrid, SensingProblem, SymmetricEntrySampling
from lowrankflow.simulation import OnlyEnds, simulate

GRID = ExhaustiveGrid()
E2 = SmallCompletions(
    pairs=np.array([[0, 0], [0, 1], [1, 1], [1, 2]]),
    values=np.array([[9.0, -3.0, 3.0, -5.0]]) / 9,
)
TOLERANCES = {"rtol": 1e-6, "atol": 1e-6, "residual_tolerance": 1e-8}
GREEDY = {
    "seed_scale": 1e-14,
    "stage_tolerance": 1e-8,
    "optimality_tolerance": 1e-5,
    **TOLERANCES,
}
# Of the path 1-2-3 and of two missing diagonal entries.
MASKS = (0, 1, 5, 6, 10, 14)


def sampled(mask, count, seed=0):
    fillings = np.flatnonzero(GRID.feasible(mask))
    chosen = np.random.default_rng(seed).choice(fillings, count, replace=False)
    return SmallCompletions(
        pairs=GRID.masks[mask], values=GRID.fillings[np.sort(chosen)]
    )


def alone(problems, n):
    rows, cols = problems.pairs.T
    return SensingProblem(SymmetricEntrySampling(rows, cols, 3), problems.values[n])


@pytest.mark.parametrize("size", [1.0, 1e-3, 1e-5, 1e-16])
def test_they_end_where_the_flow_of_one_ends(size):
    for mask in MASKS:
        problems = sampled(mask, 2)
        starts = random_small_starts(2, frobenius_norm=size, seed=3)
        ends = small_flows(problems, starts, **TOLERANCES)
        for n in range(2):
            goal = 0.5 * (1e-8 * problems.sizes[n]) ** 2
            one = simulate(
                alone(problems, n),
                SymmetricFactorization(),
                GradientFlow(rtol=1e-7, atol=1e-7),
                start=GivenFactors((starts[n],)),
                seed=0,
                stop=Stop(loss=goal, iterations=100_000),
                schedule=OnlyEnds(),
            )
            error = np.linalg.norm(ends.matrix[n] - one.matrix)
            assert error <= 1e-4 * np.linalg.norm(one.matrix), (mask, n)


def test_greedy_learning_ends_where_that_of_one_ends():
    for mask in (0, 5, 14):
        problems = sampled(mask, 2, seed=1)
        ends = small_greedy(problems, **GREEDY)
        for n in range(2):
            one = simulate(
                alone(problems, n),
                SymmetricFactorization(),
                GreedyLowRank(
                    rtol=1e-6,
                    atol=1e-6,
                    seed_scale=1e-14,
                    stage_tolerance=1e-8,
                    optimality_tolerance=1e-6,
                ),
                seed=0,
                stop=Stop(iterations=100_000),
                schedule=OnlyEnds(),
            )
            error = np.linalg.norm(ends.matrix[n] - one.matrix)
            assert error <= 1e-4 * np.linalg.norm(one.matrix), (mask, n)


def test_the_instance_of_this_grid_that_goes_to_thirty_percent_above():
    # Least trace 61/27; greedy learning's trace 2.930324 (both known beforehand).
    greedy = small_greedy(E2, **GREEDY)
    assert np.trace(greedy.matrix[0]) == pytest.approx(2.930324, abs=1e-5)
    assert greedy.rank[0] == 2
    starts = random_small_starts(1, frobenius_norm=1e-32, seed=0)
    flow = small_flows(E2, starts, **TOLERANCES)
    assert np.trace(flow.matrix[0]) / (61 / 27) == pytest.approx(1.297, abs=1e-3)


@pytest.mark.parametrize("size", [1.0, 1e-5, 1e-64])
def test_every_problem_reaches_the_residual_in_few_steps(size):
    for mask in (0, 4, 12):
        problems = sampled(mask, 200)
        starts = random_small_starts(200, frobenius_norm=size, seed=0)
        ends = small_flows(problems, starts, **TOLERANCES)
        assert set(ends.result) == {"converged"}
        assert ends.residual.max() <= 1e-8 * (1 + 1e-6)
        # Some ten steps for every factor e that the second unit has to grow.
        assert ends.steps.mean() < 200 + 15 * np.log(1 / size)
        assert np.linalg.eigvalsh(ends.matrix).min() >= -1e-12


def test_a_tighter_tolerance_changes_little():
    problems = sampled(14, 100)
    starts = random_small_starts(100, frobenius_norm=1e-5, seed=0)
    ends = small_flows(problems, starts, **TOLERANCES)
    tight = {**TOLERANCES, "rtol": 1e-9, "atol": 1e-9}
    better = small_flows(problems, starts, **tight)
    np.testing.assert_allclose(ends.matrix, better.matrix, atol=2e-5)
    assert ends.steps.mean() < better.steps.mean()


def test_blocks_that_do_not_meet_keep_their_correlation():
    # With X_12 and X_13 missing, W_12^2 / (W_11 W_22) never changes where {2, 3} is of
    # rank one, and W_11 depends on nothing else.
    problems = sampled(9, 50)
    starts = random_small_starts(50, frobenius_norm=1e-3, seed=0)
    large = small_flows(problems, starts, **TOLERANCES).matrix
    tiny = small_flows(problems, 1e-40 * starts, **TOLERANCES).matrix
    np.testing.assert_allclose(large[:, 0, 0], problems.values[:, 0], atol=1e-7)
    np.testing.assert_allclose(tiny[:, 0, 0], problems.values[:, 0], atol=1e-7)
    cosine = np.abs(tiny[:, 0, 1]) / np.sqrt(tiny[:, 0, 0] * tiny[:, 1, 1])
    assert 0.3 < np.median(cosine) < 0.95


def test_a_problem_does_not_depend_on_its_company():
    problems = sampled(2, 20)
    starts = random_small_starts(20, frobenius_norm=1e-3, seed=5)
    together = small_flows(problems, starts, **TOLERANCES)
    part = SmallCompletions(pairs=problems.pairs, values=problems.values[:7])
    apart = small_flows(part, starts[:7], **TOLERANCES)
    assert np.array_equal(together.matrix[:7], apart.matrix)
    again = random_small_starts(7, frobenius_norm=1e-3, seed=5)
    assert np.array_equal(again, starts[:7])


def test_no_completion_is_no_convergence():
    problems = SmallCompletions(
        pairs=E2.pairs, values=np.array([[0.1, 0.9, 0.1, 0.5], [1.0, -0.3, 0.3, -0.5]])
    )
    starts = random_small_starts(2, frobenius_norm=1e-3, seed=0)
    ends = small_flows(problems, starts, **TOLERANCES)
    assert ends.result[0] != "converged"
    assert ends.result[1] == "converged"
    assert ends.residual[0] > 0.1


def test_the_pull_is_minus_the_gradient():
    problems = sampled(3, 4)
    rng = np.random.default_rng(0)
    matrices = rng.standard_normal((4, 3, 3))
    matrices = matrices + np.swapaxes(matrices, 1, 2)
    for n, pull in enumerate(problems.pull(matrices)):
        gradient = np.asarray(alone(problems, n).gradient(matrices[n]).to_dense())
        np.testing.assert_allclose(pull, -(gradient + gradient.T) / 2, atol=1e-14)


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (
            lambda: SmallCompletions(pairs=[[1, 0]], values=np.ones((2, 1))),
            SpecError,
            "upper triangle",
        ),
        (
            lambda: SmallCompletions(pairs=E2.pairs, values=np.ones((2, 3))),
            DataError,
            "one row per problem, with a number for each of 4 pairs",
        ),
        (
            lambda: SmallCompletions(pairs=E2.pairs, values=np.full((1, 4), np.nan)),
            DataError,
            "finite",
        ),
        (
            lambda: small_flows(E2, np.ones((2, 3, 3)), **TOLERANCES),
            DataError,
            "a factor of 3 x 3 for each problem",
        ),
        (
            lambda: small_flows(E2, np.ones((1, 3, 3)), **{**TOLERANCES, "rtol": 0.0}),
            SpecError,
            "small_flows(rtol)",
        ),
        (
            lambda: small_greedy(E2, **{**GREEDY, "seed_scale": -1.0}),
            SpecError,
            "small_greedy(seed_scale)",
        ),
        (
            lambda: random_small_starts(2, frobenius_norm=0.0, seed=0),
            SpecError,
            "random_small_starts(frobenius_norm)",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(make, error, said):
    with pytest.raises(error) as caught:
        make()
    assert said in str(caught.value)
