"""Followed and sorted singular vectors side by side: from recorded paths."""

import functools

import numpy as np
from jaxtyping import Float

from lowrankflow.metrics import AnalyticSVD, follow_svd
from lowrankflow.studies.arora2019.lemma1_jobs import SHAPES, completions
from lowrankflow.studies.arora2019.recorded_paths import RecordedPath, paths
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.samples import Sample

# What a solver held to 1e-11 leaves of the cubic error: a fourth difference is of
# sixteen numbers, over six, and a vector errs as the matrix over the gap.
_SOLVED = 1e-9


def runs_of(
    collection: Collection, case: str, depth: int, shape: str
) -> tuple[list[RecordedPath], Sample]:
    """The runs of one case, depth and shape."""
    problem = completions(case, shape)
    return paths(collection, problem, SHAPES[shape], depth, case=case, shape=shape)


def kinds(collection: Collection, case: str) -> list[tuple[int, str]]:
    """Depth and shape of the runs of a case."""
    every = [own for own, _ in collection.runs]
    every += [failure.axes for failure in collection.failures]
    found = {(int(a["depth"]), str(a["shape"])) for a in every if a["case"] == case}
    return sorted(found)


@functools.lru_cache(maxsize=400)
def followed(path: RecordedPath) -> AnalyticSVD:
    """The analytic decomposition of all records."""
    return follow_svd(path.matrices)


@functools.lru_cache(maxsize=400)
def sorted_frames(path: RecordedPath) -> Float[np.ndarray, "records rows k"]:
    """The left vectors of sorted decompositions, with signs from record to record."""
    frames = np.linalg.svd(path.matrices, full_matrices=False)[0]
    inner = np.sum(frames[1:] * frames[:-1], axis=1)
    signs = np.cumprod(np.where(inner < 0, -1.0, 1.0), axis=0)
    frames[1:] *= signs[:, None, :]
    return frames


def steps(frames: Float[np.ndarray, "records rows k"]) -> Float[np.ndarray, " steps"]:
    """The change of a frame from record to record, in the Frobenius norm."""
    return np.linalg.norm(np.diff(frames, axis=0), axis=(1, 2))


def crossings(path: RecordedPath) -> int:
    """How often two followed values change places."""
    return len(crossing_records(path))


def crossing_records(path: RecordedPath) -> list[int]:
    """The records before each crossing, in time."""
    sizes = np.abs(followed(path).values)
    above = sizes[:, :, None] > sizes[:, None, :]
    changed = np.argwhere(above[1:] & ~above[:-1])
    return sorted(int(t) for t, _, _ in changed)


def sign_changes(path: RecordedPath) -> int:
    """How often a followed value passes zero."""
    signs = followed(path).values > 0
    return int(np.sum(signs[1:] != signs[:-1]))


def reconstruction_error(path: RecordedPath) -> float:
    """The largest ||U S V' - W|| / ||W||, |U'U - I| and |V'V - I|."""
    found = followed(path)
    off = np.linalg.norm(found.matrices - path.matrices, axis=(1, 2))
    worst = np.max(off / np.linalg.norm(path.matrices, axis=(1, 2)))
    for frame in (found.left, found.right):
        gram = np.swapaxes(frame, 1, 2) @ frame
        worst = max(worst, np.abs(gram - np.eye(gram.shape[1])).max())
    return float(worst)


def least_overlap(path: RecordedPath) -> float:
    """The least overlap of a direction with itself one record before."""
    return float(followed(path).overlap.min())


def largest_step(path: RecordedPath, stride: int = 1) -> float:
    """The largest change of the followed left frame in a step."""
    return float(steps(followed(path).left[::stride]).max())


def largest_sorted_step(path: RecordedPath, stride: int = 1) -> float:
    """The same of the sorted one, with the better sign of every column."""
    frames = sorted_frames(path)[::stride]
    before, after = frames[:-1], frames[1:]
    signs = np.where(np.sum(before * after, axis=1) < 0, -1.0, 1.0)
    moved = np.linalg.norm(after * signs[:, None, :] - before, axis=(1, 2))
    return float(moved.max())


def cubic_error(
    frames: Float[np.ndarray, "records rows k"], at: list[int], stride: int
) -> float:
    """How far a frame is from the cubic through two records on either side, at most.

    Only records around those of `at` count, so that crossings and nothing else decide.
    """
    worst = 0.0
    for record in at:
        low, high = record - 4 * stride, record + 4 * stride + 2
        for first in range(max(low, 0), min(high, len(frames) - 4 * stride)):
            five = frames[first : first + 4 * stride + 1 : stride]
            worst = max(worst, float(np.linalg.norm(np.diff(five, n=4, axis=0))) / 6)
    return worst


def smoothness_order(path: RecordedPath) -> float:
    """The order in the step of the cubic error of the followed frame at crossings.

    Not a number without a crossing, or where the error is the solver's.
    """
    return _order(followed(path).left, path)


def sorted_order(path: RecordedPath) -> float:
    """The same of the sorted frame."""
    return _order(sorted_frames(path), path)


def kinks(path: RecordedPath) -> tuple[float, float]:
    """Where a value passes zero: how much its slope changes, followed and as a size.

    Relative to the slope, over three steps; the worst of the followed ones and the
    least of the sizes.
    """
    values = followed(path).values
    signs = values > 0
    of_followed, of_sizes = [], []
    for t, r in np.argwhere(signs[1:] != signs[:-1]):
        four = values[max(t - 1, 0) : t + 3, r]
        if len(four) < 4:
            continue
        for kept, column in ((of_followed, four), (of_sizes, np.abs(four))):
            slopes = np.diff(column)
            kept.append(abs(slopes[2] - slopes[0]) / abs(slopes[0]))
    if not of_followed:
        return np.nan, np.nan
    return float(max(of_followed)), float(min(of_sizes))


def step_order(path: RecordedPath) -> float:
    """The order in the step of the largest change of the followed left frame."""
    return float(np.log2(largest_step(path, 2) / largest_step(path)))


def sorted_step_order(path: RecordedPath) -> float:
    """The same of the sorted one."""
    return float(np.log2(largest_sorted_step(path, 2) / largest_sorted_step(path)))


def least_gap(path: RecordedPath, stride: int = 1) -> float:
    """The least distance of two neighbouring singular values over the largest."""
    values = np.linalg.svd(path.matrices[::stride], compute_uv=False)
    return float((-np.diff(values, axis=1) / values[:, :1]).min())


def gap_order(path: RecordedPath) -> float:
    """The order in the step of the least gap; not a number where two values agree."""
    fine = least_gap(path)
    return float(np.log2(least_gap(path, 2) / fine)) if fine > 0 else float("nan")


def _order(frames: np.ndarray, path: RecordedPath) -> float:
    at = crossing_records(path)
    wide = cubic_error(frames, at, 2) if at else 0.0
    if wide < _SOLVED:
        return np.nan
    return float(np.log2(wide / cubic_error(frames, at, 1)))
