"""The adaptive-rank flow is the dense one, at the cost of its rank."""

import tracemalloc

import equinox as eqx
import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.dynamics import ADMISSION_COLUMNS, Until
from lowrankflow.dynamics.contract import CODES
from lowrankflow.errors import SpecError
from lowrankflow.metrics import Polyline
from lowrankflow.problems import Factored, SymmetricEntrySampling, measure, to_dense

LOSS = lrf.Stop(loss=1e-6)
FLOW = lrf.AdaptiveRankFlow(admission_tolerance=1e-4, rtol=1e-4, atol=1e-4)


def rectangle(shape, seed=0):
    return lrf.planted_completion(shape=shape, rank=2, num_observed=350, seed=seed)


def square(size=24, seed=0):
    rng = np.random.default_rng(seed)
    factor = rng.standard_normal((size, 2))
    above = np.stack(np.triu_indices(size))
    chosen = above[:, rng.choice(above.shape[1], 180, replace=False)]
    return measure(factor @ factor.T, SymmetricEntrySampling(*chosen, size))


CASES = {
    "wide": (rectangle((20, 30)), lrf.Aligned),
    "tall": (rectangle((30, 20)), lrf.Aligned),
    "symmetric": (square(), lrf.Identity),
}


def run(problem, depth, flow, start, stop=LOSS, **settings):
    factorization = lrf.DeepFactorization(depth)
    return lrf.simulate(
        problem, factorization, flow, start=start, stop=stop, **settings
    )


def path_of(problem, depth, flow, start, count=None):
    """Matrices after each of so many steps (each, for the dense flow)."""
    points = []
    schedule = lrf.EveryIterations(1)

    def kept(_, snapshot):
        points.append(np.asarray(to_dense(snapshot.matrix)).ravel())
        return 0.0

    run(problem, depth, flow, start, schedule=schedule, observe={"kept": kept})
    return points


@pytest.mark.parametrize(
    ("case", "depth"),
    [
        ("wide", 3),
        ("symmetric", 2),
        *(
            pytest.param(*other, marks=pytest.mark.slow)
            for other in (("wide", 2), ("tall", 2), ("tall", 3), ("symmetric", 3))
        ),
    ],
)
def test_it_follows_the_dense_flow(case, depth):
    problem, kind = CASES[case]
    start = kind(init_scale=1e-4)
    dense = path_of(problem, depth, lrf.GradientFlow(rtol=1e-6, atol=1e-6), start)
    thin = path_of(problem, depth, FLOW, start)
    size = np.linalg.norm(dense[-1])
    curve = Polyline(np.stack(dense))
    # A hundredth of the end is what the engine promises at this tolerance.
    assert max(curve.distance(point) for point in thin) < 0.01 * size
    assert np.linalg.norm(thin[-1] - dense[-1]) < 1e-3 * size


def test_a_tighter_tolerance_is_nearer():
    # Few entries, so that many directions matter a little.
    problem = lrf.planted_completion(shape=(20, 30), rank=3, num_observed=230, seed=0)
    start, stop = lrf.Aligned(1e-5), lrf.Stop(loss=1e-5)
    flow = lrf.GradientFlow(rtol=1e-6, atol=1e-6)
    dense = run(problem, 2, flow, start, stop).matrix
    errors, ranks = [], []
    for tolerance in (1e-2, 1e-3, 1e-4):
        flow = lrf.AdaptiveRankFlow(tolerance, rtol=1e-4, atol=1e-4)
        found = run(problem, 2, flow, start, stop)
        errors.append(np.linalg.norm(to_dense(found.matrix) - dense))
        ranks.append(int(found.dataset["rank"][-1]))
    assert errors[0] > 2 * errors[1] > 4 * errors[2]
    assert ranks[0] < ranks[1] < ranks[2]


