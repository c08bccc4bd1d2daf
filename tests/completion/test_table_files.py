"""Half-empty tables in files, and every way in which a file can be wrong."""

import gzip
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.io
import scipy.sparse

from lowrankflow.completion import read_table
from lowrankflow.errors import DataError, SpecError

NAN = np.nan
MATRIX = np.array([[1.0, NAN, 3.0], [NAN, 5.5, -6e-3]])
ENTRIES = [("x", "a", 1.0), ("x", "c", 3.0), ("y", "b", 5.5), ("y", "c", -6e-3)]


def saved(folder, text, name="m.csv"):
    path = folder / name
    content = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def read(folder, text, name="m.csv", **asked):
    return read_table(saved(folder, text, name), **asked)


def labelled(table):
    """The entries with their labels, as a set."""
    return {
        (str(table.row_labels[i]), str(table.col_labels[j]), float(v))
        for i, j, v in zip(table.rows, table.cols, table.values, strict=True)
    }


def words(labels):
    return None if labels is None else tuple(labels)


@pytest.mark.parametrize(
    "text",
    [
        "1,,3\n,5.5,-6e-3\n",
        "1;?;3\n?;5.5;-6e-3",
        "1\tNA\t3\nNaN\t5.5\t-0.006\n\n\n",
        "1|n/a|3\nnull|5.5|-6e-3",
        "1 nan  3\nnan 5.5 -6e-3\n",
        " 1 nan\t3\nnan 5.5 -6e-3 \n",
        "1::?::3\n?::5.5::-6e-3\n",
        "\ufeff1, ,3\r\n-, 5.5 ,-6e-3\r\n",
        '# a comment, of two cells\n"1","","3"\n"","5.5","-6e-3"',
        "1;;3\n;5,5;-6e-3\n",
    ],
)
@pytest.mark.parametrize("name", ["m.csv", "m.txt.gz"])
def test_text_with_any_delimiter(tmp_path, text, name):
    table = read(tmp_path, text, name)
    assert np.array_equal(table.to_dense(), MATRIX, equal_nan=True)
    assert table.col_labels is table.row_labels is None
    assert table.detected.form == "wide"
    assert table.detected.has_header is False


@pytest.mark.parametrize(
    ("text", "header", "names", "corner"),
    [
        ("a,b,c\n1,,3\n,5.5,-6e-3", ("a", "b", "c"), None, ""),
        ("x,1,,3\ny,,5.5,-6e-3", None, ("x", "y"), ""),
        ("user,a,b,c\nx,1,,3\ny,,5.5,-6e-3", ("a", "b", "c"), ("x", "y"), "user"),
        (",a,b,c\nx,1,,3\ny,,5.5,-6e-3", ("a", "b", "c"), ("x", "y"), ""),
        ("a b c\nx 1 NA 3\ny NA 5.5 -6e-3", ("a", "b", "c"), ("x", "y"), ""),
        (
            '"a" "b c" "c"\n"x" 1 NA 3\n"y" NA 5.5 -6e-3',
            ("a", "b c", "c"),
            ("x", "y"),
            "",
        ),
        ('"a, b",b,c\n1,,3\n,5.5,-6e-3', ("a, b", "b", "c"), None, ""),
        ('"a\n\n#b",b,c\n1,,3\n,5.5,-6e-3', ("a\n\n#b", "b", "c"), None, ""),
        ("# c\na,b,c\n#x,\n1,,3\n# y\n,5.5,-6e-3", ("a", "b", "c"), None, ""),
        (",0,1,2\n0,1,,3\n1,,5.5,-6e-3", ("0", "1", "2"), ("0", "1"), ""),
        (
            "year,1990,1991,1999\n7,1,,3\n9,,5.5,-6e-3",
            ("1990", "1991", "1999"),
            ("7", "9"),
            "year",
        ),
        ("user_id,a,b,c\n7,1,,3\n9,,5.5,-6e-3", ("a", "b", "c"), ("7", "9"), "user_id"),
    ],
)
def test_names_around_the_numbers(tmp_path, text, header, names, corner):
    table = read(tmp_path, text)
    assert words(table.col_labels) == header
    assert words(table.row_labels) == names
    assert np.array_equal(table.to_dense(), MATRIX, equal_nan=True)
    assert table.row_name == corner


