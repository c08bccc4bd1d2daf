"""What a start is to an engine that does not hold full-dimensional factors."""

import equinox as eqx
import numpy as np
from jaxtyping import Float

from lowrankflow.errors import SpecError
from lowrankflow.factorizations.factorization import (
    AbstractFactorization,
    largest_rank,
)
from lowrankflow.factorizations.frames import random_frame
from lowrankflow.factorizations.initial import Aligned, Balanced, Identity
from lowrankflow.factorizations.start import AbstractStart
from lowrankflow.problems import AbstractObjective
from lowrankflow.seeds import generator


class StartFrames(eqx.Module):
    """W(0) = init_scale L R' with orthonormal columns in L and R, and balanced factors.

    Args:
        init_scale: every singular value of W(0).
        left: L, rows x k; None when every direction has the same part in the start.
        right: R, cols x k; None likewise.
        is_identity: whether W(0) is a multiple of the identity.
    """

    init_scale: float
    left: Float[np.ndarray, "rows k"] | None
    right: Float[np.ndarray, "cols k"] | None
    is_identity: bool = eqx.field(static=True)


def start_frames(
    start: AbstractStart,
    problem: AbstractObjective,
    factorization: AbstractFactorization,
    *,
    seed: int,
) -> StartFrames:
    """The frames of a balanced start whose singular values are all equal.

    Args:
        start: `Aligned`, which is taken to give each direction `init_scale` and forms
            nothing; `Identity`; `Balanced`, whose frames are of rows x k and cols x k.
        problem: what is being solved.
        factorization: with hidden widths of min(rows, cols) at least.
        seed: of random frames: those that `start.factors` draws.

    Raises:
        SpecError: when the start is another, or a width is smaller.

    Exactness: exact, but for `Aligned`, whose frames are those of the first gradient:
        to leading order each direction that grows is one of them.
    """
    rank = largest_rank(factorization.shapes(problem.shape))
    if rank < min(problem.shape):
        raise SpecError(
            where=f"{type(factorization).__name__}",
            rule="the flow followed at its current rank is that of full widths",
            got=f"factors through which at most rank {rank} fits",
            fix="Leave the widths out",
        )
    if isinstance(start, Aligned):
        return StartFrames(float(start.init_scale), None, None, False)
    if isinstance(start, Identity):
        rows, cols = problem.shape
        square = rows == cols
        left = None if square else np.eye(rows, rank)
        right = None if square else np.eye(cols, rank)
        return StartFrames(float(start.init_scale), left, right, square)
    if isinstance(start, Balanced):
        rows, cols = problem.shape
        left = random_frame(generator(seed, "start", "balanced", "left"), rows, rank)
        right = random_frame(generator(seed, "start", "balanced", "right"), cols, rank)
        return StartFrames(float(start.init_scale), left, right, False)
    raise SpecError(
        where="AdaptiveRankFlow(start)",
        rule="the law of small directions is known for balanced starts with equal "
        "singular values: Aligned, Identity, Balanced",
        got=type(start).__name__,
        fix=f"Use Aligned(init_scale={getattr(start, 'init_scale', 1e-3):g}), or "
        "GradientFlow with this start",
    )
