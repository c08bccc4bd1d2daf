"""Distances of paths from their limit, and times of leaving zero, from the runs."""

import numpy as np
from jaxtyping import Float

from lowrankflow.reference import escape_time
from lowrankflow.studies.collection import AxisValue, Collection
from lowrankflow.studies.li2021.escape_jobs import DEEP_LIMIT, LIMIT, TOY, growth
from lowrankflow.studies.samples import Sample


def steps(collection: Collection, name: str, **axes: AxisValue) -> list[float]:
    """The values of an axis of these runs, ascending."""
    return [float(value) for value in collection.select(**axes).axis(name)]


def shallow_error(
    collection: Collection, R: float, start: str, log10_scale: float
) -> Sample:
    """||W - W_1^G||_F at the time compared at, one per seed."""
    limit = collection.last(
        "matrix", case="first", R=R, start="limit", log10_scale=LIMIT
    )
    ends = collection.last(
        "matrix", case="first", R=R, start=start, log10_scale=log10_scale
    )
    return _apart(ends, limit)


def deep_error(
    collection: Collection, R: float, depth: int, log10_alpha: float
) -> Sample:
    """||M - M_1||_F at the time of escape, M = W^(2/L)."""

    def at(power: float) -> Sample:
        ends = collection.last(
            "matrix", case="deep", R=R, depth=depth, log10_alpha=power
        )
        return ends.map(lambda W: root(W, depth))

    return _apart(at(log10_alpha), at(-DEEP_LIMIT[depth]))


def end_error(
    collection: Collection, R: float, start: str, log10_scale: float
) -> Sample:
    """||W - v v'||_F at the end, one per seed."""
    vector = np.array([1.0, R, 1.0, R])
    ends = collection.last(
        "matrix", case="end", R=R, start=start, log10_scale=log10_scale
    )
    return ends.map(lambda W: float(np.linalg.norm(W - np.outer(vector, vector))))


def root(matrix: Float[np.ndarray, "size size"], depth: int) -> np.ndarray:
    """W^(2/L)."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * values.clip(0) ** (2 / depth)) @ vectors.T


def time_to_leave(collection: Collection, depth: int, log10_scale: float) -> Sample:
    """When the top eigenvalue of M is 1/2, between two records."""
    axes = {"case": "leave", "depth": depth, "log10_scale": log10_scale}
    known = collection.last("loss", **axes)
    if not len(known):
        return known
    (run,) = collection.trajectory("singular_values", **axes)
    logs = 2 / depth * np.log(run.values[:, 0])
    time = float(np.interp(np.log(0.5), logs, run.time))
    return Sample(values=np.array([time]), seeds=known.seeds, missing=known.missing)


def leading_time(depth: int, log10_scale: float) -> float:
    """The same to leading order."""
    rate = float(growth(2.0)[0][0])
    return escape_time(10.0**log10_scale, growth_rate=rate, depth=depth)


def second_of_toy(collection: Collection, depth: int, log10_alpha: float) -> Sample:
    """m_2 / alpha when m_1^(L/2) has reached 1/2."""
    values = collection.last(
        "singular_values", case="toy", depth=depth, log10_alpha=log10_alpha
    )
    return values.map(lambda s: float(s[1]) ** (2 / depth) / 10.0**log10_alpha)


def toy_bound(depth: int) -> float:
    """(1 - mu_2/mu_1)^(-1/(P-1)), P = L/2, of depths above 2."""
    return (1 - TOY[1] / TOY[0]) ** (-1 / (depth / 2 - 1))


def _apart(ends: Sample, limit: Sample) -> Sample:
    missing = tuple(dict.fromkeys((*ends.missing, *limit.missing)))
    if not len(limit):
        return Sample(values=np.empty(0), seeds=(), missing=missing)
    values = [float(np.linalg.norm(end - limit.values[0])) for end in ends.values]
    return Sample(values=np.array(values), seeds=ends.seeds, missing=missing)
