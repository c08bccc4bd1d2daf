"""The whole grid as a study: every claim can come out either way."""

import numpy as np
import pytest
import xarray

from lowrankflow.simulation import job_from_json, job_to_json
from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.gunasekar2017.figure4 import Figure4
from lowrankflow.studies.gunasekar2017.figure4_measures import (
    E2_VALUES,
    e2_mask,
    missing_entries,
)

STUDY = Figure4()
COUNT = 100


def ended(axes, excess, *, gap=1e-15, residual=9e-9):
    """A mask of so many problems, one of which may be E2."""
    values = np.full((COUNT, 4), 1 / 3)
    if axes["mask"] == e2_mask():
        values[7] = E2_VALUES
    return xarray.Dataset(
        {
            "excess": ("problem", excess),
            "values": (("problem", "measurement"), values),
            "residual": ("problem", np.full(COUNT, residual)),
            "least_gap": ("problem", np.full(COUNT, gap)),
        }
    )


def spread(share, size):
    """So large a share of the problems at this deviation, the others at none."""
    excess = np.zeros(COUNT)
    excess[: round(share * COUNT)] = size
    return excess


def observed(axes):
    return missing_entries(axes["mask"]) == "two off the diagonal"


def as_the_conjecture_says(axes):
    """Small starts end at the least trace but for E2, and greedy learning too."""
    size = axes.get("frobenius_norm", 0.0)
    excess = spread({1.0: 0.7, 1e-3: 0.2}.get(size, 0.0), 0.2)
    if observed(axes):
        excess[:] = 0.0
    if size < 1e-20 and axes["method"] == "flow" and axes["mask"] == e2_mask():
        excess[7] = 0.297
    return ended(axes, excess)


def as_nobody_says(axes):
    """Everything the other way round."""
    size = axes.get("frobenius_norm")
    share = 0.1 if size is None else {1.0: 0.3, 1e-3: 0.6}.get(size, 0.9)
    excess = spread(share, 50.0 if size is None else 0.5)
    if axes["mask"] == e2_mask():
        excess[7] = 0.1
    return ended(axes, excess, gap=1e-3, residual=1e-2)


def collection(world, profile="quick", seeds=3):
    plan = STUDY.plan(profile, seeds)
    return Collection([(job.axes, world(job.axes)) for job in plan])


def outcomes(runs):
    return {verdict.claim: verdict.outcome for verdict in STUDY.claims(runs)}


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_in_the_conjectures_world_every_claim_is_supported(profile):
    found = outcomes(collection(as_the_conjecture_says, profile))
    if profile == "smoke":
        # E2 alone is more than a thousandth of four masks of this size.
        assert found.pop("conjecture") is Outcome.CONTRADICTED
    assert set(found.values()) == {Outcome.SUPPORTED}, found


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_in_the_opposite_world_every_claim_is_contradicted(profile):
    found = outcomes(collection(as_nobody_says, profile))
    assert set(found.values()) == {Outcome.CONTRADICTED}, found


def test_missing_runs_leave_their_claims_undecided():
    runs = collection(as_the_conjecture_says).runs
    lost = [run for run in runs if run[0]["method"] == "greedy"]
    kept = [run for run in runs if run[0]["method"] != "greedy"]
    failures = [Failure(axes=axes, reason="killed") for axes, _ in lost]
    found = outcomes(Collection(kept, failures))
    undecided = {claim for claim, verdict in found.items() if "undec" in verdict.value}
    assert undecided == {"minimum", "greedy", "limit"}
    one = [run for run in runs if run[0] != lost[3][0]]
    found = outcomes(Collection(one, failures[3:4]))
    assert found["limit"] is Outcome.UNDECIDED
    assert found["conjecture"] is Outcome.SUPPORTED


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
@pytest.mark.parametrize("world", [as_the_conjecture_says, as_nobody_says])
def test_it_draws_every_profile(profile, world):
    svg = draw(STUDY, collection(world, profile))
    assert svg.startswith("<svg")
    assert "nan" not in svg.lower()


def test_the_kinds_of_masks():
    kinds = [missing_entries(mask) for mask in range(15)]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "a path": 6,
        "two of the diagonal": 3,
        "two off the diagonal": 3,
        "a diagonal entry and the one opposite": 3,
    }


def test_its_jobs_are_plain_data():
    for labelled in STUDY.plan("paper"):
        assert job_from_json(job_to_json(labelled.job)) == labelled.job


def test_real_runs_decide_the_known_instance():
    # The three runs of one mask that its claims are about.
    runs = []
    for labelled in STUDY.plan("smoke"):
        axes = labelled.axes
        if axes["mask"] == e2_mask() and axes.get("frobenius_norm", 0) in (0, 1e-32):
            ends = labelled.job.run()
            least = np.trace(ends.matrix, axis1=1, axis2=2)
            index = np.all(np.abs(labelled.job.problems.values - E2_VALUES) < 1e-12, 1)
            runs.append(float(least[index][0] / (61 / 27) - 1))
    assert runs == pytest.approx([0.297, 0.297], abs=1e-3)