def test_what_is_detected_can_be_said_otherwise(tmp_path):
    table = read(tmp_path, ",0,1\n0,1,\n1,,5", header=False, row_labels=False)
    assert table.shape == (3, 3)
    assert read(tmp_path, "1,2\n3,4", header=True).col_labels.tolist() == ["1", "2"]
    assert read(tmp_path, "1,2\n3,4", row_labels=True).row_labels.tolist() == ["1", "3"]
    assert read(tmp_path, "1,2 3\n4,5 6", delimiter="space", decimal=",").shape == (
        2,
        2,
    )
    table = read(tmp_path, "1,1,5\n1,2,3\n2,1,4", form="wide")
    assert table.shape == (3, 3)
    assert read(tmp_path, "1,2,3\n4,5,6").detected.form == "wide"
    assert read(tmp_path, "1,2,3\n4,5,6", form="long").shape == (2, 2)


def test_a_guess_is_called_one(tmp_path):
    table = read(tmp_path, "1,1,5\n1,2,3\n2,1,4")
    assert table.detected.form == "long"
    (guess,) = table.detected.guesses
    assert "--format wide" in guess
    table = read(tmp_path, ",0,1\n0,1,\n1,,5")
    assert any("--no-header" in guess for guess in table.detected.guesses)
    table = read(tmp_path, "1,5;2\n3;4")
    assert any("--decimal ." in guess for guess in table.detected.guesses)
    assert read(tmp_path, "user,item,rating\n1,1,5\n1,2,3").detected.guesses == ()


@pytest.mark.parametrize(
    "text",
    [
        "x,a,1\nx,c,3\ny,b,5.5\ny,c,-6e-3\n",
        "row,column,value\nx,a,1\nx,c,3\ny,b,5.5\ny,c,-.006\n",
        "rating,user,item\n1,x,a\n3,x,c\n5.5,y,b\n-6e-3,y,c\n",
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
        "x\ta\t1\t9\nx\tc\t3\t8\ny\tb\t5.5\t7\ny\tc\t-6e-3\t6\n",
        ",userId,movieId,rating\n0,x,a,1\n1,x,c,3\n2,y,b,5.5\n3,y,c,-6e-3\n",
        "x::a::1::978300760\nx::c::3::978300760\ny::b::5.5::978300760\ny::c::-6e-3::978300760",
        '"x","a",1\r\n"x","c","3"\r\n\r\n"y","b", 5.5\r\n"y", "c",-6e-3\r\n\r\n',
        "# of four\nx,a,1\n# x,y\nx,c,3\n#x,y,3\ny,b,5.5\ny,c,-6e-3\n",
        "x;a;1\nx;c;3\ny;b;5,5\ny;c;-0,006\n",
        "\ufeffx a 1\n x  c 3 \ny b\t5.5\ny c -6e-3",
        " x ,a,1\nx, c,3\ny,b,5.5\ny,c ,-6e-3\n",
        "x,a,1,\nx,c,3,\ny,b,5.5,\ny,c,-6e-3,\n",
    ],
)
@pytest.mark.parametrize("name", ["m.csv", "m.txt.gz"])
def test_long_tables(tmp_path, text, name):
    table = read(tmp_path, text, name)
    assert table.detected.form == "long"
    assert labelled(table) == set(ENTRIES)
    # In the order of first appearance.
    assert words(table.row_labels) == ("x", "y")
    assert words(table.col_labels) == ("a", "c", "b")
    assert table.weights is None


