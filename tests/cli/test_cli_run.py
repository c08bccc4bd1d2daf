"""`run`: runs of the user's own, from a file."""

import csv
import json

import pytest
import xarray

from lowrankflow.cli.example import EXAMPLE

SMALL = """
seed = [0, 1]
[problem]
kind = "planted_completion"
shape = [5, 4]
rank = 1
num_observed = 14
seed = 0
[factorization]
kind = "DeepFactorization"
depth = 2
[dynamics]
kind = "GradientDescent"
step = {kind = "ConstantStep", learning_rate = 0.05}
[start]
kind = "Gaussian"
init_scale = 0.1
[stop]
iterations = 20
"""


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "spec.toml"
    path.write_text(SMALL)
    return path


def test_a_sweep_ends_with_a_table_and_where_the_results_are(cli, spec, tmp_path):
    result = cli(["run", "spec.toml"])
    assert result.exit_code == 0, result.stderr
    head = result.stdout.split("─")[0].split()
    assert head == ["relative", "effective", "nuclear"] + (
        ["seed", "result", "loss", "error", "rank", "norm", "time", "digest"]
    )
    assert result.stdout.count("iterations_reached") == 2
    assert "reproduction/store" in result.stdout
    assert "2 of 2 runs" in result.stderr
    assert len(list((tmp_path / "reproduction/store/results").iterdir())) == 2
    again = cli(["run", "spec.toml", "--set", "seed=1"])
    assert "1 of 1 runs, 1 were there already" in again.stderr


def test_results_are_copied_with_a_table_of_them(cli, spec, tmp_path):
    result = cli(["run", "spec.toml", "--out", "mine/deep", "--json"])
    said = json.loads(result.stdout)
    assert said["copies"] == "mine/deep/results.csv"
    assert [run["axes"] for run in said["runs"]] == [{"seed": 0}, {"seed": 1}]
    with open(tmp_path / "mine/deep/results.csv") as file:
        rows = list(csv.DictReader(file))
    for row, run in zip(rows, said["runs"], strict=True):
        assert row["digest"] == run["digest"]
        assert float(row["loss"]) == run["numbers"]["loss"]
        with xarray.open_dataset(
            tmp_path / "mine/deep" / row["file"], engine="h5netcdf"
        ) as dataset:
            assert dataset.loss.values[-1] == run["numbers"]["loss"]


def test_a_reference_solution(cli, tmp_path):
    problem = SMALL[SMALL.index("[problem]") : SMALL.index("[factorization]")]
    (tmp_path / "spec.toml").write_text(f'kind = "min_nuclear_norm"\n{problem}')
    result = cli(["run", "spec.toml"])
    assert result.exit_code == 0, result.stderr
    assert "converged" in result.stdout


def test_the_example_is_printed_and_works(cli, tmp_path):
    printed = cli(["run", "--example"]).stdout
    assert printed == EXAMPLE
    (tmp_path / "spec.toml").write_text(printed)
    words = ["--set", "seed=0", "--set", "factorization.depth=2"]
    result = cli(["run", "spec.toml", *words, "--set", "stop.iterations=3"])
    assert result.exit_code == 0, result.stderr


def test_a_run_that_fails_is_told_with_its_reason(cli, spec, tmp_path):
    kinds = '["DeepFactorization", "SymmetricFactorization"]'
    text = SMALL.replace('"DeepFactorization"\ndepth = 2', kinds)
    spec.write_text(text.replace("seed = [0, 1]", "seed = 0"))
    result = cli(["run", "spec.toml", "--set", "sweep.factorization.depth=[2]"])
    assert result.exit_code == 2  # a SymmetricFactorization has no depth
    spec.write_text(
        SMALL.replace(
            '[factorization]\nkind = "DeepFactorization"\ndepth = 2',
            '[[factorization]]\nkind = "DeepFactorization"\ndepth = 2\n'
            '[[factorization]]\nkind = "SymmetricFactorization"',
        )
    )
    result = cli(["run", "spec.toml", "--set", "seed=0", "--out", "copies"])
    assert result.exit_code == 1
    assert "Failed: factorization SymmetricFactorization(): " in result.stderr
    assert "square" in result.stderr
    assert "iterations_reached" in result.stdout
    with open(tmp_path / "copies/results.csv") as file:
        assert [row["result"] for row in csv.DictReader(file)] == [
            "iterations_reached",
            "failed",
        ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Error SPEC.toml: `run` needs a file that says what to run."),
        (["none.toml"], "Error none.toml: this is a file that can be read."),
        (["spec.toml", "--set", "stop.iteration=1"], "Did you mean 'iterations'"),
        (["spec.toml", "--set", "problem.rank=9"], "Error --set problem.rank"),
        (["spec.toml", "--jobs", "0"], "--jobs"),
        (["spec.toml", "--out", "spec.toml/x"], "Error --out: files can be written"),
        (["spec.toml", "--store", "spec.toml"], "the folder of results is a folder"),
        (["bad.toml"], "Error bad.toml, line 2, column 4: this is TOML."),
        (["large.toml"], "Error large.toml, line 6, problem.rank: this is an integer"),
    ],
)
def test_bad_input(bad, spec, tmp_path, words, message):
    (tmp_path / "bad.toml").write_text("seed = 1\nx == 1")
    large = SMALL.replace("rank = 1", "rank = 9")
    (tmp_path / "large.toml").write_text(large)
    assert message in bad("run", *words)
