"""What must hold of the runs before the paper's statements can be judged by them."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.arora2019.completion import (
    FEW,
    GAP_TOLERANCE,
    MEAN_SQUARED_RESIDUAL,
)
from lowrankflow.studies.claims import at_most
from lowrankflow.studies.collection import Choice, Collection
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.samples import Sample
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    import xarray

FEW_IN_WORDS = "Few: 1.5 to 2.1 entries for each degree of freedom, r (200 - r)."
CONVERGED = Statement(
    key="converged",
    text="Every run goes on until its mean squared residual is 1e-6.",
    source="arora2019, the authors' published code (stop rule)",
    value="1e-6",
)
CERTIFIED = Statement(
    key="certified",
    text="What is called the minimum of the nuclear norm has a dual certificate.",
    source="own check",
)


def counts_of(collection: Collection, **axes: Choice) -> list[int]:
    """The numbers of observed entries of some runs, ascending."""
    return [int(count) for count in collection.select(**axes).axis("num_observed")]


def few_of(collection: Collection, rank: int, **axes: Choice) -> list[int]:
    """The numbers of entries that are few: 1.5 to 2.1 for each degree of freedom.

    With fewer, some rows have about as few entries as the rank, and whether the matrix
    is recovered is chance; with more, the minimum nuclear norm begins to recover it.
    """
    least, most = (freedom * _freedom(collection, rank) for freedom in FEW)
    counts = counts_of(collection, rank=rank, **axes)
    return [count for count in counts if least <= count <= most]


def fewest_of(collection: Collection, rank: int, **axes: Choice) -> list[int]:
    """Those below: at most one, the least."""
    counts = counts_of(collection, rank=rank, **axes)[:1]
    return [count for count in counts if count < FEW[0] * _freedom(collection, rank)]


def _freedom(collection: Collection, rank: int) -> int:
    (freedom,) = collection.select(rank=rank).axis("degrees_of_freedom")
    return int(freedom)


def ranks_of(collection: Collection) -> list[int]:
    """The ranks of the truths, ascending."""
    return [int(rank) for rank in collection.axis("rank")]


def scales_of(collection: Collection, **axes: Choice) -> list[float]:
    """The scales of the starts of some runs, descending."""
    return [float(s) for s in collection.select(**axes).axis("init_scale")][::-1]


def every_run_converged(collection: Collection) -> Verdict:
    """That flows and descents ended where they were asked to, and not before."""
    return at_most(
        _worst(collection, _residual, method=["flow", "descent"]),
        MEAN_SQUARED_RESIDUAL,
        claim="converged",
        sentence="All flows and descents end at a mean squared residual of 1e-6.",
        statement=CONVERGED,
        quantity="largest mean squared residual at the end",
        note="The paper's loss is the mean of the squares, twice ours.",
    )


def every_minimum_certified(collection: Collection) -> Verdict:
    """That all minima of the nuclear norm are proved to be."""
    return at_most(
        _worst(collection, _gap, method=["min_nuclear_norm", "truth"]),
        GAP_TOLERANCE,
        claim="certified",
        sentence="All minima of the nuclear norm are certified to 1e-8.",
        statement=CERTIFIED,
        quantity="largest of gap, primal residual and excess of the dual norm",
        note="Checked by code that does not import the solver.",
    )


def _residual(dataset: "xarray.Dataset") -> float:
    return 2 * float(dataset["loss"].values[-1])


def _gap(dataset: "xarray.Dataset") -> float:
    """What a certificate holds against its tolerance; infinite without one."""
    numbers = [
        float(dataset.attrs.get(f"certificate_{name}", math.inf))
        for name in ("relative_gap", "primal_residual")
    ]
    excess = float(dataset.attrs.get("certificate_dual_norm", math.inf)) - 1
    return float(np.max(np.abs([*numbers, max(excess, 0.0)])))


def _worst(
    collection: Collection,
    number: Callable[["xarray.Dataset"], float],
    **axes: Choice,
) -> Sample:
    """Every seed's largest number over all its runs."""
    part = collection.select(**axes)
    by_seed: dict[int, list[float]] = {}
    for own, dataset in part.runs:
        by_seed.setdefault(int(own["seed"]), []).append(number(dataset))
    seeds = tuple(sorted(by_seed))
    return Sample(
        values=np.array([np.max(by_seed[seed]) for seed in seeds], float),
        seeds=seeds,
        missing=tuple(str(failure) for failure in part.failures),
    )
