"""The study of a single measurement: every claim can come out either way."""

import numpy as np
import pytest
import xarray

from lowrankflow.problems import named, to_dense
from lowrankflow.reference import single_measurement_curve, single_measurement_limit
from lowrankflow.simulation import build
from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.arora2019 import SingleMeasurement
from lowrankflow.studies.arora2019.single_jobs import LARGE, WEIGHTS, random_problem

STUDY = SingleMeasurement()
RECORDS = 60


def recorded(matrices):
    _, rows, cols = matrices.shape
    found = {
        f"entry_{i}_{j}": (("record",), matrices[:, i, j])
        for i in range(rows)
        for j in range(cols)
    }
    found["matrix"] = (("rows", "cols"), matrices[-1])
    found["loss"] = ((), 0.0)
    found["time"] = (("record",), np.arange(float(len(matrices))))
    return xarray.Dataset(found)


def along(first, ratio, scale, depth):
    return single_measurement_curve(
        first, start=scale, value_start=scale, ratio=ratio, depth=depth
    )


def diagonal(axes):
    """The path of equation (11) to the end of equation (10)."""
    scale, depth = axes["init_scale"], axes["depth"]
    wanted = float(
        np.asarray(named("arora2019-single-measurement").problem.measurements)[0]
    )
    end = single_measurement_limit(
        WEIGHTS, wanted, start=np.full(3, scale), depth=depth
    )
    first = np.geomspace(scale, end[0], RECORDS)
    ratios = [weight / WEIGHTS[0] for weight in WEIGHTS]
    return np.column_stack([along(first, ratio, scale, depth) for ratio in ratios])


def measured(axes):
    """A with the sign of what is measured, its left vectors, all four, and the rest."""
    problem = build(random_problem(axes["seed"]))
    matrix = np.asarray(to_dense(problem.operator.adjoint(np.ones(1))))
    return np.linalg.svd(np.sign(np.asarray(problem.measurements)[0]) * matrix)


def composed(lefts, values, transposed):
    return np.einsum("tir,tr,rj->tij", lefts, values, transposed)


def turned(frame, column, degrees):
    """A column turned towards the last vector of the frame, which none uses."""
    new, angle = frame.copy(), np.radians(degrees)
    new[:, column] = np.cos(angle) * frame[:, column] + np.sin(angle) * frame[:, -1]
    return new[:, :3]


def as_the_theory_says(axes):
    depth, scale = axes["depth"], axes["init_scale"]
    if axes["case"] == "diagonal":
        return recorded(np.stack([np.diag(row) for row in diagonal(axes)]))
    frame, weights, transposed = measured(axes)
    first = np.geomspace(scale, 1.0, RECORDS)
    values = np.column_stack(
        [along(first, weight / weights[0], scale, depth) for weight in weights]
    )
    if scale == LARGE:
        values[-1, 1] *= 1.5
    lefts = np.stack([turned(frame, 1, 45 if depth > 2 else 10)] * RECORDS)
    lefts[0] = turned(frame, 0, 60)
    return recorded(composed(lefts, values, transposed))


def as_nothing_says(axes):
    """Values off the curve, vectors that turn late and end aligned, or not."""
    depth, scale = axes["depth"], axes["init_scale"]
    if axes["case"] == "diagonal":
        values = diagonal(axes)
        values[-1] = [1.0, 0.1 * depth, 0.05]
        return recorded(np.stack([np.diag(row) for row in values]))
    frame, weights, transposed = measured(axes)
    first = np.geomspace(scale, 1.0, RECORDS)
    values = np.column_stack(
        [along(first, weight / weights[0], scale, depth) for weight in weights]
    )
    # Distinct at the first record, so that its vectors are those given.
    values[0] *= [1.0, 0.9, 0.8]
    if scale != LARGE:
        values[-1, 1] *= 3
    lefts = np.stack([turned(frame, 1, 0 if depth > 2 else 60)] * RECORDS)
    lefts[-1, :, 0] = turned(frame, 0, 30)[:, 0]
    lefts[-1, :, 1] = turned(frame, 1, 0)[:, 1]
    if depth == 2:
        lefts[-1, :, 1] = frame[:, 2]
        lefts[-1, :, 2] = frame[:, 1]
    return recorded(composed(lefts, values, transposed))


def collection(world, profile="quick"):
    return Collection([(job.axes, world(job.axes)) for job in STUDY.plan(profile, 3)])


def outcomes(runs):
    return {verdict.claim: verdict.outcome for verdict in STUDY.claims(runs)}


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_in_the_papers_world_its_claims_are_supported(profile):
    found = outcomes(collection(as_the_theory_says, profile))
    assert set(found.values()) == {Outcome.SUPPORTED}, found


@pytest.mark.parametrize("profile", ["quick", "paper"])
def test_in_another_world_every_claim_is_contradicted(profile):
    found = outcomes(collection(as_nothing_says, profile))
    assert set(found.values()) == {Outcome.CONTRADICTED}, found


def test_missing_runs_leave_every_claim_undecided():
    plan = STUDY.plan("smoke", 1)
    missing = Collection([], [Failure(axes=job.axes, reason="none") for job in plan])
    found = {verdict.outcome for verdict in STUDY.claims(missing)}
    assert found == {Outcome.UNDECIDED}
    assert draw(STUDY, missing).startswith("<svg")


def test_the_figure_has_every_panel():
    svg = draw(STUDY, collection(as_the_theory_says))
    assert svg.startswith("<svg")
    assert "nan" not in svg.lower()
