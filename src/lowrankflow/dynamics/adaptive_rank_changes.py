"""How an adaptive-rank flow gains and loses directions."""

from typing import TypeAlias

import numpy as np
from jaxtyping import Float

from lowrankflow.dynamics.adaptive_rank_tail import Tail
from lowrankflow.dynamics.thin_pull import AbstractPull, Cols, Rows, Weights
from lowrankflow.errors import SpecError
from lowrankflow.factorizations import StartFrames

# Up to so many directions may all be followed from the start: it forms rows x k.
_MOST_WHOLE = 3000

Decomposed: TypeAlias = tuple[Rows, Float[np.ndarray, " r"], Cols]


def extended(followed: Decomposed, tail: Tail, count: int, most: float) -> Decomposed:
    """The followed directions with the first of the tail, orthogonal to them.

    Args:
        followed: singular vectors and values, perhaps none.
        tail: what is left out.
        count: how many come in.
        most: sizes beyond this one are taken for it.
    """
    left, values, right = followed
    return (
        np.concatenate([left, tail.left[:, :count]], axis=1),
        np.concatenate([values, np.minimum(tail.sizes[:count], most)]),
        np.concatenate([right, tail.right[:, :count]], axis=1),
    )


def turned_away(pull: AbstractPull, weights: Weights, tail: Tail, k: int) -> float:
    """1 less the share of the fastest present growth outside that direction k has.

    0 where the direction that has grown is the one that grows; the law is exact then.
    """
    u, v = tail.left[:, k : k + 1], tail.right[:, k : k + 1]
    present = -float((u.T @ pull.mm(weights, v)).item())
    return 1 - present / tail.pace if tail.pace > 0 else 0.0


def whole_start(
    pull: AbstractPull,
    weights: Weights,
    frames: StartFrames,
    is_mirrored: bool,
    *,
    wanted: float,
    turns: bool,
    most: int | None,
) -> tuple[Rows, Cols] | None:
    """Left and right sides of all directions of the start; None if some are left out.

    Args:
        pull: the gradient's products.
        weights: of the gradient at zero, whose frames are those of `Aligned`.
        frames: of the start.
        is_mirrored: whether W is symmetric and positive semidefinite.
        wanted: the size at which directions are to come in.
        turns: whether they turn before they grow, and none may be left out.
        most: the largest rank allowed.

    Raises:
        SpecError: when none may be left out, and they are too many.

    Cost: forms rows x k and cols x k for the smaller side k.
    """
    rows, cols = pull.shape
    size, scale = min(rows, cols), float(frames.init_scale)
    if wanted > scale and not turns:
        return None
    if size > _MOST_WHOLE or (most is not None and most < size):
        raise whole_error(size, scale, wanted, turns)
    if is_mirrored:
        return np.eye(rows), np.eye(rows)
    if frames.left is not None and frames.right is not None:
        return frames.left, frames.right
    if frames.is_identity:
        return np.eye(rows), np.eye(cols)
    pulled = -pull.mm(weights, np.eye(cols))
    left, _, turned = np.linalg.svd(pulled, full_matrices=False)
    return left, turned.T


def whole_error(size: int, scale: float, wanted: float, turns: bool) -> SpecError:
    """That a flow would have to be followed whole, and is too large for it."""
    if turns:
        return SpecError(
            where="AdaptiveRankFlow(start)",
            rule="beyond depth 2 directions of a start that is not aligned with the "
            "gradient must all be followed",
            got=f"{size} of them",
            fix=f"Use Aligned(init_scale={scale:g}), or raise max_rank",
        )
    return SpecError(
        where="AdaptiveRankFlow(admission_tolerance)",
        rule="directions are left out while they are below the tolerance, which must "
        "be above the start: otherwise all must be followed",
        got=f"a threshold of {wanted:.3g} at init_scale = {scale:g}, {size} directions",
        fix=f"Start smaller, for example at {wanted / 10:.1g}, or raise max_rank",
    )
