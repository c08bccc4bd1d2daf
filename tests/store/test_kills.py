"""Real processes, really killed: what is left goes on to the same bits."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from small_jobs import descent_job

from lowrankflow.store import Store, digest, execute

PROGRAM = Path(__file__).with_name("small_jobs.py")
# What depends on when and how often a run was interrupted, and on nothing else.
CIRCUMSTANCES = {"wall_time_seconds", "peak_memory_bytes", "made", "checksum"}


def started(folder, iterations, *more):
    arguments = [str(folder), str(iterations), *map(str, more)]
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def killed(process):
    _, errors = process.communicate(timeout=60)
    assert process.returncode in (0, -signal.SIGKILL), errors
    return process.returncode != 0


def assert_same_bits(one, other):
    assert set(one.variables) == set(other.variables)
    for name in one.variables:
        a, b = one[name].values, other[name].values
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        assert a.tobytes() == b.tobytes(), name
    for name in set(one.attrs) - CIRCUMSTANCES:
        assert one.attrs[name] == other.attrs[name], name


def uninterrupted(folder, job):
    store = Store(folder)
    return store.get(execute(job, store))


def test_a_run_killed_between_two_writes_goes_on_to_the_same_bits(tmp_path):
    job, store = descent_job(600), Store(tmp_path / "killed")
    name = digest(job)
    # Somewhere between the files of part 4.
    process = started(store.folder, 600, 40)
    assert killed(process)
    assert store.status(name) == "interrupted"
    states = sorted(store.working_folder(name).glob("state-*.part"))
    assert states
    events = []
    execute(job, store, progress=events.append)
    assert store.status(name) == "finished"
    behind = int(states[-1].stem[-6:]) + 1
    assert next(e for e in events if e.stage == "running").records == 16 * (behind + 1)
    assert not store.working_folder(name).exists()
    result = store.get(name)
    assert_same_bits(result, uninterrupted(tmp_path / "whole", job))
    assert result.sizes["record"] == 121


@pytest.mark.slow
def test_a_run_killed_at_any_touch_of_a_file_goes_on_to_the_same_bits(tmp_path):
    """Each attempt may touch a few files more than the last, so every place is met."""
    job, store = descent_job(700), Store(tmp_path / "killed")
    kills = 0
    for touch in range(1, 200):
        if not killed(started(store.folder, 700, touch)):
            break
        kills += 1
        for path in (store.folder / "results").glob("*.nc"):
            assert store.get(path.stem) is not None
    assert kills >= 20
    assert_same_bits(store.get(digest(job)), uninterrupted(tmp_path / "whole", job))


@pytest.mark.slow
def test_a_run_killed_at_random_moments_goes_on_to_the_same_bits(tmp_path):
    random_source = random.Random(20170529)
    iterations = 20_000
    job, store = descent_job(iterations), Store(tmp_path / "killed")
    name, kills = digest(job), 0
    while kills < 25 and store.status(name) != "finished":
        process = started(store.folder, iterations)
        before = set(store.working_folder(name).glob("*"))
        while process.poll() is None:
            if set(store.working_folder(name).glob("*")) != before:
                break
            time.sleep(0.001)
        time.sleep(random_source.uniform(0.0, 0.15))
        process.send_signal(signal.SIGKILL)
        kills += killed(process)
    assert kills >= 20
    execute(job, store)
    assert_same_bits(store.get(name), uninterrupted(tmp_path / "whole", job))


@pytest.mark.slow
def test_two_processes_compute_a_run_once(tmp_path):
    processes = [started(tmp_path / "store", 4000) for _ in range(2)]
    answers = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], answers
    store, name = Store(tmp_path / "store"), digest(descent_job(4000))
    said = sorted(answer[0] for answer in answers)
    assert said == [f"{name} finished\n", f"{name} found\n"]
    assert store.status(name) == "finished"


def test_while_one_computes_the_other_waits(tmp_path):
    store = Store(tmp_path / "store")
    job = descent_job(5_000)
    process = started(store.folder, 5_000)
    while not store.working_folder(digest(job)).exists():
        assert process.poll() is None
        time.sleep(0.01)
    assert store.status(digest(job)) == "running"
    assert store.prune() == []
    events = []
    execute(job, store, progress=events.append)
    assert [event.stage for event in events] == ["waiting", "found"]
    assert process.wait(timeout=10) == 0
    assert np.isfinite(store.get(digest(job))["loss"].values).all()
    process.communicate()
