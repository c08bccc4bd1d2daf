"""How far a matrix is from those that a commuting flow can reach."""

import numpy as np

from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems import (
    AbstractSensingOperator,
    CommutingSensing,
    Numbers,
    finite_array,
)


def manifold_distance(
    operator: AbstractSensingOperator,
    factor: Numbers,
    *,
    init_scale: float,
) -> float:
    r"""Distance of log U U' from log { exp(A*(s)) X_0 exp(A*(s)) }, X_0 = alpha I.

    The logarithms of that manifold are the affine space log(alpha) I + span{A_k}; the
    distance is ||log X - its projection||_F, the one of the log-Euclidean metric. It
    says by which factor eigenvalues are off, whatever their size.

    Args:
        operator: measurements that commute.
        factor: U, of X = U U'; its singular values keep twice the digits of X.
        init_scale: alpha > 0.

    Returns:
        The distance, >= 0; infinite unless X is positive definite.

    Raises:
        DataError: when the factor is not finite or has another number of rows.
        SpecError: when the operator is of another kind or the scale is not positive.

    Exactness: rounding of the largest singular value of U over the smallest.
    Cost: a singular value decomposition.
    Source: gunasekar2017, equation (11) (the manifold).
    Differs: the paper has no metric; the one of logarithms is our choice.
    """
    if not isinstance(operator, CommutingSensing):
        raise SpecError(
            where="manifold_distance(operator)",
            rule="the manifold is that of measurements by CommutingSensing",
            got=type(operator).__name__,
            fix="Build CommutingSensing(basis, eigenvalues)",
        )
    if not 0 < init_scale < np.inf:
        raise SpecError(
            where="manifold_distance(init_scale)",
            rule="the start is a positive multiple of the identity",
            got=f"{init_scale!r}",
            fix="Give for example 1e-3",
        )
    array = finite_array("manifold_distance(factor)", factor, ndim=2)
    size, width = array.shape
    if size != operator.shape[0]:
        raise DataError(
            where="manifold_distance(factor)",
            rule=f"U has as many rows as the measured matrix, {operator.shape[0]}",
            got=f"shape {array.shape}",
            fix="Give the factor U of X = U U'",
        )
    left, values, _ = np.linalg.svd(array)
    if width < size or values[-1] == 0:
        return float("inf")
    logarithms = (left * (2 * np.log(values) - np.log(init_scale))) @ left.T
    basis, design = np.asarray(operator.basis), np.asarray(operator.eigenvalues)
    turned = basis.T @ logarithms @ basis
    diagonal = np.diag(turned)
    reached = design.T @ np.linalg.lstsq(design.T, diagonal, rcond=None)[0]
    return float(np.linalg.norm(turned - np.diag(reached)))
