"""The flow of W alone: against the factors', and how its singular parts move."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.integrate import solve_ivp

import lowrankflow as lrf
from lowrankflow.dynamics import (
    end_to_end_velocity,
    singular_value_velocity,
    singular_vector_velocity,
)
from lowrankflow.errors import DataError, SpecError
from lowrankflow.factorizations import balanced_factors
from lowrankflow.problems.planted import measure
from lowrankflow.result import Result

SHAPES = [(4, 4), (3, 5), (5, 3)]
DEPTHS = [1, 2, 3, 4]


def drawn(*names):
    return np.random.default_rng(list("/".join(map(str, names)).encode()))


def rotation(rng, size):
    return np.linalg.qr(rng.standard_normal((size, size)))[0]


def problem_of(shape):
    rng = drawn("problem", shape)
    stack = rng.standard_normal((8, *shape)) / np.sqrt(8)
    target = rng.standard_normal((shape[0], 2)) @ rng.standard_normal((2, shape[1]))
    return measure(2 * target / np.linalg.norm(target), lrf.DenseSensing(stack))


def gradient_of(problem, matrix):
    stack = np.asarray(problem.operator.stack)
    residual = stack @ matrix.ravel() - np.asarray(problem.measurements)
    return (residual @ stack).reshape(problem.shape)


def start(shape, depth, values=None):
    """Balanced factors of a matrix with distinct singular values."""
    rng = drawn("start", shape, depth)
    size = min(shape)
    values = np.linspace(0.9, 0.3, size) if values is None else values
    left, right = rotation(rng, shape[0])[:, :size], rotation(rng, shape[1])[:, :size]
    factorization = lrf.DeepFactorization(depth)
    return factorization, balanced_factors(factorization, left, values, right, rng)


def factor_flow(problem, factorization, factors, times):
    """End-to-end matrices at the times, from an independent solver of the factors."""
    sizes = np.cumsum([f.size for f in factors])[:-1]

    def split(flat):
        parts = np.split(flat, sizes)
        return [p.reshape(f.shape) for p, f in zip(parts, factors, strict=True)]

    def velocity(_, flat):
        point = split(flat)
        gradient = gradient_of(problem, factorization.end_to_end(point))
        pulled = factorization.pullback(tuple(point), gradient)
        return -np.concatenate([p.ravel() for p in pulled])

    begin = np.concatenate([f.ravel() for f in factors])
    solution = solve_ivp(
        velocity,
        (0, times[-1]),
        begin,
        method="DOP853",
        rtol=1e-13,
        atol=1e-14,
        t_eval=times,
    )
    return [factorization.end_to_end(split(y)) for y in solution.y.T]


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_velocity_is_that_of_balanced_factors(shape, depth):
    problem = problem_of(shape)
    factorization, factors = start(shape, depth)
    matrix = factorization.end_to_end(factors)
    gradient = gradient_of(problem, matrix)
    pulled = factorization.pullback(factors, gradient)
    wanted = np.zeros(shape)
    for j in range(depth):
        moved = (*factors[:j], -pulled[j], *factors[j + 1 :])
        wanted += factorization.end_to_end(moved)
    found = end_to_end_velocity(jnp.asarray(matrix), jnp.asarray(gradient), depth=depth)
    # 1e-13: rounding of one decomposition and a dozen products.
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("shape", SHAPES)
def test_its_path_is_that_of_balanced_factors(shape, depth):
    # CLAIM 17, with its bound for squares: thin powers make rectangles as exact.
    problem = problem_of(shape)
    factorization, factors = start(shape, depth)
    wanted = factor_flow(problem, factorization, factors, np.array([3.0]))[0]

    @jax.jit
    def compiled(matrix, stack, measurements):
        residual = stack @ matrix.ravel() - measurements
        gradient = (residual @ stack).reshape(shape)
        return end_to_end_velocity(matrix, gradient, depth=depth)

    data = np.asarray(problem.operator.stack), np.asarray(problem.measurements)
    solution = solve_ivp(
        lambda _, w: np.asarray(compiled(w.reshape(shape), *data)).ravel(),
        (0, 3.0),
        factorization.end_to_end(factors).ravel(),
        method="DOP853",
        rtol=1e-11,
        atol=1e-12,
    )
    assert np.abs(solution.y[:, -1].reshape(shape) - wanted).max() < 1e-6
    assert np.abs(wanted - factorization.end_to_end(factors)).max() > 0.1


@pytest.mark.parametrize(
    ("shape", "depth"), [((3, 5), 1), ((3, 5), 2), ((4, 4), 3), ((5, 3), 4)]
)
def test_the_dynamics_follows_that_path(shape, depth):
    problem = problem_of(shape)
    factorization, factors = start(shape, depth)
    times = np.array([0.5, 3.0])
    wanted = factor_flow(problem, factorization, factors, times)

    def end(tol, time, **others):
        return lrf.simulate(
            problem,
            factorization,
            lrf.EndToEndFlow(rtol=tol, atol=tol),
            start=lrf.GivenFactors(factors),
            stop=lrf.Stop(time=time, **others),
            schedule=lrf.OnlyEnds(),
        )

    for time, exact in zip(times, wanted, strict=True):
        got = end(1e-9, float(time))
        assert (got.result, got.snapshot.time) == (Result.time_reached, time)
        # CLAIM 17; some hundred steps, each within 1e-9.
        assert np.abs(got.matrix - exact).max() < 1e-6
        assert got.factors == ()
        assert got.snapshot.loss == pytest.approx(float(problem.value(got.matrix)))
    errors = [np.abs(end(tol, 3.0).matrix - exact).max() for tol in (1e-4, 1e-7)]
    assert errors[1] < 0.05 * errors[0]
    if depth > 1:
        # The velocity has no part that leaves the matrices of this rank.
        assert lrf.metrics.singular_values(got.matrix)[-1] > 1e-3
    # What is recorded: no imbalance without factors.
    assert "imbalance" not in got.records[0]
    assert got.records[-1]["evaluations"] > 0


def test_the_symmetric_flow_of_w():
    instance = lrf.named("li2021-4x4", {"R": 2.0})
    factorization = lrf.SymmetricFactorization()
    parts = {"start": lrf.RandomPSD(0.5), "seed": 3, "schedule": lrf.OnlyEnds()}
    one, other = (
        lrf.simulate(
            instance.problem, factorization, flow, stop=lrf.Stop(time=2.0), **parts
        )
        for flow in (lrf.EndToEndFlow(1e-9, 1e-9), lrf.GradientFlow(1e-7, 1e-7))
    )
    # 1e-5: some hundred steps of the second, each within 1e-7.
    assert np.abs(one.matrix - other.matrix).max() < 1e-5
    # Exactly symmetric: the velocity is a matrix plus its transpose.
    assert np.array_equal(one.matrix, one.matrix.T)


# Singular values and vectors


def split(matrix, like=None):
    """A thin decomposition, with signs as in another one nearby."""
    left, values, transposed = np.linalg.svd(matrix, full_matrices=False)
    right = transposed.T
    if like is not None:
        signs = np.sign(np.sum(left * like[0], axis=0))
        left, right = left * signs, right * signs
    return left, values, right


def around(shape, depth, step):
    """Decompositions along the flow at t - step, t and t + step, and the gradient."""
    problem = problem_of(shape)
    factorization, factors = start(shape, depth)
    matrices = factor_flow(
        problem, factorization, factors, np.array([1.0 - step, 1.0, 1.0 + step])
    )
    here = split(matrices[1])
    return (
        [split(matrices[0], here), here, split(matrices[2], here)],
        gradient_of(problem, matrices[1]),
    )


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("shape", SHAPES)
def test_singular_values_obey_their_equation(shape, depth):
    # CLAIM 18, with its bound; a central difference of step 1e-4 errs by some 1e-8.
    (before, here, after), gradient = around(shape, depth, 1e-4)
    difference = (after[1] - before[1]) / 2e-4
    found = singular_value_velocity(*here, gradient, depth=depth)
    assert np.abs(found).max() > 1e-2
    assert np.abs(found - difference).max() < 1e-6


@pytest.mark.parametrize("depth", DEPTHS[1:])
@pytest.mark.parametrize("shape", SHAPES)
def test_singular_vectors_obey_theirs(shape, depth):
    # CLAIM 19, with its bound, rectangles included.
    (before, here, after), gradient = around(shape, depth, 1e-4)
    left, right = singular_vector_velocity(*here, gradient, depth=depth)
    for found, k in ((left, 0), (right, 2)):
        difference = (after[k] - before[k]) / 2e-4
        assert np.abs(found).max() > 1e-2
        # Gaps of the values multiply the third derivatives: 1e-6 of vectors' speed.
        assert np.abs(found - difference).max() < 1e-6 * max(1, np.abs(found).max())


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(SHAPES), st.sampled_from(DEPTHS[1:]), st.integers(0, 10**6))
def test_vectors_at_rest_need_a_diagonal_gradient(shape, depth, seed):
    # CLAIM 20: U'U. S - S V'V. = -H o (U'GV), none of whose weights is zero.
    rng = np.random.default_rng(seed)
    size = min(shape)
    left, right = rotation(rng, shape[0])[:, :size], rotation(rng, shape[1])[:, :size]
    values = np.linspace(1.0, 0.2, size) + 0.05 * rng.uniform(size=size)
    gradient = rng.standard_normal(shape)
    one, other = singular_vector_velocity(left, values, right, gradient, depth=depth)
    found = left.T @ one * values - values[:, None] * (right.T @ other)
    off = ~np.eye(size, dtype=bool)
    squares, roots = values**2, (values**2) ** (1 / depth)
    top = squares[None, :] - squares[:, None]
    bottom = roots[None, :] - roots[:, None]
    weights = np.divide(top, bottom, out=np.zeros_like(top), where=off)
    inner = left.T @ gradient @ right
    assert np.abs(found + weights * inner)[off].max() < 1e-10
    assert weights[off].min() > 0
    # A velocity of orthonormal columns: U'U. is skew.
    for frame, velocity in ((left, one), (right, other)):
        skew = frame.T @ velocity
        assert np.abs(skew + skew.T).max() < 1e-10


def test_a_zero_value_does_not_move_and_equal_ones_have_no_vectors():
    left, right = rotation(drawn("a"), 4), rotation(drawn("b"), 4)
    gradient = drawn("c").standard_normal((4, 4))
    values = np.array([1.0, 0.5, -0.5, 0.0])
    for depth in (2, 3):
        found = singular_value_velocity(left, values, right, gradient, depth=depth)
        assert found[3] == 0
        assert np.all(found[:3] != 0)
    plain = singular_value_velocity(left, values, right, gradient, depth=1)
    assert plain[3] != 0
    with pytest.raises(DataError, match="must be distinct and non-zero"):
        singular_vector_velocity(left, values, right, gradient, depth=2)
    with pytest.raises(DataError, match="must be distinct and non-zero"):
        singular_vector_velocity(
            left, np.array([3.0, 2.0, 1.0, 0.0]), right, gradient, depth=2
        )
    for depth in (0, 1.5, True):
        with pytest.raises(SpecError, match=r"`singular_value_velocity\(depth\)`"):
            singular_value_velocity(left, values, right, gradient, depth=depth)
        with pytest.raises(SpecError, match=r"`singular_vector_velocity\(depth\)`"):
            singular_vector_velocity(left, values, right, gradient, depth=depth)


# li2021: the equation of M = W^(2/L)


def power_flow(problem, start, depth, time):
    """M' = -(grad f(M^P) M^P + M^P grad f(M^P)) for P = L / 2, at one time."""
    rows = np.asarray(problem.operator.row_index)
    cols = np.asarray(problem.operator.col_index)
    wanted = np.asarray(problem.measurements)

    def power(matrix):
        values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
        return (vectors * values.clip(0) ** (depth / 2)) @ vectors.T

    def velocity(_, flat):
        matrix = power(flat.reshape(4, 4))
        gradient = np.zeros((4, 4))
        gradient[rows, cols] = matrix[rows, cols] - wanted
        product = gradient @ matrix
        return -(product + product.T).ravel()

    solution = solve_ivp(
        velocity, (0, time), start.ravel(), method="DOP853", rtol=1e-12, atol=1e-13
    )
    return power(solution.y[:, -1].reshape(4, 4))


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_the_equation_of_a_power_of_w(depth):
    # CLAIM 44, with its bound, for the velocity of W; then for the flow of factors.
    instance = lrf.named("li2021-4x4", {"R": 2.0})
    values, vectors = np.array([0.8, 0.5, 0.3, 0.2]), rotation(drawn("power"), 4)
    matrix = (vectors * values) @ vectors.T
    gradient = np.asarray(instance.problem.gradient(matrix).to_dense())
    velocity = np.asarray(
        end_to_end_velocity(jnp.asarray(matrix), jnp.asarray(gradient), depth=depth)
    )
    root = (vectors * values ** (2 / depth)) @ vectors.T
    step = 1e-4
    wanted = [
        power_flow(instance.problem, root, depth, t) for t in (step, 2 * step, 0.4)
    ]
    # A one-sided difference of second order: an error of some step^2.
    difference = (4 * wanted[0] - wanted[1] - 3 * matrix) / (2 * step)
    size = np.abs(velocity).max()
    assert np.abs(velocity - difference).max() < 1e-5 * size
    solution = solve_ivp(
        lambda _, flat: -_velocity(instance.problem, flat.reshape(depth, 4, 4)).ravel(),
        (0, 0.4),
        np.stack([(vectors * values ** (1 / depth)) @ vectors.T] * depth).ravel(),
        method="DOP853",
        rtol=1e-12,
        atol=1e-13,
    )
    factors = solution.y[:, -1].reshape(depth, 4, 4)
    found = lrf.DeepFactorization(depth).end_to_end(tuple(factors))
    assert np.abs(found - wanted[2]).max() < 1e-8


