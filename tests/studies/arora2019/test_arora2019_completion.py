"""The notebook's study: every claim can come out either way."""

from xml.etree import ElementTree

import pytest
from completion_worlds import but, collection

from lowrankflow.simulation import RunJob, build, job_to_json
from lowrankflow.studies import Outcome, draw
from lowrankflow.studies.arora2019 import (
    Completion,
    Figure1,
    Figure2,
    notebook_values as notebook,
)
from lowrankflow.studies.arora2019.notebook_jobs import APART, ONCE, REPEATED
from lowrankflow.studies.arora2019.notebook_values import FEW, MANY, SCALES

STUDY = Completion()
NORM = 221.0
# Without replacement the errors are smaller.
APART_ERROR = {FEW: 0.45, MANY: 0.2}


def as_the_notebook_says(axes):
    """The numbers of a run in a world where the notebook's are drawn as inferred."""
    numbers = {
        "mean_squared_error": 0.0,
        "nuclear_norm": NORM,
        "effective_rank": 4.92,
        "loss": 4.9e-7,
        "gap": 1e-9,
    }
    if axes["method"] == "truth":
        return numbers
    count, drawn = axes["num_observed"], axes["drawn"]
    wobble = 1 + 0.02 * (1 + axes["seed"])
    if axes["method"] == "min_nuclear_norm":
        if count == MANY:
            share, error, rank = 0.9995, 1e-12, 4.92
        elif drawn == APART:
            share, error, rank = 0.982, 0.05, 8.0
        else:
            share, error, rank = 0.96, 0.11, 9.4
        changed = {"nuclear_norm": share * NORM, "effective_rank": rank}
        return {**numbers, **changed, "mean_squared_error": error * wobble}
    depth, scale = axes["depth"], axes["init_scale"]
    if axes["method"] == "descent":
        return {**numbers, "mean_squared_error": 0.05, "effective_rank": 9.0}
    error = notebook.ERRORS[count, depth][scale] * wobble
    norms = notebook.NORMS.get((count, depth), {scale: notebook.TRUE_NORM[count]})
    ranks = notebook.RANKS.get((count, depth), {scale: 4.92})
    if drawn == APART:
        error *= APART_ERROR[count] if depth == 2 else 0.6
    elif drawn == REPEATED and count == MANY:
        error *= 1.3
    rank, norm = ranks[scale], NORM * norms[scale] / notebook.TRUE_NORM[count]
    if drawn == APART and depth == 2:
        rank -= 1.0 if count == FEW else 0.2
        norm = NORM
    return {
        **numbers,
        "mean_squared_error": error,
        "nuclear_norm": norm,
        "effective_rank": rank,
    }


def outcomes(world, **options):
    runs = collection(STUDY, world, **options)
    return {verdict.claim: verdict.outcome for verdict in STUDY.claims(runs)}


def times(factor):
    return lambda axes, old: factor * old


def at(changes, count=FEW, drawn=APART, **where):
    """A world that differs at one number of entries, drawn in one way."""
    return but(
        changes,
        base=as_the_notebook_says,
        num_observed=count,
        drawn=drawn,
        **{"method": "flow", **where},
    )


