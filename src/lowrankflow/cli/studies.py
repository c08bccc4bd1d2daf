"""`lowrankflow studies`: what can be reproduced, and what came of it the last time."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lowrankflow.cli.console import print_json, print_text, results
from lowrankflow.cli.failures import DONE, load_library
from lowrankflow.cli.judging import (
    chosen,
    is_stored,
    planned,
    reported,
    stored,
    usual_store,
)

if TYPE_CHECKING:
    from lowrankflow.store import Store
    from lowrankflow.studies import AbstractStudy, StudyReport


def studies(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[STUDY]...", help="Papers or studies; all for none."),
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where results are; see `reproduce`."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document.")
    ] = False,
) -> int:
    """List the studies: question, paper, profiles, and the last verdicts.

    Verdicts are judged from the store, for the largest profile whose runs are all
    there; nothing is computed.
    """
    load_library()
    from lowrankflow.store import Store

    kept = Store(store or usual_store())
    found = [(study, _last(study, kept)) for study in chosen(names or [])]
    if as_json:
        print_json([_plain(study, report) for study, report in found])
    else:
        for study, report in found:
            _print(study, report)
    return DONE


def _last(study: "AbstractStudy", store: "Store") -> "StudyReport | None":
    """The verdicts of the largest profile that is all there; no figure is looked at."""
    if not (store.folder / "results").is_dir():
        return None
    for profile in reversed(tuple(study.profiles)):
        plan = planned(study, profile, None)
        if is_stored(plan, store):
            return reported(plan, stored(plan, store), draws=False)
    return None


def _plain(study: "AbstractStudy", report: "StudyReport | None") -> dict[str, object]:
    return {
        "key": study.key,
        "title": study.title,
        "question": study.question,
        "paper": {
            "key": study.paper.key,
            "authors": study.paper.authors,
            "year": study.paper.year,
            "title": study.paper.title,
        },
        "profiles": {
            name: {
                "expected_seconds": profile.expected_seconds,
                "num_seeds": profile.num_seeds,
                "settings": dict(profile.settings),
                "differs": profile.differs,
            }
            for name, profile in study.profiles.items()
        },
        "last": report
        and {
            "profile": report.profile,
            "verdicts": [verdict.to_plain() for verdict in report.verdicts],
        },
    }


def _print(study: "AbstractStudy", report: "StudyReport | None") -> None:
    from rich.text import Text

    from lowrankflow.studies import Outcome, duration

    def line(text: str) -> None:
        print_text(console, text, indent=2)

    console, paper = results(), study.paper
    console.print(Text.assemble((study.key, "bold"), f"  {study.title}"))
    line(study.question)
    line(f"{paper.authors} ({paper.year}), {paper.title}")
    times = [
        f"{name} {duration(profile.expected_seconds)}"
        for name, profile in study.profiles.items()
    ]
    line(f"Profiles: {', '.join(times)} (on two cores)")
    if report is None:
        line(f"No verdicts yet: lowrankflow reproduce {study.key}")
    else:
        found = [verdict.outcome for verdict in report.verdicts]
        words = [f"{found.count(one)} {one.value}" for one in Outcome if one in found]
        line(f"Last verdicts ({report.profile}): {', '.join(words) or 'none'}")
    console.print()
