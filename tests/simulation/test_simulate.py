"""Runs: schedules, records, datasets, refusals, and problems at the edge."""

import json

import jax.numpy as jnp
import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.errors import DataError, LowRankFlowError, SpecError
from lowrankflow.result import Result

DEPTH2 = lrf.DeepFactorization(2)
DESCENT = lrf.GradientDescent(lrf.ConstantStep(0.05))
FLOW = lrf.GradientFlow(1e-5, 1e-5)
GREEDY = lrf.GreedyLowRank(
    rtol=1e-5,
    atol=1e-5,
    seed_scale=1e-10,
    stage_tolerance=1e-8,
    optimality_tolerance=1e-5,
)
ALWAYS = {
    "time",
    "iteration",
    "loss",
    "gradient_norm",
    "singular_values",
    "nuclear_norm",
    "effective_rank",
    "stable_rank",
}


def planted(**options):
    return lrf.planted_completion((3, 4), rank=1, num_observed=8, seed=0, **options)


def go(problem=None, factorization=DEPTH2, dynamics=DESCENT, **options):
    options = {
        "start": lrf.Gaussian(0.1),
        "stop": lrf.Stop(iterations=40),
        **options,
    }
    problem = planted() if problem is None else problem
    return lrf.simulate(problem, factorization, dynamics, **options)


# Schedules


def iterations(**options):
    return list(go(**options).dataset.iteration.values)


def test_each_schedule_records_where_it_says():
    assert iterations(schedule=lrf.OnlyEnds()) == [0, 40]
    assert iterations(schedule=lrf.EveryIterations(15)) == [0, 15, 30, 40]
    assert iterations(schedule=lrf.EveryIterations(1)) == list(range(41))
    wanted = [0, 1, 2, 3, 5, 8, 12, 18, 27, 40]
    assert iterations(schedule=lrf.GeometricIterations(1.5)) == wanted
    # Unless given: one by one at first, 5 % apart later.
    default = iterations(stop=lrf.Stop(iterations=200))
    assert default[:21] == list(range(21))
    assert default[-1] == 200
    ratios = np.array(default[22:-1]) / default[21:-2]
    assert np.all((ratios > 1.04) & (ratios < 1.11))


def test_at_times_lands_on_them_or_just_after():
    times = [0.31, 0.4, 1.0]
    run = go(schedule=lrf.AtTimes(times), stop=lrf.Stop(time=1.5))
    # Descent steps by 0.05 and is recorded at or just after.
    np.testing.assert_allclose(
        run.dataset.time.values, [0, 0.35, 0.4, 1.0, 1.5], atol=1e-12
    )
    run = go(
        dynamics=FLOW, schedule=lrf.AtTimes(np.array(times)), stop=lrf.Stop(time=1.5)
    )
    # A flow lands on each, to the last bit.
    assert list(run.dataset.time.values) == [0, *times, 1.5]
    # Times after the end are not waited for, and the end may be between them.
    run = go(schedule=lrf.AtTimes([0.2, 99.0]), stop=lrf.Stop(iterations=10))
    assert list(run.dataset.iteration.values) == [0, 4, 10]


def test_schedules_change_no_number_of_descent():
    runs = [
        go(schedule=schedule)
        for schedule in (lrf.OnlyEnds(), lrf.EveryIterations(3), lrf.AtTimes([0.7]))
    ]
    assert all(np.array_equal(r.matrix, runs[0].matrix) for r in runs)


@pytest.mark.parametrize(
    "ratio",
    [1.0, 0.5, -2.0, np.inf, np.nan, "1.05", None, [2.0], True, np.array([2.0, 3.0])],
)
def test_bad_ratios_are_refused(ratio):
    with pytest.raises(SpecError, match=r"`GeometricIterations\(ratio\)`: .* above 1"):
        lrf.GeometricIterations(ratio)


@pytest.mark.parametrize("ratio", [1e30, 1e308])
def test_a_ratio_may_lead_beyond_every_run(ratio):
    run = go(schedule=lrf.GeometricIterations(ratio))
    assert np.array_equal(run.matrix, go(schedule=lrf.OnlyEnds()).matrix)


