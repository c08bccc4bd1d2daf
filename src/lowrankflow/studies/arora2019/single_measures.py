"""Singular values against one another, and vectors, along runs of one measurement."""

import dataclasses
from typing import cast

import numpy as np
from jaxtyping import Float

from lowrankflow.problems import SensingProblem, to_dense
from lowrankflow.reference import single_measurement_curve
from lowrankflow.simulation import build
from lowrankflow.studies.arora2019.single_jobs import (
    DIAGONAL_ENTRIES,
    ENTRIES,
    SHAPE,
    WEIGHTS,
    random_problem,
)
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.samples import Sample

# t_0: where the largest singular value has a tenth of its last size.
REACHED = 0.1


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Passage:
    """A run of a random problem from t_0 on.

    Args:
        fraction: sigma_1 over its last size, at every record from t_0 on.
        moved: angle of u_1 from where it was at t_0, in degrees, likewise.
        turned: angle of u_1 at t_0 from where it was at the first record.
        frozen: relative error of equation (11) for sigma_2, with weights u_r' A v_r
            taken at t_0; likewise at every record.
        stated: the same with the singular values of A for weights.
        second: angle of u_2 at the end from the second left singular vector of A.
    """

    fraction: Float[np.ndarray, " records"]
    moved: Float[np.ndarray, " records"]
    turned: float
    frozen: Float[np.ndarray, " records"]
    stated: Float[np.ndarray, " records"]
    second: float


def depths(collection: Collection) -> list[int]:
    """Those of the random problems."""
    return [int(depth) for depth in collection.select(case="random").axis("depth")]


def scales(collection: Collection) -> list[float]:
    """Those of the random problems, ascending."""
    return [float(s) for s in collection.select(case="random").axis("init_scale")]


def diagonal_path(
    collection: Collection, depth: int, scale: float
) -> Float[np.ndarray, "records 3"] | None:
    """The three singular values at every record; None without a run."""
    axes = {"case": "diagonal", "depth": depth, "init_scale": scale}
    paths = [collection.trajectory(name, **axes) for name in DIAGONAL_ENTRIES]
    if not paths[0]:
        return None
    return np.column_stack([path[0].values for path in paths])


def diagonal_end(collection: Collection, depth: int, scale: float) -> Sample:
    """The three at the end."""
    axes = {"case": "diagonal", "depth": depth, "init_scale": scale}
    return collection.last("matrix", **axes).map(np.diag)


def off_curve(collection: Collection, depth: int, scale: float) -> Sample:
    """Largest relative distance of a record from equation (11), of sigma_2, sigma_3."""
    known = diagonal_end(collection, depth, scale)
    path = diagonal_path(collection, depth, scale)
    if path is None:
        return Sample(values=np.empty(0), seeds=(), missing=known.missing)
    worst = 0.0
    for r in (1, 2):
        curve = single_measurement_curve(
            path[:, 0],
            start=scale,
            value_start=scale,
            ratio=WEIGHTS[r] / WEIGHTS[0],
            depth=depth,
        )
        worst = max(worst, float(np.abs(path[:, r] / curve - 1).max()))
    return Sample(values=np.array([worst]), seeds=known.seeds, missing=known.missing)


def passages(
    collection: Collection, depth: int, scale: float
) -> tuple[dict[int, Passage], Sample]:
    """What happens from t_0 on, by seed, and the runs' sample."""
    axes = {"case": "random", "depth": depth, "init_scale": scale}
    known = collection.last("loss", **axes)
    paths = [collection.trajectory(name, **axes) for name in ENTRIES]
    found = {}
    for number, seed in enumerate(known.seeds):
        values = np.column_stack([path[number].values for path in paths])
        matrices = values.reshape(-1, *SHAPE)
        found[int(seed or 0)] = _passage(matrices, int(seed or 0), depth)
    return found, known


def of_passages(collection: Collection, depth: int, scale: float, name: str) -> Sample:
    """One number of every seed's passage; the last of those with records."""
    found, known = passages(collection, depth, scale)
    values = [
        float(np.atleast_1d(getattr(found[int(seed or 0)], name))[-1])
        for seed in known.seeds
    ]
    return Sample(values=np.array(values), seeds=known.seeds, missing=known.missing)


def _passage(
    matrices: Float[np.ndarray, "records rows cols"], seed: int, depth: int
) -> Passage:
    problem = cast(SensingProblem, build(random_problem(seed)))
    wanted = float(np.asarray(problem.measurements)[0])
    # With y < 0 the flow grows towards -A.
    measured = np.sign(wanted) * np.asarray(
        to_dense(problem.operator.adjoint(np.ones(1)))
    )
    frame, weights, _ = np.linalg.svd(measured, full_matrices=False)
    left, values, right = np.linalg.svd(matrices, full_matrices=False)
    last = values[-1, 0]
    begin = int(np.argmax(values[:, 0] >= REACHED * last))
    pulls = np.einsum("ir,ij,rj->r", left[begin], measured, right[begin])
    later = values[begin:]

    def errors(ratio: float) -> np.ndarray:
        curve = single_measurement_curve(
            later[:, 0],
            start=float(later[0, 1]),
            value_start=float(later[0, 0]),
            ratio=ratio,
            depth=depth,
        )
        return np.abs(curve / later[:, 1] - 1)

    return Passage(
        fraction=later[:, 0] / last,
        moved=_degrees(left[begin:, :, 0] @ left[begin, :, 0]),
        turned=float(_degrees(left[begin, :, 0] @ left[0, :, 0])),
        frozen=errors(float(pulls[1] / pulls[0])),
        stated=errors(float(weights[1] / weights[0])),
        second=float(_degrees(left[-1, :, 1] @ frame[:, 1])),
    )


def _degrees(cosine: float | np.ndarray) -> np.ndarray:
    return np.degrees(np.arccos(np.minimum(np.abs(cosine), 1.0)))
