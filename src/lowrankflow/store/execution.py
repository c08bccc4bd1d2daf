"""Compute a job once, keep what was done, and go on from it to the same bits."""

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import filelock
import threadpoolctl

from lowrankflow.dynamics import Snapshot
from lowrankflow.errors import StoreError
from lowrankflow.problems import AbstractObjective
from lowrankflow.reference import min_frobenius_norm, min_nuclear_norm
from lowrankflow.result import Result
from lowrankflow.simulation import (
    AgreementJob,
    CompletionJob,
    GridJob,
    Job,
    Record,
    ReferenceJob,
    Run,
    RunJob,
    build,
    first_state,
    named_observers,
    simulate_chunks,
)
from lowrankflow.store.agreement_results import agreement_dataset
from lowrankflow.store.archive import to_bytes
from lowrankflow.store.checkpoints import Checkpoints
from lowrankflow.store.completion_results import completion_dataset
from lowrankflow.store.digest import digest as digest_of
from lowrankflow.store.files import disk_errors, write_atomically
from lowrankflow.store.grid_results import grid_dataset
from lowrankflow.store.progress import Event, Stage, fraction_done, stop_numbers
from lowrankflow.store.provenance import Stopwatch, environment
from lowrankflow.store.results import (
    described,
    frobenius_norm_dataset,
    nuclear_norm_dataset,
    run_dataset,
    solved,
)
from lowrankflow.store.runs import Store

if TYPE_CHECKING:
    import xarray

Progress: TypeAlias = Callable[[Event], None]


# Three flushes to the disk take some 30 ms, and a chunk may take one.
_SECONDS_BETWEEN_CHECKPOINTS = 0.25


def execute(
    job: Job,
    store: Store,
    *,
    progress: Progress | None = None,
    seconds_between: float = _SECONDS_BETWEEN_CHECKPOINTS,
) -> str:
    """The digest of a job whose result is in the store, computed if it was not.

    Two processes that ask for the same job compute it once: the second waits for the
    first and finds the result. A run keeps its records and state after each chunk, but
    for chunks that take less than a quarter of a second together; one that was killed,
    at any moment, goes on from there and ends with the same bits.
    Linear algebra on the host runs on one thread, since more would change the last
    bits.

    Args:
        job: a run, a reference solution, or a mask of the grid.
        store: where results are kept.
        progress: called with an `Event` at the start, after each chunk and at the end.
        seconds_between: of two checkpoints, at least; 0 for one after each chunk.

    Returns:
        The digest; `store.get` has the dataset. That a run diverged is a result.

    Raises:
        SpecError: when the job makes no sense; such a reason, like any other exception
            inside of it, is kept in the store as a failure, and the job is tried again
            the next time.
        DataError: likewise, when data cannot be had.
        StoreError: when the disk is full or cannot be written, or the result that is
            there is damaged, foreign or newer. The store is intact then.

    Exactness: that of the job; bits repeat on equal machines, versions and threads.
    """
    tell = progress or (lambda event: None)
    digest = digest_of(job)
    begun = time.monotonic()
    with disk_errors(store.folder):
        store.lock_path(digest).parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(store.lock_path(digest))
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            tell(Event(digest=digest, label=job.label, stage="waiting"))
            lock.acquire(poll_interval=0.1)
    try:
        if store.get(digest) is not None:
            tell(Event(digest=digest, label=job.label, stage="found", fraction=1.0))
            return digest
        tell(Event(digest=digest, label=job.label, stage="started", fraction=0.0))
        _compute(job, digest, store, tell, seconds_between)
    except (StoreError, BrokenPipeError):
        # A full disk, or nobody listening any more: the job itself has not failed.
        raise
    except Exception as error:
        store.record_failure(digest, job, error)
        tell(
            Event(
                digest=digest,
                label=job.label,
                stage="failed",
                seconds=time.monotonic() - begun,
                detail=str(error),
            )
        )
        raise
    finally:
        lock.release()
    return digest


