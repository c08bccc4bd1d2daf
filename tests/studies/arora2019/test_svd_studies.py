"""Lemmas 1 and 2, theorem 3 and corollary 1: real runs, and the same runs spoiled."""

import dataclasses
import re

import numpy as np
import pytest

from lowrankflow.metrics import follow_svd
from lowrankflow.store import Store
from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.arora2019 import (
    Corollary1,
    Lemma1,
    Lemma2,
    Theorem3,
    lemma1_jobs,
    lemma1_measures,
)
from lowrankflow.studies.arora2019.lemma1_measures import (
    crossings,
    kinks,
    reconstruction_error,
    smoothness_order,
)
from lowrankflow.studies.arora2019.recorded_paths import RecordedPath, gradients
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
    return study, runs, [job.job.problem for job in plan]


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


def with_path(axes, dataset, matrices):
    """The run with these matrices for its own."""
    changed = {
        name: ("record", matrices[(slice(None), *map(int, name.split("_")[1:]))])
        for name in entries(dataset)
    }
    return axes, dataset.assign(changed)


def size_of(dataset):
    last = [tuple(map(int, name.split("_")[1:])) for name in entries(dataset)]
    return tuple(1 + np.max(last, axis=0))


def turning(axes, dataset):
    """Left vectors turn by a radian a record, two values cross, one stops at zero.

    Sorted vectors move as far as by an exchange at every record, and the last value
    passes zero with a kink that hardly turns its size round.
    """
    rows, cols = size_of(dataset)
    count = len(dataset.time)
    step, k = np.arange(count), min(rows, cols)
    values = np.tile(np.linspace(0.5, 0.2, k), (count, 1))
    values[:, 0], values[:, 1] = np.linspace(3, 1, count), np.linspace(1.001, 3, count)
    passed = step - count / 4 - 0.5
    values[:, -1] = -np.where(passed < 0, 1, 0.3) * passed / count
    frames = np.zeros((count, rows, rows))
    for first in range(0, rows - 1, 2):
        here = slice(first, first + 2)
        frames[:, here, here] = np.moveaxis(
            np.array([[np.cos(step), -np.sin(step)], [np.sin(step), np.cos(step)]]),
            -1,
            0,
        )
    matrices = np.zeros((count, rows, cols))
    matrices[:, :, :k] = frames[:, :, :k] * values[:, None, :]
    return with_path(axes, dataset, matrices)


def at_fit(axes, dataset, problem):
    """What is observed, and zeros: nothing pulls, and nothing turns."""
    fit = -gradients(problem, np.zeros((1, *size_of(dataset))))
    growth = 1 + 1e-3 * dataset.time.values
    return with_path(axes, dataset, fit * growth[:, None, None])


def spoiled(runs, problems):
    """Worlds in which something that the studies claim is wrong."""
    yield [turning(*run) for run in runs]
    yield [at_fit(*run, one) for run, one in zip(runs, problems, strict=True)]
    yield exchanged(runs, "depth", {2: 3, 3: 2})
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


# What no trajectory contradicts, that a decomposition is one: a test of its own.
ELSEWHERE = {"exact"}


@pytest.mark.slow
def test_real_runs_support_and_spoiled_ones_contradict(study_and_runs):
    study, runs, problems = study_and_runs
    found = outcomes(study, runs)
    assert set(found.values()) == {Outcome.SUPPORTED}, found
    svg = draw(study, Collection(runs))
    assert svg.startswith("<svg")
    # Points that are many are drawn as an image, in which any letters may stand.
    assert "nan" not in re.sub('base64,[^"]*', "", svg).lower()
    contradicted = set()
    for world in spoiled(runs, problems):
        if [axes for axes, _ in world] == [axes for axes, _ in runs] and all(
            one[1] is other[1] for one, other in zip(world, runs, strict=True)
        ):
            continue
        verdicts = outcomes(study, world)
        contradicted |= {c for c, o in verdicts.items() if o is Outcome.CONTRADICTED}
    assert set(found) - contradicted <= ELSEWHERE, set(found) - contradicted


def test_a_decomposition_that_is_none_is_found_out(monkeypatch):
    spectrum = np.linspace(3, 1, 8)[:, None] * [1.0, 0.5]
    matrices = np.zeros((8, 3, 2))
    matrices[:, [0, 1], [0, 1]] = spectrum
    none = np.zeros_like(matrices)
    path = RecordedPath(
        seed=0, depth=2, time=np.arange(8.0), matrices=matrices, gradients=none
    )
    assert reconstruction_error(path) < 1e-15
    right = follow_svd(matrices)
    for changed in (
        {"values": 1.01 * right.values},
        {"left": 1.01 * right.left},
        {"right": right.right[:, :, ::-1]},
    ):
        wrong = dataclasses.replace(right, **changed)
        monkeypatch.setattr(lemma1_measures, "followed", lambda _, wrong=wrong: wrong)
        assert reconstruction_error(path) > 1e-3


def test_what_cannot_be_measured_is_not_a_number():
    matrices = np.zeros((8, 2, 2))
    matrices[:, [0, 1], [0, 1]] = np.linspace([1.0, 2.0], [2.0, 1.001], 8)
    none = np.zeros_like(matrices)
    path = RecordedPath(
        seed=0, depth=1, time=np.arange(8.0), matrices=matrices, gradients=none
    )
    # The frame of a diagonal path stands still: its cubic errs by nothing.
    assert crossings(path) == 1
    assert np.isnan(smoothness_order(path))
    assert np.isnan(kinks(path)).all()


@pytest.mark.parametrize("seed", range(10))
def test_no_value_passes_zero_before_a_record(seed):
    first = lemma1_jobs.start("zero", "square", seed)
    places = lemma1_jobs.observed("square", seed)
    target = lemma1_jobs.target("zero", "square", seed)
    soon, last = first.copy(), first.copy()
    last[places] = target[places]
    soon[places] += (1 - np.exp(-0.04)) * (target - first)[places]
    signs = [np.sign(np.linalg.det(matrix)) for matrix in (first, soon, last)]
    assert signs[0] == signs[1] == -signs[2]


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
