r"""What a hidden unit that is let in late has been through, at depth 2.

With the factors one above the other, Z = [L; R], the flow of depth 2 is linear where
the gradient is given: Z' = -[[0, G], [G', 0]] Z, so that Z = F Z(0) with a time-ordered
product F of exponentials. A hidden unit h is a column F Z(0) h whether it was followed
or not: one that is let in late is brought forward through the past, kept as the
integrals of the gradient over a few epochs. Which h grows into a direction z of today
the same product says backward, h = Z(0)' F' z.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lowrankflow.dynamics.thin_pull import AbstractPull, Cols, Rows, Weights
from lowrankflow.factorizations import StartFrames

# An epoch ends where its length (in growth) times how far the gradient has left its
# mean is so much: what is lost by leaving out commutators is a twelfth of a square.
_TURNED = 0.03
# Epochs that are kept; the shortest neighbours become one beyond that.
MOST_EPOCHS = 48
# The share of a column's norm at which a power series ends. Backward it says which
# hidden units are meant, and what is meant need not be exact.
_SERIES, _SINGLE, _MEANT = 1e-9, 1e-6, 1e-3
_MOST_TERMS = 3000
# Terms between looks at their size.
_BETWEEN = 3
# A column that is this little of what it was before others were taken out is nothing.
_NOTHING = 1e-6

Pair = tuple[Rows, Cols]


@dataclass(kw_only=True)
class Past:
    r"""The gradient so far by epochs, and the hidden units taken from the start.

    Args:
        epochs: weights of the integral of the gradient over each, the first first.
        lengths: of the epochs, as growth of the direction that grew fastest.
        then: weights of the integral until the last epoch's end.
        taken_left: what the units let in were at the start, as orthonormal columns:
            left sides u_h where every direction has the same part in the start, hidden
            units h where its frames are given.
        taken_right: right sides v_h; no column where frames are given.
    """

    epochs: Float[np.ndarray, "epochs m"]
    lengths: Float[np.ndarray, " epochs"]
    then: Weights
    taken_left: Float[np.ndarray, "a r"]
    taken_right: Float[np.ndarray, "b r"]

    def is_turning(self, gamma: Weights, present: Weights, time: float) -> bool:
        """Whether the epoch that runs should end, so much has the gradient changed.

        Args:
            gamma: weights of the integral of the gradient.
            present: of the gradient.
            time: in units of the fastest growth, since the last epoch's end.
        """
        grown = gamma - self.then
        norm = float(np.linalg.norm(grown))
        now = float(np.linalg.norm(present))
        if norm == 0 or now == 0:
            return False
        along = float(grown @ present) / (norm * now)
        return time * math.sqrt(max(1 - along * along, 0.0)) >= _TURNED

    def end_epoch(self, gamma: Weights, length: float) -> None:
        """Another epoch begins."""
        grown = gamma - self.then
        if not grown.any():
            return
        self.epochs = np.concatenate([self.epochs, grown[None]])
        self.lengths = np.append(self.lengths, length)
        self.then = gamma.copy()
        if len(self.lengths) > MOST_EPOCHS:
            k = int(np.argmin(self.lengths[:-1] + self.lengths[1:]))
            for array in (self.epochs, self.lengths):
                array[k] += array[k + 1]
            self.epochs = np.delete(self.epochs, k + 1, axis=0)
            self.lengths = np.delete(self.lengths, k + 1)

    def bring(
        self, pull: AbstractPull, frames: StartFrames, mirrored: bool, now: Pair
    ) -> Pair:
        r"""The hidden units that have grown into some directions, as they are today.

        Args:
            pull: the gradient's products.
            frames: of the start.
            mirrored: whether left and right are one.
            now: u_k and v_k of today.

        Returns:
            Columns of the left factor and of the right one; fewer than there were
            directions where some come from the same units, or from units taken before.
        """
        past = self._through(pull, mirrored, now, backward=True)
        start = self._take(frames, mirrored, past)
        return self._through(pull, mirrored, start, backward=False)

    def turn(self, rotation: Float[np.ndarray, "r r"]) -> None:
        """The hidden units in another basis of theirs."""
        self.taken_left = self.taken_left @ rotation
        if self.taken_right.shape[1]:
            self.taken_right = self.taken_right @ rotation

    def keep(self, kept: np.ndarray) -> None:
        """Only some of the hidden units are still followed."""
        self.taken_left = self.taken_left[:, kept]
        if self.taken_right.shape[1]:
            self.taken_right = self.taken_right[:, kept]

    def _take(self, frames: StartFrames, mirrored: bool, past: Pair) -> Pair:
        """Units of the start along `past`, not taken before: they are taken now."""
        scale = math.sqrt(float(frames.init_scale))
        if frames.left is not None and frames.right is not None:
            sides = frames.left, frames.left if mirrored else frames.right
            hidden = sides[0].T @ past[0] + sides[1].T @ past[1]
            new = _new(hidden, self.taken_left)
            self.taken_left = np.concatenate([self.taken_left, new], axis=1)
            return scale * (sides[0] @ new), scale * (sides[1] @ new)
        left = _new(past[0], self.taken_left)
        if mirrored:
            self.taken_left = np.concatenate([self.taken_left, left], axis=1)
            return scale * left, scale * left
        # Every direction has the same part: the unit of (u, v) is what both sides are.
        joined = np.concatenate(past)
        joined = joined / np.linalg.norm(joined, axis=0)
        left, right = (
            _new(side, taken)
            for side, taken in zip(
                np.split(joined, [past[0].shape[0]]),
                (self.taken_left, self.taken_right),
                strict=True,
            )
        )
        # Orthonormal bases of both sides, turned so that they go together.
        rows = left.shape[0]
        u, _, vt = np.linalg.svd(
            (left.T @ joined[:rows]) @ (joined[rows:].T @ right), full_matrices=False
        )
        left, right = left @ u, right @ vt.T
        self.taken_left = np.concatenate([self.taken_left, left], axis=1)
        self.taken_right = np.concatenate([self.taken_right, right], axis=1)
        return scale * left, scale * right

    def _through(
        self, pull: AbstractPull, mirrored: bool, pair: Pair, *, backward: bool
    ) -> Pair:
        """Both sides moved through all epochs; back, as the transpose moves them."""
        for weights in self.epochs[::-1] if backward else self.epochs:
            there, back = pull.both_ways(weights)
            share = _SINGLE if pull.dtype.itemsize == 4 else _SERIES
            share = _MEANT if backward else share
            if mirrored:
                left = _exponential(lambda b, go=there: (-go(b[0]),), pair[:1], share)[
                    0
                ]
                pair = (left, left)
                continue

            def rate(b, go=there, come=back):
                return -go(b[1]), -come(b[0])

            left, right = _exponential(rate, pair, share)
            pair = (left, right)
            if backward:
                # Lengths mean nothing there, and might overflow.
                norms = _norms(pair)
                pair = pair[0] / norms, pair[1] / norms
        return pair


def _exponential(
    rate: Callable[[tuple], tuple], pair: tuple[np.ndarray, ...], share: float
) -> tuple[np.ndarray, ...]:
    """exp(rate) of columns, by its power series, to a share of their norms."""
    total = term = tuple(side.astype(float) for side in pair)
    for k in range(1, _MOST_TERMS):
        moved = rate(term)
        term = tuple(side.astype(float) / k for side in moved)
        total = tuple(a + b for a, b in zip(total, term, strict=True))
        if k % _BETWEEN:
            continue
        if np.all(_norms(term) <= share * _norms(total)):
            break
    return total


def _norms(sides: tuple[np.ndarray, ...]) -> Float[np.ndarray, " k"]:
    """Of columns that are one above the other."""
    return np.sqrt(sum(np.einsum("ij,ij->j", side, side) for side in sides))


def _new(
    block: Float[np.ndarray, "n k"], taken: Float[np.ndarray, "n r"]
) -> Float[np.ndarray, "n j"]:
    """An orthonormal basis of what of a block is orthogonal to what is taken."""
    lengths = np.linalg.norm(block, axis=0)
    block = block[:, lengths > 0] / lengths[lengths > 0]
    for _ in range(2):
        block = block - taken @ (taken.T @ block)
    room = block.shape[0] - taken.shape[1]
    basis, sizes, _ = np.linalg.svd(block, full_matrices=False)
    basis = basis[:, sizes > _NOTHING][:, :room]
    basis = basis - taken @ (taken.T @ basis)
    return np.linalg.qr(basis)[0]


def _polar(core: Float[np.ndarray, "k l"]) -> Float[np.ndarray, "k l"]:
    """The nearest matrix with orthonormal rows or columns."""
    u, _, vt = np.linalg.svd(core, full_matrices=False)
    return u @ vt


def hidden_turn(before: Pair, after: Pair) -> Float[np.ndarray, "r r"]:
    """The rotation of hidden units that takes some balanced factors to others."""
    return _polar(before[0].T @ after[0] + before[1].T @ after[1])
