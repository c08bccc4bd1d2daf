"""The counter-example of li2021 to the conjecture of gunasekar2017, all parts of it.

As the start falls, the flow tends to the greedy limit of rank 1 and away from the
solution of least nuclear norm, whose minimality is certified.
"""

import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.result import Result

SYMMETRIC = lrf.SymmetricFactorization()


def limit(problem, scale):
    run = lrf.simulate(
        problem,
        SYMMETRIC,
        lrf.GradientFlow(rtol=1e-7, atol=1e-7),
        start=lrf.Identity(scale),
        stop=lrf.Stop(loss=1e-14, iterations=100_000),
        schedule=lrf.OnlyEnds(),
    )
    assert run.result is Result.converged
    return run.matrix


def relative(one, other):
    return np.linalg.norm(one - other) / np.linalg.norm(other)


@pytest.mark.parametrize("R", [2.0, 3.0])
def test_smaller_starts_lead_away_from_the_least_nuclear_norm(R):
    instance = lrf.named("li2021-4x4", {"R": R})
    problem = instance.problem
    rank_one = instance.known["greedy_limit"].value
    least = lrf.min_nuclear_norm(problem, psd=True)
    assert least.certificate.holds
    assert np.trace(least.matrix) == pytest.approx(4 * R, rel=1e-7)
    # 1e-3: unique, and near it the trace grows quadratically in some directions.
    assert relative(least.matrix, instance.known["min_trace_solution"].value) < 1e-3
    to_rank, to_norm, traces = [], [], []
    for scale in (1e-1, 1e-2, 1e-4, 1e-8, 1e-16, 1e-32):
        matrix = limit(problem, scale)
        to_rank.append(relative(matrix, rank_one))
        to_norm.append(relative(matrix, least.matrix))
        traces.append(np.trace(matrix))
    assert np.all(np.diff(to_rank) < 0)
    assert np.all(np.diff(to_norm) > 0)
    assert np.all(np.diff(traces) > 0)
    # gamma = 0.195 and 0.141: alpha^(2 gamma) is 3e-13 and 1e-9, below the tolerance.
    assert to_rank[-1] < 1e-5
    assert traces[-1] == pytest.approx(2 * R**2 + 2, rel=1e-5)
    assert traces[-1] > 1.2 * np.trace(least.matrix)
    # At 0.1 the flow seems to confirm the conjecture.
    assert to_norm[0] < 0.06
    assert lrf.metrics.effective_rank(lrf.metrics.singular_values(matrix)) < 1.001


@pytest.mark.parametrize("R", [2.0, 3.0])
def test_greedy_learning_is_where_they_lead(R):
    problem = lrf.named("li2021-4x4", {"R": R}).problem
    greedy = lrf.GreedyLowRank(
        rtol=1e-6,
        atol=1e-6,
        seed_scale=1e-12,
        stage_tolerance=1e-9,
        optimality_tolerance=1e-6,
    )
    run = lrf.simulate(problem, SYMMETRIC, greedy, stop=lrf.Stop(iterations=10_000))
    assert run.result is Result.optimal
    assert run.records[-1]["stage"] == 1
    values = lrf.metrics.singular_values(run.matrix)
    assert lrf.metrics.numerical_rank(values, rtol=1e-6) == 1
    # 1e-4: CLAIM 47; the flow's own distance at this scale is far below.
    assert relative(limit(problem, 1e-32), run.matrix) < 1e-4


def test_on_the_grid_instance_smaller_starts_lead_away_too():
    # CLAIM 12: from 61/27 towards 2.930324.
    instance = lrf.named("gunasekar2017-3x3")
    least = lrf.min_nuclear_norm(instance.problem, psd=True)
    assert least.certificate.holds
    assert np.trace(least.matrix) == pytest.approx(61 / 27, abs=1e-6)
    traces = [
        np.trace(limit(instance.problem, scale))
        for scale in 10.0 ** -np.arange(2, 75, 18)
    ]
    assert np.all(np.diff(traces) > 0)
    assert traces[-1] == pytest.approx(2.930324, abs=5e-4)
