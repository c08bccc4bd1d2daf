"""Proofs that a matrix has the minimum nuclear norm, checked without any solver.

What is checked is arithmetic anybody can repeat: two full decompositions and a few
sums. A solver hands in a matrix and a dual variable; nothing else it says is believed.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems import AbstractMatrix, Numbers, SensingProblem, to_dense


@dataclass(frozen=True, kw_only=True)
class Certificate:
    r"""How far a matrix is, at most, from the minimum nuclear norm.

    Every matrix X with the measurements y satisfies <y, lambda> <= ||X||_* once
    ||𝒜*(lambda)||_2 <= 1, so a lambda with <y, lambda> = ||X||_* proves X minimal.

    Args:
        primal_residual: ||𝒜(X) - y|| / ||y||; with a noise radius, the part of it above
            the radius. For y = 0, ||𝒜(X)||.
        dual_norm: ||𝒜*(lambda)||_2 from a full SVD of lambda as it was handed in;
            p.s.d.: the largest eigenvalue of the symmetric part.
        dual_factor: lambda was divided by this, max(1, `dual_norm`), before its value
            was taken.
        upper_value: ||X||_* plus what the residual can hide: the nuclear norm of the
            smallest correction that makes X feasible. Not below the minimum nuclear
            norm (p.s.d.: up to the first order in the residual).
        lower_value: <y, lambda> - radius ||lambda|| after rescaling. Not above the
            minimum nuclear norm.
        relative_gap: (upper - lower) / upper; 0 for X = 0 and a dual of no value.
        min_eigenvalue: p.s.d.: the smallest eigenvalue of the symmetric part of X, less
            the norm of its skew part, relative to ||X||_2; else None.
        gap_tolerance: what the numbers above are held against.

    Exactness: rigorous but for rounding, about 1e-15 times the size of the matrix.
    Source: recht2010, section 2.2 (duality); gunasekar2017, equation (6).
    """

    primal_residual: float
    dual_norm: float
    dual_factor: float
    upper_value: float
    lower_value: float
    relative_gap: float
    min_eigenvalue: float | None
    gap_tolerance: float

    @property
    def holds(self) -> bool:
        """Whether X is certified to be minimal within the tolerance.

        The gap, the primal residual, the excess of the dual norm above 1 and (p.s.d.)
        a negative eigenvalue are each at most `gap_tolerance`: each of them enters the
        value of the problem at most in the same proportion, so a looser one would make
        the gap mean less than it says.
        """
        tolerance = self.gap_tolerance
        return bool(
            self.primal_residual <= tolerance
            and self.dual_norm <= 1 + tolerance
            and abs(self.relative_gap) <= tolerance
            and (self.min_eigenvalue is None or self.min_eigenvalue >= -tolerance)
        )

    def __str__(self) -> str:
        kind = "nuclear norm" if self.min_eigenvalue is None else "trace"
        verdict = "Certified" if self.holds else "Not certified"
        text = (
            f"{verdict}: {kind} {self.upper_value:.10g} is within a relative gap of "
            f"{self.relative_gap:.1e} of the minimum "
            f"(asked: {self.gap_tolerance:.0e}), with primal residual "
            f"{self.primal_residual:.1e} and dual norm 1{self.dual_norm - 1:+.1e}"
        )
        if self.min_eigenvalue is None:
            return text + "."
        return text + f", smallest eigenvalue {self.min_eigenvalue:.1e} of the largest."


def verify(
    problem: SensingProblem,
    matrix: AbstractMatrix | Numbers,
    dual: Float[Numbers, " m"],
    *,
    psd: bool = False,
    noise_radius: float = 0.0,
    gap_tolerance: float = 1e-8,
) -> Certificate:
    """Check that a matrix has the minimum nuclear norm among those with given data.

    Args:
        problem: its operator and measurements are used; its loss is not.
        matrix: X, dense or not.
        dual: lambda, one number per measurement, with <y, lambda> positive for X != 0.
        psd: the minimum is over positive semidefinite matrices, where it is a trace.
        noise_radius: matrices with ||𝒜(X) - y|| <= this compete.
        gap_tolerance: largest relative gap, and likewise residual and excess of the
            dual norm, with which the certificate holds.

    Returns:
        The certificate, which holds or does not. For y = 0 (or a radius of at least
        ||y||) X = 0 with lambda = 0 is certified with gap 0.

    Raises:
        DataError: when a shape disagrees or a number is not finite.
        SpecError: when `psd` meets a matrix that is not square, the tolerance is not
            positive or the radius is negative.

    Exactness: full decompositions, no iteration.
    Cost: three full SVDs (p.s.d.: eigendecompositions); forms rows x cols.
    Source: recht2010, section 2.2.
    Differs: the correction that makes X feasible is counted into the gap.
    """
    check_options(
        "verify",
        problem,
        psd=psd,
        noise_radius=noise_radius,
        gap_tolerance=gap_tolerance,
    )
    y = np.asarray(problem.measurements, dtype=np.float64)
    matrix = finite_of_shape("verify(matrix)", to_dense(matrix), problem.shape)
    dual = finite_of_shape("verify(dual)", dual, y.shape)
    size = float(np.linalg.norm(y))

    residual = np.asarray(problem.operator.apply(matrix)) - y
    length = float(np.linalg.norm(residual))
    excess = max(0.0, length - noise_radius)
    hidden = 0.0
    if excess > 0:
        hidden = correction_norm(problem, residual * (excess / length), psd=psd)

    combination = np.asarray(to_dense(problem.operator.adjoint(dual)))
    if psd:
        dual_norm = float(np.linalg.eigvalsh(symmetric_part(combination))[-1])
        eigenvalues = np.linalg.eigvalsh(symmetric_part(matrix))
        skew = float(np.linalg.norm((matrix - matrix.T) / 2, 2))
        primal = float(np.abs(eigenvalues).sum())
        largest = float(np.abs(eigenvalues).max())
        min_eigenvalue = float(eigenvalues[0]) - skew
        min_eigenvalue = min_eigenvalue / largest if largest > 0 else -skew
    else:
        dual_norm = float(np.linalg.svd(combination, compute_uv=False)[0])
        primal = float(np.linalg.svd(matrix, compute_uv=False).sum())
        min_eigenvalue = None

    factor = max(1.0, dual_norm)
    value = float(y @ dual) - noise_radius * float(np.linalg.norm(dual))
    upper, lower = primal + hidden, value / factor
    return Certificate(
        primal_residual=excess / size if size > 0 else excess,
        dual_norm=dual_norm,
        dual_factor=factor,
        upper_value=upper,
        lower_value=lower,
        relative_gap=_relative_gap(upper, lower),
        min_eigenvalue=min_eigenvalue,
        gap_tolerance=gap_tolerance,
    )


def check_options(
    where: str,
    problem: SensingProblem,
    *,
    psd: bool,
    noise_radius: float,
    gap_tolerance: float,
) -> None:
    """Refuse settings that make no sense for a minimum nuclear norm.

    Raises:
        SpecError: when `psd` meets a matrix that is not square, the tolerance is not
            positive and finite, or the radius is negative or not finite.
    """
    rows, cols = problem.shape
    if psd and rows != cols:
        raise SpecError(
            where=f"{where}(psd)",
            rule="only a square matrix can be positive semidefinite",
            got=f"a problem of shape {problem.shape}",
            fix="Leave psd=False, or use lift(problem) for its p.s.d. form",
        )
    if not (np.isfinite(gap_tolerance) and gap_tolerance > 0):
        raise SpecError(
            where=f"{where}(gap_tolerance)",
            rule="the relative gap asked for is a positive number",
            got=f"{gap_tolerance!r}",
            fix="Give for example gap_tolerance=1e-8",
        )
    if not (np.isfinite(noise_radius) and noise_radius >= 0):
        raise SpecError(
            where=f"{where}(noise_radius)",
            rule="the radius of the noise is a finite number, not negative",
            got=f"{noise_radius!r}",
            fix="Give noise_radius=0 for equality, or a bound on the norm of the noise",
        )


def _relative_gap(upper: float, lower: float) -> float:
    if upper > 0:
        return (upper - lower) / upper
    return 0.0 if lower == 0 else float("inf")


def correction_norm(
    problem: SensingProblem, residual: Float[np.ndarray, " m"], *, psd: bool
) -> float:
    """||C||_* of the least Frobenius norm C with 𝒜(C) = residual.

    Args:
        problem: its operator is used.
        residual: what C must give, in the range of 𝒜.
        psd: take the symmetric part of C.

    Exactness: exact but for rounding.
    Cost: a solve with 𝒜𝒜* where it is not diagonal, and an SVD.
    """
    gram = np.asarray(problem.operator.gram())
    if gram.ndim == 1:
        dual = np.divide(residual, gram, out=np.zeros_like(residual), where=gram > 0)
    else:
        dual = np.linalg.lstsq(gram, residual)[0]
    correction = np.asarray(to_dense(problem.operator.adjoint(dual)))
    if psd:
        return float(np.abs(np.linalg.eigvalsh(symmetric_part(correction))).sum())
    return float(np.linalg.svd(correction, compute_uv=False).sum())


def symmetric_part(
    matrix: Float[np.ndarray, "size size"],
) -> Float[np.ndarray, "size size"]:
    """(M + M') / 2."""
    return (matrix + matrix.T) / 2


def finite_of_shape(where: str, array: Numbers, shape: tuple[int, ...]) -> np.ndarray:
    """The numbers as a float64 array of a given shape, all finite.

    Raises:
        DataError: when they are not.
    """
    array = np.asarray(array, dtype=np.float64)
    if array.shape != tuple(shape):
        raise DataError(
            where=where,
            rule=f"the shape must be {tuple(shape)}, as the problem's",
            got=f"shape {array.shape}",
            fix="Hand in the matrix and the dual of this problem",
        )
    if not np.all(np.isfinite(array)):
        raise DataError(
            where=where,
            rule="every number must be finite",
            got=f"{np.sum(~np.isfinite(array))} that are not",
            fix="Look at the result of the solver that made it",
        )
    return array
