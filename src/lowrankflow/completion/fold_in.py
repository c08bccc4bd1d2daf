"""The factor of rows that are new, from their entries and the other factor."""

import numpy as np
from jaxtyping import Float, Int

from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems import (
    Numbers,
    SampledProducts,
    checked_index,
    described,
    finite_array,
    move_rows,
    positive_numbers,
    real_number,
)

_NAME = "fold_in"


def fold_in(
    right: Float[np.ndarray, "cols rank"],
    rows: Int[Numbers, " m"],
    cols: Int[Numbers, " m"],
    values: Float[Numbers, " m"],
    *,
    num_rows: int,
    ridge: float,
    by_count: bool = False,
    weights: Float[Numbers, " m"] | None = None,
) -> Float[np.ndarray, "num_rows rank"]:
    """The rows L that fit entries best, with the other factor R held.

    Row i minimizes sum_k w_k (L_i . R_{j_k} - y_k)^2 + ridge_i |L_i|^2 over its
    entries, ridge_i being the ridge, or with `by_count` the ridge times the number of
    its entries. The sum has no factor 1/2 and neither has the ridge: the same ridge as
    the `penalty` of `alternating_least_squares`.

    Args:
        right: R; float32 or float64, which the answer then is.
        rows: 0-based row of each entry.
        cols: 0-based column; a pair that is given twice counts twice.
        values: y, finite.
        num_rows: how many rows there are.
        ridge: >= 0. With 0, a row that its entries do not determine is that of least
            norm among the best.
        by_count: multiply the ridge by the number of the row's entries, or the sum of
            their weights.
        weights: > 0; 1 where None.

    Returns:
        L; 0 for a row without entries.

    Raises:
        DataError: when a shape disagrees, an index is out of range, or a number is not
            finite or too large for the arithmetic.
        SpecError: when a setting is out of its range.

    Exactness: exact but for rounding.
    Cost: m rank^2 / 2 + rows rank^3 / 6 operations.
    Source: zhou2008, section 3.1, the solution for one user.
    Differs: with a ridge of 0 by the pseudo-inverse; entry weights.
    """
    held = np.asarray(right)
    kind = np.dtype(np.float32 if held.dtype == np.float32 else np.float64)
    held = np.ascontiguousarray(finite_array(f"{_NAME}(right)", held, ndim=2), kind)
    if not isinstance(num_rows, int | np.integer) or num_rows < 0:
        raise _refused("num_rows", "this is an integer >= 0", num_rows, "num_rows=1")
    if not 0 <= real_number(ridge) < np.inf:
        raise _refused("ridge", "this is a number >= 0", ridge, "ridge=0.1")
    row_index = checked_index(f"{_NAME}(rows)", rows, int(num_rows))
    col_index = checked_index(f"{_NAME}(cols)", cols, held.shape[0])
    y = finite_array(f"{_NAME}(values)", values, ndim=1)
    lengths = row_index.size, col_index.size, y.size
    if len(set(lengths)) != 1:
        raise DataError(
            where=f"{_NAME}(rows, cols, values)",
            rule="there is one row, column and value per entry",
            got=f"lengths {lengths[0]}, {lengths[1]} and {lengths[2]}",
            fix="Give three arrays of one length",
        )
    scale = None
    each = np.ones(y.size)
    if weights is not None:
        each = positive_numbers(f"{_NAME}(weights)", weights, y.size)
        scale = np.sqrt(each)
        y = scale * y
    left = np.zeros((int(num_rows), held.shape[1]), kind)
    if y.size == 0 or held.shape[1] == 0:
        return left
    products = SampledProducts.of(row_index, col_index, (int(num_rows), held.shape[0]))
    ridges = np.full(int(num_rows), float(ridge))
    if by_count:
        ridges *= np.bincount(row_index, each, minlength=int(num_rows))
    with np.errstate(over="ignore"):
        y = products.sort(y).astype(kind)
    if np.isfinite(y).all():
        move_rows(
            products,
            y,
            left,
            held,
            ridge=ridges,
            scale=None if scale is None else products.sort(scale).astype(kind),
        )
    if not (np.isfinite(left).all() and np.isfinite(y).all()):
        raise DataError(
            where=f"{_NAME}(right, values)",
            rule=f"the squares of their numbers are numbers in {kind.name}",
            got="a row that is not finite",
            fix="Divide the values by their largest",
        )
    return left


def _refused(name: str, rule: str, got: object, example: str) -> SpecError:
    shown = f"{got!r}" if isinstance(got, str | int | float) else described(got)
    return SpecError(
        where=f"{_NAME}({name})",
        rule=rule,
        got=shown[:200],
        fix=f"Give for example {example}",
    )
