"""Where many jobs are computed: here one after the other, or in worker processes.

An executor is handed jobs and a store, and says of each job its digest, or why it
failed. Jobs that say the same are computed once.
"""

import abc
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from lowrankflow.errors import LowRankFlowError
from lowrankflow.simulation import Job, job_to_json
from lowrankflow.store import Event, Store, digest, execute

OnEvent: TypeAlias = Callable[[Event], None]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a job.

    Args:
        job: as it was handed in.
        digest: of its result in the store; None when it failed before that was known.
        status: "finished", "found" (it was there already) or "failed".
        reason: why it failed, as a message for its user.
        traceback: where it failed, for whoever has to find out why.
    """

    job: Job
    digest: str | None
    status: Literal["finished", "found", "failed"]
    reason: str = ""
    traceback: str = field(default="", repr=False)

    @property
    def is_success(self) -> bool:
        """Whether there is a result, a diverged run included."""
        return self.status != "failed"


class WorkerDiedError(LowRankFlowError):
    """A worker process ended in the middle of a job."""


class AbstractExecutor(abc.ABC):
    """Computes jobs into a store."""

    @abc.abstractmethod
    def run(
        self, jobs: Sequence[Job], store: Store, on_event: OnEvent | None = None
    ) -> list[Outcome]:
        """What became of each job, in their order; a failure stops no other job.

        Args:
            jobs: those that say the same are computed once.
            store: where results are, and go to.
            on_event: called in this process with what is to be told of each job.

        Raises:
            KeyboardInterrupt: when the user breaks off; what was done is kept.
        """


class SerialExecutor(AbstractExecutor):
    """One job after the other, in this process: for looking closely.

    Compiled code has as many threads here as JAX was started with.
    """

    def run(
        self, jobs: Sequence[Job], store: Store, on_event: OnEvent | None = None
    ) -> list[Outcome]:
        return spread(jobs, [_run(job, store, on_event) for job in distinct(jobs)])


def distinct(jobs: Sequence[Job]) -> list[Job]:
    """The jobs without repeats, in the order of their first appearance."""
    return list({job_to_json(job): job for job in reversed(jobs)}.values())[::-1]


def spread(jobs: Sequence[Job], outcomes: Sequence[Outcome]) -> list[Outcome]:
    """One outcome for each job, from those of the distinct jobs."""
    found = {job_to_json(outcome.job): outcome for outcome in outcomes}
    return [found[job_to_json(job)] for job in jobs]


def failure_event(outcome: Outcome) -> Event:
    """What is told of a job that failed before it could tell itself."""
    return Event(
        digest=outcome.digest or "",
        label=outcome.job.label,
        stage="failed",
        detail=outcome.reason,
    )


def _run(job: Job, store: Store, on_event: OnEvent | None) -> Outcome:
    last: list[Event] = []

    def tell(event: Event) -> None:
        last[:] = [event]
        if on_event is not None:
            on_event(event)

    name = None
    try:
        name = digest(job)
        execute(job, store, progress=tell)
    except Exception as error:
        outcome = Outcome(
            job=job,
            digest=name,
            status="failed",
            reason=str(error) or type(error).__name__,
            traceback="".join(traceback.format_exception(error)),
        )
        if on_event is not None and not (last and last[-1].stage == "failed"):
            on_event(failure_event(outcome))
        return outcome
    found = last[-1].stage == "found"
    return Outcome(job=job, digest=name, status="found" if found else "finished")
