r"""Flows that keep W symmetric, kept symmetric in rounding too.

When f is symmetric (grad f(W) is symmetric wherever W is) and the factors begin as each
other's mirror images, W_j = W_{N+1-j}', the flow keeps them so, and W = W'. The flow
does not return to such a point when pushed off it, though: near a critical point W_r of
rank r, pairs (e + x)(e - x)' of directions e inside and x outside its range lower the
loss at a rate of order one whenever grad f(W_r) has a positive eigenvalue along x, so a
rounding error of 1e-16 in the skew part of W reaches order one within one plateau of
li2021's experiments, and the run ends at a matrix that is not symmetric. The exact flow
never does. Its velocity is therefore averaged with its mirror image: what is left out
is rounding and nothing else.
"""

import jax
import numpy as np

from lowrankflow.dynamics.steppers import Tree
from lowrankflow.problems import AbstractObjective, to_dense
from lowrankflow.seeds import generator

HostFactors = tuple[np.ndarray, ...]

# Starts are mirror images exactly or to a few roundings.
_SAME = 1e-14
# A gradient summed over measurements in another order differs by roundings.
_SYMMETRIC = 1e-12


def is_mirrored(problem: AbstractObjective, factors: HostFactors) -> bool:
    """Whether the flow from these factors keeps W_j = W_{N+1-j}' for all j.

    Args:
        problem: the objective; it counts as symmetric when its gradient is symmetric at
            the start and at a random symmetric matrix, which for an analytic f is no
            coincidence.
        factors: where the flow starts; one for a flow of W itself.

    Exactness: to rounding.
    Cost: two gradients.
    """
    for factor, image in zip(factors, factors[::-1], strict=True):
        if factor.shape != image.T.shape:
            return False
        if np.abs(factor - image.T).max() > _SAME * np.abs(factor).max():
            return False
    matrix = factors[0]
    for factor in factors[1:]:
        matrix = factor @ matrix
    probe = generator(0, "symmetric probe").standard_normal(matrix.shape)
    return all(
        is_symmetric(np.asarray(to_dense(problem.gradient(point))))
        for point in ((matrix + matrix.T) / 2, (probe + probe.T) / 2)
    )


def mirrored(tree: Tree) -> Tree:
    """The mean of a tuple of factors, or of velocities, and its mirror image."""
    return tuple(
        (leaf + image.T) / 2 for leaf, image in zip(tree, tree[::-1], strict=True)
    )


def on_host(tree: Tree) -> Tree:
    """The tree with its device arrays as NumPy arrays.

    What is computed once, on the host, then needs no compiled program for each of its
    operations.
    """
    return jax.tree.map(
        lambda leaf: np.asarray(leaf) if isinstance(leaf, jax.Array) else leaf, tree
    )


def is_symmetric(array: np.ndarray) -> bool:
    """Whether a square array is its transpose to rounding."""
    # Written so that a NaN, from outside the domain of f, counts as not symmetric.
    return bool(np.abs(array - array.T).max() <= _SYMMETRIC * np.abs(array).max())
