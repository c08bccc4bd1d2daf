"""`reproduce`, `studies` and `show`."""

import json
import re
from pathlib import Path

import cli_study
import pytest

from lowrankflow import studies


def missing_lines(result):
    return [line for line in result.stderr.splitlines() if line.startswith("  ")]


def test_one_command_gives_a_report_and_verdicts(cli, tmp_path):
    result = cli(["reproduce", "arora2019", "--profile", "smoke"])
    assert result.exit_code == 0, result.stderr
    assert re.search(r"supported +The loss of descent ends below one", result.stdout)
    assert "1 supported, 0 contradicted, 0 undecided." in result.stdout
    assert "Report: reproduction/index.html" in result.stdout
    assert "3 of 3 runs" in result.stderr
    page = (tmp_path / "reproduction" / "index.html").read_text()
    assert "lowrankflow reproduce arora2019/tiny --profile smoke" in page
    assert "<svg" in page
    said = json.loads((tmp_path / "reproduction" / "report.json").read_text())
    assert said["studies"][0]["provenance"]["num_runs"] == 3
    assert (tmp_path / "reproduction" / "report.md").exists()


def test_what_is_in_the_store_is_not_made_again(cli, tmp_path):
    words = ["reproduce", "arora2019/tiny", "--profile", "smoke", "--store", "kept"]
    assert cli(words).exit_code == 0
    files = sorted((tmp_path / "kept" / "results").iterdir())
    times = [file.stat().st_mtime_ns for file in files]
    again = cli([*words, "--out", "elsewhere"])
    assert again.exit_code == 0
    assert "3 of 3 runs, 3 were there already" in again.stderr
    assert [file.stat().st_mtime_ns for file in files] == times
    assert (tmp_path / "elsewhere" / "index.html").exists()
    more = cli([*words, "--seeds", "3"])
    assert "4 of 4 runs, 3 were there already" in more.stderr


def test_json_is_one_document_on_stdout(cli):
    result = cli(["reproduce", "arora2019", "--profile", "smoke", "--json"])
    said = json.loads(result.stdout)
    assert said["counts"] == {"supported": 1, "contradicted": 0, "undecided": 0}
    assert said["report"] == "reproduction/index.html"
    assert said["studies"][0]["verdicts"][0]["outcome"] == "supported"


def test_a_failed_run_is_listed_and_takes_no_other_down(cli):
    result = cli(["reproduce", "--profile", "smoke"])
    assert result.exit_code == 1
    assert "1 missing:" in result.stderr
    (line,) = missing_lines(result)
    assert line.startswith("  li2021/broken, method symmetric: ")
    assert "square" in line
    assert result.stdout.count("The loss of descent ends below one.") == 2


def test_a_broken_claim_costs_no_run_and_no_traceback(cli, monkeypatch):
    both = studies.Registry((cli_study.Bug(), cli_study.Tiny()))
    monkeypatch.setattr(studies, "STUDIES", both)
    result = cli(["reproduce", "--profile", "smoke"])
    assert result.exit_code == 1
    claims, figure = missing_lines(result)
    assert "gunasekar2017/bug, step claims: this step went wrong (KeyError" in claims
    assert "step figure: this step went wrong (ZeroDivisionError" in figure
    path = re.search(r"details are in (\S+)", claims)[1]
    assert "a mistake in the claims" in Path(path).read_text()
    assert "Traceback" not in result.stdout + result.stderr
    assert "supported" in result.stdout


def test_studies_lists_what_there_is(cli):
    result = cli(["studies"])
    assert result.exit_code == 0
    assert "arora2019/tiny  Four entries" in result.stdout
    assert "Does descent lower the loss of four entries?" in result.stdout
    assert "Arora, Cohen, Hu and Luo (2019)" in result.stdout
    assert "smoke 1.0 s, quick 2.0 s, paper 1 min 0 s" in result.stdout
    assert "No verdicts yet: lowrankflow reproduce arora2019/tiny" in result.stdout


