"""Runs along which singular vectors come to rest, and runs in which they never move."""

import functools
from collections.abc import Callable

import numpy as np

from lowrankflow.factorizations import AbstractStart, Gaussian, Identity
from lowrankflow.problems import gaussian_truth
from lowrankflow.seeds import generator
from lowrankflow.simulation import Recipe, RunJob
from lowrankflow.studies.arora2019.recorded_paths import (
    SHAPES,
    balanced_start,
    path_job,
    stencil_times,
)
from lowrankflow.studies.study import LabelledJob

SCALE = 0.05
STEP = 1e-3
END = 6.0
DEPTHS = (2, 3)
# "identity" W(0) = 0.05 I; "gaussian" balanced factors of a Gaussian W(0) of that
# scale; "factors" Gaussian factors, not balanced; "still" a diagonal target and W(0).
STARTS = ("identity", "gaussian")
RUNS = {
    "smoke": [*((start, 2, "square") for start in (*STARTS, "factors", "still"))],
    "quick": [
        *((start, depth, "square") for start in (*STARTS, "still") for depth in DEPTHS),
        ("factors", 2, "square"),
        ("gaussian", 2, "tall"),
    ],
    "paper": [
        *((start, depth, "square") for start in (*STARTS, "still") for depth in DEPTHS),
        ("factors", 2, "square"),
        *(("gaussian", depth, shape) for depth in DEPTHS for shape in ("tall", "wide")),
    ],
}
CENTRES = {"smoke": 30, "quick": 60, "paper": 100}


def labelled_jobs(profile: str, num_seeds: int) -> list[LabelledJob]:
    """All runs of a profile."""
    jobs = []
    for seed in range(num_seeds):
        for start, depth, shape in RUNS[profile]:
            axes = {"start": start, "depth": depth, "shape": shape, "seed": seed}
            job = run_job(start, depth, shape, seed, CENTRES[profile])
            jobs.append(LabelledJob(axes=axes, job=job))
    return jobs


def run_job(start: str, depth: int, shape: str, seed: int, num_centres: int) -> RunJob:
    """One run, recorded around equally spaced times."""
    centres = np.linspace(END / num_centres, END, num_centres)
    times = stencil_times(centres, STEP)
    first = _start(start, depth, shape, seed)
    problem = completion(start == "still", shape, seed)
    return path_job(problem, SHAPES[shape], depth, first, times, seed)


def completion(still: bool, shape: str, seed: int) -> Recipe:
    """Two thirds of the entries of a rank-2 truth of norm 2.

    Or, `still`, of a diagonal matrix with all of its diagonal observed.
    """
    size = SHAPES[shape]
    total, count = size[0] * size[1], 2 * size[0] * size[1] // 3
    rng = generator(seed, "corollary1", "observed")
    if still:
        target = np.diag(np.linspace(1.5, 0.3, min(size)))
        diagonal = np.arange(min(size)) * (size[1] + 1)
        others = np.setdiff1d(np.arange(total), diagonal)
        chosen = rng.choice(others, size=count - len(diagonal), replace=False)
        places = np.sort(np.concatenate([diagonal, chosen]))
    else:
        target = np.asarray(gaussian_truth(size, rank=2, seed=seed, norm=2.0))
        places = np.sort(rng.choice(total, size=count, replace=False))
    rows, cols = places // size[1], places % size[1]
    arguments = {
        "rows": rows.tolist(),
        "cols": cols.tolist(),
        "values": target[rows, cols].tolist(),
        "shape": list(size),
    }
    return Recipe("entries", arguments)


@functools.cache
def completions(still: bool, shape: str) -> Callable[[int], Recipe]:
    """`completion` of one kind and shape, by seed; the same function every time."""
    return functools.partial(completion, still, shape)


def _start(start: str, depth: int, shape: str, seed: int) -> AbstractStart:
    size = SHAPES[shape]
    if start == "identity":
        return Identity(SCALE)
    if start == "factors":
        return Gaussian(SCALE)
    if start == "still":
        frames = np.eye(size[0], min(size)), np.eye(size[1], min(size))
        values = SCALE * np.linspace(1.5, 0.5, min(size))
        return balanced_start(size, depth, values.tolist(), seed, frames=frames)
    drawn = generator(seed, "corollary1", "start").standard_normal(size)
    left, values, transposed = np.linalg.svd(drawn, full_matrices=False)
    values *= SCALE / np.sqrt(np.mean(values**2))
    frames = left, transposed.T
    return balanced_start(size, depth, values.tolist(), seed, frames=frames)
