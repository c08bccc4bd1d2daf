"""From a plan and a store to what a study found; nothing is computed here."""

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lowrankflow.cli.failures import kept_traceback
from lowrankflow.errors import LowRankFlowError, SpecError

if TYPE_CHECKING:
    from rich.table import Table

    from lowrankflow.simulation import Job
    from lowrankflow.store import Store
    from lowrankflow.studies import (
        AbstractStudy,
        Collection,
        LabelledJob,
        StudyReport,
        Verdict,
    )

OUT = Path("reproduction")
_STYLES = {"supported": "green", "contradicted": "red", "undecided": "yellow"}


def usual_store() -> Path:
    """Where results are unless `--store` says otherwise."""
    return Path(os.environ.get("LOWRANKFLOW_STORE") or OUT / "store")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The runs of a study at a profile, with the number of seeds asked for."""

    study: "AbstractStudy"
    profile: str
    num_seeds: int | None
    runs: "Sequence[LabelledJob]"

    @property
    def command(self) -> str:
        """What to type to get this."""
        words = ["lowrankflow", "reproduce", self.study.key, "--profile", self.profile]
        seeds = [] if self.num_seeds is None else ["--seeds", str(self.num_seeds)]
        return shlex.join([*words, *seeds])


def chosen(names: Sequence[str]) -> "tuple[AbstractStudy, ...]":
    """The studies with these names; all of them for none.

    Raises:
        SpecError: when a name is unknown, or there is no study at all.
    """
    from lowrankflow.studies import STUDIES

    found = STUDIES.find(names)
    if not found:
        raise SpecError(
            where="STUDY",
            rule="there is a study to look at",
            got="a library without studies",
            fix="Install a version of lowrankflow that has some",
        )
    return found


def planned(study: "AbstractStudy", profile: str, num_seeds: int | None) -> Plan:
    """The plan of a study.

    Raises:
        SpecError: when there is no such profile, or no positive number of seeds.
    """
    runs = study.plan(profile, num_seeds)
    return Plan(study=study, profile=profile, num_seeds=num_seeds, runs=runs)


def collected(
    plan: Plan,
    digests: "Mapping[Job, str | None]",
    reasons: "Mapping[Job, str]",
    store: "Store",
) -> "Collection":
    """The runs of a plan as datasets; those not in the store as failures.

    Args:
        plan: which runs.
        digests: of each job; None where it is not known.
        reasons: why a job has no result, where something is known.
        store: where results are.
    """
    from lowrankflow.studies import Collection, Failure

    runs, failures = [], []
    for labelled in plan.runs:
        job = job_of(labelled)
        digest, reason = digests.get(job), reasons.get(job, "")
        dataset = None
        if digest is not None and not reason:
            try:
                dataset = store.get(digest)
            except LowRankFlowError as error:
                reason = str(error)
        if dataset is None:
            said = reason or _why_missing(store, digest)
            failures.append(Failure(axes=labelled.axes, reason=said))
        else:
            runs.append((labelled.axes, dataset))
    return Collection(runs, failures)


def stored(plan: Plan, store: "Store") -> "Collection":
    """The runs of a plan, as far as they are in the store."""
    from lowrankflow.store import digest as digest_of

    digests: dict[Job, str | None] = {}
    reasons: dict[Job, str] = {}
    for labelled in plan.runs:
        job = job_of(labelled)
        if job in digests:
            continue
        try:
            digests[job] = digest_of(job)
        except LowRankFlowError as error:
            digests[job], reasons[job] = None, str(error)
    return collected(plan, digests, reasons, store)


def is_stored(plan: Plan, store: "Store") -> bool:
    """Whether all runs of a plan are in the store; looks no further than needed."""
    from lowrankflow.store import digest as digest_of

    try:
        jobs = (job_of(labelled) for labelled in plan.runs)
        return all(store.status(digest_of(job)) == "finished" for job in jobs)
    except LowRankFlowError:
        return False


def reported(
    plan: Plan, collection: "Collection", *, draws: bool = True
) -> "StudyReport":
    """What a study found, judged and, unless told otherwise, drawn.

    A claim or a figure that breaks is listed among the failures, with the file that has
    its traceback: hours of runs are not to be lost by it.
    """
    from lowrankflow.studies import Failure, StudyReport, draw

    broken: list[Failure] = []
    verdicts, figure = [], ""
    try:
        verdicts = plan.study.claims(collection)
    except Exception as error:
        broken.append(Failure(axes={"step": "claims"}, reason=_broke(error)))
    if draws and len(collection):
        try:
            figure = draw(plan.study, collection)
        except Exception as error:
            broken.append(Failure(axes={"step": "figure"}, reason=_broke(error)))
    return StudyReport(
        study=plan.study,
        profile=plan.profile,
        verdicts=verdicts,
        figure=figure,
        runs=[_attributes(dataset.attrs) for _, dataset in collection.runs],
        failures=[*collection.failures, *broken],
        command=plan.command,
    )


def verdict_table(verdicts: "Iterable[Verdict]") -> "Table":
    """Verdicts for a terminal: the word, the claim, and below it the numbers."""
    from rich.table import Table
    from rich.text import Text

    from lowrankflow.studies import readable

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for verdict in verdicts:
        word = verdict.outcome.value
        number = "no number" if verdict.measured is None else readable(verdict.measured)
        numbers = f"{verdict.quantity}: {number}, expected {verdict.expected}"
        claim = Text(f"{verdict.sentence}\n") + Text(numbers, style="dim")
        table.add_row(Text(f"  {word}", style=_STYLES[word]), claim)
    return table


def job_of(labelled: "LabelledJob") -> "Job":
    from lowrankflow.simulation import Job

    job = labelled.job
    assert isinstance(job, Job), f"a study plans jobs, not {job!r}"
    return job


def _attributes(attributes: Mapping[object, object]) -> dict[str, object]:
    return {str(name): value for name, value in attributes.items()}


def _why_missing(store: "Store", digest: str | None) -> str:
    if digest is None:
        return "it has not been run"
    status = store.status(digest)
    if status == "failed":
        failure = store.failure(digest) or {}
        return failure.get("message", "it failed")
    return {
        "running": "another process is running it now",
        "interrupted": "it was interrupted; it goes on when it is run again",
    }.get(status, "it has not been run")


def _broke(error: Exception) -> str:
    return (
        f"this step went wrong ({type(error).__name__}: {error}), which is a mistake "
        f"of ours; the details are in {kept_traceback(error)}"
    )
