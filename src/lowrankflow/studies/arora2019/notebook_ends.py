"""Where the runs of the notebook's study end, as samples over seeds."""

import math
from collections.abc import Sequence

from lowrankflow.studies.arora2019.notebook_values import FEW, MANY
from lowrankflow.studies.collection import AxisValue, Collection
from lowrankflow.studies.samples import Sample, combine

ERROR = "mean_squared_error"
NORM = "nuclear_norm"
RANK = "effective_rank"
DEEP = (3, 4)


def counts_in_order(collection: Collection) -> tuple[int, int]:
    """The two numbers of entries, few and many."""
    few, many = collection.axis("num_observed")
    return int(few), int(many)


def in_notebook(collection: Collection, count: int) -> int:
    """The number of entries of the notebook that a number of ours stands for."""
    return FEW if count == counts_in_order(collection)[0] else MANY


def starts(collection: Collection, count: int, drawn: str, depth: int) -> list[float]:
    """The scales of the starts, descending."""
    part = collection.select(
        method="flow", num_observed=count, drawn=drawn, depth=depth
    )
    return [float(scale) for scale in part.axis("init_scale")][::-1]


def end(
    collection: Collection,
    variable: str,
    count: int,
    drawn: str,
    depth: int,
    scale: float,
) -> Sample:
    """Of the flow."""
    where: dict[str, AxisValue] = {"num_observed": count, "drawn": drawn}
    return collection.last(
        variable, method="flow", depth=depth, init_scale=scale, **where
    )


def minimum(collection: Collection, variable: str, count: int, drawn: str) -> Sample:
    """Of the minimum of the nuclear norm."""
    return collection.last(
        variable, method="min_nuclear_norm", num_observed=count, drawn=drawn
    )


def over_truth(collection: Collection, variable: str, sample: Sample) -> Sample:
    """A number over the truth's, seed by seed."""
    truth = collection.last(variable, method="truth")
    return combine(lambda one, whole: one / whole, sample, truth)


def off_truth(collection: Collection, variable: str, sample: Sample) -> Sample:
    """How far a number is from the truth's."""
    truth = collection.last(variable, method="truth")
    return combine(lambda one, whole: abs(one - whole), sample, truth)


def everything(
    collection: Collection, variable: str, count: int, drawn: str
) -> list[Sample]:
    """Every depth from every start, and the minimum."""
    flows = [
        end(collection, variable, count, drawn, depth, scale)
        for depth in (2, *DEEP)
        for scale in starts(collection, count, drawn, depth)
    ]
    return [*flows, minimum(collection, variable, count, drawn)]


def mean_of(samples: Sequence[Sample]) -> Sample:
    """Every seed's mean over several samples."""
    return combine(lambda *numbers: sum(numbers) / len(numbers), *samples)


def away(sample: Sample, value: float) -> Sample:
    """How many times larger or smaller numbers are than a value: 1 or more."""
    return sample.map(lambda number: float(max(number / value, value / number)))


def log_away(sample: Sample, value: float) -> Sample:
    """The logarithm of that."""
    return away(sample, value).map(lambda times: math.log(float(times)))
