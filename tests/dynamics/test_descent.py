"""Descent against the flow; batches; stop rules; resumption; compilation."""

from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from lowrankflow.dynamics.batches import batch_seed, batch_weights
from lowrankflow.dynamics.contract import Stop, Until
from lowrankflow.dynamics.descent import GradientDescent
from lowrankflow.dynamics.line_search import ExactLineSearch
from lowrankflow.dynamics.step_rules import (
    ConstantStep,
    HeavyBall,
    Nesterov,
    NormalizedStep,
)
from lowrankflow.errors import SpecError
from lowrankflow.factorizations import (
    DeepFactorization,
    Gaussian,
    SymmetricFactorization,
)
from lowrankflow.metrics import imbalance
from lowrankflow.problems import (
    AbstractSensingOperator,
    Huber,
    Objective,
    PNorm,
    SensingProblem,
    Squared,
    to_dense,
)
from lowrankflow.problems.planted import planted_completion, planted_psd_sensing
from lowrankflow.result import Result

FOREVER = Stop()
KINDS = [(depth, shape) for depth in (1, 2, 3, 4) for shape in ((5, 7), (7, 5))]
KINDS.append(("symmetric", (6, 6)))
RULES = {
    "constant": ConstantStep(0.02),
    "normalized": NormalizedStep(0.02),
    "heavy ball": HeavyBall(0.02, 0.5),
    "nesterov": Nesterov(0.02, 0.5),
    "line search": ExactLineSearch(max_step=0.5),
}


def case(kind, shape=(5, 7), init_scale=0.5, norm=3.0):
    """A problem, a factorization and a start: a depth, or "symmetric"."""
    if kind == "symmetric":
        problem = planted_psd_sensing(
            6, rank=2, num_measurements=12, seed=3, scale="near_isometry", norm=norm
        )
        factorization = SymmetricFactorization()
    else:
        count = int(0.6 * shape[0] * shape[1])
        problem = planted_completion(
            shape, rank=2, num_observed=count, seed=3, norm=norm
        )
        factorization = DeepFactorization(kind)
    factors = Gaussian(init_scale).factors(problem, factorization, seed=1)
    return problem, factorization, factors


def run(descent, setting, *, iteration=None, time=np.inf, stop=FOREVER, seed=0):
    problem, factorization, factors = setting
    state = descent.init(problem, factorization, factors, seed=seed)
    return go_on(descent, setting, state, iteration=iteration, time=time, stop=stop)


def go_on(descent, setting, state, *, iteration=None, time=np.inf, stop=FOREVER):
    problem, factorization, _ = setting
    until = Until.at(time=time, iteration=iteration)
    return descent.advance(problem, factorization, state, until=until, stop=stop)


def seen(descent, setting, state):
    return descent.snapshot(setting[0], setting[1], state)


def flow(setting, time):
    """The end-to-end matrix of the gradient flow, by an independent solver."""
    problem, factorization, factors = setting
    shapes = [factor.shape for factor in factors]
    ends = np.cumsum([0] + [factor.size for factor in factors])

    def split(flat):
        return tuple(
            flat[a:b].reshape(shape)
            for a, b, shape in zip(ends[:-1], ends[1:], shapes, strict=True)
        )

    def velocity(_, flat):
        point = split(flat)
        gradient = to_dense(problem.gradient(factorization.end_to_end(point)))
        pulled = factorization.pullback(point, np.asarray(gradient))
        return -np.concatenate([np.ravel(p) for p in pulled])

    start = np.concatenate([np.ravel(factor) for factor in factors])
    solution = solve_ivp(
        velocity, (0, time), start, method="DOP853", rtol=1e-11, atol=1e-12
    )
    return factorization.end_to_end(split(solution.y[:, -1]))


def same_bits(one, other):
    leaves = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return all(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in leaves)


@pytest.mark.parametrize(("kind", "shape"), KINDS)
def test_descent_tends_to_the_flow_at_first_order(kind, shape):
    setting = case(kind, shape)
    limit = flow(setting, 0.8)
    rates = 0.8 / 2.0 ** np.arange(6, 11)
    errors = []
    for rate in rates:
        descent = GradientDescent(ConstantStep(rate))
        got = seen(descent, setting, run(descent, setting, time=0.8))
        assert got.time == pytest.approx(0.8, rel=1e-15)
        errors.append(np.linalg.norm(got.matrix - limit))
    order = np.polyfit(np.log(rates), np.log(errors), 1)[0]
    assert order == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("kind", [2, 4, "symmetric"])
