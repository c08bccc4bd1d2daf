"""Numbers of the runs of figure 3, one per seed."""

import itertools
import math
from collections.abc import Callable, Mapping

import numpy as np

from lowrankflow.studies.collection import Choice, Collection
from lowrankflow.studies.gunasekar2017.figure3_jobs import (
    FLOW,
    LEAST,
    MEASUREMENTS,
    NORM,
    ON_X,
    RATINGS,
    RATINGS_CUT,
    TRUTHS,
)
from lowrankflow.studies.samples import Sample, combine

# A minimum with a larger gap than this is none; runs end at a training error of 1e-3.
COUNTS = 1e-3
PLACES = tuple(itertools.product(MEASUREMENTS, TRUTHS))
ENOUGH = tuple(place for place in PLACES if place[1] != "too few")
TOO_FEW = tuple(place for place in PLACES if place[1] == "too few")
RECOVERABLE = tuple(place for place in PLACES if place[1] == "rank 2")


def certified(runs: Collection) -> Collection:
    """The runs without minima that were not found.

    Entries of a truth of low rank can leave the p.s.d. problem without interior, and
    its dual without a solution; what the solver has then is no minimum.
    """
    kept = [
        (axes, dataset)
        for axes, dataset in runs.runs
        if axes["method"] != LEAST or certified_gap(dataset.attrs) <= COUNTS
    ]
    return Collection(kept, runs.failures)


def planted_norm(
    runs: Collection, place: tuple[str, str], method: str, norm: float = NORM
) -> Sample:
    """The nuclear norm that a method ends at."""
    axes: dict[str, Choice] = {"method": method}
    if method not in (LEAST, ON_X):
        axes["norm"] = norm
    return runs.last("nuclear_norm", measurements=place[0], truth=place[1], **axes)


def planted_excess(
    runs: Collection, place: tuple[str, str], method: str, norm: float = NORM
) -> Sample:
    """The same above the certified minimum, relative to it."""
    least = planted_norm(certified(runs), place, LEAST)
    return combine(
        lambda end, low: end / low - 1, planted_norm(runs, place, method, norm), least
    )


def apart(runs: Collection, place: tuple[str, str], method: str) -> Sample:
    """Relative difference of a path's nuclear norm from the adaptive solver's."""
    return combine(
        lambda a, b: abs(a / b - 1),
        planted_norm(runs, place, method),
        planted_norm(runs, place, FLOW),
    )


def above_half(runs: Collection, place: tuple[str, str]) -> Sample:
    """The flow's excess less half of that of descent on X."""
    return combine(
        lambda flow, on_x: flow - 0.5 * on_x,
        planted_excess(runs, place, FLOW),
        planted_excess(runs, place, ON_X),
    )


def data_of_ratings(runs: Collection) -> str:
    """Which ratings were planned: the whole table or a cut."""
    return RATINGS if RATINGS in runs.axis("data") else RATINGS_CUT


def ratings_norm(runs: Collection, method: str) -> Sample:
    """The nuclear norm that a method ends at, on ratings."""
    return runs.last("nuclear_norm", data=data_of_ratings(runs), method=method)


def ratings_error(runs: Collection, method: str) -> Sample:
    """Held-out error, relative to the root mean square of what is held out.

    Descent on X leaves zero where nothing is observed, so that its error is just that
    root mean square, and its relative error 1.
    """
    data = data_of_ratings(runs)
    return combine(
        lambda own, zero: own / zero,
        runs.last("held_out_rmse", data=data, method=method),
        runs.last("held_out_rmse", data=data, method=ON_X),
    )


def ratings_path(
    runs: Collection, variable: str
) -> list[tuple[int | None, np.ndarray, np.ndarray]]:
    """(seed, relative training error, a quantity) along each factored run.

    The least Frobenius norm is the norm of the data, since entries fit it exactly.
    """
    data = data_of_ratings(runs)
    size = runs.last("singular_values", data=data, method=ON_X)
    paths = []
    for loss, values in zip(
        runs.trajectory("loss", data=data, method=FLOW),
        runs.trajectory(variable, data=data, method=FLOW),
        strict=True,
    ):
        if loss.seed not in size.seeds:
            continue
        total = float(np.linalg.norm(size.values[size.seeds.index(loss.seed)]))
        paths.append((loss.seed, np.sqrt(2 * loss.values) / total, values.values))
    return paths


def ratings_excess_at(runs: Collection, training_error: float) -> Sample:
    """Nuclear norm over the least, where a training error is first met on the way."""
    least = ratings_norm(runs, LEAST)
    ends = ratings_norm(runs, FLOW)
    rows, seeds = [], []
    for seed, training, norms in ratings_path(runs, "nuclear_norm"):
        if seed not in least.seeds:
            continue
        met = np.flatnonzero(training <= training_error)
        low = float(least.values[least.seeds.index(seed)])
        rows.append(norms[met[0]] / low if met.size else math.nan)
        seeds.append(seed)
    missing = tuple(dict.fromkeys((*ends.missing, *least.missing)))
    return Sample(values=np.array(rows, float), seeds=tuple(seeds), missing=missing)


def worst_attribute(
    runs: Collection, read: Callable[[Mapping[str, object]], float], **axes: Choice
) -> Sample:
    """Every seed's largest number out of the attributes of its runs."""
    part = runs.select(**axes)
    worst: dict[int, float] = {}
    for own, dataset in part.runs:
        seed = int(own["seed"])
        attributes = {str(name): value for name, value in dataset.attrs.items()}
        worst[seed] = max(worst.get(seed, -math.inf), read(attributes))
    seeds = tuple(sorted(worst))
    return Sample(
        values=np.array([worst[seed] for seed in seeds], float),
        seeds=seeds,
        missing=tuple(str(failure) for failure in part.failures),
    )


def certified_gap(attributes: Mapping[str, object]) -> float:
    """What a certificate holds against its tolerance; infinite without one."""
    names = ("relative_gap", "primal_residual", "dual_norm")
    numbers = [float(attributes.get(f"certificate_{n}", math.inf)) for n in names]  # pyright: ignore[reportArgumentType]
    return max(abs(numbers[0]), numbers[1], numbers[2] - 1)


def has_not_converged(attributes: Mapping[str, object]) -> float:
    """0 for a run that ended at the training error asked for, else 1."""
    return float(attributes.get("result") != "converged")
