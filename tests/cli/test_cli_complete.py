"""`complete`: from a file to a filled table."""

import json
import os
import re
import subprocess
import sys
import time

import column_means
import numpy as np
import pytest

from lowrankflow import completion
from lowrankflow.completion import read_table

WIDE = "name,a,b,c\nx,1,,3\ny,,5.5,\nz,,,\n"
LONG = "user,item,rating,when\nx,a,1,7\ny,b,5.5,8\nx,c,3,9\n"


@pytest.fixture
def quick(cli, monkeypatch, tmp_path):
    """The command with a completer that takes no time, beside two tables."""
    kind = type("Means", (column_means.ColumnMeans,), {})
    monkeypatch.setattr(completion, "MatrixCompleter", kind)
    verdict = completion.LowRankVerdict(
        outcome="yes", headline="Yes", reason="A reason.", evidence=("Of 10.", "More.")
    )
    monkeypatch.setattr(completion, "judged", lambda completer: verdict)
    (tmp_path / "wide.csv").write_text(WIDE)
    (tmp_path / "long.csv").write_text(LONG)
    cli.kind = kind
    return cli


def done(result, code=0):
    assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
    return " ".join(result.stdout.split())


def test_a_matrix_is_filled(quick, tmp_path):
    said = done(quick(["complete", "wide.csv", "-o", "full.csv"]))
    assert (tmp_path / "full.csv").read_text() == (
        "name,a,b,c\nx,1,5.5,3\ny,1,5.5,3\nz,1,5.5,3\n"
    )
    for part in (
        "wide.csv: 3 x 3, 3 entries known, 66.7 % missing.",
        "Read as CSV, a matrix; delimiter comma; with a header; names of rows.",
        "1 row without any entry, filled by effects: z.",
        "Compared on 10 known entries that were kept aside (random):",
        "flow penalty 0.25 2 0.5 best 1.5",
        "effects penalty 0.25 0 1 0.75 ± 0.1 1.5",
        "effects of rows and columns alone 1, one number for all 2.",
        "Not tried: soft-impute: slow.",
        "Do these data look low-rank? Yes. A reason. Of 10.",
        "Intervals of 90 % held 90 % of 10 other entries",
        "Written: full.csv",
    ):
        assert part in said


def test_a_long_table_is_filled(quick, tmp_path):
    words = ["long.csv", "-o", "full.tsv", "--intervals", "0.5", "--clip", "0,9"]
    said = done(quick(["complete", *words]))
    assert "row = user, column = item, value = rating; not read: when." in said
    assert (tmp_path / "full.tsv").read_text().splitlines() == [
        "user\titem\trating\tlow\thigh",
        "x\ta\t1\t1\t1",
        "x\tb\t5.5\t5\t6",
        "x\tc\t3\t3\t3",
        "y\ta\t1\t0.5\t1.5",
        "y\tb\t5.5\t5.5\t5.5",
        "y\tc\t3\t2.5\t3.5",
    ]
    assert quick.kind.made.clip == (0.0, 9.0)


def test_without_an_output_it_says_how_to_have_one(quick, tmp_path):
    before = sorted(tmp_path.iterdir())
    said = done(quick(["complete", "wide.csv"]))
    assert "Nothing was written. --out FILE.csv keeps" in said
    assert sorted(tmp_path.iterdir()) == before


def test_options_reach_the_completer(quick):
    words = "--method greedy-path,als --rank 3 --penalty 0.5 --depth 2 --seed 4"
    words += " --holdout 0.2 --holdout-scheme block --smooth"
    done(quick(["complete", "wide.csv", *words.split()]))
    made = quick.kind.made
    assert made.method == ("greedy path", "als")
    assert made.options == {
        "max_rank": 3,
        "penalty": 0.5,
        "depth": 2,
        "random_state": 4,
        "validation": 0.2,
        "validation_scheme": "block",
        "smooth": True,
        "clip": None,
    }
    done(quick(["complete", "long.csv", "--columns", "user,item,rating,when"]))
    assert quick.kind.made.weights.tolist() == [7.0, 8.0, 9.0]


