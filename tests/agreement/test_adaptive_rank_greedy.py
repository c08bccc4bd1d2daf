"""The stages of an adaptive-rank flow are those of greedy low-rank learning."""

import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.problems import to_dense


@pytest.mark.parametrize("seed", [0, 1])
def test_it_passes_the_critical_points_in_their_order(seed):
    problem = lrf.planted_completion(
        shape=(25, 18), rank=3, num_observed=330, seed=seed
    )
    factorization = lrf.DeepFactorization(3)
    greedy = lrf.GreedyLowRank(
        rtol=1e-6,
        atol=1e-6,
        seed_scale=1e-8,
        stage_tolerance=1e-6,
        optimality_tolerance=1e-5,
        max_rank=3,
    )
    stages = []

    def stage(_, snapshot):
        if snapshot.extra["at_critical_point"] and snapshot.extra["stage"]:
            stages.append(np.array(snapshot.matrix))
        return 0.0

    lrf.simulate(
        problem,
        factorization,
        greedy,
        stop=lrf.Stop(loss=1e-10, iterations=50_000),
        observe={"seen": stage},
    )
    nearest = np.full(len(stages), np.inf)
    when = np.zeros(len(stages), int)
    steps = 0

    def passing(_, snapshot):
        nonlocal steps
        steps += 1
        point = np.asarray(to_dense(snapshot.matrix))
        for k, critical in enumerate(stages):
            apart = np.linalg.norm(point - critical) / np.linalg.norm(critical)
            if apart < nearest[k]:
                nearest[k], when[k] = apart, steps
        return 0.0

    lrf.simulate(
        problem,
        factorization,
        lrf.AdaptiveRankFlow(admission_tolerance=1e-4, rtol=1e-4, atol=1e-4),
        start=lrf.Aligned(1e-9),
        stop=lrf.Stop(loss=1e-8),
        schedule=lrf.EveryIterations(1),
        observe={"seen": passing},
    )
    assert len(stages) >= 2
    # From 1e-9 at depth 3 the dense flow comes as near; 0.02 leaves a factor of ten.
    assert np.all(nearest < 0.02)
    assert np.all(np.diff(when) > 0)
