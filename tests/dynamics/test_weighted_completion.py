"""Engines on entries with weights, against the same entries observed more than once."""

import jax.numpy as jnp
import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.dynamics.thin_pull import thin_pull
from lowrankflow.problems import to_dense

SHAPE = (9, 7)


def listed(seed=0):
    """A truth of rank two with noise; integer weights."""
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((SHAPE[0], 2)) @ rng.standard_normal((2, SHAPE[1]))
    truth += 0.1 * rng.standard_normal(SHAPE)
    rows, cols = np.nonzero(rng.random(SHAPE) < 0.85)
    weights = rng.integers(1, 4, rows.size)
    return rows, cols, truth[rows, cols], weights


def weighted(seed=0):
    rows, cols, values, weights = listed(seed)
    return lrf.SensingProblem.from_entries(rows, cols, values, SHAPE, weights=weights)


def repeated():
    """f as a sum over measurements of which some are made twice or more often."""
    rows, cols, values, weights = listed()
    i, j, y = (jnp.asarray(np.repeat(a, weights)) for a in (rows, cols, values))
    return lrf.Objective(lambda w: 0.5 * ((w[i, j] - y) ** 2).sum(), SHAPE)


def gradient(problem, matrix):
    return np.asarray(problem.gradient(matrix).to_dense())


@pytest.mark.parametrize(("inner", "penalty"), [("newton", 0.0), ("als", 0.7)])
def test_every_point_of_a_path_is_critical_for_the_repeated_measurements(
    inner, penalty
):
    path = lrf.greedy_low_rank_path(
        weighted(), max_rank=3, rtol=1e-9, inner=inner, penalty=penalty
    )
    plain = repeated()
    assert [step.rank for step in path.steps] == [0, 1, 2, 3]
    first = np.linalg.norm(gradient(plain, np.zeros(SHAPE)), 2)
    for step in path.steps:
        matrix = np.asarray(step.matrix.to_dense())
        slope = gradient(plain, matrix)
        assert step.loss == pytest.approx(float(plain.value(matrix)), rel=1e-12)
        if step.rank == 0:
            assert step.certificate.rate == pytest.approx(first, rel=1e-9)
            continue
        u, v = np.asarray(step.matrix.left), np.asarray(step.matrix.right)
        assert np.allclose(slope @ v, -penalty * u, rtol=0, atol=1e-6 * first)
        assert np.allclose(slope.T @ u, -penalty * v, rtol=0, atol=1e-6 * first)


def test_newton_and_least_squares_end_at_the_same_points():
    ends = [
        lrf.greedy_low_rank_path(weighted(), max_rank=2, rtol=1e-9, inner=inner)
        for inner in ("newton", "als")
    ]
    for a, b in zip(*(path.steps for path in ends), strict=True):
        difference = a.matrix.to_dense() - b.matrix.to_dense()
        assert np.abs(difference).max() <= 1e-6


def test_weights_that_are_all_one_change_nothing():
    rows, cols, values, _ = listed()
    plain = lrf.SensingProblem.from_entries(rows, cols, values, SHAPE)
    ones = lrf.SensingProblem.from_entries(
        rows, cols, values, SHAPE, weights=np.ones(rows.size)
    )
    paths = [lrf.greedy_low_rank_path(p, max_rank=2, rtol=1e-8) for p in (plain, ones)]
    for a, b in zip(*(path.steps for path in paths), strict=True):
        assert np.allclose(a.matrix.to_dense(), b.matrix.to_dense(), atol=1e-7)


def test_single_precision_keeps_to_its_own():
    path = lrf.greedy_low_rank_path(
        weighted(), max_rank=2, rtol=1e-4, inner="als", dtype="float32"
    )
    same = lrf.greedy_low_rank_path(weighted(), max_rank=2, rtol=1e-8, inner="als")
    last = [p.steps[-1].matrix.to_dense() for p in (path, same)]
    assert np.abs(last[0] - last[1]).max() <= 1e-2


def test_the_held_out_error_of_a_path_is_weighted():
    path = lrf.greedy_low_rank_path(weighted(), max_rank=1, rtol=1e-6, held_out=0.3)
    aside = path.held_out
    scale = np.asarray(aside.operator.scale)
    values = np.asarray(aside.measurements) / scale
    wanted = np.sqrt(np.average(values**2, weights=scale**2))
    assert path.steps[0].held_out_error == pytest.approx(wanted, rel=1e-12)


@pytest.mark.slow
def test_a_flow_follows_the_repeated_measurements():
    settings = {"start": lrf.Identity(1e-3), "seed": 0, "stop": lrf.Stop(time=2.0)}
    flow = lrf.GradientFlow(rtol=1e-9, atol=1e-12)
    ends = [
        lrf.simulate(problem, lrf.DeepFactorization(2), flow, **settings).matrix
        for problem in (weighted(), repeated())
    ]
    assert np.abs(ends[0]).max() > 0.5
    assert np.allclose(*ends, rtol=0, atol=1e-7)


@pytest.mark.parametrize("depth", [2, 3])
def test_an_adaptive_rank_follows_the_dense_flow(depth):
    settings = {"start": lrf.Identity(1e-2), "seed": 0, "stop": lrf.Stop(time=3.0)}
    ends = [
        lrf.simulate(weighted(), lrf.DeepFactorization(depth), flow, **settings).matrix
        for flow in (
            lrf.GradientFlow(rtol=1e-9, atol=1e-12),
            lrf.AdaptiveRankFlow(admission_tolerance=1e-8, rtol=1e-8, atol=1e-10),
        )
    ]
    dense, thin = (np.asarray(to_dense(end)) for end in ends)
    assert np.abs(dense).max() > 0.3
    assert np.abs(dense - thin).max() <= 1e-4 * np.abs(dense).max()


@pytest.mark.slow
def test_greedy_flow_ends_at_a_critical_point_of_the_repeated_measurements():
    greedy = lrf.GreedyLowRank(
        rtol=1e-7,
        atol=1e-9,
        seed_scale=1e-6,
        stage_tolerance=1e-8,
        optimality_tolerance=1e-6,
        max_rank=1,
    )
    run = lrf.simulate(
        weighted(), lrf.DeepFactorization(2), greedy, stop=lrf.Stop(iterations=20_000)
    )
    path = lrf.greedy_low_rank_path(weighted(), max_rank=1, rtol=1e-9)
    assert np.allclose(run.matrix, path.steps[1].matrix.to_dense(), atol=1e-5)


def test_problems_with_the_same_measurements_have_pulls_of_their_own():
    operator, y = lrf.EntrySampling([0, 1], [1, 0], (3, 3)), np.array([1.0, 2.0])
    other = lrf.WeightedEntrySampling([0, 1], [1, 0], [1.0, 2.0], (3, 3))
    problems = [
        lrf.SensingProblem(operator, y),
        lrf.SensingProblem(operator, y, normalization="mean"),
        lrf.SensingProblem(operator, y, loss=lrf.Huber(0.1)),
        lrf.SensingProblem(other, y),
    ]
    assert all(p.measurements is problems[0].measurements for p in problems)
    pulls = [thin_pull("here", p, "float64") for p in problems]
    assert len({id(pull) for pull in pulls}) == 4
    again = [thin_pull("here", p, "float64") for p in problems]
    assert all(a is b for a, b in zip(pulls, again, strict=True))
