"""The counter-example as a study: every claim can come out either way."""

import numpy as np
import pytest
import xarray

from lowrankflow.simulation import RunJob, build, simulate
from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.li2021 import Counterexample

STUDY = Counterexample()


def goal(R):
    vector = np.array([1.0, R, 1.0, R])
    return np.outer(vector, vector)


def least(R):
    block = np.array([[R, 1.0], [1.0, R]])
    return np.block([[block, block[::-1]], [block[::-1], block]])


def ended(matrix):
    """A run, or a reference, that ends at a matrix."""
    return xarray.Dataset(
        {
            "matrix": (("rows", "cols"), matrix),
            "nuclear_norm": ((), np.linalg.norm(matrix, "nuc")),
        }
    )


def as_the_paper_says(axes):
    """Where a run of these axes ends in the paper's world."""
    R, method = axes["R"], axes["method"]
    if method == "min_nuclear_norm":
        return least(R)
    if method == "greedy":
        return goal(R)
    if axes.get("start") == "rectangle":
        return np.array([[1.0, R], [R, R**2]])
    scale, depth = axes["init_scale"], axes["depth"]
    share = scale ** (0.2 if depth == 2 else 1.0)
    if R == 100.0:
        share = 0.99 if depth == 2 else 0.5
    return (1 - share) * goal(R) + share * least(R)


def as_the_conjecture_says(axes):
    """Where it would end if the least nuclear norm were the limit, and greedy lost."""
    R, method = axes["R"], axes["method"]
    if method == "min_nuclear_norm":
        return 1.01 * least(R)
    if method == "greedy":
        return least(R)
    if axes.get("start") == "rectangle":
        return np.array([[1.0, R], [R, 1.0]])
    if method == "descent":
        return goal(R)
    scale = axes["init_scale"]
    if scale == 1e-1 and R == 2.0:
        return goal(R)
    if R == 100.0:
        return 10 * least(R) if axes["depth"] == 2 else least(R)
    return (1 - scale) * least(R) + scale * goal(R)


def collection(world, profile="quick", seeds=3):
    plan = STUDY.plan(profile, seeds)
    rng = np.random.default_rng(0)
    runs = []
    for job in plan:
        wobble = 1 + (1e-9 * rng.standard_normal() if "seed" in job.axes else 0.0)
        runs.append((job.axes, ended(world(job.axes) * wobble)))
    return Collection(runs)


def outcomes(runs):
    return {verdict.claim: verdict.outcome for verdict in STUDY.claims(runs)}


def test_in_the_papers_world_its_claims_are_supported():
    found = outcomes(collection(as_the_paper_says))
    # In this world a start of 0.1 does not mislead, which only measured runs can tell.
    assert found.pop("misleading") is Outcome.CONTRADICTED
    assert set(found.values()) == {Outcome.SUPPORTED}, found


def test_in_the_conjectures_world_every_claim_is_contradicted():
    found = outcomes(collection(as_the_conjecture_says))
    assert set(found.values()) == {Outcome.CONTRADICTED}, found


def test_missing_runs_leave_their_claims_undecided():
    runs = collection(as_the_paper_says).runs
    kept = [run for run in runs if run[0]["method"] != "descent"]
    lost = [run for run in runs if run[0]["method"] == "descent"]
    failures = [Failure(axes=axes, reason="killed") for axes, _ in lost]
    found = outcomes(Collection(kept, failures))
    assert found["method"] is Outcome.UNDECIDED
    assert found["flow-2"] is Outcome.SUPPORTED


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_it_draws_every_profile(profile):
    svg = draw(STUDY, collection(as_the_paper_says, profile))
    assert svg.startswith("<svg")
    assert "nan" not in svg.lower()


def test_the_smallest_runs_of_the_plan_end_where_they_should():
    # Real runs, one of each kind that shares a compiled program.
    wanted = [
        {"method": "greedy", "R": 2.0},
        {"method": "flow", "start": "identity", "depth": 2, "init_scale": 1e-32},
    ]
    for wish in wanted:
        job = next(
            job
            for job in STUDY.plan("smoke")
            if job.axes["R"] == 2.0 and wish.items() <= job.axes.items()
        ).job
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
        np.testing.assert_allclose(run.matrix, goal(2.0), atol=1e-5)
