"""The minimum nuclear norm solution, with its proof.

Two methods one after the other, on the dual problem, both spending one decomposition
per step: alternating directions to come near, then proximal steps by Newton's method,
whose penalty follows how hard the last one was. On large tables the first method works
on the low rank of its iterates, and may end within the gap asked for. Everything runs
in scaled orthonormal coordinates (`measurement_map`); what comes out is checked in the
original ones.
"""

import contextlib
import functools
from dataclasses import replace

import numpy as np
import threadpoolctl

from lowrankflow.errors import SpecError
from lowrankflow.problems import SensingProblem
from lowrankflow.reference.certificate import check_options, verify
from lowrankflow.reference.cone_ray import approach_cone, candidate_rays
from lowrankflow.reference.dual_newton import (
    ProximalProblem,
    newton_stack,
    proximal_step,
)
from lowrankflow.reference.facial_reduction import Face, exposed_face
from lowrankflow.reference.infeasibility import verify_unreachable
from lowrankflow.reference.low_rank_splitting import alternate_low_rank, large_table
from lowrankflow.reference.measurement_map import MeasurementMap, measurement_map
from lowrankflow.reference.solution import Reference, check_start
from lowrankflow.reference.spectral_threshold import spectral_bound
from lowrankflow.reference.splitting import alternate
from lowrankflow.result import Result

# Alternating directions stop here; measured on 100 x 100, 30 to 80 are the same.
_SPLITTING_STEPS = 60
_SPLITTING_RTOL = 1e-3
_THIN_STEPS = 1000
# A proximal step that took fewer products was easy: the next is longer; one that took
# more than the second number was hard: the next is shorter.
_EASY_PRODUCTS, _HARD_PRODUCTS, _MAX_PRODUCTS = 100, 300, 300
_MAX_NEWTON = 12
# Proximal steps in which the best gap has not halved before the solver gives up.
_PATIENCE = 100
# Decompositions spent on infeasibility after giving up, where it was not suspected.
_LAST_LOOK = 300


def min_nuclear_norm(
    problem: SensingProblem,
    *,
    psd: bool = False,
    gap_tolerance: float = 1e-8,
    noise_radius: float = 0.0,
    max_iterations: int = 2000,
    start: Reference | None = None,
) -> Reference:
    r"""The matrix of minimum nuclear norm among those with given measurements.

    Minimizes ||X||_* subject to ||𝒜(X) - y||_2 <= radius = noise_radius (equality for
    0) over rows x cols matrices, or tr X over positive semidefinite ones. Where several
    matrices are minimal, one of them.

    Args:
        problem: its operator and measurements are used; its loss is not.
        psd: over positive semidefinite matrices; the problem must be square.
        gap_tolerance: relative duality gap at which the certificate holds, above the
            rounding of about 1e-13.
        noise_radius: how far the measurements of X may be from y.
        max_iterations: decompositions allowed. The step in progress is finished,
            and a p.s.d. problem that failed is then searched for a proof that nothing
            fits, with up to 300 more.
        start: a solution of a similar problem of the same shape and number of
            measurements, to start from.

    Returns:
        The solution, its dual and certificate. X is zero when y is, or when the radius
        is at least ||y||. `result` is `converged` when the certificate holds,
        `unreachable` with a certified ray when no matrix (no p.s.d. matrix) fits,
        `stalled` when neither could be shown (a p.s.d. problem without interior may
        have no dual solution, unless singular blocks of observed entries are why),
        `iterations_reached` otherwise. It never raises for want of convergence.

    Raises:
        SpecError: when `psd` meets a problem that is not square, a tolerance is not
            positive, the radius is negative, no iteration is allowed, or the stack
            of measurement matrices is too large to be held.
        DataError: when `start` is of another problem's shape.

    Exactness: within `gap_tolerance`, certified; see `Certificate`.
    Cost: some 50 to 200 full decompositions of rows x cols, and products with its thin
        singular blocks; a few measurements or a hard instance take more. For entries of
        400 rows and columns or more, first some hundred thin decompositions.
    Source: recht2010 for the problem; wen2010 for the start; jiang2012 (rectangular)
        and zhao2010 (p.s.d.) for the proximal steps; drusvyatskiy2017 for p.s.d.
        entries whose observed blocks are singular, which are solved on a face.
    Differs: the penalty follows the effort of the last step; the measurements are
        made orthonormal first, but for `noise_radius` > 0.
    """
    check_options(
        "min_nuclear_norm",
        problem,
        psd=psd,
        noise_radius=noise_radius,
        gap_tolerance=gap_tolerance,
    )
    if max_iterations < 1:
        raise SpecError(
            where="min_nuclear_norm(max_iterations)",
            rule="at least one decomposition is allowed",
            got=f"{max_iterations!r}",
            fix="Leave max_iterations out, or give for example 2000",
        )
    check_start(problem, start)
    options = {"psd": psd, "noise_radius": noise_radius}
    y = np.asarray(problem.measurements, dtype=np.float64)
    if np.linalg.norm(y) <= noise_radius:
        zero, dual = np.zeros(problem.shape), np.zeros_like(y)
        certificate = verify(
            problem, zero, dual, gap_tolerance=gap_tolerance, **options
        )
        return Reference(
            matrix=zero,
            dual=dual,
            certificate=certificate,
            iterations=0,
            result=Result.converged,
        )
    with _blas_threads(problem.shape):
        face = exposed_face(problem) if psd and noise_radius == 0 else None
        if face is not None:
            reference = _on_face(problem, face, gap_tolerance, max_iterations)
            if reference is not None:
                return reference
        return _solve(problem, y, start, options, gap_tolerance, max_iterations)


