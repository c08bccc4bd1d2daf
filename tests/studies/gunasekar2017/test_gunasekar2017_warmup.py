"""The warm-up as a study: every claim can come out either way."""

import numpy as np
import pytest
import xarray

from lowrankflow.simulation import RunJob, build, named_observers, simulate
from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.gunasekar2017 import Warmup
from lowrankflow.studies.gunasekar2017.warmup import DISTANCE

STUDY = Warmup()
LEAST = np.diag([3.0, 2.0, 1.0])


def as_the_paper_says(axes):
    """The end, or how far from the manifold it is, in the paper's world."""
    method = axes["method"]
    if axes["case"] == "matrix":
        return LEAST * (1 + (1e-9 if method != "minimum" else 0.0))
    wobble = 1 + 0.01 * axes["seed"]
    if method == "push":
        return 1e-11 * wobble
    return axes["step"] * wobble * (0.4 if method == "descent" else 20.0)


def as_nothing_says(axes):
    """Ends that are not of least norm, and a manifold left by the control alone."""
    method = axes["method"]
    if axes["case"] == "matrix":
        return LEAST * (1 if method == "minimum" else 1.1)
    if method == "descent":
        return 0.1 + 0.01 * axes["seed"]
    return 1e-3 * (1 + 0.01 * axes["seed"])


def recorded(value):
    if np.ndim(value) == 2:
        return xarray.Dataset({"matrix": (("rows", "cols"), value)})
    return xarray.Dataset({DISTANCE: (("record",), [0.0, value])})


def collection(world, profile="quick", seeds=3):
    return Collection(
        [(job.axes, recorded(world(job.axes))) for job in STUDY.plan(profile, seeds)]
    )


def outcomes(runs):
    return {verdict.claim: verdict.outcome for verdict in STUDY.claims(runs)}


def test_in_the_papers_world_its_claims_are_supported():
    found = outcomes(collection(as_the_paper_says))
    assert set(found.values()) == {Outcome.SUPPORTED}, found


def test_in_another_world_every_claim_is_contradicted():
    found = outcomes(collection(as_nothing_says))
    assert set(found.values()) == {Outcome.CONTRADICTED}, found


def test_missing_runs_leave_their_claims_undecided():
    runs = collection(as_the_paper_says).runs
    lost = [run for run in runs if run[0]["method"] == "push"]
    kept = [run for run in runs if run[0]["method"] != "push"]
    found = outcomes(Collection(kept, [Failure(axes=a, reason="") for a, _ in lost]))
    assert found["control"] is Outcome.UNDECIDED
    assert found["order"] is Outcome.SUPPORTED


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_it_draws_every_profile(profile):
    svg = draw(STUDY, collection(as_the_paper_says, profile))
    assert svg.startswith("<svg")
    assert "nan" not in svg.lower()


@pytest.mark.parametrize(
    ("method", "low", "high"), [("push", 0, 1e-8), ("descent", 1e-4, 0.1)]
)
def test_a_real_run_records_its_distance(method, low, high):
    wanted = {"case": "factors", "method": method, "step": 0.1, "seed": 0}
    (job,) = (
        labelled.job
        for labelled in STUDY.plan("smoke")
        if wanted.items() <= labelled.axes.items()
    )
    assert isinstance(job, RunJob)
    run = simulate(
        build(job.problem),
        job.factorization,
        job.dynamics,
        start=job.start,
        seed=job.seed,
        stop=job.stop,
        schedule=job.schedule,
        observe=named_observers(job.observe),
    )
    assert low <= float(run.dataset[DISTANCE][-1]) < high
