"""Half-empty matrices in files, and every way in which a file can be wrong."""

from pathlib import Path

import numpy as np
import pytest

from lowrankflow.cli.tables import Table, read_table, write_table
from lowrankflow.errors import DataError

NAN = np.nan
MATRIX = np.array([[1.0, NAN, 3.0], [NAN, 5.5, -6e-3]])
ROUND = np.array([[0.1, 1 / 3, 1e-300], [2.0, -0.0, 5e20]])


def read(tmp_path, text, name="m.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(path)


@pytest.mark.parametrize(
    "text",
    [
        "1,,3\n,5.5,-6e-3\n",
        "1;?;3\n?;5.5;-6e-3",
        "1\tNA\t3\nNaN\t5.5\t-0.006\n\n\n",
        "1|n/a|3\nnull|5.5|-6e-3",
        "1 nan  3\nnan 5.5 -6e-3\n",
        "\ufeff1, ,3\r\n-, 5.5 ,-6e-3\r\n",
        '# a comment, of two cells\n"1","","3"\n"","5.5","-6e-3"',
    ],
)
def test_text_with_any_delimiter(tmp_path, text):
    table = read(tmp_path, text)
    assert np.array_equal(table.matrix, MATRIX, equal_nan=True)
    assert table.header is table.names is None


@pytest.mark.parametrize(
    ("text", "header", "names"),
    [
        ("a,b,c\n1,,3\n,5.5,-6e-3", ("a", "b", "c"), None),
        ("x,1,,3\ny,,5.5,-6e-3", None, ("x", "y")),
        ("user,a,b,c\nx,1,,3\ny,,5.5,-6e-3", ("user", "a", "b", "c"), ("x", "y")),
        (",a,b,c\nx,1,,3\ny,,5.5,-6e-3", ("", "a", "b", "c"), ("x", "y")),
        ("a b c\nx 1 NA 3\ny NA 5.5 -6e-3", ("", "a", "b", "c"), ("x", "y")),
        ('"a, b",b,c\n1,,3\n,5.5,-6e-3', ("a, b", "b", "c"), None),
    ],
)
def test_names_around_the_numbers(tmp_path, text, header, names):
    table = read(tmp_path, text)
    assert np.array_equal(table.matrix, MATRIX, equal_nan=True)
    assert (table.header, table.names) == (header, names)


def test_a_single_column_and_a_single_row(tmp_path):
    assert read(tmp_path, "1\n?\n3\n").matrix.shape == (3, 1)
    assert read(tmp_path, "1,?,3\n").matrix.shape == (1, 3)


def test_arrays(tmp_path):
    np.save(tmp_path / "m.npy", MATRIX)
    np.savez(tmp_path / "one.npz", anything=MATRIX)
    np.savez(tmp_path / "two.npz", other=1, matrix=MATRIX)
    for name in ("m.npy", "one.npz", "two.npz"):
        matrix = read_table(tmp_path / name).matrix
        assert np.array_equal(matrix, MATRIX, equal_nan=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2\n3,x\n", "m.csv, line 2, column 2`: a cell is a finite number"),
        ("1,2\n3,inf\n", "line 2, column 2.*Got 'inf'"),
        ("1,2\n3,1_000\n", "line 2, column 2.*Got '1_000'"),
        ("1;2\n3;4,5\n", "line 2, column 2.*Write it with a decimal point"),
        ("a,2\n3,4\n", "line 1, column 1.*begin the line with #"),
        ("1,2\n3\n", "line 2`: every line has 2 cells, as line 1 has. Got 1"),
        ("1,2\n\n3,4\n", "line 2`: every line has 2 cells"),
        ("1,2\n3,4,5\n", "line 2`: every line has 2 cells.*Got 3"),
        ("# x\n\n", "at least one line. Got an empty file"),
        ("", "at least one line. Got an empty file"),
        ("x\ny\nz\n", "names of rows only"),
        (b"1,2\n3,\xff\n", "line 2`: the text of a table is UTF-8. Got the byte 0xff"),
        ("1,2\n3,4\n".encode("utf-16"), "line 1`: the text of a table is UTF-8"),
        (b"1,2\n3,\0\n", "line 2`: a table is text. Got a zero byte"),
        ('1,"' + "2" * 200_000, "line 1`: a line is cells"),
    ],
)
def test_wrong_text_is_named_by_line_and_column(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, text)


def test_wrong_arrays(tmp_path):
    def refused(name, message):
        with pytest.raises(DataError, match=message):
            read_table(tmp_path / name)

    np.save(tmp_path / "o.npy", np.array([{}, 1]), allow_pickle=True)
    refused("o.npy", "numpy.save or numpy.savez wrote. Got ValueError")
    (tmp_path / "cut.npy").write_bytes((tmp_path / "o.npy").read_bytes()[:20])
    refused("cut.npy", "numpy.save or numpy.savez wrote")
    (tmp_path / "text.npz").write_text("1,2")
    refused("text.npz", "numpy.save or numpy.savez wrote")
    (tmp_path / "empty.npy").write_bytes(b"")
    refused("empty.npy", "numpy.save or numpy.savez wrote")
    np.savez(tmp_path / "two.npz", a=1, b=2)
    refused("two.npz", "one array, or one that is called 'matrix'. Got a, b")
    refused("two.npx", "a matrix is read from .csv, .*Got the suffix '.npx'")
    refused("two", "Got a name without suffix")
    refused("twos.npz", "Got No such file or directory. Did you mean 'two.npz'")
    (tmp_path / "folder.csv").mkdir()
    refused("folder.csv", "Got Is a directory")


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".npy"])
def test_what_is_written_has_the_same_bits(tmp_path, suffix):
    path = tmp_path / f"out{suffix}"
    write_table("--out", path, Table(matrix=ROUND))
    assert read_table(path).matrix.tobytes() == ROUND.tobytes()


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_names_are_written_around_the_numbers(tmp_path, suffix):
    path = tmp_path / f"out{suffix}"
    header, names = ("", "a, b", "c", "d"), ("x", "y")
    write_table("--out", path, Table(matrix=ROUND, header=header, names=names))
    table = read_table(path)
    assert (table.header, table.names) == (header, names)


def test_a_failed_write_leaves_nothing_behind(tmp_path):
    with pytest.raises(DataError, match="--out`: files can be written there"):
        write_table("--out", Path("/dev/null/m.csv"), Table(matrix=ROUND))
    (tmp_path / "m.csv").mkdir()
    with pytest.raises(DataError, match="Is a directory"):
        write_table("--out", tmp_path / "m.csv", Table(matrix=ROUND))
    assert [path.name for path in tmp_path.iterdir()] == ["m.csv"]
