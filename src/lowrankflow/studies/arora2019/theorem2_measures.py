"""What is measured on the runs of theorem 2."""

import functools
from collections.abc import Sequence
from typing import cast

import numpy as np
from jaxtyping import Float

from lowrankflow.metrics import effective_rank
from lowrankflow.problems import CommutingSensing, SensingProblem
from lowrankflow.reference import CommutingLimit, commuting_limit, drive_to_reach
from lowrankflow.simulation import Recipe, build
from lowrankflow.studies.arora2019.theorem2_jobs import ENTRIES, SIGNED
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.commuting import (
    FIXTURE,
    family,
    minimum,
    relative_excess,
)
from lowrankflow.studies.samples import Sample

# Both features that are zero on the fixture have this slack in the limit of the flow.
FIXTURE_SLACK, FIXTURE_ZEROS = 0.5, 2
SIGNED_SLACK, SIGNED_ZEROS, SIGNED_TRACE = 3.0, 3, 2.0


def depths(collection: Collection) -> list[int]:
    """The depths of the sweep, ascending."""
    return [int(depth) for depth in collection.select(case="family").axis("depth")]


def scales(collection: Collection, case: str, depth: int | None = None) -> list[float]:
    """The scales of a case, ascending; those of one depth, if it is given."""
    part = collection.select(case=case)
    if depth is not None:
        part = part.select(depth=depth)
    return [float(s) for s in part.axis("init_scale")]


def fixture_depths(collection: Collection) -> list[int]:
    """The depths at which the fixture is run."""
    part = collection.select(case="fixture")
    planned = len(part) + len(part.failures)
    return [int(depth) for depth in part.axis("depth")] if planned else []


def excess(collection: Collection, case: str, depth: int, scale: float) -> Sample:
    """The excess of the trace over the least one, relative to it, of every seed."""
    ends = collection.last("matrix", case=case, depth=depth, init_scale=scale)
    values = [
        relative_excess(matrix, _recipe(case, seed))
        for seed, matrix in zip(ends.seeds, ends.values, strict=True)
    ]
    return Sample(values=np.array(values), seeds=ends.seeds, missing=ends.missing)


def predicted_excess(
    seeds: Sequence[int | None], *, depth: int, scale: float
) -> Sample:
    """The leading order of the same for families, depth 3 and above."""
    values = []
    for seed in seeds:
        least = minimum(_recipe("family", seed))[1]
        values.append(least.leading_excess(scale, depth=depth) / least.total)
    return Sample(values=np.array(values), seeds=tuple(seeds))


def least_slacks(seeds: Sequence[int | None]) -> Sample:
    """The exponent of depth 2, one per family."""
    values = [minimum(_recipe("family", seed))[1].exponent for seed in seeds]
    return Sample(values=np.array(values), seeds=tuple(seeds))


def fixture_formula(depth: int, scale: float) -> float:
    """The leading order of the excess on the fixture."""
    if depth == 2:
        return float(np.sqrt(scale))
    return float(scale * FIXTURE_ZEROS * FIXTURE_SLACK ** (-2 / (depth - 2)))


def signed_formula(depth: int, scale: float) -> float:
    """The same where every zero has slack 3: x_1 = 1, so that x_k = w^3 at depth 2."""
    if depth == 2:
        power, left = SIGNED_SLACK, SIGNED_SLACK
    else:
        power, left = 1.0, SIGNED_SLACK ** (-2 / (depth - 2))
    return float(SIGNED_ZEROS * left * scale**power / SIGNED_TRACE)


def off_manifold(collection: Collection, depth: int, scale: float) -> Sample:
    """How far a path is from all matrices of the closed form, the worst record.

    Each eigenvalue has needed a drive; the drives of the closed form are E's. The part
    of them beside the range of E', relative to the largest of the path, is what does
    not fit.
    """
    axes = {"case": "path", "depth": depth, "init_scale": scale}
    known = collection.last("loss", **axes)
    paths = [collection.trajectory(name, **axes) for name in ENTRIES]
    worst = []
    for number, seed in enumerate(known.seeds):
        values = np.column_stack([path[number].values[1:] for path in paths])
        worst.append(_beside(_recipe("path", seed), values, scale, depth))
    return Sample(values=np.array(worst), seeds=known.seeds, missing=known.missing)


def from_formula(collection: Collection, case: str, depth: int, scale: float) -> Sample:
    """||W - formula||_F / ||formula||_F at the end."""
    ends = collection.last("matrix", case=case, depth=depth, init_scale=scale)
    values = []
    for seed, matrix in zip(ends.seeds, ends.values, strict=True):
        limit = _limit(_recipe(case, seed), depth, scale).matrix
        values.append(np.linalg.norm(matrix - limit) / np.linalg.norm(limit))
    return Sample(values=np.array(values), seeds=ends.seeds, missing=ends.missing)


def off_diagonal(collection: Collection, depth: int, scale: float) -> Sample:
    """What the end of a perturbed start has beside the common basis, relative to it."""
    ends = collection.last("matrix", case="perturbed", depth=depth, init_scale=scale)
    return ends.map(
        lambda matrix: float(
            np.linalg.norm(matrix - np.diag(np.diag(matrix))) / np.linalg.norm(matrix)
        )
    )


def ranks(collection: Collection, case: str, depth: int, scale: float) -> Sample:
    """Effective ranks at the end."""
    axes = {"case": case, "depth": depth, "init_scale": scale}
    return collection.last("effective_rank", **axes)


def formula_rank(seeds: Sequence[int | None], *, depth: int, scale: float) -> Sample:
    """Effective ranks at the end of the closed form, for families."""
    values = []
    for seed in seeds:
        limit = _limit(_recipe("family", seed), depth, scale)
        values.append(effective_rank(np.sort(limit.eigenvalues)[::-1]))
    return Sample(values=np.array(values), seeds=tuple(seeds))


def _recipe(case: str, seed: int | None) -> Recipe:
    if case == "fixture":
        return FIXTURE
    if case in ("signed", "unequal"):
        return SIGNED
    return family(int(seed or 0), rotated=case == "rotated")


@functools.cache
def _limit(recipe: Recipe, depth: int, scale: float) -> CommutingLimit:
    problem = cast(SensingProblem, build(recipe))
    return commuting_limit(problem, depth=depth, init_scale=scale)


def _beside(
    recipe: Recipe,
    values: Float[np.ndarray, "records size"],
    scale: float,
    depth: int,
) -> float:
    operator = cast(SensingProblem, build(recipe)).operator
    assert isinstance(operator, CommutingSensing)
    rows = np.linalg.qr(np.asarray(operator.eigenvalues).T)[0]
    drives = drive_to_reach(scale, values, depth=depth)
    beside = drives - drives @ rows @ rows.T
    sizes = np.linalg.norm(drives, axis=1)
    return float(np.linalg.norm(beside, axis=1).max() / sizes.max())
