"""Figures 1, 2 and 5 of li2021 as studies: every claim can come out either way."""

import numpy as np
import pytest
from passage_worlds import as_it_might_be, as_the_paper_says

from lowrankflow.simulation import build, named_observers, simulate
from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.li2021 import Figure1, Figure2, Figure5

STUDIES = [Figure1(), Figure2(), Figure5()]
IDS = [study.key for study in STUDIES]


def collection(study, world, profile="quick", seeds=3):
    return Collection(
        [(job.axes, world(job.axes)) for job in study.plan(profile, seeds)]
    )


def outcomes(study, runs):
    return {verdict.claim: verdict.outcome for verdict in study.claims(runs)}


@pytest.mark.parametrize("study", STUDIES, ids=IDS)
def test_in_the_papers_world_its_claims_are_supported(study):
    found = outcomes(study, collection(study, as_the_paper_says))
    assert set(found.values()) == {Outcome.SUPPORTED}, found


@pytest.mark.parametrize("study", STUDIES, ids=IDS)
def test_in_another_world_they_are_contradicted(study):
    found = outcomes(study, collection(study, as_it_might_be))
    assert set(found.values()) == {Outcome.CONTRADICTED}, found


@pytest.mark.parametrize("study", STUDIES, ids=IDS)
def test_missing_runs_leave_claims_undecided(study):
    failures = [Failure(axes=job.axes, reason="killed") for job in study.plan("quick")]
    found = outcomes(study, Collection([], failures))
    assert set(found.values()) == {Outcome.UNDECIDED}, found


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
@pytest.mark.parametrize("study", STUDIES, ids=IDS)
def test_it_draws_every_profile(study, profile):
    svg = draw(study, collection(study, as_the_paper_says, profile))
    assert svg.startswith("<svg")


def test_figures_2_and_5_share_all_their_runs():
    two, five = ({job.job for job in s.plan("quick")} for s in STUDIES[1:])
    assert two == five


def test_a_real_flow_comes_near_the_path():
    jobs = STUDIES[0].plan("smoke")
    job = next(j.job for j in jobs if j.axes.get("norm") == 1e-32)
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
    distances = run.dataset["greedy_distance"].values
    assert np.isfinite(distances).all()
    # It ends at greedy learning's end, which is the truth.
    assert distances[-1] < 1e-2
    assert distances[0] < 1e-6
