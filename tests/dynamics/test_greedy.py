"""Greedy low-rank learning: its stages, its limits, and the flow that follows it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.dynamics import top_direction
from lowrankflow.errors import SpecError
from lowrankflow.problems import to_dense
from lowrankflow.result import Result

SYMMETRIC = lrf.SymmetricFactorization()
SETTINGS = {
    "rtol": 1e-6,
    "atol": 1e-6,
    "seed_scale": 1e-12,
    "stage_tolerance": 1e-9,
    "optimality_tolerance": 1e-6,
}
GREEDY = lrf.GreedyLowRank(**SETTINGS)
ENOUGH = lrf.Stop(iterations=100_000)


def learn(problem, factorization=SYMMETRIC, greedy=GREEDY, **options):
    """The run, and the matrices at its critical points, zero first."""
    points = []

    def keep(_, snapshot):
        if snapshot.extra["at_critical_point"]:
            points.append(snapshot.matrix)
        return 0.0

    options = {"stop": ENOUGH, **options}
    run = lrf.simulate(
        problem, factorization, greedy, observe={"kept": keep}, **options
    )
    return run, points


def at_rest(run):
    """The records at critical points, zero first."""
    return [r for r in run.records if r["at_critical_point"]]


def relative(one, other):
    return np.linalg.norm(one - other) / np.linalg.norm(other)


def top_eigenvalue(problem, matrix):
    gradient = np.asarray(to_dense(problem.gradient(matrix)))
    return np.linalg.eigvalsh(-(gradient + gradient.T) / 2)[-1]


# Known instances


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6, 1e-10])
def test_what_it_learns_does_not_hang_on_the_stage_tolerance(tolerance):
    problem = lrf.named("li2021-20x20", {"seed": 0}).problem
    greedy = lrf.GreedyLowRank(**{**SETTINGS, "stage_tolerance": tolerance})
    run, _ = learn(problem, greedy=greedy)
    assert run.result is Result.optimal
    losses = [r["loss"] for r in at_rest(run)[1:]]
    # science 4.5: seed 0, stages end at 10.53 and 3.298.
    np.testing.assert_allclose(losses[:2], [10.53, 3.298], rtol=1e-3)
    assert len(losses) == 3
    # The last stage ends at the latest where the optimality tolerance is met.
    assert relative(run.matrix, problem.target) < 1e-4


@pytest.mark.parametrize("R", [2.0, 3.0, 10.0, 100.0])
def test_it_learns_rank_and_not_norm(R):
    # CLAIMs 42 and 47, with the bounds they state.
    instance = lrf.named("li2021-4x4", {"R": R})
    problem = instance.problem
    # Rates of the last stage differ by R^2. It ends late enough all the same: its slow
    # part does not enter as a spurious second stage.
    run, points = learn(problem)
    assert run.result is Result.optimal
    assert run.records[-1]["stage"] == len(points) - 1 == 1
    assert relative(run.matrix, instance.known["greedy_limit"].value) < 1e-4
    values = lrf.metrics.singular_values(run.matrix)
    assert values[1] < 1e-6 * values[0]
    assert values.sum() == pytest.approx(2 * R**2 + 2, rel=1e-4)
    # Optimal: no direction is left that lowers the loss, and there was one before.
    mu = instance.known["descent_eigenvalues"].value[0]
    assert run.records[0]["rate"] == pytest.approx(mu, rel=1e-12)
    assert top_eigenvalue(problem, points[0]) == pytest.approx(mu, rel=1e-12)
    assert top_eigenvalue(problem, points[1]) <= 1e-6 * mu
    assert run.records[-1]["rate"] <= 1e-6 * mu
    # The norm's own minimum is elsewhere and smaller, with a proof.
    least = lrf.min_nuclear_norm(problem, psd=True)
    assert least.certificate.holds
    assert np.trace(least.matrix) == pytest.approx(4 * R, rel=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_planted_instances_are_learned_in_three_stages(seed):
    # CLAIM 51, science 4.5: losses to 1 %, rates of the stages to the digits given.
    table = {
        0: ((10.53, 3.298), (6.735, 2.348, 1.360)),
        1: ((15.29, 0.6754), (6.148, 3.617, 0.583)),
        2: ((9.947, 1.876), (6.236, 2.407, 0.973)),
    }
    problem = lrf.named("li2021-20x20", {"seed": seed}).problem
    run, points = learn(problem)
    assert run.result is Result.optimal
    rests = at_rest(run)
    assert [r["stage"] for r in rests] == [0, 1, 2, 3]
    assert relative(run.matrix, problem.target) < 1e-5
    if seed in table:
        losses, rates = table[seed]
        found = [r["loss"] for r in rests]
        np.testing.assert_allclose(found[1:3], losses, rtol=0.01)
        assert found[3] < 1e-12
        np.testing.assert_allclose([r["rate"] for r in rests[:3]], rates, rtol=1e-3)
    for rank, (point, rest) in enumerate(zip(points, rests, strict=True)):
        values = lrf.metrics.singular_values(point)
        assert np.all(values[rank:] < 1e-8)
        assert np.all(values[:rank] > 0.1)
        # Stationary: grad f(W) W = 0, to the stage's tolerance.
        gradient = np.asarray(to_dense(problem.gradient(point)))
        assert np.linalg.norm((gradient + gradient.T) / 2 @ point) < 1e-4
        # CLAIM 42: a direction is left before the end, none after it.
        rate = top_eigenvalue(problem, point)
        assert rest["rate"] == pytest.approx(rate, rel=1e-9, abs=1e-9)
        assert (rate > 0.1) == (rank < 3)
        assert rank < 3 or rate <= 1e-6 * rests[0]["rate"]


def test_the_limit_of_the_grid_instance():
    # CLAIM 12, with its bound, and the entries to their six decimals.
    instance = lrf.named("gunasekar2017-3x3")
    run, _ = learn(instance.problem)
    assert run.result is Result.optimal
    assert np.trace(run.matrix) == pytest.approx(2.930324, abs=1e-5)
    assert relative(run.matrix, instance.known["greedy_limit"].value) < 1e-5
    assert run.records[-1]["stage"] == 2


# Rectangles and depth


@pytest.fixture(scope="module")
def rectangular():
    with lrf.float64():
        problem = lrf.planted_completion(
            (12, 15), rank=2, num_observed=110, seed=4, norm=10.0
        )
        return problem, learn(problem, lrf.DeepFactorization(2))


def transposed(problem):
    operator = problem.operator
    return lrf.SensingProblem(
        lrf.EntrySampling(operator.col_index, operator.row_index, (15, 12)),
        problem.measurements,
        target=problem.target.T,
    )


def test_a_rectangle_is_learned_as_its_lifted_problem(rectangular):
    problem, (run, points) = rectangular
    assert run.result is Result.optimal
    assert relative(run.matrix, problem.target) < 1e-5
    lifted, blocks = learn(lrf.lift(problem))
    assert lifted.result is Result.optimal
    for one in (run, lifted):
        assert [r["stage"] for r in at_rest(one)] == [0, 1, 2]
    pairs = zip(at_rest(run), at_rest(lifted), strict=True)
    for one, other in pairs:
        # 1e-6: where both stages stop, and the loss is stationary there.
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-6, abs=1e-9)
        # A gradient that splits over two blocks: eigenvalues are half the values.
        assert one["rate"] == pytest.approx(2 * other["rate"], rel=1e-6, abs=1e-6)
    for point, block in zip(points[1:], blocks[1:], strict=True):
        # 1e-5: the stage tolerance over the smallest rate on the way.
        assert relative(block[:12, 12:], point) < 1e-5


def test_a_transposed_rectangle_is_learned_likewise(rectangular):
    problem, (plain, points) = rectangular
    run, others = learn(transposed(problem), lrf.DeepFactorization(2))
    assert run.result is Result.optimal
    assert [r["stage"] for r in at_rest(run)] == [0, 1, 2]
    for one, other in zip(at_rest(run), at_rest(plain), strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-6, abs=1e-9)
    for one, other in zip(others[1:], points[1:], strict=True):
        assert relative(one.T, other) < 1e-5


@pytest.mark.parametrize(
    ("depth", "widths"), [(3, (15, 13, 14, 12)), (4, None)], ids=["3", "4"]
)
def test_deeper_factorizations_pass_the_same_points(rectangular, depth, widths):
    # Critical points of rank r are those of f on the matrices of rank r at any depth.
    problem, (plain, points) = rectangular
    coarse = {"seed_scale": 1e-6, "stage_tolerance": 1e-7}
    greedy = lrf.GreedyLowRank(**SETTINGS | coarse)
    factorization = lrf.DeepFactorization(depth, widths)
    run, others = learn(problem, factorization, greedy)
    assert run.result is Result.optimal
    assert [r["stage"] for r in at_rest(run)] == [0, 1, 2]
    assert relative(run.matrix, problem.target) < 1e-4
    for one, other in zip(others[1:], points[1:], strict=True):
        # The error of W is of the order of the seed scale, relative to the gaps.
        assert relative(one, other) < 1e-4
    assert run.records[-1]["imbalance"] < 1e-4


# The flow it is the limit of


def test_the_flow_passes_its_points_in_order():
    problem = lrf.named("li2021-20x20", {"seed": 2}).problem
    _, points = learn(problem)
    names = [f"distance_{k}" for k in range(1, 4)]
    observe = {
        name: lambda _, seen, point=point: relative(seen.matrix, point)
        for name, point in zip(names, points[1:], strict=True)
    }
    run = lrf.simulate(
        problem,
        SYMMETRIC,
        lrf.GradientFlow(1e-6, 1e-6),
        start=lrf.RandomPSD(frobenius_norm=1e-32),
        seed=0,
        stop=lrf.Stop(loss=1e-12, iterations=100_000),
        schedule=lrf.GeometricIterations(1.01),
        observe=observe,
    )
    assert run.result is Result.converged
    closest = run.dataset[names].to_array().values
    # CLAIM 52 has 0.02 for all distances at this scale, in units of 20; 4e-3 is seen.
    assert np.all(closest.min(axis=1) < 1e-2)
    when = closest.argmin(axis=1)
    assert 0 < when[0] < when[1] < when[2]
    # At each of them the others are far: these are three places and not one.
    for k, index in enumerate(when):
        assert np.all(np.delete(closest[:, index], k) > 0.05)


# Ends


def test_the_largest_rank_ends_it():
    problem = lrf.named("gunasekar2017-3x3").problem
    _, points = learn(problem)
    run, others = learn(problem, greedy=lrf.GreedyLowRank(**SETTINGS, max_rank=1))
    assert run.result is Result.rank_reached
    assert not run.result.is_success
    assert len(others) == 2
    assert relative(others[-1], points[1]) < 1e-9
    assert run.records[-1]["rate"] > 1e-3
    # Where the last stage leaves nothing to learn, it is optimal all the same.
    small = lrf.named("li2021-4x4", {"R": 2.0}).problem
    run, _ = learn(small, greedy=lrf.GreedyLowRank(**SETTINGS, max_rank=1))
    assert run.result is Result.optimal


@pytest.mark.slow
def test_narrow_widths_end_it_too():
    problem = lrf.named("li2021-20x20", {"seed": 2}).problem
    _, points = learn(problem)
    run, others = learn(problem, lrf.SymmetricFactorization(2))
    assert run.result is Result.rank_reached
    assert relative(others[-1], points[2]) < 1e-5


def test_zero_data_are_learned_at_once():
    plain = lrf.named("li2021-4x4", {"R": 2.0}).problem
    problem = lrf.SensingProblem(plain.operator, np.zeros(6))
    run, points = learn(problem)
    assert run.result is Result.optimal
    assert len(run.records) == len(points) == 1
    assert np.array_equal(run.matrix, np.zeros((4, 4)))
    # Nor does anything grow where every direction raises the loss.
    worse = lrf.SensingProblem(
        lrf.EntrySampling(np.arange(4), np.arange(4), (4, 4)), -np.ones(4)
    )
    run, _ = learn(worse)
    assert run.result is Result.optimal
    assert run.snapshot.loss == 2.0


def test_it_stops_where_it_is_told_to():
    problem = lrf.named("li2021-20x20", {"seed": 2}).problem
    run, _ = learn(problem, stop=lrf.Stop(loss=5.0, iterations=100_000))
    assert run.result is Result.converged
    assert run.snapshot.loss <= 5.0
    assert run.records[-1]["stage"] == 2
    run, _ = learn(problem, stop=lrf.Stop(iterations=77))
    assert (run.result, run.snapshot.iteration) == (Result.iterations_reached, 77)
    run, _ = learn(problem, stop=lrf.Stop(time=8.25))
    assert (run.result, run.snapshot.time) == (Result.time_reached, 8.25)


def test_a_resumed_run_has_the_same_bits():
    parts = {
        "problem": lrf.named("li2021-20x20", {"seed": 2}).problem,
        "factorization": SYMMETRIC,
        "dynamics": GREEDY,
        "stop": ENOUGH,
        "schedule": lrf.EveryIterations(15),
    }
    chunks = list(lrf.simulate_chunks(**parts))
    assert len(chunks) > 2
    for k, chunk in enumerate(chunks[:-1]):
        kept = jax.tree.map(lambda leaf: jnp.asarray(np.array(leaf)), chunk.state)
        rest = list(lrf.simulate_chunks(**parts, state=kept))
        last, wanted = rest[-1], chunks[-1]
        assert len(rest) == len(chunks) - k - 1
        pairs = zip(
            jax.tree.leaves(last.state), jax.tree.leaves(wanted.state), strict=True
        )
        assert all(np.array_equal(a, b) for a, b in pairs)


def test_the_top_direction():
    pull = np.diag([1.0, -3.0, 2.0])
    value, left, right = top_direction(SYMMETRIC, pull)
    assert value == pytest.approx(2)
    np.testing.assert_allclose(np.abs(left), [0, 0, 1], atol=1e-15)
    assert np.array_equal(left, right)
    # Only the symmetric part acts on U U'.
    tilt = np.zeros((3, 3))
    tilt[0, 1], tilt[1, 0] = 7.0, -7.0
    assert top_direction(SYMMETRIC, pull + tilt)[0] == pytest.approx(2)
    for matrix in (pull[:2], pull[:2].T):
        value, left, right = top_direction(lrf.DeepFactorization(2), matrix)
        assert value == pytest.approx(3)
        assert left @ matrix @ right == pytest.approx(3)
        assert (left.shape, right.shape) == (matrix.shape[:1], matrix.shape[1:])


def test_bad_settings_are_refused():
    problem = lrf.named("li2021-4x4", {"R": 2.0}).problem
    message = r"`GreedyLowRank`: a plain matrix has no hidden units .* one factor\. Use"
    with pytest.raises(SpecError, match=message):
        learn(problem, lrf.DeepFactorization(1))
    for name in SETTINGS:
        for value in (0.0, -1.0, np.nan, "small"):
            with pytest.raises(SpecError, match=rf"`GreedyLowRank\({name}\)`: .* Got"):
                lrf.GreedyLowRank(**{**SETTINGS, name: value})
    for value in (0, 1.5, True):
        message = r"`GreedyLowRank\(max_rank\)`: .* integer >= 1"
        with pytest.raises(SpecError, match=message):
            lrf.GreedyLowRank(**SETTINGS, max_rank=value)
