"""Theorem 2 as a study: every claim can come out either way."""

import numpy as np
import pytest
import xarray

from lowrankflow.metrics import effective_rank
from lowrankflow.reference import commuting_limit, driven_value
from lowrankflow.simulation import build
from lowrankflow.store import Store
from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.arora2019 import Theorem2
from lowrankflow.studies.arora2019.theorem2_measures import fixture_formula
from lowrankflow.studies.commuting import family, minimum
from lowrankflow.sweeps import SerialExecutor

STUDY = Theorem2()


def ended(matrix, entries=None):
    values = np.linalg.svd(matrix, compute_uv=False)
    found = {
        "matrix": (("rows", "cols"), matrix),
        "nuclear_norm": ((), values.sum()),
        "effective_rank": ((), effective_rank(values)),
        "loss": ((), 0.0),
    }
    if entries is not None:
        found["time"] = (("record",), np.arange(len(entries)))
        for k, column in enumerate(entries.T):
            found[f"entry_{k}_{k}"] = (("record",), column)
    return xarray.Dataset(found)


def limit(job, depth):
    return commuting_limit(
        build(job.job.problem), depth=depth, init_scale=job.axes["init_scale"]
    )


def as_the_theory_says(job):
    axes = job.axes
    case, depth = axes["case"], axes.get("depth")
    if case == "minimum":
        basis, least = minimum(family(axes["seed"]))
        return ended((basis * least.values) @ basis.T)
    if case == "unequal":
        return ended(np.diag([1e-3, 1.0, -0.5, 0.0, 0.0]))
    end = limit(job, depth)
    if case == "path":
        design = np.asarray(build(job.job.problem).operator.eigenvalues)
        drives = np.linspace(0, 1, 5)[:, None] * (end.control @ design)
        return ended(end.matrix, driven_value(axes["init_scale"], drives, depth=depth))
    if case == "perturbed":
        if depth == 2:
            return ended(end.matrix + 1e-7 * np.ones((5, 5)))
        vector = np.sqrt(end.eigenvalues + 0.1)
        return ended(np.outer(vector, vector))
    return ended(end.matrix)


def as_nothing_says(job):
    """Ends that no scale brings nearer, the further the deeper."""
    axes = job.axes
    case, depth = axes["case"], axes.get("depth")
    if case == "minimum":
        basis, least = minimum(family(axes["seed"]))
        return ended(1.1 * (basis * least.values) @ basis.T)
    if case == "unequal":
        return ended(np.diag([1.0, 1.0, 0.0, 0.0, 0.0]))
    end = limit(job, depth)
    if case == "path":
        return ended(end.matrix, 1e-3 * np.arange(1.0, 21.0).reshape(4, 5) ** 2)
    if case == "perturbed":
        if depth == 2:
            return ended(end.matrix + np.ones((5, 5)))
        return ended(end.matrix + 1e-6 * np.eye(5))
    wrong = np.eye(len(end.matrix)) * depth * axes["init_scale"] ** -0.2
    return ended(end.matrix + wrong)


def collection(world, profile="quick", seeds=3):
    plan = STUDY.plan(profile, seeds)
    return Collection([(job.axes, world(job)) for job in plan])


def outcomes(runs):
    return {verdict.claim: verdict.outcome for verdict in STUDY.claims(runs)}


@pytest.mark.parametrize("profile", ["smoke", "quick"])
def test_in_the_theorys_world_its_claims_are_supported(profile):
    found = outcomes(collection(as_the_theory_says, profile))
    assert set(found.values()) == {Outcome.SUPPORTED}, found


def test_in_another_world_every_claim_is_contradicted():
    found = outcomes(collection(as_nothing_says))
    assert set(found.values()) == {Outcome.CONTRADICTED}, found


def test_missing_runs_leave_their_claims_undecided():
    plan = STUDY.plan("quick", 2)
    missing = Collection([], [Failure(axes=job.axes, reason="none") for job in plan])
    assert set(outcomes(missing).values()) == {Outcome.UNDECIDED}
    assert draw(STUDY, missing).startswith("<svg")


def test_the_figure_has_every_panel():
    svg = draw(STUDY, collection(as_the_theory_says))
    assert svg.startswith("<svg")
    assert "nan" not in svg.lower()


@pytest.mark.parametrize(("depth", "power"), [(3, 8.0), (4, 4.0), (5, 2 ** (5 / 3))])
def test_the_fixtures_formula(depth, power):
    assert fixture_formula(depth, 1e-6) == pytest.approx(power * 1e-6)


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
