"""Small jobs for tests of the store, and a program that computes one and may be killed.

    python small_jobs.py FOLDER ITERATIONS [KILL_AT]

kills itself, as `kill -9` would, just before the KILL_AT-th time that it touches a file
of the store.
"""

import os
import signal
import sys

import lowrankflow as lrf
from lowrankflow.simulation import Recipe, ReferenceJob, RunJob
from lowrankflow.store import Store, execute

PROBLEM = Recipe(
    "planted_completion",
    {"shape": [20, 20], "rank": 2, "num_observed": 200, "seed": 0},
)
TOUCHING = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"}


def descent_job(iterations, **changes):
    """Chunks of 16 records; a record every 5 iterations."""
    parts = {
        "problem": PROBLEM,
        "factorization": lrf.DeepFactorization(2),
        "dynamics": lrf.GradientDescent(step=lrf.ConstantStep(learning_rate=0.01)),
        "stop": lrf.Stop(iterations=iterations),
        "start": lrf.Gaussian(init_scale=0.1),
        "schedule": lrf.EveryIterations(5),
        "observe": ("entry_0_1",),
    }
    return RunJob(**(parts | changes))


def reference_job():
    return ReferenceJob(PROBLEM)


def kill_before(touch, folder):
    """Arrange for this process to be killed before its n-th touch of the folder."""
    count = 0

    def hook(event, arguments):
        nonlocal count
        if event in TOUCHING and str(arguments[0]).startswith(folder):
            count += 1
            if count == touch:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


if __name__ == "__main__":
    folder, iterations = sys.argv[1], int(sys.argv[2])
    if len(sys.argv) > 3:
        kill_before(int(sys.argv[3]), folder)
    events = []
    name = execute(
        descent_job(iterations),
        Store(folder),
        progress=events.append,
        seconds_between=0,
    )
    print(name, events[-1].stage)