def test_few_directions_are_followed_beyond_depth_two():
    found = run(CASES["wide"][0], 3, FLOW, lrf.Aligned(1e-5))
    assert found.result is lrf.Result.converged
    assert isinstance(found.matrix, Factored)
    assert int(found.dataset["rank"].max()) == 2
    seen = found.dataset
    # What is left out stays below the threshold, and says so.
    assert float(seen.tail_size[-1]) < float(seen.threshold[-1])
    assert float(seen.tail_norm[-1]) < 1e-2
    log = dict(zip(ADMISSION_COLUMNS, found.state.log.T, strict=True))
    assert np.all(np.diff(log["time"]) > 0)
    assert np.array_equal(log["rank"], [1, 2])
    assert np.array_equal(log["change"], [1, 1])
    # Let in at the threshold, hardly beyond: at 40 times the start.
    assert np.allclose(log["size"], 40e-5, rtol=0.05)
    assert np.all(np.abs(log["turn"]) <= 1)


@pytest.mark.parametrize(
    ("depth", "scale"), [(2, 1e-16), (2, 1e-60), (4, 1e-8), (3, 1e-12)]
)
def test_from_tiny_starts(depth, scale):
    problem = CASES["wide"][0]
    found = run(problem, depth, FLOW, lrf.Aligned(scale))
    assert found.result is lrf.Result.converged
    # Without noise, at two and a half entries per degree of freedom.
    assert float(found.dataset.relative_error[-1]) < 2e-3


def test_a_tolerance_below_the_start_follows_all():
    problem, start = CASES["wide"][0], lrf.Aligned(0.1)
    whole = run(problem, 2, FLOW, start)
    dense = run(problem, 2, lrf.GradientFlow(rtol=1e-7, atol=1e-7), start)
    assert int(whole.dataset["rank"][-1]) == 20
    apart = np.linalg.norm(to_dense(whole.matrix) - dense.matrix)
    assert apart < 1e-3 * np.linalg.norm(dense.matrix)


@pytest.mark.parametrize(("depth", "bound"), [(2, 0.01), (3, 1e-3)])
def test_random_frames(depth, bound):
    problem, start = CASES["tall"][0], lrf.Balanced(1e-4)
    dense = run(problem, depth, lrf.GradientFlow(rtol=1e-7, atol=1e-7), start).matrix
    found = run(problem, depth, FLOW, start)
    apart = np.linalg.norm(to_dense(found.matrix) - dense)
    assert apart < bound * np.linalg.norm(dense)
    # Beyond depth 2 such a start turns before it grows: all of it is followed.
    assert (int(found.dataset["rank"][-1]) == 20) == (depth == 3)


def test_symmetric_factorizations_are_depth_two():
    problem = CASES["symmetric"][0]
    start = lrf.Identity(1e-6)
    deep = run(problem, 2, FLOW, start)
    factorization = lrf.SymmetricFactorization()
    other = lrf.simulate(problem, factorization, FLOW, start=start, stop=LOSS)
    assert len(other.factors) == 1
    assert np.allclose(
        to_dense(other.matrix), to_dense(deep.matrix), rtol=0, atol=1e-12
    )


def test_dense_measurements():
    problem = lrf.planted_sensing(shape=(9, 12), rank=1, num_measurements=60, seed=0)
    dense = run(problem, 3, lrf.GradientFlow(rtol=1e-7, atol=1e-7), lrf.Aligned(1e-4))
    found = run(problem, 3, FLOW, lrf.Aligned(1e-4))
    apart = np.linalg.norm(to_dense(found.matrix) - dense.matrix)
    assert apart < 1e-3 * np.linalg.norm(dense.matrix)


def test_it_never_forms_the_matrix():
    shape, count = (4000, 3000), 160_000
    rng = np.random.default_rng(0)
    flat = np.unique(rng.integers(shape[0] * shape[1], size=count))
    rows, cols = np.divmod(flat, shape[1])
    left, right = rng.standard_normal(shape[0]), rng.standard_normal(shape[1])
    values = left[rows] * right[cols]
    problem = lrf.SensingProblem.from_entries(rows, cols, values, shape)
    stop = lrf.Stop(loss=1e-2)
    run(problem, 3, FLOW, lrf.Aligned(1e-2), stop, schedule=lrf.OnlyEnds())
    tracemalloc.start()
    found = run(problem, 3, FLOW, lrf.Aligned(1e-2), stop, schedule=lrf.OnlyEnds())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 1 <= int(found.dataset["rank"][-1]) < 20  # of 3,000
    # Half of the matrix in bytes; entries and thin blocks take less than that.
    assert peak < shape[0] * shape[1] * 4


