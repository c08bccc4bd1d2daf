"""Growth outside and followed directions where both turn, beyond depth 2.

`tail_turning` says by how much; here it happens, from one search to the next.
"""

import functools
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from lowrankflow.dynamics.adaptive_rank_tail import Outside, Tail, carried_here, off
from lowrankflow.dynamics.tail_law import law_growth
from lowrankflow.dynamics.tail_turning import Watched, lacking, swung
from lowrankflow.dynamics.thin_flow import ThinFlow
from lowrankflow.dynamics.thin_pull import Cols, Rows, Weights

# Followed directions turn by what is outside while they are below so many times it.
_FAR = 100.0
# The largest angle at a time: so much, and so many times what has been grown by.
_MOST, _OF_RISE = 0.2, 2.0


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """The time between two searches.

    Args:
        depth: N >= 3.
        start: size of every direction at the start.
        then: weights of the integral of the gradient at its beginning.
        gamma: at its end.
        before: what was watched at its beginning.
        scale: the growth from the start until a direction is let in.
    """

    depth: int
    start: float
    then: Weights
    gamma: Weights
    before: Watched
    scale: float

    @functools.cached_property
    def change(self) -> Weights:
        """Weights of the integral of the gradient over the epoch."""
        return self.gamma - self.then

    def grown(self, outside: Outside) -> Outside:
        """The growth outside, with what the epoch lacks where directions turned.

        By Heun's rule: what it lacks for the directions at its beginning, and for those
        that this gives at its end.

        Exactness: order 2 in the epoch for the watched directions, but for the fit of
            `lacking`.
        """
        change = outside.products(self.change, corrected=False)
        settings = self._settings(outside)
        first = lacking(
            self._watched(outside),
            change,
            outside.products(self.then, corrected=True),
            **settings,
        )
        tried = self._with(outside, (1.0, first))
        growths, left, right, _ = tried.top(
            self.gamma, self.before.right, rtol=1e-3, corrected=True
        )
        if not growths.size:
            return self._thin(tried)
        second = lacking(
            Watched(growths=growths, left=left, right=right),
            change,
            tried.products(self.gamma, corrected=True),
            **settings,
        )
        return self._thin(self._with(outside, (0.5, first), (0.5, second)))

    def turn(
        self, flow: ThinFlow, tail: Tail, outside: Outside
    ) -> tuple[Tail, Outside]:
        """What is followed turns by what is outside, which stays orthogonal to it."""
        values = flow.decomposed()[1]
        bases = self.turned(outside, values, tail.watched, tail.size)
        if bases is None:
            return tail, outside
        flow.turn(bases[0], values, bases[1])
        left, right = off(bases[0], tail.left), off(bases[1], tail.right)
        return (
            replace(tail, left=left, right=right),
            replace(outside, left=bases[0], right=bases[1]),
        )

    def turned(
        self,
        outside: Outside,
        values: Float[np.ndarray, " r"],
        watched: Watched,
        tail_size: float,
    ) -> tuple[Rows, Cols] | None:
        """The followed directions, turned by what those outside add to it.

        Args:
            outside: the complements, which know what is followed.
            values: sizes of the followed directions, in their order.
            watched: what is watched at the end of the epoch.
            tail_size: the largest size outside.

        Returns:
            Orthonormal bases; None where nothing has to turn.

        Exactness: order 1 in the epoch, for directions that rise. Where nothing does
            epochs are long, this would be no small step, and it matters little.
        """
        near = values < _FAR * max(min(tail_size, values.max()), self.start)
        if not near.any():
            return None
        sizes = values[near]
        growths = np.array([law_growth(self.depth, self.start, s) for s in sizes])
        followed = Watched(
            growths=growths, left=outside.left[:, near], right=outside.right[:, near]
        )
        d_left, d_right = swung(
            followed,
            watched,
            outside.products(self.change, corrected=False),
            outside.products(self.gamma, corrected=True),
            **self._settings(outside),
        )
        squares = (np.square(side).sum(axis=0) for side in (d_left, d_right))
        angles = np.sqrt(sum(squares) / 2)
        pulled = -outside.pull.mm(self.change, followed.right)
        rise = np.einsum("ij,ij->j", followed.left, pulled, dtype=float)
        rise *= self.depth * sizes ** (1 - 2 / self.depth)
        most = np.clip(_OF_RISE * rise, 0.0, _MOST)
        share = np.minimum(1.0, most / np.maximum(angles, 1e-300))
        left, right = outside.left.copy(), outside.right.copy()
        left[:, near] += share * d_left
        if outside.is_mirrored:
            left = _aligned(left)
            return left, left
        right[:, near] += share * d_right
        return _aligned(left), _aligned(right)

    def _watched(self, outside: Outside) -> Watched:
        """What was watched, between the present complements."""
        left = _aligned(off(outside.left, self.before.left))
        if outside.is_mirrored:
            return replace(self.before, left=left, right=left)
        right = _aligned(off(outside.right, self.before.right))
        return replace(self.before, left=left, right=right)

    def _settings(self, outside: Outside) -> dict:
        return {
            "depth": self.depth,
            "start": self.start,
            "is_mirrored": outside.is_mirrored,
        }

    def _with(
        self, outside: Outside, *added: tuple[float, tuple[Rows, Cols]]
    ) -> Outside:
        a = [outside.carried[0], *(share * pair[0] for share, pair in added)]
        b = [outside.carried[1], *(pair[1] for _, pair in added)]
        both = np.concatenate(a, axis=1), np.concatenate(b, axis=1)
        return replace(outside, carried=both)

    def _thin(self, outside: Outside) -> Outside:
        carried = carried_here(outside.carried, outside.left, outside.right, self.scale)
        return replace(outside, carried=carried)


def _aligned(block: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
    """The nearest orthonormal columns."""
    u, _, vt = np.linalg.svd(block, full_matrices=False)
    return u @ vt
