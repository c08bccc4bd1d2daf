"""What a completer is given, by scikit-learn's rules and its own."""

from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from lowrankflow.completion.observed_table import ObservedTable
from lowrankflow.errors import DataError
from lowrankflow.problems import Numbers


def table_of(
    completer: Any,
    X: Any,  # noqa: N803, scikit-learn's name
    *,
    reset: bool,
    shape: tuple[int, int] | None = None,
    entry_weight: Numbers | None = None,
) -> ObservedTable:
    """The known entries of what is given; number and names of columns are kept.

    Args:
        completer: whose columns these are.
        X: in any form that `ObservedTable.of` knows.
        reset: whether the columns are learnt, or must be those that were.
        shape: (rows, cols), for a tuple.
        entry_weight: as for `ObservedTable.of`.

    Raises:
        DataError: when it is no table of known entries, or has other columns.
    """
    if not isinstance(X, tuple | ObservedTable):
        table = ObservedTable.of(X, shape=shape, entry_weight=entry_weight)
        validate_data(completer, X, reset=reset, skip_check_array=True)
        return table
    if not reset and isinstance(X, tuple) and shape is None:
        most = int(np.max(X[0], initial=0)) + 1
        shape = most, completer.n_features_in_
    table = ObservedTable.of(X, shape=shape, entry_weight=entry_weight)
    if reset:
        completer.n_features_in_ = table.shape[1]
    elif table.shape[1] != completer.n_features_in_:
        raise DataError(
            where="MatrixCompleter.transform(X)",
            rule=f"X has {completer.n_features_in_} columns, as in fit",
            got=f"{table.shape[1]}",
            fix="Give rows of the same table",
        )
    return table


def rows_of(completer: Any, X: Any) -> ObservedTable:  # noqa: N803
    """Rows to be completed, of which nothing need be known.

    Args:
        completer: whose columns these are.
        X: as for `table_of`; a table without known entries is one here.

    Raises:
        DataError: when it is no table of as many columns.
    """
    try:
        return table_of(completer, X, reset=False)
    except DataError:
        empty = _all_missing(X)
        if empty is None or empty.shape[1] != completer.n_features_in_:
            raise
        return empty


def _all_missing(X: Any) -> ObservedTable | None:  # noqa: N803
    """A table without any known entry, if that is what was wrong with it."""
    try:
        array = np.asarray(X, float)
    except (TypeError, ValueError):
        return None
    if array.ndim != 2 or array.size == 0 or not np.isnan(array).all():
        return None
    none = np.zeros(0, np.int64)
    shape = int(array.shape[0]), int(array.shape[1])
    return ObservedTable(rows=none, cols=none, values=np.zeros(0), shape=shape)
