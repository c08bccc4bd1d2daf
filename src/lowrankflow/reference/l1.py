"""The least sum of x >= 0 with E x = y: a linear program, with its dual."""

import dataclasses

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems import finite_array

# HiGHS answers to 1e-7 at worst, and vertices to rounding.
_ZERO = 1e-9


@dataclasses.dataclass(frozen=True, kw_only=True)
class L1Minimum:
    """A solution of the linear program, and the proof of it.

    Args:
        values: x >= 0, a vertex.
        dual: nu with E'nu <= 1 and <y, nu> = sum(x).
        slack: 1 - E'nu, one per feature, >= 0; zero where x is positive.
    """

    values: Float[np.ndarray, " features"]
    dual: Float[np.ndarray, " m"]
    slack: Float[np.ndarray, " features"]

    @property
    def total(self) -> float:
        """The least sum."""
        return float(self.values.sum())

    @property
    def exponent(self) -> float:
        """The power of the scale with which the flow's excess falls.

        The smallest slack among the features that are zero; infinite if there are none.
        Meaningful where the dual is unique, as it is for random data.
        """
        zeros = self.values <= _ZERO * max(1.0, self.values.max(initial=0.0))
        return float(self.slack[zeros].min(initial=np.inf))

    def leading_excess(self, init_scale: float, *, depth: int) -> float:
        """How far the deep flow ends above the least sum, to leading order.

        From depth 3 on a feature that is zero at the minimum is left at
        alpha slack^(-N/(N-2)), alpha the scale of the product, and the excess is the
        sum of slack times that: linear in alpha, with a constant that depth lowers
        towards the number of zeros where slacks are below 1.

        Args:
            init_scale: alpha > 0, the eigenvalues of W(0).
            depth: N >= 3.

        Raises:
            SpecError: when the depth is below 3, where the power is not linear.

        Exactness: relative error of order alpha slack^(-N/(N-2)); where the dual is
            unique.
        Source: arora2019, theorem 2 (the limit); derived here.
        """
        if depth < 3:
            raise SpecError(
                where="L1Minimum.leading_excess(depth)",
                rule="the excess is linear in the scale from depth 3 on",
                got=f"{depth!r}",
                fix="Use L1Minimum.exponent for depth 2",
            )
        zeros = self.values <= _ZERO * max(1.0, self.values.max(initial=0.0))
        slacks = self.slack[zeros]
        with np.errstate(divide="ignore"):
            return float(init_scale * np.sum(slacks ** (-2 / (depth - 2))))


def min_l1_norm(
    design: Float[np.ndarray, "m features"], measurements: Float[np.ndarray, " m"]
) -> L1Minimum:
    r"""Minimize sum(x) subject to E x = y, x >= 0.

    The flow of x = u * u from alpha ends at x_k = alpha exp(2 (E's)_k); with
    nu = -2 s / ln(alpha) that is alpha^(1 - (E'nu)_k), so that a feature which is zero
    at the minimum is left at alpha to the power of its slack.

    Args:
        design: E, finite.
        measurements: y, finite.

    Raises:
        DataError: when shapes disagree or no x >= 0 fits.

    Exactness: within 1e-9.
    Cost: a linear program.
    Source: gunasekar2017, corollary 2 (the problem); the exponent is derived here.
    Differs: as in the source.
    """
    # A third of a second to import, and few problems need it.
    from scipy.optimize import linprog

    where = "min_l1_norm"
    design = finite_array(f"{where}(design)", design, ndim=2)
    wanted = finite_array(f"{where}(measurements)", measurements, ndim=1)
    if len(wanted) != len(design):
        raise DataError(
            where=f"{where}(measurements)",
            rule=f"there is one measurement per row of the design, {len(design)}",
            got=f"{len(wanted)}",
            fix="Give y = design @ x",
        )
    size = design.shape[1]
    solved = linprog(np.ones(size), A_eq=design, b_eq=wanted, method="highs")
    if not solved.success:
        raise DataError(
            where=f"{where}(measurements)",
            rule="some x >= 0 has these measurements",
            got=str(solved.message)[:200],
            fix="Measure an x >= 0",
        )
    dual = np.asarray(solved.eqlin.marginals)
    slack = np.maximum(1 - design.T @ dual, 0.0)
    return L1Minimum(values=np.asarray(solved.x), dual=dual, slack=slack)