def test_loss_never_rises_below_the_stable_step(kind):
    problem, factorization, factors = setting = case(kind)
    # Near a balanced solution the Hessian is at most N s^(2 - 2/N) for 𝒜 of norm 1, so
    # steps up to twice its inverse are stable there; an eighth of that leaves room for
    # the way from a start that is not balanced.
    depth = factorization.num_factors_in_product
    largest = np.linalg.norm(problem.target, 2)
    sensing = problem.operator.norm_bound() ** 2
    rate = 0.25 / (sensing * depth * largest ** (2 - 2 / depth))
    descent = GradientDescent(ConstantStep(rate))
    state = descent.init(problem, factorization, factors, seed=0)
    losses = [float(state.loss)]
    for k in range(1, 301):
        state = go_on(descent, setting, state, iteration=k)
        losses.append(float(state.loss))
    assert np.all(np.diff(losses) <= 0)
    assert losses[-1] < 0.2 * losses[0]


def test_the_stable_step_of_a_plain_matrix_is_two():
    # Observed entries of W: each error is multiplied by 1 - rate.
    setting = case(1)
    falling, rising = (GradientDescent(ConstantStep(rate)) for rate in (1.9, 2.1))
    first = float(run(falling, setting, iteration=0).loss)
    assert float(run(falling, setting, iteration=5).loss) == pytest.approx(
        first * 0.9**10, rel=1e-12
    )
    assert float(run(rising, setting, iteration=5).loss) == pytest.approx(
        first * 1.1**10, rel=1e-12
    )


def test_imbalance_drifts_at_first_order():
    # CLAIM 16: constant along the flow, O(rate) under descent: halves with the rate.
    setting = case(3)
    _, _, factors = setting

    def imbalances(factors):
        pairs = zip(factors[:-1], factors[1:], strict=True)
        return [after.T @ after - before @ before.T for before, after in pairs]

    drifts = []
    for rate in (0.8 / 2**9, 0.8 / 2**10):
        descent = GradientDescent(ConstantStep(rate))
        got = seen(descent, setting, run(descent, setting, time=0.8))
        ends = zip(imbalances(got.factors), imbalances(factors), strict=True)
        drifts.append(max(np.linalg.norm(a - b) for a, b in ends))
    # 2%: the next order in a rate of 1e-3 at rates of change of about 10.
    assert drifts[0] / drifts[1] == pytest.approx(2.0, rel=0.02)


def test_time_is_iteration_times_learning_rate():
    problem = Objective(lambda w: w.sum(), (2, 2))
    setting = problem, DeepFactorization(1), (np.ones((2, 2)),)
    descent = GradientDescent(ConstantStep(0.1))
    for count in (3, 10, 10_000):
        got = seen(descent, setting, run(descent, setting, iteration=count))
        # One rounding, not ten thousand.
        assert got.time == pytest.approx(0.1 * count, rel=2.3e-16)
        assert got.iteration == count
    got = seen(descent, setting, run(descent, setting, time=1.0))
    assert got.iteration == 10
    got = seen(descent, setting, run(descent, setting, time=1.01))
    assert (got.iteration, got.time) == (11, pytest.approx(1.1))


def test_batches_have_the_size_asked_for_and_are_uniform():
    m, size, count = 30, 7, 4000
    seed = batch_seed(5)
    draw = jax.jit(
        jax.vmap(lambda k: batch_weights(seed, k, num_measurements=m, batch_size=size))
    )
    weights = np.asarray(draw(jnp.arange(count)))
    chosen = weights > 0
    assert np.all(chosen.sum(axis=1) == size)
    assert np.all(weights[chosen] == m / size)
    # Every measurement and every pair of them as often as it should be. A bound of 5
    # standard deviations on 30 + 435 nearly normal numbers: false alarm below 3e-4.
    share = size / m
    spread = np.sqrt(share * (1 - share) / count)
    assert np.abs(chosen.mean(axis=0) - share).max() < 5 * spread
    share = size * (size - 1) / (m * (m - 1))
    spread = np.sqrt(share * (1 - share) / count)
    both = (chosen.T.astype(float) @ chosen)[np.triu_indices(m, 1)] / count
    assert np.abs(both - share).max() < 5 * spread
    # Batches that follow each other are independent: as many in common as by chance.
    common = (chosen[1:] & chosen[:-1]).sum(axis=1)
    expected = size**2 / m
    variance = expected * (1 - size / m) * (m - size) / (m - 1)
    # 5 standard deviations again: 6e-7.
    z = (common.mean() - expected) / np.sqrt(variance / count)
    assert abs(z) < 5


