"""What figure 4 measures: deviations from the least trace, over the whole grid."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Float

from lowrankflow.problems import ExhaustiveGrid
from lowrankflow.studies.collection import AxisValue, Collection
from lowrankflow.studies.samples import Sample, combine

# Above this a deviation is none of numerical error, which is 1e-6 at most.
DEVIATES = 0.01
# A stage of greedy learning that goes to infinity ends this far out or further; those
# that settle end below 5.
UNBOUNDED = 10.0
_MASKS = ExhaustiveGrid().masks
# Trace 61/27 at least, 2.930324 by greedy learning (own derivation).
E2_PAIRS = ((0, 0), (0, 1), (1, 1), (1, 2))
E2_VALUES = np.array([9.0, -3.0, 3.0, -5.0]) / 9


def missing_entries(mask: int) -> str:
    """Which kind of mask it is, in words."""
    observed = set(map(tuple, _MASKS[mask].tolist()))
    diagonal = [i for i in range(3) if (i, i) not in observed]
    if not diagonal:
        return "two off the diagonal"
    if len(diagonal) == 2:
        return "two of the diagonal"
    (hole,) = {(0, 1), (0, 2), (1, 2)} - observed
    return "a path" if diagonal[0] in hole else "a diagonal entry and the one opposite"


def grid_sample(
    collection: Collection,
    function: Callable[[np.ndarray], float],
    *,
    variable: str = "excess",
    masks: Sequence[int] | None = None,
    **axes: AxisValue,
) -> Sample:
    """A number per seed, from a variable of all problems of the masks together.

    Args:
        collection: the runs.
        function: of the variable over all problems.
        variable: of the runs' datasets; `excess` is trace / least trace - 1.
        masks: which; all that were planned without it.
        axes: what fixes everything but mask and seed.
    """
    parts = [
        collection.last(variable, mask=mask, **axes)
        for mask in planned_masks(collection, masks)
    ]
    return combine(lambda *rows: function(np.concatenate(rows)), *parts)


def planned_masks(
    collection: Collection, masks: Sequence[int] | None = None
) -> list[int]:
    """The masks of a collection, or those of them that are asked for."""
    planned = [int(mask) for mask in collection.axis("mask")]
    return [mask for mask in planned if masks is None or mask in masks]


def starts(collection: Collection) -> list[float]:
    """The norms of the starts, descending."""
    flows = collection.select(method="flow")
    return sorted((float(size) for size in flows.axis("frobenius_norm")), reverse=True)


def share_above(bound: float) -> Callable[[np.ndarray], float]:
    """The function that gives the share of numbers above a bound."""
    return lambda excess: float(np.mean(excess > bound))


def all_excess(
    collection: Collection, **axes: AxisValue
) -> Float[np.ndarray, " problems"]:
    """The deviations of all problems and seeds together, for a histogram."""
    parts = [
        collection.last("excess", mask=mask, **axes).values.ravel()
        for mask in planned_masks(collection)
    ]
    return np.concatenate([np.empty(0), *parts])


def is_e2(values: Float[np.ndarray, "problems 4"]) -> Bool[np.ndarray, " problems"]:
    """Which problem of its mask is the instance E2."""
    return np.all(np.abs(values - E2_VALUES) < 1e-12, axis=1)


def e2_mask() -> int:
    """The mask of the instance E2."""
    same = np.all(np.array(E2_PAIRS) == _MASKS, axis=(1, 2))
    return int(np.flatnonzero(same)[0])
