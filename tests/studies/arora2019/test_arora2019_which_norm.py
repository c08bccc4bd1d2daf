"""Which norm explains what is found: every claim can come out either way."""

from xml.etree import ElementTree

import numpy as np
import pytest
import xarray

from lowrankflow.simulation import job_to_json
from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.arora2019 import Figure2, WhichNorm
from lowrankflow.studies.arora2019.completion import SWEEPS
from lowrankflow.studies.arora2019.which_norm_measures import (
    EFFECTIVE,
    NUCLEAR,
    SURROGATES,
    comparisons,
    log_det,
    schatten,
    share_least,
    share_lower,
)
from lowrankflow.studies.arora2019.which_norm_picture import shares

STUDY = WhichNorm()
TRUTH = [50.0, 40.0, 35.0, 30.0, 25.0]
NEAR = [*TRUTH[:4], 25.1]  # one answer with the truth
LEAST = [40.0, 38.0, 34.0, 29.0, 24.0, 4.0, 4.0, 4.0]


def is_few(axes):
    counts = SWEEPS["quick"].observed[axes["rank"]]
    return axes["num_observed"] in counts[:2]


def as_the_paper_says(axes):
    """The singular values of a run in a world where all of the paper's is so."""
    if axes["method"] == "truth" or not is_few(axes):
        return TRUTH
    if axes["method"] == "min_nuclear_norm":
        return LEAST
    if axes["depth"] > 2:
        return NEAR
    tail = 5.0 * (axes["init_scale"] / 1e-3) ** 0.2
    return [49.0, 39.0, 34.0, 29.0, 24.0, *[tail] * 7]


def dataset(values, method, *, loss=4.9e-7, gap=1e-9):
    padded = np.zeros(12)
    padded[: len(values)] = values
    matrix = (("rows", "cols"), np.diag(padded))
    if method == "flow":
        both = np.stack([np.zeros(12), padded])
        return xarray.Dataset(
            {
                "singular_values": (("record", "sv"), both),
                "matrix": matrix,
                "loss": ("record", [1.0, loss]),
            },
            {"time": ("record", [0.0, 1.0])},
        )
    variables = {"singular_values": ("sv", padded), "matrix": matrix}
    return xarray.Dataset(variables).assign_attrs(
        certificate_relative_gap=gap,
        certificate_primal_residual=1e-12,
        certificate_dual_norm=1.0,
    )


def collection(world, *, fails=lambda axes: False, **numbers):
    runs, failures = [], []
    for labelled in STUDY.plan("quick"):
        axes = dict(labelled.axes)
        if fails(axes):
            failures.append(Failure(axes=axes, reason="no memory"))
        else:
            method = axes["method"]
            runs.append((axes, dataset(world(axes), method, **numbers)))
    return Collection(runs, failures)


def outcomes(world, **options):
    verdicts = STUDY.claims(collection(world, **options))
    return {verdict.claim: verdict.outcome for verdict in verdicts}


def but(values, when):
    """The paper's world, with other singular values in some of the runs."""

    def world(axes):
        usual = as_the_paper_says(axes)
        changed = when(axes)
        return (values(axes) if callable(values) else values) if changed else usual

    return world


def few_flow(axes, *depths):
    return axes["method"] == "flow" and axes["depth"] in depths and is_few(axes)


def few_minimum(axes):
    return axes["method"] == "min_nuclear_norm" and is_few(axes)


LONG = [48.0, 38.0, 33.0, 28.0, 23.0, *[3.0] * 7]
SHORT = [60.0, 30.0, 10.0]
CONTRADICTING = {
    "differs-from-minimum": but(LEAST, lambda a: few_flow(a, 3, 4)),
    "meets-minimum-rank-5": but(
        LEAST,
        lambda a: a["method"] == "min_nuclear_norm" and a["num_observed"] == 5000,
    ),
    "meets-minimum-rank-10": but(NEAR, few_minimum),
    "effective-rank-deep": but(LONG, lambda a: few_flow(a, 3)),
    "effective-rank-most": but(TRUTH[:3], few_minimum),
    "deeper-is-lower": but(SHORT, lambda a: few_flow(a, 2)),
    "smaller-is-lower": but(
        lambda a: [*TRUTH, *[1 - a["init_scale"] * 900] * 5], lambda a: few_flow(a, 2)
    ),
    "no-schatten": but(SHORT, lambda a: few_flow(a, 2, 3, 4)),
    "no-schatten-against-minimum": but(SHORT, lambda a: few_flow(a, 2, 3, 4)),
    "schatten-deep": but(LONG, lambda a: few_flow(a, 4)),
    "truth-is-lower": but(SHORT, lambda a: few_flow(a, 2)),
    "log-det-deep": but(LONG, lambda a: few_flow(a, 3, 4)),
    "stable-rank-deep": but([45.0] * 5, lambda a: few_flow(a, 3, 4)),
    "none-is-least": but(SHORT, lambda a: few_flow(a, 2, 3, 4)),
}


