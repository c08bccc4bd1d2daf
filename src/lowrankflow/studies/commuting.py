"""Problems whose measurements commute, and how far above the least trace runs end."""

import functools
from collections.abc import Mapping

import numpy as np

from lowrankflow.problems import CommutingSensing, SensingProblem
from lowrankflow.reference import L1Minimum, min_l1_norm
from lowrankflow.simulation import Recipe, build
from lowrankflow.studies.collection import AxisValue, Collection
from lowrankflow.studies.samples import Sample, combine

FIXTURE = Recipe("named", {"name": "gunasekar2017-diagonal"})


def family(seed: int, *, rotated: bool = True) -> Recipe:
    """A random family with a common basis; that of the unit vectors if not rotated."""
    # Left out where it is the default, so that finished runs keep their names.
    parameters = {"seed": seed} if rotated else {"seed": seed, "rotated": 0}
    return Recipe("named", {"name": "commuting", "parameters": parameters})


@functools.cache
def minimum(recipe: Recipe) -> tuple[np.ndarray, L1Minimum]:
    """The common basis, and the linear program of the eigenvalues in it."""
    problem = build(recipe)
    assert isinstance(problem, SensingProblem)
    operator = problem.operator
    assert isinstance(operator, CommutingSensing)
    design, wanted = np.asarray(operator.eigenvalues), np.asarray(problem.measurements)
    return np.asarray(operator.basis), min_l1_norm(design, wanted)


def relative_excess(matrix: np.ndarray, recipe: Recipe) -> float:
    """<I - A*(nu), X> over the least trace: the excess of the trace of a fit.

    By the dual nu, so that neither the rest of the loss nor the difference of two
    nearly equal traces is in the number, however small it is.
    """
    basis, least = minimum(recipe)
    values = np.einsum("ij,ik,kj->j", basis, matrix, basis)
    return float(least.slack @ values / least.total)


def excess(
    collection: Collection, recipes: Mapping[int | None, Recipe], **axes: AxisValue
) -> Sample:
    """The relative excess of every seed's end."""
    ends = collection.last("matrix", **axes)
    values = [
        relative_excess(matrix, recipes[seed])
        for seed, matrix in zip(ends.seeds, ends.values, strict=True)
    ]
    return Sample(values=np.array(values), seeds=ends.seeds, missing=ends.missing)


def exponents(
    recipes: Mapping[int | None, Recipe], seeds: tuple[int | None, ...]
) -> Sample:
    """The exponent that the dual's slack predicts, one per seed."""
    values = [minimum(recipes[seed])[1].exponent for seed in seeds]
    return Sample(values=np.array(values), seeds=seeds)


def local_exponent(scales: tuple[float, float], small: Sample, large: Sample) -> Sample:
    """The slope of log excess between two scales, the smaller first."""
    decades = float(np.log10(scales[1] / scales[0]))
    return combine(lambda a, b: float(np.log10(b / a)) / decades, small, large)


def apart(first: Sample, second: Sample) -> Sample:
    """||A - B||_F / ||B||_F of the ends of every seed."""
    return combine(
        lambda a, b: float(np.linalg.norm(a - b) / np.linalg.norm(b)), first, second
    )