def test_bad_counts_and_times_are_refused():
    for count in (0, -1, 1.5, True, "3", None, [3]):
        with pytest.raises(SpecError, match=r"`EveryIterations\(count\)`: .* integer"):
            lrf.EveryIterations(count)
    for times in ([], [0.0, 1.0], [-1.0], [1.0, 1.0], [2.0, 1.0]):
        with pytest.raises(SpecError, match=r"`AtTimes\(times\)`: times ascend"):
            lrf.AtTimes(times)
    for times in ([1.0, np.nan], [np.inf], [[1.0, 2.0]], "soon"):
        with pytest.raises(DataError, match=r"`AtTimes\(times\)`"):
            lrf.AtTimes(times)


# Records and the dataset


def test_records_have_the_names_that_apply():
    plain = lrf.SensingProblem.from_matrix([[1.0, np.nan, 2.0], [np.nan, 3.0, 4.0]])
    run = go(plain)
    assert set(run.records[0]) == ALWAYS | {"imbalance", "step"}
    full = planted(num_held_out=3)
    run = go(full)
    extra = {"relative_error", "mean_squared_error", "held_out_rmse"}
    assert set(run.records[0]) == ALWAYS | {"imbalance", "step"} | extra
    last, matrix = run.records[-1], run.matrix
    target = np.asarray(full.target)
    assert last["relative_error"] == pytest.approx(
        np.linalg.norm(matrix - target) / np.linalg.norm(target)
    )
    assert last["mean_squared_error"] == pytest.approx(((matrix - target) ** 2).mean())
    held = full.held_out
    misses = held.operator.apply(matrix) - held.measurements
    assert last["held_out_rmse"] == pytest.approx(np.sqrt(np.mean(misses**2)))
    values = np.linalg.svd(matrix, compute_uv=False)
    np.testing.assert_allclose(last["singular_values"], values, atol=1e-14)
    assert last["nuclear_norm"] == pytest.approx(values.sum())
    assert last["loss"] == pytest.approx(float(full.value(matrix)))
    first, second = run.factors
    assert last["imbalance"] == pytest.approx(
        np.linalg.norm(second.T @ second - first @ first.T)
    )
    # U U' has one factor and no balance; a flow counts its work.
    square = lrf.SensingProblem.from_matrix([[1.0, np.nan], [np.nan, 2.0]])
    run = go(square, lrf.SymmetricFactorization(), FLOW)
    counts = {"evaluations", "rejections", "step"}
    assert set(run.records[0]) == ALWAYS | counts


def test_every_record_has_the_same_names():
    for dynamics in (DESCENT, FLOW, GREEDY):
        run = go(dynamics=dynamics)
        names = {frozenset(record) for record in run.records}
        assert len(names) == 1


def test_the_dataset():
    run = go(observe={"corner": lambda problem, seen: seen.matrix[0, 0]}, seed=3)
    dataset = run.dataset
    assert set(dataset.sizes) == {"record", "sv"}
    assert dataset.sizes["sv"] == 3
    assert set(dataset.coords) == {"time", "iteration"}
    assert dataset.singular_values.dims == ("record", "sv")
    assert dataset.corner.dims == ("record",)
    assert dataset.corner.values[-1] == run.matrix[0, 0]
    assert np.all(np.diff(dataset.time.values) > 0)
    assert np.all(np.diff(dataset.singular_values.values, axis=1) <= 0)
    attributes = dataset.attrs
    assert attributes["result"] == "iterations_reached"
    assert attributes["result_sentence"] == str(Result.iterations_reached)
    assert attributes["dtype"] == "float64"
    assert attributes["normalization"] == "sum"
    assert json.loads(attributes["seed"]) == 3
    assert attributes["lowrankflow_version"] == lrf.__version__
    assert "ConstantStep" in attributes["dynamics"]
    assert "Gaussian" in attributes["start"]
    assert "iterations_reached" not in str(run)
    assert "iteration 40" in str(run)


