"""Width and errors as a study: every claim can come out either way."""

import numpy as np
import planted_worlds as worlds
import pytest

from lowrankflow.simulation import RunJob, build, job_to_json
from lowrankflow.studies import Outcome, draw
from lowrankflow.studies.gunasekar2017.figure1 import Figure1
from lowrankflow.studies.gunasekar2017.planted import SWEEPS, instances
from lowrankflow.studies.gunasekar2017.planted_measures import wide_enough
from lowrankflow.studies.gunasekar2017.planted_optimum import projected_optimum

STUDY = Figure1()


def test_in_the_papers_world_every_claim_is_supported():
    runs = worlds.collection(STUDY, worlds.as_the_paper_says)
    found = worlds.outcomes(STUDY, runs)
    assert set(found.values()) == {Outcome.SUPPORTED}, found


def test_in_the_contrary_world_every_claim_is_contradicted():
    runs = worlds.collection(STUDY, worlds.as_nothing_says)
    found = worlds.outcomes(STUDY, runs)
    assert set(found.values()) == {Outcome.CONTRADICTED}, found


def test_without_runs_every_claim_is_undecided():
    runs = worlds.collection(STUDY, worlds.as_the_paper_says, fails=lambda axes: True)
    found = worlds.outcomes(STUDY, runs)
    assert set(found.values()) == {Outcome.UNDECIDED}, found


def test_missing_runs_leave_only_their_claims_undecided():
    runs = worlds.collection(
        STUDY,
        worlds.as_the_paper_says,
        fails=lambda axes: axes["method"] == "line search" and axes["seed"] == 1,
    )
    found = worlds.outcomes(STUDY, runs)
    assert found["line-search"] is Outcome.UNDECIDED
    assert found["fits-decaying"] is Outcome.UNDECIDED
    assert found["large-start"] is Outcome.SUPPORTED


def test_one_width_that_does_not_fit_contradicts():
    def world(axes):
        numbers = worlds.as_the_paper_says(axes)
        late = axes["method"] == "flow" and axes.get("width") == 10
        return {**numbers, "loss": 0.01} if late else numbers

    found = worlds.outcomes(STUDY, worlds.collection(STUDY, world))
    assert found["fits-rank-2"] is Outcome.CONTRADICTED
    assert found["recovers"] is Outcome.SUPPORTED


def test_a_width_fits_when_it_has_the_rank_or_the_freedom():
    runs = worlds.collection(STUDY, worlds.as_the_paper_says, profile="paper")
    flows = {"method": "flow", "norm": 1e-4}
    # 50 x 5 - 10 = 240 numbers are too few for 300 measurements, 50 x 8 - 28 enough.
    assert wide_enough(runs, "decaying", **flows)[0] == 8
    assert wide_enough(runs, "rank 2", **flows)[0] == 2


@pytest.mark.parametrize("profile", ["smoke", "quick"])
def test_it_draws_its_profiles(profile):
    svg = draw(
        STUDY, worlds.collection(STUDY, worlds.as_the_paper_says, profile=profile)
    )
    assert svg.startswith("<svg")
    assert "nan" not in svg.lower()


def test_a_plan_says_the_same_every_time():
    first = [job_to_json(labelled.job) for labelled in STUDY.plan("smoke", 1)]
    projected_optimum.cache_clear()
    assert [job_to_json(labelled.job) for labelled in STUDY.plan("smoke", 1)] == first


def test_the_spectral_optimum_fits_and_does_not_move():
    (instance, *_) = instances(SWEEPS["smoke"], 1)
    problem = build(instance.recipe)
    wanted = projected_optimum(
        instance.recipe, gradient_tolerance=1e-5, max_iterations=20_000
    )
    missed = np.asarray(problem.operator.apply(wanted)) - problem.measurements
    assert np.linalg.norm(missed) < 1e-3
    assert np.linalg.eigvalsh(wanted)[0] > -1e-8
    assert np.array_equal(wanted, wanted.T)
    job = next(
        labelled.job
        for labelled in STUDY.plan("smoke", 1)
        if labelled.axes["method"] == "spectral" and labelled.axes["panel"] == "rank 2"
    )
    assert isinstance(job, RunJob)
    assert job.start is not None
    (factor,) = job.start.factors(problem, job.factorization, seed=0)
    np.testing.assert_allclose(factor @ factor.T, wanted, atol=1e-8)
