"""The law of small directions: in closed form, and what a start gives to each."""

import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.dynamics.tail_law import law_growth, law_size, overlaps
from lowrankflow.factorizations import start_frames

DEPTHS = (2, 3, 4, 6)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("start", [1e-8, 1e-3, 2.0])
def test_growth_is_the_inverse_of_size(depth, start):
    for factor in (0.3, 1.0, 5.0, 30.0):
        growth = law_growth(depth, start, factor * start)
        # 1e-8: near runaway a rounding of the growth is multiplied a thousandfold.
        assert law_size(depth, start, growth) == pytest.approx(factor * start, rel=1e-8)
        assert (growth > 0) == (factor > 1)


@pytest.mark.parametrize("depth", DEPTHS)
def test_size_obeys_its_equation(depth):
    growth, step = 0.2, 1e-5
    size = law_size(depth, 0.1, growth)
    sizes = [law_size(depth, 0.1, growth + s) for s in (step, -step)]
    slope = (sizes[0] - sizes[1]) / (2 * step)
    # arora2019, theorem 3; 1e-7: the square of the step and rounding over it.
    assert slope == pytest.approx(depth * size ** (2 - 2 / depth), rel=1e-7)


def test_nothing_underflows_or_overflows():
    assert law_size(2, 1e-300, 345.0) == pytest.approx(1e-300 * np.exp(690.0), rel=1e-9)
    assert law_size(2, 1e-16, 1e4) == np.inf
    assert law_size(4, 1e-8, 1e9) == np.inf
    assert law_growth(4, 1e-8, 1e-8 * (1 + 1e-9)) > 0


@pytest.mark.parametrize("shape", [(5, 8), (8, 5)])
def test_overlaps_are_what_the_start_gives(shape):
    problem = lrf.planted_completion(shape=shape, rank=2, num_observed=25, seed=0)
    factorization, start = lrf.DeepFactorization(2), lrf.Balanced(0.3)
    frames = start_frames(start, problem, factorization, seed=4)
    factors = start.factors(problem, factorization, seed=4)
    # The frames are those that the start itself draws.
    matrix = frames.init_scale * frames.left @ frames.right.T
    assert np.allclose(matrix, factorization.end_to_end(factors), rtol=0, atol=1e-14)
    pull = -np.asarray(problem.gradient(np.zeros(shape)).to_dense())
    left, values, right = np.linalg.svd(pull, full_matrices=False)
    parts = overlaps((frames.left, frames.right), left, right.T)
    # A linear flow long enough for growing directions to leave the others behind.
    time = 9.0 / values[0]
    lifted = np.block(
        [[np.zeros((shape[0],) * 2), pull], [pull.T, np.zeros((shape[1],) * 2)]]
    )
    rates, basis = np.linalg.eigh(lifted)
    both = np.concatenate([factors[1], factors[0].T])
    moved = basis @ (np.exp(time * rates)[:, None] * (basis.T @ both))
    reached = moved[: shape[0]] @ moved[shape[0] :].T
    grown = np.exp(values * time)
    law = 0.3 * grown[:, None] * parts * grown
    inside = left.T @ reached @ right.T
    # What shrinks beside is e^-36 of the largest.
    assert np.allclose(inside, law, rtol=0, atol=1e-3 * np.abs(law).max())


def test_an_aligned_start_gives_the_same_to_all():
    assert np.array_equal(overlaps(None, np.eye(5)[:, :3], np.eye(4)[:, :3]), np.eye(3))
    frame = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 4)))[0]
    other = np.linalg.qr(np.random.default_rng(1).standard_normal((7, 4)))[0]
    assert np.allclose(overlaps((frame, other), frame, other), np.eye(4), atol=1e-14)
