"""What enters is checked once, here, on the host: shapes, indices, numbers."""

import numpy as np

from lowrankflow.errors import DataError
from lowrankflow.problems.matrices import Numbers


def real_array(array: Numbers | float) -> tuple[np.ndarray, str]:
    """The numbers as float64 and "", or an empty array and what was found instead.

    Strings that look like numbers are not numbers: "1" in a table is a file read wrong.
    """
    try:
        given = np.asarray(array)
        if np.iscomplexobj(given):
            return np.empty(0), "complex numbers"
        if given.dtype.kind in "USMm":
            return np.empty(0), f"no numbers but dtype {given.dtype}"
        return given.astype(np.float64, copy=False), ""
    except (TypeError, ValueError, OverflowError):
        return np.empty(0), "no array of numbers"


def real_number(value: float) -> float:
    """The value as a float; NaN, which no comparison accepts, for what is no number.

    Strings that look like numbers are not numbers, nor are truth values, arrays of any
    dimension but zero and integers of more than 64 bits.
    """
    numbers, kind = real_array(value)
    if kind or numbers.ndim != 0 or np.asarray(value).dtype.kind not in "iuf":
        return np.nan
    return float(numbers)


def finite_array(where: str, array: Numbers, *, ndim: int) -> np.ndarray:
    """The numbers as a float64 NumPy array of `ndim` dimensions, all finite.

    Raises:
        DataError: when they are not numbers, not finite or of another dimension.
    """
    numbers, kind = real_array(array)
    if numbers.ndim != ndim or kind:
        raise DataError(
            where=where,
            rule=f"this is an array of real numbers with {ndim} dimension(s)",
            got=kind or f"shape {numbers.shape}",
            fix="Convert it with numpy.asarray(..., dtype=float) and reshape it",
        )
    bad = np.argwhere(~np.isfinite(numbers))
    if bad.size:
        at = tuple(int(i) for i in bad[0])
        raise DataError(
            where=where,
            rule="every number must be finite",
            got=f"{numbers[at]} at position {at if ndim > 1 else at[0]}",
            fix="Remove it, or leave that measurement out",
        )
    return numbers


def checked_shape(where: str, shape: tuple[int, int]) -> tuple[int, int]:
    """(rows, cols) as two positive Python ints.

    Raises:
        DataError: when it is not.
    """
    try:
        rows, cols = (int(n) for n in shape)
        exact = rows == shape[0] and cols == shape[1]
    except (TypeError, ValueError, OverflowError):
        rows, cols, exact = 0, 0, False
    if not exact or rows < 1 or cols < 1:
        raise DataError(
            where=where,
            rule="a shape is a pair (rows, cols) of positive integers",
            got=f"{shape!r}",
            fix="Give for example shape=(100, 80)",
        )
    return rows, cols


def checked_pairs(
    where: str, row_index: Numbers, col_index: Numbers, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """The two index arrays as int64, in range, of one length, with no pair twice.

    Raises:
        DataError: when they are not; the message names the first offending position.
    """
    rows = checked_index(f"{where}(row_index)", row_index, shape[0])
    cols = checked_index(f"{where}(col_index)", col_index, shape[1])
    if rows.shape != cols.shape:
        raise DataError(
            where=f"{where}(row_index, col_index)",
            rule="both must have one number per measurement",
            got=f"lengths {rows.size} and {cols.size}",
            fix="Give pairs: entry k is at (row_index[k], col_index[k])",
        )
    if rows.size == 0:
        raise DataError(
            where=f"{where}(row_index, col_index)",
            rule="at least one measurement is needed",
            got="none",
            fix="Observe at least one entry",
        )
    flat = rows * shape[1] + cols
    if repeats(flat):
        order = np.argsort(flat, kind="stable")
        repeated = np.flatnonzero(flat[order][1:] == flat[order][:-1])
        first, second = order[repeated[0]], order[repeated[0] + 1]
        raise DataError(
            where=f"{where}(row_index, col_index)",
            rule="each pair may be observed once",
            got=f"({rows[first]}, {cols[first]}) at positions {first} and {second}",
            fix='Merge them first, or use from_entries(..., duplicates="mean")',
        )
    return rows, cols


def repeats(numbers: np.ndarray) -> bool:
    """Whether any of the integers comes twice.

    Cost: a comparison each where they ascend; else one sort of values, a fifth of what
        finding out where they stand would take.
    """
    if (numbers[1:] > numbers[:-1]).all():
        return False
    numbers = np.sort(numbers)
    return bool((numbers[1:] == numbers[:-1]).any())


def checked_index(where: str, index: Numbers, size: int) -> np.ndarray:
    """A one-dimensional int64 array with every number in 0...size-1.

    Raises:
        DataError: when it is not; the message names the first offending position.
    """
    try:
        array = np.asarray(index)
    except ValueError:  # lists of different lengths
        array = np.empty((0, 0))
    whole = np.issubdtype(array.dtype, np.integer)
    if not whole and np.issubdtype(array.dtype, np.floating):
        whole = bool(np.all(np.isfinite(array)) and np.all(array == np.trunc(array)))
    if array.ndim != 1 or not (whole or array.size == 0):
        raise DataError(
            where=where,
            rule="indices are a one-dimensional array of integers",
            got=f"dtype {array.dtype} and shape {array.shape}",
            fix="Give 0-based integers, one per measurement",
        )
    if array.size and (array.min() < 0 or array.max() >= size):
        at = np.flatnonzero((array < 0) | (array >= size))[0]
        raise DataError(
            where=where,
            rule=f"indices must lie in 0...{size - 1}",
            got=f"{array[at]} at position {at}",
            fix="Subtract one if they count from one, or give a larger shape",
        )
    return array.astype(np.int64)


def checked_measurements(where: str, count: int, values: Numbers) -> np.ndarray:
    """One finite number per measurement, as float64.

    Raises:
        DataError: when there are more or fewer, or one is not finite.
    """
    numbers = finite_array(where, values, ndim=1)
    if numbers.size != count:
        raise DataError(
            where=where,
            rule=f"the operator makes {count} measurements, one value each",
            got=f"{numbers.size} values",
            fix="Give operator.apply(matrix), or the values in the operator's order",
        )
    return numbers


def checked_same_shape(
    where: str, shape: tuple[int, ...], expected: tuple[int, int]
) -> None:
    """Nothing, when the two shapes agree.

    Raises:
        DataError: when they do not.
    """
    if tuple(shape) != tuple(expected):
        raise DataError(
            where=where,
            rule=f"it belongs to matrices of shape {tuple(expected)}",
            got=f"shape {tuple(shape)}",
            fix="Transpose it, or build it for this shape",
        )


def checked_target(
    where: str, shape: tuple[int, int], target: Numbers | None
) -> np.ndarray | None:
    """The target as finite float64 of this shape, or None when there is none.

    Raises:
        DataError: when its shape is another or a value is not finite.
    """
    if target is None:
        return None
    array = finite_array(where, target, ndim=2)
    checked_same_shape(where, array.shape, shape)
    return array