def _velocity(problem, factors):
    factorization = lrf.DeepFactorization(len(factors))
    matrix = factorization.end_to_end(tuple(factors))
    rows = np.asarray(problem.operator.row_index)
    cols = np.asarray(problem.operator.col_index)
    gradient = np.zeros((4, 4))
    gradient[rows, cols] = matrix[rows, cols] - np.asarray(problem.measurements)
    return np.stack(factorization.pullback(tuple(factors), gradient))


# Refusals


def test_an_unbalanced_start_is_refused():
    problem, factorization = problem_of((3, 5)), lrf.DeepFactorization(3)
    flow = lrf.EndToEndFlow(1e-6, 1e-6)
    factors = lrf.Gaussian(1e-3).factors(problem, factorization, seed=0)
    message = (
        r"`EndToEndFlow`: the start must be balanced.* Got imbalance .*=Balanced\("
    )
    with pytest.raises(SpecError, match=message):
        flow.init(problem, factorization, factors, seed=0)
    # One entry off by a part in a million is seen too.
    factors = lrf.Balanced(0.1).factors(problem, factorization, seed=0)
    factors[1][0, 0] += 1e-6
    with pytest.raises(SpecError, match=message):
        flow.init(problem, factorization, factors, seed=0)


def test_bad_settings_are_refused():
    for name in ("rtol", "atol"):
        with pytest.raises(SpecError, match=rf"`EndToEndFlow\({name}\)`: .* Got -1"):
            lrf.EndToEndFlow(**{"rtol": 1e-6, "atol": 1e-6, name: -1})
    with pytest.raises(SpecError, match=r"`EndToEndFlow\(method\)`: .* Got 'rk4'"):
        lrf.EndToEndFlow(1e-6, 1e-6, method="rk4")