def test_integers_smooth_pairs_and_other_forms(quick, tmp_path):
    (tmp_path / "pairs.csv").write_text("user,item\ny,a\nx,b\ny,b\n")
    words = ["long.csv", "--pairs", "pairs.csv", "--integers"]
    done(quick(["complete", *words, "-o", "some.csv", "--smooth"]))
    assert (tmp_path / "some.csv").read_text() == (
        "user,item,rating\ny,a,1\nx,b,6\ny,b,6\n"
    )
    done(quick(["complete", *words, "-o", "kept.csv", "--intervals", "0.1"]))
    assert (tmp_path / "kept.csv").read_text().splitlines()[2:] == [
        "x,b,6,5,6",
        "y,b,5.5,5.5,5.5",
    ]
    done(quick(["complete", "long.csv", "-o", "wide.parquet", "--write", "wide"]))
    assert read_table(tmp_path / "wide.parquet").row_labels.tolist() == ["x", "y"]
    said = done(quick(["complete", "wide.csv", "-o", "w.tsv", "--intervals", ".5"]))
    assert "Written: w.tsv Written: w.low.tsv Written: w.high.tsv" in said


def test_a_model_is_written(quick, tmp_path):
    done(quick(["complete", "long.csv", "--model", "m.npz"]))
    with np.load(tmp_path / "m.npz") as file:
        assert file["col_effects"].tolist() == [1.0, 5.5, 3.0]
        assert file["col_labels"].tolist() == ["a", "b", "c"]
        assert json.loads(str(file["about"]))["method"] == "flow"


def test_json_and_quiet(quick):
    result = quick(["complete", "wide.csv", "--json", "-o", "f.npy"])
    found = json.loads(result.stdout)
    assert found["shape"] == [3, 3]
    assert found["read_as"]["delimiter"] == ","
    assert found["comparison"][1]["difference"] == 0.75
    assert found["written"] == ["f.npy"]
    result = quick(["complete", "wide.csv", "--quiet", "-o", "g.npy"])
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_nothing_is_lost_without_force(quick, bad, tmp_path):
    (tmp_path / "full.csv").write_text("mine")
    for name in ("full.csv", "wide.csv"):
        said = bad("complete", "wide.csv", "-o", name)
        assert "a file that is there is not written over" in said
        assert "--force" in said
    assert (tmp_path / "full.csv").read_text() == "mine"
    assert (tmp_path / "wide.csv").read_text() == WIDE
    (tmp_path / "w.low.csv").write_text("mine")
    assert "--intervals" in bad(
        "complete", "wide.csv", "-o", "w.csv", "--intervals", "0.9"
    )
    done(quick(["complete", "wide.csv", "-o", "wide.csv", "--force"]))
    assert read_table(tmp_path / "wide.csv").num_entries == 9


def test_a_first_ctrl_c_ends_with_the_best_so_far(quick, tmp_path):
    quick.kind.interrupts = 1
    result = quick(["complete", "wide.csv", "-o", "full.csv"])
    assert "ended early; this is the best so far" in done(result, 1)
    assert "Ctrl-C once more gives up" in result.stderr
    assert read_table(tmp_path / "full.csv").num_entries == 9


def test_a_second_ctrl_c_gives_up(quick, tmp_path):
    quick.kind.interrupts = 2
    before = sorted(tmp_path.iterdir())
    result = quick(["complete", "wide.csv", "-o", "full.csv"])
    done(result, 130)
    assert result.stderr.rstrip().endswith("Interrupted.")
    assert sorted(tmp_path.iterdir()) == before


