r"""How growth adds up where directions turn: beyond depth 2.

A small block D = p s q' (singular vectors and values) of a balanced flow moves by
D' = sum_k (D D')^((k-1)/N) K (D' D)^((N-k)/N) with K = -grad f between the complements.
Say that D is the law of a matrix T with the same singular vectors, s_i = law(g_i). In
their frame, with K = (K + K')/2 + (K - K')/2 there and
S_ij = sum_k s_i^(2(k-1)/N) s_j^(2(N-k)/N), both equations together say

    (p' T' q)_ij = (K + K')_ij / 2  S_ij (g_i - g_j) / (s_i - s_j)
                 + (K - K')_ij / 2  S_ij (g_i + g_j) / (s_i + s_j) .

The first factor is one for i = j, and one to second order in the growths: then T is the
integral of K. What it lacks is thin for a few watched directions: for each its image
under K times a function of T, that factor less one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lowrankflow.dynamics.tail_law import law_sizes
from lowrankflow.dynamics.thin_pull import Cols, Rows

# Nodes of the fit of the factors as functions of the other growth, and its degree.
_NODES, _DEGREE = 24, 2
# Growths nearer than this, relatively, are one.
_SAME = 1e-6

Growths = Float[np.ndarray, " k"]
Products = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Watched:
    """Directions outside and their growths.

    Args:
        growths: g_k, descending.
        left: u_k, orthonormal.
        right: v_k, orthonormal; `left` itself for mirror images.
    """

    growths: Growths
    left: Rows
    right: Cols


def lacking(
    watched: Watched,
    change: tuple[Products, Products],
    growth: tuple[Products, Products],
    *,
    depth: int,
    start: float,
    is_mirrored: bool,
) -> tuple[Rows, Cols]:
    """What the integral of the gradient lacks to be the growth, as A B'.

    Args:
        watched: directions of the growth so far.
        change: products with the integral of -grad f over an epoch, and its transpose,
            between the complements.
        growth: products with the growth so far, and its transpose.
        depth: N >= 3.
        start: size of every direction at the start.
        is_mirrored: whether left and right are one.

    Exactness: order 1 in the length of the epoch, for the watched directions; for the
        others the third order in their growths is left out.
    Cost: three products of as many columns as are watched, either way.
    """
    g, u, v = watched.growths, watched.left, watched.right
    factor = _Factors(depth, start)
    image, back = change[0](v), change[1](u)
    inside = u.T @ image
    rest_u, rest_v = image - u @ inside, back - v @ inside.T
    even, odd = (inside + inside.T) / 2, (inside - inside.T) / 2
    among = even * (factor.even(g[:, None], g[None, :]) - 1)
    among += odd * (factor.odd(g[:, None], g[None, :]) - 1)
    others = _Others(g, is_mirrored)
    wanted = factor.even(g[None, :], others.nodes[:, None])
    if not is_mirrored:
        below = factor.odd(g[None, :], -others.nodes[:, None])
        wanted = np.where(others.nodes[:, None] >= 0, wanted, below)
    left, right = others.applied(wanted - 1, (rest_u, rest_v), watched, growth)
    return (
        np.concatenate([u @ among + left, u], axis=1),
        np.concatenate([v, right], axis=1),
    )


def swung(
    followed: Watched,
    watched: Watched,
    change: tuple[Products, Products],
    growth: tuple[Products, Products],
    *,
    depth: int,
    start: float,
    is_mirrored: bool,
) -> tuple[Rows, Cols]:
    """What those outside add to the turning of followed directions, over an epoch.

    Thin factors turn as if nothing were outside, (p' T' q)_ij = K_ij s_i^(1 - 2/N) in
    units of an angle; the equations above have S_ij / (s_i - s_j), S_ij / (s_i + s_j).

    Args:
        followed: directions followed, with the growths that the law gives their sizes.
        watched: directions outside.
        change: as `lacking` has it.
        growth: likewise.
        depth: N >= 3.
        start: size of every direction at the start.
        is_mirrored: whether left and right are one.

    Returns:
        What is added to u_i and v_i.
    """
    f, u, v = followed.growths, watched.left, watched.right
    factor = _Factors(depth, start)
    alone = law_sizes(depth, start, f) ** (1 - 2 / depth)
    image, back = change[0](followed.right), change[1](followed.left)
    below, above = u.T @ image, v.T @ back
    rest = image - u @ below, back - v @ above
    g = watched.growths
    even = (above + below) / 2 * (factor.swing(f[None, :], g[:, None], -1) - alone)
    odd = (above - below) / 2 * (factor.swing(f[None, :], g[:, None], 1) - alone)
    others = _Others(g, is_mirrored)
    sign = np.where((others.nodes >= 0) | is_mirrored, 1.0, -1.0)[:, None]
    wanted = factor.swing(f[None, :], sign * others.nodes[:, None], -sign) - alone
    left, right = others.applied(wanted, rest, watched, growth)
    return u @ (even - odd) + left, v @ (even + odd) + right


class _Others:
    """Functions of the growth, of directions outside that are not watched.

    Among them growths are smaller than the last one watched. A singular pair counts
    twice, as g with [u; v] and as -g with [u; -v].
    """

    def __init__(self, growths: Growths, is_mirrored: bool):
        least = -growths[0] if is_mirrored else -growths[-1]
        self._middle = (growths[-1] + least) / 2
        self._half = max((growths[-1] - least) / 2, 1e-300)
        self._nodes = np.cos(np.pi * (np.arange(_NODES) + 0.5) / _NODES)
        self.nodes = self._middle + self._half * self._nodes

    def applied(
        self,
        wanted: Float[np.ndarray, "nodes k"],
        rest: tuple[Rows, Cols],
        watched: Watched,
        growth: tuple[Products, Products],
    ) -> tuple[Rows, Cols]:
        """Columns times functions that are known at the nodes, one for each column."""
        fit = np.polynomial.polynomial.polyvander(self._nodes, _DEGREE)
        weights = np.linalg.lstsq(fit, wanted, rcond=None)[0]
        u, v = watched.left, watched.right
        powers, total = rest, (weights[0] * rest[0], weights[0] * rest[1])
        for weight in weights[1:]:
            moved = growth[0](powers[1]), growth[1](powers[0])
            moved = moved[0] - u @ (u.T @ moved[0]), moved[1] - v @ (v.T @ moved[1])
            powers = (
                (moved[0] - self._middle * powers[0]) / self._half,
                (moved[1] - self._middle * powers[1]) / self._half,
            )
            total = total[0] + weight * powers[0], total[1] + weight * powers[1]
        return total


@dataclass(frozen=True)
class _Factors:
    """The two factors, as functions of a pair of growths."""

    depth: int
    start: float

    def even(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        s, t = (law_sizes(self.depth, self.start, g) for g in (one, other))
        gap = one - other
        same = np.abs(gap) <= _SAME * (np.abs(one) + np.abs(other)) + 1e-300
        same |= s == t  # both about to run away: their sizes stop short of it
        return np.where(same, 1.0, self._sum(s, t) * gap / np.where(same, 1.0, s - t))

    def odd(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        s, t = (law_sizes(self.depth, self.start, g) for g in (one, other))
        return self._sum(s, t) * (one + other) / (s + t)

    def swing(
        self, one: np.ndarray, other: np.ndarray, sign: np.ndarray | float
    ) -> np.ndarray:
        s, t = (law_sizes(self.depth, self.start, g) for g in (one, other))
        gap = s + sign * t
        return self._sum(s, t) / np.where(np.abs(gap) < 0.02 * s, 0.02 * s, gap)

    def _sum(self, s: np.ndarray, t: np.ndarray) -> np.ndarray:
        power, last = 2 / self.depth, self.depth - 1
        terms = [s ** (power * k) * t ** (power * (last - k)) for k in range(last + 1)]
        return np.sum(terms, axis=0)
