"""How far a point is from a curve that is known at many points."""

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import DataError

# Of the squared size of the numbers: what rounding may do to a squared distance that is
# computed from products.
_ROUNDING = 1e-13


class Polyline:
    r"""A curve as straight pieces from corner to corner, to take distances from.

    Corners alone would leave a floor of half their spacing under every distance. What
    is the same for all points is computed once.

    Args:
        corners: in their order, one per row, at least one; corners may repeat.

    Raises:
        DataError: when there is no corner.

    Exactness: exact for the polyline; a smooth curve of curvature k whose corners are h
        apart lies within k h^2 / 8 of it.
    Source: own, the distance of li2021, figure 1.
    Differs: li2021 samples its curve densely and takes the nearest sample.
    """

    def __init__(self, corners: Float[np.ndarray, "points dimensions"]):
        corners = np.asarray(corners, float)
        if corners.ndim != 2 or not len(corners):
            raise DataError(
                where="Polyline(corners)",
                rule="a curve has at least one corner, one per row",
                got=f"shape {corners.shape}",
                fix="Flatten matrices: matrix.ravel()",
            )
        self.corners = corners
        self._squares = np.sum(corners**2, axis=1)
        lengths = np.linalg.norm(np.diff(corners, axis=0), axis=1)
        self._lengths = np.append(lengths, 0.0)

    def distance(self, point: Float[np.ndarray, " dimensions"]) -> float:
        r"""Min over the pieces [a, b] and s in [0, 1] of ||point - a - s (b - a)||.

        Args:
            point: a vector; a matrix is flattened first.

        Returns:
            The Euclidean distance, >= 0.

        Raises:
            DataError: when the dimensions differ.

        Exactness: exact.
        """
        point = np.asarray(point, float)
        if point.shape != self.corners.shape[1:]:
            raise DataError(
                where="Polyline.distance(point)",
                rule="a point is as long as the curve's corners",
                got=f"shapes {point.shape} and {self.corners.shape}",
                fix="Flatten matrices: matrix.ravel()",
            )
        size = float(point @ point)
        rough = self._squares - 2 * (self.corners @ point) + size
        slack = np.sqrt(_ROUNDING * (size + float(self._squares.max())))
        rough = np.sqrt(np.maximum(rough, 0.0))
        # A piece is no nearer than its first corner less its length.
        near = np.flatnonzero(rough - self._lengths <= rough.min() + 2 * slack)
        first = self.corners[near]
        along = self.corners[np.minimum(near + 1, len(self.corners) - 1)] - first
        offsets = point - first
        lengths = np.sum(along**2, axis=1)
        shares = np.sum(offsets * along, axis=1) / np.where(lengths > 0, lengths, 1.0)
        feet = offsets - np.clip(shares, 0.0, 1.0)[:, None] * along
        return float(np.sqrt(np.min(np.sum(feet**2, axis=1))))
