"""Runs along which singular values move: balanced at every depth, and less and less.

Starts are small, so that values grow over decades and the law is seen in all of them.
"""

import numpy as np

from lowrankflow.factorizations import DeepFactorization, GivenFactors
from lowrankflow.seeds import generator
from lowrankflow.simulation import RunJob, build
from lowrankflow.studies.arora2019.recorded_paths import (
    SHAPES,
    balanced_start,
    completion,
    path_job,
    small_spectrum,
    stencil_times,
)
from lowrankflow.studies.study import LabelledJob

DEPTHS = (1, 2, 3, 4)
SCALE = 0.02
STEP = 2e-3
END = 6.0
# Standard deviation of what is added to every entry of balanced factors.
SPOILED = (3e-4, 1e-3, 3e-3, 0.1)
UNBALANCED_DEPTHS = (2, 3)
# Of balanced runs by profile: which shapes at which depth.
# Every pair costs a compilation.
BALANCED = {
    "smoke": {2: ("square",), 3: ("wide",)},
    "quick": {1: ("tall",), 2: ("square",), 3: ("square",), 4: ("wide",)},
    "paper": dict.fromkeys(DEPTHS, tuple(SHAPES)),
}
CENTRES = {"smoke": 20, "quick": 30, "paper": 100}


def balanced(shape: str, depth: int, seed: int, num_centres: int) -> RunJob:
    """From distinct singular values around 0.02 in random frames."""
    start = balanced_start(
        SHAPES[shape], depth, small_spectrum(SHAPES[shape], SCALE), seed
    )
    return _run(shape, depth, start, seed, num_centres)


def unbalanced(depth: int, spoiled: float, seed: int, num_centres: int) -> RunJob:
    """The same factors with noise on every entry of each, one direction per seed."""
    start = balanced_start(
        SHAPES["square"], depth, small_spectrum(SHAPES["square"], SCALE), seed
    )
    factors = start.factors(
        build(completion("square", seed)), DeepFactorization(depth), seed=seed
    )
    noisy = tuple(
        factor
        + spoiled * generator(seed, "spoiled", j).standard_normal(np.shape(factor))
        for j, factor in enumerate(factors)
    )
    return _run("square", depth, GivenFactors(noisy), seed, num_centres)


def labelled_jobs(profile: str, num_seeds: int) -> list[LabelledJob]:
    """All runs of a profile."""
    count = CENTRES[profile]
    jobs = []
    for seed in range(num_seeds):
        for depth, shapes in BALANCED[profile].items():
            for shape in shapes:
                axes = {"case": "balanced", "depth": depth, "shape": shape}
                job = balanced(shape, depth, seed, count)
                jobs.append(LabelledJob(axes={**axes, "seed": seed}, job=job))
        for depth in UNBALANCED_DEPTHS:
            for spoiled in SPOILED:
                axes = {"case": "unbalanced", "depth": depth, "spoiled": spoiled}
                job = unbalanced(depth, spoiled, seed, count)
                jobs.append(LabelledJob(axes={**axes, "seed": seed}, job=job))
    return jobs


def _run(
    shape: str, depth: int, start: GivenFactors, seed: int, num_centres: int
) -> RunJob:
    centres = np.linspace(END / num_centres, END, num_centres)
    times = stencil_times(centres, STEP)
    return path_job(completion(shape, seed), SHAPES[shape], depth, start, times, seed)
