"""Each step rule against a literal transcription of its definition."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from lowrankflow.dynamics.contract import Stop, Until
from lowrankflow.dynamics.descent import GradientDescent
from lowrankflow.dynamics.line_search import (
    ExactLineSearch,
    best_step,
    residual_polynomial,
)
from lowrankflow.dynamics.step_rules import (
    ConstantStep,
    HeavyBall,
    Nesterov,
    NormalizedStep,
)
from lowrankflow.errors import SpecError
from lowrankflow.factorizations import (
    AbstractFactorization,
    DeepFactorization,
    Gaussian,
    SymmetricFactorization,
)
from lowrankflow.problems import Huber, Objective, SensingProblem, to_dense
from lowrankflow.problems.planted import planted_completion, planted_psd_sensing

FOREVER = Stop()
NO_LIMIT = np.asarray(np.inf)
BEST = eqx.filter_jit(best_step)
POLYNOMIAL = eqx.filter_jit(residual_polynomial)


def completion(shape, **options):
    count = int(0.6 * shape[0] * shape[1])
    return planted_completion(shape, rank=2, num_observed=count, seed=3, **options)


def psd_sensing():
    return planted_psd_sensing(
        6, rank=2, num_measurements=12, seed=3, scale="near_isometry"
    )


def case(kind, shape=(5, 7)):
    """A problem, a factorization and a start: a depth, or "symmetric"."""
    if kind == "symmetric":
        problem, factorization = psd_sensing(), SymmetricFactorization()
    else:
        problem, factorization = completion(shape), DeepFactorization(kind)
    factors = Gaussian(init_scale=0.5).factors(problem, factorization, seed=1)
    return problem, factorization, factors


def factor_gradient(problem, factorization, factors):
    matrix = factorization.end_to_end(factors)
    gradient = np.asarray(to_dense(problem.gradient(matrix)))
    return factorization.pullback(factors, gradient)


def after(descent, problem, factorization, factors, iterations):
    state = descent.init(problem, factorization, factors, seed=0)
    state = descent.advance(
        problem,
        factorization,
        state,
        until=Until.at(iteration=iterations),
        stop=FOREVER,
    )
    return descent.snapshot(problem, factorization, state)


def assert_same_factors(got, wanted, rtol=1e-12):
    # 1e-12: 40 steps of a contraction, each with rounding errors of some 1e-15.
    for mine, theirs in zip(got, wanted, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("kind", [3, "symmetric"])
def test_heavy_ball_is_its_definition(kind):
    problem, factorization, factors = case(kind)
    rate, momentum, count = 0.01, 0.8, 40
    velocity = [np.zeros_like(factor) for factor in factors]
    point = factors
    for _ in range(count):
        gradient = factor_gradient(problem, factorization, point)
        velocity = [
            momentum * v - rate * g for v, g in zip(velocity, gradient, strict=True)
        ]
        point = tuple(w + v for w, v in zip(point, velocity, strict=True))
    got = after(
        GradientDescent(HeavyBall(rate, momentum)),
        problem,
        factorization,
        factors,
        count,
    )
    assert_same_factors(got.factors, point)
    assert got.time == pytest.approx(count * rate, rel=1e-15)


@pytest.mark.parametrize("kind", [3, "symmetric"])
def test_nesterov_is_its_definition(kind):
    problem, factorization, factors = case(kind)
    rate, momentum, count = 0.01, 0.8, 40
    velocity = [np.zeros_like(factor) for factor in factors]
    point = factors

    def ahead():
        return tuple(w + momentum * v for w, v in zip(point, velocity, strict=True))

    for _ in range(count):
        gradient = factor_gradient(problem, factorization, ahead())
        velocity = [
            momentum * v - rate * g for v, g in zip(velocity, gradient, strict=True)
        ]
        point = tuple(w + v for w, v in zip(point, velocity, strict=True))
    got = after(
        GradientDescent(Nesterov(rate, momentum)),
        problem,
        factorization,
        factors,
        count,
    )
    # The factors reported are those where the next gradient is taken.
    assert_same_factors(got.factors, ahead())


@pytest.mark.parametrize("kind", [3, "symmetric"])
def test_normalized_step_is_the_published_recursion(kind):
    problem, factorization, factors = case(kind)
    rate, decay, eps, count = 0.01, 0.9, 1e-4, 40
    mean, time, point = 0.0, 0.0, factors
    for t in range(1, count + 1):
        gradient = factor_gradient(problem, factorization, point)
        mean = decay * mean + (1 - decay) * sum((g**2).sum() for g in gradient)
        step = rate / (np.sqrt(mean / (1 - decay**t)) + eps)
        point = tuple(w - step * g for w, g in zip(point, gradient, strict=True))
        time += step
    descent = GradientDescent(NormalizedStep(rate, decay=decay, eps=eps))
    got = after(descent, problem, factorization, factors, count)
    assert_same_factors(got.factors, point)
    # 1e-12: a sum of 40 steps, each good to some 1e-15 relative.
    assert got.time == pytest.approx(time, rel=1e-12)
    assert got.extra["step"] == pytest.approx(step, rel=1e-12)


@pytest.mark.parametrize("kind", [3, "symmetric"])
def test_first_normalized_step_has_the_length_of_claim_27(kind):
    problem, factorization, factors = case(kind)
    rate, eps = 0.01, 0.5
    gradient = factor_gradient(problem, factorization, factors)
    slope = np.sqrt(sum((g**2).sum() for g in gradient))
    descent = GradientDescent(NormalizedStep(rate, eps=eps))
    got = after(descent, problem, factorization, factors, 1)
    moves = [a - b for a, b in zip(got.factors, factors, strict=True)]
    length = np.sqrt(sum((move**2).sum() for move in moves))
    # 1e-12: differences of factors of size 1 over moves of size 1e-2.
    assert length == pytest.approx(rate * slope / (slope + eps), rel=1e-12)
    inner = sum((-m * g).sum() for m, g in zip(moves, gradient, strict=True))
    assert inner == pytest.approx(length * slope, rel=1e-12)


@pytest.mark.parametrize("kind", [1, 2, 3, 4, "symmetric"])
def test_line_search_finds_the_least_loss_on_the_ray(kind):
    problem, factorization, factors = case(kind)
    gradient = factor_gradient(problem, factorization, factors)

    def point(step):
        return tuple(w - step * g for w, g in zip(factors, gradient, strict=True))

    def loss(step):
        residual = problem.residual(factorization.end_to_end(point(step)))
        return (residual**2).sum() / 2

    def derivative(step):
        there = factor_gradient(problem, factorization, point(step))
        return sum((a * b).sum() for a, b in zip(there, gradient, strict=True))

    # A limit far away: with another limit below, it is the same compiled code.
    free = GradientDescent(ExactLineSearch(max_step=1e6))
    got = after(free, problem, factorization, factors, 1)
    step = got.extra["step"]
    assert step > 0
    # 1e-9: a root good to rounding, times the curvature of a quartic and more.
    assert abs(derivative(step)) <= 1e-9 * derivative(0.0)
    # 1e-12: the loss found and the one here are rounded in their own ways.
    least = min(loss(s) for s in np.linspace(0, 4 * step, 200))
    assert got.loss <= least * (1 + 1e-12)

    limit = 0.4 * step
    clipped = GradientDescent(ExactLineSearch(max_step=limit))
    got = after(clipped, problem, factorization, factors, 1)
    assert 0 < got.extra["step"] <= limit
    least = min(loss(s) for s in np.linspace(0, limit, 200))
    assert got.loss <= least * (1 + 1e-12)


def test_line_search_leaps_over_a_hill():
    # ||r(s)||^2 = (s - 1)^2 (s - 3)^2 + (s - 3)^2 / 4: minima near 1 and at 3.
    first = np.polymul([1, -1], [1, -3])[::-1]
    second = np.array([-1.5, 0.5, 0.0])
    residuals = jnp.asarray(np.stack([first, second], axis=1))
    assert BEST(residuals, NO_LIMIT) == pytest.approx(3.0, rel=1e-12)
    # Held back before the hill it stays in the first valley, not at the limit.
    near = float(BEST(residuals, np.asarray(1.5)))
    sampled = np.linspace(0, 1.5, 100_001)
    heights = np.polyval(first[::-1], sampled) ** 2 + (0.5 * sampled - 1.5) ** 2
    # The minimum of samples 1.5e-5 apart is within that distance.
    assert near == pytest.approx(sampled[np.argmin(heights)], abs=1.5e-5)
    # Where only the descent into the first valley is allowed, the limit is best.
    assert BEST(residuals, np.asarray(0.5)) == pytest.approx(0.5)


def test_line_search_stays_put_without_a_slope():
    flat = jnp.asarray([[1.0, 2.0], [0.0, 0.0], [0.0, 0.0]])
    uphill = jnp.asarray([[1.0, 2.0], [1.0, 0.0], [0.0, 1.0]])
    for residuals in (flat, uphill, jnp.zeros((3, 2))):
        assert BEST(residuals, NO_LIMIT) == 0


def test_line_search_of_a_plain_matrix_is_the_quotient():
    # Depth 1: r(s) = r - s 𝒜(G), so s = <r, 𝒜(G)> / ||𝒜(G)||^2; entries give 1.
    problem, factorization, factors = case(1)
    got = after(GradientDescent(ExactLineSearch()), problem, factorization, factors, 1)
    assert got.extra["step"] == pytest.approx(1.0, rel=1e-12)
    # After it the observed entries are right, to rounding of numbers of size 1.
    assert got.loss < 1e-28


@pytest.mark.parametrize("kind", [1, 2, 3, 4, "symmetric"])
def test_residual_polynomial_is_the_residual(kind):
    problem, factorization, factors = case(kind)
    gradient = factor_gradient(problem, factorization, factors)
    coefficients = np.asarray(POLYNOMIAL(problem, factorization, factors, gradient))
    for step in (0.0, 0.1, -0.7):
        moved = tuple(w - step * g for w, g in zip(factors, gradient, strict=True))
        wanted = problem.residual(factorization.end_to_end(moved))
        got = sum(c * step**k for k, c in enumerate(coefficients))
        # 1e-12: sums of a few hundred products of numbers of size up to 10.
        np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12)


def test_descent_by_line_search_converges():
    problem, factorization, factors = case(2)
    descent = GradientDescent(ExactLineSearch(max_step=1e6))
    state = descent.init(problem, factorization, factors, seed=0)
    state = descent.advance(
        problem,
        factorization,
        state,
        until=Until.at(iteration=5000),
        stop=Stop(loss=1e-20),
    )
    got = descent.snapshot(problem, factorization, state)
    assert got.result.name == "converged"
    assert got.iteration < 5000


@pytest.mark.parametrize(
    ("rule", "names", "bad"),
    [
        (ConstantStep, {"learning_rate": 0.0}, "learning_rate"),
        (NormalizedStep, {"learning_rate": -1.0}, "learning_rate"),
        (NormalizedStep, {"learning_rate": 1e-3, "eps": 0.0}, "eps"),
        (NormalizedStep, {"learning_rate": 1e-3, "decay": 1.0}, "decay"),
        (HeavyBall, {"learning_rate": np.nan, "momentum": 0.5}, "learning_rate"),
        (HeavyBall, {"learning_rate": 1e-3, "momentum": -0.1}, "momentum"),
        (Nesterov, {"learning_rate": "fast", "momentum": 0.5}, "learning_rate"),
        (Nesterov, {"learning_rate": 1e-3, "momentum": None}, "momentum"),
        (ExactLineSearch, {"max_step": 0.0}, "max_step"),
        # Text that reads like a number is none, and neither is a truth value.
        (ConstantStep, {"learning_rate": "1e-3"}, "learning_rate"),
        (ConstantStep, {"learning_rate": True}, "learning_rate"),
        (NormalizedStep, {"learning_rate": 1e-3, "decay": "0.9"}, "decay"),
        (NormalizedStep, {"learning_rate": 1e-3, "decay": False}, "decay"),
        (NormalizedStep, {"learning_rate": 1e-3, "eps": True}, "eps"),
        (HeavyBall, {"learning_rate": 1e-3, "momentum": "0.5"}, "momentum"),
        (Nesterov, {"learning_rate": 1e-3, "momentum": np.bool_(False)}, "momentum"),
        (Nesterov, {"learning_rate": 1e-3, "momentum": [0.5]}, "momentum"),
        (ExactLineSearch, {"max_step": "1"}, "max_step"),
    ],
)
def test_numbers_out_of_range_are_refused(rule, names, bad):
    message = rf"`{rule.__name__}\({bad}\)`: this is a .*number.* Got .* Give for"
    with pytest.raises(SpecError, match=message):
        rule(**names)


def test_line_search_refuses_what_is_no_polynomial():
    problem, factorization, factors = case(2)
    descent = GradientDescent(ExactLineSearch())
    huber = completion((5, 7))
    huber = SensingProblem(huber.operator, huber.measurements, loss=Huber(1.0))
    free = Objective(lambda w: (w**4).sum(), (5, 7))
    for other, name in ((huber, "Huber"), (free, "Objective")):
        message = rf"`ExactLineSearch`: .* squared loss .* Got {name}\. Use Const"
        with pytest.raises(SpecError, match=message):
            descent.init(other, factorization, factors, seed=0)


def test_line_search_refuses_a_factorization_it_does_not_know():
    class Scaled(AbstractFactorization):
        def shapes(self, shape):
            return (shape,)

        @property
        def num_factors_in_product(self):
            return 1

        def end_to_end(self, factors):
            return 2 * factors[0]

        def pullback(self, factors, gradient):
            return (2 * gradient,)

        def unit_norms(self, factors):
            return jnp.linalg.norm(factors[0])[None]

    problem, _, factors = case(1)
    message = r"`ExactLineSearch`: the product .* Got Scaled\. Use ConstantStep"
    with pytest.raises(SpecError, match=message):
        GradientDescent(ExactLineSearch()).init(problem, Scaled(), factors, seed=0)


def test_momentum_zero_is_plain_descent():
    problem, factorization, factors = case(2)
    plain = after(
        GradientDescent(ConstantStep(0.01)), problem, factorization, factors, 20
    )
    for rule in (HeavyBall, Nesterov):
        descent = GradientDescent(rule(0.01, 0.0))
        got = after(descent, problem, factorization, factors, 20)
        # 1e-14: compiled apart, the two may round in different orders.
        assert_same_factors(got.factors, plain.factors, rtol=1e-14)
