"""What a user sees when something goes wrong: a message and an exit code."""

import errno
import functools
import importlib
import os
import platform
import shlex
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from typing import ParamSpec

import typer

from lowrankflow.cli.console import print_error, remarks
from lowrankflow.errors import LowRankFlowError
from lowrankflow.version import __version__

Parameters = ParamSpec("Parameters")

DONE, INCOMPLETE, BAD_INPUT, NO_CERTIFICATE = 0, 1, 2, 3
# As BSD's sysexits has it for an error inside of a program.
OUR_MISTAKE = 70
INTERRUPTED = 130


def guarded(
    verb: Callable[Parameters, int], *, resumes: bool = False
) -> Callable[Parameters, None]:
    """The verb, ending with its exit code, or with a message and the code for that.

    Args:
        verb: returns its exit code.
        resumes: whether the same command goes on where it was interrupted.
    """

    @functools.wraps(verb)
    def ended(*args: Parameters.args, **options: Parameters.kwargs) -> None:
        try:
            code = verb(*args, **options)
        except (typer.Exit, typer.Abort):
            raise
        except LowRankFlowError as error:
            print_error(error)
            code = BAD_INPUT
        except KeyboardInterrupt:
            _say_interrupted(resumes)
            code = INTERRUPTED
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # nobody reads any more; Typer ends silently
            _say_mistake(error)
            code = OUR_MISTAKE
        raise typer.Exit(code)

    return ended


def load_library(*modules: str) -> None:
    """Import what takes long; a Ctrl-C meanwhile counts when that is done.

    Extension modules turn an interrupted import into another error, and callbacks of
    the garbage collector, which JAX has, lose it.

    Args:
        modules: imported after what all verbs need.

    Raises:
        KeyboardInterrupt: when there was one.
    """
    held: list[int] = []
    usual = signal.default_int_handler
    main = threading.current_thread() is threading.main_thread()
    holds = main and signal.getsignal(signal.SIGINT) is usual
    if holds:
        signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    try:
        importlib.import_module("lowrankflow.studies")
        importlib.import_module("lowrankflow.sweeps")
        for module in modules:
            importlib.import_module(module)
    finally:
        if holds:
            signal.signal(signal.SIGINT, usual)
    if held:
        raise KeyboardInterrupt


def kept_traceback(error: BaseException) -> str:
    """The name of a new file with the traceback and what is needed to look into it."""
    lines = [
        f"lowrankflow {__version__}, Python {platform.python_version()}, "
        f"{platform.platform()}\n",
        f"{command()}\n\n",
        *traceback.format_exception(error),
    ]
    handle, name = tempfile.mkstemp(prefix="lowrankflow-error-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.writelines(lines)
    return name


def command() -> str:
    """What was typed."""
    return shlex.join(["lowrankflow", *sys.argv[1:]])


def _say_interrupted(resumes: bool) -> None:
    console = remarks()
    if not resumes:
        console.print("Interrupted.")
        return
    console.print(
        "Interrupted. Finished runs are kept, and the others go on from their last "
        "checkpoint with the same command:"
    )
    console.print(f"  {command()}", soft_wrap=True)


def _say_mistake(error: Exception) -> None:
    console = remarks()
    said = str(error).strip().splitlines()
    what = f"{type(error).__name__}{': ' + said[0][:200] if said else ''}"
    console.print(f"Something went wrong inside lowrankflow: {what}", style="bold red")
    try:
        place = f"The details are in {kept_traceback(error)}"
    except OSError as problem:
        place = f"The details could not be written to a file ({problem})"
    console.print(
        "This is a mistake of ours, not of yours. Please open an issue of the project "
        "with the file below and what you typed."
    )
    console.print(f"  {place}", soft_wrap=True)
