"""`lowrankflow`: its verbs, put together.

Each verb is a function in a file of its own that returns an exit code; `guarded` turns
whatever goes wrong in it into a message. The files of verbs import the library inside
their functions only, so that `--help` is there at once.
"""

from typing import Annotated

import typer

from lowrankflow.cli.certify import certify
from lowrankflow.cli.complete import complete
from lowrankflow.cli.failures import guarded
from lowrankflow.cli.reproduce import reproduce
from lowrankflow.cli.run import run
from lowrankflow.cli.show import show
from lowrankflow.cli.store import export, ls, prune, show as show_result
from lowrankflow.cli.studies import studies
from lowrankflow.version import __version__

app = typer.Typer(
    name="lowrankflow",
    help="Which solution does gradient descent on a matrix factorization choose?",
    epilog=(
        "Exit codes: 0 done, 1 a run failed or is missing, or a search was ended "
        "early, 2 bad input, "
        "3 no certificate, 70 a mistake of ours, 130 interrupted."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_store = typer.Typer(
    help="Look at, tidy up and take out stored results.", no_args_is_help=True
)

app.command("reproduce")(guarded(reproduce, resumes=True))
app.command("studies")(guarded(studies))
app.command("show")(guarded(show))
app.command("run")(guarded(run, resumes=True))
app.command("certify")(guarded(certify))
app.command("complete")(guarded(complete))
app.add_typer(_store, name="store")
_store.command("ls")(guarded(ls))
_store.command("show")(guarded(show_result))
_store.command("prune")(guarded(prune))
_store.command("export")(guarded(export))


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"lowrankflow {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the version and end.",
        ),
    ] = False,
) -> None:
    """Which solution does gradient descent on a matrix factorization choose?"""


def main() -> None:
    """Run the command line; the process ends with its exit code."""
    app()