def test_labels_are_kept_as_they_are_written(tmp_path):
    text = 'user,item,rating\n007,1.0,1\n7,NA,2\n7.0,"a,\nb",3\n"q""r",é,4\n'
    table = read(tmp_path, text)
    assert words(table.row_labels) == ("007", "7", "7.0", 'q"r')
    assert words(table.col_labels) == ("1.0", "NA", "a,\nb", "é")
    assert (table.row_name, table.col_name, table.value_name) == (
        "user",
        "item",
        "rating",
    )


def test_lines_without_a_value_count_their_row_and_column(tmp_path):
    table = read(tmp_path, "row,column,value\nx,a,1\ny,a,\nx,b,NA\n")
    assert table.shape == (2, 2)
    assert table.num_entries == 1
    assert table.detected.num_missing_lines == 2
    assert table.empty_rows().tolist() == [1]
    assert table.empty_cols().tolist() == [1]


def test_weights(tmp_path):
    table = read(tmp_path, "row,column,value,weight\nx,a,1,2\ny,b,3,.5\nx,b,,1\n")
    assert table.weights.tolist() == [2.0, 0.5]
    table = read(tmp_path, "x,a,1,2\ny,b,3,.5\n")
    assert table.weights.tolist() == [2.0, 0.5]
    assert "--columns 1,2,3" in table.detected.guesses[0]
    table = read(tmp_path, "x,a,1,2\ny,b,3,.5\n", columns=("1", "2", "3"))
    assert table.weights is None
    assert table.detected.left_out == ("column 4",)


def test_columns_are_chosen(tmp_path):
    text = "when,who,what,much\n1,x,a,1\n2,x,c,3\n3,y,b,5.5\n4,y,c,-6e-3\n"
    table = read(tmp_path, text, columns=("who", "what", "much"))
    assert labelled(table) == set(ENTRIES)
    assert table.detected.left_out == ("when",)
    assert table.detected.columns == ("who", "what", "much")
    assert labelled(read(tmp_path, text, columns=("2", "3", "4"))) == set(ENTRIES)


@pytest.mark.parametrize(
    ("how", "values", "weights"),
    [("mean", [2.5, 9.0], [4.0, 2.0]), ("last", [3.0, 9.0], [1.0, 2.0])],
)
def test_repeated_entries_are_made_one(tmp_path, how, values, weights):
    text = "row,column,value,w\nx,a,{},3\ny,a,9,2\nx,a,3,1\n"
    table = read(tmp_path, text.format(7 / 3), duplicates=how)
    assert np.allclose(table.values, values)
    assert table.weights.tolist() == weights
    assert table.detected.num_repeated == 1


def test_one_row_one_column_and_thousands_of_columns(tmp_path):
    assert read(tmp_path, "1\n?\n3\n").shape == (3, 1)
    assert read(tmp_path, "1,?,3\n").shape == (1, 3)
    assert read(tmp_path, "5").to_dense().tolist() == [[5.0]]
    wide = read(tmp_path, "\n".join([",".join(["1", "", "3"] * 3000)] * 3))
    assert wide.shape == (3, 9000)
    assert wide.num_entries == 18_000
    assert read(tmp_path, "x,a,1\n", form="long").shape == (1, 1)


def test_empty_rows_and_columns_are_kept(tmp_path):
    table = read(tmp_path, "a,b,c\n1,,\n?,?,?\n,,3\n")
    assert table.shape == (3, 3)
    assert table.empty_rows().tolist() == [1]
    assert table.empty_cols().tolist() == [1]
    assert dict(table.detected.missing_marks) == {"": 4, "?": 3}
    assert read(tmp_path, "?,?\n?,?\n").num_entries == 0


def test_the_sample_is_not_all(tmp_path):
    """What comes after the first megabyte is read by what was found in it."""
    body = "".join(f"u{i},i{i % 7},{i}\n" for i in range(120_000))
    table = read(tmp_path, body)
    assert table.shape == (120_000, 7)
    with pytest.raises(DataError, match="line 120001, column 3.*Got 'x'"):
        read(tmp_path, body + "u,i,x\n")
    with pytest.raises(DataError, match="line 120001.*has 3 cells.*Got 4"):
        read(tmp_path, body + "u,i,2,3\n")


