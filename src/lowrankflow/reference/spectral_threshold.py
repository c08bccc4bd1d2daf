"""Soft thresholding of singular values and of eigenvalues, with its derivative.

The proximal maps of the nuclear norm and of the trace on the p.s.d. cone. Each returns
the whole decomposition, because the derivative in a direction needs it: there it acts
by one weight for every pair of singular (eigen-) directions, and only pairs with at
least one value above the level have a weight. That keeps a product with the derivative
thin even though the decomposition is full.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, kw_only=True)
class SingularThreshold:
    r"""sum_i max(s_i - level, 0) u_i v_i' for Z = sum_i s_i u_i v_i', rows <= cols.

    Args:
        left: u_i as columns, rows x rows, orthogonal.
        values: s_i, descending.
        right: v_i as columns, cols x rows, orthonormal.
        level: what is taken off each singular value.

    Exactness: exact.
    Source: cai2010, theorem 2.1; the derivative: jiang2012, section 2.
    """

    left: Float[np.ndarray, "rows rows"]
    values: Float[np.ndarray, " rows"]
    right: Float[np.ndarray, "cols rows"]
    level: float

    @property
    def rank(self) -> int:
        """How many singular values are above the level."""
        return int(np.searchsorted(-self.values, -self.level))

    @property
    def excess(self) -> Float[np.ndarray, " rank"]:
        """The singular values of the thresholded matrix that are not zero."""
        return self.values[: self.rank] - self.level

    def matrix(self) -> Float[np.ndarray, "rows cols"]:
        """The thresholded matrix."""
        k = self.rank
        return (self.left[:, :k] * self.excess) @ self.right[:, :k].T

    def derivative(self):
        """The derivative as a function of a direction H, rows x cols.

        Cost: of one product, about 8 rank rows cols operations.
        """
        k, excess = self.rank, self.excess
        left, right = self.left, self.right
        kept_left, kept_right, rest_left = left[:, :k], right[:, :k], left[:, k:]
        same, cross = self._weights()
        same_in, same_out = same[:k, :k], same[:k, k:]
        cross_in, cross_out = cross[:k, :k], cross[:k, k:]
        wide = right.shape[0] > left.shape[0]
        outside = (excess / self.values[:k])[:, None]

        def product(direction):
            above = kept_left.T @ direction
            across = (direction @ kept_right).T
            first, second = above @ right, across @ left
            inner = first[:, :k]
            core = same_in * inner + cross_in * inner.T
            tail = same_out * first[:, k:] + cross_out * second[:, k:]
            mirror = same_out * second[:, k:] + cross_out * first[:, k:]
            rows_part = np.concatenate([core, tail], axis=1) @ right.T
            if wide:
                rows_part += outside * (above - first @ right.T)
            return kept_left @ rows_part + (rest_left @ mirror.T) @ kept_right.T

        return product

    def derivative_gram(
        self, stack: Float[np.ndarray, "m rows cols"]
    ) -> Float[np.ndarray, "m m"]:
        """<A_k, D[A_l]> for all pairs of a stack, where D is the derivative.

        Cost: 4 m rows^2 cols + 2 m^2 rows^2 operations: for small problems.
        """
        same, cross = self._weights()
        turned = self.left.T @ stack @ self.right
        moved = same * turned + cross * turned.transpose(0, 2, 1)
        m = len(stack)
        gram = turned.reshape(m, -1) @ moved.reshape(m, -1).T
        if self.right.shape[0] > self.left.shape[0]:
            k = self.rank
            beyond = self.left[:, :k].T @ stack - turned[:, :k] @ self.right.T
            scale = (self.excess / self.values[:k])[:, None]
            gram += beyond.reshape(m, -1) @ (scale * beyond).reshape(m, -1).T
        return gram

    def _weights(self):
        """Weights of u_i' H v_j and of u_j' H v_i in entry (i, j) of the derivative."""
        k, s = self.rank, self.values
        p = np.maximum(s - self.level, 0)
        gap, total = s[:, None] - s[None, :], s[:, None] + s[None, :]
        kept = np.arange(s.size) < k
        both, either = kept[:, None] & kept, kept[:, None] | kept
        mixed = either & ~both
        symmetric = both.astype(float)
        np.divide(p[:, None] - p[None, :], gap, out=symmetric, where=mixed)
        skew = np.zeros_like(symmetric)
        np.divide(p[:, None] + p[None, :], total, out=skew, where=either)
        return 0.5 * (symmetric + skew), 0.5 * (symmetric - skew)


@dataclass(frozen=True, kw_only=True)
class EigenThreshold:
    r"""sum_i max(w_i - level, 0) q_i q_i', for symmetric Z = sum_i w_i q_i q_i'.

    Args:
        basis: q_i as columns, orthogonal.
        values: w_i, descending.
        level: what is taken off each eigenvalue.

    Exactness: exact.
    Source: zhao2010, section 2 (projection on the p.s.d. cone and its derivative).
    """

    basis: Float[np.ndarray, "size size"]
    values: Float[np.ndarray, " size"]
    level: float

    @property
    def rank(self) -> int:
        """How many eigenvalues are above the level."""
        return int(np.searchsorted(-self.values, -self.level))

    @property
    def excess(self) -> Float[np.ndarray, " rank"]:
        """The eigenvalues of the thresholded matrix that are not zero."""
        return self.values[: self.rank] - self.level

    def matrix(self) -> Float[np.ndarray, "size size"]:
        """The thresholded matrix, positive semidefinite."""
        kept = self.basis[:, : self.rank]
        return (kept * self.excess) @ kept.T

    def derivative(self):
        """The derivative as a function of a symmetric direction.

        Cost: of one product, about 6 rank size^2 operations.
        """
        k = self.rank
        kept, rest = self.basis[:, :k], self.basis[:, k:]
        weights = self._weights()[:k, k:]

        def product(direction):
            turned = (kept.T @ direction) @ self.basis
            half = (0.5 * turned[:, :k]) @ kept.T + (weights * turned[:, k:]) @ rest.T
            one_side = kept @ half
            return one_side + one_side.T

        return product

    def derivative_gram(
        self, stack: Float[np.ndarray, "m size size"]
    ) -> Float[np.ndarray, "m m"]:
        """<A_k, D[A_l]> for all pairs of a symmetric stack, D being the derivative."""
        turned = self.basis.T @ stack @ self.basis
        m = len(stack)
        return turned.reshape(m, -1) @ (self._weights() * turned).reshape(m, -1).T

    def _weights(self):
        """Weight of q_i' H q_j in entry (i, j) of the derivative."""
        k, w = self.rank, self.values
        p = np.maximum(w - self.level, 0)
        kept = np.arange(w.size) < k
        both, either = kept[:, None] & kept, kept[:, None] | kept
        weights = both.astype(float)
        gap = w[:, None] - w[None, :]
        np.divide(p[:, None] - p[None, :], gap, out=weights, where=either & ~both)
        return weights


SpectralThreshold = SingularThreshold | EigenThreshold


def threshold(
    matrix: Float[np.ndarray, "rows cols"], level: float, *, psd: bool
) -> SpectralThreshold:
    """Threshold singular values (rows <= cols), or eigenvalues of a symmetric matrix.

    Cost: one full decomposition.
    """
    if psd:
        values, basis = np.linalg.eigh(matrix)
        return EigenThreshold(basis=basis[:, ::-1], values=values[::-1], level=level)
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    return SingularThreshold(left=left, values=values, right=right.T, level=level)


def spectral_bound(matrix: Float[np.ndarray, "rows cols"], *, psd: bool) -> float:
    """The largest singular value, or the largest eigenvalue of a symmetric matrix."""
    if psd:
        return float(np.linalg.eigvalsh(matrix)[-1])
    return float(np.linalg.svd(matrix, compute_uv=False)[0])