@pytest.mark.parametrize("normalization", ["sum", "mean"])
def test_mean_gradient_of_batches_is_the_gradient(normalization):
    problem, factorization, factors = case(2)
    problem = SensingProblem(
        problem.operator, problem.measurements, normalization=normalization
    )
    descent = GradientDescent(ConstantStep(0.01), batch_size=6)
    draws = []
    for seed in range(400):
        state = descent.init(problem, factorization, factors, seed=seed)
        draws.append(np.concatenate([np.ravel(g) for g in state.gradient]))
    whole = to_dense(problem.gradient(factorization.end_to_end(factors)))
    pulled = factorization.pullback(factors, np.asarray(whole))
    wanted = np.concatenate([np.ravel(g) for g in pulled])
    draws = np.array(draws)
    error = np.abs(draws.mean(axis=0) - wanted)
    # 60 numbers, each within 5 standard errors: false alarm below 1e-4.
    assert np.all(error < 5 * draws.std(axis=0) / np.sqrt(len(draws)))
    # And it is an average, not a constant: batches differ.
    assert draws.std(axis=0).min() > 0
    # The loss recorded is the whole one.
    assert float(state.loss) == pytest.approx(
        float(problem.value(factorization.end_to_end(factors))), rel=1e-14
    )


def test_batch_of_everything_is_descent():
    setting = case(2)
    count = setting[0].num_measurements
    plain = GradientDescent(ConstantStep(0.02))
    batched = GradientDescent(ConstantStep(0.02), batch_size=count)
    one, other = (run(d, setting, iteration=30) for d in (plain, batched))
    assert same_bits(one, other)


def test_seed_decides_the_batches():
    setting = case(2)
    descent = GradientDescent(ConstantStep(0.02), batch_size=6)
    one, again, other = (run(descent, setting, iteration=30, seed=s) for s in (4, 4, 5))
    assert same_bits(one, again)
    assert not same_bits(one.point, other.point)


@pytest.mark.parametrize("name", [*RULES, "batches"])
def test_resumed_is_uninterrupted_bit_for_bit(name):
    setting = case(2)
    if name == "batches":
        descent = GradientDescent(ConstantStep(0.02), batch_size=6)
    else:
        descent = GradientDescent(RULES[name])
    whole = run(descent, setting, iteration=40)
    state = run(descent, setting, iteration=13)
    # Through the host and back, as when it is stored.
    state = jax.tree.map(lambda leaf: jnp.asarray(np.array(leaf)), state)
    assert same_bits(go_on(descent, setting, state, iteration=40), whole)


def test_divergence_is_a_result_with_a_finite_state():
    setting = case(3)
    descent = GradientDescent(ConstantStep(50.0))
    state = run(descent, setting, iteration=1000)
    got = seen(descent, setting, state)
    assert got.result is Result.diverged
    assert np.isfinite(got.loss)
    assert np.isfinite(got.gradient_norm)
    assert all(np.all(np.isfinite(factor)) for factor in got.factors)
    # The last finite state is that after as many steps, with nothing lost.
    last = run(descent, setting, iteration=got.iteration)
    assert last.status == 0
    assert same_bits(last.point, state.point)
    # What has ended does not move.
    assert same_bits(go_on(descent, setting, state, iteration=2000), state)


@pytest.mark.parametrize("kind", [2, 3, "symmetric"])
@pytest.mark.parametrize("loss", [Squared(), Huber(1.0), PNorm(1.1)])
def test_what_diverged_can_still_be_measured(kind, loss):
    # A loss that grows slowly stays finite long after the factors' Gram matrices have
    # entries whose squares are not.
    problem, factorization, factors = case(kind)
    problem = SensingProblem(problem.operator, problem.measurements, loss=loss)
    setting, descent = (
        (problem, factorization, factors),
        GradientDescent(ConstantStep(50.0)),
    )
    got = seen(descent, setting, run(descent, setting, iteration=1000))
    assert got.result is Result.diverged
    numbers = (got.loss, got.gradient_norm, *got.factors, got.matrix)
    assert all(np.all(np.isfinite(number)) for number in numbers)
    with np.errstate(over="raise"):
        assert np.isfinite(imbalance(got.factors))
        assert np.all(np.isfinite([np.sum((f.T @ f) ** 2) for f in got.factors]))