def test_the_fast_and_the_exact_reader_agree(tmp_path):
    rng = np.random.default_rng(0)
    lines = [
        f"{i},w{j},{v!r},{w!r}\n"
        for i, j, v, w in zip(
            rng.integers(0, 500, 4000),
            rng.permutation(4000),
            rng.normal(size=4000).tolist(),
            rng.uniform(0.5, 2, 4000).tolist(),
            strict=True,
        )
    ]
    fast = read(tmp_path, "".join(lines))
    exact = read(tmp_path, "".join(lines) + "# the end\n,,,\n".replace(",,,\n", ""))
    slow = read(tmp_path, "#,,,\n" + "".join(lines[:1]) + "#,,,\n" + "".join(lines[1:]))
    for other in (exact, slow):
        assert np.array_equal(fast.rows, other.rows)
        assert np.array_equal(fast.cols, other.cols)
        assert fast.values.tobytes() == other.values.tobytes()
        assert fast.weights.tobytes() == other.weights.tobytes()
        assert fast.row_labels.tolist() == other.row_labels.tolist()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2\n3,x\n", "m.csv.*, line 2, column 2`: a cell is a finite number"),
        ("1,2\n3,inf\n", "line 2, column 2.*Got 'inf'"),
        ("1,2\n3,1_000\n", "line 2, column 2.*Got '1_000'"),
        ("1;2\n3;4,567\n", "line 2, column 2.*without marks between thousands"),
        ("1.5;2\n3;4,5\n", "line 2, column 2.*Write it with a decimal point"),
        ("a,2\n3,4\n", "line 1, column 1.*give --header if"),
        ("1,2\n3\n", "line 2`: every line has 2 cells, as line 1 has. Got 1"),
        ("1,2\n\n3,4\n", "line 2`: every line has 2 cells"),
        ("1,2\n3,4,5\n", "line 2`: every line has 2 cells.*Got 3"),
        ("# x\n\n", "at least one line. Got an empty file"),
        ("", "at least one line. Got an empty file"),
        ("x\ny\nz\n", "names of rows only"),
        ("a,b,a\n1,2,3\n", "line 1, column 3`: every column has a name.*column 1 has"),
        ("a,b\nx,1\n,2\nz,3\nw,4\n", "line 3, column 1`: every row has a name"),
        (b"1,2\n3,\xff\n", "line 2`: the text of a table is UTF-8. Got the byte 0xff"),
        ("1,2\n3,4\n".encode("utf-16"), "line 1`: the text of a table is UTF-8"),
        (b"1,2\n3,\0\n", "line 2`: a table is text. Got a zero byte"),
        ('1,"' + "2" * 200_000, "line 1`: a line is cells"),
        ('1,2\n3,"4\n', "line 2`: a line is cells.*Look at the quotation marks"),
        ('1,2\n"3"4,4\n', "line 2`: a line is cells.*Look at the quotation marks"),
        # Long tables.
        ("x,a,1\ny,b,z\n", "line 2, column 3`: a cell is a finite number.*Got 'z'"),
        ("row,col,value\nx,a,1\ny,b,inf\n", "line 3, column 3.*Got 'inf'"),
        ("row,col,value\nx,a,1\ny,b,-nan\n", "line 3, column 3.*Got '-nan'"),
        ("row,col,value\nx,a,1\ny,b,1e999\n", "line 3, column 3.*Got '1e999'"),
        ("row,col,value\nx,a,1\ny,,1\n", "line 3, column 2`: every entry has a row"),
        ("row,col,value\nx,a,1\n ,b,1\n", "line 3, column 1`: every entry has a row"),
        ("row,col,value\nx,a,1\ny,b\n", "line 3`: every line has 3 cells, as line 1"),
        ("x,a,1\nx,b,1\ny,b,2\nx,b,3\n", r"\('x', 'b'\) in line 2 and in line 4"),
        (
            "x,a,1\nx,b,\n# c\nx,b,2\n\ny,a,1\nx,b,7",
            "line 4 and in line 7, with 2 and 7",
        ),
        ("row,col,value\nx,a,1\nx,a,1\nx,a,1\n", "line 2 and in line 3.*2 repetitions"),
        ("row,col,value,weight\nx,a,1,0\n", "line 2, column 4`: a weight is"),
        ("row,col,value,weight\nx,a,1,\n", "line 2, column 4`: a weight is"),
        ("row,col,value\n", "Got a header only"),
        ('row,col,value\nx,"a,1\ny,b,1\n', "line 2`: a line is cells"),
        (b"row,col,value\nx,a,1\ny,\xe9,1\n", "line 3`: the text of a table is UTF-8"),
        (b"row,col,value\nx,a\0,1\n", "line 2`: a table is text"),
    ],
)
@pytest.mark.parametrize("name", ["m.csv", "m.csv.gz"])
def test_wrong_text_is_named_by_line_and_column(tmp_path, text, message, name):
    with pytest.raises(DataError, match=f"(?s){message}"):
        read(tmp_path, text, name)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"columns": ("user", "itm", "rating")}, "Got 'itm'. Did you mean 'item'"),
        ({"columns": ("user", "9", "rating")}, "The file has 'user', 'item'"),
        ({"columns": ("user", "item")}, "three or four different columns"),
        ({"columns": ("user", "1", "rating")}, "are different columns"),
        ({"columns": ("1", "2", "3"), "form": "wide"}, "chosen in long tables"),
        ({"delimiter": "ab"}, "--delimiter tab"),
        ({"form": "tall"}, "--format`: this is one of wide, long"),
        ({"duplicates": "sum"}, "one of error, mean, last"),
        ({"decimal": ";"}, "--decimal"),
    ],
)
def test_options_that_do_not_fit(tmp_path, asked, message):
    with pytest.raises(SpecError, match=message):
        read(tmp_path, "user,item,rating\nx,a,1\n", **asked)


