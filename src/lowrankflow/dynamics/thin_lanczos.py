"""The top eigenpair of a large symmetric matrix that is known by its products.

Many vectors are multiplied at once, which costs little more than one when each product
is a pass over millions of entries, and makes clusters of eigenvalues harmless: those
of a truth whose directions are alike, and the edge of the noise.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Columns = Float[np.ndarray, "n k"]
BLOCK = 8
# Columns kept in all, and after a restart; products of a block in all.
LARGEST = 40
_KEPT = 2 * BLOCK
_MOST_PRODUCTS = 200


@dataclass(frozen=True, kw_only=True, eq=False)
class TopPairs:
    """What the products showed of the top of the spectrum.

    Args:
        value: the top eigenvalue's estimate, from below.
        error: norm of the first pair's residual: an eigenvalue is within it of `value`.
        vectors: approximations of the top eigenvectors, best first, orthonormal.
        products: how many blocks were multiplied.
    """

    value: float
    error: float
    vectors: Columns
    products: int


def top_pairs(
    multiply: Callable[[Columns], Columns],
    start: Columns,
    *,
    met: Callable[[float, float], bool],
) -> TopPairs:
    """Iterate from a block of vectors.

    Args:
        multiply: the matrix times a block of columns; symmetric.
        start: n x k, n >= `LARGEST`, of full rank.
        met: whether a value and its error will do.

    Exactness: as `met` says, or where 200 products end; that no larger
        eigenvalue was missed holds with probability one for a random start.
    Cost: a product of k columns each iteration; memory for 80 columns.
    Source: golub2013, section 10.3, the block Lanczos method.
    Differs: restarted with the best pairs; orthogonal to rounding throughout.
    """
    basis = np.linalg.qr(start)[0]
    images = multiply(basis)
    products = 1
    while True:
        inside = basis.T @ images
        values, weights = np.linalg.eigh((inside + inside.T) / 2)
        values, weights = values[::-1], weights[:, ::-1]
        width = start.shape[1]
        vectors = basis @ weights[:, :width]
        remainder = images @ weights[:, :width] - vectors * values[:width]
        error = float(np.linalg.norm(remainder[:, 0]))
        if met(float(values[0]), error) or products >= _MOST_PRODUCTS:
            return TopPairs(
                value=float(values[0]), error=error, vectors=vectors, products=products
            )
        if basis.shape[1] + width > LARGEST:
            basis, images = basis @ weights[:, :_KEPT], images @ weights[:, :_KEPT]
        # Twice is enough; a remainder of zero leaves rounding, as good a start as any.
        added = remainder
        for _ in range(2):
            added = np.linalg.qr(added - basis @ (basis.T @ added))[0]
        basis = np.concatenate([basis, added], axis=1)
        images = np.concatenate([images, multiply(added)], axis=1)
        products += 1
