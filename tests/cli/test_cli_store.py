"""`store`: what is kept, looked at and tidied up."""

import json

import cli_study
import pytest
import xarray

from lowrankflow.store import digest

DIGEST = digest(cli_study.REFERENCE)


@pytest.fixture
def filled(cli, tmp_path):
    """A store with three results and a failure."""
    cli(["reproduce", "--profile", "smoke", "--store", "kept"])
    return tmp_path / "kept"


def names(folder):
    return sorted(path.name for path in (folder / "results").iterdir())


@pytest.mark.usefixtures("filled")
def test_what_is_in_a_store_is_listed(cli):
    result = cli(["store", "ls", "--store", "kept"])
    assert result.exit_code == 0
    assert result.stdout.count("  finished  ") == 3
    assert result.stdout.count("  failed  ") == 1
    assert "min_nuclear_norm" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("4 entries, ")
    said = json.loads(cli(["store", "ls", "--store", "kept", "--json"]).stdout)
    assert {entry["status"] for entry in said} == {"finished", "failed"}
    assert DIGEST in [entry["digest"] for entry in said]


def test_the_store_is_where_the_environment_says(cli, filled, monkeypatch):
    monkeypatch.setenv("LOWRANKFLOW_STORE", str(filled))
    assert "4 entries" in cli(["store", "ls"]).stdout


@pytest.mark.usefixtures("filled")
def test_a_result_is_shown(cli):
    result = cli(["store", "show", DIGEST[:10], "--store", "kept"])
    assert result.exit_code == 0
    for part in (DIGEST, "Certified: nuclear norm", "wall_time_seconds", "jax"):
        assert part in " ".join(result.stdout.split())
    words = ["store", "show", DIGEST[:10], "--store", "kept", "--json"]
    said = json.loads(cli(words).stdout)
    assert said["specification"]["kind"] == "min_nuclear_norm"
    assert said["last"]["nuclear_norm"] > 0


@pytest.mark.usefixtures("filled")
def test_a_failure_is_shown_with_its_reason(cli):
    entries = json.loads(cli(["store", "ls", "--store", "kept", "--json"]).stdout)
    (failed,) = [e["digest"] for e in entries if e["status"] == "failed"]
    result = cli(["store", "show", failed, "--store", "kept"])
    assert result.exit_code == 0
    assert "square" in result.stdout


def test_a_result_is_exported(cli, filled, tmp_path):
    words = ["store", "export", DIGEST[:10], "mine.nc", "--store", "kept"]
    result = cli(words)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{tmp_path / 'mine.nc'}\n"
    with xarray.open_dataset(tmp_path / "mine.nc", engine="h5netcdf") as dataset:
        assert dataset.attrs["digest"] == DIGEST


def test_what_is_of_no_use_is_removed(cli, filled):
    file = filled / "results" / f"{DIGEST}.nc"
    file.write_bytes(b"nothing")
    words = ["store", "prune", "--store", "kept"]
    dry = cli([*words, "--dry-run"])
    assert "2 would be removed." in dry.stdout
    assert len(names(filled)) == 3
    assert (
        "1 would be removed." in cli([*words, "--dry-run", "--keep-unfinished"]).stdout
    )
    assert "2 removed." in cli(words).stdout
    assert len(names(filled)) == 2
    assert "Nothing to do." in cli(words).stdout


def test_finished_results_are_removed_when_asked_for(cli, filled):
    words = ["store", "prune", "--finished", "--keep", DIGEST[:10], "--store", "kept"]
    refused = cli(words)
    assert refused.exit_code == 2
    assert "Add --yes, or look with --dry-run first." in refused.stderr
    assert len(names(filled)) == 3
    assert cli([*words, "--yes"]).exit_code == 0
    assert names(filled) == [f"{DIGEST}.nc"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["ls", "--store", "none"], "Error --store: this is the folder of a store."),
        (["ls", "--store", "file"], "the folder of results is a folder. Got a file."),
        (["show", "ffff"], "the beginning of exactly one digest in the store. Got 0"),
        (["show", ""], "the beginning of exactly one digest in the store. Got 4"),
        (["export", "ffff", "x.nc"], "the beginning of exactly one digest"),
        (["export", DIGEST, "file/x.nc"], "file/x.nc"),
        (["prune", "--keep", DIGEST], "removed with --finished only"),
        (["prune", "--finished", "--keep", "zz"], "the beginning of exactly one"),
        (["lst"], "No such command 'lst'"),
    ],
)
def test_bad_input(bad, filled, tmp_path, words, message):
    (tmp_path / "file").write_text("mine")
    store = [] if "--store" in words or words == ["lst"] else ["--store", "kept"]
    assert message in bad("store", *words, *store)
