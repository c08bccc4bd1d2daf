"""Numbers taken from the trajectories of figure 3, one per seed."""

import itertools
from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float

from lowrankflow.studies.arora2019.figure3_jobs import LAW, RANK, TIME_PER_ITERATION
from lowrankflow.studies.collection import AxisValue, Collection, Trajectory
from lowrankflow.studies.samples import Sample

Records = Float[np.ndarray, " records"]
Spectra = Float[np.ndarray, "records sv"]


def over_trajectories(
    collection: Collection,
    function: Callable[..., float],
    *variables: str,
    **axes: AxisValue,
) -> Sample:
    """A function of every seed's trajectories; what is missing stays missing.

    Args:
        collection: the runs.
        function: takes the records' iterations of the paper, then each variable.
        variables: names in the datasets.
        axes: what fixes everything but the seed.
    """
    ends = collection.last("time", **axes)
    columns = [_trajectories(collection, name, axes) for name in variables]
    rows = [
        function(runs[0].time / TIME_PER_ITERATION, *(run.values for run in runs))
        for runs in zip(*columns, strict=True)
    ]
    return Sample(values=np.array(rows, float), seeds=ends.seeds, missing=ends.missing)


def _trajectories(
    collection: Collection, name: str, axes: Mapping[str, AxisValue]
) -> tuple[Trajectory, ...]:
    return collection.select(**axes).trajectory(name)


def rise(iterations: Records, values: Records) -> float:
    """The iteration at which a number first reaches half its last; interpolated."""
    goal = values[-1] / 2
    after = int(np.argmax(values >= goal))
    if after == 0:
        return float(iterations[0])
    share = (goal - values[after - 1]) / (values[after] - values[after - 1])
    return float(iterations[after - 1] + share * np.diff(iterations)[after - 1])


def first_rise(iterations: Records, spectra: Spectra) -> float:
    """The iteration at which the largest singular value reaches half its last."""
    return rise(iterations, spectra[:, 0])


def spread_of_rises(iterations: Records, spectra: Spectra) -> float:
    """When the last of the true directions rises over when the first does."""
    last = rise(iterations, spectra[:, RANK - 1])
    return _ratio(last, first_rise(iterations, spectra))


def least_step_of_rises(iterations: Records, spectra: Spectra) -> float:
    """The least ratio of when one direction rises to when the one before did."""
    times = [rise(iterations, spectra[:, r]) for r in range(RANK)]
    return min(_ratio(after, time) for time, after in itertools.pairwise(times))


def slowest_rise(iterations: Records, spectra: Spectra) -> float:
    """The latest over the earliest rise of the ten largest singular values."""
    times = [rise(iterations, values) for values in spectra[:, :10].T]
    return _ratio(max(times), min(times))


def _ratio(after: float, before: float) -> float:
    """Infinite where the earlier one was there at the start and did not rise."""
    return after / before if before > 0 else np.inf


def below_the_gap(iterations: Records, spectra: Spectra) -> float:
    """The first singular value beyond the truth's rank over the last within, at end."""
    return float(spectra[-1, RANK] / spectra[-1, RANK - 1])


def second_at_first_rise(iterations: Records, spectra: Spectra) -> float:
    """The second singular value over the first when that reaches half its last."""
    second = np.interp(first_rise(iterations, spectra), iterations, spectra[:, 1])
    # The first is there half its last by definition; between two records it may jump.
    return float(second / (spectra[-1, 0] / 2))


def alignment_while_fitting(
    iterations: Records, loss: Records, spectra: Spectra, on: Records, off: Records
) -> float:
    """The least ratio of diagonal to off-diagonal entries while W moves and errs.

    From where the largest singular value has grown tenfold, so that singular vectors
    are those of the flow and not of the start, until the mean of the squared training
    residuals (twice the loss) is a hundredth of what it was.
    """
    moving = (spectra[:, 0] >= 10 * spectra[0, 0]) & (loss >= 0.01 * loss[0])
    return float(np.min(on[moving] / off[moving])) if moving.any() else np.nan


def law_exponent(iterations: Records, spectra: Spectra, *slopes: Records) -> float:
    """The p in sigma' = -c sigma^p u' grad v, by least squares over the records.

    All the directions of the truth count, from ten times the start to half the last
    value: there a rate is neither that of the start, where singular values cross, nor
    a small difference of large numbers.
    """
    logs, rates = _growth(iterations, spectra, slopes)
    if logs.size < 2:
        return np.nan  # nothing has grown
    return float(np.polyfit(logs, rates, 1)[0] + 1)


def law_error(depth: int) -> Callable[..., float]:
    """How far sigma' is from -N sigma^(2-2/N) u' grad v, as a factor minus one."""

    def median_error(iterations: Records, spectra: Spectra, *slopes: Records) -> float:
        logs, rates = _growth(iterations, spectra, slopes)
        if not logs.size:
            return np.nan
        expected = np.log(depth) + (1 - 2 / depth) * logs
        return float(np.median(np.abs(np.expm1(rates - expected))))

    return median_error


def _growth(
    iterations: Records, spectra: Spectra, slopes: tuple[Records, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of sigma and of (log sigma)' / (-u' grad v), between records."""
    assert len(slopes) == len(LAW)
    elapsed = np.diff(iterations) * TIME_PER_ITERATION
    logs, rates = [], []
    for r, slope in enumerate(slopes):
        sigma = np.log(spectra[:, r])
        rate = np.diff(sigma) / elapsed
        # The mean over a step of what a growing direction feels.
        pull = -(slope[1:] + slope[:-1]) / 2
        middle = (sigma[1:] + sigma[:-1]) / 2
        kept = (spectra[:-1, r] >= 10 * spectra[0, r]) & (rate > 0) & (pull > 0)
        kept &= spectra[1:, r] <= spectra[-1, r] / 2
        logs.append(middle[kept])
        rates.append(np.log(rate[kept] / pull[kept]))
    return np.concatenate(logs), np.concatenate(rates)


def difference_of_spectra(collection: Collection, depth: int, data: str) -> Sample:
    """The largest distance of flow and descent at equal times, over the last spectrum.

    Distances are Euclidean between vectors of singular values.
    """
    part = collection.select(data=data, depth=depth)
    descent = part.trajectory("singular_values", method="descent")
    flow = part.trajectory("singular_values", method="flow")
    ends = part.last("time", method="descent")
    failures = part.select(method="flow").failures
    missing = [str(f) for f in failures if f.axes["seed"] in ends.seeds]
    missing = (*ends.missing, *missing)
    pairs = [(a, b) for a in descent for b in flow if a.seed == b.seed]
    rows = [_largest_distance(a, b) for a, b in pairs]
    seeds = tuple(a.seed for a, _ in pairs)
    return Sample(values=np.array(rows, float), seeds=seeds, missing=missing)


def _largest_distance(descent: Trajectory, flow: Trajectory) -> float:
    """Over the records that both have; the sum of the steps is a time in rounding."""
    nearest = np.abs(descent.time[:, None] - flow.time[None, :])
    partner = nearest.argmin(axis=1)
    both = nearest.min(axis=1) <= 1e-6 * np.maximum(descent.time, 1.0)
    if not both.any():
        return np.nan
    apart = descent.values[both] - flow.values[partner[both]]
    size = np.linalg.norm(flow.values[partner[both]][-1])
    return float(np.max(np.linalg.norm(apart, axis=1)) / size)