def test_a_largest_rank_ends_the_run():
    flow = lrf.AdaptiveRankFlow(
        admission_tolerance=1e-4, rtol=1e-4, atol=1e-4, max_rank=1
    )
    found = run(CASES["wide"][0], 3, flow, lrf.Aligned(1e-5))
    assert found.result is lrf.Result.rank_reached
    assert int(found.dataset["rank"][-1]) == 1


@pytest.mark.parametrize("depth", [2, 3])
def test_a_direction_that_has_died_is_let_go(depth):
    problem, scale = CASES["wide"][0], 1e-4
    factorization = lrf.DeepFactorization(depth)
    found = run(problem, depth, FLOW, lrf.Aligned(scale))
    state = found.state
    rank = state.rank
    # The last hidden unit, brought down to a tenth of the start.
    size = (0.1 * scale) ** (1 / depth)
    changed = {}
    for name in ("left", "right"):
        side = np.array(getattr(state, name))
        side[:, -1] *= size / np.linalg.norm(side[:, -1])
        changed[name] = side
    cores = np.array(state.cores)
    cores[:, -1, :], cores[:, :, -1] = 0, 0
    cores[:, -1, -1] = size
    changed["cores"] = cores
    changed["status"] = np.asarray(CODES[lrf.Result.running])
    # Another look is due.
    changed["unseen"] = np.asarray(1000)
    state = eqx.tree_at(
        lambda s: [getattr(s, name) for name in changed], state, list(changed.values())
    )
    one = Until.at(iteration=int(state.iteration) + 1)
    stop = lrf.Stop(iterations=10**6)
    after = FLOW.advance(problem, factorization, state, until=one, stop=stop)
    log = dict(zip(ADMISSION_COLUMNS, after.log.T, strict=True))
    assert -1 in log["change"]
    gone = list(log["change"]).index(-1)
    assert log["rank"][gone] == rank - 1
    assert log["size"][gone] == pytest.approx(0.1 * scale, rel=0.3)
    if depth == 2:
        # It is brought back as what it would have been, which is more.
        assert after.rank == after.taken_left.shape[1] == after.taken_right.shape[1]
    else:
        # What it had grown by is forgotten: it would be back at once.
        assert after.rank == rank - 1


def test_nothing_to_learn_is_said_at_once():
    problem = lrf.SensingProblem(lrf.EntrySampling([0, 1], [1, 2], (3, 4)), [0.0, 0.0])
    found = run(problem, 2, FLOW, lrf.Aligned(1e-3), lrf.Stop(time=1.0))
    assert found.result in (lrf.Result.stalled, lrf.Result.time_reached)


