"""Leaving zero as a study: real runs of profile smoke, and the same runs spoiled."""

import numpy as np
import pytest

from lowrankflow.store import Store
from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.li2021 import Escape
from lowrankflow.studies.li2021.escape_jobs import gamma
from lowrankflow.studies.li2021.escape_measures import root, toy_bound
from lowrankflow.sweeps import SerialExecutor

STUDY = Escape()


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    plan, store = STUDY.plan("smoke"), Store(tmp_path_factory.mktemp("store"))
    done = SerialExecutor().run([job.job for job in plan], store)
    assert all(outcome.is_success for outcome in done)
    return [
        (job.axes, store.get(outcome.digest))
        for job, outcome in zip(plan, done, strict=True)
    ]


def outcomes(collection):
    return {verdict.claim: verdict.outcome for verdict in STUDY.claims(collection)}


@pytest.mark.slow
def test_real_runs(runs):
    found = outcomes(Collection(runs))
    # The ends of random starts are nearer than the path is: see the study's page.
    assert found.pop("end-random") is Outcome.CONTRADICTED
    assert set(found.values()) == {Outcome.SUPPORTED}, found
    svg = draw(STUDY, Collection(runs))
    assert svg.startswith("<svg")
    assert "nan" not in svg.lower()


def spoiled(axes, dataset):
    """No exponent, no time and no bound is left as it was."""
    if axes["case"] == "leave":
        times = dataset.time * (1 - axes["log10_scale"]) ** 4
        return dataset.assign_coords(time=times)
    power = axes.get("log10_scale", axes.get("log10_alpha"))
    is_limit = axes.get("start") == "limit" or power in (-5.5, -4.5, -3.5)
    if axes["case"] == "toy":
        values = dataset.singular_values.copy()
        values[:, 1] = 0.1
        return dataset.assign(singular_values=values)
    if axes["case"] == "deep" and power == -3.5:
        is_limit = axes["depth"] == 5
    size = 0.0 if is_limit else 1 / abs(power)
    return dataset.assign(matrix=dataset.matrix * 0 + size + 0.1 * np.eye(4))


@pytest.mark.slow
def test_spoiled_runs_contradict_every_claim(runs):
    found = outcomes(Collection([(axes, spoiled(axes, run)) for axes, run in runs]))
    assert set(found.values()) == {Outcome.CONTRADICTED}, found


def test_missing_runs_leave_every_claim_undecided():
    plan = STUDY.plan("quick", 2)
    missing = Collection([], [Failure(axes=job.axes, reason="none") for job in plan])
    assert set(outcomes(missing).values()) == {Outcome.UNDECIDED}


def test_what_is_predicted():
    assert gamma(2.0) == pytest.approx(1 / (1 + np.sqrt(17)))
    assert toy_bound(4) == pytest.approx(1 / 0.3)
    square = np.array([[2.0, 1.0], [1.0, 2.0]])
    assert np.allclose(root(square @ square, 4), square, rtol=0, atol=1e-12)
