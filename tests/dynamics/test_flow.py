"""Gradient flow on the factors: accuracy, closed forms, symmetries, ends, chunks."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.integrate import solve_ivp

import lowrankflow as lrf
from lowrankflow.dynamics.integrator import first_state
from lowrankflow.errors import SpecError
from lowrankflow.problems.losses import AbstractLoss
from lowrankflow.problems.planted import measure
from lowrankflow.reference import (
    drive_to_reach,
    driven_value,
    full_observation_flow,
    full_observation_value,
    linear_loss_flow,
)
from lowrankflow.result import Result

PROPERTY = settings(max_examples=10, deadline=None)
WIDTHS = {(5, 7): (7, 6, 8, 5), (7, 5): (5, 8, 6, 7)}
SHAPES = list(WIDTHS)
COUNT = 20


def drawn(*names):
    return np.random.default_rng(list("/".join(map(str, names)).encode()))


def rotation(rng, size):
    return np.linalg.qr(rng.standard_normal((size, size)))[0]


def stack_and_target(shape):
    rng = drawn("problem")
    stack = rng.standard_normal((COUNT, 5, 7)) / np.sqrt(COUNT)
    target = rng.standard_normal((5, 2)) @ rng.standard_normal((2, 7))
    target *= 3 / np.linalg.norm(target)
    if shape == (5, 7):
        return stack, target
    return stack.transpose(0, 2, 1), target.T


def case(shape=(5, 7), *, scale=0.3, seed=1):
    """Gaussian measurements of a rank 2 matrix, depth 3, and an unbalanced start."""
    stack, target = stack_and_target(shape)
    problem = measure(target, lrf.DenseSensing(stack))
    factorization = lrf.DeepFactorization(3, WIDTHS[shape])
    return problem, factorization, gaussian(problem, factorization, scale, seed)


def gaussian(problem, factorization, scale, seed):
    return lrf.Gaussian(scale).factors(problem, factorization, seed=seed)


def run(problem, factorization, factors, *, tol=1e-7, method="auto", **rules):
    return lrf.simulate(
        problem,
        factorization,
        lrf.GradientFlow(rtol=tol, atol=tol, method=method),
        start=lrf.GivenFactors(factors),
        stop=lrf.Stop(**rules),
        schedule=lrf.OnlyEnds(),
    )


def reference(problem, factorization, factors, time):
    """The end-to-end matrix at a time, by SciPy, on the host throughout."""
    stack = np.asarray(problem.operator.stack)
    wanted = np.asarray(problem.measurements)
    sizes = np.cumsum([f.size for f in factors])[:-1]

    def split(flat):
        parts = np.split(flat, sizes)
        return [p.reshape(f.shape) for p, f in zip(parts, factors, strict=True)]

    def velocity(_, flat):
        point = split(flat)
        residual = stack @ factorization.end_to_end(point).ravel() - wanted
        pulled = factorization.pullback(
            point, (residual @ stack).reshape(problem.shape)
        )
        return -np.concatenate([p.ravel() for p in pulled])

    start = np.concatenate([f.ravel() for f in factors])
    solution = solve_ivp(
        velocity, (0, time), start, method="DOP853", rtol=1e-13, atol=1e-14
    )
    return factorization.end_to_end(split(solution.y[:, -1]))


def gaps(factors):
    """W_{j+1}' W_{j+1} - W_j W_j', which the flow keeps."""
    pairs = zip(factors[:-1], factors[1:], strict=True)
    return [after.T @ after - before @ before.T for before, after in pairs]


def relative(one, other):
    return np.linalg.norm(one - other) / np.linalg.norm(other)


def same_bits(one, other):
    leaves = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return all(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in leaves)


# Accuracy


@pytest.mark.parametrize(
    ("shape", "method", "power"),
    [
        # Error 1 / rtol^(p / q) for order p and an estimate of one step of order q:
        # 5 / 5 for Dormand-Prince, 2 / 3 for Chebyshev.
        ((5, 7), "explicit", 1.0),
        ((5, 7), "stabilized", 2 / 3),
        ((5, 7), "auto", 1.0),
        ((7, 5), "auto", 1.0),
    ],
)
def test_the_error_follows_the_tolerance(shape, method, power):
    setting = case(shape)
    exact = reference(*setting, 2.0)
    tolerances = 10.0 ** -np.arange(5, 9)
    errors = []
    for tol in tolerances:
        end = run(*setting, tol=tol, method=method, time=2.0)
        assert end.snapshot.time == 2.0
        errors.append(relative(end.matrix, exact))
    found = np.polyfit(np.log(tolerances), np.log(errors), 1)[0]
    # 0.2: steps are accepted anywhere between a third of the tolerance and all of it.
    assert found == pytest.approx(power, abs=0.2)
    # About fifty steps of explicit methods, thousands of the stabilized one at 1e-8.
    assert errors[0] < (1e-3 if method == "stabilized" else 1e-4)
    assert errors[-1] < (1e-5 if method == "stabilized" else 1e-7)


@pytest.mark.parametrize("shape", SHAPES)
def test_imbalance_is_constant(shape):
    # CLAIM 16, with the bound it states, from starts that are far from balanced.
    setting = case(shape)
    before = gaps(setting[2])
    assert max(np.abs(gap).max() for gap in before) > 0.1
    drifts = []
    for tol in (1e-5, 1e-9):
        end = run(*setting, tol=tol, loss=1e-10, iterations=20_000)
        assert end.result is Result.converged
        pairs = zip(before, gaps(end.factors), strict=True)
        drifts.append(max(np.abs(a - b).max() for a, b in pairs))
    assert drifts[1] < 1e-7
    # Four decades of tolerance: the error of the solver and not of the law.
    assert drifts[1] < 1e-2 * drifts[0]


@PROPERTY
@given(st.sampled_from(SHAPES), st.integers(0, 10**6), st.floats(0.05, 1.0))
def test_imbalance_is_constant_from_any_start(shape, seed, scale):
    problem, factorization, factors = case(shape, scale=scale, seed=seed)
    end = run(problem, factorization, factors, tol=1e-8, time=1.0)
    size = max(np.linalg.norm(f) ** 2 for f in (*factors, *end.factors))
    for before, after in zip(gaps(factors), gaps(end.factors), strict=True):
        # Some hundred steps, each within 1e-8 of the factors.
        assert np.abs(before - after).max() < 1e-6 * size


# Closed forms


TARGET = (lambda b: (b * np.array([3.0, 1.5, 0.5, -0.5, -1.0])) @ b.T)(
    rotation(drawn("target"), 5)
)
SYMMETRIC = lrf.SymmetricFactorization()


def whole(matrix):
    return lrf.SensingProblem.from_matrix(matrix)


@pytest.mark.parametrize("time", [0.4, 1.5])
def test_full_observation_of_a_symmetric_matrix(time):
    # CLAIM 41: any p.s.d. start, none of whose eigenvectors are the target's.
    (factor,) = lrf.RandomPSD(0.5).factors(whole(TARGET), SYMMETRIC, seed=0)
    end = run(whole(TARGET), SYMMETRIC, (factor,), tol=1e-10, time=time)
    exact = full_observation_flow(TARGET, start=factor @ factor.T, time=time)
    # 1e-8, as the claim states: some hundred steps, each within 1e-10.
    assert np.abs(end.matrix - exact).max() < 1e-8


def pull_of(matrix):
    return -jnp.sum(matrix * TARGET)


def test_a_linear_loss_of_a_symmetric_matrix():
    problem = lrf.Objective(pull_of, (5, 5))
    (factor,) = lrf.RandomPSD(0.5).factors(problem, SYMMETRIC, seed=0)
    end = run(problem, SYMMETRIC, (factor,), tol=1e-10, time=1.0)
    exact = linear_loss_flow(TARGET, start=factor @ factor.T, time=1.0)
    # CLAIM 41, with the bound it states, relative to what has grown e^6-fold.
    assert relative(end.matrix, exact) < 1e-8


@pytest.mark.parametrize(("shape", "depth"), [((5, 7), 2), ((7, 5), 3), ((5, 7), 4)])
def test_full_observation_from_an_aligned_start(shape, depth):
    rng = drawn("aligned")
    left, right = rotation(rng, 5), rotation(rng, 7)[:, :5]
    values = np.array([2.0, 1.4, 1.0, 0.6, 0.2])
    target = (left * values) @ right.T
    target = target if shape == (5, 7) else target.T
    problem = whole(target)
    factorization = lrf.DeepFactorization(depth)
    factors = lrf.Aligned(0.05).factors(problem, factorization, seed=0)
    for time in (0.5, 2.0, 6.0):
        end = run(problem, factorization, factors, tol=1e-10, time=time)
        exact = [
            full_observation_value(np.array([time]), start=0.05, target=v, depth=depth)
            for v in values
        ]
        found = lrf.metrics.singular_values(end.matrix)
        # 1e-8: some hundred steps, each within 1e-10, and a growth of up to fortyfold.
        np.testing.assert_allclose(found, np.ravel(exact), rtol=1e-8)
        assert end.snapshot.time == time


SLOPE = (lambda r: (r[0] * np.array([1.0, 0.7, 0.4, 0.2, 0.1])) @ r[1].T)(
    (rotation(drawn("left"), 5), rotation(drawn("right"), 7)[:, :5])
)
LOOKED = []


def linear(matrix):
    LOOKED.append(1)
    return -jnp.sum(matrix * SLOPE)


def linear_setting(scale):
    problem = lrf.Objective(linear, (5, 7))
    factorization = lrf.DeepFactorization(3)
    factors = lrf.Aligned(scale).factors(problem, factorization, seed=0)
    return problem, factorization, factors


def test_a_linear_loss_at_depth_three_follows_the_scalar_law_and_blows_up():
    blow_up = float(drive_to_reach(0.05, np.inf, depth=3))
    for time in (0.3 * blow_up, 0.9 * blow_up):
        end = run(*linear_setting(0.05), tol=1e-10, time=time)
        exact = driven_value(0.05, np.array([1.0, 0.7, 0.4, 0.2, 0.1]) * time, depth=3)
        found = lrf.metrics.singular_values(end.matrix)
        # 1e-7: 1e-10 per step, times the growth of 10 that errors of time suffer.
        np.testing.assert_allclose(found, exact, rtol=1e-7)
    end = run(*linear_setting(0.05), tol=1e-10, time=1e3)
    assert end.result is Result.diverged
    assert not end.result.is_success
    # Relative to its distance from the blow-up, time can be told to 1e-8.
    assert end.snapshot.time == pytest.approx(blow_up, rel=1e-6)
    assert np.isfinite(end.snapshot.loss)
    assert np.all(np.isfinite(end.matrix))
    assert all(np.all(np.isfinite(factor)) for factor in end.factors)


# Symmetries


def test_rotated_data_and_start_give_the_rotated_result():
    problem, factorization, factors = case()
    stack, target = stack_and_target((5, 7))
    rng = drawn("rotation")
    left, right = rotation(rng, 5), rotation(rng, 7)
    turned = measure(left @ target @ right.T, lrf.DenseSensing(left @ stack @ right.T))
    first, middle, last = factors
    plain = run(problem, factorization, factors, time=3.0)
    other = run(turned, factorization, (first @ right.T, middle, left @ last), time=3.0)
    # The same steps but for rounding; 1e-9 leaves room for some hundred of them.
    assert relative(other.matrix, left @ plain.matrix @ right.T) < 1e-9
    assert other.snapshot.iteration == plain.snapshot.iteration
    assert relative(other.factors[1], plain.factors[1]) < 1e-9


def test_the_transposed_problem_gives_the_transposed_result():
    factors = case((5, 7))[2]
    plain = run(*case((5, 7)), time=3.0)
    problem, factorization, _ = case((7, 5))
    other = run(problem, factorization, tuple(f.T for f in factors[::-1]), time=3.0)
    assert relative(other.matrix, plain.matrix.T) < 1e-9
    for one, transposed in zip(plain.factors, other.factors[::-1], strict=True):
        assert relative(transposed.T, one) < 1e-9


@PROPERTY
@given(st.integers(0, 10**6))
def test_a_rotation_of_hidden_units_changes_nothing_but_the_errors(seed):
    problem, factorization, (first, middle, last) = case()
    rng = np.random.default_rng(seed)
    one, two = rotation(rng, 6), rotation(rng, 8)
    turned = (one @ first, two @ middle @ one.T, last @ two.T)
    plain = run(problem, factorization, (first, middle, last), tol=1e-8, time=2.0)
    other = run(problem, factorization, turned, tol=1e-8, time=2.0)
    # Units have other sizes, hence other steps: the tolerance times a hundred of them.
    assert relative(other.matrix, plain.matrix) < 1e-6


def test_a_mean_loss_is_the_same_flow_in_slower_time():
    problem, factorization, factors = case()
    mean = lrf.SensingProblem(
        problem.operator,
        problem.measurements,
        normalization="mean",
        target=problem.target,
    )
    plain = run(problem, factorization, factors, time=1.5)
    slow = run(mean, factorization, factors, time=1.5 * COUNT)
    assert relative(slow.matrix, plain.matrix) < 1e-9
    assert slow.snapshot.loss == pytest.approx(plain.snapshot.loss / COUNT, rel=1e-9)
    # And without recompiling: measurements in another unit.
    scaled = measure(
        problem.target,
        lrf.DenseSensing(2 * problem.operator.stack.reshape(COUNT, 5, 7)),
    )
    fast = run(scaled, factorization, factors, time=1.5 / 4)
    assert relative(fast.matrix, plain.matrix) < 1e-9


@pytest.mark.parametrize("rank", [1, 3])
def test_rank_and_positive_semidefiniteness_are_kept(rank):
    # CLAIM 40, with the bound it states.
    rng = drawn("rank", rank)
    factor = 0.3 * rng.standard_normal((5, rank)) @ rng.standard_normal((rank, 5))
    for rules in ({"time": 0.7}, {"time": 4.0}):
        end = run(whole(TARGET), SYMMETRIC, (factor,), **rules)
        values = np.linalg.eigvalsh(end.matrix)[::-1]
        assert values[rank - 1] > 1e-3
        assert np.abs(values[rank:]).max() < 1e-10 * values[rank - 1]
        assert values[-1] > -1e-14 * values[0]


def test_the_rank_of_a_rectangle_is_kept():
    problem, factorization, _ = case()
    rng = drawn("rectangle")
    # Balanced and of rank 2: the law of the end-to-end matrix holds it there.
    values = np.array([0.8, 0.5])
    left, right = rotation(rng, 5)[:, :2], rotation(rng, 7)[:, :2]
    factors = lrf.factorizations.balanced_factors(
        factorization, left, values, right, rng
    )
    for time in (0.5, 3.0):
        end = run(problem, factorization, factors, time=time)
        found = lrf.metrics.singular_values(end.matrix)
        assert relative(end.matrix, (left * values) @ right.T) > 0.1
        assert found[1] > 1e-3
        # CLAIM 40's bound, for a rectangle.
        assert found[2] < 1e-10 * found[1]


# Ends


def test_each_end_says_why():
    setting = case()
    end = run(*setting, loss=1e-6, iterations=10_000)
    assert end.result is Result.converged
    assert end.snapshot.loss <= 1e-6
    end = run(*setting, gradient=1e-3, iterations=10_000)
    assert end.result is Result.stationary
    assert end.snapshot.gradient_norm <= 1e-3
    end = run(*setting, iterations=17)
    assert (end.result, end.snapshot.iteration) == (Result.iterations_reached, 17)
    for time in (0.1, np.pi):
        end = run(*setting, time=time)
        assert end.result is Result.time_reached
        # Exactly, and not only up to rounding.
        assert end.snapshot.time == time
    assert np.isfinite(end.snapshot.loss)


def test_without_a_feasible_point_the_flow_stalls_at_the_best_one():
    start = lrf.RandomPSD(0.5).factors(whole(TARGET), SYMMETRIC, seed=0)
    end = run(whole(TARGET), SYMMETRIC, start, loss=1e-6)
    assert end.result is Result.stalled
    values, vectors = np.linalg.eigh(TARGET)
    best = (vectors * values.clip(0)) @ vectors.T
    # 1e-6: the tolerance times ten; what is left of a negative direction decays.
    assert relative(end.matrix, best) < 1e-6
    assert end.snapshot.loss == pytest.approx((0.5**2 + 1) / 2, rel=1e-9)
    assert all(np.all(np.isfinite(factor)) for factor in end.factors)


def test_an_end_is_an_end():
    problem, factorization, factors = case()
    flow, stop = lrf.GradientFlow(1e-7, 1e-7), lrf.Stop(iterations=5)
    state = flow.init(problem, factorization, factors, seed=0)
    until = lrf.dynamics.Until.at(iteration=9)
    state = flow.advance(problem, factorization, state, until=until, stop=stop)
    assert int(state.iteration) == 5
    again = flow.advance(problem, factorization, state, until=until, stop=stop)
    assert same_bits(again, state)


# Chunks


@pytest.mark.parametrize("shape", SHAPES)
def test_chunks_and_whole_runs_have_the_same_bits(shape):
    problem, factorization, factors = case(shape)
    flow, stop = lrf.GradientFlow(1e-7, 1e-7), lrf.Stop(loss=1e-9, iterations=10_000)
    begin = flow.init(problem, factorization, factors, seed=0)

    def advance(state, iteration):
        until = lrf.dynamics.Until.at(iteration=iteration)
        return flow.advance(problem, factorization, state, until=until, stop=stop)

    at_once = advance(begin, None)
    assert int(at_once.iteration) > 100
    piecewise = begin
    for iteration in range(7, 3000, 7):
        piecewise = advance(piecewise, iteration)
    assert same_bits(piecewise, at_once)


@pytest.mark.parametrize("scale", [0.3, 1e-40])
def test_a_run_resumed_from_any_chunk_has_the_same_bits(scale):
    # 1e-40 begins with the closed first phase.
    (factor,) = lrf.RandomPSD(scale).factors(whole(TARGET), SYMMETRIC, seed=0)
    parts = {
        "problem": whole(TARGET),
        "factorization": SYMMETRIC,
        "dynamics": lrf.GradientFlow(1e-6, 1e-6),
        "start": lrf.GivenFactors((factor,)),
        "stop": lrf.Stop(loss=1e-9, iterations=200),
        "schedule": lrf.EveryIterations(3),
    }
    chunks = list(lrf.simulate_chunks(**parts))
    assert len(chunks) > 2
    for k, chunk in enumerate(chunks[:-1]):
        # By way of plain arrays, as a store would keep it.
        kept = jax.tree.map(lambda leaf: jnp.asarray(np.array(leaf)), chunk.state)
        rest = list(lrf.simulate_chunks(**parts, state=kept))
        assert len(rest) == len(chunks) - k - 1
        for one, other in zip(rest, chunks[k + 1 :], strict=True):
            assert same_bits(one.state, other.state)
            assert len(one.records) == len(other.records)
            for record, wanted in zip(one.records, other.records, strict=True):
                assert record.keys() == wanted.keys()
                assert all(np.array_equal(record[n], wanted[n]) for n in record)


# Compilation and precision


TRACED = []


class Counting(AbstractLoss):
    """The squared loss, which tells when it is looked at."""

    def value(self, prediction, measurement):
        TRACED.append(1)
        return (prediction - measurement) ** 2 / 2

    def derivative(self, prediction, measurement):
        TRACED.append(1)
        return prediction - measurement

    def check(self, measurements):
        return None


def test_new_values_do_not_recompile():
    seen = []
    # Tolerances of 1e-4 and more have a program of their own, without method changes.
    for k, tol in enumerate((1e-7, 1e-6, 1e-5)):
        rng = drawn("compilation", k)
        problem = lrf.SensingProblem(
            lrf.EntrySampling(np.array([0, 1, 1]), np.array([k, 0, 1]), (2, 3)),
            rng.standard_normal(3),
            loss=Counting(),
        )
        lrf.simulate(
            problem,
            lrf.DeepFactorization(3),
            lrf.GradientFlow(rtol=tol, atol=2 * tol),
            start=lrf.Gaussian(0.1 + 0.1 * k),
            seed=k,
            stop=lrf.Stop(loss=10 * tol, time=1.0 + k, iterations=100 + k),
            schedule=lrf.AtTimes([0.5 + k]),
        )
        seen.append(len(TRACED))
    assert seen[0] > 0
    assert seen[1] == seen[2] == seen[0]


def test_an_objective_is_traced_once():
    run(*linear_setting(0.05), time=0.1)
    LOOKED.clear()
    run(*linear_setting(0.04), tol=1e-6, time=0.2)
    # `Aligned` asks for one gradient at zero; the flow for nothing.
    assert len(LOOKED) <= 1 + 2


def test_float64_without_the_global_switch():
    wanted = run(*case(), time=1.0)
    with jax.enable_x64(False):
        found = run(*case(), time=1.0)
        assert jnp.ones(1).dtype == jnp.float32
        assert not jax.config.jax_enable_x64
        assert found.matrix.dtype == np.float64
        assert found.state.point[0].dtype == jnp.float64
    assert same_bits(found.factors, wanted.factors)


def test_bad_settings_are_refused():
    for name in ("rtol", "atol"):
        for value in (0.0, -1e-6, np.inf, np.nan, "tight", None):
            settings = {"rtol": 1e-6, "atol": 1e-6, name: value}
            with pytest.raises(SpecError, match=rf"`GradientFlow\({name}\)`: .* Got"):
                lrf.GradientFlow(**settings)
    with pytest.raises(SpecError, match=r"`GradientFlow\(method\)`: .* Got 'euler'"):
        lrf.GradientFlow(1e-6, 1e-6, method="euler")
    assert eqx.tree_equal(lrf.GradientFlow(1e-6, 1e-6), lrf.GradientFlow(1e-6, 1e-6))


def test_a_hidden_unit_whose_square_is_no_number_stops_no_flow():
    """Its norm was 0 and that of its velocity was not: the first step was 0."""
    factors = (np.array([[1.0, 1e-156], [2.0, 3e-156], [0.5, 1e-156]]),)
    factorization = lrf.SymmetricFactorization(2)
    pace = 1e5

    def evaluate(point):
        return (-pace * point[0],), pace * (point[0] ** 2).sum()

    with lrf.float64():
        state = first_state(
            evaluate,
            factorization.unit_norms,
            jax.tree.map(jnp.asarray, factors),
            atol=1e-6,
            time=0.0,
            linear_until=0.0,
            explicit=False,
            is_mirrored=False,
        )
        assert float(state.step) == pytest.approx(0.01 / pace)
        assert np.all(np.asarray(state.floor) > 0)