def test_stop_rules():
    setting = case(2)
    descent = GradientDescent(ConstantStep(0.05))

    def end(**rules):
        state = run(descent, setting, iteration=20_000, stop=Stop(**rules))
        got = seen(descent, setting, state)
        before = run(descent, setting, iteration=max(got.iteration - 1, 0))
        return got, seen(descent, setting, before)

    got, before = end(loss=1e-6)
    assert got.result is Result.converged
    assert got.loss <= 1e-6 < before.loss
    got, before = end(gradient=1e-4)
    assert got.result is Result.stationary
    assert got.gradient_norm <= 1e-4 < before.gradient_norm
    got, before = end(time=1.02)
    assert got.result is Result.time_reached
    assert before.time < 1.02 <= got.time
    got, _ = end(iterations=17)
    assert got.result is Result.iterations_reached
    assert got.iteration == 17
    # Several at once: the most telling reason, as for the flow.
    got, _ = end(iterations=17, time=17 * 0.05)
    assert got.result is Result.time_reached
    # What holds at the start needs no step; a gradient rule asks to have been above.
    got, _ = end(loss=1e9)
    assert (got.result, got.iteration) == (Result.converged, 0)
    got, _ = end(gradient=1e9, iterations=5)
    assert got.result is Result.iterations_reached


def test_stalled_is_when_no_bit_changes():
    setting = case(1)
    descent = GradientDescent(ConstantStep(1.0))
    state = run(descent, setting, iteration=1000)
    got = seen(descent, setting, state)
    assert got.result is Result.stalled
    assert got.iteration < 10
    # Zero factors have no gradient: nothing ever moves.
    problem, factorization, factors = case(2)
    setting = problem, factorization, tuple(np.zeros_like(f) for f in factors)
    got = seen(descent, setting, run(descent, setting, iteration=1000))
    assert (got.result, got.iteration) == (Result.stalled, 1)


def test_running_until_and_the_last_step():
    setting = case(2)
    descent = GradientDescent(NormalizedStep(0.02))
    got = seen(descent, setting, run(descent, setting, iteration=0))
    assert (got.result, got.iteration, got.extra) == (Result.running, 0, {"step": 0.0})
    one, two = (
        seen(descent, setting, run(descent, setting, iteration=k)) for k in (6, 7)
    )
    assert two.extra["step"] == pytest.approx(two.time - one.time, rel=1e-12)
    matrix = setting[1].end_to_end(two.factors)
    assert np.array_equal(two.matrix, matrix)
    assert two.loss == pytest.approx(float(setting[0].value(matrix)), rel=1e-12)


def test_float64_without_the_global_switch():
    with jax.enable_x64(False):
        setting = case(2)
        descent = GradientDescent(NormalizedStep(0.02), batch_size=6)
        state = run(descent, setting, iteration=20)
        state = go_on(descent, setting, state, iteration=40)
        assert jnp.ones(1).dtype == jnp.float32
    floats = [
        x for x in jax.tree.leaves(state) if jnp.issubdtype(x.dtype, jnp.floating)
    ]
    assert all(leaf.dtype == jnp.float64 for leaf in floats)
    assert same_bits(state, run(descent, setting, iteration=40))


@pytest.mark.parametrize(
    "rules",
    [
        (ConstantStep(0.01), ConstantStep(0.02)),
        (NormalizedStep(0.01), NormalizedStep(0.02, decay=0.5, eps=0.1)),
        (HeavyBall(0.01, 0.9), HeavyBall(0.02, 0.5)),
        (Nesterov(0.01, 0.9), Nesterov(0.02, 0.5)),
    ],
)
def test_new_values_do_not_recompile(rules):
    traces = []

    def function(matrix):
        traces.append(1)
        return ((matrix - 1) ** 2).sum()

    problem, factorization = Objective(function, (5, 7)), DeepFactorization(2)
    for k, rule in enumerate(rules):
        start = Gaussian(0.1 * (k + 1)).factors(problem, factorization, seed=k)
        setting, descent = (problem, factorization, start), GradientDescent(rule)
        stop = Stop(loss=1e-3 * k, iterations=90 + k)
        state = run(descent, setting, iteration=5 + k, stop=stop, seed=k)
        go_on(descent, setting, state, time=0.3 + k, stop=stop)
        if k == 0:
            first = len(traces)
    assert len(traces) == first > 0