def _compute(
    job: Job, digest: str, store: Store, tell: Progress, seconds_between: float
) -> None:
    folder = store.working_folder(digest)
    checkpoints = Checkpoints(folder, digest, environment(), seconds_between)
    stopwatch = Stopwatch()
    with threadpoolctl.threadpool_limits(limits=1):
        records: list[Record] = []
        if isinstance(job, GridJob):
            dataset = grid_dataset(job)
        elif isinstance(job, RunJob):
            problem = build(job.problem)
            dataset, records = _run(job, digest, problem, checkpoints, stopwatch, tell)
        elif isinstance(job, AgreementJob):
            dataset = agreement_dataset(job, solved(build(job.problem)))
        elif isinstance(job, CompletionJob):
            dataset = completion_dataset(job, solved(build(job.problem)))
        else:
            dataset = _reference(job, build(job.problem))
        dataset = described(dataset, job, digest, stopwatch)
    write_atomically((store.result_path(digest), to_bytes(dataset)))
    # Only now: until the result is on the disk, the checkpoints are all there is.
    checkpoints.clear()
    store.forget_failure(digest)
    ended = str(dataset.attrs["result_sentence"])
    tell(_event(job, digest, "finished", stopwatch, records, ended))


def _run(
    job: RunJob,
    digest: str,
    problem: AbstractObjective,
    checkpoints: Checkpoints,
    stopwatch: Stopwatch,
    tell: Progress,
) -> tuple["xarray.Dataset", list[Record]]:
    parts = (problem, job.factorization, job.dynamics)
    resumed = checkpoints.restore(
        lambda: first_state(*parts, start=job.start, seed=job.seed)
    )
    records: list[Record] = [] if resumed is None else list(resumed.records)
    state = None if resumed is None else resumed.state
    if resumed is not None:
        stopwatch.go_on(resumed.seconds, resumed.peak)
    chunks = simulate_chunks(
        *parts,
        start=job.start,
        seed=job.seed,
        stop=job.stop,
        schedule=job.schedule,
        observe=named_observers(job.observe),
        state=state,
    )
    chunk = None
    for chunk in chunks:
        records.extend(chunk.records)
        if chunk.snapshot.result is not Result.running:
            break  # what follows is the result itself
        checkpoints.add(
            chunk.records,
            chunk.state,
            seconds=stopwatch.seconds(),
            peak=stopwatch.peak(),
        )
        tell(_event(job, digest, "running", stopwatch, records, now=chunk.snapshot))
    assert chunk is not None, "a run yields at least its start"
    run = Run(
        snapshot=chunk.snapshot,
        records=tuple(records),
        state=chunk.state,
        settings={"normalization": getattr(problem, "normalization", "none")},
    )
    return run_dataset(run), records


def _reference(job: ReferenceJob, problem: AbstractObjective) -> "xarray.Dataset":
    sensing = solved(problem)
    if job.kind == "min_frobenius_norm":
        return frobenius_norm_dataset(sensing, min_frobenius_norm(sensing))
    reference = min_nuclear_norm(
        sensing, psd=job.psd, gap_tolerance=float(job.gap_tolerance)
    )
    return nuclear_norm_dataset(sensing, reference)


def _event(
    job: Job,
    digest: str,
    stage: Stage,
    stopwatch: Stopwatch,
    records: Sequence[Record],
    detail: str = "",
    now: Snapshot | None = None,
) -> Event:
    """What there is to say of a run that has these records, and is there now."""
    event = Event(
        digest=digest,
        label=job.label,
        stage=stage,
        seconds=stopwatch.seconds(),
        fraction=1.0 if stage == "finished" else None,
        detail=detail,
    )
    if not isinstance(job, RunJob) or not records:
        return event
    last: Record = records[-1]
    if now is not None:
        last = {"iteration": now.iteration, "time": now.time, "loss": now.loss}
    return dataclasses.replace(
        event,
        records=len(records),
        iteration=int(last["iteration"]),
        time=float(last["time"]),
        loss=float(last["loss"]),
        fraction=event.fraction or fraction_done(job.stop, records[0], last),
        stop=stop_numbers(job.stop),
    )
