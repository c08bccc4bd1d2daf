"""Jobs in worker processes of this machine, which are used again and replaced."""

import contextlib
import hashlib
import json
import os
import platform
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import jax

from lowrankflow.errors import SpecError
from lowrankflow.simulation import Job, job_to_json
from lowrankflow.store import Event, Store
from lowrankflow.sweeps.executors import (
    AbstractExecutor,
    OnEvent,
    Outcome,
    WorkerDiedError,
    distinct,
    failure_event,
    spread,
)

# Every library that brings its own threads, by the variable that limits them. XLA
# listens to NPROC alone: its flags for threads change neither time nor bits.
_THREADS = (
    "NPROC",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
# A worker finds this process's modules where this process found them.
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from lowrankflow.sweeps.worker import main; main()"
)
_PATIENCE = 1.0


class ProcessExecutor(AbstractExecutor):
    """Jobs in worker processes, each with its own share of threads.

    A worker is used for one job after the other, so that what was compiled is used
    again, until it has few memory maps left. One that dies takes only its job with it,
    which is listed as failed. Either is replaced. On Ctrl-C all workers end within a
    second or two; what they had done is in the store.

    Args:
        num_workers: how many at once; as many as there are CPUs unless given.
        num_threads: threads of each. Another number may change the last bits of large
            problems.
        keep_compiled: whether workers share compiled code through the store's folder.

    Raises:
        SpecError: when a number is not a positive integer.
    """

    def __init__(
        self,
        num_workers: int | None = None,
        *,
        num_threads: int = 1,
        keep_compiled: bool = True,
    ):
        given = (os.cpu_count() or 1) if num_workers is None else num_workers
        for name, number in (("num_workers", given), ("num_threads", num_threads)):
            if not isinstance(number, int) or isinstance(number, bool) or number < 1:
                raise SpecError(
                    where=f"ProcessExecutor({name})",
                    rule="this is an integer >= 1",
                    got=f"{number!r}",
                    fix=f"Give for example {name}=2",
                )
        self.num_workers, self.num_threads = given, num_threads
        self.keep_compiled = keep_compiled

    def run(
        self, jobs: Sequence[Job], store: Store, on_event: OnEvent | None = None
    ) -> list[Outcome]:
        waiting = distinct(jobs)[::-1]
        outcomes: list[Outcome] = []
        messages: queue.Queue[_Message] = queue.Queue()
        everyone: list[_Worker] = []
        workers: list[_Worker] = []
        try:
            while waiting or workers:
                while waiting and len(workers) < self.num_workers:
                    workers.append(_Worker(self.num_threads, messages))
                    everyone.append(workers[-1])
                    self._hand(workers[-1], waiting.pop(), store)
                worker, kind, content = messages.get()
                if kind == "event":
                    worker.digest = content["digest"]
                    worker.stage = content["stage"]
                    if on_event is not None:
                        on_event(Event(**content))
                    continue
                if worker not in workers:
                    continue  # it was dismissed, and now has ended
                is_spent = content.pop("spent", False)
                outcomes.append(_outcome(worker, kind, content, store))
                untold = not outcomes[-1].is_success and worker.stage != "failed"
                if untold and on_event is not None:
                    on_event(failure_event(outcomes[-1]))
                if kind == "ended" or is_spent or not waiting:
                    workers.remove(worker)
                    worker.dismiss()
                else:
                    self._hand(worker, waiting.pop(), store)
        finally:
            _end(everyone, at_work=workers)
        return spread(jobs, outcomes)

    def _hand(self, worker: "_Worker", job: Job, store: Store) -> None:
        compiled = str(compiled_folder(store)) if self.keep_compiled else None
        worker.hand(job, {"folder": str(store.folder), "compiled": compiled})


