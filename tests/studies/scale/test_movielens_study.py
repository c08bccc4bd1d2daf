"""The flows on ratings as a study: every claim can come out either way."""

import numpy as np
import pytest
import xarray

from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.scale import MovieLens
from lowrankflow.studies.scale.movielens_jobs import ADAPTIVE, SIZES

STUDY = MovieLens()


def flow(axes, profile, *, wrong):
    """Values that rise one after another; a wrong flow's later ones are larger."""
    times = SIZES[profile].times[axes["depth"]]
    records = len(times)
    rise = np.linspace(0, 1, records)[:, None] * np.linspace(1, 0.5, 15)
    values = 1e-3 * np.exp(rise * np.log(1e6))
    is_wrong = wrong and axes["method"] == ADAPTIVE
    if is_wrong:
        values[:, 1] *= 1.5
        values = -np.sort(-values, axis=1)
    loss = np.geomspace(1e4, 1e2, records)
    held_out = np.linspace(3.7, 1.2, records) * (1.1 if is_wrong else 1.0)
    adaptive = 200.0 if wrong else 2.0
    seconds = adaptive if axes["method"] == ADAPTIVE else 400.0
    return xarray.Dataset(
        {
            "singular_values": (("record", "sv"), values),
            "loss": (("record",), loss),
            "held_out_rmse": (("record",), held_out),
        },
        coords={"time": (("record",), times)},
        attrs={"wall_time_seconds": seconds},
    )


def collection(profile, *, wrong):
    plan = STUDY.plan(profile)
    return Collection(
        [(job.axes, flow(job.axes, profile, wrong=wrong)) for job in plan]
    )


def outcomes(runs):
    return {verdict.claim: verdict.outcome for verdict in STUDY.claims(runs)}


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_where_the_flows_agree_its_claims_are_supported(profile):
    found = outcomes(collection(profile, wrong=False))
    assert set(found.values()) == {Outcome.SUPPORTED}, found


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_where_they_part_its_claims_are_contradicted(profile):
    found = outcomes(collection(profile, wrong=True))
    assert set(found.values()) == {Outcome.CONTRADICTED}, found


def test_speed_is_judged_on_the_whole_table_alone():
    asked = {name: outcomes(collection(name, wrong=False)) for name in SIZES}
    fast = {name: [c for c in asked[name] if c.startswith("faster")] for name in SIZES}
    assert fast["smoke"] == fast["quick"] == []
    of_depth_2 = ["faster-2-1e-4", "faster-2-4e-4", "faster-2-1e-3"]
    assert fast["paper"] == [*of_depth_2, "faster-3-1e-4"]


def test_a_path_that_is_passed_later_is_the_same():
    """Only times differ: half a record late."""
    runs = []
    for job in STUDY.plan("paper"):
        dataset = flow(job.axes, "paper", wrong=False)
        if job.axes["method"] == ADAPTIVE:
            for name in dataset.data_vars:
                array = dataset[name].values
                late = np.sqrt(array[1:] * array[:-1])
                dataset[name] = (
                    dataset[name].dims,
                    np.concatenate([array[:1], late]),
                )
        runs.append((job.axes, dataset))
    found = outcomes(Collection(runs))
    assert found["relative-2-1e-4"] is Outcome.SUPPORTED
    assert found["relative-3-1e-4"] is Outcome.SUPPORTED


@pytest.mark.parametrize("profile", ["quick", "paper"])
def test_missing_runs_leave_its_claims_undecided(profile):
    failures = [Failure(axes=job.axes, reason="killed") for job in STUDY.plan(profile)]
    found = outcomes(Collection([], failures))
    assert set(found.values()) == {Outcome.UNDECIDED}, found


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_it_draws_every_profile(profile):
    svg = draw(STUDY, collection(profile, wrong=False))
    assert svg.startswith("<svg")
    assert "nan" not in svg.lower()


def test_it_draws_what_is_there():
    failures = [Failure(axes=job.axes, reason="killed") for job in STUDY.plan("smoke")]
    assert draw(STUDY, Collection([], failures)).startswith("<svg")
