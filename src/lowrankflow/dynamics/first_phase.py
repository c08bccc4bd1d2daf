r"""The first phase of a flow from a tiny start, in closed form, and well-graded units.

While W is so small that grad f(W) is grad f(0), depth 2 and U U' follow a linear flow:
with Z = U, or Z = [W_2; W_1'], and the symmetric H = -sym grad f(0), or
H = -[[0, G], [G', 0]] for G = grad f(0),

    Z' = H Z,     Z(t) = V exp(M t) V' Z(0)     for H = V M V'.

It is left where grad f begins to change by a hundredth of the tolerance asked for, so
the error of leaving out the change stays below the solver's own. A start of scale 1e-64
therefore begins its adaptive steps at a size of about 1e-9, after a time of some
log(1/scale) / (2 mu_1).

What happens next depends on directions that are smaller still, by many orders. They are
kept apart from the large ones by a rotation of the hidden units, which changes neither
W nor its flow: with V' Z(0) = L O, L lower triangular and O orthogonal, the columns of
V exp(M t) L are graded, column j growing with mu_j. Rounding in one column is relative
to that column, and an error in a large column cannot become a new direction, because a
new direction needs a new column. The same rotation, factor by factor, grades a deep
factorization.

Source: li2021, section 4 (the linearization at zero); stewart2001 (graded matrices).
"""

import dataclasses

import numpy as np
from jaxtyping import Float

from lowrankflow.factorizations import AbstractFactorization, SymmetricFactorization
from lowrankflow.problems import AbstractObjective, to_dense

HostFactors = tuple[np.ndarray, ...]

# Deep factorizations are graded when a factor's scale is below this: above it, rounding
# at 1e-16 is far below the smallest direction anyway.
_GRADE_BELOW = 1e-4


@dataclasses.dataclass(frozen=True, kw_only=True)
class LinearPhase:
    """The linear flow near zero of a product of two factors.

    Args:
        rates: mu, the eigenvalues of H, descending.
        basis: V, their eigenvectors.
        end: flow time, from now, at which the phase must be left.
    """

    rates: Float[np.ndarray, " size"]
    basis: Float[np.ndarray, "size size"]
    end: float


def linear_phase(
    problem: AbstractObjective,
    factorization: AbstractFactorization,
    factors: HostFactors,
    *,
    rtol: float,
    is_mirrored: bool = False,
) -> LinearPhase | None:
    """The linear phase ahead of these factors, or None when there is none.

    Args:
        problem: the objective.
        factorization: whose product must have two factors for a linear phase.
        factors: where the flow is.
        rtol: the tolerance of the flow; grad f may change by rtol / 100, relatively.
        is_mirrored: whether W_1 = W_2' and stays so: the flow is then that of U = W_2.

    Returns:
        None when the factors are not small enough, nothing grows, or depth is above 2.

    Exactness: the factors' relative error is below rtol / 10.
    Cost: one eigendecomposition of size rows (U U') or rows + cols.
    """
    if factorization.num_factors_in_product != 2:
        return None
    pull = -np.asarray(to_dense(problem.gradient(np.zeros(problem.shape))))
    if is_mirrored or isinstance(factorization, SymmetricFactorization):
        generator = (pull + pull.T) / 2
    else:
        rows, cols = pull.shape
        generator = np.block(
            [[np.zeros((rows, rows)), pull], [pull.T, np.zeros((cols, cols))]]
        )
    reach = 0.01 * rtol * _linear_reach(problem, pull)
    stacked = _stacked(factors, is_mirrored)
    # Cheap test first: ||Z||_F^2 bounds ||W||.
    if not np.linalg.norm(stacked) ** 2 < reach / 10:
        return None
    rates, basis = np.linalg.eigh(generator)
    rates, basis = rates[::-1], basis[:, ::-1]
    sizes = np.linalg.norm(basis.T @ stacked, axis=1)
    grows = (rates > 0) & (sizes > 0)
    if not grows.any():
        return None
    times = (np.log(reach) / 2 - np.log(sizes[grows])) / rates[grows]
    end = float(times.min())
    return LinearPhase(rates=rates, basis=basis, end=end) if end > 0 else None


