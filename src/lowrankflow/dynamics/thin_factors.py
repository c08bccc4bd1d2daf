"""Balanced factors of any depth at their current rank: W = L C_n ... C_1 R'."""

import functools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lowrankflow.dynamics.stabilized_host import Flat
from lowrankflow.dynamics.thin_pull import AbstractPull, Cols, Core, Rows, Weights
from lowrankflow.problems import Factored

Cores = Float[np.ndarray, "inner r r"]


@dataclass(frozen=True, kw_only=True)
class ThinFactors:
    """Factors of a given depth and rank as views of one flat array, and how they move.

    Args:
        pull: the gradient.
        depth: N >= 2.
        rank: r >= 1.
        is_mirrored: whether R is L and the cores are mirror images: W is symmetric,
            positive semidefinite, and so stays.
    """

    pull: AbstractPull
    depth: int
    rank: int
    is_mirrored: bool

    def split(self, point: Flat) -> tuple[Rows, Cores, Cols]:
        """L, the cores (the first acting first), and R."""
        rows, cols = self.pull.shape
        r, inner = self.rank, self.depth - 2
        ends = rows * r, rows * r + inner * r * r
        left = point[: ends[0]].reshape(rows, r)
        cores = point[ends[0] : ends[1]].reshape(inner, r, r)
        right = left if self.is_mirrored else point[ends[1] :].reshape(cols, r)
        return left, cores, right

    def joined(self, left: Rows, cores: Cores, right: Cols) -> Flat:
        """The flat array of these factors."""
        parts = [left.ravel(), cores.ravel()]
        if not self.is_mirrored:
            parts.append(right.ravel())
        return np.concatenate(parts)

    def velocity(self, point: Flat, out: Weights) -> tuple[Flat, float]:
        """Minus the gradient in the factors, and f; the weights of grad f go to `out`.

        Cost: two fused passes over the entries (one for mirror images).
        """
        left, cores, right = self.split(point)
        core = _product(cores)
        if self.is_mirrored:
            pulled, loss = self.pull.mirrored_products(left, core, out)
            other = pulled
        else:
            pulled, other, loss = self.pull.products(left, core, right, out)
        moved = np.empty_like(point)
        d_left, d_cores, d_right = self.split(moved)
        np.negative(pulled if core is None else pulled @ core.T, out=d_left)
        if not self.is_mirrored:
            np.negative(other if core is None else other @ core, out=d_right)
        if len(cores):
            inside = left.T @ pulled
            for j in range(len(cores)):
                turned = inside
                for later in cores[:j:-1]:
                    turned = later.T @ turned
                for earlier in cores[:j]:
                    turned = turned @ earlier.T
                d_cores[j] = -turned
            if self.is_mirrored:
                d_cores[:] = (d_cores + d_cores[::-1].transpose(0, 2, 1)) / 2
        return moved, loss

    def unit_norms(self, point: Flat) -> Float[np.ndarray, " units"]:
        """Sizes of the hidden units' blocks, factor by factor."""
        left, cores, right = self.split(point)
        blocks = [left] if self.is_mirrored else [left, right]
        norms = [np.sqrt(np.einsum("ij,ij->j", block, block)) for block in blocks]
        norms += [np.sqrt(np.einsum("ij,ij->j", core, core)) for core in cores]
        return np.concatenate(norms)

    def decomposed(self, point: Flat) -> tuple[Rows, Float[np.ndarray, " r"], Cols]:
        """The singular value decomposition of W.

        Cost: (rows + cols) r^2.
        """
        left, cores, right = self.split(point)
        core = _product(cores)
        q, a = np.linalg.qr(left)
        if self.is_mirrored:
            inner = a @ a.T if core is None else a @ core @ a.T
            values, turn = np.linalg.eigh((inner + inner.T) / 2)
            turned = q @ turn[:, ::-1]
            return turned, np.maximum(values[::-1], 0), turned
        p, b = np.linalg.qr(right)
        u, values, vt = np.linalg.svd(a @ b.T if core is None else a @ core @ b.T)
        return q @ u, values, p @ vt.T


def factored(left: Rows, cores: Cores, right: Cols) -> Factored:
    """W = L C_n ... C_1 R', by its factors, in float64."""
    core = _product(np.asarray(cores, float))
    inner = np.eye(left.shape[1]) if core is None else core
    return Factored(np.asarray(left, float), inner, np.asarray(right, float))


def balanced_thin(
    left: Rows, values: Float[np.ndarray, " r"], right: Cols, depth: int
) -> tuple[Rows, Cores, Cols]:
    """Balanced factors of left diag(values) right', one hidden unit for each value."""
    root = (values ** (1 / depth)).astype(left.dtype)
    cores = np.repeat(np.diag(root)[None], depth - 2, axis=0)
    return left * root, cores, right * root


def _product(cores: Cores) -> Core | None:
    """C_n ... C_1; None for no cores."""
    if not len(cores):
        return None
    return functools.reduce(lambda product, core: core @ product, cores)