def test_the_start_and_the_end_are_recorded():
    problem = planted()
    factors = lrf.Gaussian(0.1).factors(problem, DEPTH2, seed=7)
    run = go(problem, seed=7, schedule=lrf.OnlyEnds())
    assert len(run.records) == 2
    start = DEPTH2.end_to_end(factors)
    assert run.records[0]["loss"] == pytest.approx(float(problem.value(start)))
    assert run.records[0]["time"] == 0
    assert run.records[1]["loss"] == run.snapshot.loss
    assert len(run.factors) == 2
    other = go(problem, seed=8, schedule=lrf.OnlyEnds())
    assert other.records[0]["loss"] != run.records[0]["loss"]


def test_an_objective_has_neither_target_nor_measurements():
    problem = lrf.Objective(lambda w: jnp.sum((w - 1.0) ** 4), (3, 4))
    run = go(problem)
    assert set(run.records[0]) == ALWAYS | {"imbalance", "step"}
    assert run.snapshot.loss < run.records[0]["loss"]
    assert run.dataset.attrs["normalization"] == "none"


def test_chunks_are_the_run():
    whole = go(schedule=lrf.EveryIterations(1))
    chunks = list(
        lrf.simulate_chunks(
            planted(),
            DEPTH2,
            DESCENT,
            start=lrf.Gaussian(0.1),
            stop=lrf.Stop(iterations=40),
            schedule=lrf.EveryIterations(1),
        )
    )
    assert [len(chunk.records) for chunk in chunks] == [16, 16, 9]
    together = [record for chunk in chunks for record in chunk.records]
    assert [r["loss"] for r in together] == [r["loss"] for r in whole.records]
    assert chunks[0].snapshot.result is Result.running
    assert chunks[-1].snapshot.result is Result.iterations_reached
    # Resumed at its end, a run has nothing to add.
    rest = list(
        lrf.simulate_chunks(
            planted(),
            DEPTH2,
            DESCENT,
            start=lrf.Gaussian(0.1),
            stop=lrf.Stop(iterations=40),
            state=chunks[-1].state,
        )
    )
    assert [len(chunk.records) for chunk in rest] == [0]


# Ends that raise


def test_throw_raises_only_for_ends_not_asked_for():
    assert go(stop=lrf.Stop(time=1.0), throw=True).result is Result.time_reached
    message = r"throw=True .* Got iterations_reached at time 2, iteration 40, loss .*: "
    with pytest.raises(lrf.RunFailedError, match=message):
        go(throw=True)
    message = r"Got diverged at .* change the stop rule or the dynamics"
    wild = lrf.GradientDescent(lrf.ConstantStep(30.0))
    with pytest.raises(lrf.RunFailedError, match=message) as caught:
        go(dynamics=wild, start=lrf.Gaussian(3.0), throw=True)
    assert isinstance(caught.value, LowRankFlowError)
    run = go(dynamics=wild, start=lrf.Gaussian(3.0))
    assert run.result is Result.diverged
    assert np.isfinite(run.snapshot.loss)


# Refusals


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": None}, r"`simulate\(start\)`: GradientDescent starts somewhere"),
        ({"start": 1e-3}, r"`simulate\(start\)`: .* Got 0\.001\. Give .*=Gaussian"),
        ({"stop": lrf.Stop()}, r"`simulate\(stop\)`: .* at least one rule"),
        ({"stop": 1e-6}, r"`simulate\(stop\)`: this is a Stop\. Got float"),
        ({"problem": np.eye(3)}, r"`simulate\(problem\)`: .* Got ndarray"),
        ({"factorization": 2}, r"`simulate\(factorization\)`: .* Got int"),
        ({"dynamics": "descent"}, r"`simulate\(dynamics\)`: .* Got str"),
        ({"dynamics": lrf.GradientFlow}, r"`simulate\(dynamics\)`"),
        ({"seed": -1}, r"`seed`: a seed is an integer >= 0. Got -1"),
        ({"seed": 1.5}, r"`seed`: .* Got 1\.5"),
        ({"seed": True}, r"`seed`: .* Got True"),
        (
            {"observe": {"loss": lambda p, s: 0.0}},
            r"`simulate\(observe\)`: .* Got 'loss', .* 'my_loss'",
        ),
        (
            {"observe": {"all": lambda p, s: s.matrix}},
            r"`simulate\(observe={'all'.*\)`: .* one number\. Got .* \(3, 4\)",
        ),
        (
            {"factorization": lrf.SymmetricFactorization()},
            r"`SymmetricFactorization`: U U' is square, .* Got .* \(3, 4\)",
        ),
        (
            {"factorization": lrf.DeepFactorization(2, (3, 2, 4))},
            r"`DeepFactorization\(widths\)`: widths run from cols = 4 to rows = 3",
        ),
        (
            {"start": lrf.GivenFactors((np.eye(3), np.eye(3)))},
            r"`GivenFactors\(given\)`: .* shapes",
        ),
        (
            {"start": lrf.RandomPSD(1.0)},
            r"`RandomPSD`: .* square",
        ),
    ],
)
def test_parts_that_do_not_go_together_are_refused(change, message):
    with pytest.raises(SpecError, match=message):
        go(**change)


