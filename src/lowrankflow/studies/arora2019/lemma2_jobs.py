"""Runs along which singular vectors turn: completions, and avoided crossings.

Where all entries are observed and the start has the singular vectors of the target,
they stand still and two values cross at a time known beforehand. A coupling eps of
those two in the target turns that into an avoided crossing with a gap of the order of
eps, at the same time up to eps^2.
"""

import functools
from collections.abc import Callable
from typing import cast

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq

from lowrankflow.factorizations import random_frame
from lowrankflow.reference import full_observation_value
from lowrankflow.seeds import generator
from lowrankflow.simulation import Recipe, RunJob
from lowrankflow.studies.arora2019.recorded_paths import (
    SHAPES,
    balanced_start,
    completion,
    path_job,
    small_spectrum,
    stencil_times,
)
from lowrankflow.studies.study import LabelledJob

SCALE = 0.2
STEP = 1e-3
END = 4.0
# Of the avoided crossings: their size, noise, and the step of their derivatives.
SIZE = (4, 4)
NOISES = (0.1, 0.03, 0.01, 0.003, 0.001)
FINE_STEP = 2e-5
CROSSING_DEPTHS = (2, 3)
# Values of the start and where they tend to: the first two cross.
STARTS = (0.5, 0.2, 2.5, 0.05)
GOALS = (0.6, 1.5, 2.5, 0.05)
# Which shapes at which depth, and how many times, by profile.
COMPLETIONS = {
    "smoke": {2: ("tall",)},
    "quick": {2: ("square", "tall"), 3: ("wide",)},
    "paper": dict.fromkeys((1, 2, 3, 4), tuple(SHAPES)),
}
CENTRES = {"smoke": 20, "quick": 40, "paper": 80}
OFFSETS = {"smoke": 15, "quick": 20, "paper": 30}


def labelled_jobs(profile: str, num_seeds: int) -> list[LabelledJob]:
    """All runs of a profile."""
    jobs = []
    for seed in range(num_seeds):
        for depth, shapes in COMPLETIONS[profile].items():
            for shape in shapes:
                axes = {"case": "completion", "depth": depth, "shape": shape}
                job = along_completion(shape, depth, seed, CENTRES[profile])
                jobs.append(LabelledJob(axes={**axes, "seed": seed}, job=job))
        depths = CROSSING_DEPTHS[: 1 if profile == "smoke" else None]
        for depth in depths:
            for noise in NOISES:
                axes = {"case": "crossing", "depth": depth, "noise": noise}
                job = avoided(noise, depth, seed, OFFSETS[profile])
                jobs.append(LabelledJob(axes={**axes, "seed": seed}, job=job))
    return jobs


def along_completion(shape: str, depth: int, seed: int, num_centres: int) -> RunJob:
    """From distinct singular values around 0.2 in random frames."""
    size = SHAPES[shape]
    start = balanced_start(size, depth, small_spectrum(size, SCALE), seed)
    centres = np.linspace(END / num_centres, END, num_centres)
    times = stencil_times(centres, STEP)
    return path_job(completion(shape, seed), size, depth, start, times, seed)


def avoided(noise: float, depth: int, seed: int, num_offsets: int) -> RunJob:
    """Through one avoided crossing, with times that crowd where it would be."""
    left, right = frames(seed)
    start = balanced_start(SIZE, depth, STARTS, seed, frames=(left, right))
    offsets = crowded(num_offsets)
    centres = crossing_time(depth) + np.concatenate([-offsets[::-1], [0], offsets])
    times = stencil_times(centres, FINE_STEP)
    return path_job(observed(noise, seed), SIZE, depth, start, times, seed)


def crowded(count: int) -> Float[np.ndarray, " count"]:
    """Distances from 6 fine steps to 0.3 whose differences grow by one factor."""
    first, reach = 6 * FINE_STEP, 0.3
    powers = np.arange(count)

    def ahead(ratio: float) -> float:
        return float(first * np.sum(ratio**powers)) - reach

    factor = cast("float", brentq(ahead, 1.0, 10.0))
    return np.cumsum(first * factor**powers)


@functools.cache
def crossing_time(depth: int) -> float:
    """When the first two values meet without noise."""

    def ahead(time: float) -> float:
        return _alone(0, depth, time) - _alone(1, depth, time)

    return cast("float", brentq(ahead, 0.0, 50.0, xtol=1e-12))


def meeting_value(depth: int) -> float:
    """Where they meet."""
    return _alone(0, depth, crossing_time(depth))


def _alone(which: int, depth: int, time: float) -> float:
    """A singular value whose vectors stand still."""
    start, goal = STARTS[which], GOALS[which]
    times = np.array([time])
    found = full_observation_value(times, start=start, target=goal, depth=depth)
    return float(found[0])


def observed(noise: float, seed: int) -> Recipe:
    """All entries of the target, with the first two values coupled by the noise.

    The rest of the noise is random, without a part that moves those two values.
    """
    left, right = frames(seed)
    extra = 0.3 * generator(seed, "lemma2", "noise").standard_normal(SIZE)
    extra[:2, :2] = [[0, 1], [1, 0]]
    target = left @ (np.diag(GOALS) + noise * extra) @ right.T
    rows, cols = np.indices(SIZE).reshape(2, -1)
    arguments = {
        "rows": rows.tolist(),
        "cols": cols.tolist(),
        "values": target.ravel().tolist(),
        "shape": list(SIZE),
    }
    return Recipe("entries", arguments)


@functools.cache
def observations(noise: float) -> Callable[[int], Recipe]:
    """`observed` of one noise, by seed; the same function every time."""
    return functools.partial(observed, noise)


def frames(seed: int) -> tuple[Float[np.ndarray, "4 4"], Float[np.ndarray, "4 4"]]:
    """The singular vectors of the target without noise."""
    left = random_frame(generator(seed, "lemma2", "left"), *SIZE)
    return left, random_frame(generator(seed, "lemma2", "right"), *SIZE)
