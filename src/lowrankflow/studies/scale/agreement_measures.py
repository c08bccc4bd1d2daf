"""How far the adaptive flow is from the dense one, as numbers per seed."""

from collections.abc import Callable, Sequence

import numpy as np

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.samples import Sample, combine, largest
from lowrankflow.studies.scale.agreement_jobs import (
    ADMISSION,
    GRID,
    PAIRS,
    STAGES,
    SWEEP,
    SWEEP_SCALES,
    SWEEP_TOLERANCES,
    WIDE,
)

Cell = tuple[str, str, int, float]


def cells(runs: Collection, start: str) -> list[Cell]:
    """(problem, start, depth, init_scale) of all pairs from a start."""
    part = runs.select(part=GRID, start=start)
    found = {
        (axes["problem"], axes["depth"], axes["init_scale"])
        for axes in [own for own, _ in part.runs] + [f.axes for f in part.failures]
    }
    order = [problem for problem, own in PAIRS if own == start]
    return [
        (str(problem), start, int(depth), float(scale))
        for problem, depth, scale in sorted(
            found, key=lambda cell: (order.index(str(cell[0])), cell[1], cell[2])
        )
    ]


def number(runs: Collection, cell: Cell, variable: str) -> Sample:
    """A quantity of one pair of the grid: a number, or one per point."""
    problem, start, depth, scale = cell
    return runs.last(
        variable,
        part=GRID,
        problem=problem,
        start=start,
        depth=depth,
        init_scale=scale,
        tolerance=ADMISSION,
    )


def curve(runs: Collection, cell: Cell) -> Sample:
    """The largest distance of the path from the dense flow's."""
    return number(runs, cell, "curve_distance").map(np.max)


def in_time(runs: Collection, cell: Cell) -> Sample:
    """The largest distance at equal times."""
    return number(runs, cell, "time_distance").map(np.max)


def end(runs: Collection, cell: Cell) -> Sample:
    """The distance of the two ends."""
    return number(runs, cell, "end_distance")


def errors_apart(runs: Collection, cell: Cell) -> Sample:
    """How far the two curves of the error against the loss are apart."""
    return combine(
        lambda ours, dense: float(np.max(np.abs(ours - dense))),
        number(runs, cell, "relative_error"),
        number(runs, cell, "reference_error"),
    )


def followed(runs: Collection, cell: Cell) -> Sample:
    """How many directions were followed at most."""
    return number(runs, cell, "most_rank")


def worst(
    runs: Collection, chosen: Sequence[Cell], of: Callable[[Collection, Cell], Sample]
) -> Sample:
    """Every seed's largest number over these pairs."""
    return largest([of(runs, cell) for cell in chosen])


def swept(runs: Collection, depth: int, variable: str) -> dict[float, Sample]:
    """The largest of a distance for each admission tolerance."""
    return {
        tolerance: runs.last(
            variable,
            part=SWEEP,
            problem=WIDE,
            depth=depth,
            init_scale=SWEEP_SCALES[depth],
            tolerance=tolerance,
        ).map(np.max)
        for tolerance in SWEEP_TOLERANCES
    }


def rank(runs: Collection) -> int:
    """Of the truths: a profile has one."""
    return int(runs.axis("rank")[0])


def stages(runs: Collection) -> list[int]:
    """1, 2, ... up to the rank: the greedy points."""
    return list(range(1, rank(runs) + 1))


def passage(runs: Collection, method: str, stage: int) -> Sample:
    """(closest approach to a greedy point, over the end's norm; its record)."""
    rows, seeds = [], []
    where = {"part": STAGES, "method": method}
    norms = end_norms(runs, method)
    for path in runs.trajectory(f"greedy_point_distance_{stage}", **where):
        at = int(np.argmin(path.values))
        rows.append([path.values[at] / norms[path.seed], float(at)])
        seeds.append(path.seed)
    missing = tuple(str(failure) for failure in runs.select(**where).failures)
    return Sample(values=np.array(rows, float), seeds=tuple(seeds), missing=missing)


def farthest_passage(runs: Collection, method: str) -> Sample:
    """The largest, over the stages, of the closest approaches."""
    approaches = [passage(runs, method, stage) for stage in stages(runs)]
    return largest([sample.map(lambda row: row[0]) for sample in approaches])


def passages_apart(runs: Collection) -> Sample:
    """How much nearer one flow passes a greedy point than the other, at most."""
    apart = [
        combine(
            lambda ours, dense: abs(float(ours[0] - dense[0])),
            passage(runs, "adaptive", stage),
            passage(runs, "dense", stage),
        )
        for stage in stages(runs)
    ]
    return largest(apart)


def least_gap(runs: Collection, method: str) -> Sample:
    """The fewest records between two greedy points passed; negative out of order."""
    approaches = [passage(runs, method, stage) for stage in stages(runs)]
    return combine(
        lambda *rows: float(np.min(np.diff([row[1] for row in rows]), initial=np.inf)),
        *approaches,
    )


def end_norms(runs: Collection, method: str) -> dict[int | None, float]:
    """||W|| at the end, by seed."""
    paths = runs.trajectory("singular_values", part=STAGES, method=method)
    return {path.seed: float(np.linalg.norm(path.values[-1])) for path in paths}
