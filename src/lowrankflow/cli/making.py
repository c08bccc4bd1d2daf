"""Runs that are asked for: those in the store are found, the others are made."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lowrankflow.cli.progress import shown_progress
from lowrankflow.cli.tally import Expected
from lowrankflow.errors import LowRankFlowError

if TYPE_CHECKING:
    from lowrankflow.simulation import Job
    from lowrankflow.store import Store
    from lowrankflow.sweeps import Outcome


def made(
    expected: "Mapping[Job, Expected]",
    store: "Store",
    num_workers: int | None,
    *,
    is_timed: bool,
) -> "dict[Job, Outcome]":
    """What became of each job, with progress shown meanwhile.

    What is in the store is seen from here, so that no worker is started for nothing.

    Args:
        expected: the jobs, and how they are shown.
        store: where results are, and go to.
        num_workers: processes at once; one per CPU for None.
        is_timed: whether the expected seconds are known.
    """
    from lowrankflow.store import Event, digest
    from lowrankflow.sweeps import Outcome, ProcessExecutor

    outcomes: dict[Job, Outcome] = {}
    with shown_progress(list(expected.values()), is_timed=is_timed) as tell:
        for job in expected:
            name, reason = None, ""
            try:
                name = digest(job)
                if store.status(name) != "finished":
                    continue
            except LowRankFlowError as error:
                reason = str(error)
            status = "failed" if reason else "found"
            outcomes[job] = Outcome(job=job, digest=name, status=status, reason=reason)
            tell(Event(digest=name or "", label=job.label, stage=status))
        missing = [job for job in expected if job not in outcomes]
        if missing:
            executor = ProcessExecutor(num_workers)
            for outcome in executor.run(missing, store, tell):
                outcomes[outcome.job] = outcome
    return outcomes