def _on_face(
    problem: SensingProblem, face: Face, gap_tolerance: float, max_iterations: int
) -> Reference | None:
    """The solution found on a face and proved on the whole cone; None if it was not."""
    inner, y = face.restricted(problem), np.asarray(problem.measurements)
    options = {"psd": True, "noise_radius": 0.0}
    # Lifting the dual costs up to 1e-7 of the gap; the rest is the solver's.
    found = _solve(inner, y, None, options, 0.1 * gap_tolerance, max_iterations)
    matrix = face.matrix(found.matrix)
    for dual in face.duals(found.dual):
        if found.result is Result.unreachable:
            certificate = verify_unreachable(problem, dual, psd=True)
        else:
            certificate = verify(
                problem, matrix, dual, psd=True, gap_tolerance=gap_tolerance
            )
        if certificate.holds:
            return Reference(
                matrix=matrix,
                dual=dual,
                certificate=certificate,
                iterations=found.iterations,
                result=found.result,
            )
    return None


def _solve(problem, y, start, options, gap_tolerance, max_iterations) -> Reference:
    psd, noise_radius = options["psd"], options["noise_radius"]
    measure = measurement_map(
        problem.operator, y, symmetric=psd, orthonormal=noise_radius == 0
    )
    # 1e-9: what no matrix explains is told from the rounding of a stack with condition
    # up to 1e6.
    beyond = np.linalg.norm(measure.unexplained) - noise_radius
    if beyond > 1e-9 * np.linalg.norm(y):
        ray = verify_unreachable(problem, measure.unexplained, **options)
        if ray.holds:
            return Reference(
                matrix=np.zeros(problem.shape),
                dual=measure.unexplained,
                certificate=ray,
                iterations=0,
                result=Result.unreachable,
            )
    solver = _Solver(problem, measure, gap_tolerance, options)
    return solver.run(start, max_iterations)


