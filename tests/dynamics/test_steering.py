"""The time-ordered exponential: claims 1 to 4, controls, contract."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from lowrankflow.dynamics.contract import Stop, Until
from lowrankflow.dynamics.steering import SteeredFlow
from lowrankflow.errors import SpecError
from lowrankflow.factorizations import DeepFactorization, SymmetricFactorization
from lowrankflow.problems import (
    CommutingSensing,
    DenseSensing,
    Logistic,
    Objective,
    SensingProblem,
    lift,
)
from lowrankflow.problems.planted import planted_completion
from lowrankflow.result import Result

FOREVER = Stop()
SYMMETRIC = SymmetricFactorization()
SIZE, COUNT = 5, 3


def drawn(*names):
    return np.random.default_rng(list(map(ord, "".join(names))))


def truth():
    factor = drawn("truth").standard_normal((SIZE, 2))
    return factor @ factor.T / 2


def start():
    return (0.5 * drawn("start").standard_normal((SIZE, SIZE)),)


def measured(operator):
    return SensingProblem(operator, operator.apply(truth()))


def general():
    """Measurements that do not commute, not even symmetric."""
    return measured(
        DenseSensing(drawn("general").standard_normal((COUNT, SIZE, SIZE)) / 3)
    )


def commuting():
    basis, _ = np.linalg.qr(drawn("basis").standard_normal((SIZE, SIZE)))
    eigenvalues = drawn("eigenvalues").standard_normal((COUNT, SIZE)) / 2
    return measured(CommutingSensing(basis, eigenvalues))


def stack(problem):
    units = np.eye(problem.num_measurements)
    matrices = np.stack(
        [np.asarray(problem.operator.adjoint(unit).to_dense()) for unit in units]
    )
    return (matrices + matrices.transpose(0, 2, 1)) / 2


def path(problem, time, *, on="matrix", factor=None):
    """X(time) and the integral of -r, from X' or U', by an independent solver."""
    matrices = stack(problem)
    factor = start()[0] if factor is None else factor
    y = problem.measurements

    def residual(matrix):
        return np.tensordot(matrices, matrix, 2) - y

    def velocity(_, flat):
        point = flat[: SIZE**2].reshape(SIZE, SIZE)
        if on == "matrix":
            r = residual(point)
            pull = np.tensordot(r, matrices, 1)
            moved = -(pull @ point + point @ pull)
        else:
            r = residual(point @ point.T)
            moved = -np.tensordot(r, matrices, 1) @ point
        return np.concatenate([moved.ravel(), -r])

    first = factor @ factor.T if on == "matrix" else factor
    first = np.concatenate([first.ravel(), np.zeros(len(y))])
    solution = solve_ivp(
        velocity, (0, time), first, method="DOP853", rtol=1e-12, atol=1e-13
    )
    end = solution.y[: SIZE**2, -1].reshape(SIZE, SIZE)
    return (end if on == "matrix" else end @ end.T), solution.y[SIZE**2 :, -1]


def run(flow, problem, *, iteration=None, time=np.inf, stop=FOREVER, factors=None):
    factors = start() if factors is None else factors
    state = flow.init(problem, SYMMETRIC, factors, seed=0)
    until = Until.at(time=time, iteration=iteration)
    return flow.advance(problem, SYMMETRIC, state, until=until, stop=stop)


def seen(flow, problem, state):
    return flow.snapshot(problem, SYMMETRIC, state)


def formula(problem, s, *, factor=None):
    """exp(𝒜*(s)) X_0 exp(𝒜*(s))."""
    factor = start()[0] if factor is None else factor
    growth = expm(np.tensordot(s, stack(problem), 1))
    return growth @ factor @ factor.T @ growth


@pytest.mark.parametrize("make", [general, commuting])
def test_the_factor_and_the_matrix_move_alike(make):
    # CLAIM 1, with the bound it states.
    problem = make()
    by_matrix, _ = path(problem, 1.0)
    by_factor, _ = path(problem, 1.0, on="factor")
    assert np.abs(by_matrix - by_factor).max() < 1e-8


@pytest.mark.parametrize("make", [general, commuting])
def test_it_is_of_first_order(make):
    # CLAIM 4: the error halves with the step; 0.1 as the claim says, at steps where the
    # next order is below that.
    problem = make()
    limit, _ = path(problem, 1.0)
    errors = []
    for k in (8, 9, 10):
        flow = SteeredFlow(step=2.0**-k)
        got = seen(flow, problem, run(flow, problem, time=1.0))
        assert (got.time, got.iteration) == (1.0, 2**k)
        errors.append(np.linalg.norm(got.matrix - limit))
    assert errors[0] / errors[1] == pytest.approx(2.0, abs=0.1)
    assert errors[1] / errors[2] == pytest.approx(2.0, abs=0.1)


def test_it_stays_symmetric_and_semidefinite():
    # CLAIM 4: exactly, even at a step far too long to follow the flow.
    problem = general()
    flow = SteeredFlow(step=0.5)
    state = flow.init(problem, SYMMETRIC, start(), seed=0)
    for k in range(1, 6):
        until = Until.at(iteration=k)
        state = flow.advance(problem, SYMMETRIC, state, until=until, stop=FOREVER)
        got = seen(flow, problem, state)
        assert np.array_equal(got.matrix, got.matrix.T)
        values = np.linalg.eigvalsh(got.matrix)
        # 1e-14: what an eigendecomposition of a singular p.s.d. matrix may leave.
        assert values[0] >= -1e-14 * values[-1]


def test_one_step_is_the_exponential():
    problem = general()
    (factor,) = start()
    residual = np.asarray(problem.residual(factor @ factor.T))
    growth = expm(-0.3 * np.tensordot(residual, stack(problem), 1))
    flow = SteeredFlow(step=0.3)
    got = seen(flow, problem, run(flow, problem, iteration=1))
    # 1e-12: two algorithms for one exponential of a matrix of norm about 10.
    np.testing.assert_allclose(got.factors[0], growth @ factor, rtol=1e-12, atol=1e-12)
    assert got.extra == {"step": 0.3}
    matrix = got.matrix
    wanted = problem.operator.adjoint(problem.residual(matrix)).to_dense()
    wanted = np.linalg.norm((wanted + wanted.T) / 2 @ got.factors[0])
    assert got.gradient_norm == pytest.approx(wanted, rel=1e-12)
    assert got.loss == pytest.approx(float(problem.value(matrix)), rel=1e-12)


def test_commuting_measurements_have_a_closed_form():
    # CLAIM 2, for the flow and for every step of ours, with the bound it states.
    problem = commuting()
    limit, s = path(problem, 2.0)
    assert np.abs(limit - formula(problem, s)).max() < 1e-9
    flow = SteeredFlow(step=0.05)
    state = flow.init(problem, SYMMETRIC, start(), seed=0)
    s = np.zeros(COUNT)
    for k in range(1, 21):
        s -= 0.05 * np.asarray(problem.residual(seen(flow, problem, state).matrix))
        until = Until.at(iteration=k)
        state = flow.advance(problem, SYMMETRIC, state, until=until, stop=FOREVER)
    assert np.abs(seen(flow, problem, state).matrix - formula(problem, s)).max() < 1e-9


def test_others_have_not():
    # CLAIM 3, with the bound it states; the path must be long for it to matter.
    problem = general()
    (factor,) = start()
    limit, s = path(problem, 6.0, factor=factor / 20)
    error = np.linalg.norm(limit - formula(problem, s, factor=factor / 20))
    assert error > 1e-2 * np.linalg.norm(limit)


def test_it_turns_with_its_data():
    turn, _ = np.linalg.qr(drawn("turn").standard_normal((SIZE, SIZE)))
    problem, (factor,) = general(), start()
    turned = SensingProblem(
        DenseSensing(turn @ stack(problem) @ turn.T), problem.measurements
    )
    flow = SteeredFlow(step=0.02)
    one = seen(flow, problem, run(flow, problem, iteration=100))
    state = run(flow, turned, iteration=100, factors=(turn @ factor,))
    other = seen(flow, turned, state)
    # 1e-11: a hundred contracting steps, each with rounding errors of some 1e-15.
    np.testing.assert_allclose(turn @ one.matrix @ turn.T, other.matrix, atol=1e-11)


def swinging(time, matrix):
    waves = jnp.sin(jnp.arange(1.0, COUNT + 1) * 3 * time)
    return waves + jnp.tanh(jnp.trace(matrix)) / 10


def test_any_control_stays_on_the_manifold_when_measurements_commute():
    # gunasekar2017, equation (11): log of U U_0^-1 stays in the span of the A_k.
    problem, (factor,) = commuting(), start()
    flow = SteeredFlow(step=0.1, control=swinging)
    got = seen(flow, problem, run(flow, problem, iteration=15))
    growth = got.factors[0] @ np.linalg.inv(factor)
    values, vectors = np.linalg.eigh((growth + growth.T) / 2)
    exponent = ((vectors * np.log(values)) @ vectors.T).ravel()
    span = stack(problem).reshape(COUNT, -1).T
    s, *_ = np.linalg.lstsq(span, exponent)
    # 1e-10: rounding of the inverse and the logarithm, conditions below 1e4.
    assert np.linalg.norm(span @ s - exponent) < 1e-10
    # The control sees the time and the matrix at the start of each step.
    state, wanted = run(flow, problem, iteration=0), np.zeros(COUNT)
    for k in range(1, 16):
        before = seen(flow, problem, state)
        wanted -= 0.1 * np.asarray(swinging(before.time, before.matrix))
        until = Until.at(iteration=k)
        state = flow.advance(problem, SYMMETRIC, state, until=until, stop=FOREVER)
    np.testing.assert_allclose(s, wanted, atol=1e-10)


def test_the_residual_as_a_control_is_the_default():
    problem = general()
    operator, measurements = problem.operator, problem.measurements
    control = SteeredFlow(0.05, lambda _, matrix: operator.apply(matrix) - measurements)
    plain = SteeredFlow(0.05)
    one, other = (
        seen(f, problem, run(f, problem, iteration=50)) for f in (plain, control)
    )
    # 1e-12: compiled apart, the two may round in different orders.
    np.testing.assert_allclose(one.matrix, other.matrix, rtol=1e-12, atol=1e-12)


def test_other_losses_steer_by_their_slopes():
    operator = general().operator
    problem = SensingProblem(operator, np.array([1.0, -1.0, 1.0]), loss=Logistic())
    (factor,) = start()
    slopes = np.asarray(problem.slopes(factor @ factor.T))
    flow = SteeredFlow(step=0.3)
    got = seen(flow, problem, run(flow, problem, iteration=1))
    wanted = expm(-0.3 * np.tensordot(slopes, stack(problem), 1)) @ factor
    # 1e-12: two algorithms for one exponential.
    np.testing.assert_allclose(got.factors[0], wanted, rtol=1e-12, atol=1e-12)


def test_stop_rules_and_resumption():
    problem = general()
    flow = SteeredFlow(step=0.05)

    def end(**rules):
        return seen(
            flow, problem, run(flow, problem, iteration=9000, stop=Stop(**rules))
        )

    got = end(loss=1e-8)
    assert got.result is Result.converged
    assert got.loss <= 1e-8
    got = end(gradient=1e-3)
    assert got.result is Result.stationary
    assert got.gradient_norm <= 1e-3
    got = end(time=1.01)
    assert got.result is Result.time_reached
    assert got.time == pytest.approx(1.05)
    got = end(iterations=7)
    assert (got.result, got.iteration) == (Result.iterations_reached, 7)
    whole = run(flow, problem, iteration=40)
    state = jax.tree.map(
        lambda leaf: jnp.asarray(np.array(leaf)), run(flow, problem, iteration=11)
    )
    state = flow.advance(
        problem, SYMMETRIC, state, until=Until.at(iteration=40), stop=FOREVER
    )
    for one, other in zip(jax.tree.leaves(whole), jax.tree.leaves(state), strict=True):
        assert np.array_equal(one, other)


def test_divergence_is_a_result_with_a_finite_state():
    problem = general()
    flow = SteeredFlow(step=100.0)
    got = seen(flow, problem, run(flow, problem, iteration=1000))
    assert got.result is Result.diverged
    assert np.isfinite(got.loss)
    assert np.all(np.isfinite(got.matrix))


def test_lifted_problems_can_be_steered():
    rectangular = planted_completion((3, 4), rank=1, num_observed=8, seed=0)
    problem = lift(rectangular)
    factors = (0.1 * drawn("lifted").standard_normal((7, 7)),)
    flow = SteeredFlow(step=0.1)
    state = run(flow, problem, iteration=3000, stop=Stop(loss=1e-8), factors=factors)
    got = seen(flow, problem, state)
    assert got.result is Result.converged
    assert float(rectangular.value(got.matrix[:3, 3:])) == pytest.approx(got.loss)


def test_float64_without_the_global_switch_and_no_second_compilation():
    traces = []

    def control(time, matrix):
        traces.append(1)
        return jnp.stack([time, time**2, matrix[0, 0]])

    with jax.enable_x64(False):
        for step in (0.1, 0.05):
            flow = SteeredFlow(step=step, control=control)
            state = run(flow, general(), iteration=20, stop=Stop(loss=step))
            assert state.point[0].dtype == state.loss.dtype == jnp.float64
            if step == 0.1:
                first = len(traces)
                # Another chunk, from a state that has been through the loop.
                until, stop = Until.at(iteration=40), Stop(loss=step)
                flow.advance(general(), SYMMETRIC, state, until=until, stop=stop)
                assert len(traces) == first
        assert jnp.ones(1).dtype == jnp.float32
    # The check at the start may look at the control once more, without compiling.
    assert 0 < first <= len(traces) <= first + 1


def test_bad_settings_are_refused():
    with pytest.raises(SpecError, match=r"`SteeredFlow\(step\)`: .* Got 0\. Give"):
        SteeredFlow(step=0)
    problem = general()

    def begin(problem, factorization=SYMMETRIC, control=None):
        SteeredFlow(0.1, control).init(problem, factorization, start(), seed=0)

    free = Objective(lambda x: (x**2).sum(), (SIZE, SIZE))
    with pytest.raises(SpecError, match=r"`SteeredFlow`: .* Got Objective\. Use Grad"):
        begin(free)
    wide = planted_completion((3, 4), rank=1, num_observed=8, seed=0)
    with pytest.raises(SpecError, match=r"Got a problem .* lowrankflow\.lift\(problem"):
        begin(wide, DeepFactorization(2))
    message = r"U U'\. Got DeepFactorization\. Use SymmetricFactorization\(\)"
    with pytest.raises(SpecError, match=message):
        begin(problem, DeepFactorization(2))
    where = r"`SteeredFlow\(control\)`: it maps .* shape \(3,\)\. Got .*{}.* Write it"
    for control, got in (
        (lambda _, matrix: matrix[0], r"5"),
        (lambda _, matrix: matrix[:3, 0] > 0, r"bool"),
        (lambda matrix: matrix, r"TypeError"),
        (lambda _, matrix: 1.0, r"shape=\(\)"),
    ):
        with pytest.raises(SpecError, match=where.format(got)):
            begin(problem, control=control)
