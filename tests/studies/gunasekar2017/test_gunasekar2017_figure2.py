"""Width and nuclear norm as a study: every claim can come out either way."""

import planted_worlds as worlds
import pytest

from lowrankflow.store import Store, execute
from lowrankflow.studies import Outcome, draw
from lowrankflow.studies.gunasekar2017.figure1 import Figure1
from lowrankflow.studies.gunasekar2017.figure2 import Figure2

STUDY = Figure2()
AWAY = {"away-decaying", "away-too-few"}


def further_when_smaller(axes):
    """The paper's world, but in the limit it goes away from the minimum."""
    numbers = worlds.as_the_paper_says(axes)
    if axes["method"] == "smaller start":
        share = {1e-8: 0.08, 1e-16: 0.1, 1e-32: 0.2}[axes["norm"]]
        numbers["nuclear_norm"] = worlds.LEAST[axes["panel"]] * (1 + share)
    return numbers


def test_in_the_papers_world_all_it_says_is_supported():
    runs = worlds.collection(STUDY, worlds.as_the_paper_says)
    found = worlds.outcomes(STUDY, runs)
    # What we observe is what the conjecture denies.
    assert {found.pop(claim) for claim in AWAY} == {Outcome.CONTRADICTED}
    assert set(found.values()) == {Outcome.SUPPORTED}, found


def test_in_the_contrary_world_every_claim_is_contradicted():
    runs = worlds.collection(STUDY, worlds.as_nothing_says)
    found = worlds.outcomes(STUDY, runs)
    assert set(found.values()) == {Outcome.CONTRADICTED}, found


def test_where_smaller_starts_end_higher_the_limit_is_contradicted():
    found = worlds.outcomes(STUDY, worlds.collection(STUDY, further_when_smaller))
    assert {found[claim] for claim in AWAY} == {Outcome.SUPPORTED}
    assert found["limit-decaying"] is Outcome.CONTRADICTED
    assert found["minimum-decaying"] is Outcome.SUPPORTED


def test_without_runs_every_claim_is_undecided():
    runs = worlds.collection(STUDY, worlds.as_the_paper_says, fails=lambda axes: True)
    found = worlds.outcomes(STUDY, runs)
    assert set(found.values()) == {Outcome.UNDECIDED}, found


def test_without_the_minimum_nothing_is_said_of_it():
    runs = worlds.collection(
        STUDY,
        worlds.as_the_paper_says,
        fails=lambda axes: axes["method"] == "min_nuclear_norm",
    )
    found = worlds.outcomes(STUDY, runs)
    assert set(found.values()) == {Outcome.UNDECIDED}, found


def test_both_figures_ask_for_the_same_runs():
    first, second = Figure1().plan("smoke"), STUDY.plan("smoke")
    assert [labelled.job for labelled in first] == [labelled.job for labelled in second]


@pytest.mark.parametrize("profile", ["smoke", "quick"])
def test_it_draws_its_profiles(profile):
    svg = draw(
        STUDY, worlds.collection(STUDY, worlds.as_the_paper_says, profile=profile)
    )
    assert svg.startswith("<svg")
    assert "nan" not in svg.lower()


def test_a_run_of_the_plan_ends_where_it_should(tmp_path):
    wanted = {"method": "flow", "panel": "too few", "norm": 1e-4, "width": 10}
    job = next(
        labelled.job
        for labelled in STUDY.plan("smoke", 1)
        if wanted.items() <= labelled.axes.items()
    )
    store = Store(tmp_path)
    ended = store.get(execute(job, store))
    assert ended is not None
    assert ended.attrs["result"] == "converged"
    assert float(ended["loss"][-1]) <= 5e-7