def advance_linear(
    phase: LinearPhase,
    factorization: AbstractFactorization,
    factors: HostFactors,
    duration: float,
    *,
    is_mirrored: bool = False,
) -> HostFactors:
    """The factors after `duration` of the linear flow, with graded hidden units."""
    stacked = _stacked(factors, is_mirrored)
    coordinates = phase.basis.T @ stacked
    _, triangle = np.linalg.qr(coordinates.T)
    graded = np.zeros_like(stacked)
    lower = np.exp(phase.rates * duration)[:, None] * triangle.T
    graded[:, : lower.shape[1]] = phase.basis @ lower
    if isinstance(factorization, SymmetricFactorization):
        return (graded,)
    if is_mirrored:
        return graded.T.copy(), graded
    rows = factors[1].shape[0]
    return graded[rows:].T.copy(), graded[:rows].copy()


def graded_units(
    problem: AbstractObjective,
    factorization: AbstractFactorization,
    factors: HostFactors,
    *,
    is_mirrored: bool = False,
) -> HostFactors:
    """The same product from rotated hidden units, graded by the directions at zero.

    Only deep factorizations (three factors or more) with tiny factors are changed: unit
    k of every layer then carries the k-th singular direction of -grad f(0) and those
    after it, and rounding in a direction that has grown does not reach one that has
    not.

    Args:
        problem: the objective.
        factorization: the coordinates.
        factors: where the flow starts.
        is_mirrored: whether W_j = W_{N+1-j}', which is then kept: opposite layers are
            rotated alike.

    Returns:
        Factors with the same product, and the same flow of it.

    Exactness: exact to rounding.
    """
    depth = factorization.num_factors_in_product
    scale = max(float(np.abs(factor).max()) for factor in factors)
    if depth < 3 or scale > _GRADE_BELOW:
        return factors
    pull = -np.asarray(to_dense(problem.gradient(np.zeros(problem.shape))))
    if is_mirrored:
        # Descending by rate of growth, where singular values would mix +mu and -mu.
        frame = np.linalg.eigh((pull + pull.T) / 2)[1][:, ::-1]
    else:
        frame = np.linalg.svd(pull)[2].T
    incoming = frame.T
    rotated = []
    for factor in factors[: depth // 2 if is_mirrored else depth - 1]:
        frame, triangle = _positive_qr(factor @ frame)
        rotated.append(triangle @ incoming)
        incoming = np.eye(factor.shape[0])
    if not is_mirrored:
        return *rotated, factors[-1] @ frame
    if depth % 2:
        middle = frame.T @ factors[depth // 2] @ frame
        rotated.append((middle + middle.T) / 2)
    return *rotated, *(factor.T.copy() for factor in rotated[: depth // 2][::-1])


def _positive_qr(
    matrix: Float[np.ndarray, "rows cols"],
) -> tuple[Float[np.ndarray, "rows rows"], Float[np.ndarray, "rows cols"]]:
    """The complete decomposition with a diagonal >= 0, so that equal layers agree."""
    q, triangle = np.linalg.qr(matrix, mode="complete")
    signs = np.ones(q.shape[0])
    diagonal = np.diagonal(triangle)
    signs[: diagonal.size] = np.where(diagonal < 0, -1.0, 1.0)
    return q * signs, signs[:, None] * triangle


def _stacked(
    factors: HostFactors, is_mirrored: bool
) -> Float[np.ndarray, "size hidden"]:
    if is_mirrored or len(factors) == 1:
        return factors[-1]
    first, second = factors
    return np.concatenate([second, first.T])


def _linear_reach(problem: AbstractObjective, pull: Float[np.ndarray, "r c"]) -> float:
    """Size of W along its fastest direction at which grad f has changed by its rate.

    Extrapolated from a size at which it has changed by less than a thousandth.
    """
    left, values, right = np.linalg.svd(pull, full_matrices=False)
    if values[0] == 0:
        return 0.0
    direction = np.outer(left[:, 0], right[0])
    size = 1.0
    for _ in range(60):
        changed = np.asarray(to_dense(problem.gradient(size * direction)))
        change = np.linalg.norm(changed + pull) / values[0]
        if change <= 1e-3:
            # A gradient that does not change at all is linear up to any size.
            return size / max(change, 1e-3 / 10)
        size /= 10
    return 0.0
