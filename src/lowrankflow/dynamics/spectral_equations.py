"""How singular values and singular vectors of W move under a balanced flow."""

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import DataError
from lowrankflow.factorizations import positive_int


def singular_value_velocity(
    left: Float[np.ndarray, "rows k"],
    values: Float[np.ndarray, " k"],
    right: Float[np.ndarray, "cols k"],
    gradient: Float[np.ndarray, "rows cols"],
    *,
    depth: int,
) -> Float[np.ndarray, " k"]:
    r"""sigma_r' = -N (sigma_r^2)^(1 - 1/N) <grad f(W), u_r v_r'>.

    Args:
        left: u_r, orthonormal columns.
        values: sigma_r; they may carry signs (an analytic decomposition).
        right: v_r, orthonormal columns.
        gradient: grad f(W).
        depth: N >= 1, the number of balanced factors.

    Returns:
        The derivatives in time; for N >= 2 zero where sigma_r is zero.

    Raises:
        SpecError: when the depth is not a positive integer.

    Exactness: exact, also for repeated values within an analytic decomposition.
    Source: arora2019, theorem 3, equation (7).
    Differs: as in the source.
    """
    depth = positive_int("singular_value_velocity(depth)", depth)
    along = np.einsum("ir,ij,jr->r", left, gradient, right)
    return -depth * (values**2) ** (1 - 1 / depth) * along


def singular_vector_velocity(
    left: Float[np.ndarray, "rows k"],
    values: Float[np.ndarray, " k"],
    right: Float[np.ndarray, "cols k"],
    gradient: Float[np.ndarray, "rows cols"],
    *,
    depth: int,
) -> tuple[Float[np.ndarray, "rows k"], Float[np.ndarray, "cols k"]]:
    r"""The velocities of the left and right singular vectors.

    U' = -U (F o [U'GVS + SV'G'U]) - (I - UU') G V (S^2)^(1/2 - 1/N), and likewise V',
    with F_{rr'} = 1 / ((s_r'^2)^(1/N) - (s_r^2)^(1/N)) off the diagonal.

    Args:
        left: U, orthonormal columns, k = min(rows, cols) of them.
        values: S, distinct in absolute value and non-zero.
        right: V, orthonormal columns.
        gradient: G = grad f(W).
        depth: N >= 2, the number of balanced factors.

    Returns:
        U' and V'.

    Raises:
        SpecError: when the depth is not a positive integer.
        DataError: when two values agree in absolute value or one is zero, where the
            vectors have no derivative.

    Exactness: exact; conditioning as the inverse gap of the values.
    Source: arora2019, lemma 2, equations (8) and (9).
    Differs: as in the source.
    """
    depth = positive_int("singular_vector_velocity(depth)", depth)
    roots = (values**2) ** (1 / depth)
    gaps = roots[None, :] - roots[:, None]
    off = ~np.eye(len(values), dtype=bool)
    if np.any(gaps[off] == 0) or np.any(values == 0):
        raise DataError(
            where="singular_vector_velocity(values)",
            rule="singular values must be distinct and non-zero for vectors to move",
            got=f"{values}",
            fix="Use another time, or only singular_value_velocity",
        )
    weights = np.divide(1.0, gaps, out=np.zeros_like(gaps), where=off)
    along = left.T @ gradient @ right
    scale = (values**2) ** (0.5 - 1 / depth)
    forward = along * values + (along * values).T
    backward = values[:, None] * along + (values[:, None] * along).T
    pulled, pushed = gradient @ right, gradient.T @ left
    left_velocity = -left @ (weights * forward)
    left_velocity -= (pulled - left @ (left.T @ pulled)) * scale
    right_velocity = -right @ (weights * backward)
    right_velocity -= (pushed - right @ (right.T @ pushed)) * scale
    return left_velocity, right_velocity
