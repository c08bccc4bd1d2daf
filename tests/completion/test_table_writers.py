"""What is written is read again, bit for bit, and never half."""

import string

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from lowrankflow.completion import (
    Detected,
    FilledTable,
    Table,
    bound_paths,
    read_table,
    write_table,
)
from lowrankflow.errors import SpecError

NAN = np.nan
TEXT = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
ALL = (*TEXT, ".parquet", ".npy", ".npz", ".mtx")
QUICK = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
# What UTF-8 cannot say, and the zero byte, no label of a file has.
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
LABELS = st.text(CHARACTERS, min_size=1).filter(lambda label: label == label.strip())
MARKS = {"na", "nan", "null", "none", "inf", "infinity"}
WORDS = st.text(string.ascii_letters, min_size=1).filter(
    lambda word: word.lower() not in MARKS
)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def tables(draw, labels, numbers=FINITE, dtype=np.float64):
    """A filled table, some of it observed, and its matrix."""
    rows, cols = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    size = rows * cols
    matrix = np.array(draw(st.lists(numbers, min_size=size, max_size=size)), dtype)
    matrix = matrix.reshape(rows, cols)
    seen = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    observed = Table.of_matrix(
        np.where(np.reshape(seen, (rows, cols)), matrix, NAN),
        row_labels=named(draw, labels, rows),
        col_labels=named(draw, labels, cols),
    )
    return FilledTable(table=observed, predict=lambda r, c: matrix[r, c]), matrix


def named(draw, labels, count):
    names = draw(st.lists(labels, min_size=count, max_size=count, unique=True))
    return np.array(names, object)


def same(table, matrix):
    assert table.to_dense().tobytes() == np.ascontiguousarray(matrix).tobytes()


@pytest.mark.parametrize("suffix", [*TEXT, ".parquet"])
@given(made=tables(LABELS))
@QUICK
def test_any_label_and_number_comes_back_wide(tmp_path, suffix, made):
    filled, matrix = made
    path = tmp_path / f"m{suffix}"
    assert write_table(path, filled, form="wide") == (path,)
    forced = {} if suffix == ".parquet" else {"header": True}
    table = read_table(path, form="wide", row_labels=True, **forced)
    same(table, matrix)
    assert table.row_labels.tolist() == filled.table.row_labels.tolist()
    assert table.col_labels.tolist() == filled.table.col_labels.tolist()


@pytest.mark.parametrize("suffix", [*TEXT, ".parquet", ".npz"])
@given(made=tables(LABELS))
@QUICK
def test_any_label_and_number_comes_back_long(tmp_path, suffix, made):
    filled, matrix = made
    path = tmp_path / f"m{suffix}"
    write_table(path, filled, form="long")
    table = read_table(path)
    assert table.detected.form == "long"
    same(table, matrix)
    assert table.row_labels.tolist() == filled.table.row_labels.tolist()
    assert table.col_labels.tolist() == filled.table.col_labels.tolist()


@pytest.mark.parametrize("suffix", [*TEXT, ".parquet", ".npz"])
@given(made=tables(WORDS))
@example(made=(FilledTable.of_matrix(Table.of_matrix(np.eye(1)), np.eye(1)), np.eye(1)))
@QUICK
def test_what_is_written_is_detected(tmp_path, suffix, made):
    filled, matrix = made
    path = tmp_path / f"m{suffix}"
    write_table(path, filled, form="wide")
    table = read_table(path)
    assert table.detected.form == "wide"
    same(table, matrix)


@pytest.mark.parametrize("suffix", ALL)
@given(made=tables(WORDS, st.floats(width=32, allow_nan=False, allow_infinity=False)))
@QUICK
def test_numbers_alone(tmp_path, suffix, made):
    _, matrix = made
    path = tmp_path / f"m{suffix}"
    write_table(path, FilledTable.of_matrix(Table.of_matrix(matrix), matrix))
    forced = {} if suffix in (".parquet", ".npy", ".npz", ".mtx") else {"header": False}
    if suffix != ".mtx":
        forced["form"] = "wide"
    table = read_table(path, **forced)
    # Matrix Market's reader of arrays may lose the sign of a zero.
    same(table, matrix + 0.0 if suffix == ".mtx" else matrix)


