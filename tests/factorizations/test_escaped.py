"""Starts below the smallest number, by the logarithm."""

import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.errors import SpecError
from lowrankflow.factorizations import (
    DeepFactorization,
    Escaped,
    Identity,
    RandomPSD,
    SymmetricFactorization,
)
from lowrankflow.problems import EntrySampling, SensingProblem
from lowrankflow.reference import linear_loss_flow
from lowrankflow.simulation.specification import from_json, to_json

INSTANCE = lrf.named("li2021-4x4", {"R": 3.0}).problem
SYMMETRIC = SymmetricFactorization()


def rectangle(shape):
    rows, cols = np.unravel_index([0, 4, 5, 7], shape)
    return SensingProblem(EntrySampling(rows, cols, shape), [1.0, -2.0, 0.5, 1.5])


def pull(problem):
    return -np.asarray(problem.gradient(np.zeros(problem.shape)).to_dense())


@pytest.mark.parametrize("inner", [Identity(1.0), RandomPSD(2.0)])
def test_it_is_where_the_linear_flow_arrives(inner):
    start = Escaped(inner, -30.0)
    (factor,) = start.factors(INSTANCE, SYMMETRIC, seed=1)
    (unit,) = inner.factors(INSTANCE, SYMMETRIC, seed=1)
    time = start.elapsed(INSTANCE, SYMMETRIC, seed=1)
    expected = linear_loss_flow(pull(INSTANCE), start=1e-30 * unit @ unit.T, time=time)
    assert np.linalg.norm(factor @ factor.T, 2) == pytest.approx(1e-20, rel=1e-3)
    # Rounding of eigenvectors, times rates of some tens over the time.
    assert np.allclose(factor @ factor.T, expected, rtol=0, atol=1e-33)


@pytest.mark.parametrize("shape", [(3, 4), (4, 3), (3, 3)])
def test_two_factors_of_a_rectangle(shape):
    problem = rectangle(shape)
    factorization, inner = DeepFactorization(2, 5), lrf.Gaussian(1.0)
    start = Escaped(inner, -30.0)
    first, second = start.factors(problem, factorization, seed=2)
    assert (first.shape, second.shape) == factorization.shapes(shape)
    one, two = inner.factors(problem, factorization, seed=2)
    stacked = 1e-15 * np.concatenate([two, one.T])
    matrix = np.block(
        [
            [np.zeros((shape[0],) * 2), pull(problem)],
            [pull(problem).T, np.zeros((shape[1],) * 2)],
        ]
    )
    values, vectors = np.linalg.eigh(matrix)
    time = start.elapsed(problem, factorization, seed=2)
    grown = (vectors * np.exp(values * time)) @ vectors.T @ stacked
    expected = grown[: shape[0]] @ grown[shape[0] :].T
    assert np.allclose(second @ first, expected, rtol=0, atol=1e-33)


def test_it_leads_where_a_plain_start_leads():
    def end(start):
        return lrf.simulate(
            INSTANCE,
            SYMMETRIC,
            lrf.GradientFlow(rtol=1e-7, atol=1e-7),
            start=start,
            stop=lrf.Stop(loss=1e-16),
            schedule=lrf.OnlyEnds(),
        ).matrix

    plain, escaped = end(Identity(1e-40)), end(Escaped(Identity(1.0), -40.0))
    # The tolerance of the flow, some hundred steps of it.
    assert np.allclose(plain, escaped, rtol=0, atol=1e-4)


def test_scales_below_every_number():
    problem = lrf.named("li2021-4x4").problem
    (factor,) = Escaped(Identity(1.0), -3000.0).factors(problem, SYMMETRIC, seed=0)
    norms = np.linalg.norm(factor, axis=0)
    assert norms[0] == pytest.approx(1e-10)
    # alpha^(1 - mu_2/mu_1) times the same power of what the first has grown to.
    mu = (1 + np.sqrt(40001)) / 2
    logs = 2 * np.log10(norms[1])
    assert logs == pytest.approx(-3000 / mu - 20 * (1 - 1 / mu), abs=1e-6)
    assert np.all(norms[2:] == 0)


def test_it_is_plain_data():
    start = Escaped(RandomPSD(2.0), -3000.0)
    assert from_json(to_json(start)) == start


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Escaped(-3.0, -3.0), r"`Escaped\(start\)`: W_0 is given by a start"),
        (lambda: Escaped(Identity(1.0), -np.inf), r"`Escaped\(log10_factor\)`: .*-inf"),
        (
            lambda: Escaped(Identity(1.0), -3.0).factors(INSTANCE, SYMMETRIC, seed=0),
            r"`Escaped\(log10_factor\)`: W\(0\) is below 1e-20 .*\^-3\. Use its start",
        ),
        (
            lambda: Escaped(Identity(1.0), -4000.0).factors(
                INSTANCE, SYMMETRIC, seed=0
            ),
            r"arrives with a size of at least 1e-150 .*\^-4000\. Give a larger",
        ),
        (
            lambda: Escaped(Identity(1.0), -40.0).factors(
                INSTANCE, DeepFactorization(3), seed=0
            ),
            r"`Escaped`: the flow near zero is linear .* Use SymmetricFactorization",
        ),
    ],
)
def test_what_it_refuses(make, message):
    with pytest.raises(SpecError, match=message):
        make()
