import functools
import tempfile

import cli_study
import pytest
from typer.testing import CliRunner

from lowrankflow import studies, sweeps
from lowrankflow.cli import app


@pytest.fixture
def cli(tmp_path, tmp_path_factory, monkeypatch):
    """The command line in a folder of its own, with small studies and no processes."""
    monkeypatch.chdir(tmp_path)
    files = tmp_path_factory.mktemp("tracebacks")
    monkeypatch.setattr(tempfile, "tempdir", str(files))
    monkeypatch.delenv("LOWRANKFLOW_STORE", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    registry = studies.Registry((cli_study.Tiny(), cli_study.Broken()))
    monkeypatch.setattr(studies, "STUDIES", registry)
    monkeypatch.setattr(sweeps, "ProcessExecutor", lambda _: sweeps.SerialExecutor())
    return functools.partial(CliRunner().invoke, app)


@pytest.fixture
def bad(cli, tmp_path):
    """A command that is refused: exit code 2, nothing on stdout, no file left."""

    def refused(*words):
        before = sorted(tmp_path.rglob("*"))
        result = cli(list(words))
        assert result.exit_code == 2, (result.stdout, result.stderr, result.exception)
        assert result.stdout == ""
        assert sorted(tmp_path.rglob("*")) == before
        return " ".join(result.stderr.split())

    return refused
