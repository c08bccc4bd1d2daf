"""Turning of singular vectors beside the gradient between them: from recorded paths.

With A = U'U. and B = V'V., both skew, and G the gradient, the off-diagonal part of
A S - S B is -H o (U'GV). For one pair of directions its two entries are what the matrix
[[s, -r], [-r, s]], with singular values r + s and |r - s|, makes of (A, B), so that

    H / (r + s)  <=  |(A, B)| / |off-diagonal gradient|  <=  H / |r - s|.
"""

import dataclasses

import numpy as np
from jaxtyping import Float

from lowrankflow.studies.arora2019.corollary1_jobs import completions
from lowrankflow.studies.arora2019.recorded_paths import (
    SHAPES,
    RecordedPath,
    largest_or_nan,
    measured,
    paths,
)
from lowrankflow.studies.arora2019.theorem3_measures import imbalance_of
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.samples import Sample, combine

# Of the largest of a path: below this a speed is what the solver leaves of it.
_HEARD = 1e-5


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Pairs:
    """All pairs r < s of directions at the times that the step resolves.

    Args:
        time: of the rows.
        speed: |(A_rs, B_rs)|, measured.
        inner: |(g_rs, g_sr)|, g = U'GV.
        weight: H_rs.
        first: sigma_r, the larger.
        second: sigma_s.
        turned: |(L_rs, L_sr)|, L = A S - S B, measured.
        residual: the same of L + H o g.
        diagonal: ||diag g||, one number per time.
        gradient: ||G||, likewise.
    """

    time: Float[np.ndarray, " times"]
    speed: Float[np.ndarray, "times pairs"]
    inner: Float[np.ndarray, "times pairs"]
    weight: Float[np.ndarray, "times pairs"]
    first: Float[np.ndarray, "times pairs"]
    second: Float[np.ndarray, "times pairs"]
    turned: Float[np.ndarray, "times pairs"]
    residual: Float[np.ndarray, "times pairs"]
    diagonal: Float[np.ndarray, " times"]
    gradient: Float[np.ndarray, " times"]

    @property
    def lower(self) -> Float[np.ndarray, "times pairs"]:
        """H / (r + s): what speed over gradient is at least."""
        return self.weight / (self.first + self.second)

    @property
    def upper(self) -> Float[np.ndarray, "times pairs"]:
        """H / |r - s|: what it is at most."""
        return self.weight / np.abs(self.first - self.second)

    @property
    def heard(self) -> np.ndarray:
        """The pairs whose speed is measured, and no noise."""
        return self.speed > _HEARD * largest_or_nan(self.speed)


def runs_of(
    collection: Collection, start: str, depth: int, shape: str
) -> tuple[list[RecordedPath], Sample]:
    """The runs of one start, depth and shape."""
    problem = completions(start == "still", shape)
    return paths(collection, problem, SHAPES[shape], depth, start=start, shape=shape)


def kinds(collection: Collection, *starts: str) -> list[tuple[str, int, str]]:
    """Start, depth and shape of the runs with some starts."""
    every = [own for own, _ in collection.runs]
    every += [failure.axes for failure in collection.failures]
    found = {(str(a["start"]), int(a["depth"]), str(a["shape"])) for a in every}
    return sorted(kind for kind in found if kind[0] in starts)


def pairs_of(path: RecordedPath) -> Pairs:
    """All pairs, at the times at which vectors turn slowly beside the step."""
    here = measured(path)
    kept = here.resolved
    left = (np.swapaxes(here.left, 1, 2) @ here.left_velocity)[kept]
    right = (np.swapaxes(here.right, 1, 2) @ here.right_velocity)[kept]
    values, inner = here.values[kept], here.inner[kept]
    turned = left * values[:, None, :] - values[:, :, None] * right
    weights = coefficients(values, path.depth)
    rest = turned + weights * inner
    r, s = np.triu_indices(values.shape[1], 1)

    def both(square: np.ndarray) -> np.ndarray:
        return np.hypot(square[:, r, s], square[:, s, r])

    return Pairs(
        time=here.time[kept],
        speed=np.hypot(left[:, r, s], right[:, r, s]),
        inner=both(inner),
        weight=weights[:, r, s],
        first=values[:, r],
        second=values[:, s],
        turned=both(turned),
        residual=both(rest),
        diagonal=np.linalg.norm(np.einsum("tkk->tk", inner), axis=1),
        gradient=np.linalg.norm(here.gradients[kept], axis=(1, 2)),
    )


