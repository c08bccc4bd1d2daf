"""Runs on which singular values cross, nearly cross, or pass zero.

A symmetry makes crossings: where W, the entries observed and the start are left as they
are by turning the matrix by 180 degrees, W has an even and an odd part that do not
mix, and a value of one part passes those of the other. Without the symmetry values
repel one another.
"""

import functools
import itertools
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from lowrankflow.factorizations import (
    DeepFactorization,
    GivenFactors,
    balanced_factors,
    random_frame,
)
from lowrankflow.seeds import generator
from lowrankflow.simulation import Recipe, RunJob
from lowrankflow.studies.arora2019.recorded_paths import path_job
from lowrankflow.studies.study import LabelledJob

SHAPES = {"square": (4, 4), "tall": (6, 4)}
CASES = ("symmetric", "perturbed", "zero")
END = 6.0
# What is added to target and start, relative to their norms.
PERTURBED = 0.3
# Where odd and even parts start and go to, as Frobenius norms.
_START_NORMS, _TARGET_NORMS = (0.7, 0.1), (0.8, 1.6)
# Records by profile; (case, depth, shape) of the runs.
RECORDS = {"smoke": 300, "quick": 300, "paper": 1000}
# Before this time no value passes zero: two steps of the coarsest records.
_EARLIEST = 2 * END / min(RECORDS.values())
_SQUARE = [("symmetric", depth, "square") for depth in (2, 3)]
_SQUARE += [("perturbed", depth, "square") for depth in (2, 3)]
_SQUARE += [("zero", depth, "square") for depth in (1, 2, 3)]
RUNS = {
    "smoke": [run for run in _SQUARE if run[1] < 3],
    "quick": [*_SQUARE, ("symmetric", 2, "tall")],
    "paper": [
        *_SQUARE,
        *(
            (case, depth, "tall")
            for case in ("symmetric", "perturbed")
            for depth in (2, 3)
        ),
    ],
}


def labelled_jobs(profile: str, num_seeds: int) -> list[LabelledJob]:
    """All runs of a profile."""
    times = np.linspace(0, END, RECORDS[profile] + 1)[1:]
    jobs = []
    for seed, (case, depth, shape) in itertools.product(
        range(num_seeds), RUNS[profile]
    ):
        axes = {"case": case, "depth": depth, "shape": shape, "seed": seed}
        jobs.append(
            LabelledJob(axes=axes, job=run_job(case, depth, shape, times, seed))
        )
    return jobs


def run_job(case: str, depth: int, shape: str, times: np.ndarray, seed: int) -> RunJob:
    """One run, recorded at the times."""
    left, values, transposed = np.linalg.svd(start(case, shape, seed))
    rank = len(values)
    factors = balanced_factors(
        DeepFactorization(depth), left[:, :rank], values, transposed[:rank].T, None
    )
    size, problem = SHAPES[shape], completion(case, shape, seed)
    return path_job(problem, size, depth, GivenFactors(factors), times, seed)


def completion(case: str, shape: str, seed: int) -> Recipe:
    """Two thirds of the entries of the target."""
    rows, cols = observed(shape, seed)
    arguments = {
        "rows": rows.tolist(),
        "cols": cols.tolist(),
        "values": target(case, shape, seed)[rows, cols].tolist(),
        "shape": list(SHAPES[shape]),
    }
    return Recipe("entries", arguments)


@functools.cache
def completions(case: str, shape: str) -> Callable[[int], Recipe]:
    """`completion` of one case and shape, by seed; the same function every time."""
    return functools.partial(completion, case, shape)


def observed(shape: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two thirds of the pairs of (i, j) and (rows - 1 - i, cols - 1 - j)."""
    rows, cols = SHAPES[shape]
    half = rows * cols // 2
    rng = generator(seed, "lemma1", "observed")
    first = rng.choice(half, size=2 * half // 3, replace=False)
    places = np.concatenate([first, rows * cols - 1 - first])
    return places // cols, places % cols


def target(case: str, shape: str, seed: int) -> Float[np.ndarray, "rows cols"]:
    """What the entries are of."""
    size, rng = SHAPES[shape], generator(seed, "lemma1", "target")
    parts = [_part(kind, size, rng) for kind in ("even", "odd")]
    whole = sum(
        norm * part / np.linalg.norm(part)
        for norm, part in zip(_TARGET_NORMS, parts, strict=True)
    )
    return _perturbed(case, np.asarray(whole), seed, "target")


def start(case: str, shape: str, seed: int) -> Float[np.ndarray, "rows cols"]:
    """W(0): the even part far above the odd one.

    For the case "zero" a start from which the sign of the determinant must change at
    depth 1, where what is not observed stays as it was. It does not change in the first
    steps: a kink is seen from records on both sides.
    """
    size = SHAPES[shape]
    for draw in itertools.count():
        rng = generator(seed, "lemma1", "start", draw)
        whole = np.zeros(size)
        for kind, norm in zip(("even", "odd"), _START_NORMS, strict=True):
            left, right = (_basis(kind, length) for length in size)
            k = min(left.shape[1], right.shape[1])
            spectrum = np.linspace(1.5, 0.5, k)
            spectrum *= norm / np.linalg.norm(spectrum)
            frames = [random_frame(rng, b.shape[1], k) for b in (left, right)]
            whole += (left @ frames[0] * spectrum) @ (right @ frames[1]).T
        whole = _perturbed(case, whole, seed, "start")
        if case != "zero":
            return whole
        ends = target(case, shape, seed)
        soon, last = (
            np.linalg.det(_plain_flow(whole, ends, observed(shape, seed), time))
            for time in (_EARLIEST, np.inf)
        )
        first = np.linalg.det(whole)
        if first * soon > 0 > first * last:
            return whole
    raise AssertionError("a sign is drawn in the end")


def _plain_flow(
    start: np.ndarray,
    target: np.ndarray,
    places: tuple[np.ndarray, np.ndarray],
    time: float,
) -> np.ndarray:
    """W at a time of the flow at depth 1: what is observed goes to the target."""
    whole = start.copy()
    gap = start[places] - target[places]
    whole[places] = target[places] + np.exp(-time) * gap
    return whole


def _perturbed(case: str, whole: np.ndarray, seed: int, what: str) -> np.ndarray:
    """The matrix with noise that breaks the symmetry, in the cases without one."""
    if case == "symmetric":
        return whole
    noise = generator(seed, "lemma1", "noise", what).standard_normal(whole.shape)
    return whole + PERTURBED * np.linalg.norm(whole) * noise / np.linalg.norm(noise)


def _part(kind: str, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    left, right = (_basis(kind, length) for length in size)
    return left @ rng.standard_normal((left.shape[1], right.shape[1])) @ right.T


def _basis(kind: str, length: int) -> Float[np.ndarray, "length half"]:
    """Vectors that reversal leaves as they are, or whose sign it changes."""
    unit = np.eye(length)[:, : length // 2]
    return (unit + (1 if kind == "even" else -1) * unit[::-1]) / np.sqrt(2)
