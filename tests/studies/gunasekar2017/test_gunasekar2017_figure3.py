"""The claims of figure 3, on made-up ends known to be right or wrong."""

import math

import numpy as np
import pytest
import xarray

from lowrankflow.problems import load_ratings
from lowrankflow.simulation import build
from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.gunasekar2017 import (
    figure3_jobs as jobs,
    figure3_measures as measures,
)
from lowrankflow.studies.gunasekar2017.figure3 import Figure3
from lowrankflow.studies.gunasekar2017.figure3_claims import PRINTED_ERROR, PRINTED_NORM

STUDY = Figure3()
# What a world of the paper's statements has; each test of a contradiction changes one.
PAPER = {
    "gap": 1e-7,
    "ratings_gap": 1e-5,
    "result": "converged",
    "exponential": 1.0,
    "descent": 1.0,
    "recoverable": 0.001,
    "excess": 0.08,
    "smaller": 0.12,
    "on_x": 0.6,
    "on_x_few": 0.4,
    "on_x_few_entries": 0.4,
    "factored": 8876 / 8391,
    "early": 0.95,
    "ratings_on_x": 20_912 / 8391,
    "error_least": 0.288,
    "error_factored": 0.2631,
    "scale": 1.0,
}


def planted(axes, world):
    excess = world["recoverable"] if axes["truth"] == "rank 2" else world["excess"]
    method = axes["method"]
    if method == jobs.LEAST:
        return 1.5
    if method == jobs.ON_X:
        name = "on_x"
        if axes["truth"] == "too few":
            is_gaussian = axes["measurements"] == "gaussian"
            name = "on_x_few" if is_gaussian else "on_x_few_entries"
        return 1.5 * (1 + world[name])
    if axes["norm"] == jobs.SMALLER_NORM and axes["truth"] != "rank 2":
        excess = world["smaller"]
    return 1.5 * (1 + excess) * world.get(method, 1.0)


def dataset(axes, world):
    """What a run of these axes leaves in a world; ratings have a norm of 1000."""
    method, jitter = axes["method"], 1 + 1e-4 * (axes["seed"] - 1)
    gap = world["ratings_gap"] if "data" in axes else world["gap"]
    attributes = {
        "result": world["result"],
        "certificate_relative_gap": gap,
        "certificate_primal_residual": 0.0,
        "certificate_dual_norm": 1.0,
    }
    if "data" not in axes:
        norm = planted(axes, world) * jitter
        return xarray.Dataset({"nuclear_norm": ((), norm)}, attrs=attributes)
    least = 8391.0 * world["scale"] * jitter
    ends = {
        jobs.LEAST: (least, world["error_least"]),
        jobs.FLOW: (least * world["factored"], world["error_factored"]),
        jobs.ON_X: (least * world["ratings_on_x"], 1.0),
    }
    norm, error = ends[method]
    values = {"singular_values": (("sv",), np.array([1000.0, 0.0]))}
    if method != jobs.FLOW:
        values |= {"nuclear_norm": ((), norm), "held_out_rmse": ((), 3.75 * error)}
        return xarray.Dataset(values, attrs=attributes)
    training = np.array([1.0, 0.3, 0.09, 0.01])
    shares = np.array([0.0, 0.3, world["early"] / world["factored"], 1.0])
    errors = 3.75 * np.array([1.0, error * 0.9, error * 0.9, error])
    records = {
        "loss": 0.5 * (1000 * training) ** 2,
        "nuclear_norm": norm * shares,
        "held_out_rmse": errors,
    }
    return xarray.Dataset(
        {name: ("record", column) for name, column in records.items()},
        {"time": ("record", np.arange(4.0))},
        attributes,
    )


def collection(profile="paper", seeds=3, **changes):
    world = {**PAPER, **changes}
    plan = STUDY.plan(profile, seeds)
    return Collection([(job.axes, dataset(job.axes, world)) for job in plan])


def outcomes(runs):
    return {verdict.claim: verdict.outcome for verdict in STUDY.claims(runs)}


CONTRADICTIONS = {
    "certified": {"gap": 0.1},
    "ratings-certified": {"ratings_gap": 0.1},
    "fitted": {"result": "iterations_reached"},
    "exponential-agrees": {"exponential": 1.02},
    "descent-agrees": {"descent": 0.98},
    "close-recoverable": {"recoverable": 0.05},
    "close-everywhere": {"excess": 0.5},
    "visibly-above": {"excess": 0.001, "recoverable": 0.0},
    "still-above": {"smaller": 0.001},
    "away": {"smaller": 0.04},
    "on-x-far-enough": {"on_x": 0.05},
    "flow-nearer-enough": {"on_x": 0.05},
    "on-x-far-few-gaussian": {"on_x_few": 0.05},
    "flow-nearer-few-gaussian": {"on_x_few": 0.05},
    "on-x-far-few-entries": {"on_x_few_entries": -0.02},
    "flow-nearer-few-entries": {"on_x_few_entries": -0.02},
    "ratings-near": {"factored": 1.2},
    "ratings-near-early": {"early": 0.5},
    "ratings-below-on-x": {"ratings_on_x": 1.2},
    "ratings-learns": {"error_least": 0.7},
    "ratings-factored-predicts-better": {"error_factored": 0.3},
    "printed-norm-least": {"scale": 0.9},
    "printed-norm-factored": {"factored": 1.2},
    "printed-norm-on-x": {"ratings_on_x": 2.0},
    "printed-error-least": {"error_least": 0.2},
    "printed-error-factored": {"error_factored": 0.3},
}


