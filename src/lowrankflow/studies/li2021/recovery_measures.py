"""Which instances a method recovers, as numbers per seed."""

from collections.abc import Callable, Iterator

import numpy as np

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.samples import Sample, combine

RECOVERED = 1e-3


def cells(runs: Collection, kind: str) -> Iterator[tuple[int, int]]:
    """(rank, entries) of every cell of a map that was planned."""
    part = runs.select(kind=kind)
    planned = {
        (int(axes["rank"]), int(axes["entries"]))
        for axes in [a for a, _ in part.runs] + [f.axes for f in part.failures]
    }
    return iter(sorted(planned))


def errors(runs: Collection, kind: str, method: str, rank: int, entries: int) -> Sample:
    """The relative error that a method ends at, one number per seed."""
    return runs.last(
        "relative_error", kind=kind, method=method, rank=rank, entries=entries
    )


def recovered_cells(runs: Collection, kind: str, method: str) -> Sample:
    """How many cells of its map a method recovers, one number per seed."""
    samples = [errors(runs, kind, method, *cell) for cell in cells(runs, kind)]
    return combine(
        lambda *numbers: float(np.sum(np.less(numbers, RECOVERED))), *samples
    )


def compared_cells(
    runs: Collection,
    kind: str,
    first: str,
    second: str,
    counts: Callable[[bool, bool], bool],
) -> Sample:
    """The share of cells for which two methods' recoveries are as asked, per seed."""
    samples = [
        combine(
            lambda a, b: float(counts(bool(a < RECOVERED), bool(b < RECOVERED))),
            errors(runs, kind, first, *cell),
            errors(runs, kind, second, *cell),
        )
        for cell in cells(runs, kind)
    ]
    return combine(lambda *shares: float(np.mean(shares)), *samples)