def test_a_table_is_not_lost_for_its_intervals(quick, tmp_path):
    quick.kind.num_aside = 0
    result = quick(["complete", "long.csv", "-o", "f.csv", "--intervals", "0.9"])
    done(result, 1)
    assert "No intervals are written: some are aside" in result.stderr
    assert (tmp_path / "f.csv").read_text().startswith("user,item,rating\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none.csv"], "Error none.csv: this is a file that can be read"),
        (["wide.csv", "--clip", "5"], "Error --clip: these are two numbers"),
        (["wide.csv", "--intervals", "90"], "Error --intervals: the level is a share"),
        (["wide.csv", "--write", "tall"], "Error --write: this is one of wide, long"),
        (["wide.csv", "--format", "tall"], "Error --format: this is one of wide, long"),
        (["wide.csv", "-o", "full.xlsx"], "Error --out: the file's name ends in .csv"),
        (["wide.csv", "--model", "m.csv"], "Error --model: the file's name ends in"),
        (["long.csv", "-o", "m.npy"], "Error --out: a .npy file has a matrix"),
        (["wide.csv", "-o", "m.npz", "--model", "m.npz"], "these are different files"),
        (["long.csv", "--columns", "user,itm,rating"], "Did you mean 'item'"),
        (["bad.csv"], "Error bad.csv, line 2, column 2: a cell is a finite number"),
        (["long.csv", "--pairs", "p.csv"], "line 3, column 2: this is the label of a"),
        (["long.csv", "--pairs", "q.csv"], "line 1: a pair is a row and a column"),
        (["long.csv", "--pairs", "none.csv"], "Error none.csv: this is a file that"),
        (["large.csv", "-o", "f.csv"], "--pairs FILE, or keep the model with --model"),
    ],
)
def test_bad_input(bad, quick, tmp_path, words, message):
    (tmp_path / "bad.csv").write_text("1,2\n3,four\n")
    (tmp_path / "p.csv").write_text("user,item\nx,a\nx,aa\n")
    (tmp_path / "q.csv").write_text("x\n")
    lines = "".join(f"u{k},i{k},{k}\n" for k in range(4000))
    (tmp_path / "large.csv").write_text(lines)
    assert message in bad("complete", *words)


def test_a_large_grid_is_written_when_asked_for(quick, monkeypatch):
    monkeypatch.setattr("lowrankflow.cli.complete_output.MOST_LINES", 5)
    assert quick(["complete", "long.csv", "-o", "f.csv"]).exit_code == 2
    done(quick(["complete", "long.csv", "-o", "f.csv", "--write", "long"]))


def test_progress_on_a_terminal(quick, monkeypatch):
    from rich.console import Console

    wide = Console(stderr=True, force_terminal=True, width=100)
    monkeypatch.setattr("lowrankflow.cli.complete_search.remarks", lambda: wide)
    done(quick(["complete", "wide.csv"]))


def test_the_verdict_is_that_of_the_page(cli, tmp_path):
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(60, 1)) + rng.normal(size=40)
    np.save(tmp_path / "m.npy", matrix + rng.normal(size=matrix.shape))
    words = ["m.npy", "--method", "effects,greedy path", "--report", "page.html"]
    said = done(cli(["complete", *words]))
    headline, reason = re.search(r"look low-rank\? ([^.]+)\. ([^.]+)\.", said).groups()
    assert not headline.startswith("Yes")
    page = " ".join((tmp_path / "page.html").read_text("utf-8").split())
    assert headline in page
    assert reason in page


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of POSIX")
def test_a_killed_search_goes_on_to_the_same_bits(cli, tmp_path):
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(150, 3)) @ rng.normal(size=(3, 100))
    matrix += 0.3 * rng.normal(size=matrix.shape)
    matrix[rng.uniform(size=matrix.shape) < 0.5] = np.nan
    np.save(tmp_path / "m.npy", matrix)
    folder = tmp_path / "a.npy.search"
    child = subprocess.Popen(
        [sys.executable, "-m", "lowrankflow", "complete", "m.npy", "-o", "a.npy"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 90
    while len(list(folder.glob("*.npz"))) < 2:
        assert child.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)
    child.kill()
    child.wait()
    assert not (tmp_path / "a.npy").exists()
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("*.npz")}
    result = cli(["complete", "m.npy", "-o", "a.npy"])
    done(result)
    assert f"a.npy.search has {len(kept)} finished candidates" in result.stderr
    assert not folder.exists()
    done(cli(["complete", "m.npy", "-o", "b.npy"]))
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()