def coefficients(
    values: Float[np.ndarray, "times k"], depth: int
) -> Float[np.ndarray, "times k k"]:
    """H_rs = sum over j of (sigma_r^2)^((N-j)/N) (sigma_s^2)^((j-1)/N), all positive.

    The quotient of differences of the paper, without dividing by a small one.
    """
    roots = np.abs(values) ** (2 / depth)
    terms = [
        roots[:, :, None] ** (depth - j) * roots[:, None, :] ** (j - 1)
        for j in range(1, depth + 1)
    ]
    return np.sum(terms, axis=0)


def identity_error(path: RecordedPath) -> float:
    """The largest |L + H o g| off the diagonal over the largest |L| of the path.

    Not a number where nothing turns.
    """
    found = pairs_of(path)
    most = largest_or_nan(found.turned)
    return largest_or_nan(found.residual) / most if most else float("nan")


def share_resolved(path: RecordedPath) -> float:
    """The share of times that the step resolves."""
    return len(pairs_of(path).time) / ((len(path.time) - 1) // 5)


def sandwich_violation(path: RecordedPath) -> float:
    """The largest factor by which |L| leaves min H |g| to max H |g|; 1 is inside."""
    found = pairs_of(path)
    whole = np.linalg.norm(found.turned, axis=1)
    inner = np.linalg.norm(found.inner, axis=1)
    heard = (whole > _HEARD * largest_or_nan(whole)) & (inner > 0)
    whole, inner, weight = whole[heard], inner[heard], found.weight[heard]
    low = weight.min(axis=1) * inner / whole
    high = whole / (weight.max(axis=1) * inner)
    return largest_or_nan(np.maximum(low, high))


def pair_violation(path: RecordedPath) -> float:
    """The largest factor by which a pair's speed leaves its bounds; at most 1 is in."""
    found = pairs_of(path)
    heard = found.heard & (found.inner > 0)
    ratio = found.speed[heard] / found.inner[heard]
    lower, upper = found.lower[heard], found.upper[heard]
    return largest_or_nan(np.maximum(lower / ratio, ratio / upper))


def correlation(path: RecordedPath) -> float:
    """Of the logarithms of speed and off-diagonal gradient over the times.

    Not a number where vectors move, and are pulled, at fewer than three times.
    """
    found = pairs_of(path)
    speed = np.linalg.norm(found.speed, axis=1)
    inner = np.linalg.norm(found.inner, axis=1)
    moving = (speed > 0) & (inner > 0)
    if moving.sum() < 3:
        return float("nan")
    return float(np.corrcoef(np.log(speed[moving]), np.log(inner[moving]))[0, 1])


def speed_at_rest(path: RecordedPath) -> float:
    """The largest speed of any pair, for vectors that should stand still."""
    return largest_or_nan(pairs_of(path).speed)


def gradient_between(path: RecordedPath) -> float:
    """The largest off-diagonal gradient over the largest gradient."""
    found = pairs_of(path)
    return largest_or_nan(found.inner) / largest_or_nan(found.gradient)


def imbalance_ratio(collection: Collection, shape: str) -> Sample:
    """Largest |L + H o g| over 2 delta ||G|| along Gaussian factors of depth 2."""
    runs, _ = runs_of(collection, "factors", 2, shape)
    axes = {"start": "factors", "depth": 2, "shape": shape}
    factors = [collection.last(f"factor_{j}", **axes) for j in (1, 2)]
    sizes = combine(lambda *arrays: imbalance_of(list(arrays)), *factors)

    def ratio(path: RecordedPath) -> float:
        found = pairs_of(path)
        delta = sizes.values[sizes.seeds.index(path.seed)]
        whole = np.linalg.norm(found.residual, axis=1)
        return largest_or_nan(whole / (2 * delta * found.gradient))

    values = [ratio(path) for path in runs]
    kept = {"seeds": sizes.seeds, "missing": sizes.missing}
    return Sample(values=np.array(values, float), **kept)
