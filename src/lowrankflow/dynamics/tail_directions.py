"""Where a symmetric operator that is known by its action grows most: a few pairs."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

Block = Float[np.ndarray, "n k"]

# Krylov blocks between two restarts.
_DEPTH = 3
# What those after the first may still change by, in units of what it may.
_OTHERS = 100.0
# Squared length below which a unit column counts as dependent on the others.
_DEPENDENT = 1e-13


def top_eigenpairs(
    apply: Callable[[Block], Block],
    block: Block,
    *,
    rtol: float,
    rounds: int,
) -> tuple[Float[np.ndarray, " k"], Block, int]:
    """The largest eigenvalues of a symmetric operator and their vectors.

    Args:
        apply: the operator, on blocks.
        block: n x k, where the search begins: of full column rank, within the subspace
            to be searched, which the operator must leave to itself.
        rtol: of the largest value, relative to the largest in absolute value, from one
            restart to the next.
        rounds: restarts at most.

    Returns:
        The values, descending, orthonormal vectors, and how many of the first have
        settled like that (those after the first, to a hundred times as much); fewer
        than k where the space has fewer dimensions.

    Exactness: values from below, within about `rtol`; a direction orthogonal to `block`
        and all its images is not seen.
    Cost: 3 k applications a round.
    Source: golub2013, section 10.3 (block Lanczos, restarted with Ritz vectors).
    Differs: the basis is orthogonalized in full.
    """
    count = block.shape[1]
    values, settled = np.empty(0), 0
    for _ in range(max(rounds, 1)):
        basis, images = _krylov(apply, block)
        if basis.shape[1] == 0:
            return np.zeros(0), basis, 0
        small = basis.T @ images
        found, turns = np.linalg.eigh((small + small.T) / 2)
        best = slice(None, -count - 1, -1)
        before, values, block = values, found[best], basis @ turns[:, best]
        scale = np.abs(found).max()
        same = np.zeros(values.size, bool)
        shared = min(before.size, values.size)
        allowed = np.full(shared, _OTHERS * rtol * scale)
        allowed[:1] = rtol * scale
        same[:shared] = np.abs(before[:shared] - values[:shared]) <= allowed
        if basis.shape[1] >= basis.shape[0]:
            same[:] = True
        settled = int(np.argmin(np.append(same, False)))
        if settled:
            break
    return values, block, settled


def _krylov(
    apply: Callable[[Block], Block], block: Block
) -> tuple[Float[np.ndarray, "n b"], Float[np.ndarray, "n b"]]:
    """An orthonormal basis of the first Krylov blocks, and its images."""
    size = block.shape[0]
    basis = images = np.zeros((size, 0), block.dtype)
    new = block
    for _ in range(_DEPTH):
        new = _orthonormal(new, basis)
        if new.shape[1] == 0:
            break
        image = apply(new)
        basis = np.concatenate([basis, new], axis=1)
        images = np.concatenate([images, image], axis=1)
        new = image
    return basis, images


def _orthonormal(block: Block, basis: Block) -> Block:
    """What of a block is orthogonal to a basis, orthonormal; columns may be dropped."""
    room = block.shape[0] - basis.shape[1]
    lengths = np.linalg.norm(block, axis=0)
    block = block[:, lengths > 0] / lengths[lengths > 0]
    # By the small Gram matrix; twice, since once leaves what rounding makes of a nearly
    # dependent block.
    for _ in range(2):
        block = block - basis @ (basis.T @ block)
        squares, turn = np.linalg.eigh(block.T @ block)
        kept = squares > _DEPENDENT
        block = block @ (turn[:, kept] / np.sqrt(squares[kept]))
        block = block[:, ::-1][:, :room]
    return block
