"""Figure 2 as a study: every claim can come out either way."""

from xml.etree import ElementTree

import pytest
from completion_worlds import as_the_paper_says, but, collection

from lowrankflow.simulation import ReferenceJob, build, job_to_json
from lowrankflow.studies import Outcome, draw
from lowrankflow.studies.arora2019 import Figure1, Figure2

STUDY = Figure2()
OVER_ENTRIES, OVER_SCALE = "num_observed", "init_scale"


def outcomes(world, **options):
    runs = collection(STUDY, world, **options)
    return {verdict.claim: verdict.outcome for verdict in STUDY.claims(runs)}


def entries(changes, rank, count, **where):
    """A world that differs where the number of entries is varied."""
    where = {"sweep": OVER_ENTRIES, "rank": rank, "num_observed": count, **where}
    return but(changes, **where)


def scale(changes, **where):
    """A world that differs where the scale of the start is varied."""
    return but(changes, **{"sweep": OVER_SCALE, "method": "flow", **where})


MINIMUM = {"method": "min_nuclear_norm"}
SHALLOW, DEEP = {"method": "flow", "depth": 2}, {"method": "flow", "depth": 3}
CONTRADICTING = {
    "norm-not-minimal-rank-5": entries({"nuclear_norm": 220.5}, 5, 1500, **MINIMUM),
    "norm-not-minimal-rank-10": entries({"nuclear_norm": 410.0}, 10, 3000, **DEEP),
    "lower-rank-5": entries({"effective_rank": 4.8}, 5, 1500, **MINIMUM),
    "lower-rank-10": entries({"effective_rank": 20.0}, 10, 3000, **DEEP),
    "recovers-better-rank-5-1500": entries(
        {"mean_squared_error": 0.1}, 5, 1500, **DEEP
    ),
    "recovers-better-rank-10-3500": entries(
        {"mean_squared_error": 0.1}, 10, 3500, **DEEP
    ),
    "norms-coincide-rank-5": entries({"nuclear_norm": 216.0}, 5, 5000, **MINIMUM),
    "norms-coincide-rank-10": entries(
        {"nuclear_norm": 450.0}, 10, 7000, **SHALLOW, init_scale=1e-6
    ),
    "ranks-coincide-rank-5": entries({"effective_rank": 5.5}, 5, 5000, **DEEP),
    "ranks-coincide-rank-10": entries({"effective_rank": 9.2}, 10, 7000, **MINIMUM),
    "shallow-rank-falls": scale({"effective_rank": 6.5}, depth=2, init_scale=1e-6),
    "shallow-error-falls": scale(
        {"mean_squared_error": 0.06}, depth=2, init_scale=1e-5
    ),
    "deep-is-indifferent": scale({"effective_rank": 5.2}, depth=4, init_scale=1e-3),
    "shallow-overtakes": but(
        {"mean_squared_error": 0.01}, sweep=OVER_SCALE, method="min_nuclear_norm"
    ),
    "shallow-rank-at-paper-scale": but(
        {"effective_rank": 8.5}, sweep=OVER_SCALE, method="min_nuclear_norm"
    ),
    "shallow-error-at-paper-scale": entries(
        {"mean_squared_error": 0.3}, 10, 3000, **SHALLOW, init_scale=1e-3
    ),
    "converged": but({"loss": 6e-7}, method="flow", rank=10, depth=3),
    "certified": but({"gap": float("inf")}, method="truth"),
}


def test_all_claims_hold_in_the_papers_world():
    found = outcomes(as_the_paper_says)
    assert set(CONTRADICTING) < set(found)
    assert set(found.values()) == {Outcome.SUPPORTED}


@pytest.mark.parametrize("claim", CONTRADICTING)
def test_each_claim_fails_alone_where_it_is_wrong(claim):
    found = outcomes(CONTRADICTING[claim])
    wrong = {name for name, outcome in found.items() if outcome != Outcome.SUPPORTED}
    assert wrong == {claim}
    assert found[claim] == Outcome.CONTRADICTED


def test_a_missing_run_leaves_its_claims_open():
    def fails(axes):
        return axes["method"] == "truth" and axes["rank"] == 5 and axes["seed"] == 0

    found = outcomes(as_the_paper_says, fails=fails)
    open_ones = {
        name for name, outcome in found.items() if outcome == Outcome.UNDECIDED
    }
    assert open_ones == {
        "norms-coincide-rank-5",
        "ranks-coincide-rank-5",
        "certified",
    }


def test_the_plan_of_a_profile():
    quick = STUDY.plan("quick")
    over_entries = [j for j in quick if j.axes.get("sweep") == OVER_ENTRIES]
    over_scale = [j for j in quick if j.axes.get("sweep") == OVER_SCALE]
    assert (len(over_entries), len(over_scale)) == (3 * 8 * 5, 3 * (3 * 4 + 1))
    assert len(quick) == len(over_entries) + len(over_scale) + 3 * 2
    assert len(STUDY.plan("smoke")) == 2 * 5 + 7 + 1
    assert len(STUDY.plan("paper", 1)) == 20 * 19 + 4 * 11 + 19 + 2


def test_both_figures_share_their_runs():
    first, second = (
        {job_to_json(labelled.job) for labelled in study.plan("quick")}
        for study in (Figure1(), STUDY)
    )
    # All depths from 1e-3 and the minimum at each number of entries.
    assert len(first & second) == 3 * 8 * 4
    # Within the figure, depths 2 (from both scales), 3 and 4 and the minimum there.
    assert len(second) == len(STUDY.plan("quick")) - 3 * 5


def test_where_all_starts_are_varied_each_few_entries_are_judged():
    runs = collection(STUDY, as_the_paper_says, profile="paper", num_seeds=2)
    found = {verdict.claim: verdict.outcome for verdict in STUDY.claims(runs)}
    assert set(found.values()) == {Outcome.SUPPORTED}
    claim = "deep-is-indifferent-rank-10-3250"
    assert claim in found
    assert claim not in outcomes(as_the_paper_says)
    world = entries({"effective_rank": 10.1}, 10, 3250, depth=4, init_scale=1e-5)
    runs = collection(STUDY, world, profile="paper", num_seeds=2)
    found = {verdict.claim: verdict.outcome for verdict in STUDY.claims(runs)}
    assert found[claim] == Outcome.CONTRADICTED
    del found[claim]
    assert set(found.values()) == {Outcome.SUPPORTED}


def test_the_truth_is_what_every_entry_determines():
    (labelled,) = [j for j in STUDY.plan("smoke") if j.axes["method"] == "truth"]
    assert isinstance(labelled.job, ReferenceJob)
    problem = build(labelled.job.problem)
    assert problem.num_measurements == problem.target.size


def test_the_figure_has_three_columns_and_a_row_for_the_start():
    svg = draw(STUDY, collection(STUDY, as_the_paper_says))
    ids = [element.get("id") or "" for element in ElementTree.fromstring(svg).iter()]
    assert sum("-axes_" in name for name in ids) == 9
    assert any("legend" in name for name in ids)


def test_the_figure_of_what_is_left_when_runs_fail():
    def fails(axes):
        return axes["method"] != "flow" or axes["depth"] == 3

    assert "<svg" in draw(STUDY, collection(STUDY, as_the_paper_says, fails=fails))
    everything = collection(STUDY, as_the_paper_says, fails=lambda axes: True)
    assert "<svg" in draw(STUDY, everything)
    assert {v.outcome for v in STUDY.claims(everything)} == {Outcome.UNDECIDED}