class Watched(AbstractSensingOperator):
    """An operator that notes when compilation begins: when it is traced."""

    operator: AbstractSensingOperator

    traces: ClassVar[list[int]] = []

    @property
    def shape(self):
        return self.operator.shape

    @property
    def num_measurements(self):
        return self.operator.num_measurements

    def apply(self, matrix):
        self.traces.append(1)
        return self.operator.apply(matrix)

    def adjoint(self, dual):
        return self.operator.adjoint(dual)

    def norm_bound(self):
        return self.operator.norm_bound()

    def gram(self):
        return self.operator.gram()


@pytest.mark.parametrize("kind", [2, "symmetric"])
@pytest.mark.parametrize("name", [*RULES, "batches"])
def test_all_chunks_are_compiled_together(name, kind):
    if name == "batches":
        descent = GradientDescent(ConstantStep(0.02), batch_size=6)
    else:
        descent = GradientDescent(RULES[name])
    problem, factorization, factors = case(kind)
    watched = SensingProblem(Watched(problem.operator), problem.measurements)
    setting = (watched, factorization, factors)
    state = descent.init(*setting, seed=0)
    kinds = [(leaf.dtype, leaf.weak_type) for leaf in jax.tree.leaves(state)]
    assert not any(weak for _, weak in kinds)
    counts = [len(Watched.traces)]
    for chunk in range(4):
        state = go_on(descent, setting, state, iteration=3 * chunk + 1)
        counts.append(len(Watched.traces))
        now = [(leaf.dtype, leaf.weak_type) for leaf in jax.tree.leaves(state)]
        assert now == kinds
        # Through the host and back, as when it is stored.
        state = jax.tree.map(lambda leaf: jnp.asarray(np.array(leaf)), state)
    assert counts[0] < counts[1] == counts[-1]


def test_an_objective_of_single_precision_is_followed_in_double():
    # What the user's function returns decides no dtype of the state.
    target = np.ones((5, 7), np.float32)
    objective = Objective(
        lambda w: ((w.astype(jnp.float32) - target) ** 2).sum(), (5, 7)
    )
    _, factorization, factors = case(2)
    setting, descent = (
        (objective, factorization, factors),
        GradientDescent(RULES["constant"]),
    )
    state = run(descent, setting, iteration=20)
    assert state.loss.dtype == state.slope.dtype == jnp.float64
    assert float(state.loss) < float(objective.value(factorization.end_to_end(factors)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"step": 0.01}, r"`GradientDescent\(step\)`: .* step rule\. Got 0.01\. Give"),
        (
            {"step": ConstantStep(0.1), "batch_size": 0},
            r"`GradientDescent\(batch_size\)`: this is an integer >= 1\. Got 0\. Give",
        ),
        (
            {"step": ConstantStep(0.1), "batch_size": 1.5},
            r"`GradientDescent\(batch_size\)`: .* Got 1\.5\. Give",
        ),
    ],
)
def test_bad_settings_are_refused(arguments, message):
    with pytest.raises(SpecError, match=message):
        GradientDescent(**arguments)


def test_bad_batches_are_refused():
    problem, factorization, factors = case(2)

    def start(descent, problem, seed=0):
        descent.init(problem, factorization, factors, seed=seed)

    where = r"`GradientDescent\(batch_size\)`: "
    free = Objective(lambda w: (w**2).sum(), (5, 7))
    with pytest.raises(SpecError, match=where + r"batches .* Got Objective\. Leave"):
        start(GradientDescent(ConstantStep(0.1), batch_size=3), free)
    with pytest.raises(SpecError, match=where + r".* 21 measurements\. Got 22\. Give"):
        start(GradientDescent(ConstantStep(0.1), batch_size=22), problem)
    message = where + r"ExactLineSearch .* Got batch_size=3\. Leave"
    with pytest.raises(SpecError, match=message):
        start(GradientDescent(ExactLineSearch(), batch_size=3), problem)
    with pytest.raises(SpecError, match=r"`seed`: .* Got -1\. Give"):
        start(GradientDescent(ConstantStep(0.1)), problem, seed=-1)