def test_a_forced_form_that_does_not_fit(tmp_path):
    with pytest.raises(DataError, match="a long table has.*Got 2 cells.*--format wide"):
        read(tmp_path, "1,2\n3,4\n", form="long")
    path = tmp_path / "m.npy"
    np.save(path, MATRIX)
    for option in ({"delimiter": ","}, {"header": True}, {"columns": ("1", "2", "3")}):
        with pytest.raises(SpecError, match="said of text, not of .npy files"):
            read_table(path, **option)


def test_arrays(tmp_path):
    np.save(tmp_path / "m.npy", MATRIX)
    np.savez(tmp_path / "one.npz", anything=MATRIX)
    labels = {"row_labels": np.array(["x", "y"]), "col_labels": np.array([1, 2, 3])}
    np.savez(tmp_path / "two.npz", other=1, matrix=MATRIX, **labels)
    for name in ("m.npy", "one.npz", "two.npz"):
        table = read_table(tmp_path / name)
        assert np.array_equal(table.to_dense(), MATRIX, equal_nan=True)
    assert table.row_labels.tolist() == ["x", "y"]
    assert table.col_labels.tolist() == ["1", "2", "3"]
    np.save(tmp_path / "f.npy", MATRIX.astype(np.float32))
    assert read_table(tmp_path / "f.npy").values.dtype == np.float32
    np.save(tmp_path / "i.npy", np.eye(2, dtype=np.int16))
    assert read_table(tmp_path / "i.npy").is_integer


def test_entries_in_arrays(tmp_path):
    rows, cols, values = [0, 2, 0], [1, 0, 0], [5.0, 0.0, NAN]
    path = tmp_path / "e.npz"
    np.savez(path, rows=rows, cols=cols, values=values)
    table = read_table(path)
    assert table.shape == (3, 2)
    assert table.values.tolist() == [5.0, 0.0]
    np.savez(path, rows=rows, cols=cols, values=values, shape=(4, 4), weights=[1, 2, 3])
    table = read_table(path)
    assert table.shape == (4, 4)
    assert table.weights.tolist() == [1.0, 2.0]
    np.savez(path, rows=np.array(["b", "a", "b"]), cols=cols, values=values)
    assert read_table(path).row_labels.tolist() == ["b", "a"]