@pytest.mark.parametrize("suffix", [".csv", ".npy", ".npz", ".parquet"])
def test_single_precision_stays(tmp_path, suffix):
    matrix = np.array([[0.1, 1 / 3], [1e-30, -7]], np.float32)
    path = tmp_path / f"m{suffix}"
    write_table(path, FilledTable.of_matrix(Table.of_matrix(matrix), matrix))
    read = read_table(path).to_dense()
    assert read.astype(np.float32).tobytes() == matrix.tobytes()
    assert read.dtype == (np.float64 if suffix == ".csv" else np.float32)


def half(matrix, seen, **names):
    """Observed where seen; predicted as minus one else."""
    table = Table.of_matrix(np.where(seen, matrix, NAN), **names)
    return FilledTable(
        table=table,
        predict=lambda r, c: np.full(len(r), -1.0),
        interval=lambda r, c: (np.full(len(r), -2.0), np.full(len(r), 0.5)),
    )


SEEN = np.array([[True, False], [False, True], [True, True]])
TRUTH = np.array([[0.1, 2], [3, 4], [5, 6e-7]])


def test_observed_values_stay_and_bounds_are_beside_them(tmp_path):
    filled = half(TRUTH, SEEN, row_labels=np.array(["x", "y", "z"], object))
    path = tmp_path / "m.csv"
    write_table(path, filled, form="long")
    assert path.read_text() == (
        "row,column,value,low,high\nx,0,0.1,0.1,0.1\nx,1,-1,-2,0.5\ny,0,-1,-2,0.5\n"
        "y,1,4,4,4\nz,0,5,5,5\nz,1,6e-7,6e-7,6e-7\n"
    )
    written = write_table(tmp_path / "w.csv.gz", filled, form="wide")
    assert [p.name for p in written] == ["w.csv.gz", "w.low.csv.gz", "w.high.csv.gz"]
    assert written[1:] == bound_paths(tmp_path / "w.csv.gz")
    low = read_table(written[1]).to_dense()
    assert np.array_equal(low, np.where(SEEN, TRUTH, -2))
    write_table(tmp_path / "w.npz", filled, form="wide")
    with np.load(tmp_path / "w.npz") as arrays:
        assert np.array_equal(arrays["high"], np.where(SEEN, TRUTH, 0.5))


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz", ".mtx"])
def test_pairs_alone(tmp_path, suffix):
    filled = half(TRUTH, SEEN)
    path = tmp_path / f"m{suffix}"
    write_table(path, filled, pairs=(np.array([2, 0]), np.array([1, 1])))
    table = read_table(path)
    assert table.values.tolist() == [6e-7, -1.0]


def test_blocks_are_smaller_than_the_table(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(700, 3000))
    largest = []

    def predict(rows, cols):
        largest.append(len(rows))
        return matrix[rows, cols]

    seen = rng.uniform(size=matrix.shape) < 0.3
    table = Table.of_matrix(np.where(seen, matrix, NAN))
    filled = FilledTable(table=table, predict=predict)
    for suffix in (".npy", ".mtx", ".csv"):
        write_table(tmp_path / f"m{suffix}", filled, form="wide")
        same(read_table(tmp_path / f"m{suffix}"), matrix)
    assert max(largest) < matrix.size / 3


def test_what_a_file_cannot_have(tmp_path):
    filled = half(TRUTH, SEEN)
    with pytest.raises(SpecError, match="a .npy file has a matrix.*--write wide"):
        write_table(tmp_path / "m.npy", filled, form="long")
    with pytest.raises(SpecError, match="ends in .csv, .*--out m.csv"):
        write_table(tmp_path / "m.xlsx", filled)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("old")

    def predict(rows, cols):
        raise KeyboardInterrupt

    table = Table.of_matrix(TRUTH)
    with pytest.raises(KeyboardInterrupt):
        write_table(path, FilledTable(table=table, predict=predict))
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["m.csv"]


def test_the_form_is_that_of_the_table(tmp_path):
    table = Table(
        rows=np.array([0, 1]),
        cols=np.array([0, 0]),
        values=np.array([1.0, 2.0]),
        shape=(2, 1),
        row_name="user",
        col_name="user",
        detected=Detected(kind="CSV", form="long"),
    )
    filled = FilledTable(table=table, predict=lambda r, c: np.zeros(len(r)))
    write_table(tmp_path / "m.tsv", filled)
    assert (tmp_path / "m.tsv").read_text() == ("row\tuser\tvalue\n0\t0\t1\n1\t0\t2\n")
