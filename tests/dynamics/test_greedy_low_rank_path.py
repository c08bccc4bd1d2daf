"""The greedy path: its solutions, its certificates, its size, its refusals."""

import tracemalloc

import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.problems import HeldOut, to_dense

SHAPES = [(20, 14), (14, 20), (90, 60), (60, 90)]


def planted(shape, rank=2, share=0.6, seed=0):
    count = int(share * shape[0] * shape[1])
    return lrf.planted_completion(shape=shape, rank=rank, num_observed=count, seed=seed)


def distance(a, b):
    a, b = to_dense(a), to_dense(b)
    return np.linalg.norm(a - b) / np.linalg.norm(b)


def noisy(seed=0, shape=(60, 40)):
    rng = np.random.default_rng(seed)
    problem = planted(shape, rank=3, share=0.4)
    noise = 0.3 * rng.standard_normal(problem.num_measurements)
    return lrf.SensingProblem(
        problem.operator, np.asarray(problem.measurements) + noise
    ), problem.target


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("inner", ["newton", "als"])
def test_a_planted_matrix_is_recovered_at_its_rank(shape, inner):
    problem = planted(shape)
    path = lrf.greedy_low_rank_path(problem, max_rank=5, rtol=1e-8, inner=inner)
    assert path.ranks == (0, 1, 2)
    assert path.result is lrf.Result.optimal
    # the gradient is at 1e-8; the error is that over the conditioning of the entries
    assert distance(path.matrix(), problem.target) < 1e-5
    assert np.all(np.diff(path.losses) < 0)
    assert path.matrix(0).shape == shape
    assert np.array_equal(to_dense(path.matrix(0)), np.zeros(shape))


