r"""The directions that are left out: which of them grows most, and how far it is.

Outside the spaces of the followed factors a direction (u, v) has grown by
g = u' (-Gamma) v since the start, so the directions to watch are the top singular pairs
of -Gamma between the complements of these spaces (top eigenvectors where W is symmetric
and positive semidefinite).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import scipy.linalg
from jaxtyping import Float

from lowrankflow.dynamics.adaptive_rank_rules import rules
from lowrankflow.dynamics.tail_directions import top_eigenpairs
from lowrankflow.dynamics.tail_law import law_growth, law_size, overlaps
from lowrankflow.dynamics.tail_turning import Watched
from lowrankflow.dynamics.thin_pull import AbstractPull, Cols, Rows, Weights
from lowrankflow.factorizations import StartFrames
from lowrankflow.seeds import generator

# Directions that are looked for at once, and those of the present gradient.
WATCHED, _PACED = 12, 2
# Of the growth from the start to the threshold: what is carried of it and is less goes.
_DROPPED = 3e-4
_PACE_RTOL = 1e-2
_ROUNDS = 12


@dataclass(frozen=True, kw_only=True)
class Outside:
    r"""The complements of the followed spaces, and the growth between them.

    The followed spaces turn while they learn. In the frame that the complement is
    carried along by, growth adds up as T' = P (-grad f) Q with the projections of that
    time, and not as the present P (-Gamma) Q, into which what the followed directions
    have grown by would leak. So T = P (-Gamma + A B') Q with a thin A B', which takes
    away at each search what was inside then.

    Args:
        pull: the gradient's products.
        left: orthonormal basis of the followed left space, rows x r.
        right: and of the right one; the same for mirror images.
        carried: A and B.
        is_mirrored: whether W is symmetric and positive semidefinite.
        known: products with weights that were asked for before, which do not change
            while these complements are looked at; by the array's identity.
    """

    pull: AbstractPull
    left: Rows
    right: Cols
    carried: tuple[Rows, Cols]
    is_mirrored: bool
    known: dict[int, tuple] = field(default_factory=dict)

    def top(
        self, weights: Weights, block: Cols, *, rtol: float, corrected: bool
    ) -> tuple[Float[np.ndarray, " k"], Rows, Cols, int]:
        """The largest growths -u' (sum_k w_k A_k) v outside, with their directions.

        Args:
            weights: of Gamma, or of the gradient itself.
            block: where the search begins.
            rtol: of the growths, as `top_eigenpairs` has it.
            corrected: whether A B' counts: for Gamma it does.

        Returns:
            Growths, descending (of singular pairs >= 0), u_k, v_k, and how many of the
            first have settled to `rtol`.
        """
        block = off(self.right, block.astype(float))

        forth, back = self.products(weights, corrected=corrected)
        if self.is_mirrored:
            growths, v, settled = top_eigenpairs(
                forth, block, rtol=rtol, rounds=_ROUNDS
            )
            # Images of small vectors bring roundings of large ones back inside.
            v = off(self.right, v)
            return growths, v, v, settled
        squares, v, settled = top_eigenpairs(
            lambda b: back(forth(b)), block, rtol=2 * rtol, rounds=_ROUNDS
        )
        growths = np.sqrt(np.maximum(squares, 0))
        fine = growths > 1e-12 * max(growths[0] if growths.size else 0, 1e-290)
        growths, v = growths[fine], off(self.right, v[:, fine])
        return growths, forth(v) / growths, v, settled

    def products(
        self, weights: Weights, *, corrected: bool
    ) -> tuple[Callable[[Cols], Rows], Callable[[Rows], Cols]]:
        """Products of minus the matrix with these weights, between the complements."""
        there, back_again = self._both_ways(weights)

        def forth(b: Cols) -> Rows:
            image = -there(b).astype(float)
            if corrected:
                image += self.carried[0] @ (self.carried[1].T @ b)
            return off(self.left, image)

        def back(b: Rows) -> Cols:
            image = -back_again(b).astype(float)
            if corrected:
                image += self.carried[1] @ (self.carried[0].T @ b)
            return off(self.right, image)

        return forth, back

    def _both_ways(
        self, weights: Weights
    ) -> tuple[Callable[[Cols], Rows], Callable[[Rows], Cols]]:
        """Entries are brought into the order of columns once, which is expensive."""
        if id(weights) not in self.known:
            # With the array, whose identity is its own only while it lives.
            self.known[id(weights)] = weights, self.pull.both_ways(weights)
        return self.known[id(weights)][1]

    def carry(self, gamma: Weights) -> tuple[Rows, Cols]:
        """A and B from now on: what is inside now is taken away for good.

        Cost: two passes over the entries, of r columns.
        """
        u, v = self.left, self.right
        a, b = self.carried
        if not u.shape[1]:
            return a, b
        there, back = self._both_ways(gamma)
        pulled = -there(v).astype(float) + a @ (b.T @ v)
        pushed = -back(u).astype(float) + b @ (a.T @ u)
        # X - P X Q = U U' X + P X V V'
        left = np.concatenate([a, -u, -off(u, pulled)], axis=1)
        return left, np.concatenate([b, pushed, v], axis=1)


def carried_here(
    carried: tuple[Rows, Cols], left: Rows, right: Cols, scale: float
) -> tuple[Rows, Cols]:
    """A and B between the present complements, as thin as they are.

    Args:
        carried: A and B.
        left: basis of the followed left space.
        right: and of the right one.
        scale: of the growths; what is below 3e-4 of it is dropped.
    """
    a, b = off(left, carried[0]), off(right, carried[1])
    if not a.shape[1]:
        return a, b
    (p, x), (q, y) = np.linalg.qr(a), np.linalg.qr(b)
    u, sizes, vt = _decomposed(x @ y.T)
    kept = sizes > _DROPPED * scale
    return p @ (u[:, kept] * sizes[kept]), q @ vt[kept].T


def _decomposed(
    core: Float[np.ndarray, "k l"],
) -> tuple[np.ndarray, Float[np.ndarray, " j"], np.ndarray]:
    """The thin singular value decomposition, for cores that are far from full rank.

    Divide and conquer gives up on some of them, finite as they are; the slower
    iteration does not.
    """
    try:
        return np.linalg.svd(core, full_matrices=False)
    except np.linalg.LinAlgError:
        return scipy.linalg.svd(core, full_matrices=False, lapack_driver="gesvd")


def off(
    basis: Float[np.ndarray, "n r"], block: Float[np.ndarray, "n k"]
) -> Float[np.ndarray, "n k"]:
    """What of a block is orthogonal to a basis."""
    return block - basis @ (basis.T @ block)


@dataclass(frozen=True, kw_only=True)
class Tail:
    """The directions outside that have grown most, by the law.

    Args:
        sizes: by the law, descending; infinity for one that has run away.
        left: u_k.
        right: v_k.
        settled: how many of the first are known exactly enough to be let in.
        rates: at which these grow at present.
        pace: the largest rate of growth of any direction outside, at present.
        norm: an estimate of the Frobenius norm of all that is left out, from above.
    """

    sizes: Float[np.ndarray, " k"]
    left: Rows
    right: Cols
    settled: int
    rates: Float[np.ndarray, " k"]
    pace: float
    norm: float
    watched: Watched

    def wait(self, depth: int, threshold: float, passed: int = 0) -> float:
        """The time until one of them reaches the threshold, if rates stay.

        Args:
            depth: N.
            threshold: a size.
            passed: so many of the first do not count.
        """
        sizes, rates = self.sizes[passed:], self.rates[passed:]
        if not sizes.size:
            return math.inf
        if not sizes[0] < threshold:
            return 0.0
        ways = np.array([law_growth(depth, max(s, 1e-300), threshold) for s in sizes])
        times = ways / np.maximum(rates, 1e-300)
        # The last one seen stands for those that are not.
        unseen = ways[-1] / max(self.pace, 1e-300)
        return float(min(times.min(), unseen))

    @property
    def size(self) -> float:
        """The largest size; 0 for an empty tail."""
        return float(self.sizes[0]) if self.sizes.size else 0.0


def tail_of(
    outside: Outside,
    frames: StartFrames,
    depth: int,
    gamma: Weights,
    present: Weights,
    search: Cols,
    pace: Cols,
    number: int,
) -> tuple[Tail, Cols]:
    """What the law says of the directions outside.

    Args:
        outside: the complements.
        frames: of the start.
        depth: N.
        gamma: weights of the integral of the gradient.
        present: and of the gradient now.
        search: where the search for grown directions begins; may have no column.
        pace: and that for the fastest direction of the gradient.
        number: how many searches there have been: a new random direction joins each.

    Returns:
        The tail, and where the next search for the fastest begins.
    """
    cols = outside.pull.shape[1]
    room = min(outside.pull.shape) - outside.left.shape[1]
    rng = generator(0, "adaptive rank", "search", number)

    def begun(block: Cols, count: int) -> Cols:
        wanted = min(count, room)
        block = block[:, :wanted]
        fresh = rng.standard_normal((cols, max(1, wanted - block.shape[1])))
        return np.concatenate([block, fresh / math.sqrt(cols)], axis=1)

    own = rules(depth)
    count = max(WATCHED, int(own.shared * outside.left.shape[1]))
    growths, left, right, settled = outside.top(
        gamma, begun(search, count), rtol=own.rtol, corrected=depth > 2
    )
    growths, left, right = (a[..., :room] for a in (growths, left, right))
    watched = Watched(growths=growths, left=left, right=right)
    rates, _, fastest, _ = outside.top(
        present, begun(pace, _PACED), rtol=_PACE_RTOL, corrected=False
    )
    sizes, left, right = _sizes(frames, depth, growths, left, right)
    rates_here = -np.einsum(
        "ij,ij->j", left, outside.pull.mm(present, right), dtype=float
    )
    if not sizes.size and room:
        # Nothing has grown yet: every direction is where it was.
        rates_here = rates[:1]
        sizes = np.full(1, float(frames.init_scale))
        left, right = np.zeros((outside.pull.shape[0], 1)), np.zeros((cols, 1))
    rest = max(room - sizes.size, 0) * float(sizes[-1] if sizes.size else 0.0) ** 2
    with np.errstate(over="ignore"):
        norm = math.sqrt(float(np.square(sizes).sum()) + rest)
    return (
        Tail(
            sizes=sizes,
            left=left,
            right=right,
            settled=max(settled, 1),
            rates=rates_here,
            pace=float(rates[0]) if rates.size else 0.0,
            norm=norm,
            watched=watched,
        ),
        fastest,
    )


def _sizes(
    frames: StartFrames,
    depth: int,
    growths: Float[np.ndarray, " k"],
    left: Rows,
    right: Cols,
) -> tuple[Float[np.ndarray, " k"], Rows, Cols]:
    """Sizes by the law, descending, and directions."""
    scale = float(frames.init_scale)
    if frames.left is None or frames.right is None:
        sizes = np.array([law_size(depth, scale, g) for g in growths])
        return sizes, left, right
    assert depth == 2, "deeper flows from such frames are followed whole"
    parts = overlaps((frames.left, frames.right), left, right)
    # Exact for growing pairs: e^g S e^g, whose own directions are the ones.
    grown = np.exp(np.minimum(growths, 300.0))
    values, turn = np.linalg.eigh(grown[:, None] * parts * grown)
    values, turn = np.maximum(values[::-1], 0), turn[:, ::-1]
    return scale * values, left @ turn, right @ turn
