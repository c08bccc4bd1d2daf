r"""How a direction grows that is still at the scale of the start: in closed form.

Near zero a direction u v' of W does not feel the others. Its size s moves by
s' = N s^(2 - 2/N) u' (-grad f) v, so that it depends on the past only through
g = u' (-Gamma) v, with Gamma the integral of grad f over time:

    depth 2:       s = a exp(2 g)
    depth N >= 3:  s = (a^(2/N - 1) - (N - 2) g)^(-N / (N - 2))

with a its size at the start. Beyond depth 2 it leaves for infinity at a finite g, that
is, other terms take over.
"""

import math

import numpy as np
from jaxtyping import Float

# Sizes beyond this are no sizes: the law has run away.
_MOST = 1e150


def law_size(depth: int, start: float, growth: float) -> float:
    """The size of a direction that began at `start`, after growth g.

    Args:
        depth: N >= 2.
        start: a > 0.
        growth: g, any real number.

    Returns:
        s > 0; infinity where a deep direction has run away.

    Exactness: exact for a direction that does not turn, with no other near.
    Source: arora2019, theorem 3; li2021, section 4, integrated.
    Differs: as in the sources.
    """
    if depth == 2:
        exponent = 2 * growth + math.log(start)
        return math.exp(exponent) if exponent < math.log(_MOST) else math.inf
    left = start ** (2 / depth - 1) - (depth - 2) * growth
    return left ** (-depth / (depth - 2)) if left > 0 else math.inf


def law_sizes(
    depth: int, start: float, growths: Float[np.ndarray, "*k"]
) -> Float[np.ndarray, "*k"]:
    """The same of many beyond depth 2, none of which runs away: each stops near it.

    Exactness: exact up to a growth of 0.999 of where it runs away.
    """
    power = 2 / depth - 1
    left = np.maximum(start**power - (depth - 2) * growths, 1e-3 * start**power)
    return left ** (1 / power)


def law_growth(depth: int, start: float, size: float) -> float:
    """The growth g at which a direction has this size: the inverse of `law_size`.

    Exactness: exact; negative where the size is below the start.
    """
    if depth == 2:
        return (math.log(size) - math.log(start)) / 2
    power = 2 / depth - 1
    return (start**power - size**power) / (depth - 2)


def overlaps(
    frames: tuple[np.ndarray, np.ndarray] | None,
    left: Float[np.ndarray, "rows k"],
    right: Float[np.ndarray, "cols k"],
) -> Float[np.ndarray, "k k"]:
    r"""What a start s L R' gives to directions (u_k, v_k), in units of s.

    At depth 2 the factors one above the other, Z = s^(1/2) [L; R], move linearly. A
    growing direction is z = [u; v] / 2^(1/2), and s of W belongs to 2 s of Z Z', so
    that the start's part in it is s |L' u + R' v|^2 / 4, and between two of them
    s (L' u_k + R' v_k)' (L' u_l + R' v_l) / 4. For the frames of -grad f(0) this is s;
    for random ones, with u and v of their spans, s / 2 on average.

    Args:
        frames: L and R, orthonormal columns; None for a start that gives each the same.
        left: u_k, orthonormal.
        right: v_k.

    Returns:
        A positive semidefinite matrix; the identity where frames is None.

    Exactness: exact at depth 2; to leading order beyond.
    Source: own.
    Differs: there is none.
    """
    if frames is None:
        return np.eye(left.shape[1])
    both = frames[0].T @ left + frames[1].T @ right
    return both.T @ both / 4
