"""razin2020: all norms grow without bound, or none, by the sign of a determinant."""

import functools

import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.result import Result

DEPTH3 = lrf.DeepFactorization(3)
INSTANCE = lrf.named("razin2020-2x2")


def sign(seed, scale):
    factors = lrf.Balanced(scale).factors(INSTANCE.problem, DEPTH3, seed=seed)
    return np.sign(np.linalg.det(DEPTH3.end_to_end(factors)))


@functools.cache
def flow(seed, scale, loss):
    """The run, and the losses and matrices of its records after the start."""
    matrices = []

    def corner(_, snapshot):
        matrices.append(snapshot.matrix)
        return snapshot.matrix[0, 0]

    run = lrf.simulate(
        INSTANCE.problem,
        DEPTH3,
        lrf.GradientFlow(rtol=1e-7, atol=1e-7),
        start=lrf.Balanced(scale),
        seed=seed,
        stop=lrf.Stop(loss=loss, iterations=200_000),
        schedule=lrf.GeometricIterations(1.02),
        observe={"corner": corner},
    )
    assert run.result is Result.converged
    return run, run.dataset.loss.values, np.array(matrices)


POSITIVE = [seed for seed in range(40) if sign(seed, 1e-2) > 0][:3]
NEGATIVE = [seed for seed in range(40) if sign(seed, 1e-2) < 0][:3]


@pytest.mark.parametrize("seed", POSITIVE)
def test_with_a_positive_determinant_the_entry_grows_at_its_rate(seed):
    # CLAIM 55.
    run, losses, matrices = flow(seed, 1e-2, 1e-5)
    corner = matrices[:, 0, 0]
    assert np.all(np.linalg.det(matrices) > 0)
    root = np.sqrt(2 * losses)
    low = losses < 0.5
    assert low.sum() > 20
    bound = (1 - root[low]) ** 2 / root[low]
    assert np.all(np.abs(corner[low]) >= bound)
    late = losses <= 1e-2
    product = np.abs(corner[late]) * root[late]
    assert product.min() >= 0.97
    assert product.max() <= 1.01
    # W_11 = (2 loss)^(-1/2): three decades of the loss.
    slope = np.polyfit(np.log(losses[late]), np.log(np.abs(corner[late])), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.01)
    assert np.abs(corner[-1]) > 200
    # All norms grow with it while the rank tends to one.
    nuclear = run.dataset.nuclear_norm.values[late]
    assert np.all(np.diff(nuclear) > 0)
    erank = run.dataset.effective_rank.values
    assert erank[-1] == pytest.approx(1, abs=1e-3)
    # Far above the least nuclear norm, which is attained.
    least = lrf.min_nuclear_norm(INSTANCE.problem)
    assert least.certificate.holds
    known = INSTANCE.known["min_nuclear_norm"].value
    assert np.linalg.norm(least.matrix, "nuc") == pytest.approx(known, rel=1e-6)
    assert nuclear[-1] > 100 * known


@pytest.mark.parametrize("seed", NEGATIVE)
def test_with_a_negative_determinant_it_stays_bounded(seed):
    # CLAIM 56: of order one at loss 1e-6, and the determinant tends to -1.
    _, losses, matrices = flow(seed, 1e-2, 1e-6)
    assert losses[-1] <= 1e-6
    assert np.all(np.linalg.det(matrices) < 0)
    assert np.abs(matrices[:, 0, 0]).max() < 6
    # det = W_11 W_22 - W_12 W_21, with residuals below sqrt(2e-6).
    slack = 1.5e-3 * (np.abs(matrices[-1, 0, 0]) + 2)
    assert np.linalg.det(matrices[-1]) == pytest.approx(-1, abs=slack)
