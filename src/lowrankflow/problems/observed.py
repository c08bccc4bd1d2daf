"""Reading the entries of a half-empty matrix: from an array with NaN, from a list."""

from typing import Literal

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems.checks import (
    checked_index,
    checked_shape,
    finite_array,
    real_array,
)
from lowrankflow.problems.matrices import Numbers
from lowrankflow.problems.operators import EntrySampling
from lowrankflow.problems.weighted_entries import (
    EntryOperator,
    WeightedEntrySampling,
    positive_numbers,
)


def observed_entries(
    matrix: Numbers,
) -> tuple[EntrySampling, Float[np.ndarray, " m"]]:
    """The sampling of what is not NaN in a matrix, row by row, and the values there.

    Raises:
        DataError: when it is no real matrix, an entry is infinite, or all are NaN.
    """
    where = "SensingProblem.from_matrix(matrix)"
    array, kind = real_array(matrix)
    if array.ndim != 2 or array.size == 0:
        raise DataError(
            where=where,
            rule="this is a non-empty array of real numbers with two dimensions",
            got=kind or f"shape {array.shape}",
            fix="Convert it with numpy.asarray(..., dtype=float); NaN = not observed",
        )
    infinite = np.argwhere(np.isinf(array))
    if infinite.size:
        at = tuple(int(i) for i in infinite[0])
        raise DataError(
            where=where,
            rule="an entry is finite, or NaN where it was not observed",
            got=f"{array[at]} at row {at[0]}, column {at[1]}",
            fix="Put NaN there, or the value that was meant",
        )
    rows, cols = np.nonzero(~np.isnan(array))
    if rows.size == 0:
        raise DataError(
            where=where,
            rule="at least one entry must be observed",
            got=f"a {array.shape} matrix of NaN",
            fix="Give the observed entries as numbers, NaN elsewhere",
        )
    return EntrySampling(rows, cols, array.shape), array[rows, cols]


def listed_entries(
    rows: Numbers,
    cols: Numbers,
    values: Numbers,
    shape: tuple[int, int],
    duplicates: Literal["error", "mean"],
    weights: Numbers | None = None,
) -> tuple[EntryOperator, Float[np.ndarray, " m"]]:
    """The sampling of listed pairs and its values, repeated pairs refused or averaged.

    With weights the measurements are the values times the roots of these.

    Raises:
        DataError: when lengths differ, an index is out of range, a value is not
            finite, a weight not above 0, a pair repeats while `duplicates` is "error",
            or there is none.
        SpecError: when `duplicates` is another word.
    """
    name = "SensingProblem.from_entries"
    shape = checked_shape(f"{name}(shape)", shape)
    row_index = checked_index(f"{name}(rows)", rows, shape[0])
    col_index = checked_index(f"{name}(cols)", cols, shape[1])
    numbers = finite_array(f"{name}(values)", values, ndim=1)
    lengths = (row_index.size, col_index.size, numbers.size)
    if len(set(lengths)) != 1 or numbers.size == 0:
        raise DataError(
            where=f"{name}(rows, cols, values)",
            rule="there is one row, column and value per entry, and at least one entry",
            got=f"lengths {lengths[0]}, {lengths[1]} and {lengths[2]}",
            fix="Give three arrays of one length",
        )
    if duplicates not in ("error", "mean"):
        raise SpecError(
            where=f"{name}(duplicates)",
            rule='repeated pairs are refused ("error") or averaged ("mean")',
            got=f"{duplicates!r}",
            fix='Give duplicates="error" or duplicates="mean"',
        )
    if weights is not None:
        weights = positive_numbers(f"{name}(weights)", weights, numbers.size)
    try:
        return _sampling(row_index, col_index, shape, numbers, weights)
    except DataError:
        # A pair repeats, all else was checked. The operator looks for repeats itself,
        # which takes longer than the rest: here they are only looked for once known.
        flat = row_index * shape[1] + col_index
        _, first, group = np.unique(flat, return_index=True, return_inverse=True)
    if duplicates == "error":
        _refuse_repeats(name, row_index, col_index, numbers, first, group)
    # Each counts by its weight, and together they have the sum of their weights.
    each = np.ones(numbers.size) if weights is None else weights
    total = np.bincount(group, weights=each)
    means = np.bincount(group, weights=each * numbers) / total
    kept = None if weights is None else total
    return _sampling(row_index[first], col_index[first], shape, means, kept)


def _sampling(
    rows: np.ndarray,
    cols: np.ndarray,
    shape: tuple[int, int],
    values: np.ndarray,
    weights: np.ndarray | None,
) -> tuple[EntryOperator, np.ndarray]:
    if weights is None:
        return EntrySampling(rows, cols, shape), values
    scale = np.sqrt(weights)
    return WeightedEntrySampling(rows, cols, scale, shape), scale * values


def _refuse_repeats(
    name: str,
    rows: np.ndarray,
    cols: np.ndarray,
    values: np.ndarray,
    first: np.ndarray,
    group: np.ndarray,
) -> None:
    second = np.setdiff1d(np.arange(rows.size), first)[0]
    earlier = first[group[second]]
    equal = values[second] == values[earlier]
    raise DataError(
        where=f"{name}(rows, cols)",
        rule="each pair is listed once, since a repeat would count twice in the loss",
        got=(
            f"({rows[second]}, {cols[second]}) at positions {earlier} and {second}, "
            f"with {'equal' if equal else 'conflicting'} values "
            f"{values[earlier]} and {values[second]}"
        ),
        fix='Remove one, or pass duplicates="mean"',
    )
