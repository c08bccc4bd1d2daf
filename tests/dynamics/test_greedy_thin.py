"""Greedy learning on thin factors has the stages of the dense engine."""

import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.dynamics import thin_pull
from lowrankflow.errors import SpecError
from lowrankflow.problems import Factored, SymmetricEntrySampling, measure, to_dense

GREEDY = lrf.GreedyLowRank(
    rtol=1e-5,
    atol=1e-5,
    seed_scale=1e-8,
    stage_tolerance=1e-6,
    optimality_tolerance=1e-5,
    max_rank=3,
)
STOP = lrf.Stop(loss=1e-12, iterations=20_000)


def ends_of(problem, factorization, greedy=GREEDY):
    """The matrices at the ends of stages, and the rates there."""
    ends = []

    def kept(_, snapshot):
        if snapshot.extra["at_critical_point"]:
            ends.append((np.array(to_dense(snapshot.matrix)), snapshot.extra["rate"]))
        return 0.0

    run = lrf.simulate(
        problem, factorization, greedy, stop=STOP, observe={"kept": kept}
    )
    return run, ends


def symmetric(size):
    rng = np.random.default_rng(0)
    factor = rng.standard_normal((size, 2))
    above = np.stack(np.triu_indices(size))
    chosen = above[:, rng.choice(above.shape[1], 8 * size, replace=False)]
    return measure(factor @ factor.T, SymmetricEntrySampling(*chosen, size))


@pytest.mark.parametrize(
    ("problem", "factorization"),
    [
        (
            lrf.planted_completion(shape=(20, 14), rank=2, num_observed=170, seed=0),
            lrf.DeepFactorization(2),
        ),
        (
            lrf.planted_completion(shape=(14, 20), rank=2, num_observed=170, seed=0),
            lrf.DeepFactorization(3),
        ),
        (symmetric(16), lrf.SymmetricFactorization()),
    ],
    ids=["tall-2", "wide-3", "symmetric"],
)
def test_the_stages_are_those_of_the_dense_engine(problem, factorization, monkeypatch):
    _, dense = ends_of(problem, factorization)
    monkeypatch.setattr(thin_pull, "_LARGE", 10)
    run, thin = ends_of(problem, factorization)
    assert isinstance(run.matrix, Factored)
    assert len(thin) == len(dense) >= 3
    for (point, rate), (wanted, wanted_rate) in zip(thin, dense, strict=True):
        # 1e-3: what is left of the way to a critical point at these tolerances.
        apart = np.linalg.norm(point - wanted)
        assert apart <= 1e-3 * max(np.linalg.norm(wanted), 1.0)
        assert rate == pytest.approx(wanted_rate, rel=1e-3, abs=1e-3)


def test_a_run_goes_on_to_the_same_bits(monkeypatch):
    monkeypatch.setattr(thin_pull, "_LARGE", 10)
    problem = lrf.planted_completion(shape=(20, 14), rank=2, num_observed=170, seed=0)
    parts = problem, lrf.DeepFactorization(3), GREEDY
    settings = {"stop": STOP, "schedule": lrf.EveryIterations(3)}
    chunks = list(lrf.simulate_chunks(*parts, **settings))
    assert len(chunks) >= 2
    again = list(lrf.simulate_chunks(*parts, **settings, state=chunks[0].state))
    for name in ("left", "cores", "right"):
        whole, resumed = (getattr(c[-1].state, name) for c in (chunks, again))
        assert np.array_equal(np.asarray(whole), np.asarray(resumed))


def test_a_large_completion():
    rng = np.random.default_rng(0)
    shape = (900, 700)
    flat = rng.choice(shape[0] * shape[1], 30_000, replace=False)
    rows, cols = np.divmod(flat, shape[1])
    left, right = rng.standard_normal((shape[0], 2)), rng.standard_normal((shape[1], 2))
    values = (left[rows] * right[cols]).sum(axis=1)
    problem = lrf.SensingProblem.from_entries(rows, cols, values, shape)
    greedy = lrf.GreedyLowRank(
        rtol=1e-3,
        atol=1e-3,
        seed_scale=1e-6,
        stage_tolerance=1e-4,
        optimality_tolerance=1e-3,
    )
    run = lrf.simulate(problem, lrf.DeepFactorization(2), greedy, stop=STOP)
    assert run.matrix.left.shape == (900, 2)
    found = (run.matrix.left @ run.matrix.core)[rows] * run.matrix.right[cols]
    assert np.sqrt(np.mean((found.sum(axis=1) - values) ** 2)) < 1e-2


def test_a_large_square_that_is_not_symmetric_is_refused(monkeypatch):
    monkeypatch.setattr(thin_pull, "_LARGE", 10)
    problem = lrf.planted_completion(shape=(9, 9), rank=1, num_observed=30, seed=0)
    with pytest.raises(SpecError, match="Observe pairs by SymmetricEntrySampling"):
        ends_of(problem, lrf.SymmetricFactorization())