def compiled_folder(store: Store) -> Path:
    """Where workers share compiled code: of this kind of processor and version only.

    Code for another processor would at best be slow and at worst an illegal
    instruction.
    """
    kind = f"{platform.machine()} {jax.__version__}"
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        named = {line for line in lines if line.startswith(("model name", "flags"))}
        kind += "".join(sorted(named))
    return store.folder / "compiled" / hashlib.sha256(kind.encode()).hexdigest()[:16]


class _Worker:
    """A worker process, and a thread that passes its answers on."""

    def __init__(self, num_threads: int, messages: "queue.Queue[_Message]"):
        environment = os.environ | dict.fromkeys(_THREADS, str(num_threads))
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        self.process = subprocess.Popen(
            [sys.executable, "-c", _START, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            encoding="utf-8",
            env=environment,
        )
        self.job: Job | None = None
        self.digest: str | None = None
        self.stage = ""
        self.reader = threading.Thread(
            target=_pass_on, args=(self, self.process.stdout, messages), daemon=True
        )
        self.reader.start()

    def hand(self, job: Job, request: dict[str, Any]) -> None:
        """Give it a job; one that has died answers with its end."""
        self.job, self.digest, self.stage = job, None, ""
        line = json.dumps({"job": job_to_json(job), **request}) + "\n"
        assert self.process.stdin is not None, "it was made with a pipe"
        with contextlib.suppress(OSError):
            self.process.stdin.write(line)
            self.process.stdin.flush()

    def dismiss(self) -> None:
        """Let it end: there is nothing more to do."""
        assert self.process.stdin is not None, "it was made with a pipe"
        with contextlib.suppress(OSError):
            self.process.stdin.close()

    def last_words(self) -> str:
        """The end of what it wrote to standard error."""
        self.errors.seek(0, os.SEEK_END)
        self.errors.seek(max(0, self.errors.tell() - 4000))
        return self.errors.read().decode(errors="replace").strip()


_Message = tuple[_Worker, str, dict[str, Any]]


def _pass_on(
    worker: _Worker, answers: IO[str], messages: "queue.Queue[_Message]"
) -> None:
    for line in answers:
        try:
            answer = json.loads(line)
            messages.put((worker, answer["kind"], answer["content"]))
        except (ValueError, KeyError, TypeError):
            continue  # half a line of one that was killed
    messages.put((worker, "ended", {}))


def _outcome(
    worker: _Worker,
    kind: str,
    content: dict[str, Any],
    store: Store,
) -> Outcome:
    job = worker.job
    assert job is not None, "a worker without a job says nothing"
    if kind == "done":
        status = "found" if content["found"] else "finished"
        return Outcome(job=job, digest=content["digest"], status=status)
    if kind == "failed":
        return Outcome(job=job, status="failed", **content)
    error = _death(worker)
    if worker.digest is not None:
        store.record_failure(worker.digest, job, error)
    return Outcome(
        job=job,
        digest=worker.digest,
        status="failed",
        reason=str(error),
        traceback=worker.last_words(),
    )


def _death(worker: _Worker) -> WorkerDiedError:
    code = worker.process.wait()
    killed = code == -signal.SIGKILL if os.name == "posix" else False
    got = f"exit code {code}"
    if code < 0:
        got = f"signal {-code} ({signal.Signals(-code).name})"
    words = worker.last_words().splitlines()
    if words:
        got += f", last words {words[-1][:200]!r}"
    return WorkerDiedError(
        where=f"worker process of {worker.job.label if worker.job else 'no job'}",
        rule="a worker lives until its job is done",
        got=got,
        fix="Run the same again, it goes on from its last checkpoint"
        + ("; with fewer workers if memory was short" if killed else ""),
    )


def _end(workers: Sequence[_Worker], *, at_work: Sequence[_Worker]) -> None:
    """End all processes; what those still at work have done is on the disk."""
    for worker in at_work:
        worker.process.terminate()
    for worker in workers:
        worker.dismiss()
        try:
            worker.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            worker.process.kill()
            worker.process.wait()
        worker.reader.join()
        assert worker.process.stdout is not None, "it was made with a pipe"
        worker.process.stdout.close()
        worker.errors.close()
