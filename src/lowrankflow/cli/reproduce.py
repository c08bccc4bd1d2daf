"""`lowrankflow reproduce`: from nothing to figures, verdicts and a report."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lowrankflow.cli.console import print_json, print_text, remarks, results
from lowrankflow.cli.failures import DONE, INCOMPLETE, load_library
from lowrankflow.cli.judging import (
    OUT,
    Plan,
    chosen,
    collected,
    job_of,
    planned,
    reported,
    usual_store,
    verdict_table,
)
from lowrankflow.cli.making import made
from lowrankflow.cli.output import writable_folder
from lowrankflow.cli.tally import Expected

if TYPE_CHECKING:
    from lowrankflow.simulation import Job
    from lowrankflow.store import Store
    from lowrankflow.studies import StudyReport

_MOST_FAILURES = 20


def reproduce(
    studies: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[STUDY]...",
            help="A paper (arora2019) or a study (arora2019/figure2); all for none.",
        ),
    ] = None,
    profile: Annotated[
        str,
        typer.Option(
            help="How much is run: smoke (seconds), quick (minutes), paper (the "
            "paper's own settings)."
        ),
    ] = "quick",
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Worker processes; one per CPU unless given."),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, help="Seeds per setting, in place of the profile's."),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the report goes.")
    ] = OUT,
    store: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where results are kept: reproduction/store, or the environment "
            "variable LOWRANKFLOW_STORE, unless given.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as one JSON document.")
    ] = False,
) -> int:
    """Run studies, judge what the papers say, and write a report with figures.

    Runs that are in the store are not made again; an interrupted command goes on when
    it is given again.
    """
    load_library()
    from lowrankflow.store import Store

    plans = [planned(study, profile, seeds) for study in chosen(studies or [])]
    kept = Store(store or usual_store())
    writable_folder("--out", out)
    writable_folder("--store", kept.folder)
    expected = _expected(plans)
    _announce(expected, len(plans))
    outcomes = made(expected, kept, jobs, is_timed=True)
    digests = {job: outcome.digest for job, outcome in outcomes.items()}
    reasons = {j: o.reason or "failed" for j, o in outcomes.items() if not o.is_success}
    reports = [reported(p, collected(p, digests, reasons, kept)) for p in plans]
    return finished(reports, out, kept, as_json=as_json)


def finished(
    reports: "Sequence[StudyReport]", out: Path, store: "Store", *, as_json: bool
) -> int:
    """Write the report, say what it says, and give the exit code."""
    from lowrankflow.studies import contents, write_report

    created = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    page = write_report(out, reports, created=created)
    if as_json:
        said = contents(reports, created=created)
        print_json({**said, "report": str(page), "store": str(store.folder)})
    else:
        print_verdicts(reports)
        results().print(f"Report: {page}", soft_wrap=True)
    print_failures(reports)
    return INCOMPLETE if any(report.failures for report in reports) else DONE


def print_verdicts(reports: "Sequence[StudyReport]") -> None:
    """The verdicts by study on standard output, and how many there are of each."""
    from rich.text import Text

    from lowrankflow.studies import Outcome

    console = results()
    for report in reports:
        head = Text.assemble((report.study.key, "bold"), f"  {report.study.title}")
        console.print(head)
        if report.verdicts:
            console.print(verdict_table(report.verdicts))
        else:
            console.print("  no verdicts")
        console.print()
    found = [verdict.outcome for report in reports for verdict in report.verdicts]
    words = [f"{found.count(outcome)} {outcome.value}" for outcome in Outcome]
    console.print(", ".join(words) + ".")


def print_failures(reports: "Sequence[StudyReport]") -> None:
    """What is missing and why, on standard error."""
    console = remarks()
    found = [(r.study.key, failure) for r in reports for failure in r.failures]
    if not found:
        return
    console.print(f"{len(found)} missing:", style="bold red")
    for key, failure in found[:_MOST_FAILURES]:
        console.print(f"  {key}, {failure}", soft_wrap=True)
    if len(found) > _MOST_FAILURES:
        rest = len(found) - _MOST_FAILURES
        console.print(f"  and {rest} more, all in the report")


def _expected(plans: Sequence[Plan]) -> "dict[Job, Expected]":
    """The runs of all plans, each distinct one once."""
    from lowrankflow.studies import described

    expected: dict[Job, Expected] = {}
    for plan in plans:
        profile = plan.study.profile(plan.profile)
        share = profile.expected_seconds / max(len(plan.runs), 1)
        for labelled in plan.runs:
            job = job_of(labelled)
            place = f"{plan.study.key}: " if len(plans) > 1 else ""
            title = f"{place}{described(labelled.axes)}"
            run = Expected(label=job.label, title=title, seconds=share)
            expected.setdefault(job, run)
    return expected


def _announce(expected: "Mapping[Job, Expected]", num_studies: int) -> None:
    from lowrankflow.studies import duration

    seconds = sum(run.seconds for run in expected.values())
    runs = f"{len(expected)} {'run' if len(expected) == 1 else 'runs'}"
    studies = f"{num_studies} {'study' if num_studies == 1 else 'studies'}"
    said = f"{runs} of {studies}, about {duration(seconds)} if none is there yet."
    print_text(remarks(), said)
