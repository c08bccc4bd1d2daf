"""Agreement of the two flows as a study: every claim can come out either way."""

import numpy as np
import pytest
import xarray

from lowrankflow.simulation import AgreementJob
from lowrankflow.store import Store, execute
from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.scale import Agreement
from lowrankflow.studies.scale.agreement_jobs import SIZES, STAGES

STUDY = Agreement()
POINTS = 50


def pair(axes, apart):
    """Two flows that are `apart` of each other everywhere, and at the end."""
    share = np.linspace(0, 1, POINTS)
    errors = 1 - 0.9 * share
    tolerance = axes["tolerance"]
    # Right worlds come nearer as the tolerance falls, wrong ones do not.
    distance = 1e-5 + tolerance if apart < 1e-3 else apart + 1e-6 / tolerance
    along = {
        "path_share": share,
        "curve_distance": distance * share,
        "time_distance": 2 * distance * share,
        "loss": np.geomspace(100, 1e-7, POINTS),
        "relative_error": errors + distance * share,
        "reference_error": errors,
        "rank": np.full(POINTS, 4.0),
    }
    scalars = {
        "end_distance": distance,
        "final_rank": 4.0,
        "most_rank": 4.0 if apart < 1e-3 else 60.0,
        "evaluations": 100.0,
        "reference_evaluations": 900.0,
    }
    return xarray.Dataset(
        {name: (("point",), array) for name, array in along.items()}
        | {name: ((), number) for name, number in scalars.items()}
    )


def passage(profile, order, near):
    """A run that passes the greedy points in this order, so near."""
    records = 40
    count = SIZES[profile].rank
    steps = np.arange(records)
    passed = np.linspace(5, 35, count).round()
    if order == "another":
        passed = passed[::-1]
    distances = {
        f"greedy_point_distance_{k + 1}": (
            ("record",),
            5 * (np.abs(steps - at) / records + near),
        )
        for k, at in enumerate(passed)
    }
    values = np.ones((records, 25))
    return xarray.Dataset(
        {"singular_values": (("record", "sv"), values), **distances},
        coords={"time": (("record",), steps.astype(float))},
    )


def right(axes, profile):
    if axes["part"] == STAGES:
        return passage(profile, "the same", 1e-4)
    return pair(axes, 1e-4)


def wrong(axes, profile):
    if axes["part"] == STAGES:
        near = 0.3 if axes["method"] == "adaptive" else 1e-4
        return passage(profile, "another", near)
    return pair(axes, 0.05)


def collection(world, profile="paper"):
    plan = STUDY.plan(profile, 2)
    return Collection([(job.axes, world(job.axes, profile)) for job in plan])


def outcomes(runs):
    return {verdict.claim: verdict.outcome for verdict in STUDY.claims(runs)}


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_where_the_flows_agree_its_claims_are_supported(profile):
    found = outcomes(collection(right, profile))
    few = {"few"} if profile == "smoke" else set()  # four directions, rank two
    assert {c for c, o in found.items() if o is not Outcome.SUPPORTED} == few, found


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_where_they_part_its_claims_are_contradicted(profile):
    found = outcomes(collection(wrong, profile))
    assert set(found.values()) == {Outcome.CONTRADICTED}, found


def test_one_pair_that_parts_is_enough():
    def world(axes, profile):
        parts = axes["problem"] == "tall" and axes["depth"] == 4
        return wrong(axes, profile) if parts else right(axes, profile)

    found = outcomes(collection(world))
    assert found["aligned-curve"] is Outcome.CONTRADICTED
    assert found["aligned-end"] is Outcome.CONTRADICTED
    assert found["aligned-errors"] is Outcome.CONTRADICTED
    assert found["identity-curve"] is Outcome.SUPPORTED


def test_missing_runs_leave_its_claims_undecided():
    failures = [Failure(axes=job.axes, reason="killed") for job in STUDY.plan("quick")]
    found = outcomes(Collection([], failures))
    assert set(found.values()) == {Outcome.UNDECIDED}, found


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_it_draws_every_profile(profile):
    svg = draw(STUDY, collection(right, profile))
    assert svg.startswith("<svg")
    assert "nan" not in svg.lower()


def test_it_draws_what_is_there():
    failures = [Failure(axes=job.axes, reason="killed") for job in STUDY.plan("smoke")]
    assert draw(STUDY, Collection([], failures)).startswith("<svg")


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """The profile smoke, without the passages, which take longest."""
    store = Store(tmp_path_factory.mktemp("store"))
    runs, rest = [], []
    for labelled in STUDY.plan("smoke"):
        job = labelled.job
        is_quick = isinstance(job, AgreementJob) and labelled.axes["depth"] == 2
        if is_quick and labelled.axes["part"] == "grid":
            runs.append((labelled.axes, store.get(execute(job, store))))
        else:
            rest.append(Failure(axes=labelled.axes, reason="left out"))
    return Collection(runs, rest)


@pytest.mark.slow
def test_its_runs_say_what_its_claims_ask(smoke):
    found = {verdict.claim: verdict.measured for verdict in STUDY.claims(smoke)}
    assert found["aligned-curve"] < 0.01
    assert found["identity-end"] < 0.01
