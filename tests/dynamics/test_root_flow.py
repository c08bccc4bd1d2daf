"""The flow in M = W^(2/N) is that of the factors."""

import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.dynamics import RootFlow
from lowrankflow.errors import SpecError

PROBLEM = lrf.named("li2021-4x4", {"R": 2.0}).problem
ROOT = RootFlow(rtol=1e-10, atol=1e-10)
FACTORS = lrf.GradientFlow(rtol=1e-10, atol=1e-10)


def at(dynamics, factorization, start, problem=PROBLEM, time=0.4):
    return lrf.simulate(
        problem,
        factorization,
        dynamics,
        start=start,
        seed=3,
        stop=lrf.Stop(time=time),
        schedule=lrf.OnlyEnds(),
    )


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_it_is_the_flow_of_the_factors(depth):
    # CLAIM 44. From a random p.s.d. start, which shares no basis with grad f.
    factorization, start = lrf.DeepFactorization(depth), lrf.RandomPSD(1.0)
    seen, other = (at(flow, factorization, start) for flow in (ROOT, FACTORS))
    assert np.linalg.norm(seen.matrix - start_matrix(factorization, start)) > 0.3
    assert np.allclose(seen.matrix, other.matrix, rtol=0, atol=1e-8)
    assert seen.dataset.loss[-1] == pytest.approx(float(other.dataset.loss[-1]))


def start_matrix(factorization, start):
    return factorization.end_to_end(start.factors(PROBLEM, factorization, seed=3))


def test_a_symmetric_factorization_is_depth_two():
    start = lrf.Identity(0.3)
    deep = at(ROOT, lrf.DeepFactorization(2), start)
    symmetric = at(ROOT, lrf.SymmetricFactorization(), start)
    assert np.allclose(deep.matrix, symmetric.matrix, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("factorization", "start", "message"),
    [
        (lrf.DeepFactorization(1), lrf.Identity(0.1), "two balanced factors at least"),
        (lrf.DeepFactorization(3), lrf.Gaussian(0.1), "imbalance"),
        (lrf.DeepFactorization(3), lrf.Balanced(0.1), "positive semidefinite, so that"),
    ],
)
def test_what_it_refuses(factorization, start, message):
    with pytest.raises(SpecError, match=rf"^`RootFlow`: .*{message}.*Use start="):
        at(ROOT, factorization, start)


def test_it_refuses_a_problem_that_is_not_symmetric():
    problem = lrf.SensingProblem.from_entries([0, 1], [1, 1], [1.0, 2.0], (2, 2))
    with pytest.raises(SpecError, match=r"grad f is symmetric .* Use lowrankflow\."):
        at(ROOT, lrf.DeepFactorization(2), lrf.Identity(0.1), problem)


@pytest.mark.parametrize("field", ["rtol", "atol"])
def test_tolerances_are_positive(field):
    with pytest.raises(SpecError, match=rf"^`RootFlow\({field}\)`: .*Got 0"):
        RootFlow(**{"rtol": 1e-6, "atol": 1e-6, field: 0.0})
