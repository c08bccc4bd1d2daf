"""Figure 3's twin with Gaussian measurements: plan, smoke runs, missing runs."""

import pytest

from lowrankflow.simulation import build, named_observers, simulate
from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.arora2019 import figure3_sensing_jobs as jobs
from lowrankflow.studies.arora2019.figure3_sensing import Figure3Sensing

STUDY = Figure3Sensing()


def test_plans_of_the_profiles():
    for profile, count in (("smoke", 4), ("quick", 12), ("paper", 12)):
        planned = STUDY.plan(profile)
        assert len(planned) == count
        assert {run.axes["depth"] for run in planned} == {1, 2, 3, 4}
    arguments = planned[0].job.problem.arguments
    assert arguments["shape"] == [100, 100]
    assert arguments["num_measurements"] == 2000


def test_nothing_at_all_is_undecided_and_still_drawn():
    failures = [Failure(axes=run.axes, reason="no") for run in STUDY.plan("quick")]
    runs = Collection([], failures)
    assert {v.outcome for v in STUDY.claims(runs)} == {Outcome.UNDECIDED}
    assert draw(STUDY, runs).startswith("<svg")


@pytest.mark.slow
def test_smoke_runs_from_end_to_end():
    runs = []
    for planned in STUDY.plan("smoke"):
        job = planned.job
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
        assert run.result.is_success
        runs.append((planned.axes, run.dataset))
    collected = Collection(runs)
    found = {verdict.claim: verdict for verdict in STUDY.claims(collected)}
    # What is exact holds at any size; a tiny problem decides nothing else.
    for depth in (2, 3):
        assert found[f"exponent-{depth}"].outcome is Outcome.SUPPORTED
    assert draw(STUDY, collected).startswith("<svg")


def test_the_data_have_a_name_of_their_own():
    assert {run.axes["data"] for run in jobs.labelled_jobs("quick", 1)} == {"sensing"}
