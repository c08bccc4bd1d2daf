"""The command as a user meets it: processes, Ctrl-C, pipes, our own mistakes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from lowrankflow.cli.failures import guarded, load_library

CHILD = str(Path(__file__).with_name("cli_study.py"))


def begun(folder, *words, **options):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("LOWRANKFLOW_STORE", None)
    return subprocess.Popen(
        [sys.executable, CHILD, *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **options,
    )


@pytest.mark.slow
def test_processes_make_the_runs_and_ctrl_c_ends_cleanly(tmp_path):
    child = begun(tmp_path, "reproduce", "--profile", "smoke", "--jobs", "2")
    out, err = child.communicate(timeout=120)
    assert child.returncode == 0, err
    assert "1 supported, 0 contradicted, 0 undecided." in out
    assert "3 of 3 runs" in err

    words = ("reproduce", "--profile", "paper", "--jobs", "1")
    parts = list_parts(tmp_path)
    child = begun(tmp_path, *words, start_new_session=True)
    wait_for(lambda: len(list_parts(tmp_path)) > len(parts), child)
    os.killpg(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert child.returncode == 130, err
    assert "Interrupted. Finished runs are kept" in err
    assert "  lowrankflow reproduce --profile paper --jobs 1" in err
    assert "Traceback" not in err
    assert out == ""
    # What was done is there, and the same command goes on from it.
    before = list_parts(tmp_path)
    assert before
    child = begun(tmp_path, *words, start_new_session=True)
    wait_for(lambda: max(list_parts(tmp_path)) > max(before), child)
    os.killpg(child.pid, signal.SIGINT)
    child.communicate(timeout=30)
    assert min(list_parts(tmp_path)) >= min(before)


def list_parts(folder):
    return sorted(
        path.name for path in folder.glob("reproduction/store/working/*/state-*.part")
    )


def wait_for(condition, child, seconds=90):
    end = time.monotonic() + seconds
    while not condition():
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def test_a_reader_that_goes_away_is_no_mistake(tmp_path):
    child = begun(tmp_path, "studies", "--json")
    child.stdout.close()
    child.stdout = None
    _, err = child.communicate(timeout=60)
    assert "Traceback" not in err
    assert "went wrong" not in err


def command(verb, **options):
    app = typer.Typer()
    app.command()(guarded(verb, **options))
    return CliRunner().invoke(app)


@pytest.mark.usefixtures("cli")
def test_a_mistake_of_ours_is_a_message_and_a_file():
    def verb() -> int:
        raise ZeroDivisionError("in the [middle] of it\nand more")

    result = command(verb)
    assert result.exit_code == 70
    said = " ".join(result.stderr.split())
    assert "wrong inside lowrankflow: ZeroDivisionError: in the [middle] of it" in said
    assert "This is a mistake of ours" in said
    path = result.stderr.split("The details are in ")[1].strip()
    text = Path(path).read_text()
    assert 'raise ZeroDivisionError("in the [middle] of it' in text
    assert text.startswith("lowrankflow ")
    assert "Traceback" not in result.output


@pytest.mark.parametrize("resumes", [True, False])
def test_an_interruption_says_whether_it_goes_on(resumes):
    def verb() -> int:
        raise KeyboardInterrupt

    result = command(verb, resumes=resumes)
    assert result.exit_code == 130
    assert result.stderr.startswith("Interrupted.")
    assert ("same command" in result.stderr) == resumes


def test_an_error_on_a_terminal_has_colour_and_keeps_brackets(monkeypatch):
    from lowrankflow.errors import SpecError

    def verb() -> int:
        raise SpecError(where="a[0]", rule="b", got="[red]", fix="Do c?")

    monkeypatch.setenv("FORCE_COLOR", "1")
    result = command(verb)
    assert result.exit_code == 2
    assert "\x1b[1;31mError\x1b[0m a[0]: b." in result.stderr
    assert "Got [red]." in result.stderr
    assert "Do c?" in result.stderr
    assert "Do c?." not in result.stderr


def test_an_interrupt_while_the_library_is_imported_is_not_lost(monkeypatch):
    loaded = []

    def interrupted(name):
        os.kill(os.getpid(), signal.SIGINT)
        loaded.append(name)

    monkeypatch.setattr("lowrankflow.cli.failures.importlib.import_module", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load_library()
    assert loaded == ["lowrankflow.studies", "lowrankflow.sweeps"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
