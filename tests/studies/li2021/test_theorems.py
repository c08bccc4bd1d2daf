"""The theorems as a study: real runs of profile smoke, and the same runs spoiled."""

import numpy as np
import pytest

from lowrankflow.problems import to_dense
from lowrankflow.simulation import build
from lowrankflow.store import Store
from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.li2021 import Theorems
from lowrankflow.studies.li2021.theorems_jobs import completion, second_stage
from lowrankflow.studies.li2021.theorems_measures import hessian
from lowrankflow.sweeps import SerialExecutor

STUDY = Theorems()


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    plan, store = STUDY.plan("smoke", 1), Store(tmp_path_factory.mktemp("store"))
    done = SerialExecutor().run([job.job for job in plan], store)
    assert all(outcome.is_success for outcome in done)
    return [
        (job.axes, store.get(outcome.digest))
        for job, outcome in zip(plan, done, strict=True)
    ]


def outcomes(collection):
    return {verdict.claim: verdict.outcome for verdict in STUDY.claims(collection)}


@pytest.mark.slow
def test_real_runs(runs):
    found = outcomes(Collection(runs))
    assert set(found.values()) == {Outcome.SUPPORTED}, found
    svg = draw(STUDY, Collection(runs))
    assert svg.startswith("<svg")
    assert "nan" not in svg.lower()


def spoiled(axes, dataset):
    """Other matrices, ranks, losses, rates and critical points."""
    shape = dataset.matrix.shape
    # Of another sign per kind of flow, and of no rate in eps.
    sign = -1.0 if axes.get("flow") in ("matrix", "root") else 1.0
    noise = sign * np.arange(shape[0] * shape[1]).reshape(shape) ** 0.5
    if "log10_eps" in axes:
        noise = noise * axes["log10_eps"] ** 2 / 100
    changed = {"matrix": dataset.matrix * 0 + noise}
    values = dataset.singular_values
    changed["singular_values"] = values * 0 + 1.0
    changed["loss"] = dataset.loss + 1.0
    if axes["case"] == "greedy":
        rates = dataset.rate.copy()
        rates[1:] = -1e-3
        rates[-1] = 1.0
        changed["rate"] = rates
        factor = dataset.factor_1 * 0
        factor[0, 0], factor[0, 1] = 1e-3, 1e-4
        changed["factor_1"] = factor
    return dataset.assign(changed)


@pytest.mark.slow
def test_spoiled_runs_contradict_every_claim(runs):
    found = outcomes(Collection([(axes, spoiled(axes, run)) for axes, run in runs]))
    # At nearly zero the Hessian is -grad f(0), which has no flat direction.
    assert found.pop("strict") in (Outcome.CONTRADICTED, Outcome.SUPPORTED)
    assert set(found.values()) == {Outcome.CONTRADICTED}, found


def test_missing_runs_leave_every_claim_undecided():
    plan = STUDY.plan("quick", 2)
    missing = Collection([], [Failure(axes=job.axes, reason="none") for job in plan])
    assert set(outcomes(missing).values()) == {Outcome.UNDECIDED}


def test_the_hessian_is_that_of_the_loss():
    rng, step = np.random.default_rng(0), 1e-4
    units, moved = rng.standard_normal((6, 2)), rng.standard_normal((6, 2))
    problem = build(completion(0))

    def value(size):
        factor = units + size * moved
        return float(problem.value(factor @ factor.T)) / 2

    second = (value(step) - 2 * value(0.0) + value(-step)) / step**2
    found = moved.ravel() @ hessian(completion(0), units) @ moved.ravel()
    # The step's square, and rounding over it.
    assert found == pytest.approx(second, rel=1e-5)


def test_the_second_stage_begins_at_a_critical_point():
    unit, rate, direction, gamma = second_stage(1)
    gradient = np.asarray(to_dense(build(completion(1)).gradient(np.outer(unit, unit))))
    pull = -(gradient + gradient.T) / 2
    assert np.allclose(pull @ unit, 0, rtol=0, atol=1e-12)
    assert np.allclose(pull @ direction, rate * direction, rtol=0, atol=1e-12)
    assert 0 < gamma < 1