def test_single_precision_is_near():
    problem = CASES["wide"][0]
    single = lrf.AdaptiveRankFlow(
        admission_tolerance=1e-3, rtol=1e-3, atol=1e-3, precision="float32"
    )
    double = lrf.AdaptiveRankFlow(admission_tolerance=1e-3, rtol=1e-3, atol=1e-3)
    stop = lrf.Stop(loss=1e-2)
    found, wanted = (
        to_dense(run(problem, 3, flow, lrf.Aligned(1e-3), stop).matrix)
        for flow in (single, double)
    )
    assert np.linalg.norm(found - wanted) < 2e-3 * np.linalg.norm(wanted)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: lrf.AdaptiveRankFlow(1.5, 1e-3, 1e-3), "below 1. Got 1.5"),
        (lambda: lrf.AdaptiveRankFlow(-1e-3, 1e-3, 1e-3), "positive, finite"),
        (lambda: lrf.AdaptiveRankFlow(1e-3, 0.0, 1e-3), "rtol"),
        (lambda: lrf.AdaptiveRankFlow(1e-3, 1e-3, 1e-3, max_rank=0), "max_rank"),
        (
            lambda: lrf.AdaptiveRankFlow(1e-3, 1e-3, 1e-3, precision="half"),
            '"float64" or "float32". Got \'half\'',
        ),
        (
            lambda: run(CASES["wide"][0], 2, FLOW, lrf.Gaussian(1e-3)),
            "Aligned, Identity, Balanced. Got Gaussian",
        ),
        (
            lambda: run(CASES["wide"][0], 1, FLOW, lrf.Aligned(1e-3)),
            "one factor",
        ),
        (
            lambda: lrf.simulate(
                CASES["wide"][0],
                lrf.DeepFactorization(2, widths=3),
                FLOW,
                start=lrf.Aligned(1e-3),
                stop=LOSS,
            ),
            "Leave the widths out",
        ),
        (
            lambda: run(
                CASES["wide"][0],
                3,
                lrf.AdaptiveRankFlow(1e-4, 1e-3, 1e-3, max_rank=5),
                lrf.Balanced(1e-3),
            ),
            "must all be followed. Got 20 of them",
        ),
        (
            lambda: run(
                CASES["wide"][0],
                3,
                lrf.AdaptiveRankFlow(1e-4, 1e-3, 1e-3, max_rank=5),
                lrf.Aligned(0.1),
            ),
            "above the start",
        ),
        (
            lambda: lrf.simulate(
                lrf.planted_completion(shape=(8, 8), rank=1, num_observed=30, seed=0),
                lrf.SymmetricFactorization(),
                FLOW,
                start=lrf.Identity(1e-3),
                stop=LOSS,
            ),
            "asks for a symmetric gradient",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(SpecError, match=message):
        make()


def leading(problem, depth, flow, start, times):
    """The five largest singular values at some times."""
    found = run(
        problem,
        depth,
        flow,
        start,
        lrf.Stop(time=times[-1]),
        schedule=lrf.AtTimes(np.array(times)),
    )
    assert np.allclose(found.dataset.time[1:], times)
    return np.asarray(found.dataset.singular_values)[1:, :5]


@pytest.fixture(scope="module")
def noisy():
    """Noise through and through: directions grow alike, and turn while they do."""
    rng = np.random.default_rng(0)
    shape = (40, 60)
    flat = rng.choice(shape[0] * shape[1], 500, replace=False)
    rows, cols = np.divmod(flat, shape[1])
    values = 3 + rng.standard_normal(flat.size)
    return lrf.SensingProblem.from_entries(rows, cols, values, shape)


@pytest.mark.parametrize("kind", [lrf.Aligned, lrf.Balanced])
def test_where_directions_turn_it_converges_too(noisy, kind):
    start, times = kind(1e-3), [0.2, 0.3, 0.45, 0.6]
    wanted = leading(noisy, 2, lrf.GradientFlow(rtol=1e-6, atol=1e-6), start, times)
    errors = []
    for tolerance in (3e-3, 3e-4):
        flow = lrf.AdaptiveRankFlow(tolerance, rtol=1e-4, atol=1e-4)
        errors.append(np.abs(leading(noisy, 2, flow, start, times) / wanted - 1).max())
    assert errors[1] < 0.01
    assert errors[1] < errors[0] / 4


def test_beyond_depth_two_later_ones_come_in_time(noisy):
    """By the integral alone they are 42 % and 21 % late here."""
    start, times = lrf.Aligned(1e-3), [1.3, 2.0]
    wanted = leading(noisy, 3, lrf.GradientFlow(rtol=1e-6, atol=1e-6), start, times)
    errors = []
    for tolerance in (1e-4, 3e-5):
        flow = lrf.AdaptiveRankFlow(tolerance, rtol=1e-4, atol=1e-4)
        found = leading(noisy, 3, flow, start, times)
        errors.append(np.abs(found / wanted - 1).max())
    assert errors[0] < 0.1
    assert errors[1] < 0.7 * errors[0]
