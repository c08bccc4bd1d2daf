"""Lemmas 1 and 2, theorem 3 and corollary 1: real runs, and the same runs spoiled."""

import re

import numpy as np
import pytest

from lowrankflow.store import Store
from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.arora2019 import Corollary1, Lemma1, Lemma2, Theorem3
from lowrankflow.sweeps import SerialExecutor

STUDIES = {study.key: study for study in (Lemma1(), Theorem3(), Lemma2(), Corollary1())}


@pytest.fixture(scope="module", params=STUDIES)
def study_and_runs(request, tmp_path_factory):
    study = STUDIES[request.param]
    plan, store = study.plan("smoke", 1), Store(tmp_path_factory.mktemp("store"))
    done = SerialExecutor().run([job.job for job in plan], store)
    assert all(outcome.is_success for outcome in done)
    runs = [
        (job.axes, store.get(outcome.digest))
        for job, outcome in zip(plan, done, strict=True)
    ]
    return study, runs


def outcomes(study, runs):
    return {v.claim: v.outcome for v in study.claims(Collection(runs))}


def entries(dataset):
    return [str(name) for name in dataset.data_vars if str(name).startswith("entry_")]


def with_noise(axes, dataset, *, smooth):
    """A term of its own on every entry: smooth in time, or another at every record."""
    rng, time = np.random.default_rng(1), dataset.time.values
    changed = {}
    for name in entries(dataset):
        term = rng.standard_normal() * np.sin(2 * time)
        if not smooth:
            term = rng.standard_normal(len(time))
        changed[name] = ("record", dataset[name].values + 0.2 * term)
    # Where there are factors they are balanced: all of an imbalance is denied.
    if not smooth and "factor_2" in dataset:
        for scale, name in ((1e-6, "factor_1"), (2e-6, "factor_2")):
            values = scale * np.eye(*dataset[name].shape)
            changed[name] = (dataset[name].dims, values)
    return axes, dataset.assign(changed)


def exchanged(runs, axis, order):
    """Every run under the axes of another."""
    new = []
    for axes, dataset in runs:
        value = axes.get(axis)
        new.append(({**axes, axis: order[value]} if value in order else axes, dataset))
    return new


def at_rest(axes, dataset):
    """The last matrix all the time, but for a growth that turns nothing."""
    growth = 1 + 1e-3 * dataset.time.values
    changed = {
        name: ("record", dataset[name].values[-1] * growth) for name in entries(dataset)
    }
    return axes, dataset.assign(changed)


def spoiled(runs):
    """Worlds in which something that the studies claim is wrong."""
    yield [with_noise(*run, smooth=True) for run in runs]
    yield [with_noise(*run, smooth=False) for run in runs]
    yield [at_rest(*run) for run in runs]
    cases = {"symmetric": "perturbed", "perturbed": "symmetric"}
    yield exchanged(runs, "case", cases)
    starts = {"factors": "identity", "identity": "factors", "still": "gaussian"}
    yield exchanged(runs, "start", {**starts, "gaussian": "still"})
    levels = {3e-4: 0.1, 1e-3: 3e-3, 3e-3: 1e-3, 0.1: 3e-4}
    yield exchanged(runs, "spoiled", levels)
    couplings = {0.1: 0.001, 0.03: 0.003, 0.003: 0.03, 0.001: 0.1}
    yield exchanged(runs, "noise", couplings)


# What no trajectory contradicts: that a decomposition is one, that a law of another
# depth fails, that a slope goes on through zero. They have tests of their own.
ELSEWHERE = {"exact", "other-law", "other-depth", "outside", "no-kink", "kink"}


@pytest.mark.slow
def test_real_runs_support_and_spoiled_ones_contradict(study_and_runs):
    study, runs = study_and_runs
    found = outcomes(study, runs)
    assert set(found.values()) == {Outcome.SUPPORTED}, found
    svg = draw(study, Collection(runs))
    assert svg.startswith("<svg")
    # Points that are many are drawn as an image, in which any letters may stand.
    assert "nan" not in re.sub('base64,[^"]*', "", svg).lower()
    contradicted = set()
    for world in spoiled(runs):
        if [axes for axes, _ in world] == [axes for axes, _ in runs] and all(
            one[1] is other[1] for one, other in zip(world, runs, strict=True)
        ):
            continue
        verdicts = outcomes(study, world)
        contradicted |= {c for c, o in verdicts.items() if o is Outcome.CONTRADICTED}
    assert set(found) - contradicted <= ELSEWHERE, set(found) - contradicted


@pytest.mark.parametrize("key", STUDIES)
def test_missing_runs_leave_every_claim_undecided(key):
    study = STUDIES[key]
    plan = study.plan("quick", 2)
    missing = Collection([], [Failure(axes=job.axes, reason="none") for job in plan])
    found = outcomes_of(study, missing)
    assert len(found) >= 10
    assert set(found.values()) == {Outcome.UNDECIDED}
    assert draw(study, missing).startswith("<svg")


def outcomes_of(study, collection):
    return {verdict.claim: verdict.outcome for verdict in study.claims(collection)}


@pytest.mark.parametrize("key", STUDIES)
@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_plans(key, profile):
    plan = STUDIES[key].plan(profile, 1)
    assert {"seed", "depth"} <= set(plan[0].axes)
    assert len(plan) >= 4
