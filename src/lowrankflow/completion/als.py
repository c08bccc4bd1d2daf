r"""Alternating least squares of a fixed rank, with the two published regularizations.

    minimize 1/2 sum_k w_k (L_i . R_j - y_k)^2 + 1/2 sum_i a_i |L_i|^2 + 1/2 sum_j b_j
    |R_j|^2,

with a_i = b_j = penalty (a ridge), or the penalty times the number of entries of the
row or column. The two factors are solved for in turn.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems import (
    EntryOperator,
    Factored,
    SampledProducts,
    SensingProblem,
    Squared,
    WeightedProducts,
    checked_problem,
    described,
    entry_products,
    entry_scale,
    finite_array,
    move_rows,
    real_number,
    total_weight,
)
from lowrankflow.result import Result
from lowrankflow.seeds import generator

Start = Literal["random", "spectral"]
_NAME = "alternating_least_squares"
_WORDS = ("random", "spectral")
_PRECISIONS = ("float64", "float32")
# Of the subspace iteration that a spectral start is from.
_POWERS = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class AlternatingLeastSquares:
    """A completion of fixed rank, as two factors.

    Args:
        left: L, rows x rank; 0 for a row without entries.
        right: R, cols x rank; likewise.
        penalty: of the factors.
        by_count: whether it is multiplied by the number of entries of a row or column.
        objective: the value of the problem at the factors.
        training_error: root mean squared error on the entries, weighted where these
            are.
        sweeps: how often both factors were solved for.
        result: `Result.converged` when the objective fell by no more than was asked,
            else `Result.iterations_reached`; the latter also where a callback stopped.
    """

    left: Float[np.ndarray, "rows rank"]
    right: Float[np.ndarray, "cols rank"]
    penalty: float
    by_count: bool
    objective: float
    training_error: float
    sweeps: int
    result: Result

    @property
    def matrix(self) -> Factored:
        """L R', thin."""
        rank = self.left.shape[1]
        return Factored(self.left, np.eye(rank, dtype=self.left.dtype), self.right)


def alternating_least_squares(
    problem: SensingProblem,
    *,
    rank: int,
    penalty: float,
    rtol: float,
    by_count: bool = True,
    max_sweeps: int = 1000,
    seed: int = 0,
    start: Start
    | tuple[Float[np.ndarray, "rows rank"], Float[np.ndarray, "cols rank"]] = "random",
    dtype: Literal["float64", "float32"] = "float64",
    callback: Callable[[int, float], object] | None = None,
) -> AlternatingLeastSquares:
    """The completion of a given rank that alternating least squares arrives at.

    Args:
        problem: of observed entries, which may have weights; its loss is taken as half
            the sum of squares, whatever its normalization.
        rank: of the factors, >= 1; no more than the smaller side of the matrix.
        penalty: >= 0. With `by_count` it is per entry, as if each entry came with a
            ridge on the two rows that it is the product of; else that of the nuclear
            norm in `soft_impute`, to which the two terms are equal at best factors.
        rtol: stop when a sweep lowers the objective by no more than this part of it;
            0 for all sweeps.
        by_count: multiply the penalty by the number of entries of each row and column,
            or the sum of their weights.
        max_sweeps: sweeps allowed, >= 1.
        seed: of a random start.
        start: "random" factors, "spectral" ones (the top singular vectors of the table
            with zeros where nothing was observed), or (L, R). L is solved for first,
            so that it is R that matters.
        dtype: of the arithmetic. "float32" halves memory and time of a large table.
        callback: called with the number of sweeps and the objective after each; a true
            answer stops.

    Raises:
        SpecError: when a setting is out of its range, or the problem does not observe
            entries with the squared loss.
        DataError: when `start` has another shape, or the numbers are too large for the
            arithmetic.

    Exactness: each factor is solved for exactly but for rounding, so that the objective
        never rises; the end is a stationary point, not always a minimum over both.
    Cost: a sweep is m rank^2 operations and (rows + cols) rank^3 / 6. Memory for the
        entries and two copies of the factors.
    Source: zhou2008, section 3 (with `by_count`); koren2009 for the plain ridge.
    Differs: zhou2008 starts from the columns' means and stops by the error on a probe
        set; entry weights.
    """
    operator = _checked(problem, rank, penalty, rtol, by_count, max_sweeps, dtype)
    kind = np.dtype(dtype)
    products = entry_products(operator, dtype=kind)
    plain = products.inner if isinstance(products, WeightedProducts) else products
    with np.errstate(over="ignore"):
        values = products.sort(np.asarray(problem.measurements)).astype(kind)
    _check_finite(values, dtype)
    by_col = values[products.to_col]
    scale = entry_scale(operator)
    size = np.ones(values.size) if scale is None else scale
    left, right = _start(start, products, values, size, int(rank), kind, seed)
    weights = size**2
    sides = []
    for index, count in zip(
        (operator.row_index, operator.col_index), problem.shape, strict=True
    ):
        total = np.bincount(np.asarray(index), weights, minlength=count)
        ridge = float(penalty) * (total if by_count else np.ones(count))
        sides.append((total > 0, ridge))
    (seen_rows, row_ridge), (seen_cols, col_ridge) = sides
    left[~seen_rows], right[~seen_cols] = 0, 0
    scales = (None, None)
    if isinstance(products, WeightedProducts):
        scales = products.scale, products.scale_by_col
    before, objective, square, sweeps = np.inf, np.inf, np.inf, 0
    result = Result.iterations_reached
    while sweeps < max_sweeps:
        move_rows(
            plain, values, left, right, by="row", ridge=row_ridge, scale=scales[0]
        )
        _check_finite(left, dtype)
        move_rows(
            plain, by_col, right, left, by="col", ridge=col_ridge, scale=scales[1]
        )
        _check_finite(right, dtype)
        sweeps += 1
        if rtol == 0 and callback is None and sweeps < max_sweeps:
            continue
        residual = products.entries(left, right) - values
        square = products.dot(residual, residual)
        norms = row_ridge @ _squares(left) + col_ridge @ _squares(right)
        objective = 0.5 * (square + float(norms))
        _check_finite(np.array(objective), dtype)
        if rtol > 0 and before - objective <= rtol * objective:
            result = Result.converged
        stopped = callback is not None and callback(sweeps, objective)
        if result is Result.converged or stopped:
            break
        before = objective
    return AlternatingLeastSquares(
        left=left,
        right=right,
        penalty=float(penalty),
        by_count=bool(by_count),
        objective=objective,
        training_error=float(np.sqrt(square / total_weight(operator))),
        sweeps=sweeps,
        result=result,
    )