def test_studies_judges_what_is_in_the_store(cli):
    cli(["reproduce", "arora2019", "--profile", "smoke"])
    assert "Last verdicts (smoke): 1 supported" in cli(["studies"]).stdout
    tiny, broken = json.loads(cli(["studies", "--json"]).stdout)
    assert tiny["last"]["profile"] == "smoke"
    assert tiny["profiles"]["quick"]["expected_seconds"] == 2.0
    assert broken["last"] is None


def test_show_judges_without_computing(cli, monkeypatch, tmp_path):
    cli(["reproduce", "arora2019", "--profile", "smoke"])
    monkeypatch.setattr("lowrankflow.sweeps.SerialExecutor", None)
    result = cli(["show", "arora2019/tiny"])
    assert result.exit_code == 0, result.stderr
    assert "1 supported" in result.stdout
    assert "Report: reproduction/show/index.html" in result.stdout
    page = (tmp_path / "reproduction" / "show" / "index.html").read_text()
    assert "--profile smoke" in page


def test_show_says_what_is_missing(cli):
    cli(["reproduce", "arora2019", "--profile", "smoke"])
    result = cli(["show", "arora2019/tiny", "--profile", "quick", "--json"])
    assert result.exit_code == 1
    assert missing_lines(result) == [
        "  arora2019/tiny, method descent, seed 2: it has not been run"
    ]
    assert json.loads(result.stdout)["num_failures"] == 1


def test_show_of_an_empty_store_judges_nothing(cli):
    result = cli(["show", "arora2019/tiny"])
    assert result.exit_code == 1
    assert "0 supported, 0 contradicted, 1 undecided." in result.stdout
    assert len(missing_lines(result)) == 4


def test_show_gives_the_reason_of_a_failure(cli):
    cli(["reproduce", "li2021", "--profile", "smoke"])
    (line,) = missing_lines(cli(["show", "li2021"]))
    assert "method symmetric: " in line
    assert "square" in line


def test_a_damaged_result_is_said_and_not_served(cli, tmp_path):
    words = ["reproduce", "arora2019", "--profile", "smoke"]
    cli(words)
    file = sorted((tmp_path / "reproduction/store/results").iterdir())[0]
    file.write_bytes(file.read_bytes()[:-100])
    result = cli(words)
    assert result.exit_code == 1
    assert "store prune` does" in result.stderr
    assert cli(["store", "prune"]).exit_code == 0
    assert cli(words).exit_code == 0


@pytest.mark.parametrize("verb", ["reproduce", "show", "studies"])
def test_an_unknown_study_is_bad_input(bad, verb):
    message = bad(verb, "arora2019/tny")
    assert "Error STUDY: a study is named by its key or its paper" in message
    assert "Did you mean 'arora2019/tiny'" in message


@pytest.mark.parametrize("verb", ["reproduce", "show"])
def test_an_unknown_profile_is_bad_input(bad, verb):
    message = bad(verb, "arora2019/tiny", "--profile", "quik")
    assert "its profiles are smoke, quick, paper. Got 'quik'." in message
    assert "Did you mean 'quick'?" in message


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--jobs", "0"], "--jobs"),
        (["--seeds", "0"], "--seeds"),
        (["--seeds", "two"], "--seeds"),
        (["--sedes", "2"], "--sedes"),
    ],
)
def test_an_option_out_of_range_is_bad_input(bad, words, said):
    assert said in bad("reproduce", *words)


@pytest.mark.parametrize("option", ["--out", "--store"])
def test_an_output_that_cannot_be_written_is_said_before_anything_runs(
    bad, tmp_path, option
):
    (tmp_path / "file").write_text("mine")
    message = bad("reproduce", option, "file/inside")
    assert "file is a file" in message
    assert f"Error {option}: files can be written there" in message
    assert "a file" in bad("reproduce", option, "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_no_study_at_all_is_said(bad, monkeypatch):
    monkeypatch.setattr(studies, "STUDIES", studies.Registry(()))
    assert "Got a library without studies." in bad("reproduce")