def test_right_data_support_every_claim():
    found = outcomes(collection())
    assert set(found) == set(CONTRADICTIONS)
    assert set(found.values()) == {Outcome.SUPPORTED}, found


@pytest.mark.parametrize("claim", CONTRADICTIONS)
def test_wrong_data_contradict_the_claim(claim):
    found = outcomes(collection(**CONTRADICTIONS[claim]))
    assert found[claim] is Outcome.CONTRADICTED


def test_a_cut_of_the_ratings_has_no_printed_numbers():
    found = outcomes(collection("quick"))
    assert not [claim for claim in found if claim.startswith("printed")]
    assert found["ratings-near"] is Outcome.SUPPORTED


def test_without_ratings_only_their_claims_are_undecided():
    runs = collection("quick")
    kept = [run for run in runs.runs if "data" not in run[0]]
    lost = [Failure(axes=a, reason="no ratings") for a, _ in runs.runs if "data" in a]
    found = outcomes(Collection(kept, lost))
    for claim, outcome in found.items():
        # A path that is missing may be the one that did not fit.
        is_open = claim.startswith("ratings") or claim == "fitted"
        expected = Outcome.UNDECIDED if is_open else Outcome.SUPPORTED
        assert outcome is expected, claim


def test_a_minimum_that_was_not_certified_does_not_count():
    runs = collection("quick").runs
    spoiled = []
    for axes, data in runs:
        if axes["method"] == jobs.LEAST and axes["seed"] == 1 and "data" not in axes:
            data = dataset(axes, {**PAPER, "gap": 0.3}) * 0.5
            data = data.assign_attrs(certificate_relative_gap=0.3)
        spoiled.append((axes, data))
    found = Collection(spoiled)
    for place in measures.PLACES:
        assert measures.planted_excess(found, place, jobs.FLOW).seeds == (0, 2)
    assert outcomes(found)["certified"] is not Outcome.SUPPORTED
    assert outcomes(found)["close-everywhere"] is Outcome.SUPPORTED


def test_training_errors_are_relative_to_the_data():
    runs = collection("quick")
    (seed, training, norms), *_ = measures.ratings_path(runs, "nuclear_norm")
    assert seed == 0
    np.testing.assert_allclose(training, [1.0, 0.3, 0.09, 0.01])
    early = measures.ratings_excess_at(runs, 0.1)
    np.testing.assert_allclose(early.values, 0.95)
    never = measures.ratings_excess_at(runs, 1e-9)
    assert np.isnan(never.values).all()


def test_the_ratings_start_has_the_norm_of_the_paper():
    for users, items in ((4, 6), (6, 4)):
        scale = jobs._product_scale(users, items)
        width = min(users, items)
        # Gaussian factors of one variance: E ||W(0)||_F^2 = s^4 rows width cols.
        variance = scale * math.sqrt(width) / math.sqrt(users * width * items)
        total = variance * width * (users + items)
        assert math.sqrt(total) == pytest.approx(jobs.RATINGS_NORM)


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_it_draws_every_profile(profile):
    svg = draw(STUDY, collection(profile))
    assert svg.startswith("<svg")
    assert "nan" not in svg.lower()


def test_it_draws_without_any_run():
    plan = STUDY.plan("smoke")
    nothing = Collection([], [Failure(axes=job.axes, reason="killed") for job in plan])
    assert draw(STUDY, nothing).startswith("<svg")
    assert set(outcomes(nothing).values()) == {Outcome.UNDECIDED}


@pytest.mark.parametrize("measured", jobs.MEASUREMENTS)
@pytest.mark.parametrize("truth", jobs.TRUTHS)
def test_planted_problems_are_what_they_say(measured, truth):
    size = jobs.SIZES["smoke"]
    problem = build(jobs.planted_recipe(size, measured, truth, seed=1))
    target = np.asarray(problem.target)
    assert problem.num_measurements == (4 if truth == "too few" else 24)
    assert np.linalg.norm(target) == pytest.approx(1.0)
    values = np.linalg.eigvalsh(target)[::-1]
    if truth == "decaying":
        expected = np.arange(1.0, 9.0) ** -1.5
        np.testing.assert_allclose(values / values[0], expected, rtol=1e-10)
    else:
        assert np.sum(values > 1e-10) == 2


def test_the_size_of_a_cut_is_that_of_the_ratings():
    try:
        ratings = load_ratings()
    except Exception:
        pytest.skip("no ratings here")
    assert ratings.num_ratings == jobs.SIZES["paper"].ratings
    for name in ("smoke", "quick"):
        size = jobs.SIZES[name]
        job = next(job.job for job in STUDY.plan(name) if "data" in job.axes)
        problem = build(job.problem)
        assert problem.shape == (size.users, size.items)
        held_out = jobs.HELD_OUT_PER_USER * size.users
        assert problem.num_measurements == size.ratings - held_out


def test_the_remembered_table_orders_the_methods():
    assert PRINTED_NORM[jobs.LEAST] < PRINTED_NORM[jobs.FLOW] < PRINTED_NORM[jobs.ON_X]
    assert PRINTED_ERROR[jobs.FLOW] < PRINTED_ERROR[jobs.LEAST]