MINIMUM = {"method": "min_nuclear_norm"}
SHALLOW = {"depth": 2}
ERROR, RANK = "mean_squared_error", "effective_rank"
CONTRADICTING = {
    "few-deep-error": at({ERROR: 3e-4}, depth=4, init_scale=1e-3),
    "few-deep-rank": at({RANK: 5.4}, depth=3, init_scale=1e-3),
    "few-shallow-error": at({ERROR: 0.1}, depth=2, init_scale=1e-3),
    "few-shallow-rank": at({RANK: 7.5}, depth=2, init_scale=1e-3),
    "few-minimum-error": at({ERROR: 0.08}, **MINIMUM),
    "few-minimum-norm": at({"nuclear_norm": NORM - 1}, **MINIMUM),
    "scale-error-without-replacement": at({ERROR: 0.05}, **SHALLOW, init_scale=1e-6),
    "scale-rate-without-replacement": at({ERROR: 0.045}, **SHALLOW),
    "scale-rank-without-replacement": at({RANK: 8.0}, **SHALLOW, init_scale=1e-5),
    "scale-error-with-replacement": at(
        {ERROR: 0.2}, drawn=REPEATED, **SHALLOW, init_scale=1e-6
    ),
    "scale-rate-with-replacement": at({ERROR: 0.1}, drawn=REPEATED, **SHALLOW),
    "scale-rank-with-replacement": at(
        {RANK: 11.0}, drawn=REPEATED, **SHALLOW, init_scale=1e-5
    ),
    "deep-scale-3": at({ERROR: times(6)}, depth=3, init_scale=1e-6),
    "deep-scale-4": at({ERROR: times(0.1)}, depth=4, init_scale=1e-5),
    "many-error-without-replacement": at({ERROR: 2e-4}, MANY, depth=3),
    "many-norm-without-replacement": at({"nuclear_norm": NORM - 1.2}, MANY, **MINIMUM),
    "many-rank-without-replacement": at({RANK: 5.5}, MANY, depth=4),
    "many-error-with-replacement": at({ERROR: 2e-4}, MANY, REPEATED, **MINIMUM),
    "many-norm-with-replacement": at(
        {"nuclear_norm": NORM + 2}, MANY, REPEATED, depth=2, init_scale=1e-4
    ),
    "many-rank-with-replacement": at({RANK: 5.6}, MANY, REPEATED, depth=3),
    "repeated-shallow-error": at(
        {ERROR: 0.14}, drawn=REPEATED, depth=2, init_scale=1e-3
    ),
    "repeated-shallow-rank": at({RANK: 9.0}, drawn=REPEATED, depth=2, init_scale=1e-3),
    "drawn-errors": but(
        {ERROR: lambda axes, e: e / APART_ERROR[axes["num_observed"]]},
        base=as_the_notebook_says,
        method="flow",
        drawn=APART,
        depth=2,
    ),
    "drawn-minimum": at({"nuclear_norm": 0.955 * NORM}, **MINIMUM),
    "drawn-not-without": at({ERROR: times(2)}, depth=2, init_scale=1e-5),
    "drawn-counted-once": at({ERROR: times(1.4)}, MANY, ONCE, depth=2),
    "notebook-norm-2000": at(
        {"nuclear_norm": NORM}, drawn=REPEATED, depth=2, init_scale=1e-4
    ),
    "notebook-norm-5000": at(
        {"nuclear_norm": NORM + 1}, MANY, REPEATED, depth=2, init_scale=1e-6
    ),
    "notebook-rank-2000": at({RANK: 8.1}, drawn=REPEATED, depth=2, init_scale=1e-5),
    "notebook-rank-5000": at({RANK: 5.2}, MANY, REPEATED, depth=2, init_scale=1e-6),
    "notebook-deep-error-2000": at({ERROR: times(4)}, drawn=REPEATED, depth=4),
    "notebook-deep-error-5000": at({ERROR: times(0.2)}, MANY, REPEATED, depth=3),
    "notebook-minimum-norm-2000": at(
        {"nuclear_norm": 0.97 * NORM}, drawn=REPEATED, **MINIMUM
    ),
    "notebook-minimum-norm-5000": at(
        {"nuclear_norm": 0.995 * NORM}, MANY, REPEATED, **MINIMUM
    ),
    "notebook-minimum-error": at({ERROR: 0.2}, drawn=REPEATED, **MINIMUM),
    "learning-rate-error-2": but(
        {ERROR: 0.054}, base=as_the_notebook_says, method="descent", learning_rate=3e-3
    ),
    "learning-rate-rank-2": but(
        {RANK: 9.2}, base=as_the_notebook_says, method="descent", learning_rate=1e-3
    ),
    "converged": at({"loss": 6e-7}, MANY, ONCE, depth=2),
    "certified": but({"gap": 1e-6}, base=as_the_notebook_says, method="truth"),
    **{
        f"notebook-error-{count}-{scale:g}": at(
            {ERROR: times(1.8)}, count, REPEATED, depth=2, init_scale=scale
        )
        for count in (FEW, MANY)
        for scale in SCALES
    },
    **{
        f"notebook-error-once-{MANY}-{scale:g}": at(
            {ERROR: times(0.5)}, MANY, ONCE, depth=2, init_scale=scale
        )
        for scale in SCALES
    },
}


