"""What is measured at the ends of proposition 1's runs."""

from collections.abc import Callable
from typing import cast

import numpy as np
from jaxtyping import Float

from lowrankflow.factorizations import DeepFactorization, RandomPSD
from lowrankflow.metrics import schatten_power
from lowrankflow.problems import SensingProblem
from lowrankflow.simulation import build
from lowrankflow.studies.arora2019.proposition1_jobs import (
    RANDOM_SCALE,
    SIZE,
    SMALL,
    SMALL_SCALE,
    instance,
    offset,
)
from lowrankflow.studies.collection import AxisValue, Collection
from lowrankflow.studies.commuting import family
from lowrankflow.studies.samples import Sample, combine, largest

POWERS = (0.1, 0.25, 0.5, 0.9)
STEPS = (0.01, 0.1, 0.5)


def limits(collection: Collection, depth: int | None = None) -> list[Sample]:
    """Ends of the proposition's problem, one sample for each size and depth."""
    part = collection.select(case="limit")
    if depth is not None:
        part = part.select(depth=depth)
    places = [axes for axes, _ in part.runs]
    places += [failure.axes for failure in part.failures]
    return [
        collection.last("matrix", case="limit", size=at["size"], depth=at["depth"])
        for at in places
    ]


def worst(
    samples: list[Sample], function: Callable[[np.ndarray], float | np.ndarray]
) -> Sample:
    """The largest value of a function over samples."""
    return largest([sample.map(function) for sample in samples])


def from_limit(matrix: np.ndarray) -> float:
    """||W - diag(1, 1, 0, ...)||_F."""
    wanted = np.zeros_like(matrix)
    wanted[[0, 1], [0, 1]] = 1.0
    return float(np.linalg.norm(matrix - wanted))


def beside(matrix: np.ndarray, step: float) -> np.ndarray:
    """W + step sqrt(x_1 x_2) (q_1 q_2' + q_2 q_1'), its two leading eigenvectors."""
    values, vectors = np.linalg.eigh(matrix)
    first, second = vectors[:, -1], vectors[:, -2]
    size = step * np.sqrt(values[-1] * values[-2])
    return matrix + size * (np.outer(first, second) + np.outer(second, first))


def powers(matrix: np.ndarray, p: float) -> float:
    """The Schatten quasi-norm to the power p."""
    return schatten_power(np.linalg.svd(matrix, compute_uv=False), p=p)


def largest_change(matrix: np.ndarray) -> float:
    """Of the Schatten powers below 1, over all powers and steps, the least fall."""
    return max(
        (powers(beside(matrix, step), p) - powers(matrix, p)) / p / (1 - p) / step**2
        for p in POWERS
        for step in STEPS
    )


def off_formula(matrix: np.ndarray) -> float:
    """|change - ((1+e)^p + (1-e)^p - 2)| relative to the latter, the worst of all."""
    differences = []
    for p in POWERS:
        for step in STEPS:
            change = powers(beside(matrix, step), p) - powers(matrix, p)
            wanted = (1 + step) ** p + (1 - step) ** p - 2
            differences.append(abs(change / wanted - 1))
    return max(differences)


def least_eigenvalue(matrix: np.ndarray) -> float:
    """Minus the least eigenvalue of what lies beside, to the largest."""
    values = [np.linalg.eigvalsh(beside(matrix, step)) for step in STEPS]
    return max(float(-v[0] / v[-1]) for v in values)


def residual_change(collection: Collection, case: str) -> Sample:
    """How much of its measurements a step to the side changes, relative."""
    if case == "limit":

        def moved(matrix: np.ndarray) -> float:
            change = beside(matrix, STEPS[-1]) - matrix
            return float(np.abs(np.diag(change)[:2]).max())

        return worst(limits(collection), moved)
    ends = collection.last("matrix", case="family")
    values = []
    for seed, matrix in zip(ends.seeds, ends.values, strict=True):
        operator = cast(SensingProblem, build(family(int(seed or 0)))).operator
        before = np.asarray(operator.apply(matrix))
        after = np.asarray(operator.apply(beside(matrix, STEPS[-1])))
        values.append(np.linalg.norm(after - before) / np.linalg.norm(before))
    return Sample(values=np.array(values), seeds=ends.seeds, missing=ends.missing)


def coupling(collection: Collection, case: str, depth: int) -> Sample:
    """W_12 over the geometric mean of W_11 and W_22."""
    return collection.last("matrix", case=case, depth=depth).map(correlation)


def correlation(matrix: Float[np.ndarray, "size size"]) -> float:
    """W_12 / sqrt(W_11 W_22)."""
    return float(matrix[0, 1] / np.sqrt(matrix[0, 0] * matrix[1, 1]))


def amplification(collection: Collection, depth: int) -> Sample:
    """W_12 at the end over N delta S_12, which it was at the start, to scale."""
    found = coupling(collection, "small", depth)
    began = [depth * SMALL * offset(int(seed or 0))[0, 1] for seed in found.seeds]
    return combine(
        lambda a, b: a / b, found, Sample(values=np.array(began), seeds=found.seeds)
    )


def derived_amplification(depth: int) -> float:
    """w^(-(N-2)/N)."""
    return float(SMALL_SCALE ** (-(depth - 2) / depth))


def start_correlation(seeds: tuple[int | None, ...]) -> Sample:
    """The same of the random starts."""
    problem, values = build(instance(SIZE)), []
    for seed in seeds:
        factors = RandomPSD(RANDOM_SCALE).factors(
            problem, DeepFactorization(2), seed=int(seed or 0)
        )
        values.append(correlation(factors[1] @ factors[0]))
    return Sample(values=np.array(values), seeds=seeds)


def at_size(collection: Collection, depth: int, size: AxisValue) -> Sample:
    """Ends of the proposition's problem at one size."""
    return collection.last("matrix", case="limit", depth=depth, size=size)
