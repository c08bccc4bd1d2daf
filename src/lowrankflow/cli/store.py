"""`lowrankflow store`: list, look at, tidy up and take out stored results."""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lowrankflow.cli.console import print_json, print_text, results
from lowrankflow.cli.failures import DONE, load_library
from lowrankflow.cli.judging import usual_store
from lowrankflow.errors import SpecError, StoreError

if TYPE_CHECKING:
    from lowrankflow.store import Entry, Store

_Folder = Annotated[
    Path | None,
    typer.Option(
        "--store",
        metavar="DIR",
        help="Where results are: reproduction/store, or the environment variable "
        "LOWRANKFLOW_STORE, unless given.",
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
_Digest = Annotated[
    str, typer.Argument(metavar="DIGEST", help="Of a result; its beginning is enough.")
]
_SHORT = 12


def ls(store: _Folder = None, as_json: _Json = False) -> int:
    """List results and unfinished or failed runs."""
    from rich.text import Text

    kept = _opened(store)
    entries = [(entry, _label(kept, entry)) for entry in kept.list()]
    if as_json:
        print_json([{**_plain(entry), "label": label} for entry, label in entries])
        return DONE
    console = results()
    for entry, label in entries:
        written = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.modified))
        said = f"{entry.digest[:_SHORT]}  {entry.status:<11}  {_size(entry.size):>6}"
        if console.is_terminal:
            console.print(f"{said}  {written}")
            print_text(console, Text(label, style="dim"), indent=2)
        else:
            console.print(f"{said}  {written}  {label}", soft_wrap=True)
    count = f"{len(entries)} {'entry' if len(entries) == 1 else 'entries'}"
    total = _size(sum(entry.size for entry, _ in entries))
    console.print(f"{count}, {total} in {kept.folder}", soft_wrap=True)
    return DONE


def show(digest: _Digest, store: _Folder = None, as_json: _Json = False) -> int:
    """Show all that is known of one result, or why it failed."""
    kept = _opened(store)
    full = kept.resolve(digest)
    dataset = kept.get(full)
    if dataset is None:
        said: dict[str, object] = {"digest": full, "status": kept.status(full)}
        said |= kept.failure(full) or {}
    else:
        said = {"digest": full, "status": "finished", "path": kept.result_path(full)}
        said |= {str(name): _read(value) for name, value in dataset.attrs.items()}
        said["last"] = _last_numbers(dataset)
    if as_json:
        print_json(said)
    else:
        _print_known(said)
    return DONE


def prune(
    finished: Annotated[
        bool,
        typer.Option("--finished", help="Remove finished results as well."),
    ] = False,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DIGEST", help="With --finished: a result to keep; may be repeated."
        ),
    ] = None,
    keep_unfinished: Annotated[
        bool,
        typer.Option("--keep-unfinished", help="Keep interrupted and failed runs."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be removed.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask before removing results.")
    ] = False,
    store: _Folder = None,
) -> int:
    """Remove what is of no use: damaged files, interrupted and failed runs.

    Files of other programs and of newer versions stay, as does what is being run.
    """
    if keep and not finished:
        raise SpecError(
            where="--keep",
            rule="finished results are removed with --finished only",
            got="--keep without --finished",
            fix="Leave --keep out, or add --finished",
        )
    kept = _opened(store)
    spared = {kept.resolve(digest) for digest in keep or []} if finished else None
    unfinished = not keep_unfinished
    going = kept.prune(keep=spared, unfinished=unfinished, dry_run=True)
    console = results()
    for path in going:
        console.print(str(path.relative_to(kept.folder)), soft_wrap=True)
    if dry_run or not going:
        console.print(f"{len(going)} would be removed." if going else "Nothing to do.")
        return DONE
    if finished and not yes:
        _confirm(len(going), kept.folder)
    gone = kept.prune(keep=spared, unfinished=unfinished)
    console.print(f"{len(gone)} removed.")
    return DONE


def export(
    digest: _Digest,
    path: Annotated[
        Path,
        typer.Argument(metavar="PATH", help="A NetCDF file, or a folder."),
    ],
    store: _Folder = None,
) -> int:
    """Copy a result to a NetCDF file, which other programs can open."""
    kept = _opened(store)
    target = kept.export(kept.resolve(digest), path)
    results().print(str(target), soft_wrap=True)
    return DONE


def _opened(folder: Path | None) -> "Store":
    load_library()
    from lowrankflow.store import Store

    kept = Store(folder or usual_store())
    if not kept.folder.is_dir():
        raise StoreError(
            where="--store",
            rule="this is the folder of a store",
            got=f"{str(kept.folder)!r}, which is not there",
            fix="Give the one of `lowrankflow reproduce` or `run`, by --store",
        )
    return kept


def _label(store: "Store", entry: "Entry") -> str:
    try:
        if entry.status == "finished":
            dataset = store.get(entry.digest)
            return "" if dataset is None else str(dataset.attrs.get("label", ""))
        failure = store.failure(entry.digest) or {}
    except StoreError as error:
        return f"cannot be used: {error.got}"
    return failure.get("label", "")


def _size(num_bytes: int) -> str:
    from lowrankflow.studies import memory

    return memory(num_bytes) if num_bytes >= 1e6 else f"{num_bytes / 1e3:.0f} kB"


def _plain(entry: "Entry") -> dict[str, object]:
    return {
        "digest": entry.digest,
        "status": entry.status,
        "path": str(entry.path),
        "size": entry.size,
        "modified": entry.modified,
    }


def _read(value: object) -> object:
    """An attribute as data, where it is the JSON of some."""
    if isinstance(value, str) and value[:1] in "{[":
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            return value
    return value


def _last_numbers(dataset) -> dict[str, float]:  # an xarray.Dataset
    found = {}
    for name, variable in dataset.variables.items():
        last = variable.isel(record=-1) if "record" in variable.dims else variable
        if last.ndim == 0 and last.dtype.kind in "fi":
            found[str(name)] = last.values.item()
    return found


def _print_known(said: dict[str, object]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, value in said.items():
        text = str(value)
        if isinstance(value, dict):
            text = "\n".join(f"{key}: {_short(part)}" for key, part in value.items())
        table.add_row(name, Text(text))
    results().print(table)


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else json.dumps(value)


def _confirm(count: int, folder: Path) -> None:
    if not sys.stdin.isatty():
        raise SpecError(
            where="store prune --finished",
            rule="removing finished results is confirmed",
            got="no terminal to ask at",
            fix="Add --yes, or look with --dry-run first",
        )
    typer.confirm(f"Remove {count} from {folder}?", abort=True)
