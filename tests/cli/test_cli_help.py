"""The command answers at once, and so does the package."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import lowrankflow
from lowrankflow import public
from lowrankflow.version import __version__

HEAVY = ("jax", "numpy", "scipy", "matplotlib", "xarray", "jinja2", "equinox")
PROBE = f"""
import sys
sys.argv = ["lowrankflow", *sys.argv[1:]]
from lowrankflow.cli import main
try:
    main()
except SystemExit as end:
    loaded = sorted({set(HEAVY)!r} & set(sys.modules))
    print(end.code, loaded, file=sys.stderr)
"""
VERBS = [
    ["reproduce"],
    ["studies"],
    ["show"],
    ["run"],
    ["certify"],
    ["complete"],
    ["store"],
    *(["store", verb] for verb in ("ls", "show", "prune", "export")),
]


def started(*command):
    return subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["run", "--example"]])
def test_what_needs_no_numbers_loads_nothing_heavy(words):
    done = started("-c", PROBE, *words)
    assert done.stderr.splitlines()[-1] == "0 []", done.stderr
    assert len(done.stdout) > 10


def test_the_module_is_the_command():
    done = started("-m", "lowrankflow", "--version")
    assert (done.returncode, done.stdout) == (0, f"lowrankflow {__version__}\n")


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_explains_itself(cli, verb):
    result = cli([*verb, "--help"])
    assert result.exit_code == 0
    assert "--help" in result.stdout


def test_an_unknown_verb_is_bad_input(bad):
    assert "No such command 'reprduce'" in bad("reprduce")


def test_importing_the_package_loads_nothing_heavy():
    program = (
        "import sys, lowrankflow as lrf; before = 'jax' in sys.modules; "
        "print(before, lrf.simulate.__name__, 'jax' in sys.modules)"
    )
    assert started("-c", program).stdout == "False simulate True\n"


@pytest.mark.parametrize("folder", lowrankflow._FOLDERS)
def test_every_folder_can_be_imported_first(folder):
    done = started("-c", f"from lowrankflow import {folder}; print({folder}.__name__)")
    assert done.stdout == f"lowrankflow.{folder}\n", done.stderr


def test_the_names_at_the_top_are_listed_and_unknown_ones_refused():
    names = {name for name in vars(public) if not name.startswith("_")}
    assert names | set(lowrankflow._FOLDERS) | {"__version__"} <= set(dir(lowrankflow))
    assert "importlib" not in dir(lowrankflow)
    everything = {}
    exec("from lowrankflow import *", everything)
    assert everything["simulate"] is lowrankflow.simulate
    with pytest.raises(AttributeError, match="has no attribute 'simulat'"):
        lowrankflow.simulat  # noqa: B018


def test_type_checkers_are_told_of_the_same_folders():
    tree = ast.parse(Path(str(lowrankflow.__file__)).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    first = block.body[0]
    assert isinstance(first, ast.ImportFrom)
    assert tuple(alias.name for alias in first.names) == lowrankflow._FOLDERS
