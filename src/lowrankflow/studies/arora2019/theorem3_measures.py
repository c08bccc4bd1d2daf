"""Singular values beside their law: from recorded paths."""

import numpy as np
from jaxtyping import Float

from lowrankflow.dynamics import singular_value_velocity
from lowrankflow.studies.arora2019.recorded_paths import (
    SHAPES,
    Measured,
    RecordedPath,
    completions,
    largest_or_nan,
    measured,
    over_paths,
    paths,
)
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.samples import Sample, combine

# Of a run's largest pull: below this a rate is a small difference of large numbers.
_FELT = 1e-2


def law(here: Measured, *, depth: int | None = None) -> Float[np.ndarray, "centres k"]:
    """What equation (7) says of S', of another depth if asked."""
    parts = zip(here.left, here.values, here.right, here.gradients, strict=True)
    number = here.depth if depth is None else depth
    return np.stack([singular_value_velocity(*part, depth=number) for part in parts])


def relative_error(path: RecordedPath, *, depth: int | None = None) -> float:
    """The largest |sigma' - law| over the largest |sigma'|, where the step resolves."""
    here = measured(path)
    error = np.abs(here.value_velocity - law(here, depth=depth))[here.resolved]
    return largest_or_nan(error) / float(np.abs(here.value_velocity).max())


def share_resolved(path: RecordedPath) -> float:
    """The share of times that the step resolves."""
    return float(measured(path).resolved.mean())


def growth(here: Measured) -> tuple[np.ndarray, np.ndarray]:
    """Values and sigma' / (-u' grad l v), where the pull is felt and sigma grows."""
    pull = -np.einsum("tkk->tk", here.inner)
    felt = (pull > _FELT * np.abs(pull).max()) & (here.value_velocity > 0)
    return here.values[felt], here.value_velocity[felt] / pull[felt]


def exponent(path: RecordedPath) -> float:
    """The p of sigma' = c sigma^p (-u' grad l v), by least squares in logarithms.

    Not a number where no value grows by a pull.
    """
    sigma, rate = growth(measured(path))
    if len(sigma) < 2:
        return float("nan")
    return float(np.polyfit(np.log(sigma), np.log(rate), 1)[0])


def decades(path: RecordedPath) -> float:
    """How many decades of sigma the exponent is taken from."""
    sigma, _ = growth(measured(path))
    return float(np.log10(sigma.max() / sigma.min()))


def failure(path: RecordedPath) -> float:
    """The largest |sigma' - law| over the largest |grad l| along the path."""
    here = measured(path)
    error = np.abs(here.value_velocity - law(here)).max()
    return float(error / np.linalg.norm(here.gradients, 2, axis=(1, 2)).max())


def imbalance_of(factors: list[np.ndarray]) -> float:
    """Largest spectral norm of W_(j+1)' W_(j+1) - W_j W_j', which the flow keeps."""
    pairs = zip(factors[:-1], factors[1:], strict=True)
    return max(float(np.linalg.norm(b.T @ b - a @ a.T, 2)) for a, b in pairs)


def balanced_paths(
    collection: Collection, depth: int, shape: str
) -> tuple[list[RecordedPath], Sample]:
    """The balanced runs of one shape."""
    axes = {"case": "balanced", "shape": shape}
    return paths(collection, completions(shape), SHAPES[shape], depth, **axes)


def unbalanced_paths(
    collection: Collection, depth: int, spoiled: float
) -> tuple[list[RecordedPath], Sample]:
    """The runs whose factors were spoiled by so much."""
    axes = {"case": "unbalanced", "spoiled": spoiled}
    return paths(collection, completions("square"), SHAPES["square"], depth, **axes)


def shapes_of(collection: Collection, depth: int) -> list[str]:
    """The shapes of the balanced runs of a depth."""
    part = collection.select(case="balanced", depth=depth)
    return (
        [str(s) for s in part.axis("shape")] if len(part) + len(part.failures) else []
    )


def imbalance_sample(collection: Collection, depth: int, spoiled: float) -> Sample:
    """The imbalance of the spoiled starts, from the last factors."""
    axes = {"case": "unbalanced", "depth": depth, "spoiled": spoiled}
    factors = [collection.last(f"factor_{j + 1}", **axes) for j in range(depth)]
    return combine(lambda *arrays: imbalance_of(list(arrays)), *factors)


def failures(collection: Collection, depth: int, spoiled: float) -> Sample:
    """How far the law is off in spoiled runs."""
    return over_paths(unbalanced_paths(collection, depth, spoiled), failure)


def bound_ratio(collection: Collection, spoiled: float) -> Sample:
    """Largest |sigma_r' - law| over delta (|G v_r| + |G' u_r|), at depth 2."""
    sizes = imbalance_sample(collection, 2, spoiled)

    def ratio(path: RecordedPath) -> float:
        here = measured(path)
        error = np.abs(here.value_velocity - law(here))
        right = np.linalg.norm(here.gradients @ here.right, axis=1)
        left = np.linalg.norm(np.swapaxes(here.gradients, 1, 2) @ here.left, axis=1)
        delta = sizes.values[sizes.seeds.index(path.seed)]
        return float((error / (delta * (left + right))).max())

    return over_paths(unbalanced_paths(collection, 2, spoiled), ratio)
