"""Flows that keep W symmetric stay symmetric, on unstable paths too."""

import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.dynamics.first_phase import graded_units
from lowrankflow.dynamics.mirror import is_mirrored, mirrored, on_host

FLOW = lrf.GradientFlow(rtol=1e-5, atol=1e-5)


def recovery(seed=2):
    return lrf.symmetrized(lrf.named("li2021-20x20", {"seed": seed}).problem)


def skew(matrix):
    return np.linalg.norm(matrix - matrix.T) / np.linalg.norm(matrix)


def identities(size, depth, scale=0.1):
    return (scale * np.eye(size),) * depth


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_an_identity_start_on_a_symmetric_problem_is_mirrored(depth):
    assert is_mirrored(recovery(), identities(20, depth))


def test_a_general_mirror_image_is_found():
    rng = np.random.default_rng(3)
    first, middle = rng.standard_normal((4, 20)), rng.standard_normal((4, 4))
    factors = (first, middle + middle.T, first.T)
    assert is_mirrored(recovery(), factors)
    assert not is_mirrored(recovery(), (first, middle, first.T))
    assert not is_mirrored(recovery(), (first, middle + middle.T, 1.1 * first.T))


def test_measurements_that_are_not_symmetric_are_not_mirrored():
    plain = lrf.named("li2021-20x20", {"seed": 2}).problem
    assert not is_mirrored(plain, identities(20, 3))


def test_rectangles_are_not_mirrored():
    for shape in ((3, 5), (5, 3)):
        problem = lrf.planted_completion(shape, rank=1, num_observed=9, seed=0)
        factors = lrf.Identity(0.1).factors(problem, lrf.DeepFactorization(2), seed=0)
        assert not is_mirrored(problem, factors)


def test_an_objective_undefined_at_the_probe_is_not_mirrored():
    import jax.numpy as jnp

    problem = lrf.Objective(lambda W: jnp.sum(W**1.5), (3, 3))
    ones = np.ones((3, 3)) + np.eye(3)
    assert not is_mirrored(problem, (ones,))


def test_the_mean_with_the_mirror_image_is_its_own():
    rng = np.random.default_rng(0)
    tree = tuple(rng.standard_normal(s) for s in ((3, 5), (3, 3), (5, 3)))
    once = mirrored(tree)
    for factor, image in zip(once, once[::-1], strict=True):
        assert np.array_equal(factor, image.T)
    assert all(np.array_equal(a, b) for a, b in zip(once, mirrored(once), strict=True))


@pytest.mark.parametrize("depth", [3, 4, 5])
def test_grading_keeps_mirror_images_and_the_product(depth):
    problem = recovery()
    rng = np.random.default_rng(depth)
    half = [1e-6 * rng.standard_normal((20, 20)) for _ in range(depth // 2)]
    middle = 1e-6 * rng.standard_normal((20, 20))
    centre = [middle + middle.T] if depth % 2 else []
    factors = (*half, *centre, *(factor.T for factor in half[::-1]))
    deep = lrf.DeepFactorization(depth)
    graded = graded_units(problem, deep, factors, is_mirrored=True)
    for factor, image in zip(graded, graded[::-1], strict=True):
        assert np.array_equal(factor, image.T)
    product = deep.end_to_end(factors)
    error = np.linalg.norm(deep.end_to_end(graded) - product)
    assert error < 1e-12 * np.linalg.norm(product)


def test_the_skew_part_stays_at_rounding_where_the_flow_would_amplify_it():
    # Left to itself, rounding grows from 1e-16 to order one before the third plateau.
    run = lrf.simulate(
        recovery(),
        lrf.DeepFactorization(4),
        FLOW,
        start=lrf.Identity(1e-3),
        stop=lrf.Stop(loss=1e-2, iterations=2000),
        schedule=lrf.OnlyEnds(),
    )
    assert run.result is lrf.Result.converged
    assert skew(run.matrix) < 1e-14
    assert np.linalg.eigvalsh(run.matrix).min() > 0


def test_the_amplification_is_real():
    # The same start but for a skew part of 1e-12 ends elsewhere: the average with the
    # mirror image is what holds the path, and not a detail.
    problem = recovery()
    deep = lrf.DeepFactorization(4)
    factors = list(lrf.Identity(1e-3).factors(problem, deep, seed=0))
    push = np.random.default_rng(0).standard_normal((20, 20))
    factors[0] = factors[0] + 1e-12 * push
    run = lrf.simulate(
        problem,
        deep,
        FLOW,
        start=lrf.GivenFactors(tuple(factors)),
        stop=lrf.Stop(loss=1e-2, iterations=2000),
        schedule=lrf.OnlyEnds(),
    )
    assert skew(run.matrix) > 0.1


def test_the_end_to_end_flow_stays_symmetric_too():
    run = lrf.simulate(
        recovery(),
        lrf.DeepFactorization(3),
        lrf.EndToEndFlow(rtol=1e-3, atol=1e-3),
        start=lrf.Identity(1e-2),
        stop=lrf.Stop(time=6.0, iterations=300),
        schedule=lrf.OnlyEnds(),
    )
    assert skew(run.matrix) < 1e-14


@pytest.mark.parametrize(
    "step",
    [lrf.ConstantStep(learning_rate=0.02), lrf.HeavyBall(0.01, 0.5)],
    ids=["constant", "heavy ball"],
)
def test_descent_stays_symmetric_too(step):
    # Long enough for rounding to have grown past 1e-10 on its own.
    run = lrf.simulate(
        recovery(),
        lrf.DeepFactorization(4),
        lrf.GradientDescent(step),
        start=lrf.Identity(1e-2),
        stop=lrf.Stop(iterations=1000),
        schedule=lrf.OnlyEnds(),
    )
    assert run.records[-1]["loss"] < 0.3 * run.records[0]["loss"]
    assert skew(run.matrix) < 1e-14


def test_on_host_leaves_no_device_arrays():
    import jax

    with lrf.float64():
        moved = on_host({"a": jax.numpy.ones(2), "b": 3})
    assert isinstance(moved["a"], np.ndarray)
    assert moved["b"] == 3
