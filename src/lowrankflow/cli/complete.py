"""`lowrankflow complete`: fill a half-empty table, and say how well."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lowrankflow.cli.complete_output import (
    checked_outputs,
    say_written,
    write_outputs,
)
from lowrankflow.cli.complete_search import search_folder, shown_search
from lowrankflow.cli.complete_words import say_comparison, say_table, summary
from lowrankflow.cli.console import print_json, remarks
from lowrankflow.cli.failures import DONE, INCOMPLETE, load_library
from lowrankflow.errors import DataError, LowRankFlowError, SpecError

if TYPE_CHECKING:
    from lowrankflow.completion import Table

# Options by the names of the completer's arguments, which its messages have.
_OPTIONS = {
    "method": "--method",
    "max_rank": "--rank",
    "penalty": "--penalty",
    "depth": "--depth",
    "clip": "--clip",
    "validation": "--holdout",
    "validation_scheme": "--holdout-scheme",
    "random_state": "--seed",
    "checkpoint": "--out",
}


def complete(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A half-empty table: .csv, .tsv, .txt or .mtx, each perhaps .gz, "
            ".parquet, .npy or .npz.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="OUT",
            help="Where the completed table goes: .csv, .tsv, either perhaps .gz, "
            ".parquet, .npy, .npz or .mtx. Nothing is written without it.",
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORM",
            help="Of FILE: wide, a matrix; or long, a row, a column and a value on "
            "each line, and perhaps a weight. Found out and shown if left out.",
        ),
    ] = None,
    delimiter: Annotated[
        str | None,
        typer.Option(help="Between cells of text: a mark, or tab, space, semicolon."),
    ] = None,
    header: Annotated[
        bool | None,
        typer.Option(
            "--header/--no-header", help="Whether the first line names the columns."
        ),
    ] = None,
    row_labels: Annotated[
        bool | None,
        typer.Option(
            "--row-labels/--no-row-labels",
            help="Whether the first column of a matrix names its rows.",
        ),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="ROW,COLUMN,VALUE[,WEIGHT]",
            help="Which columns of a long table are read, by their names or by their "
            "numbers from 1.",
        ),
    ] = None,
    decimal: Annotated[
        str | None, typer.Option(help="The mark before decimals: . or a comma.")
    ] = None,
    duplicates: Annotated[
        str,
        typer.Option(help="What a repeated entry becomes: error, mean or last."),
    ] = "error",
    method: Annotated[
        str,
        typer.Option(
            help="auto compares them all; or effects, greedy-path, flow, soft-impute, "
            "als, bayes, blend, or several with commas between them."
        ),
    ] = "auto",
    rank: Annotated[int | None, typer.Option(help="The largest rank tried.")] = None,
    penalty: Annotated[
        float | None, typer.Option(help="Of the nuclear norm; chosen if left out.")
    ] = None,
    depth: Annotated[
        int | None, typer.Option(help="Of the flow; 2 and 3 are tried if left out.")
    ] = None,
    clip: Annotated[
        str | None,
        typer.Option(metavar="LOW,HIGH", help="Bounds that no filled cell leaves."),
    ] = None,
    integers: Annotated[
        bool, typer.Option("--integers", help="Round filled cells to whole numbers.")
    ] = False,
    holdout: Annotated[
        float,
        typer.Option(help="Share of the known entries that is kept aside to choose."),
    ] = 0.1,
    holdout_scheme: Annotated[
        str,
        typer.Option(
            help="How these are taken: random, rows, columns or block. Keep aside what "
            "is like what is missing."
        ),
    ] = "random",
    smooth: Annotated[
        bool,
        typer.Option("--smooth", help="Replace known entries, too, by the model's."),
    ] = False,
    intervals: Annotated[
        float | None,
        typer.Option(
            metavar="LEVEL",
            help="Write bounds that hold this share of cells, for example 0.9: columns "
            "low and high of a long table, two further files beside a matrix.",
        ),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write these cells only: a row and a column on each line, by their "
            "labels.",
        ),
    ] = None,
    write: Annotated[
        str | None,
        typer.Option(
            metavar="FORM", help="Form of OUT, wide or long; that of FILE if left out."
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.npz",
            help="Write factors and effects, from which any cell can be computed.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="PAGE.html", help="Write a page with pictures of all of this."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of what is kept aside, and starts.")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write over files that are there.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")
    ] = False,
) -> int:
    """Fill a half-empty table with what its known entries say of the others.

    Methods are compared on entries that are kept aside, and the best one fills the
    table. Ctrl-C ends the search with the best so far, which is written; the exit code
    is then 1. A second Ctrl-C gives up. A search that was killed goes on from the
    methods that were finished, which are in OUT.search until OUT is written.
    """
    _check(intervals, write)
    bounds = _pair_of_numbers(clip)
    load_library("lowrankflow.completion")
    import lowrankflow.completion as completion

    outputs = checked_outputs(
        out=out, model=model, report=report, write=write, source=file, force=force
    )
    speaks = not quiet and not as_json
    with _waiting(f"Reading {file}", quiet):
        table = completion.read_table(
            file,
            form=form,  # pyright: ignore[reportArgumentType]
            delimiter=delimiter,
            header=header,
            row_labels=row_labels,
            columns=None if columns is None else tuple(columns.split(",")),
            decimal=decimal,  # pyright: ignore[reportArgumentType]
            duplicates=duplicates,  # pyright: ignore[reportArgumentType]
        )
    outputs.check_form(table, is_part=pairs is not None, with_bounds=intervals)
    wanted = None if pairs is None else completion.read_pairs(pairs, table)
    if speaks:
        say_table(str(file), table)
    completer = completion.MatrixCompleter(
        _methods(method),
        depth=depth,
        max_rank=rank,
        penalty=penalty,
        validation=holdout,
        validation_scheme=holdout_scheme,  # pyright: ignore[reportArgumentType]
        smooth=smooth,
        clip=bounds,
        random_state=seed,
    )
    checkpoint = search_folder(outputs, speaks=speaks)
    with _as_options(file), shown_search(quiet=quiet) as tell:
        completer.fit(
            (table.rows, table.cols, table.values),
            shape=table.shape,
            entry_weight=table.weights,
            callback=tell,
            checkpoint=checkpoint,
        )
    if speaks:
        say_comparison(completer)
    level, lacking = _level(completer, table, intervals)
    with _waiting("Writing", quiet or not outputs.any):
        written = write_outputs(
            outputs, completer, table, level=level, pairs=wanted, integers=integers
        )
    if checkpoint is not None and not completer.interrupted_:
        with contextlib.suppress(OSError):
            completion.forget_search(checkpoint)
    if as_json:
        found = summary(table, completer)
        print_json({**found, "written": [str(path) for path in written]})
    elif speaks:
        say_written(outputs, written)
    if lacking:
        remarks().print(lacking, style="yellow", soft_wrap=True)
    return INCOMPLETE if completer.interrupted_ or lacking else DONE


@contextlib.contextmanager
def _as_options(file: Path) -> Iterator[None]:
    """What a completer says of its arguments, said of options; else, of the file."""
    try:
        yield
    except LowRankFlowError as error:
        name = error.where.partition("(")[2].rstrip(")")
        known = error.where.startswith("MatrixCompleter") and name in _OPTIONS
        raise type(error)(
            where=_OPTIONS[name] if known else str(file),
            rule=error.rule,
            got=error.got,
            fix=re.sub(r"\b(\w+)=\(?\"?([^\")]+)\"?\)?", _as_typed, error.fix),
        ) from None


def _as_typed(found: re.Match[str]) -> str:
    """`max_rank=10` as it is typed: `--rank 10`."""
    option = _OPTIONS.get(found[1])
    return found[0] if option is None else f"{option} {found[2]}".replace(", ", ",")


@contextlib.contextmanager
def _waiting(text: str, quiet: bool) -> Iterator[None]:
    console = remarks()
    if quiet or not console.is_terminal:
        yield
        return
    with console.status(text):
        yield


def _check(intervals: float | None, write: str | None) -> None:
    if intervals is not None and not 0 < intervals < 1:
        raise SpecError(
            where="--intervals",
            rule="the level is a share between 0 and 1",
            got=f"{intervals}",
            fix="Give for example --intervals 0.9",
        )
    if write not in (None, "wide", "long"):
        raise SpecError(
            where="--write",
            rule="this is one of wide, long",
            got=repr(write),
            fix="Leave it out for the form of the file that is read",
        )


def _methods(given: str) -> str | tuple[str, ...]:
    names = tuple(name.strip().replace("-path", " path") for name in given.split(","))
    return names[0] if len(names) == 1 else names


def _pair_of_numbers(given: str | None) -> tuple[float, float] | None:
    if given is None:
        return None
    try:
        low, high = (float(part) for part in given.split(","))
    except ValueError:
        raise SpecError(
            where="--clip",
            rule="these are two numbers, the lower bound and the upper",
            got=repr(given),
            fix="Give for example --clip 1,5",
        ) from None
    return low, high


def _level(
    completer: Any, table: "Table", asked: float | None
) -> tuple[float | None, str]:
    """The level of intervals that can be had; what is lacking otherwise.

    The table is not lost for them.
    """
    if asked is None:
        return None, ""
    try:
        completer.interval(table.rows[:1], table.cols[:1], level=asked)
    except DataError as error:
        return None, f"No intervals are written: {error.rule}. Got {error.got}. " + (
            "Give a larger --holdout, or a lower --intervals."
        )
    return asked, ""
