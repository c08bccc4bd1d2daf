"""`lowrankflow show`: draw and judge again what is in the store."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lowrankflow.cli.failures import load_library
from lowrankflow.cli.judging import (
    OUT,
    chosen,
    planned,
    reported,
    stored,
    usual_store,
)
from lowrankflow.cli.output import writable_folder
from lowrankflow.cli.reproduce import finished

if TYPE_CHECKING:
    from lowrankflow.cli.judging import Plan
    from lowrankflow.store import Store
    from lowrankflow.studies import AbstractStudy, Collection


def show(
    studies: Annotated[
        list[str], typer.Argument(metavar="STUDY...", help="Studies or papers.")
    ],
    profile: Annotated[
        str | None,
        typer.Option(help="smoke, quick or paper; the one with most runs stored."),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, help="Seeds per setting, in place of the profile's."),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the report goes.")
    ] = OUT / "show",
    store: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where results are; see `reproduce`."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as one JSON document.")
    ] = False,
) -> int:
    """Draw and judge again from the store, without computing; say what is missing."""
    load_library()
    from lowrankflow.store import Store

    kept = Store(store or usual_store())
    found = [_best(study, profile, seeds, kept) for study in chosen(studies)]
    writable_folder("--out", out)
    reports = [reported(plan, collection) for plan, collection in found]
    return finished(reports, out, kept, as_json=as_json)


def _best(
    study: "AbstractStudy", profile: str | None, seeds: int | None, store: "Store"
) -> "tuple[Plan, Collection]":
    """The plan asked for, or the one with the largest share of its runs stored.

    Of equal shares the larger profile counts, but nothing at all is "quick".
    """
    names = tuple(study.profiles) if profile is None else (profile,)
    plans = [planned(study, name, seeds) for name in names]
    found = [(plan, stored(plan, store)) for plan in plans]
    if profile is None and not any(len(collection) for _, collection in found):
        return next(one for one in found if one[0].profile == "quick")
    return max(reversed(found), key=lambda one: len(one[1]) / max(len(one[0].runs), 1))
