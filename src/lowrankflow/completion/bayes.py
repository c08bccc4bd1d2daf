r"""Variational Bayes for a factorization: no penalty to choose, and ranks fall away.

    y_k = L_i . R_j + noise,   L_i ~ N(0, diag(1/a)),  R_j ~ N(0, diag(1/b)),

with rows of L and R independent in the approximate posterior. Noise and the precisions
a_c, b_c are those of greatest evidence: a direction that the entries do not need gets a
large precision and vanishes (automatic relevance determination). Unlike least squares
each row knows how uncertain the others are, so that few entries do not overfit.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lowrankflow.completion import bayes_kernel as kernels
from lowrankflow.problems import (
    Factored,
    SampledProducts,
    SensingProblem,
    entry_scale,
)
from lowrankflow.result import Result
from lowrankflow.seeds import generator

# Sweeps before precisions and noise are learnt: at first nothing is.
_WARM = 3
# Below this share of the largest direction's size one is no longer there.
_VANISHED = 1e-3
# And below this share of what noise in every cell would have as a norm.
_NOTHING = 1e-4
_FLOOR = 1e-12  # of the noise, relative to the entries' mean square


@dataclass(frozen=True, kw_only=True, eq=False)
class BayesFactors:
    """The posterior means, scaled so that a new row has a prior of unit variance.

    Args:
        left: rows x rank.
        right: cols x rank.
        noise: variance of an entry of weight 1 around left . right.
        sweeps: how often both factors were found.
        result: `Result.converged`, or `Result.iterations_reached`.
    """

    left: Float[np.ndarray, "rows rank"]
    right: Float[np.ndarray, "cols rank"]
    noise: float
    sweeps: int
    result: Result

    @property
    def matrix(self) -> Factored:
        """Left right', thin."""
        return Factored(self.left, np.eye(self.left.shape[1]), self.right)


class _Side:
    """One factor: means, covariances, and the precision of its prior."""

    def __init__(self, size: int, rank: int):
        self.mean = np.zeros((size, rank))
        self.covariance = np.zeros((size, rank * (rank + 1) // 2))
        self.second = np.zeros_like(self.covariance)
        self.precision = np.ones(rank)
        self.left_over = np.zeros(size)
        self._diagonal = np.cumsum(np.arange(1, rank + 1)) - 1

    def moments(self) -> None:
        kernels.second_moments(self.mean, self.covariance, self.second)

    def learn_precision(self, seen: np.ndarray) -> None:
        variance = self.covariance[:, self._diagonal] + np.square(self.mean)
        self.precision = 1 / np.maximum(variance[seen].mean(axis=0), 1e-300)


def bayes_factors(
    problem: SensingProblem,
    *,
    rank: int,
    rtol: float,
    max_sweeps: int,
    seed: int = 0,
    callback: Callable[[int, Callable[[], BayesFactors]], object] | None = None,
) -> BayesFactors:
    """The variational posterior of a factorization of observed entries.

    Args:
        problem: of observed entries, which may have weights: a weight divides an
            entry's noise variance.
        rank: of the factors, >= 1; the largest that can come out.
        rtol: stop when a sweep lowers the noise by less than this part of it.
        max_sweeps: sweeps allowed, >= 1.
        seed: of the start.
        callback: called after each sweep with its number and a function that gives the
            factors; a true answer stops.

    Exactness: a stationary point of the evidence bound, as far as `rtol` says.
    Cost: a sweep is m rank^2 + (rows + cols) rank^3 operations; memory for
        (rows + cols) rank^2 numbers.
    Source: lim2007, section 3.
    Differs: precisions of both factors; weights; no biases, which are effects here.
    """
    operator = problem.operator
    products = SampledProducts.of(
        operator.row_index,  # pyright: ignore[reportAttributeAccessIssue]
        operator.col_index,  # pyright: ignore[reportAttributeAccessIssue]
        problem.shape,
    )
    scale = entry_scale(operator)  # pyright: ignore[reportArgumentType]
    values = np.asarray(problem.measurements, float)
    weights = np.empty(0)
    if scale is not None:
        values, weights = values / scale, products.sort(np.square(scale))
    values = products.sort(values)
    orders = (
        (values, weights),
        (
            values[products.to_col],
            weights[products.to_col] if weights.size else weights,
        ),
    )
    squares = np.square(values) * weights if weights.size else np.square(values)
    square = float(squares.mean())
    noise = square or 1.0
    rows, cols = (_Side(size, rank) for size in problem.shape)
    seen = [np.diff(half.start) > 0 for half in (products.by_row, products.by_col)]
    # A product of two factors of this size is of the entries' size.
    size = np.sqrt(np.sqrt(noise / rank))
    rng = generator(seed, "completion", "bayes")
    cols.mean = size * rng.standard_normal(cols.mean.shape)
    for side in (rows, cols):
        side.precision = np.full(rank, 1 / size**2)
    cols.moments()
    halves = (products.by_row, rows, cols), (products.by_col, cols, rows)
    result, sweep = Result.iterations_reached, 0
    for sweep in range(1, max_sweeps + 1):
        for (half, own, other), (y, w) in zip(halves, orders, strict=True):
            products.share(
                kernels.posterior_rows,
                half,
                rank * rank,
                y,
                w,
                other.mean,
                other.second,
                own.precision,
                noise,
                own.mean,
                own.covariance,
                own.left_over,
            )
            own.moments()
        before = noise
        if sweep > _WARM:
            rows.learn_precision(seen[0])
            cols.learn_precision(seen[1])
        noise = max(float(cols.left_over.sum()) / values.size, _FLOOR * square, 1e-300)
        ended = sweep > _WARM and abs(before - noise) <= rtol * noise
        seen_now = functools.partial(_factors, rows, cols, noise, sweep, result)
        if callback is not None and callback(sweep, seen_now):
            break
        if ended:
            result = Result.converged
            break
    return _factors(rows, cols, noise, sweep, result)


def _factors(
    rows: _Side, cols: _Side, noise: float, sweeps: int, result: Result
) -> BayesFactors:
    """What is left of the directions, in units in which a row's prior is N(0, 1)."""
    unit = np.sqrt(rows.precision)
    left, right = rows.mean * unit, cols.mean / unit
    sizes = np.linalg.norm(left, axis=0) * np.linalg.norm(right, axis=0)
    # A direction of this size is an entry's noise, spread over all cells.
    unit = np.sqrt(noise * left.shape[0] * right.shape[0])
    kept = sizes > np.maximum(_VANISHED * sizes.max(initial=0.0), _NOTHING * unit)
    return BayesFactors(
        left=left[:, kept],
        right=right[:, kept],
        noise=noise,
        sweeps=sweeps,
        result=result,
    )
