"""Orthonormal frames, and balanced factors built from them."""

import numpy as np
from jaxtyping import Float

from lowrankflow.factorizations.factorization import AbstractFactorization
from lowrankflow.factorizations.symmetric import SymmetricFactorization

HostFactors = tuple[np.ndarray, ...]


def random_frame(
    rng: np.random.Generator, size: int, count: int
) -> Float[np.ndarray, "size count"]:
    """Orthonormal columns, uniformly distributed (Haar).

    Exactness: exact to rounding.
    Cost: 2 size count^2 operations.
    Source: mezzadri2007 (the signs that make a QR factor uniform).
    """
    frame, triangle = np.linalg.qr(rng.standard_normal((size, count)))
    return frame * np.where(np.diag(triangle) < 0, -1.0, 1.0)


def balanced_factors(
    factorization: AbstractFactorization,
    left: Float[np.ndarray, "rows k"],
    values: Float[np.ndarray, " k"],
    right: Float[np.ndarray, "cols k"],
    rng: np.random.Generator | None,
) -> HostFactors:
    """Balanced factors of left diag(values) right'.

    Args:
        factorization: whose coordinates these are to be; widths of at least k.
        left: orthonormal columns.
        values: singular values, >= 0.
        right: orthonormal columns; `left` again for U U'.
        rng: draws the hidden units' frames; None for unit vectors, so that unit k
            carries singular value k.
    """
    rank = len(values)
    shapes = factorization.shapes((left.shape[0], right.shape[0]))
    root = values ** (1 / factorization.num_factors_in_product)
    hidden = shapes[0][1] if isinstance(factorization, SymmetricFactorization) else None
    if hidden is not None:
        frame = np.eye(hidden, rank) if rng is None else random_frame(rng, hidden, rank)
        return ((left * root) @ frame.T,)
    frames = [right]
    for width, _ in shapes[:-1]:
        frame = np.eye(width, rank) if rng is None else random_frame(rng, width, rank)
        frames.append(frame)
    frames.append(left)
    return tuple(
        (after * root) @ before.T
        for before, after in zip(frames[:-1], frames[1:], strict=True)
    )


def rescaled(
    factorization: AbstractFactorization, factors: HostFactors, init_scale: float
) -> HostFactors:
    """The factors times one number, so that W has this rms singular value exactly."""
    product = factorization.end_to_end(factors)
    scale = np.linalg.norm(product) / np.sqrt(min(product.shape))
    root = 1 / factorization.num_factors_in_product
    wanted = float(init_scale)  # a float32 scalar would do its roots in float32
    # Two roots, not the root of a quotient: 1e-300 / scale must not underflow.
    return tuple(factor * (wanted**root / scale**root) for factor in factors)
