"""Every form of a table, and what is wrong with some."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse

from lowrankflow.completion import ObservedTable
from lowrankflow.errors import DataError, SpecError

TABLE = np.array([[1.0, np.nan, 0.0], [np.nan, 2.5, np.nan]])


def same(found, expected=TABLE):
    np.testing.assert_array_equal(found.dense(), expected)
    assert found.shape == expected.shape


@given(
    arrays(
        float,
        st.tuples(st.integers(1, 6), st.integers(1, 6)),
        elements=st.one_of(st.just(np.nan), st.floats(-9, 9)),
    )
)
def test_all_forms_say_the_same(table):
    rows, cols = np.nonzero(~np.isnan(table))
    values = table[rows, cols]
    if not rows.size:
        with pytest.raises(DataError, match="at least one entry is known"):
            ObservedTable.of(table)
        return
    shuffled = np.random.default_rng(0).permutation(rows.size)
    triplets = rows[shuffled], cols[shuffled], values[shuffled]
    stored = sparse.coo_array((values, (rows, cols)), shape=table.shape)
    forms = [table, table.tolist(), pd.DataFrame(table)]
    forms += [stored, stored.tocsr(), sparse.csc_matrix(stored)]
    for form in forms:
        same(ObservedTable.of(form), table)
    same(ObservedTable.of(triplets, shape=table.shape), table)


def test_a_stored_zero_is_data_and_what_is_not_stored_is_missing():
    stored = sparse.csr_array(([5.0, 0.0], ([0, 1], [1, 0])), shape=(2, 2))
    same(ObservedTable.of(stored), np.array([[np.nan, 5.0], [0.0, np.nan]]))


def test_missing_numbers_of_pandas():
    frame = pd.DataFrame({"a": pd.array([1, None], "Int64"), "b": [True, False]})
    same(ObservedTable.of(frame), np.array([[1.0, 1.0], [np.nan, 0.0]]))
    assert ObservedTable.of(frame).col_labels == ["a", "b"]


def test_weights_stay_with_their_entries():
    rows, cols, values = [1, 0, 1], [0, 1, 2], [10.0, 20.0, 30.0]
    found = ObservedTable.of((rows, cols, values), entry_weight=[1.0, 2.0, 3.0])
    assert dict(zip(found.values, found.weights, strict=True)) == {10: 1, 20: 2, 30: 3}
    dense = ObservedTable.of(TABLE, entry_weight=np.arange(1.0, 7.0).reshape(2, 3))
    assert dense.weights.tolist() == [1, 3, 5]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ([[1.0, np.inf]], "inf at row 0, column 1"),
        ([1.0, 2.0], "Reshape your data"),
        (np.zeros((3, 0)), "0 feature"),
        ([["a", "b"]], "numbers"),
        ([[1j, 2]], "Complex data"),
        (([0], [0]), "a tuple of 2"),
        (([0, 0], [1, 1], [1.0, 2.0]), "(0, 1) twice"),
        (([0, -1], [1, 1], [1.0, 2.0]), "-1 at position 1"),
        (([0], [0, 1], [1.0, 2.0]), "lengths 1, 2 and 2"),
        (([0], [0], [np.nan]), "nan at position 0"),
        (pd.DataFrame({"a": [1.0], "b": ["x"]}), "column 'b'"),
        (sparse.csr_array([[0.0, np.nan]]), "nan at position 0"),
    ],
)
def test_what_is_wrong_is_said(table, words):
    with pytest.raises(DataError) as caught:
        ObservedTable.of(table)
    assert words in str(caught.value)


def test_a_shape_belongs_to_triplets():
    with pytest.raises(SpecError, match="has its own"):
        ObservedTable.of(TABLE, shape=(2, 3))
    with pytest.raises(DataError, match="indices must lie in"):
        ObservedTable.of(([3], [0], [1.0]), shape=(2, 3))


@pytest.mark.parametrize("weight", [[1.0, 2.0], [1.0, 0.0, 2.0], [1.0, np.nan, 2.0]])
def test_wrong_weights(weight):
    with pytest.raises(DataError, match="entry_weight"):
        ObservedTable.of(TABLE, entry_weight=weight)
