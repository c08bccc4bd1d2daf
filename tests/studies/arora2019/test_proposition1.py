"""Proposition 1 as a study: every claim can come out either way."""

import numpy as np
import pytest
import xarray

from lowrankflow.store import Store
from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.arora2019 import Proposition1
from lowrankflow.studies.arora2019.proposition1_jobs import SCALE, SMALL, offset
from lowrankflow.studies.arora2019.proposition1_measures import (
    beside,
    derived_amplification,
    start_correlation,
)
from lowrankflow.studies.commuting import family, minimum
from lowrankflow.sweeps import SerialExecutor

STUDY = Proposition1()


def coupled(correlation):
    return np.array([[1, correlation, 0], [correlation, 1, 0], [0, 0, 1e-8]])


def as_the_theory_says(axes):
    case, depth = axes["case"], axes["depth"]
    if case == "limit":
        return np.diag([1.0, 1.0] + [SCALE] * (axes["size"] - 2))
    if case == "family":
        basis, least = minimum(family(axes["seed"]))
        return (basis * (least.values + 1e-6)) @ basis.T
    if case == "small":
        began = depth * SMALL * offset(axes["seed"])[0, 1]
        return coupled(began * derived_amplification(depth))
    if case == "large":
        return coupled(1e-3 if depth == 2 else 0.999)
    (angle,) = start_correlation((axes["seed"],)).values
    return coupled(angle if depth == 2 else 1 - 0.1**depth)


def as_nothing_says(axes):
    """A rotated end, whose least entries are negative, and offsets that fade."""
    case, depth = axes["case"], axes["depth"]
    if case in ("limit", "family"):
        size = axes.get("size", 5)
        turned = np.linalg.qr(np.vander(np.linspace(0.1, 1, size)))[0]
        # Two of the leading pair are negative, so that a step away lowers nothing.
        values = np.r_[1.0, 1.0, -np.ones(size - 2)]
        return (turned * values) @ turned.T
    if case == "small":
        return coupled(1e-9)
    if case == "large":
        return coupled(0.5 if depth == 2 else 0.1)
    return coupled(0.9 - 0.2 * depth)


def collection(world, profile="quick"):
    plan = STUDY.plan(profile, 3)
    made = []
    for job in plan:
        matrix = world(job.axes)
        made.append((job.axes, xarray.Dataset({"matrix": (("rows", "cols"), matrix)})))
    return Collection(made)


def outcomes(runs):
    return {verdict.claim: verdict.outcome for verdict in STUDY.claims(runs)}


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_in_the_papers_world_its_claims_are_supported(profile):
    found = outcomes(collection(as_the_theory_says, profile))
    assert set(found.values()) == {Outcome.SUPPORTED}, found


def test_in_another_world_the_claims_are_contradicted():
    found = outcomes(collection(as_nothing_says))
    # Where both leading eigenvalues are positive, a step always lowers them.
    for claim in ("formula", "falls-limit", "falls-family"):
        assert found.pop(claim) in (Outcome.SUPPORTED, Outcome.CONTRADICTED)
    assert set(found.values()) == {Outcome.CONTRADICTED}, found


@pytest.mark.parametrize("case", ["limit", "family"])
def test_where_one_eigenvalue_is_positive_no_quasi_norm_falls(case):
    def world(axes):
        if axes["case"] != case:
            return as_the_theory_says(axes)
        size = axes.get("size", 5)
        return np.diag(np.r_[1.0, 1e-4, np.zeros(size - 2)])

    found = outcomes(collection(world))
    assert found[f"falls-{case}"] is Outcome.CONTRADICTED
    if case == "limit":
        assert found["formula"] is Outcome.CONTRADICTED


def test_missing_runs_leave_their_claims_undecided():
    plan = STUDY.plan("quick", 2)
    missing = Collection([], [Failure(axes=job.axes, reason="none") for job in plan])
    assert set(outcomes(missing).values()) == {Outcome.UNDECIDED}
    assert draw(STUDY, missing).startswith("<svg")


def test_the_figure_has_every_panel():
    svg = draw(STUDY, collection(as_the_theory_says))
    assert svg.startswith("<svg")
    assert "nan" not in svg.lower()


def test_a_step_to_the_side_keeps_the_trace_and_the_sign():
    matrix = np.diag([2.0, 0.5, 0.0])
    moved = beside(matrix, 0.5)
    np.testing.assert_allclose(np.diag(moved), np.diag(matrix), atol=1e-15)
    assert abs(moved[0, 1]) == pytest.approx(0.5)
    assert np.linalg.eigvalsh(moved).min() > -1e-15


@pytest.mark.slow
def test_real_runs(tmp_path):
    plan, store = STUDY.plan("smoke", 2), Store(tmp_path)
    done = SerialExecutor().run([job.job for job in plan], store)
    assert all(outcome.is_success for outcome in done)
    runs = [
        (job.axes, store.get(outcome.digest))
        for job, outcome in zip(plan, done, strict=True)
    ]
    found = outcomes(Collection(runs))
    assert set(found.values()) == {Outcome.SUPPORTED}, found
