"""Proofs that no matrix has given measurements, checked without any solver."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lowrankflow.problems import Numbers, SensingProblem, to_dense
from lowrankflow.reference.certificate import (
    check_options,
    correction_norm,
    finite_of_shape,
    symmetric_part,
)


@dataclass(frozen=True, kw_only=True)
class InfeasibilityCertificate:
    r"""Why no matrix of moderate size has the measurements.

    For a ray lambda with <y, lambda> > 0, every p.s.d. X with 𝒜(X) = y satisfies
    <y, lambda> = <𝒜*(lambda), X> <= lambda_max(𝒜*(lambda)) tr X; without the p.s.d.
    condition the same holds with ||𝒜*(lambda)||_2 and ||X||_*. A ray with no positive
    eigenvalue excludes every X.

    Args:
        value: <y, lambda> - radius ||lambda||, for ||𝒜*(lambda)||_F = 1 (or
            ||lambda|| = 1 where that is zero).
        ray_norm: lambda_max(𝒜*(lambda)), or ||𝒜*(lambda)||_2, in the same scaling.
        trace_bound: every matrix with the measurements has at least this trace (nuclear
            norm), relative to the nuclear norm of the least Frobenius norm matrix that
            has them; rounding of the decomposition is on the safe side.

    Exactness: rigorous; `holds` is a choice of how large a trace counts as none.
    Source: recht2010, section 2.2 (weak duality).
    """

    value: float
    ray_norm: float
    trace_bound: float

    @property
    def holds(self) -> bool:
        """Whether a solution would be 1e8 times larger than the data suggest.

        Data that force a trace this large are infeasible after a change in their eighth
        digit. More cannot be asked: the rounding of a decomposition, 1e-15, limits the
        bound to 1e14 for data far from feasible, and to 1e8 for data within 1e-6.
        """
        return bool(self.value > 0 and self.trace_bound >= 1e8)

    def __str__(self) -> str:
        verdict = "Infeasible" if self.holds else "Not shown to be infeasible"
        return (
            f"{verdict}: any matrix with these measurements has a trace (nuclear norm) "
            f"of at least {self.trace_bound:.1e} times that of the least Frobenius "
            f"norm solution (a ray of value {self.value:.1e} and norm "
            f"{self.ray_norm:.1e})."
        )


def verify_unreachable(
    problem: SensingProblem,
    ray: Float[Numbers, " m"],
    *,
    psd: bool = False,
    noise_radius: float = 0.0,
) -> InfeasibilityCertificate:
    """Check that no matrix (no p.s.d. matrix) of moderate size has the measurements.

    Args:
        problem: its operator and measurements are used.
        ray: lambda, not zero, with <y, lambda> > 0 and 𝒜*(lambda) without positive
            eigenvalues (without `psd`: zero), up to rounding.
        psd: whether X must be positive semidefinite.
        noise_radius: matrices with ||𝒜(X) - y|| <= this compete.

    Raises:
        DataError: when a shape disagrees or a number is not finite.
        SpecError: as for `verify`.

    Exactness: a full decomposition, no iteration.
    Cost: two full decompositions; forms rows x cols.
    Source: recht2010, section 2.2.
    """
    check_options(
        "verify_unreachable",
        problem,
        psd=psd,
        noise_radius=noise_radius,
        gap_tolerance=1.0,
    )
    y = np.asarray(problem.measurements, dtype=np.float64)
    ray = finite_of_shape("verify_unreachable(ray)", ray, y.shape)
    length = float(np.linalg.norm(ray))
    if length == 0 or not np.any(y):
        return InfeasibilityCertificate(value=0.0, ray_norm=0.0, trace_bound=0.0)
    ray = ray / length
    combination = np.asarray(to_dense(problem.operator.adjoint(ray)))
    # The adjoint rounds each entry relative to what is summed there, not to the sum.
    largest_term = float(np.max(np.abs(ray)) * problem.operator.norm_bound())
    scale = float(np.linalg.norm(combination))
    if scale <= 1e-12 * largest_term:
        scale = 1.0
    combination, ray = combination / scale, ray / scale
    if psd:
        ray_norm = float(np.linalg.eigvalsh(symmetric_part(combination))[-1])
    else:
        ray_norm = float(np.linalg.norm(combination, 2))
    value = float(y @ ray) - noise_radius * float(np.linalg.norm(ray))
    rounding = 4 * np.finfo(float).eps * (sum(problem.shape) + largest_term / scale)
    least = correction_norm(problem, y, psd=psd)
    bound = max(0.0, value) / (max(0.0, ray_norm) + rounding)
    if least > 0:
        bound /= least
    elif bound > 0:  # every measurement matrix is zero
        bound = float("inf")
    return InfeasibilityCertificate(
        value=value,
        ray_norm=ray_norm,
        trace_bound=bound,
    )