def test_bad_settings_are_refused_where_they_are_made():
    for value in (-1e-3, 0.0, np.nan, np.inf, "small"):
        with pytest.raises(SpecError, match=r"`Gaussian\(init_scale\)`: .* positive"):
            lrf.Gaussian(value)
    for value in (0, -1, 2.0, True):
        with pytest.raises(SpecError, match=r"`DeepFactorization\(depth\)`: .* >= 1"):
            lrf.DeepFactorization(value)
    for name in ("loss", "gradient", "time"):
        for value in (np.nan, "late"):
            with pytest.raises(SpecError, match=rf"`Stop\({name}\)`: .* number"):
                lrf.Stop(**{name: value})
    for name in ("gradient", "time"):
        with pytest.raises(SpecError, match=rf"`Stop\({name}\)`: .* >= 0\. Got -1"):
            lrf.Stop(**{name: -1.0})
    for value in (-1, 1.5, True, np.nan):
        with pytest.raises(SpecError, match=r"`Stop\(iterations\)`: .* integer >= 0"):
            lrf.Stop(iterations=value)


# Problems at the edge


EDGES = {
    "row": lrf.SensingProblem.from_matrix([[1.0, np.nan, -2.0, 3.0]]),
    "column": lrf.SensingProblem.from_matrix([[1.0], [np.nan], [-2.0], [3.0]]),
    "missing": lrf.SensingProblem.from_matrix(
        [[1.0, np.nan, 2.0], [np.nan] * 3, [2.0, np.nan, 4.0]]
    ),
    "zero": lrf.SensingProblem.from_matrix(
        [[0.0, np.nan, 0.0], [np.nan] * 3, [0.0, np.nan, 0.0]]
    ),
}
DYNAMICS = {
    "flow": FLOW,
    "descent": DESCENT,
    "end-to-end": lrf.EndToEndFlow(1e-5, 1e-5),
    "greedy": GREEDY,
}


@pytest.mark.parametrize("dynamics", DYNAMICS)
@pytest.mark.parametrize("edge", EDGES)
def test_every_dynamics_runs_on_problems_at_the_edge(edge, dynamics):
    problem = EDGES[edge]
    run = go(
        problem,
        dynamics=DYNAMICS[dynamics],
        start=lrf.Balanced(1e-2),
        stop=lrf.Stop(loss=1e-6, time=1e6, iterations=50_000),
        schedule=lrf.OnlyEnds(),
    )
    assert run.result in (Result.converged, Result.optimal)
    # Greedy learning is at its optimum only once no direction grows.
    assert run.snapshot.loss <= 1e-6
    assert np.all(np.isfinite(run.matrix))
    # A loss of 1e-6 is a residual of 1.4e-3 at most.
    residual = np.asarray(problem.residual(run.matrix))
    assert np.abs(residual).max() < 1.5e-3
    if edge == "zero":
        assert np.linalg.norm(run.matrix) <= 2e-2
    if edge == "missing":
        # Nothing is said of the second row and column: they stay at the start's size.
        assert np.abs(run.matrix[1]).max() < 0.2
        assert np.abs(run.matrix[:, 1]).max() < 0.2
        # The rest is the rank one matrix that fits it.
        wanted = np.array([[1.0, 2.0], [2.0, 4.0]])
        assert np.abs(run.matrix[::2, ::2] - wanted).max() < 1.5e-3
    assert np.all(np.isfinite(run.dataset.effective_rank.values))
