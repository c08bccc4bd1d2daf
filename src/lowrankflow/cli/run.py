"""`lowrankflow run`: runs of the user's own, from a file."""

import csv
import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lowrankflow.cli.console import plain_table, print_json, remarks, results
from lowrankflow.cli.failures import DONE, INCOMPLETE, load_library
from lowrankflow.cli.judging import usual_store
from lowrankflow.cli.making import made
from lowrankflow.cli.output import writable_folder, write_whole
from lowrankflow.cli.tally import Expected
from lowrankflow.errors import SpecError, StoreError

if TYPE_CHECKING:
    from lowrankflow.cli.specification import SweptJob
    from lowrankflow.store import Store
    from lowrankflow.sweeps import Outcome

# What is shown of a run where it has it, with how many digits.
_DIGITS = {
    "loss": 2,
    "relative_error": 2,
    "held_out_rmse": 3,
    "effective_rank": 3,
    "nuclear_norm": 3,
}
_SHORT, _SHOWN = 12, 7


def run(
    spec: Annotated[
        Path | None, typer.Argument(metavar="SPEC.toml", help="What to run.")
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="A.B=C",
            help="A key of the file and its value, as in TOML; may be repeated.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where copies of the results go, with a table results.csv.",
        ),
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where results are kept; see `reproduce`."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Worker processes; one per CPU unless given."),
    ] = None,
    example: Annotated[
        bool, typer.Option("--example", help="Print a file that works, and end.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document.")
    ] = False,
) -> int:
    """Make runs of your own; a list in the file is a swept axis.

    Axes are also given by name in the table [sweep]. Runs that are in the store are
    not made again; an interrupted command goes on when it is given again.
    """
    if example:
        from lowrankflow.cli.example import EXAMPLE

        sys.stdout.write(EXAMPLE)
        return DONE
    if spec is None:
        raise SpecError(
            where="SPEC.toml",
            rule="`run` needs a file that says what to run",
            got="none",
            fix="Make one: lowrankflow run --example > spec.toml",
        )
    load_library()
    from lowrankflow.cli.specification import read_jobs, relocated
    from lowrankflow.cli.toml_file import read_toml
    from lowrankflow.store import Store, digest

    source = read_toml(spec, sets or [])
    swept = read_jobs(source)
    for one in swept:
        try:
            digest(one.job)  # builds the problem: a mistake in it is told at once
        except SpecError as error:
            raise relocated(source, one.job, error) from None
    kept = Store(store or usual_store())
    writable_folder("--store", kept.folder)
    if out is not None:
        out = writable_folder("--out", out)
    expected = {
        one.job: Expected(label=one.job.label, title=_title(one)) for one in swept
    }
    if len(expected) > 1:
        remarks().print(f"{len(expected)} runs")
    outcomes = made(expected, kept, jobs, is_timed=False)
    rows = [_row(one, outcomes[one.job], kept) for one in swept]
    copies = None if out is None else _copied(rows, out, kept)
    if as_json:
        print_json({"store": str(kept.folder), "copies": copies, "runs": rows})
    else:
        _print(rows)
        results().print(f"Results: {copies or kept.folder}", soft_wrap=True)
    for row in rows:
        if row["reason"]:
            said = _said(row["axes"]) or "the run"
            remarks().print(f"Failed: {said}: {row['reason']}", style="red")
    return DONE if not any(row["reason"] for row in rows) else INCOMPLETE


def _row(one: "SweptJob", outcome: "Outcome", store: "Store") -> dict[str, Any]:
    row: dict[str, Any] = {
        "axes": dict(one.axes),
        "label": one.job.label,
        "digest": outcome.digest,
        "status": outcome.status,
        "reason": outcome.reason,
        "result": "failed",
    }
    if not outcome.is_success:
        return {**row, "reason": outcome.reason or "it failed"}
    try:
        dataset = store.get(str(outcome.digest))
    except StoreError as error:
        return {**row, "reason": str(error)}
    assert dataset is not None, "what succeeded is in the store"
    numbers: dict[str, float] = {}
    for name in _DIGITS:
        if name in dataset.variables:
            values = dataset[name].values
            numbers[name] = float(values[-1] if values.ndim else values)
    return {
        **row,
        "path": str(store.result_path(str(outcome.digest))),
        "result": str(dataset.attrs["result"]),
        "sentence": str(dataset.attrs["result_sentence"]),
        "wall_time_seconds": float(dataset.attrs["wall_time_seconds"]),
        "numbers": numbers,
    }


def _copied(rows: Sequence[Mapping[str, Any]], folder: Path, store: "Store") -> str:
    """Copies of the results and a table of them; the path of the table."""
    for row in rows:
        if "path" in row:
            store.export(row["digest"], folder / f"{row['digest'][:_SHORT]}.nc")
    axes = list(dict.fromkeys(name for row in rows for name in row["axes"]))
    names = _shared(rows)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*axes, "result", *names, "file", "digest"])
    for row in rows:
        values = [_text(row["axes"].get(name, "")) for name in axes]
        numbers = [repr(row.get("numbers", {}).get(name, "")) for name in names]
        file = f"{row['digest'][:_SHORT]}.nc" if "path" in row else ""
        numbers = ["" if number == "''" else number for number in numbers]
        writer.writerow([*values, row["result"], *numbers, file, row["digest"] or ""])
    path = folder / "results.csv"
    write_whole("--out", path, text.getvalue().encode())
    return str(path)


def _shared(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The numbers that any run has, in the usual order."""
    there = {name for row in rows for name in row.get("numbers", {})}
    return [name for name in _DIGITS if name in there]


def _print(rows: Sequence[Mapping[str, Any]]) -> None:
    from rich.text import Text

    from lowrankflow.studies import duration, readable

    axes = list(dict.fromkeys(name for row in rows for name in row["axes"]))
    names = _shared(rows)
    table = plain_table()
    for name in axes:
        last = name.rpartition(".")[2]
        unique = sum(other.rpartition(".")[2] == last for other in axes) == 1
        table.add_column(last if unique else name, overflow="fold")
    table.add_column("result", overflow="fold")
    for name in names:
        head = name.replace("_", "\n", 1).replace("_", " ")
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("digest", no_wrap=True)
    for row in rows:
        numbers = row.get("numbers", {})
        took = row.get("wall_time_seconds")
        table.add_row(
            *(Text(_text(row["axes"].get(name, ""))) for name in axes),
            Text(row["result"], style="red" if row["reason"] else ""),
            *(readable(numbers[n], _DIGITS[n]) if n in numbers else "" for n in names),
            "" if took is None else duration(took),
            (row["digest"] or "")[:_SHOWN],
        )
    results().print(table)


def _title(one: "SweptJob") -> str:
    return _said(one.axes) or one.job.label


def _said(axes: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_text(value)}" for name, value in axes.items())


def _text(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{k}={_text(v)}" for k, v in value.items() if k != "kind")
        return f"{value.get('kind', '')}({inner})"
    return str(value)
