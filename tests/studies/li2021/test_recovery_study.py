"""The recovery comparison as a study: every claim can come out either way."""

import pytest
import xarray

from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.li2021 import Recovery
from lowrankflow.studies.li2021.recovery_jobs import TABLE

STUDY = Recovery()
# From how many degrees of freedom on a method recovers, in the paper's world.
NEEDS = {
    "greedy": 1.0,
    "flow, depth 3": 1.0,
    "flow, depth 2": 4.0,
    "min_nuclear_norm": 2.0,
    "soft_impute": 4.0,
    "geco": 4.0,
}


def ended(error):
    return xarray.Dataset({"relative_error": ((), error)})


def freedom(axes):
    return axes["rank"] * (20 if axes["kind"] == "psd" else 49)


def as_the_paper_says(axes):
    """The error of a run of these axes in the paper's world."""
    method = axes["method"]
    if axes["kind"] == TABLE:
        norm = axes.get("norm", 0)
        own = {"greedy": 1e-8, "rank_one_pursuit": 0.5, "descent": norm}
        return own.get(method, 1e-8)
    enough = axes["entries"] > NEEDS.get(method, 1e9) * freedom(axes)
    return 1e-6 if enough else 0.5


def as_it_might_be(axes):
    """Where greedy learning fails, pursuit is exact, and depth is of no use."""
    method = axes["method"]
    if axes["kind"] == TABLE:
        own = {"greedy": 0.1, "rank_one_pursuit": 1e-8}
        return own.get(method, 1e-6 / axes.get("norm", 1))
    return 0.5 if method in ("greedy", "flow, depth 3") else 1e-6


def collection(world, profile="quick"):
    return Collection(
        [(job.axes, ended(world(job.axes))) for job in STUDY.plan(profile, 3)]
    )


def outcomes(runs):
    return {verdict.claim: verdict.outcome for verdict in STUDY.claims(runs)}


def test_in_the_papers_world_its_claims_are_supported():
    found = outcomes(collection(as_the_paper_says))
    assert set(found.values()) == {Outcome.SUPPORTED}, found


def test_in_another_world_they_are_contradicted():
    found = outcomes(collection(as_it_might_be))
    # Depth 3 and greedy learning agree there: both recover nothing.
    assert found.pop("psd-deep-is-greedy") is Outcome.SUPPORTED
    assert found.pop("rectangle-deep-is-greedy") is Outcome.SUPPORTED
    assert set(found.values()) == {Outcome.CONTRADICTED}, found


def test_depth_three_that_goes_elsewhere_is_seen():
    def world(axes):
        other = axes["method"] == "flow, depth 3"
        return 0.5 if other else as_the_paper_says(axes)

    found = outcomes(collection(world))
    assert found["psd-deep-is-greedy"] is Outcome.CONTRADICTED
    assert found["rectangle-deep-is-greedy"] is Outcome.CONTRADICTED


def test_missing_runs_leave_their_claims_undecided():
    runs = collection(as_the_paper_says).runs
    kept = [run for run in runs if run[0]["method"] != "geco"]
    failures = [
        Failure(axes=axes, reason="killed")
        for axes, _ in runs
        if axes["method"] == "geco"
    ]
    found = outcomes(Collection(kept, failures))
    assert found["psd-geco"] is Outcome.UNDECIDED
    assert found["psd-min-nuclear-norm"] is Outcome.SUPPORTED


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_it_draws_every_profile(profile):
    svg = draw(STUDY, collection(as_the_paper_says, profile))
    assert svg.startswith("<svg")
    assert "nan" not in svg.lower()


def test_nothing_there_draws_too():
    failures = [Failure(axes=job.axes, reason="x") for job in STUDY.plan("smoke", 1)]
    assert draw(STUDY, Collection([], failures)).startswith("<svg")