def test_all_claims_hold_in_the_papers_world():
    found = outcomes(as_the_paper_says)
    assert set(found) == set(CONTRADICTING) | {"converged", "certified"}
    assert {c: o for c, o in found.items() if o != Outcome.SUPPORTED} == {}


@pytest.mark.parametrize("claim", CONTRADICTING)
def test_each_claim_fails_where_it_is_wrong(claim):
    assert outcomes(CONTRADICTING[claim])[claim] == Outcome.CONTRADICTED


def test_runs_that_did_not_end_well_are_seen():
    assert outcomes(as_the_paper_says, loss=6e-7)["converged"] == Outcome.CONTRADICTED
    assert outcomes(as_the_paper_says, gap=1e-6)["certified"] == Outcome.CONTRADICTED


def test_missing_runs_leave_the_claims_open():
    def fails(axes):
        return axes["method"] == "min_nuclear_norm" and axes["seed"] == 0

    found = outcomes(as_the_paper_says, fails=fails)
    assert set(found.values()) == {Outcome.UNDECIDED, Outcome.SUPPORTED}
    assert found["effective-rank-deep"] == Outcome.UNDECIDED
    everything = collection(as_the_paper_says, fails=lambda axes: True)
    assert {v.outcome for v in STUDY.claims(everything)} == {Outcome.UNDECIDED}
    assert "<svg" in draw(STUDY, everything)


def test_the_runs_are_those_of_figure_2():
    own, theirs = (
        [job_to_json(labelled.job) for labelled in study.plan("quick")]
        for study in (STUDY, Figure2())
    )
    assert len(set(own)) == len(own)
    assert set(own) == set(theirs)


def test_surrogates_of_two_equal_singular_values():
    values = np.array([2.0, 2.0, 0.0])
    numbers = {name: of(values) for name, of in SURROGATES.items()}
    assert numbers[NUCLEAR] == pytest.approx(4.0)
    assert numbers[schatten(0.5)] == pytest.approx(2 * 2**0.5)
    # log det(W W' + eps I) less its value at the zero matrix.
    assert numbers[log_det(1.0)] == pytest.approx(2 * np.log(5))
    assert numbers[EFFECTIVE] == pytest.approx(2.0)
    assert len(numbers) == 14


def test_shares_count_answers_that_differ():
    found = [
        one
        for one in comparisons(collection(as_the_paper_says))
        if (one.rank, one.count) == (5, 1500)
    ]
    against = [one for one in found if one.rival.method == "min_nuclear_norm"]
    deep = [one for one in against if one.flow.depth == 3]
    np.testing.assert_array_equal(share_lower(deep, EFFECTIVE).values, [1.0] * 3)
    np.testing.assert_array_equal(share_lower(deep, NUCLEAR).values, [0.0] * 3)
    to_truth = [
        one for one in found if one.rival.method == "truth" and one.flow.depth == 3
    ]
    # One answer with the truth: no comparison, and not beaten by it.
    assert np.isnan(share_lower(to_truth, EFFECTIVE).values).all()
    np.testing.assert_array_equal(share_least(to_truth, NUCLEAR).values, [1.0] * 3)
    table = shares([*deep, *to_truth], [1500, 2000])
    assert table.shape == (len(SURROGATES), 2)
    assert np.isnan(table[:, 1]).all()
    assert table[list(SURROGATES).index(EFFECTIVE), 0] == 1.0


def test_the_figure_has_four_panels_for_each_rank():
    svg = draw(STUDY, collection(as_the_paper_says))
    ids = [element.get("id") or "" for element in ElementTree.fromstring(svg).iter()]
    assert sum("-axes_" in name for name in ids) == 9  # and the bar of colours
