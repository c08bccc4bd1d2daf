"""Singular vectors beside equations (8) and (9): from recorded paths."""

import numpy as np
from jaxtyping import Float

from lowrankflow.dynamics import singular_vector_velocity
from lowrankflow.metrics import follow_svd
from lowrankflow.seeds import generator
from lowrankflow.studies.arora2019.lemma2_jobs import (
    FINE_STEP,
    GOALS,
    SIZE,
    meeting_value,
    observations,
)
from lowrankflow.studies.arora2019.recorded_paths import (
    ALL,
    NEAR,
    SHAPES,
    Measured,
    RecordedPath,
    completions,
    largest_or_nan,
    measured,
    paths,
)
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.samples import Sample

_PERTURBATION = 1e-9


def completion_paths(
    collection: Collection, depth: int, shape: str
) -> tuple[list[RecordedPath], Sample]:
    """The completions of one depth and shape."""
    axes = {"case": "completion", "shape": shape}
    return paths(collection, completions(shape), SHAPES[shape], depth, **axes)


def crossing_paths(
    collection: Collection, depth: int, noise: float
) -> tuple[list[RecordedPath], Sample]:
    """The avoided crossings of one depth and noise."""
    axes = {"case": "crossing", "noise": noise}
    return paths(collection, observations(noise), SIZE, depth, **axes)


def kinds(collection: Collection) -> list[tuple[int, str]]:
    """Depth and shape of the completions."""
    every = [own for own, _ in collection.runs]
    every += [failure.axes for failure in collection.failures]
    chosen = [axes for axes in every if axes["case"] == "completion"]
    return sorted({(int(axes["depth"]), str(axes["shape"])) for axes in chosen})


def predicted(
    here: Measured, *, depth: int | None = None
) -> tuple[Float[np.ndarray, "centres rows k"], Float[np.ndarray, "centres cols k"]]:
    """U' and V' by equations (8) and (9), of another depth if asked."""
    number = here.depth if depth is None else depth
    parts = zip(here.left, here.values, here.right, here.gradients, strict=True)
    pairs = [singular_vector_velocity(*part, depth=number) for part in parts]
    return np.stack([left for left, _ in pairs]), np.stack([r for _, r in pairs])


def errors(
    here: Measured, side: str, *, depth: int | None = None
) -> Float[np.ndarray, " centres"]:
    """||measured - predicted|| / max(1, ||predicted||), of U or V, at every time."""
    left, right = predicted(here, depth=depth)
    found, wanted = (
        (here.left_velocity, left) if side == "left" else (here.right_velocity, right)
    )
    speed = np.linalg.norm(wanted, axis=(1, 2))
    return np.linalg.norm(found - wanted, axis=(1, 2)) / np.maximum(speed, 1)


def worst_error(path: RecordedPath, side: str, *, depth: int | None = None) -> float:
    """The largest error of the times that the step resolves."""
    here = measured(path)
    return largest_or_nan(errors(here, side, depth=depth)[here.resolved])


def share_resolved(path: RecordedPath) -> float:
    """The share of times that the step resolves."""
    return float(measured(path).resolved.mean())


def error_inside_the_span(path: RecordedPath) -> float:
    """The largest error without the part of the velocity that leaves the frame's span.

    Of V for a wide matrix, of U for a tall one.
    """
    here = measured(path)
    left, right = predicted(here)
    rows, cols = path.matrices.shape[1:]
    wide = cols > rows
    frame, wanted = (here.right, right) if wide else (here.left, left)
    found = here.right_velocity if wide else here.left_velocity
    inside = frame @ (np.swapaxes(frame, 1, 2) @ wanted)
    speed = np.maximum(np.linalg.norm(wanted, axis=(1, 2)), 1)
    return float((np.linalg.norm(found - inside, axis=(1, 2)) / speed).max())


def gaps(here: Measured) -> Float[np.ndarray, " centres"]:
    """The least distance of two neighbouring singular values."""
    return (-np.diff(here.values, axis=1)).min(axis=1)


def nearest(here: Measured) -> int:
    """The record at which the avoided crossing is narrowest."""
    return int(np.argmin(gaps(here)))


def least_gap(path: RecordedPath) -> float:
    """The least gap of the run."""
    return float(gaps(measured(path)).min())


def peak_speed(path: RecordedPath) -> float:
    """||U'||_F, measured, where the gap is least."""
    here = measured(path)
    return float(np.linalg.norm(here.left_velocity[nearest(here)]))


def peak_error(path: RecordedPath, points: tuple[int, int] = ALL) -> float:
    """The error of the measured U' there, relative to equation (8)."""
    here = measured(path, points=points)
    at = nearest(here)
    wanted = predicted(here)[0][at]
    off = np.linalg.norm(here.left_velocity[at] - wanted)
    return float(off / np.linalg.norm(wanted))


def kappa(path: RecordedPath) -> float:
    r"""The rate of an avoided crossing: vectors turn by theta = arctan(kappa t) / 2.

    Two columns of U turn, so that ||U'||_F = sqrt(2) theta'(0) = kappa / sqrt(2).
    """
    here = measured(path)
    wanted = predicted(here)[0][nearest(here)]
    return float(np.sqrt(2) * np.linalg.norm(wanted))


def three_point_ratio(path: RecordedPath) -> float:
    """The error of three points there to (3/8) (h kappa)^2.

    What is differentiated is sin(theta), with third derivative -(9/8) kappa^3: -1 from
    theta and -1/8 from the bend of the circle. The error is h^2 / 6 of it, and the
    derivative kappa / 2.
    """
    return peak_error(path, NEAR) / (0.375 * (FINE_STEP * kappa(path)) ** 2)


def five_point_ratio(path: RecordedPath) -> float:
    """The error of five points there to (31/32) (h kappa)^4.

    The coefficient of t^5 in sin(theta) is (1/10 + 1/48 + 1/3840) kappa^5.
    """
    return peak_error(path) / (31 / 32 * (FINE_STEP * kappa(path)) ** 4)


def speed_ratio(path: RecordedPath) -> float:
    """Gap times ||U'||_F to c / sqrt(2), c the rate at which the two values would pass.

    By equation (7) c = N sigma^(2 - 2/N) |s_1 - s_2| where they meet.
    """
    depth = path.depth
    where = meeting_value(depth)
    rate = depth * where ** (2 - 2 / depth) * abs(GOALS[0] - GOALS[1])
    return least_gap(path) * peak_speed(path) / (rate / np.sqrt(2))


def sensitivity(path: RecordedPath) -> float:
    """Relative change of equation (8) to the change of W, where the gap is least.

    The root mean square over random changes of norm 1e-9.
    """
    here = measured(path)
    at = nearest(here)
    wanted = predicted(here)[0][at]
    matrix = (here.left[at] * here.values[at]) @ here.right[at].T
    rng = generator(path.seed, "lemma2", "perturbation")
    changes = []
    for _ in range(20):
        change = rng.standard_normal(matrix.shape)
        change *= _PERTURBATION / np.linalg.norm(change)
        moved = follow_svd(np.stack([matrix, matrix + change]))
        signs = np.sign(np.sum(moved.left[0] * here.left[at], axis=0))
        left, right = moved.left[1] * signs, moved.right[1] * signs
        values, gradient = moved.values[1], here.gradients[at] + change
        found, _ = singular_vector_velocity(
            left, values, right, gradient, depth=here.depth
        )
        changes.append(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))
    return float(np.sqrt(np.mean(np.square(changes))) / _PERTURBATION)
