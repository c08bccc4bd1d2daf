import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.simulation import Recipe, ReferenceJob, RunJob
from lowrankflow.store import Store, digest, execute
from lowrankflow.sweeps import ProcessExecutor, SerialExecutor

PROBLEM = Recipe(
    "planted_completion",
    {"shape": [20, 20], "rank": 2, "num_observed": 200, "seed": 0},
)


def run_job(iterations=20, **changes):
    parts = {
        "problem": PROBLEM,
        "factorization": lrf.DeepFactorization(2),
        "dynamics": lrf.GradientDescent(step=lrf.ConstantStep(learning_rate=0.01)),
        "stop": lrf.Stop(iterations=iterations),
        "start": lrf.Gaussian(init_scale=0.1),
        "schedule": lrf.EveryIterations(5),
    }
    return RunJob(**(parts | changes))


IMPOSSIBLE = run_job(dynamics=lrf.SteeredFlow(step=0.1))
UNKNOWN = ReferenceJob(Recipe("named", {"name": "li2021-5x5"}))
MIXED = [run_job(), IMPOSSIBLE, ReferenceJob(PROBLEM), UNKNOWN, run_job()]
EXECUTORS = [SerialExecutor(), ProcessExecutor(2)]


@pytest.mark.parametrize("executor", EXECUTORS, ids=lambda e: type(e).__name__)
def test_each_job_has_an_outcome_and_failures_stop_no_other(executor, tmp_path):
    store, events = Store(tmp_path), []
    outcomes = executor.run(MIXED, store, events.append)
    assert [outcome.job for outcome in outcomes] == MIXED
    statuses = ["finished", "failed", "finished", "failed", "finished"]
    assert [outcome.status for outcome in outcomes] == statuses
    assert [o.is_success for o in outcomes] == [s == "finished" for s in statuses]
    assert [outcome.digest for outcome in outcomes] == [
        digest(MIXED[0]),
        digest(IMPOSSIBLE),
        digest(MIXED[2]),
        None,
        digest(MIXED[0]),
    ]
    for outcome in outcomes:
        if outcome.is_success:
            assert store.get(outcome.digest) is not None
    assert "keeps its matrix as U U'" in outcomes[1].reason
    assert "the named problems are" in outcomes[3].reason
    assert all("Traceback" in outcomes[i].traceback for i in (1, 3))
    assert store.failure(digest(IMPOSSIBLE))["error"] == "SpecError"
    ends = [e.stage for e in events if e.stage in ("finished", "failed", "found")]
    assert sorted(ends) == ["failed", "failed", "finished", "finished"]
    again = executor.run([MIXED[0]], store)
    assert [outcome.status for outcome in again] == ["found"]


def test_no_job_no_outcome(tmp_path):
    assert ProcessExecutor(2).run([], Store(tmp_path)) == []
    assert SerialExecutor().run([], Store(tmp_path)) == []


def test_workers_make_the_same_bits_as_this_process(tmp_path):
    job = run_job(60)
    there, here = Store(tmp_path / "there"), Store(tmp_path / "here")
    ProcessExecutor(1, keep_compiled=False).run([job], there)
    execute(job, here)
    one, other = there.get(digest(job)), here.get(digest(job))
    assert one["matrix"].values.tobytes() == other["matrix"].values.tobytes()
    assert one["loss"].values.tobytes() == other["loss"].values.tobytes()
    assert '"threads": 1' in one.attrs["machine"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"num_workers": 0}, "num_workers"), ({"num_threads": 1.5}, "num_threads")],
)
def test_a_number_of_workers_that_is_none(changes, message):
    with pytest.raises(lrf.SpecError, match=rf"{message}.*integer >= 1"):
        ProcessExecutor(**changes)


def children():
    """Processes that this one started, by id."""
    path = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    threads = Path("/proc/self/task").iterdir()
    found = [(thread / "children").read_text().split() for thread in threads]
    assert path.exists()
    return {int(child) for each in found for child in each}


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_killed_worker_takes_only_its_job_with_it(tmp_path):
    store, killed = Store(tmp_path), []
    long = run_job(10**7)
    before = children()

    def kill(event):
        if event.digest == digest(long) and event.stage == "running" and not killed:
            (worker,) = children() - before
            killed.append(worker)
            os.kill(worker, signal.SIGKILL)

    outcomes = ProcessExecutor(1).run([long, run_job()], store, kill)
    assert [outcome.status for outcome in outcomes] == ["failed", "finished"]
    assert "signal 9 (SIGKILL)" in outcomes[0].reason
    assert "goes on from its last checkpoint; with fewer workers" in outcomes[0].reason
    assert store.failure(digest(long))["error"] == "WorkerDiedError"
    assert store.status(digest(long)) == "interrupted"
    assert list(store.working_folder(digest(long)).glob("state-*"))
    assert children() == before


PROGRAM = """
import sys, time
sys.path.insert(0, {folder!r})
from test_executors import run_job
from lowrankflow.store import Store
from lowrankflow.sweeps import ProcessExecutor
jobs = [run_job(10**7, seed=seed) for seed in range(3)]
try:
    ProcessExecutor(2).run(jobs, Store({store!r}))
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_breaking_off_ends_the_workers_and_leaves_checkpoints(tmp_path, how):
    folder = str(Path(__file__).parent)
    program = PROGRAM.format(folder=folder, store=str(tmp_path))
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    working = tmp_path / "working"
    while len(list(working.glob("*/state-*"))) < 4:
        assert parent.poll() is None
        time.sleep(0.05)
    if how == signal.SIGINT:
        os.killpg(parent.pid, how)  # as a terminal does, to all of them
    else:
        parent.kill()
    broken_off = time.monotonic()
    said, _ = parent.communicate(timeout=10)
    if how == signal.SIGINT:
        assert said == "interrupted\n"
        assert parent.returncode == 0
        # None is left even now.
        with pytest.raises(ProcessLookupError):
            os.killpg(parent.pid, 0)
        assert time.monotonic() - broken_off < 3
    else:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                os.killpg(parent.pid, 0)
            except ProcessLookupError:
                break
            time.sleep(0.05)
        else:
            pytest.fail("a worker outlived the process that started it")
    assert {path.parent.name for path in working.glob("*/state-*")} <= {
        digest(run_job(10**7, seed=seed)) for seed in range(3)
    }


@pytest.mark.slow
def test_workers_keep_to_their_share_of_the_processors(tmp_path):
    """One worker with large products: its processor time is about its wall time."""
    shape = {"shape": [600, 500], "rank": 2, "num_observed": 30_000, "seed": 0}
    problem = Recipe("planted_completion", shape)
    store = Store(tmp_path)
    before = os.times()
    job = run_job(300, problem=problem, schedule=lrf.OnlyEnds())
    begun = time.monotonic()
    (outcome,) = ProcessExecutor(1).run([job], store)
    wall = time.monotonic() - begun
    after = os.times()
    used = (after.children_user + after.children_system) - (
        before.children_user + before.children_system
    )
    assert outcome.status == "finished"
    # Starting up and compiling use a little more than one processor.
    assert used <= 1.25 * wall + 1.0
    assert np.isfinite(store.get(outcome.digest)["loss"].values).all()