def test_sparse_matrices_are_missing_where_nothing_is_stored(tmp_path):
    entries = ([2.0, 0.0, 3.0], ([0, 1, 1], [1, 0, 2]))
    sparse = scipy.sparse.coo_array(entries, shape=(3, 3))
    for kind in (sparse, sparse.tocsr(), sparse.tocsc()):
        scipy.sparse.save_npz(tmp_path / "s.npz", kind)
        table = read_table(tmp_path / "s.npz")
        assert table.shape == (3, 3)
        assert sorted(table.values.tolist()) == [0.0, 2.0, 3.0]
        assert "stored zero is data" in table.detected.notes[0]


HEAD = "%%MatrixMarket matrix coordinate real general\n"


def test_matrix_market(tmp_path):
    text = HEAD + "% c\n3 3 3\n1 2 2.0\n2 1 0\n2 3 3\n"
    for name in ("m.mtx", "m.mtx.gz"):
        table = read(tmp_path, text, name)
        assert table.shape == (3, 3)
        assert sorted(table.values.tolist()) == [0.0, 2.0, 3.0]
    array = (
        "%%MatrixMarket matrix array real general\n2 3\n1\nnan\nnan\n5.5\n3\n-6e-3\n"
    )
    table = read(tmp_path, array, "m.mtx")
    assert np.array_equal(table.to_dense(), MATRIX, equal_nan=True)
    text = text.replace("general", "symmetric").replace("1 2 2", "3 1 2")
    assert read(tmp_path, text.replace("2 3 3", "3 3 3"), "m.mtx").num_entries == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + "2 2 2\n1 1 x\n2 2 1\n", "line 3`: this is a Matrix Market file"),
        (HEAD + "2 2 2\n1 1 1\n", "this is a Matrix Market file"),
        (HEAD + "2 2 1\n1 5 1\n", "line 3`: this is a Matrix Market file"),
        (HEAD + "2 2 2\n1 1 1\n1 1 2\n", r"\(0, 0\) in entry 0.*--duplicates"),
        (HEAD + "2 2 1\n1 1 inf\n", "a finite number, or NaN.*Got inf in row 0"),
        (HEAD.replace("real", "pattern") + "2 2 1\n1 1\n", "which has no values"),
        ("1,2\n3,4\n", "is what its suffix says. Got other text"),
    ],
)
def test_wrong_matrix_market(tmp_path, text, message):
    with pytest.raises(DataError, match=f"(?s){message}"):
        read(tmp_path, text, "m.mtx")


def parquet(path, **columns):
    pq.write_table(pa.table(columns), path)
    return path


