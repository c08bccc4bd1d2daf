"""Numbers of flows that pass critical points: times, closest approaches, exponents."""

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.problems import to_dense
from lowrankflow.simulation import build
from lowrankflow.studies.collection import AxisValue, Collection
from lowrankflow.studies.li2021.passages import LEVEL, instance
from lowrankflow.studies.samples import Sample, combine

if TYPE_CHECKING:
    import xarray


def per_run(
    collection: Collection,
    function: Callable[["xarray.Dataset"], float],
    **axes: AxisValue,
) -> Sample:
    """A number of the whole trajectory of each seed."""
    part = collection.select(**axes)
    runs = sorted(part.runs, key=lambda run: int(run[0]["seed"]))
    missing = [str(failure) for failure in part.failures]
    if not runs and not missing:
        missing = [f"{axes}: no such run was planned"]
    return Sample(
        values=np.array([function(dataset) for _, dataset in runs], float),
        seeds=tuple(int(own["seed"]) for own, _ in runs),
        missing=tuple(missing),
    )


def scales(collection: Collection, **axes: AxisValue) -> list[float]:
    """The scales of starts that there are, descending."""
    found = collection.select(method="flow", **axes).axis("init_scale")
    return sorted(map(float, found), reverse=True)


@functools.cache
def rates(seed: int) -> tuple[float, float]:
    """The two largest eigenvalues of -grad f(0) of an instance."""
    gradient = np.asarray(to_dense(build(instance(seed)).gradient(np.zeros((20, 20)))))
    values = np.linalg.eigvalsh(-(gradient + gradient.T) / 2)
    return float(values[-1]), float(values[-2])


def rate_sample(sample: Sample, function: Callable[[float, float], float]) -> Sample:
    """A function of the two rates, for the seeds of a sample."""
    values = [function(*rates(int(seed or 0))) for seed in sample.seeds]
    return Sample(values=np.array(values, float), seeds=sample.seeds)


def crossing(dataset: "xarray.Dataset", number: int, level: float = LEVEL) -> float:
    """The time at which the singular value with that number (1 first) passes a level.

    NaN when it never does; its logarithm is interpolated.
    """
    values = np.asarray(dataset["singular_values"].values)[:, number - 1]
    return at_level(values, np.asarray(dataset["time"].values), level)


def at_level(values: np.ndarray, other: np.ndarray, level: float) -> float:
    """Another quantity where the first one, positive, first rises through a level."""
    above = np.flatnonzero(values >= level)
    if not above.size:
        return np.nan
    if above[0] == 0:
        return float(other[0])
    pair = slice(above[0] - 1, above[0] + 1)
    logs = np.log(np.maximum(values[pair], 1e-300))
    return float(np.interp(np.log(level), logs, other[pair]))


def closest(
    collection: Collection,
    depth: int,
    scale: float,
    stage: int,
    seed: int | None = None,
) -> Sample:
    """The closest approach to the critical point at the end of a stage."""
    axes = {"method": "flow", "depth": depth, "init_scale": scale}
    if seed is not None:
        axes["seed"] = seed
    name = f"greedy_point_distance_{stage}"
    return per_run(collection, lambda run: float(run[name].min()), **axes)


def remainder(collection: Collection, depth: int, scale: float, stage: int) -> Sample:
    """Singular value stage + 1 over the first, at the closest approach."""

    def number(run: "xarray.Dataset") -> float:
        at = int(np.argmin(np.asarray(run[f"greedy_point_distance_{stage}"].values)))
        values = np.asarray(run["singular_values"].values)[at]
        return float(values[stage] / values[0])

    return per_run(collection, number, method="flow", depth=depth, init_scale=scale)


def plateau(collection: Collection, depth: int, scale: float, stage: int) -> Sample:
    """Time from one singular value's rise to the next; stage 0 is the rest at zero."""

    def number(run: "xarray.Dataset") -> float:
        began = crossing(run, stage) if stage else 0.0
        return crossing(run, stage + 1) - began

    return per_run(collection, number, method="flow", depth=depth, init_scale=scale)


def exponent(at: Sequence[float], samples: Sequence[Sample]) -> Sample:
    """The slope of ln(number) against ln(at), seed by seed."""
    x = np.log(np.asarray(at, float))
    return combine(lambda *y: float(np.polyfit(x, np.log(y), 1)[0]), *samples)


def slope(at: Sequence[float], samples: Sequence[Sample]) -> Sample:
    """The slope of the number against ln(1 / at), seed by seed."""
    x = -np.log(np.asarray(at, float))
    return combine(lambda *y: float(np.polyfit(x, np.asarray(y), 1)[0]), *samples)