def test_a_folder_of_ones_own_is_not_taken_for_a_search(cli, tmp_path):
    low_rank(tmp_path)
    (tmp_path / "f.npy.search").mkdir()
    (tmp_path / "f.npy.search" / "diary.txt").write_text("mine")
    result = cli(["complete", "m.npy", "-o", "f.npy", "--method", "effects"])
    assert result.exit_code == 2
    assert "Error --out: finished candidates are kept in a folder" in result.stderr
    assert (tmp_path / "f.npy.search" / "diary.txt").read_text() == "mine"


def low_rank(tmp_path):
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 40))
    matrix[rng.uniform(size=matrix.shape) < 0.4] = np.nan
    np.save(tmp_path / "m.npy", matrix)
    return matrix


def test_the_library_own_completer(cli, tmp_path):
    matrix = low_rank(tmp_path)
    words = ["m.npy", "-o", "full.npz", "--method", "effects,greedy path"]
    result = cli(["complete", *words, "--intervals", "0.8", "--model", "model.npz"])
    said = done(result)
    assert "Do these data look low-rank? Yes. A low-rank part is better than" in said
    with np.load(tmp_path / "full.npz") as file:
        full, low, high = file["matrix"], file["low"], file["high"]
    seen = ~np.isnan(matrix)
    assert np.array_equal(full[seen], matrix[seen])
    assert np.all((low <= full) & (full <= high))
    with np.load(tmp_path / "model.npz") as file:
        rows = file["row_effects"][:, None] + file["mean"]
        value = file["scale"] * (
            rows + file["col_effects"] + file["left"] @ file["right"].T
        )
    assert np.allclose(value[~seen], full[~seen])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--method", "svd"], "Error --method: "),
        (["--method", "svd"], "Give --method auto."),
        (["--rank", "0"], "Error --rank: "),
        (["--holdout", "2"], "Error --holdout: "),
        (["--holdout-scheme", "all"], "Error --holdout-scheme: "),
        (["--clip", "5,1"], "Error --clip: "),
        (["--depth", "1"], "Error --depth: "),
        (["--penalty", "-1"], "Error --penalty: "),
        (["--seed", "-1"], "Error --seed: "),
    ],
)
def test_what_the_completer_refuses_is_said_of_options(cli, tmp_path, words, message):
    low_rank(tmp_path)
    result = cli(["complete", "m.npy", "-o", "f.npy", *words])
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "f.npy").exists()


def test_a_table_without_any_entry(cli, tmp_path):
    (tmp_path / "m.csv").write_text("?,?\n?,?\n")
    result = cli(["complete", "m.csv"])
    assert result.exit_code == 2
    assert "Error m.csv: at least one entry is known" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a folder may be closed on POSIX")
@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root may")
def test_a_closed_folder(bad, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    (tmp_path / "m.csv").write_text(WIDE)
    assert "Error --out" in bad("complete", "m.csv", "-o", "closed/f.csv")


def test_a_page_is_written(cli, tmp_path):
    low_rank(tmp_path)
    words = ["complete", "m.npy", "--report", "new/page.html", "--method", "effects"]
    assert "Written: new/page.html" in done(cli(words))
    text = (tmp_path / "new" / "page.html").read_text(encoding="utf-8")
    assert text.lstrip().startswith("<!DOCTYPE html>")
    assert "<h1>m.npy</h1>" in text
    again = cli(words)
    assert again.exit_code == 2
    assert "Error --report: a file that is there is not written over" in again.stderr
    done(cli([*words, "--force"]))
    wrong = cli(["complete", "m.npy", "--report", "page.pdf"])
    assert "Error --report: the file's name ends in .html" in wrong.stderr