@pytest.mark.parametrize("shape", SHAPES[:2])
def test_every_phase_ends_at_a_critical_point(shape):
    """Judged with dense arithmetic, by another road than the solver's."""
    problem = planted(shape, rank=3)
    path = lrf.greedy_low_rank_path(problem, max_rank=4, rtol=1e-9)
    for step in path.steps[1:]:
        gradient = np.asarray(to_dense(problem.gradient(step.matrix)))
        bound = 1e-7 * path.rates[0]
        assert np.linalg.norm(gradient @ step.matrix.right) < bound
        assert np.linalg.norm(gradient.T @ step.matrix.left) < bound
        top = np.linalg.svd(gradient, compute_uv=False)[0]
        assert step.certificate.rate == pytest.approx(top, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("psd", [False, True])
def test_newton_and_the_flow_visit_the_same_points(psd):
    problem = (
        lrf.planted_psd_completion(size=15, rank=2, num_observed=90, seed=1)
        if psd
        else planted((14, 10), seed=1)
    )
    settings = {"max_rank": 3, "rtol": 1e-6, "psd": psd}
    fast = lrf.greedy_low_rank_path(problem, **settings)
    slow = lrf.greedy_low_rank_path(problem, inner="flow", **settings)
    assert fast.ranks == slow.ranks == (0, 1, 2)
    for rank in (1, 2):
        assert distance(fast.matrix(rank), slow.matrix(rank)) < 1e-4
    # relative to the first: the last rate is a residual, which only has to be small
    assert np.allclose(fast.rates, slow.rates, rtol=0, atol=1e-4 * fast.rates[0])


def test_a_flow_with_settings_of_its_own_may_end_the_path():
    flow = lrf.GreedyLowRank(
        rtol=1e-5,
        atol=1e-5,
        seed_scale=1e-6,
        stage_tolerance=1e-6,
        optimality_tolerance=1e-6,
        max_rank=1,
    )
    path = lrf.greedy_low_rank_path(
        planted((14, 10)), max_rank=3, rtol=1e-6, inner=flow
    )
    assert path.ranks == (0, 1)
    assert path.result is lrf.Result.rank_reached


def test_no_rate_left_over_the_cone_is_a_proof():
    """Noise makes the p.s.d. optimum neither zero in loss nor full in rank.

    The diagonal is observed: without it entries nobody sees may grow without bound.
    """
    rng = np.random.default_rng(3)
    pairs = np.array([(i, j) for i in range(12) for j in range(i, 12)])
    pairs = pairs[(np.diff(pairs, axis=1)[:, 0] == 0) | (rng.random(len(pairs)) < 0.6)]
    noise = rng.standard_normal((12, 12))
    u = rng.standard_normal((12, 2))
    truth = u @ u.T + 0.3 * (noise + noise.T)
    operator = lrf.SymmetricEntrySampling(*pairs.T, 12)
    problem = lrf.SensingProblem(operator, truth[tuple(pairs.T)])
    path = lrf.greedy_low_rank_path(problem, max_rank=12, rtol=1e-9, psd=True)
    end = path.steps[-1]
    assert path.result is lrf.Result.optimal
    assert end.rank < 12
    assert end.loss > 0.01
    # convex over the cone: no p.s.d. matrix that anyone tries is better
    for _ in range(200):
        u = rng.standard_normal((12, 12)) * rng.random()
        mixed = 0.9 * to_dense(end.matrix) + 0.1 * u @ u.T
        assert float(problem.value(mixed)) >= end.loss - 1e-9


@pytest.mark.parametrize("shape", [(30, 20), (20, 30)])
def test_with_a_penalty_the_end_is_the_convex_optimum(shape):
    """Soft-thresholding, iterated on the dense matrix, ends at the same one."""
    problem = planted(shape, rank=3, share=0.5, seed=2)
    penalty = 2.0
    path = lrf.greedy_low_rank_path(problem, max_rank=20, rtol=1e-9, penalty=penalty)
    end = path.steps[-1]
    assert end.certificate.is_optimal
    matrix = np.zeros(shape)
    for _ in range(3000):
        moved = matrix - np.asarray(to_dense(problem.gradient(matrix)))
        u, s, v = np.linalg.svd(moved, full_matrices=False)
        matrix = (u * np.maximum(s - penalty, 0)) @ v
    assert distance(end.matrix, matrix) < 1e-5
    objective = end.loss + penalty * np.trace(end.matrix.core)
    assert end.certificate.gap <= 1e-6 * objective
    # before the end the gap bounds what was still to be gained among no larger norms
    assert path.steps[1].certificate.gap > 0


def test_the_normalization_scales_loss_and_rates_and_nothing_else():
    problem = planted((20, 14))
    mean = lrf.SensingProblem(
        problem.operator, problem.measurements, normalization="mean"
    )
    m = problem.num_measurements
    a = lrf.greedy_low_rank_path(problem, max_rank=3, rtol=1e-8, penalty=0.5)
    b = lrf.greedy_low_rank_path(mean, max_rank=3, rtol=1e-8, penalty=0.5 / m)
    assert distance(b.matrix(), a.matrix()) < 1e-10
    assert np.allclose(b.losses * m, a.losses, rtol=1e-9)
    assert np.allclose(b.rates * m, a.rates, rtol=1e-9)


def test_symmetric_entries_are_entries_of_a_symmetric_matrix():
    pairs = np.array([(i, j) for i in range(12) for j in range(i, 12) if (i + j) % 3])
    u = np.random.default_rng(0).standard_normal((12, 2))
    operator = lrf.SymmetricEntrySampling(*pairs.T, 12)
    problem = lrf.SensingProblem(operator, (u @ u.T)[tuple(pairs.T)])
    path = lrf.greedy_low_rank_path(problem, max_rank=4, rtol=1e-9, psd=True)
    assert distance(path.matrix(2), u @ u.T) < 1e-5


def test_held_out_entries_choose_the_rank_and_end_the_path():
    problem, target = noisy()
    path = lrf.greedy_low_rank_path(
        problem, max_rank=12, rtol=1e-3, held_out=0.15, seed=0, patience=2
    )
    assert path.best == 3
    assert path.ranks[-1] == 5
    assert path.result is lrf.Result.past_best
    assert path.result.is_success
    assert path.held_out.operator.num_measurements == round(
        0.15 * problem.num_measurements
    )
    assert path.matrix().core.shape == (3, 3)
    assert distance(path.matrix(), target) < 0.3
    assert "<- best" in str(path).splitlines()[4]


def test_what_the_problem_holds_out_judges_the_path():
    whole = planted((20, 14))
    aside = lrf.EntrySampling([0, 3], [1, 2], (20, 14))
    held_out = HeldOut(aside, np.asarray(whole.target)[[0, 3], [1, 2]])
    problem = lrf.SensingProblem(whole.operator, whole.measurements, held_out=held_out)
    path = lrf.greedy_low_rank_path(problem, max_rank=3, rtol=1e-8)
    rms = np.sqrt(np.mean(np.asarray(held_out.measurements) ** 2))
    assert path.held_out_errors[0] == pytest.approx(rms)
    assert path.held_out_errors[2] < 1e-5


def test_effects_are_subtracted_and_come_back_in_predictions():
    rng = np.random.default_rng(1)
    shape = (40, 30)
    rows, cols = rng.standard_normal(40), rng.standard_normal(30)
    low = np.outer(rng.standard_normal(40), rng.standard_normal(30))
    table = 3.0 + rows[:, None] + cols + low
    seen = np.where(rng.random(shape) < 0.6, table, np.nan)
    problem = lrf.SensingProblem.from_matrix(seen)
    path = lrf.greedy_low_rank_path(
        problem, max_rank=4, rtol=1e-6, held_out=0.1, effects_penalty=1.0
    )
    i, j = np.nonzero(np.isnan(seen))
    error = path.predict(i, j) - table[i, j]
    assert np.sqrt(np.mean(error**2)) < 0.2
    assert path.effects.mean == pytest.approx(np.nanmean(seen), abs=0.2)


def test_a_large_sparse_table_takes_thin_memory():
    """20,000 x 15,000 would be 2.4 GB; the entries and factors are a thousandth."""
    rng = np.random.default_rng(0)
    shape, m, rank = (20_000, 15_000), 100_000, 3
    left, right = rng.standard_normal((shape[0], 2)), rng.standard_normal((shape[1], 2))
    flat = np.unique(rng.integers(shape[0] * shape[1], size=m))
    i, j = np.divmod(flat, shape[1])
    values = (left[i] * right[j]).sum(axis=1)
    problem = lrf.SensingProblem.from_entries(i, j, values, shape)
    lrf.greedy_low_rank_path(planted((60, 50)), max_rank=1, rtol=1e-3)  # compiled
    tracemalloc.start()
    try:
        path = lrf.greedy_low_rank_path(problem, max_rank=rank, rtol=1e-2, penalty=1.0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert path.ranks == (0, 1, 2, 3)
    assert path.losses[-1] < path.losses[0]
    # 25 Lanczos vectors of a column each, 20 copies of the factors, 40 of the entries
    allowed = 8 * (25 * sum(shape) + 20 * rank * sum(shape) + 40 * m)
    assert peak < allowed < 0.04 * 8 * shape[0] * shape[1]


@pytest.mark.parametrize("shape", [(90, 60), (60, 90)])
@pytest.mark.parametrize("inner", ["newton", "als"])
def test_float32_finds_what_float64_does(shape, inner):
    problem, _ = noisy(shape=shape)
    settings = {"max_rank": 6, "rtol": 1e-4, "inner": inner, "held_out": 0.15}
    double = lrf.greedy_low_rank_path(problem, patience=1, **settings)
    single = lrf.greedy_low_rank_path(problem, patience=1, dtype="float32", **settings)
    assert single.best == double.best == 3
    assert single.ranks == double.ranks
    assert all(step.converged for step in single.steps)
    # each phase ends within 1e-4 of a critical point, by its gradient
    assert distance(single.matrix(3), double.matrix(3)) < 1e-3
    assert np.allclose(single.rates[:4], double.rates[:4], rtol=1e-3)
    assert single.matrix(3).left.dtype == np.float64


def test_float32_of_a_psd_matrix():
    problem = lrf.planted_psd_completion(size=80, rank=2, num_observed=3000, seed=1)
    settings = {"max_rank": 3, "rtol": 1e-4, "psd": True, "dtype": "float32"}
    path = lrf.greedy_low_rank_path(problem, **settings)
    assert distance(path.matrix(2), problem.target) < 1e-3


@pytest.mark.parametrize("shape", [(300, 200), (200, 300)])
def test_a_certificate_is_true_of_the_matrix_it_comes_with(shape):
    """Loose as a phase is, its rate, slack and gap are those of its matrix."""
    rng = np.random.default_rng(0)
    problem = planted(shape, rank=3, share=0.5)
    noisy_values = np.asarray(problem.measurements) + rng.standard_normal(
        problem.num_measurements
    )
    problem = lrf.SensingProblem(problem.operator, noisy_values)
    settings = {"max_rank": 4, "rtol": 1e-2, "inner": "als", "dtype": "float32"}
    for step in lrf.greedy_low_rank_path(problem, **settings).steps:
        gradient = np.asarray(to_dense(problem.gradient(step.matrix)))
        top = np.linalg.norm(gradient, 2)
        claimed = step.certificate
        room = 1e-5 * top  # of float32
        assert claimed.rate - room <= top <= claimed.rate + claimed.slack + room
        inside = float((gradient * to_dense(step.matrix)).sum())
        gap = inside + top * np.trace(step.matrix.core)
        assert gap <= claimed.gap + 1e-5 * step.loss
        assert step.loss == pytest.approx(float(problem.value(step.matrix)), rel=1e-5)


def test_bits_do_not_depend_on_the_threads(monkeypatch):
    problem = planted((300, 200), share=0.5)
    module = "lowrankflow.problems.sampled_products"
    monkeypatch.setattr(f"{module}._WORTH_SHARING", 1)
    found = []
    for threads in ("1", "2"):
        monkeypatch.setenv("NUMBA_NUM_THREADS", threads)
        path = lrf.greedy_low_rank_path(problem, max_rank=2, rtol=1e-4)
        found.append(path.matrix(2).left)
    assert np.array_equal(*found)


def test_memory_is_that_of_the_entries_and_of_thin_factors():
    """In float32; the problem itself is there before."""
    rng = np.random.default_rng(0)
    shape, m, rank = (9000, 6000), 500_000, 4
    flat = np.unique(rng.integers(shape[0] * shape[1], size=m))
    i, j = np.divmod(flat, shape[1])
    factors = [rng.standard_normal((n, 6)) for n in shape]
    values = (factors[0][i] * factors[1][j]).sum(axis=1)
    problem = lrf.SensingProblem.from_entries(i, j, values, shape)
    settings = {"rtol": 1e-2, "inner": "als", "dtype": "float32"}
    lrf.greedy_low_rank_path(problem, max_rank=1, **settings)  # compiled
    tracemalloc.start()
    try:
        path = lrf.greedy_low_rank_path(problem, max_rank=rank, **settings)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert path.ranks == (0, 1, 2, 3, 4)
    # 4 indices, 6 vectors of values; two dozen blocks of eight columns, the solutions
    allowed = 4 * 12 * m + 8 * sum(shape) * (24 * 8 + rank * rank)
    assert peak < allowed < 0.15 * 8 * shape[0] * shape[1]


def test_the_callback_sees_every_rank_as_it_is_known():
    seen = []
    path = lrf.greedy_low_rank_path(
        planted((20, 14)), max_rank=3, rtol=1e-6, callback=seen.append
    )
    assert tuple(seen) == path.steps
    assert all(a.seconds < b.seconds for a, b in zip(seen, seen[1:], strict=False))


def test_measurements_of_zero_are_solved_by_zero():
    problem = lrf.SensingProblem.from_entries([0, 1], [1, 0], [0.0, 0.0], (3, 2))
    path = lrf.greedy_low_rank_path(problem, max_rank=2, rtol=1e-6)
    assert path.ranks == (0,)
    assert path.result is lrf.Result.optimal


def test_the_bits_repeat():
    problem = planted((60, 90))
    a, b = (
        lrf.greedy_low_rank_path(problem, max_rank=2, rtol=1e-6).matrix(2).left
        for _ in range(2)
    )
    assert np.array_equal(a, b)


GAUSSIAN = lrf.planted_sensing(shape=(6, 5), rank=1, num_measurements=20, seed=0)
SMALL = planted((6, 5), rank=1)


@pytest.mark.parametrize(
    ("problem", "settings", "where", "said"),
    [
        (SMALL, {"inner": "sgd"}, "inner", "one of 'newton', 'als', 'flow'"),
        (GAUSSIAN, {}, "inner", 'Use inner="flow"'),
        (SMALL, {"psd": True}, "psd", "a positive semidefinite matrix is square"),
        (SMALL, {"psd": 1}, "psd", "Give psd=True or leave it out"),
        (SMALL, {"penalty": -1.0}, "penalty", "is a number >= 0"),
        (SMALL, {"penalty": 1.0, "inner": "flow"}, "penalty", "follows the plain loss"),
        (SMALL, {"patience": 2}, "patience", "holds nothing out"),
        (SMALL, {"callback": 3}, "callback", "a function of one PathStep"),
        (SMALL, {"max_rank": 0}, "max_rank", "integer"),
        (SMALL, {"rtol": 0.0}, "rtol", "positive"),
        (SMALL, {"optimality_tolerance": -1.0}, "optimality_tolerance", "positive"),
        (SMALL, {"dtype": "float16"}, "dtype", 'in "float64" or in "float32"'),
        (SMALL, {"dtype": "float32", "inner": "flow"}, "dtype", "in float64"),
        (SMALL, {"dtype": "float32"}, "rtol", "float32 resolves a phase to 1e-05"),
        ("no problem", {}, "problem", "this is a SensingProblem"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(problem, settings, where, said):
    settings = {"max_rank": 2, "rtol": 1e-6} | settings
    with pytest.raises(lrf.SpecError) as caught:
        lrf.greedy_low_rank_path(problem, **settings)
    assert caught.value.where == f"greedy_low_rank_path({where})"
    assert said in str(caught.value)


def test_other_losses_and_one_factor_are_refused():
    huber = lrf.SensingProblem(
        SMALL.operator, SMALL.measurements, loss=lrf.Huber(delta=1.0)
    )
    with pytest.raises(lrf.SpecError, match="is for the squared loss"):
        lrf.greedy_low_rank_path(huber, max_rank=2, rtol=1e-6)
    square = lrf.planted_psd_completion(size=6, rank=1, num_observed=20, seed=0)
    with pytest.raises(lrf.SpecError, match="U U' has one"):
        lrf.greedy_low_rank_path(square, max_rank=2, rtol=1e-6, psd=True, inner="als")


def test_a_rank_that_the_path_lacks_is_refused():
    path = lrf.greedy_low_rank_path(SMALL, max_rank=2, rtol=1e-6)
    with pytest.raises(lrf.SpecError, match="this path has the ranks 0 to 1"):
        path.matrix(7)


def test_certificates_say_what_they_prove():
    path = lrf.greedy_low_rank_path(SMALL, max_rank=2, rtol=1e-8)
    assert str(path.certificates[0]).startswith("Another direction helps")
    assert str(path.certificates[-1]).startswith("Every measurement is met")