def test_all_claims_hold_in_the_notebooks_world():
    found = outcomes(as_the_notebook_says)
    assert set(found) == set(CONTRADICTING)
    assert {c: o for c, o in found.items() if o != Outcome.SUPPORTED} == {}


@pytest.mark.parametrize("claim", CONTRADICTING)
def test_each_claim_fails_where_it_is_wrong(claim):
    assert outcomes(CONTRADICTING[claim])[claim] == Outcome.CONTRADICTED


def test_a_missing_run_leaves_its_claims_open():
    def fails(axes):
        return axes["method"] == "min_nuclear_norm" and axes["seed"] == 1

    found = outcomes(as_the_notebook_says, fails=fails)
    undecided = {c for c, outcome in found.items() if outcome == Outcome.UNDECIDED}
    assert {"few-minimum-error", "drawn-minimum", "certified"} < undecided
    assert "drawn-errors" not in undecided


def test_the_plan_of_a_profile():
    quick = STUDY.plan("quick")
    assert len({job_to_json(labelled.job) for labelled in quick}) == len(quick)
    once = [job.axes for job in quick if job.axes.get("drawn") == ONCE]
    assert len(once) == 3 * 4
    descents = [job for job in quick if job.axes["method"] == "descent"]
    assert [job.axes["learning_rate"] for job in descents] == [1e-3, 3e-3]
    paper = [job.axes for job in STUDY.plan("paper", 1)]
    # All depths and starts at both numbers in both ways and each minimum; depth 2 once
    # more; three depths by two learning rates; the truth.
    assert len(paper) == 4 * 13 + 2 * 4 + 6 + 1


def test_what_figures_1_and_2_have_as_well_is_computed_once():
    own = {job_to_json(labelled.job) for labelled in STUDY.plan("quick")}
    theirs = {
        job_to_json(labelled.job)
        for study in (Figure1(), Figure2())
        for labelled in study.plan("quick")
    }
    # With 2,000 entries without replacement all starts and the minimum, with 5,000
    # depth 2 from 1e-3 and 1e-6 and the minimum, and depths 3 and 4 for one seed; the
    # truth; one descent.
    assert len(own & theirs) == 3 * (13 + 3 + 1) + 2 + 1


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_what_runs_is_what_the_axes_say(profile):
    for labelled in STUDY.plan(profile, 1):
        axes, recipe = labelled.axes, labelled.job.problem
        if axes["method"] == "truth":
            continue
        if axes["drawn"] == APART:
            assert recipe.kind == "planted_completion"
            assert recipe.arguments["num_observed"] == axes["num_observed"]
        else:
            assert recipe.kind == "planted_completion_with_replacement"
            assert recipe.arguments["num_draws"] == axes["num_observed"]
            how = {REPEATED: "count", ONCE: "once"}[axes["drawn"]]
            assert recipe.arguments["repeats"] == how
        if isinstance(labelled.job, RunJob):
            assert labelled.job.start.init_scale == axes["init_scale"]
        if axes["method"] == "descent":
            assert labelled.job.dynamics.step.learning_rate == axes["learning_rate"]


def test_all_ways_of_drawing_have_one_truth():
    plan = STUDY.plan("smoke")
    targets = [build(labelled.job.problem).target for labelled in plan]
    assert all((target == targets[0]).all() for target in targets)


def test_the_figure_has_three_columns_and_two_rows():
    svg = draw(STUDY, collection(STUDY, as_the_notebook_says))
    ids = [element.get("id") or "" for element in ElementTree.fromstring(svg).iter()]
    assert sum("-axes_" in name for name in ids) == 6
    assert any("legend" in name for name in ids)


def test_the_figure_of_what_is_left_when_runs_fail():
    everything = collection(STUDY, as_the_notebook_says, fails=lambda axes: True)
    assert "<svg" in draw(STUDY, everything)
    assert {v.outcome for v in STUDY.claims(everything)} == {Outcome.UNDECIDED}
