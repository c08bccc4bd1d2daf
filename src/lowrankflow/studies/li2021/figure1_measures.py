"""Distances of the flow from greedy learning's path, as numbers per seed."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021.passages_measures import (
    crossing,
    exponent,
    per_run,
    rate_sample,
)
from lowrankflow.studies.samples import Sample, combine

if TYPE_CHECKING:
    import xarray


def sizes(collection: Collection) -> list[float]:
    """The norms of the starts, descending."""
    return sorted(map(float, collection.select(method="flow").axis("norm")))[::-1]


def largest_distance(collection: Collection, norm: float) -> Sample:
    """The largest over the run."""
    return per_run(
        collection,
        lambda run: float(run["greedy_distance"].max()),
        method="flow",
        norm=norm,
    )


def one_seed(sample: Sample, seed: int) -> Sample:
    """One seed's number; the last one's where the runs do not go so far."""
    if not sample.seeds:
        return sample
    at = sample.seeds.index(seed) if seed in sample.seeds else len(sample) - 1
    return Sample(values=sample.values[[at]], seeds=(None,), missing=sample.missing)


def mean_distance(collection: Collection, norm: float) -> Sample:
    """The mean over the steps of the run."""
    return per_run(
        collection,
        lambda run: float(run["greedy_distance"].mean()),
        method="flow",
        norm=norm,
    )


def first_stage_margin(collection: Collection) -> Sample:
    """How much faster the first stage's distance falls than the theorem says."""
    at = [norm for norm in sizes(collection) if 0.5e-32 <= norm <= 2e-8]
    measured = exponent(at, [_first_stage(collection, norm) for norm in at])
    bound = rate_sample(measured, _bound)
    return combine(lambda a, b: a - b, measured, bound)


def _bound(first: float, second: float) -> float:
    gamma = (first - second) / (2 * first)
    return gamma / (1 + gamma)


def _first_stage(collection: Collection, norm: float) -> Sample:
    """The largest distance until the second singular value rises."""

    def number(run: "xarray.Dataset") -> float:
        until = crossing(run, 2)
        inside = np.asarray(run["time"].values) < until
        return float(np.asarray(run["greedy_distance"].values)[inside].max())

    return per_run(collection, number, method="flow", norm=norm)