class _Solver:
    """One solve: the scaled problem, and the best point so far."""

    def __init__(self, problem, measure: MeasurementMap, gap_tolerance, options):
        self.problem, self.options = problem, options
        self.psd, self.gap_tolerance = options["psd"], gap_tolerance
        self.scale = float(np.linalg.norm(measure.measurements))
        self.measure = replace(measure, measurements=measure.measurements / self.scale)
        self.radius = options["noise_radius"] / self.scale
        self.tall = problem.shape[0] > problem.shape[1]
        self.table = large_table(self.measure) if self.radius == 0 else None
        self.stack = newton_stack(measure)
        self.iterations = 0

    def run(self, start: Reference | None, max_iterations: int) -> Reference:
        """Proximal steps from a start until certified, hopeless or out of budget."""
        matrix, dual, penalty, far = self._starting_point(start, max_iterations)
        if start is None and self.table is not None:
            norm = spectral_bound(self.measure.adjoint(dual), psd=False)
            reference = self._reference(matrix, dual, norm, Result.stalled)
            if reference.certificate.holds:
                return reference
        if self.psd and far:
            unreachable = self._unreachable(penalty, max_iterations)
            if unreachable is not None:
                return unreachable
        best_gap, best, since, gap, primal = np.inf, (matrix, dual), 0, 1e-2, 1.0
        while True:
            problem = self._step_problem(matrix, penalty)
            accuracy = max(1e-15, 0.1 * min(gap, 1e-2) / self._price(dual, primal))
            step = proximal_step(
                problem,
                dual,
                atol=accuracy,
                max_newton=_MAX_NEWTON,
                max_products=_MAX_PRODUCTS,
            )
            self.iterations += step.decompositions
            matrix, dual = step.spectrum.matrix(), step.dual
            primal = float(step.spectrum.excess.sum())
            gap, norm = self._gap(step)
            if gap <= 0.5 * self.gap_tolerance:
                reference = self._polished(problem, step, norm)
                if reference.certificate.holds:
                    return reference
            since += 1
            if gap < best_gap:
                since = 0 if gap < 0.5 * best_gap else since
                best_gap, best = gap, (matrix, dual / max(1.0, norm))
            result = None
            if self.iterations >= max_iterations:
                result = Result.iterations_reached
            elif since > _PATIENCE:
                result = Result.stalled
            if result is not None:
                unreachable = None
                if self.psd and not far:
                    allowed = self.iterations + _LAST_LOOK
                    unreachable = self._unreachable(penalty, allowed)
                return unreachable or self._reference(*best, 1.0, result)
            missed = step.gradient_norm > accuracy
            if missed or step.products > _HARD_PRODUCTS or step.backtracks > 1:
                penalty /= 1.5
            elif step.products < _EASY_PRODUCTS:
                penalty *= 2.0

    def _starting_point(self, start: Reference | None, max_iterations: int):
        """X, lambda, sigma, and whether X is still far from the data."""
        measure = self.measure
        pull = measure.adjoint(measure.measurements)
        strength = spectral_bound(pull, psd=False)
        self.iterations += 1
        if start is not None:
            matrix = start.matrix.T if self.tall else start.matrix
            dual = measure.own_dual(start.dual)
            return matrix / self.scale, dual, strength, True
        if self.radius > 0:
            dual = measure.measurements / strength
            return np.zeros(measure.shape), dual, strength, True
        if self.table is not None:
            point = alternate_low_rank(
                self.table,
                penalty=strength / 3,
                gap=0.5 * self.gap_tolerance,
                max_steps=min(_THIN_STEPS, max_iterations),
            )
            self.iterations += point.decompositions
            return point.matrix, point.dual, point.penalty, False
        point = alternate(
            measure,
            psd=self.psd,
            penalty=strength / 3,
            rtol=_SPLITTING_RTOL,
            max_decompositions=min(_SPLITTING_STEPS, max_iterations),
        )
        self.iterations += point.decompositions
        far = point.residual > _SPLITTING_RTOL
        return point.matrix, point.dual, point.penalty, far

    def _step_problem(self, matrix, penalty: float) -> ProximalProblem:
        return ProximalProblem(
            measure=self.measure,
            center=matrix,
            penalty=penalty,
            level=penalty,
            ridge=0.0,
            radius=self.radius,
            psd=self.psd,
            stack=self.stack,
        )

    def _gap(self, step) -> tuple[float, float]:
        """An estimate of the relative gap of a step, and its dual norm."""
        norm = spectral_bound(self.measure.adjoint(step.dual), psd=self.psd)
        primal = float(step.spectrum.excess.sum())
        value = self.measure.measurements @ step.dual
        value -= self.radius * np.linalg.norm(step.dual)
        if primal <= 0:
            return np.inf, norm
        gap = abs(primal - value / max(1.0, norm)) / primal
        return float(gap + self._price(step.dual, primal) * step.gradient_norm), norm

    def _price(self, dual, primal: float) -> float:
        """What a residual can hide of the relative gap, per unit of its norm.

        Making X feasible costs nuclear norm, and lambda is what the data are worth.
        """
        price = max(np.sqrt(self.measure.shape[0]), float(np.linalg.norm(dual)))
        return price / primal if primal > 0 else price

    def _polished(self, problem: ProximalProblem, step, norm: float) -> Reference:
        """The step made exact, with its certificate.

        A p.s.d. matrix cannot be moved to 𝒜(X) = y without leaving the cone, so there
        Newton's method goes on to the rounding of the measurements.
        """
        if self.psd:
            step = proximal_step(
                problem,
                step.dual,
                atol=1e-14,
                max_newton=5,
                max_products=_MAX_PRODUCTS,
            )
            self.iterations += step.decompositions
            norm = self._gap(step)[1]
        return self._reference(step.spectrum.matrix(), step.dual, norm, Result.stalled)

    def _reference(self, matrix, dual, norm: float, result: Result) -> Reference:
        """The point in the caller's coordinates, with its certificate."""
        measure = self.measure
        residual = measure.apply(matrix) - measure.measurements
        if not self.psd:
            length = float(np.linalg.norm(residual))
            excess = max(0.0, 1 - self.radius / length) if length > 0 else 0.0
            # Exact for orthonormal measurements; else one step of a projection.
            matrix = matrix - measure.adjoint(excess * residual)
        matrix = self.scale * (matrix.T if self.tall else matrix)
        dual = measure.original_dual(dual / max(1.0, norm))
        certificate = verify(
            self.problem, matrix, dual, gap_tolerance=self.gap_tolerance, **self.options
        )
        return Reference(
            matrix=np.ascontiguousarray(matrix),
            dual=dual,
            certificate=certificate,
            iterations=self.iterations,
            result=Result.converged if certificate.holds else result,
        )

    def _unreachable(self, penalty: float, max_iterations: int) -> Reference | None:
        """The proof that no p.s.d. matrix fits, where there is one."""
        approach = approach_cone(
            self.measure, self.stack, penalty=penalty, radius=self.radius
        )
        for point in approach:
            self.iterations += point.decompositions
            for ray in candidate_rays(self.measure.original_dual(point.ray)):
                certificate = verify_unreachable(self.problem, ray, **self.options)
                if certificate.holds:
                    return Reference(
                        matrix=self.scale * point.matrix,
                        dual=ray,
                        certificate=certificate,
                        iterations=self.iterations,
                        result=Result.unreachable,
                    )
            if self.iterations >= max_iterations:
                return None
        return None


@functools.cache
def _thread_pools() -> threadpoolctl.ThreadpoolController:
    return threadpoolctl.ThreadpoolController()


def _blas_threads(shape: tuple[int, int]) -> contextlib.AbstractContextManager:
    """One thread below 400 rows or columns, where several are up to 20 times slower."""
    if min(shape) >= 400:
        return contextlib.nullcontext()
    return _thread_pools().limit(limits=1, user_api="blas")