def _check_finite(numbers: np.ndarray, dtype: str) -> None:
    if not np.isfinite(numbers).all():
        raise DataError(
            where=f"{_NAME}(problem)",
            rule=f"the squares of the entries are numbers in {dtype}",
            got="entries too large for that, or hardly any penalty",
            fix="Divide the entries by their largest, or give a larger penalty",
        )


def _squares(factor: Float[np.ndarray, "n rank"]) -> Float[np.ndarray, " n"]:
    return np.einsum("ir,ir->i", factor, factor, dtype=float)


def _start(
    start: object,
    products: SampledProducts | WeightedProducts,
    values: Float[np.ndarray, " m"],
    size: Float[np.ndarray, " m"],
    rank: int,
    kind: np.dtype,
    seed: int,
) -> tuple[Float[np.ndarray, "rows rank"], Float[np.ndarray, "cols rank"]]:
    """L and R to begin with; they are the caller's own no more."""
    rows, cols = products.shape
    if isinstance(start, str):
        if start not in _WORDS:
            raise _refused("start", 'this is "random", "spectral" or (L, R)', start)
        drawn = generator(seed, _NAME).standard_normal((cols, rank))
        # Factors of which the entries of L R' are of the size of those observed.
        power = float(np.square(values, dtype=float).sum() / np.square(size).sum())
        height = (power / rank) ** 0.25 or 1.0
        left = np.zeros((rows, rank), kind)
        if start == "random":
            return left, (height * drawn).astype(kind)
        right = drawn
        for _ in range(_POWERS):
            across = products.mm(values, right.astype(kind))
            right = products.rmm(values, np.linalg.qr(across)[0].astype(kind))
            right = np.linalg.qr(right)[0]
        return left, (height * np.sqrt(cols) * right).astype(kind)
    try:
        left, right = start  # pyright: ignore[reportGeneralTypeIssues]
    except (TypeError, ValueError):
        raise _refused(
            "start", 'this is "random", "spectral" or (L, R)', start
        ) from None
    pair = []
    for name, factor, count in (("L", left, rows), ("R", right, cols)):
        where = f"{_NAME}(start)"
        array = finite_array(where, factor, ndim=2)
        if array.shape != (count, rank):
            raise DataError(
                where=where,
                rule=f"{name} has the shape {(count, rank)}",
                got=f"shape {array.shape}",
                fix="Give factors of this table and rank, or leave the start out",
            )
        pair.append(np.array(array, kind, order="C"))
    return pair[0], pair[1]


def _checked(
    problem: SensingProblem,
    rank: object,
    penalty: float,
    rtol: float,
    by_count: object,
    max_sweeps: object,
    dtype: object,
) -> EntryOperator:
    """The problem's operator, when it observes entries and the settings are right."""
    checked_problem(f"{_NAME}(problem)", problem)
    if not isinstance(problem.operator, EntryOperator):
        raise SpecError(
            where=f"{_NAME}(problem)",
            rule="entries are observed, one by one",
            got=described(problem.operator),
            fix="Give a problem from SensingProblem.from_entries or from_matrix",
        )
    if not isinstance(problem.loss, Squared):
        raise SpecError(
            where=f"{_NAME}(problem)",
            rule="least squares are of the squared loss",
            got=f"{problem.loss!r}"[:200],
            fix="Leave the loss of the problem out",
        )
    most = min(problem.shape)
    for name, number, largest in (
        ("rank", rank, most),
        ("max_sweeps", max_sweeps, np.inf),
    ):
        whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
        if not (whole and 1 <= int(number) <= largest):  # pyright: ignore[reportArgumentType]
            up_to = f" and at most {most}" if name == "rank" else ""
            raise _refused(name, f"this is an integer >= 1{up_to}", number)
    for name, number in (("penalty", penalty), ("rtol", rtol)):
        if not 0 <= real_number(number) < np.inf:
            raise _refused(name, "this is a number >= 0", number)
    if not isinstance(by_count, bool | np.bool_):
        raise _refused("by_count", "this is True or False", by_count)
    if dtype not in _PRECISIONS:
        raise _refused("dtype", 'this is "float64" or "float32"', dtype)
    return problem.operator


_FIX = {
    "start": "Leave it out for random factors",
    "rank": "Give for example rank=10",
    "max_sweeps": "Leave it out, or give for example 100",
    "penalty": "Give for example penalty=0.05",
    "rtol": "Give for example rtol=1e-4",
    "by_count": "Leave it out for True",
    "dtype": 'Leave it out for "float64"',
}


def _refused(name: str, rule: str, got: object) -> SpecError:
    shown = f"{got!r}" if isinstance(got, str | int | float) else described(got)
    return SpecError(
        where=f"{_NAME}({name})", rule=rule, got=shown[:200], fix=_FIX[name]
    )