def test_parquet(tmp_path):
    path = tmp_path / "m.parquet"
    table = read_table(parquet(path, a=[1, None], b=[None, 5.5], c=[3, -6e-3]))
    assert np.array_equal(table.to_dense(), MATRIX, equal_nan=True)
    assert table.col_labels.tolist() == ["a", "b", "c"]
    wide = {"name": ["x", "y"], "a": [1, None], "b": [None, 5.5], "c": [3, NAN]}
    table = read_table(parquet(path, **wide))
    assert table.row_labels.tolist() == ["x", "y"]
    assert (table.row_name, table.num_entries) == ("name", 3)
    user, item, rating = zip(*ENTRIES, strict=True)
    long = {"user": user, "item": item, "rating": rating, "when": [1, 2, 3, 4]}
    table = read_table(parquet(path, **long))
    assert labelled(table) == set(ENTRIES)
    assert table.detected.left_out == ("when",)
    coded = pa.array(user).dictionary_encode()
    table = read_table(parquet(path, p=coded, q=[1, 2, 3, 4], r=rating), form="long")
    assert table.row_labels.tolist() == ["x", "y"]
    # Whole numbers that a missing value elsewhere made floats.
    table = read_table(parquet(path, user=[17.0, 18.0], item=[1, 2], rating=[1.0, 2.0]))
    assert table.row_labels.tolist() == ["17", "18"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": [1.0, 2.0], "b": ["x", "y"]}, "column 'b' of type string"),
        ({"a": [1.0, np.inf]}, "Got inf in column 'a', row 2"),
        ({"user": ["x", None], "item": [1, 2], "rating": [1, 2]}, "'user', row 2"),
        ({"user": ["x", ""], "item": [1, 2], "rating": [1, 2]}, "'user', row 2"),
        ({"user": [1, 1], "item": [2, 2], "rating": [1, 3]}, "in row 1 and in row 2"),
        ({"user": [1], "item": [2], "rating": [1], "w": [0]}, "0.0 in 'w', row 1"),
        ({"a": pa.array([], pa.float64())}, "an empty table"),
        ({"a": ["x", "y"]}, "names of rows only"),
    ],
)
def test_wrong_parquet(tmp_path, columns, message):
    with pytest.raises(DataError, match=message):
        read_table(parquet(tmp_path / "m.parquet", **columns))


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
    refused("two.npz", "one that is called 'matrix'.*Got a, b")
    np.savez(tmp_path / "e.npz", rows=[0, 1], cols=[0], values=[1.0, 2.0])
    refused("e.npz", "rows, cols, values are equally long lists")
    np.savez(tmp_path / "e.npz", rows=[0, 0], cols=[0, 0], values=[1.0, 2.0])
    refused("e.npz", r"\(0, 0\) in entry 0")
    np.savez(tmp_path / "e.npz", rows=[-1], cols=[0], values=[1.0])
    refused("e.npz", "rows are counted from 0")
    np.savez(tmp_path / "e.npz", rows=[3], cols=[0], values=[1.0], shape=(2, 2))
    refused("e.npz", r"at least \(4, 1\)")
    np.save(tmp_path / "flat.npy", np.ones(3))
    refused("flat.npy", "two dimensions")
    np.save(tmp_path / "c.npy", np.ones((2, 2), complex))
    refused("c.npy", "numbers of type complex128")
    np.save(tmp_path / "i.npy", np.array([[1, np.inf]]))
    refused("i.npy", "Got inf in row 0, column 1")
    refused("two.npx", "a table is read from .csv, .*Got the suffix '.npx'")
    refused("two", "Got a name without suffix")
    refused("two.npy.gz", "Got a name that ends in '.npy.gz'")
    refused("twos.npz", "Got No such file or directory. Did you mean 'two.npz'")
    (tmp_path / "folder.csv").mkdir()
    refused("folder.csv", "Got Is a directory")


def test_a_file_that_is_not_what_its_suffix_says(tmp_path):
    np.save(tmp_path / "m.npy", MATRIX)
    (tmp_path / "m.npy").rename(tmp_path / "a.csv")
    saved(tmp_path, gzip.compress(b"1,2\n"), "g.csv")
    saved(tmp_path, b"PK\x03\x04 and so on", "x.csv")
    saved(tmp_path, "1,2\n3,4\n", "m.parquet")
    (tmp_path / "p.csv.gz").write_bytes(b"1,2\n")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"1,2\n" * 999)[:-9])
    for name, message in [
        ("a.csv", "Got an array of NumPy. Name it a.npy"),
        ("g.csv", "Got a file packed by gzip. Name it g.gz"),
        ("x.csv", "Got a zip archive.*Export the sheet"),
        ("m.parquet", "this is a Parquet file"),
        ("p.csv.gz", "packed by gzip. Got something else"),
        ("cut.csv.gz", "packed by gzip, and whole"),
    ]:
        with pytest.raises(DataError, match=message):
            read_table(tmp_path / name)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads"
)
def test_a_file_that_may_not_be_read(tmp_path):
    path = saved(tmp_path, "1,2\n")
    path.chmod(0)
    with pytest.raises(DataError, match="Got Permission denied"):
        read_table(path)
