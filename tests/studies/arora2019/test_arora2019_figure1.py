"""Figure 1 as a study: every claim can come out either way."""

from xml.etree import ElementTree

import pytest
from completion_worlds import as_the_paper_says, but, collection

from lowrankflow.dynamics import GradientDescent, GradientFlow
from lowrankflow.simulation import ReferenceJob, RunJob, job_to_json
from lowrankflow.studies import Outcome, draw
from lowrankflow.studies.arora2019 import Figure1
from lowrankflow.studies.arora2019.completion import SWEEPS

STUDY = Figure1()


def deep(depth):
    return depth > 2


def outcomes(world, **options):
    runs = collection(STUDY, world, **options)
    return {verdict.claim: verdict.outcome for verdict in STUDY.claims(runs)}


CONTRADICTING = {
    "few-rank-5-1500": but(
        {"mean_squared_error": 0.02}, rank=5, num_observed=1500, depth=deep
    ),
    "few-rank-10-3000": but(
        {"mean_squared_error": 0.02}, rank=10, num_observed=3000, depth=deep
    ),
    "many-rank-5": but(
        {"mean_squared_error": 2e-4}, rank=5, num_observed=5000, depth=2
    ),
    "many-rank-10": but(
        {"mean_squared_error": 2e-4}, rank=10, num_observed=7000, depth=2
    ),
    "alike-rank-5-2000": but(
        {"mean_squared_error": lambda axes, e: e / 4},
        rank=5,
        num_observed=2000,
        depth=3,
    ),
    "alike-rank-10-3500": but(
        {"mean_squared_error": lambda axes, e: e * 4},
        rank=10,
        num_observed=3500,
        depth=3,
    ),
    "descent-recovers-alike": but(
        {"mean_squared_error": lambda axes, e: e / 1.3}, method="descent", depth=4
    ),
    "descent-ends-alike": but(
        {"effective_rank": lambda axes, r: 1.02 * r}, method="descent", depth=2
    ),
    "converged": but({"loss": 6e-7}, method="flow", rank=10, depth=3),
    "certified": but({"gap": 1e-6}, method="min_nuclear_norm", num_observed=7000),
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
        where = (axes["rank"], axes["num_observed"], axes["seed"])
        return where == (5, 1500, 2) and axes.get("depth") == 3

    found = outcomes(as_the_paper_says, fails=fails)
    open_ones = {
        name for name, outcome in found.items() if outcome == Outcome.UNDECIDED
    }
    assert open_ones == {"few-rank-5-1500", "alike-rank-5-1500", "converged"}


def test_seeds_that_disagree_leave_a_claim_open():
    def changed(axes, error):
        return 0.09 if axes["seed"] == 1 else error

    world = but({"mean_squared_error": changed}, rank=5, num_observed=1500, depth=3)
    assert outcomes(world)["few-rank-5-1500"] == Outcome.UNDECIDED
    world = but({"mean_squared_error": changed}, rank=5, num_observed=5000, depth=2)
    assert outcomes(world)["many-rank-5"] == Outcome.UNDECIDED


def test_the_plan_of_a_profile():
    quick = STUDY.plan("quick")
    flows = [job for job in quick if job.axes["method"] == "flow"]
    descents = [job for job in quick if job.axes["method"] == "descent"]
    minima = [job for job in quick if job.axes["method"] == "min_nuclear_norm"]
    assert (len(flows), len(descents), len(minima)) == (3 * 8 * 3, 3, 3 * 8)
    assert len(STUDY.plan("quick", 1)) == 8 * 4 + 3
    assert len(STUDY.plan("smoke")) == 2 * 4 + 3
    paper = STUDY.plan("paper")
    descents = [job.axes for job in paper if job.axes["method"] == "descent"]
    assert len(descents) == 24 * 3
    assert {axes["seed"] for axes in descents} == {0}
    assert len({job_to_json(labelled.job) for labelled in quick}) == len(quick)


def test_few_entries_are_those_for_the_degrees_of_freedom():
    def judged(world):
        runs = collection(STUDY, world, profile="paper", num_seeds=2)
        return {verdict.claim: verdict.outcome for verdict in STUDY.claims(runs)}

    found = judged(as_the_paper_says)
    few = {
        (rank, count)
        for rank, counts in {
            5: (1500, 1650, 1800, 2000),
            10: (3000, 3250, 3500, 3750),
        }.items()
        for count in counts
    }
    assert {c for c in found if c.startswith("few-")} == {
        f"few-rank-{rank}-{count}" for rank, count in few
    }
    # In a world where everything recovers, that nothing recovers from the fewest is
    # wrong.
    fewest = {"fewest-rank-5-1200", "fewest-rank-10-2400"}
    wrong = {name for name, outcome in found.items() if outcome != Outcome.SUPPORTED}
    assert wrong == fewest
    lost = but({"mean_squared_error": 0.5}, num_observed=lambda count: count == 1200)
    assert judged(lost)["fewest-rank-5-1200"] == Outcome.SUPPORTED


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_what_runs_is_what_the_axes_say(profile):
    for labelled in STUDY.plan(profile):
        axes, job = labelled.axes, labelled.job
        assert isinstance(job, RunJob | ReferenceJob)
        arguments = job.problem.arguments
        assert arguments["shape"] == list(SWEEPS[profile].shape)
        assert arguments["normalization"] == "mean"
        for name in ("rank", "num_observed", "seed"):
            assert arguments[name] == axes[name]
        if axes["method"] == "min_nuclear_norm":
            assert isinstance(job, ReferenceJob)
            assert job.gap_tolerance == 1e-8
            continue
        assert isinstance(job, RunJob)
        assert job.seed == axes["seed"]
        assert job.factorization.num_factors_in_product == axes["depth"]
        assert job.start.init_scale == axes["init_scale"] == 1e-3
        # The paper's loss is the mean of the squares, twice ours.
        assert job.stop.loss == 5e-7
        kind = GradientFlow if axes["method"] == "flow" else GradientDescent
        assert isinstance(job.dynamics, kind)
        if isinstance(job.dynamics, GradientDescent):
            assert job.dynamics.step.learning_rate == 1e-3
            assert job.dynamics.step.eps == 5e-5  # half of the paper's, likewise


def test_the_figure_shows_both_ranks_and_a_legend():
    first = draw(STUDY, collection(STUDY, as_the_paper_says))
    assert draw(STUDY, collection(STUDY, as_the_paper_says)) == first
    root = ElementTree.fromstring(first)
    ids = [element.get("id") or "" for element in root.iter()]
    assert sum("-axes_" in name for name in ids) == 2
    assert any("legend" in name for name in ids)


def test_the_figure_of_what_is_left_when_runs_fail():
    def fails(axes):
        return axes["method"] != "flow" or axes["rank"] == 10 or axes["depth"] == 4

    assert "<svg" in draw(STUDY, collection(STUDY, as_the_paper_says, fails=fails))
    everything = collection(STUDY, as_the_paper_says, fails=lambda axes: True)
    assert "<svg" in draw(STUDY, everything)
    assert {v.outcome for v in STUDY.claims(everything)} == {Outcome.UNDECIDED}
