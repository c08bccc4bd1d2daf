"""Deep flows from small identities pass the critical points of greedy learning.

Closest approaches as measured independently with small-step descent on 20 x 20
completion of a rank-3 matrix, seed 2 (li2021, the experiment of its figure 2).
"""

import numpy as np
import pytest

import lowrankflow as lrf

GREEDY = {
    "rtol": 1e-6,
    "atol": 1e-6,
    "seed_scale": 1e-10,
    "stage_tolerance": 1e-8,
    "optimality_tolerance": 1e-6,
}
# depth, ||W(0)|| scale, closest approach to the first and second critical point
TABLE = (
    (2, 1e-3, 2.84, 2.86),
    (3, 1e-3, 0.108, 0.173),
    (3, 1e-5, 3e-4, 3e-4),
    (4, 1e-3, 0.0144, 0.0186),
)


@pytest.fixture(scope="module")
def problem():
    return lrf.symmetrized(lrf.named("li2021-20x20", {"seed": 2}).problem)


@pytest.fixture(scope="module")
def critical_points(problem):
    def end(max_rank):
        return lrf.simulate(
            problem,
            lrf.SymmetricFactorization(),
            lrf.GreedyLowRank(**GREEDY, max_rank=max_rank),
            stop=lrf.Stop(loss=1e-12),
            schedule=lrf.OnlyEnds(),
        ).matrix

    return end(1), end(2)


@pytest.mark.parametrize(("depth", "scale", "first", "second"), TABLE)
def test_closest_approaches_are_those_of_descent(
    problem, critical_points, depth, scale, first, second
):
    run = lrf.simulate(
        problem,
        lrf.DeepFactorization(depth),
        lrf.GradientFlow(rtol=1e-5, atol=1e-5),
        start=lrf.Identity(scale),
        # The second point has a loss of 1.9; this is well past it.
        stop=lrf.Stop(loss=0.3, iterations=4000),
        schedule=lrf.EveryIterations(1),
        observe={
            f"distance_{k}": lambda _, seen, point=point: float(
                np.linalg.norm(seen.matrix - point)
            )
            for k, point in enumerate(critical_points)
        },
    )
    assert run.result is lrf.Result.converged
    for k, expected in enumerate((first, second)):
        closest = float(run.dataset[f"distance_{k}"].min())
        # The table has two or three digits; 3e-4 stands for 2.5e-4 to 3.5e-4.
        assert closest == pytest.approx(expected, rel=0.02 if expected > 1e-3 else 0.17)
