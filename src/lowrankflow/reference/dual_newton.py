"""One proximal step of the nuclear norm, by Newton's method on its dual.

The step from X_k with penalty sigma is the minimizer over X of

    ||X||_* + ||X - X_k||_F^2 / (2 sigma)   subject to   ||𝒜(X) - y|| <= radius.

Its dual is smooth: minimize over lambda

    ||P(X_k + sigma 𝒜*(lambda))||_F^2 / (2 sigma) - <y, lambda> + radius ||lambda||,

where P thresholds singular values by sigma (p.s.d.: eigenvalues). The gradient is
𝒜(P(..)) - y, piecewise smooth, and Newton's method with a generalized derivative of P
converges faster than linearly. P(..) at the minimizer is the step.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lowrankflow.reference.measurement_map import MeasurementMap
from lowrankflow.reference.spectral_threshold import SpectralThreshold, threshold

# The Newton matrix is formed below this many measurements and stack entries: there a
# product with it costs more in calls than in arithmetic.
_DENSE_MEASUREMENTS = 64
_DENSE_STACK = 50_000
# A line search ends here: shorter, nothing is gained; longer, the dual is unbounded.
_SHORTEST, _LONGEST = 1e-3, 1e12


@dataclass(frozen=True, kw_only=True)
class ProximalStep:
    """Where Newton's method stopped.

    Args:
        dual: lambda.
        spectrum: the thresholded decomposition; its `matrix()` is the step X_{k+1}.
        gradient_norm: ||𝒜(X_{k+1}) - y + ...||, zero at the exact step.
        decompositions: full decompositions spent.
        products: products with the Newton matrix spent.
        backtracks: Newton steps that had to be shortened.

    Exactness: within the tolerance asked for, when `gradient_norm` is below it.
    """

    dual: Float[np.ndarray, " m"]
    spectrum: SpectralThreshold
    gradient_norm: float
    decompositions: int
    products: int
    backtracks: int


@dataclass(frozen=True, kw_only=True)
class ProximalProblem:
    """The dual of one proximal step, as a function of lambda.

    Args:
        measure: 𝒜, in the coordinates of the solver.
        center: X_k.
        penalty: sigma, positive: the larger, the longer the step.
        level: what is taken off the spectrum: sigma for the nuclear norm, 0 for none.
        ridge: weight of ||lambda||^2 / 2, which turns the equality into a penalty on
            ||𝒜(X) - y||^2 / (2 ridge); 0 for equality.
        radius: how far 𝒜(X) may be from y; 0 for equality.
        psd: over positive semidefinite matrices.
        stack: the measurement matrices, where the Newton matrix is to be formed.
    """

    measure: MeasurementMap
    center: Float[np.ndarray, "rows cols"]
    penalty: float
    level: float
    ridge: float
    radius: float
    psd: bool
    stack: Float[np.ndarray, "m rows cols"] | None

    def evaluate(self, dual: Float[np.ndarray, " m"]):
        """The value, the gradient, and the thresholded decomposition behind them."""
        moved = self.center + self.penalty * self.measure.adjoint(dual)
        spectrum = threshold(moved, self.level, psd=self.psd)
        excess, y = spectrum.excess, self.measure.measurements
        value = excess @ excess / (2 * self.penalty) - y @ dual
        value += 0.5 * self.ridge * (dual @ dual)
        gradient = self.measure.apply(spectrum.matrix()) - y + self.ridge * dual
        if self.radius > 0:
            length = float(np.linalg.norm(dual))
            value += self.radius * length
            # At lambda = 0 the norm has no gradient; the least of its subgradients
            # shrinks the residual by the radius.
            slope = dual / length if length > 0 else -_direction(gradient)
            gradient = gradient + min(self.radius, _cap(gradient, length)) * slope
        return value, gradient, spectrum

    def newton_direction(
        self,
        dual: Float[np.ndarray, " m"],
        gradient: Float[np.ndarray, " m"],
        spectrum: SpectralThreshold,
        *,
        damping: float,
        max_products: int,
    ) -> tuple[Float[np.ndarray, " m"], int]:
        """An approximate solution d of (Newton matrix + damping) d = -gradient."""
        length = float(np.linalg.norm(dual)) if self.radius > 0 else 0.0
        bend = self.radius / length if length > 0 else 0.0
        damping = damping + self.ridge
        unit = dual / length if bend > 0 else dual
        if self.stack is not None:
            matrix = self.penalty * spectrum.derivative_gram(self.stack)
            matrix[np.diag_indices_from(matrix)] += damping + bend
            if bend > 0:
                matrix -= bend * np.outer(unit, unit)
            return np.linalg.solve(matrix, -gradient), 0
        derivative = spectrum.derivative()
        apply, adjoint = self.measure.apply, self.measure.adjoint

        def product(d):
            out = self.penalty * apply(derivative(adjoint(d))) + damping * d
            if bend > 0:
                out += bend * (d - unit * (unit @ d))
            return out

        # 0.3 is enough for the outer iteration: measured, 0.1 costs the same in all.
        return conjugate_gradients(
            product, -gradient, rtol=0.3, max_products=max_products
        )


def proximal_step(
    problem: ProximalProblem,
    dual: Float[np.ndarray, " m"],
    *,
    atol: float,
    max_newton: int,
    max_products: int,
) -> ProximalStep:
    """Minimize the dual of one proximal step from a starting dual.

    Args:
        problem: the step.
        dual: where to start.
        atol: largest norm of the gradient accepted.
        max_newton: Newton steps allowed.
        max_products: products allowed for one Newton direction.

    Returns:
        The best point found; it never raises for want of convergence.

    Exactness: within `atol`; where the derivative is singular, damping of the order of
        the square root of the gradient keeps the step finite.
    Cost: one full decomposition per evaluation.
    Source: jiang2012, algorithm 3; zhao2010, algorithm NCG.
    Differs: damping by the square root of the gradient, and a line search that accepts
        on the slope where rounding hides the decrease (hager2005).
    """
    value, gradient, spectrum = problem.evaluate(dual)
    decompositions, products, backtracks = 1, 0, 0
    scale = float(np.linalg.norm(problem.measure.measurements))
    for _ in range(max_newton):
        size = float(np.linalg.norm(gradient))
        if size <= atol:
            break
        damping = problem.penalty * min(0.1, 0.1 * np.sqrt(size / scale))
        damping = 0.0 if problem.ridge > 0 else damping
        direction, spent = problem.newton_direction(
            dual, gradient, spectrum, damping=damping, max_products=max_products
        )
        products += spent
        trial, evaluations, step = search_line(
            problem.evaluate, dual, (value, gradient, spectrum), direction
        )
        decompositions += evaluations
        backtracks += step < 1
        dual, (value, gradient, spectrum) = dual + step * direction, trial
        if not _SHORTEST < step < _LONGEST:
            break
    return ProximalStep(
        dual=dual,
        spectrum=spectrum,
        gradient_norm=float(np.linalg.norm(gradient)),
        decompositions=decompositions,
        products=products,
        backtracks=backtracks,
    )


def search_line(evaluate, dual, here, direction):
    """A step length along a descent direction of a smooth convex function.

    The step is halved until the value falls in proportion to the slope, and quadrupled
    while the slope hardly changes: along a ray on which the dual is unbounded, which
    proves that the measurements cannot be met, it grows to `_LONGEST` at once.

    Returns:
        What `evaluate` gives at the step, evaluations spent, and the step length.
    """
    value, gradient, _ = here
    slope, step, evaluations = gradient @ direction, 1.0, 0
    while True:
        there = evaluate(dual + step * direction)
        evaluations += 1
        new_slope = there[1] @ direction
        enough = there[0] <= value + 1e-4 * step * slope
        # Near the minimum the decrease is lost in the rounding of the value; a convex
        # function whose slope shrank has not been overshot by much.
        hidden = there[0] <= value + 1e-12 * abs(value)
        if enough or (hidden and abs(new_slope) <= 0.9 * abs(slope)):
            break
        step /= 2
        if step <= _SHORTEST:
            return there, evaluations, step
    while step >= 1 and new_slope < 0.5 * slope and step < _LONGEST:
        further = evaluate(dual + 4 * step * direction)
        evaluations += 1
        if further[0] > value + 1e-4 * 4 * step * slope:
            break
        there, step, new_slope = further, 4 * step, further[1] @ direction
    return there, evaluations, step


def newton_stack(measure: MeasurementMap) -> Float[np.ndarray, "m rows cols"] | None:
    """The measurement matrices, when forming the Newton matrix is the cheaper way."""
    m, (rows, cols) = measure.measurements.size, measure.shape
    if m <= _DENSE_MEASUREMENTS and m * rows * cols <= _DENSE_STACK:
        return measure.stack()
    return None


def conjugate_gradients(
    product, target: Float[np.ndarray, " m"], *, rtol: float, max_products: int
) -> tuple[Float[np.ndarray, " m"], int]:
    """An approximate solution of a positive definite system, and products spent."""
    solution, residual = np.zeros_like(target), target.copy()
    direction, square = residual.copy(), residual @ residual
    goal = rtol**2 * square
    for count in range(1, max_products + 1):
        image = product(direction)
        step = square / (direction @ image)
        solution += step * direction
        residual -= step * image
        new_square = residual @ residual
        if new_square <= goal:
            return solution, count
        direction = residual + (new_square / square) * direction
        square = new_square
    return solution, max_products


def _direction(vector: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    length = np.linalg.norm(vector)
    return vector / length if length > 0 else vector


def _cap(gradient: Float[np.ndarray, " m"], length: float) -> float:
    """At lambda = 0, no more of the radius than the residual itself; else no cap."""
    return float("inf") if length > 0 else float(np.linalg.norm(gradient))
