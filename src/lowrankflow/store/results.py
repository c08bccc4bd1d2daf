"""What is kept of a finished job: one dataset, with all that says where it is from."""

import dataclasses
import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from lowrankflow import metrics
from lowrankflow.problems import (
    AbstractObjective,
    Factored,
    SensingProblem,
    to_dense,
)
from lowrankflow.reference import Certificate, Reference
from lowrankflow.simulation import (
    AgreementJob,
    GridJob,
    Job,
    Run,
    RunJob,
    job_to_json,
)
from lowrankflow.store.digest import DTYPE, job_fingerprint
from lowrankflow.store.provenance import Stopwatch, machine, versions

if TYPE_CHECKING:
    import xarray

# Factors of more numbers than this, all together, are left out: 32 MB.
_MOST_FACTOR_NUMBERS = 4_000_000


def run_dataset(run: Run) -> "xarray.Dataset":
    """A run's trajectory, last matrix and, where they are small, last factors.

    Returns:
        Dimensions `record`, `sv`, `rows`, `cols`; coordinates `time` and `iteration`.
        `matrix` is the last end-to-end matrix, `factor_1` the factor that acts first. A
        large matrix that was never formed is kept as `left` `core` `right`'.
    """
    dataset = run.dataset.drop_attrs(deep=False)
    variables = _matrix_variables(run.matrix)
    if sum(np.size(factor) for factor in run.factors) <= _MOST_FACTOR_NUMBERS:
        for j, factor in enumerate(run.factors, start=1):
            dimensions = (f"factor_{j}_rows", f"factor_{j}_cols")
            variables[f"factor_{j}"] = (dimensions, np.asarray(factor))
    return dataset.assign(variables).assign_attrs(
        result=run.result.name,
        result_sentence=str(run.result),
        normalization=str(run.settings["normalization"]),
    )


def _matrix_variables(matrix: np.ndarray | Factored) -> dict[str, Any]:
    if isinstance(matrix, Factored) and math.prod(matrix.shape) > _MOST_FACTOR_NUMBERS:
        return {
            "left": (("rows", "rank"), np.asarray(matrix.left)),
            "core": (("rank", "rank_again"), np.asarray(matrix.core)),
            "right": (("cols", "rank_again"), np.asarray(matrix.right)),
        }
    return {"matrix": (("rows", "cols"), np.asarray(to_dense(matrix)))}


def nuclear_norm_dataset(
    problem: AbstractObjective, reference: Reference
) -> "xarray.Dataset":
    """A certified solution: matrix, dual, certificate, and what metrics say of it."""
    certificate = reference.certificate
    numbers = {
        name: math.nan if value is None else float(value)
        for name, value in dataclasses.asdict(certificate).items()
    }
    dataset = matrix_dataset(problem, reference.matrix)
    dual = (("measurement",), np.asarray(reference.dual))
    return dataset.assign(dual=dual).assign_attrs(
        result=reference.result.name,
        result_sentence=str(certificate),
        iterations=int(reference.iterations),
        certified=int(isinstance(certificate, Certificate) and certificate.holds),
        **{f"certificate_{name}": value for name, value in numbers.items()},
    )


def frobenius_norm_dataset(
    problem: AbstractObjective, matrix: np.ndarray
) -> "xarray.Dataset":
    """The least Frobenius norm solution, and what metrics say of it."""
    return matrix_dataset(problem, matrix).assign_attrs(
        result="converged", result_sentence="The closed form of the least norm."
    )


def described(
    dataset: "xarray.Dataset", job: Job, digest: str, stopwatch: Stopwatch
) -> "xarray.Dataset":
    """The dataset with all that says where it is from, as text and numbers."""
    seeds: dict[str, Any] = {}
    if not isinstance(job, GridJob):
        seeds["problem"] = _seeds(dict(job.problem.arguments))
    if isinstance(job, RunJob | GridJob | AgreementJob):
        seeds["run"] = job.seed
    return dataset.assign_attrs(
        digest=digest,
        specification=job_to_json(job),
        label=job.label,
        kind=job.kind,
        numerics=job.numerics,
        data_fingerprint=job_fingerprint(job),
        seeds=json.dumps(seeds),
        dtype=DTYPE,
        versions=json.dumps(versions()),
        machine=json.dumps(machine()),
        wall_time_seconds=stopwatch.seconds(),
        peak_memory_bytes=stopwatch.peak(),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def solved(problem: AbstractObjective) -> SensingProblem:
    """The problem of a reference job, which is one of measurements.

    Every recipe makes such a problem.
    """
    assert isinstance(problem, SensingProblem), "every recipe makes a SensingProblem"
    return problem


def matrix_dataset(problem: AbstractObjective, matrix: np.ndarray) -> "xarray.Dataset":
    """A matrix, its singular values, and what metrics say of it as a solution."""
    # xarray takes half a second to import; only results need it.
    import xarray

    values = metrics.singular_values(matrix)
    numbers = {
        "nuclear_norm": metrics.nuclear_norm(values),
        "effective_rank": metrics.effective_rank(values),
        "stable_rank": metrics.stable_rank(values),
        "loss": float(problem.value(matrix)),
    }
    if isinstance(problem, SensingProblem) and problem.target is not None:
        numbers["relative_error"] = metrics.relative_error(problem, matrix)
        numbers["mean_squared_error"] = metrics.mean_squared_error(problem, matrix)
    if isinstance(problem, SensingProblem) and problem.held_out is not None:
        numbers["held_out_rmse"] = metrics.held_out_rmse(problem, matrix)
    arrays = {
        "matrix": (("rows", "cols"), np.asarray(matrix)),
        "singular_values": (("sv",), np.asarray(values)),
    }
    scalars = {name: ((), np.float64(value)) for name, value in numbers.items()}
    return xarray.Dataset({**arrays, **scalars}).assign_attrs(
        normalization=str(getattr(problem, "normalization", "none"))
    )


def _seeds(arguments: dict[str, Any]) -> Any:
    """The seed in a recipe's arguments, or in those of the problem it is made from."""
    inner = arguments.get("of")
    if isinstance(inner, dict):
        return _seeds(inner)
    parameters = arguments.get("parameters")
    if isinstance(parameters, dict) and "seed" in parameters:
        return parameters["seed"]
    return arguments.get("seed")
