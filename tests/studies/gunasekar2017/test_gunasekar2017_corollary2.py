"""Corollary 2 as a study: every claim can come out either way."""

import numpy as np
import pytest
import xarray

from lowrankflow.simulation import RunJob, build, simulate
from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.commuting import minimum
from lowrankflow.studies.gunasekar2017 import Corollary2
from lowrankflow.studies.gunasekar2017.corollary2 import problem

STUDY = Corollary2()


def ended(matrix):
    return xarray.Dataset(
        {
            "matrix": (("rows", "cols"), matrix),
            "nuclear_norm": ((), np.linalg.norm(matrix, "nuc")),
        }
    )


def as_the_paper_says(axes):
    """Where a run of these axes ends in the paper's world."""
    _, least = minimum(problem(axes["seed"]))
    if axes["method"] == "minimum":
        return np.diag(least.values)
    scale, zeros = axes["init_scale"], least.values < 1e-9
    # At 1 half of the least sum above it, falling with the slack as its exponent, and
    # faster at first, as the other zeros do.
    at = least.slack == least.slack[zeros].min()
    left = at * 1e-3 * scale**least.exponent + (zeros & ~at) * scale
    size = 1e-2 if scale < 1 else 0.5 * least.total / (least.slack @ left)
    return np.diag(least.values + size * left)


def as_nothing_says(axes):
    """Small starts are further away, and off the diagonal."""
    _, least = minimum(problem(axes["seed"]))
    if axes["method"] == "minimum":
        return np.diag(1.1 * least.values)
    zeros = least.values < 1e-9
    size = 1e-2 * axes["init_scale"] ** -0.3 * least.total / least.slack.sum()
    matrix = np.diag(least.values + zeros * size)
    matrix[0, 1] = 1e-9
    return matrix


def collection(world, profile="quick", seeds=5):
    return Collection(
        [(job.axes, ended(world(job.axes))) for job in STUDY.plan(profile, seeds)]
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
    lost = [run for run in runs if run[0].get("init_scale") == 1.0]
    kept = [run for run in runs if run[0].get("init_scale") != 1.0]
    found = outcomes(Collection(kept, [Failure(axes=a, reason="") for a, _ in lost]))
    assert found["large"] is Outcome.UNDECIDED
    assert found["scale"] is Outcome.SUPPORTED


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_it_draws_every_profile(profile):
    svg = draw(STUDY, collection(as_the_paper_says, profile))
    assert svg.startswith("<svg")
    assert "nan" not in svg.lower()


def test_a_small_start_ends_near_the_vertex_and_stays_diagonal():
    wanted = {"method": "flow", "init_scale": 1e-16, "seed": 1}
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
        stop=job.stop,
        schedule=job.schedule,
    )
    assert run.result.is_success
    np.testing.assert_allclose(
        run.matrix, np.diag(minimum(problem(1))[1].values), atol=1e-5
    )
    assert np.array_equal(run.matrix, np.diag(np.diag(run.matrix)))
