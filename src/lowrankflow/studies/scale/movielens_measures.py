"""How the leading singular values of both flows compare, as numbers per seed."""

from collections.abc import Callable

import numpy as np

from lowrankflow.metrics import Polyline
from lowrankflow.studies.collection import Collection, Trajectory
from lowrankflow.studies.samples import Sample
from lowrankflow.studies.scale.movielens_jobs import ADAPTIVE, DENSE, SHOWN

# Of the last largest singular value: smaller ones have no relative error.
SHARE = 1e-3
# Points of the dense flow's curve from one record to the next.
_FINE = 32


def apart(ours: Trajectory, dense: Trajectory) -> np.ndarray:
    """At each record, the distance of the ten values from the dense flow's curve.

    In units of its last largest value. The curve is that through its records in the
    space of the ten values, whatever the times.
    """
    values, others = _leading(ours), np.exp(_curve(dense))
    curve = Polyline(others)
    return np.array([curve.distance(row) for row in values]) / others[-1, 0]


def relatively_apart(ours: Trajectory, dense: Trajectory) -> np.ndarray:
    """The same of their logarithms, those below `SHARE` counting as `SHARE`.

    A distance of 0.01 is a relative error of 1 %.
    """
    others = _curve(dense)
    least = np.log(SHARE) + others[-1, 0]
    curve = Polyline(np.maximum(others, least))
    values = np.maximum(_leading(ours), np.exp(least))
    return np.array([curve.distance(row) for row in np.log(values)])


def apart_in_time(ours: Trajectory, dense: Trajectory) -> np.ndarray:
    """The largest difference of two values at the same time, over the last largest."""
    assert np.allclose(ours.time, dense.time), "recorded at the same times"
    values, others = _leading(ours), _leading(dense)
    return np.abs(values - others).max(axis=1) / others[-1, 0]


def largest_of(
    runs: Collection,
    measure: Callable[[Trajectory, Trajectory], np.ndarray],
    depth: int,
    tolerance: float,
) -> Sample:
    """The largest number along the path."""
    return _paired(
        runs,
        depth,
        tolerance,
        lambda ours, dense: float(measure(ours, dense).max()),
        "singular_values",
    )


def errors_apart(runs: Collection, depth: int, tolerance: float) -> Sample:
    """The largest relative difference of the held-out errors at equal losses."""

    def difference(ours: Trajectory, dense: Trajectory) -> float:
        # Against the falling loss.
        order = np.argsort(dense.time)
        at = np.interp(
            np.log(ours.time), np.log(dense.time[order]), dense.values[order]
        )
        return float(np.max(np.abs(ours.values / at - 1)))

    return _paired(runs, depth, tolerance, difference, "held_out_rmse", against="loss")


def times_faster(runs: Collection, depth: int, tolerance: float) -> Sample:
    """Wall time of the dense flow over that of the adaptive one."""
    dense, ours = (
        _seconds(runs, DENSE, depth, 0.0),
        _seconds(runs, ADAPTIVE, depth, tolerance),
    )
    seeds = [seed for seed in ours if seed in dense]
    failures = runs.select(depth=depth, tolerance=[0.0, tolerance]).failures
    return Sample(
        values=np.array([dense[seed] / ours[seed] for seed in seeds], float),
        seeds=tuple(seeds),
        missing=tuple(map(str, failures)),
    )


def seconds(runs: Collection, method: str, depth: int, tolerance: float) -> float:
    """Wall time of the first seed; not a number without a run."""
    found = _seconds(runs, method, depth, tolerance)
    return next(iter(found.values()), np.nan)


def _seconds(
    runs: Collection, method: str, depth: int, tolerance: float
) -> dict[int, float]:
    part = runs.select(method=method, depth=depth, tolerance=tolerance)
    return {
        int(axes["seed"]): float(dataset.attrs["wall_time_seconds"])
        for axes, dataset in part.runs
    }


def _paired(
    runs: Collection,
    depth: int,
    tolerance: float,
    function: Callable[[Trajectory, Trajectory], float],
    variable: str,
    against: str = "time",
) -> Sample:
    ours = runs.trajectory(
        variable, against=against, method=ADAPTIVE, depth=depth, tolerance=tolerance
    )
    dense = runs.trajectory(variable, against=against, method=DENSE, depth=depth)
    pairs = [(a, b) for a in ours for b in dense if a.seed == b.seed]
    failures = runs.select(depth=depth, tolerance=[0.0, tolerance]).failures
    return Sample(
        values=np.array([function(*pair) for pair in pairs], float),
        seeds=tuple(a.seed for a, _ in pairs),
        missing=tuple(map(str, failures)),
    )


def _curve(dense: Trajectory) -> np.ndarray:
    """Logarithms of the ten values, smooth in time from record to record."""
    # It brings SciPy's optimizers with it; only judging needs it.
    from scipy.interpolate import PchipInterpolator

    time = dense.time
    share = np.arange(_FINE * (time.size - 1) + 1) / _FINE
    fine = np.interp(share, np.arange(time.size), time)
    return PchipInterpolator(time, np.log(_leading(dense)))(fine)


def _leading(run: Trajectory) -> np.ndarray:
    return run.values[:, :SHOWN]
