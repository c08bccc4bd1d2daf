"""A singular value decomposition that is followed along a path of matrices.

A sorted decomposition jumps where two singular values cross, and its values have a kink
where one passes zero. The analytic one has neither: values carry signs and no order,
vectors go on. It is found here from the sorted ones by what stays the same from one
matrix to the next, the vectors.
"""

import dataclasses

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import DataError
from lowrankflow.problems import Numbers, finite_array

# Of the largest value: of values nearer than this the decomposition knows the space and
# not the vectors, which rounding turns by 1e-16 over the gap.
_EQUAL = 1e-9


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class AnalyticSVD:
    """W(t) = U(t) S(t) V(t)' at every matrix of a path, followed from the first.

    Args:
        left: U; orthonormal columns.
        values: the diagonal of S, signed; descending and >= 0 at the first only.
        right: V; orthonormal columns.
        overlap: the least (|u' u_before| + |v' v_before|) / 2 of the directions; 1 at
            the first. Far below 1 the steps are too long to tell which is which.
    """

    left: Float[np.ndarray, "records rows k"]
    values: Float[np.ndarray, "records k"]
    right: Float[np.ndarray, "records cols k"]
    overlap: Float[np.ndarray, " records"]

    @property
    def matrices(self) -> Float[np.ndarray, "records rows cols"]:
        """U S V', which is W up to rounding."""
        return np.einsum("tik,tk,tjk->tij", self.left, self.values, self.right)


def follow_svd(matrices: Float[Numbers, "records rows cols"]) -> AnalyticSVD:
    r"""The analytic singular value decomposition along a path of matrices.

    Every direction is the one of the sorted decomposition that overlaps most with the
    same direction one matrix before; u and v have their signs from there each, so that
    a value that passes zero changes sign. Where values agree to 1e-9 of the largest,
    their common space is turned to the frame before (the polar factor).

    Args:
        matrices: W at successive times, near enough to one another that no direction
            turns by more than some 45 degrees in a step: `overlap` above 0.7. The first
            has distinct singular values, or its frame is any of the possible ones.

    Returns:
        k = min(rows, cols) directions. Where a value is zero in a rectangle, the vector
        of the longer side is one of many.

    Raises:
        DataError: when there is no matrix, or a number is not finite.

    Exactness: to rounding over the gap of values; of a record on which values agree,
        the vectors inside their common space are of first order in the step.
    Cost: a full decomposition of every matrix.
    Source: bunsegerstner1991, theorem 1; arora2019, lemma 1.
    Differs: the source integrates an equation for the frames; here they are matched.
    """
    path = finite_array("follow_svd(matrices)", matrices, ndim=3)
    if 0 in path.shape:
        raise DataError(
            where="follow_svd(matrices)",
            rule="a path has at least one matrix, with rows and columns",
            got=f"an array of shape {path.shape}",
            fix="Stack the matrices along the first axis: numpy.stack(matrices)",
        )
    left, values, transposed = np.linalg.svd(path, full_matrices=False)
    right = np.swapaxes(transposed, 1, 2)
    left, values, right = left.copy(), values.copy(), right.copy()
    overlap = np.ones(len(path))
    for t in range(1, len(path)):
        before = left[t - 1], values[t - 1], right[t - 1]
        now = left[t], values[t], right[t]
        left[t], values[t], right[t], overlap[t] = _continued(before, now)
    return AnalyticSVD(left=left, values=values, right=right, overlap=overlap)


_Frame = tuple[np.ndarray, np.ndarray, np.ndarray]


def _continued(
    before: _Frame, now: _Frame
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """A sorted decomposition in the order and with the signs of the one before."""
    (left, values, right), (u, sizes, v) = before, now
    groups = _groups(sizes)
    inner = abs(left.T @ u) + abs(right.T @ v)
    chosen = _assigned(inner, groups)
    new_left, new_right = np.empty_like(u), np.empty_like(v)
    new_values = np.empty_like(sizes)
    for group, ours in zip(groups, chosen, strict=True):
        toward_left = u[:, group].T @ left[:, ours]
        toward_right = v[:, group].T @ right[:, ours]
        signs = np.where(values[ours] < 0, -1.0, 1.0)
        if len(group) > 1 and sizes[group[0]] > _EQUAL * sizes[0]:
            # One turn for both sides, or U S V' would be another matrix.
            turn = _polar(toward_left + toward_right * signs)
            turns = turn, turn * signs
        else:
            turns = _polar(toward_left), _polar(toward_right)
        new_left[:, ours] = u[:, group] @ turns[0]
        new_right[:, ours] = v[:, group] @ turns[1]
        new_values[ours] = np.einsum(
            "gk,g,gk->k", turns[0], sizes[group], turns[1], optimize=False
        )
    same = abs(np.sum(new_left * left, axis=0)) + abs(np.sum(new_right * right, axis=0))
    return new_left, new_values, new_right, float(same.min() / 2)


def _groups(sizes: np.ndarray) -> list[np.ndarray]:
    """Indices of values that are equal up to rounding, together."""
    breaks = np.flatnonzero(-np.diff(sizes) > _EQUAL * sizes[0]) + 1
    return np.split(np.arange(len(sizes)), breaks)


def _assigned(inner: np.ndarray, groups: list[np.ndarray]) -> list[np.ndarray]:
    """For every group the directions before that are nearest, the nearest first."""
    mass = np.stack([np.sum(inner[:, g] ** 2, axis=1) for g in groups], axis=1)
    room = [len(group) for group in groups]
    chosen: list[list[int]] = [[] for _ in groups]
    taken = np.zeros(len(inner), dtype=bool)
    for flat in np.argsort(-mass, axis=None):
        direction, group = divmod(int(flat), len(groups))
        if not taken[direction] and len(chosen[group]) < room[group]:
            taken[direction] = True
            chosen[group].append(direction)
    return [np.array(sorted(directions)) for directions in chosen]


def _polar(square: np.ndarray) -> np.ndarray:
    """The orthogonal matrix nearest to a square one."""
    left, _, transposed = np.linalg.svd(square)
    return left @ transposed
