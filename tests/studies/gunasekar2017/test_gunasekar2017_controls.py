"""Controls without commuting as a study: every claim can come out either way."""

import numpy as np
import pytest
import xarray

from lowrankflow.simulation import RunJob, build, named_observers, simulate
from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.gunasekar2017 import Controls

STUDY = Controls()


def as_the_paper_says(axes):
    """(dimension, gap, end) in the paper's world."""
    case, wobble = axes["case"], 1 + 0.01 * axes.get("seed", 0)
    if case == "lie":
        return axes["size"] ** 2, 0.1, 1.0
    if case == "lie, commuting":
        return 2, 0.1, 1.0
    if case == "loops":
        return 0, wobble / axes["steps"], 1.0
    gap = 0.3 * wobble * axes["init_scale"] ** 0.1
    return 0, gap, 2.0 if case == "pushed" else 1.0


def as_nothing_says(axes):
    """Few directions, fast loops, gaps that grow from nothing, one end for all."""
    case, wobble = axes["case"], 1 + 0.01 * axes.get("seed", 0)
    if case == "lie":
        return axes["size"], 0.1, 1.0
    if case == "lie, commuting":
        return 25, 0.1, 1.0
    if case == "loops":
        return 0, 0.1 * wobble, 1.0
    factor = 2.0 if case.endswith("step") else 1.0
    return 0, factor * 1e-4 * wobble * axes["init_scale"] ** -0.2, 1.0


def recorded(dimension, gap, end):
    return xarray.Dataset(
        {
            "lie_dimension": (("record",), [0.0, dimension]),
            "direct_gap": (("record",), [0.0, gap]),
            "exponent_gap": (("record",), [0.0, gap]),
            "matrix": (("rows", "cols"), end * np.eye(5)),
        }
    )


def collection(world, profile="quick", seeds=3):
    return Collection(
        [(job.axes, recorded(*world(job.axes))) for job in STUDY.plan(profile, seeds)]
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
    lost = [run for run in runs if run[0]["case"] == "smooth"]
    kept = [run for run in runs if run[0]["case"] != "smooth"]
    found = outcomes(Collection(kept, [Failure(axes=a, reason="") for a, _ in lost]))
    assert found["matrix-smooth"] is Outcome.UNDECIDED
    assert found["matrix-residual"] is Outcome.SUPPORTED


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_it_draws_every_profile(profile):
    svg = draw(STUDY, collection(as_the_paper_says, profile))
    assert svg.startswith("<svg")
    assert "nan" not in svg.lower()


@pytest.mark.parametrize(
    ("wanted", "variable", "low", "high"),
    [
        ({"case": "lie", "size": 3}, "lie_dimension", 9, 9),
        ({"case": "lie, commuting"}, "lie_dimension", 2, 2),
        ({"case": "loops", "steps": 64}, "direct_gap", 1e-4, 0.1),
        ({"case": "residual", "init_scale": 1e-4}, "direct_gap", 0.01, 1.0),
    ],
)
def test_a_real_run_of_each_kind(wanted, variable, low, high):
    job = next(
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
    assert low <= float(run.dataset[variable][-1]) <= high
