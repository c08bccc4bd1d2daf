"""The agreement of solvers as a study: every claim can come out either way."""

import numpy as np
import pytest
import xarray

from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.li2021 import GreedyPaths

STUDY = GreedyPaths()


def ended(path, error):
    return xarray.Dataset(
        {
            "path_matrices": (("path", "rows", "cols"), np.array(path)),
            "relative_error": ((), error),
        }
    )


def matrices(axes, moved):
    """One matrix a rank; those of a moved path are others from the second rank on."""
    rng = np.random.default_rng(axes["seed"])
    path = rng.standard_normal((axes["rank"], 3, 4))
    if moved:
        path[1:] += 0.1
    return path


def as_hoped(axes):
    few = axes["kind"] == "rectangle" and axes["factor"] == 1.5
    moved = few and axes["method"] != "greedy_path_flow"
    return ended(matrices(axes, moved), 0.5 if few else 1e-6)


def as_feared(axes):
    flow = axes["method"] == "greedy_path_flow"
    few = axes["kind"] == "rectangle" and axes["factor"] == 1.5
    return ended(matrices(axes, not flow and not few), 1e-6 if flow else 0.5)


def collection(world, profile="quick"):
    return Collection([(job.axes, world(job.axes)) for job in STUDY.plan(profile, 3)])


def outcomes(runs):
    return {verdict.claim: verdict.outcome for verdict in STUDY.claims(runs)}


def test_where_solvers_agree_its_claims_are_supported():
    found = outcomes(collection(as_hoped))
    assert set(found.values()) == {Outcome.SUPPORTED}, found


def test_where_they_part_its_claims_are_contradicted():
    found = outcomes(collection(as_feared))
    assert set(found.values()) == {Outcome.CONTRADICTED}, found


def test_a_path_that_ends_early_is_elsewhere_unless_both_do():
    def world(axes):
        dataset = as_hoped(axes)
        path = dataset["path_matrices"].values.copy()
        if axes["kind"] == "psd" or axes["method"] == "greedy_path":
            path[1:] = np.nan
        return dataset.assign(path_matrices=(("path", "rows", "cols"), path))

    found = outcomes(collection(world))
    assert found["psd-greedy-path-3"] is Outcome.SUPPORTED
    assert found["rectangle-greedy-path-3"] is Outcome.CONTRADICTED
    assert found["rectangle-greedy-path-als-3"] is Outcome.SUPPORTED


def test_missing_runs_leave_its_claims_undecided():
    failures = [Failure(axes=job.axes, reason="killed") for job in STUDY.plan("quick")]
    found = outcomes(Collection([], failures))
    assert set(found.values()) == {Outcome.UNDECIDED}, found


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_it_draws_every_profile(profile):
    svg = draw(STUDY, collection(as_hoped, profile))
    assert svg.startswith("<svg")
    assert "nan" not in svg.lower()
