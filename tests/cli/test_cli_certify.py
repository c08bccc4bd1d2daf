"""`certify`: a user's matrix, completed with proof."""

import json

import numpy as np
import pytest

from lowrankflow.completion import read_table

TRUTH = np.outer([1.0, 2.0, -1.0, 0.5], [1.0, -1.0, 2.0, 0.5, 1.5])
HALF_EMPTY = TRUTH.copy()
HALF_EMPTY[[0, 1, 3], [1, 3, 4]] = np.nan


@pytest.fixture
def matrix(tmp_path):
    np.save(tmp_path / "m.npy", HALF_EMPTY)
    rows = ["item,a,b,c,d,e"]
    for name, row in zip("wxyz", HALF_EMPTY, strict=True):
        cells = ["?" if np.isnan(value) else repr(float(value)) for value in row]
        rows.append(",".join([name, *cells]))
    (tmp_path / "m.csv").write_text("\n".join(rows))
    return tmp_path


def test_a_matrix_is_completed_and_certified(cli, matrix):
    result = cli(["certify", "m.csv", "--out", "full.csv"])
    assert result.exit_code == 0, result.stderr
    assert "m.csv: 4 x 5, 17 of 20 entries observed." in result.stdout
    assert "Certified: nuclear norm" in result.stdout
    assert "In words: no completion of these entries has a nuclear norm below" in (
        " ".join(result.stdout.split())
    )
    assert "Completed matrix: full.csv" in result.stdout
    table = read_table(matrix / "full.csv")
    # The truth has rank one and is the least: within the root of the gap.
    assert np.allclose(table.to_dense(), TRUTH, rtol=0, atol=1e-3)
    assert table.row_name == "item"
    assert table.col_labels.tolist() == list("abcde")
    assert table.row_labels.tolist() == list("wxyz")


def test_json_has_the_certificate(cli, matrix):
    result = cli(["certify", "m.npy", "--json", "--gap", "1e-6", "--out", "full.npy"])
    said = json.loads(result.stdout)
    assert said["certified"] is True
    assert said["certificate"]["relative_gap"] <= 1e-6
    assert said["completed"] == "full.npy"
    assert len(said["singular_values"]) == 4
    assert np.load(matrix / "full.npy").shape == (4, 5)


def test_over_psd_matrices(cli, tmp_path):
    gram = TRUTH @ TRUTH.T
    gram[0, 3] = gram[3, 0] = np.nan
    np.save(tmp_path / "gram.npy", gram)
    result = cli(["certify", "gram.npy", "--psd"])
    assert result.exit_code == 0, result.stderr
    assert "Certified: trace" in result.stdout


def test_what_cannot_be_certified_ends_with_another_code_and_writes_nothing(
    cli, matrix, tmp_path
):
    result = cli(["certify", "m.npy", "--gap", "1e-19", "--out", "full.npy"])
    assert result.exit_code == 3
    assert "Not certified" in result.stdout
    assert "full.npy was not written." in result.stdout
    assert not (matrix / "full.npy").exists()
    np.save(tmp_path / "negative.npy", np.array([[-1.0, np.nan], [np.nan, 1.0]]))
    result = cli(["certify", "negative.npy", "--psd"])
    assert result.exit_code == 3
    assert "Infeasible" in result.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["m.npy", "--psd"], "Error --psd: only a square matrix"),
        (["m.npy", "--gap", "-1"], "Error --gap: the relative gap asked for"),
        (["m.npy", "--gap", "nan"], "Error --gap: the relative gap asked for"),
        (["m.npy", "--gap", "small"], "--gap"),
        (["m.npy", "--out", "full.xls"], "or .npz or .mtx. Got 'full.xls'"),
        (["m.npy", "--out", "m.csv/full.npy"], "Error --out: files can be written"),
        (["m.cvs"], "Got the suffix '.cvs'."),
        (["n.npy"], "Did you mean 'm.npy' or"),
        (["bad.csv"], "Error bad.csv, line 2, column 2: a cell is a finite number"),
        (["empty.npy"], "Error empty.npy: at least one entry must be observed"),
        (["flat.npy"], "Error flat.npy: this is a non-empty array"),
        (["infinite.npy"], "Error infinite.npy: an entry is a finite"),
        ([], "Missing argument"),
    ],
)
def test_bad_input(bad, matrix, words, message):
    (matrix / "bad.csv").write_text("1,2\n3,four\n")
    np.save(matrix / "empty.npy", np.full((2, 3), np.nan))
    np.save(matrix / "flat.npy", np.ones(3))
    np.save(matrix / "infinite.npy", np.array([[np.inf, 1.0]]))
    assert message in bad("certify", *words)


def test_long_tables_are_certified_too(cli, tmp_path):
    rows, cols = np.nonzero(~np.isnan(HALF_EMPTY))
    lines = [
        f"u{i},v{j},{float(TRUTH[i, j])!r}" for i, j in zip(rows, cols, strict=True)
    ]
    (tmp_path / "m.csv").write_text("\n".join(lines))
    result = cli(["certify", "m.csv", "--out", "full.parquet"])
    assert result.exit_code == 0, result.stderr
    assert read_table(tmp_path / "full.parquet").num_entries == 20
