"""Differences from closed forms, ranks, Hessians: from finished runs."""

from typing import cast

import numpy as np
from jaxtyping import Float

from lowrankflow.factorizations import SymmetricFactorization
from lowrankflow.problems import SensingProblem, to_dense
from lowrankflow.reference import full_observation_flow, linear_loss_flow
from lowrankflow.simulation import Recipe, RunJob, build
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021.theorems_jobs import (
    LIMIT,
    RECTANGLE,
    closed,
    completion,
)
from lowrankflow.studies.samples import Sample, combine


def apart(first: Sample, second: Sample) -> Sample:
    """||A - B||_F / ||B||_F of every seed."""
    return combine(
        lambda a, b: float(np.linalg.norm(a - b) / np.linalg.norm(b)), first, second
    )


def closed_error(collection: Collection, loss: str, time: float) -> Sample:
    """Relative difference from the closed form, one per seed."""
    ends = collection.last("matrix", case="closed", loss=loss, time=time)
    values = [
        _relative(matrix, _closed_form(closed(loss, time, int(seed or 0))))
        for seed, matrix in zip(ends.seeds, ends.values, strict=True)
    ]
    return Sample(values=np.array(values), seeds=ends.seeds, missing=ends.missing)


def beyond_rank(collection: Collection, flow: str, rank: int) -> Sample:
    """Largest sigma_(k+1) / sigma_k of all records of a run from rank k."""
    axes = {"case": "rank", "flow": flow, "rank": rank}
    known = collection.last("loss", **axes)
    runs = collection.trajectory("singular_values", **axes)
    ratios = [float((r.values[:, rank] / r.values[:, rank - 1]).max()) for r in runs]
    return Sample(values=np.array(ratios), seeds=known.seeds, missing=known.missing)


def least_eigenvalue(collection: Collection, flow: str, rank: int) -> Sample:
    """The smallest eigenvalue at the end, relative to the largest."""

    def least(matrix: np.ndarray) -> float:
        values = np.linalg.eigvalsh((matrix + matrix.T) / 2)
        return float(values[0] / values[-1])

    return collection.last("matrix", case="rank", flow=flow, rank=rank).map(least)


def block_error(collection: Collection, case: str) -> Sample:
    """The lifting's off-diagonal block beside the rectangle's matrix."""
    rows = RECTANGLE[0]
    lifting = collection.last("matrix", case=case, kind="lifting")
    plain = collection.last("matrix", case=case, kind="rectangle")
    return apart(lifting.map(lambda X: X[:rows, rows:]), plain)


def critical_rates(collection: Collection) -> tuple[list[np.ndarray], Sample]:
    """lambda_1(-grad f) at every critical point over that at zero; the runs' sample."""
    axes = {"case": "greedy", "max_rank": 0}
    known = collection.last("loss", **axes)
    rates = collection.trajectory("rate", **axes)
    marks = collection.trajectory("at_critical_point", **axes)
    stages = collection.trajectory("stage", **axes)
    found = []
    for rate, mark, stage in zip(rates, marks, stages, strict=True):
        at = (mark.values > 0) & (stage.values > 0)
        # The first record is at zero.
        found.append(rate.values[at] / rate.values[0])
    return found, known


def curvature(collection: Collection, rank: int) -> tuple[Sample, Sample]:
    """Of f(U U') / 2 at W_r: least eigenvalue over the largest; how many are zero."""
    ends = collection.last("factor_1", case="greedy", max_rank=rank)
    least, flat = [], []
    for seed, factor in zip(ends.seeds, ends.values, strict=True):
        norms = np.linalg.norm(factor, axis=0)
        units = factor[:, np.argsort(-norms)[:rank]]
        values = np.linalg.eigvalsh(hessian(completion(int(seed or 0)), units))
        least.append(values[0] / values[-1])
        flat.append(float(np.sum(np.abs(values) < 1e-6 * values[-1])))
    kept = {"seeds": ends.seeds, "missing": ends.missing}
    return (
        Sample(values=np.array(least), **kept),
        Sample(values=np.array(flat), **kept),
    )


def hessian(recipe: Recipe, units: Float[np.ndarray, "size rank"]) -> np.ndarray:
    """Of f(U U') / 2 in the entries of U: <G, D D'> + ||A(U D' + D U')||^2 / 2."""
    problem = cast(SensingProblem, build(recipe))
    size, rank = units.shape
    gradient = np.asarray(to_dense(problem.gradient(units @ units.T)))
    columns = []
    for k in range(size * rank):
        step = np.zeros(size * rank)
        step[k] = 1.0
        moved = units @ step.reshape(size, rank).T
        columns.append(np.asarray(problem.operator.apply(moved + moved.T)))
    jacobian = np.array(columns)
    curved = np.kron((gradient + gradient.T) / 2, np.eye(rank))
    return curved + jacobian @ jacobian.T / 2


def later_error(collection: Collection, log10_eps: float) -> Sample:
    """||W - W_2^G||_F at one time after the second escape, one per seed."""
    limit = collection.last("matrix", case="later", log10_eps=LIMIT)
    ends = collection.last("matrix", case="later", log10_eps=log10_eps)
    return combine(lambda a, b: float(np.linalg.norm(a - b)), ends, limit)


def _closed_form(job: RunJob) -> np.ndarray:
    problem = cast(SensingProblem, build(job.problem))
    assert job.start is not None
    assert job.stop.time is not None
    coordinates = SymmetricFactorization()
    (factor,) = job.start.factors(problem, coordinates, seed=job.seed)
    start, time = factor @ factor.T, float(job.stop.time)
    if job.problem.kind == "other_loss":
        slope = -np.asarray(to_dense(problem.gradient(np.zeros(problem.shape))))
        return linear_loss_flow((slope + slope.T) / 2, start=start, time=time)
    return full_observation_flow(np.asarray(problem.target), start=start, time=time)


def _relative(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))
