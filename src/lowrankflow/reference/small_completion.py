r"""The least trace of 3 x 3 completion problems with four observed entries, exactly.

Two of the six distinct entries are missing, and which ones decides the formula. With S
= I - A*(lambda) the dual, S >= 0 and S X = 0 prove that X has the least trace
(gunasekar2017, equation 6); S is 1 at missing diagonal entries and 0 at the other
missing ones. All of it is closed:

*two off-diagonal entries*: the trace is observed, S = 0; put 0 there.
*entry k of the diagonal and (i, k)*: a path through m, X_kk >= X_mk^2 / X_mm, reached
with X_ik = X_im X_mk / X_mm; S = v v', v = e_k - (X_mk / X_mm) e_m.
*entry k of the diagonal and (i, j)*: the same through the m of i, j where the bound is
larger.
*two of the diagonal, i and j*: with w = (X_ki, X_kj) / X_kk and the missing rest z =
X_ij - X_kk w_i w_j, the block left after elimination of k is >= 0 with |z| twice on its
diagonal: trace X_kk (1 + |w|^2) + 2 |z|; S = G T G', G = [I; -w'], T = [[1, -sign z],
[-sign z, 1]].
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from lowrankflow.errors import SpecError
from lowrankflow.problems import finite_array

_DIAGONAL = ((0, 0), (1, 1), (2, 2))
_OTHERS = ((0, 1), (0, 2), (1, 2))


@dataclass(frozen=True, kw_only=True, eq=False)
class LeastTraces:
    """Completions of least trace, each with its proof.

    Args:
        trace: the least trace of a p.s.d. completion; > 0.
        matrix: a completion that has it.
        dual: lambda, one number per observed entry, with A*(lambda) <= I and
            <y, lambda> = trace: `verify(problem, matrix, dual, psd=True)` holds.
        slack: S = I - A*(lambda).
    """

    trace: Float[np.ndarray, " problems"]
    matrix: Float[np.ndarray, "problems 3 3"]
    dual: Float[np.ndarray, "problems measurements"]
    slack: Float[np.ndarray, "problems 3 3"]


def least_traces(
    pairs: Int[np.ndarray, "4 2"], values: Float[np.ndarray, "problems 4"]
) -> LeastTraces:
    """The least traces of many problems with the same four entries observed.

    Args:
        pairs: (row, column), row <= column, as in `ExhaustiveGrid.masks`.
        values: of these entries, one row per problem; a p.s.d. completion must exist
            and no observed diagonal entry be 0.

    Returns:
        The traces and their proofs.

    Raises:
        SpecError: when the pairs are not four distinct entries of the upper triangle.
        DataError: when the values are no table of finite numbers.

    Exactness: exact but for rounding.
    Cost: some hundred operations per problem.
    Source: gunasekar2017, equation (6); own derivation of the formulas.
    Differs: the paper solves each problem numerically.
    """
    observed = [tuple(pair) for pair in np.asarray(pairs).tolist()]
    everything = {*_DIAGONAL, *_OTHERS}
    if len(observed) != 4 or not set(observed) <= everything or len(set(observed)) < 4:
        raise SpecError(
            where="least_traces(pairs)",
            rule="these are four distinct entries of the upper triangle of 3 x 3",
            got=f"{observed}",
            fix="Give for example ExhaustiveGrid().masks[0]",
        )
    numbers = finite_array("least_traces(values)", values, ndim=2)
    matrix = np.zeros((len(numbers), 3, 3))
    for (i, j), column in zip(observed, numbers.T, strict=True):
        matrix[:, i, j] = matrix[:, j, i] = column
    slack = np.zeros_like(matrix)
    missing = [i for i in range(3) if (i, i) not in observed]
    if len(missing) == 2:
        _fill_two(matrix, slack, *missing)
    elif len(missing) == 1:
        (hole,) = (pair for pair in _OTHERS if pair not in observed)
        _fill_one(matrix, slack, missing[0], hole)
    pull = np.eye(3) - slack
    # An off-diagonal lambda stands on both sides, half each.
    dual = np.stack(
        [(1.0 if i == j else 2.0) * pull[:, i, j] for i, j in observed], axis=1
    )
    trace = np.trace(matrix, axis1=1, axis2=2)
    return LeastTraces(trace=trace, matrix=matrix, dual=dual, slack=slack)


def _fill_one(
    matrix: Float[np.ndarray, "problems 3 3"],
    slack: Float[np.ndarray, "problems 3 3"],
    k: int,
    hole: tuple[int, int],
) -> None:
    """One diagonal entry k and one other entry are missing; both are overwritten."""
    a, b = (i for i in range(3) if i != k)
    if k in hole:
        through_a = np.full(len(matrix), a not in hole)
    else:
        bounds = [matrix[:, i, k] ** 2 / matrix[:, i, i] for i in (a, b)]
        through_a = bounds[0] >= bounds[1]
    for m, other, chosen in ((a, b, through_a), (b, a, ~through_a)):
        ratio = matrix[chosen, m, k] / matrix[chosen, m, m]
        matrix[chosen, k, k] = ratio * matrix[chosen, m, k]
        # S X = 0: column by column, X_k. = ratio X_m.
        if k in hole:
            filled = ratio * matrix[chosen, m, other]
            matrix[chosen, other, k] = matrix[chosen, k, other] = filled
        else:
            filled = matrix[chosen, other, k] / ratio
            matrix[chosen, other, m] = matrix[chosen, m, other] = filled
        vector = np.zeros((int(chosen.sum()), 3))
        vector[:, k], vector[:, m] = 1.0, -ratio
        slack[chosen] = vector[:, :, None] * vector[:, None, :]


def _fill_two(
    matrix: Float[np.ndarray, "problems 3 3"],
    slack: Float[np.ndarray, "problems 3 3"],
    i: int,
    j: int,
) -> None:
    """Two diagonal entries, i and j, are missing; both arrays are overwritten."""
    k = 3 - i - j
    pivot = matrix[:, k, k]
    first, second = matrix[:, k, i] / pivot, matrix[:, k, j] / pivot
    rest = matrix[:, i, j] - pivot * first * second
    matrix[:, i, i] = pivot * first**2 + np.abs(rest)
    matrix[:, j, j] = pivot * second**2 + np.abs(rest)
    frame = np.zeros((len(matrix), 3, 2))
    frame[:, i, 0] = frame[:, j, 1] = 1.0
    frame[:, k, 0], frame[:, k, 1] = -first, -second
    block = np.zeros((len(matrix), 2, 2))
    block[:, 0, 0] = block[:, 1, 1] = 1.0
    block[:, 0, 1] = block[:, 1, 0] = -np.sign(rest)
    slack[:] = frame @ block @ np.swapaxes(frame, 1, 2)
