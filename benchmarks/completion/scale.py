"""Time and memory of a completion, by the number of entries and the method.

    python benchmarks/completion/scale.py [--entries 1e5 1e6] [--methods auto als ...]

A planted table of rank 5 with row effects, entries of variance about two and noise of
0.5; each method in a process of its own, one thread, after a first completion of a
small table. Seconds of the wall and of the processor, what the peak of memory rose by,
and the error on other entries, noise included: 0.5 is the least there can be.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from machine import machine_line

RANK, NOISE = 5, 0.5
SHAPES = {10**5: (2000, 1500), 10**6: (8000, 6000), 10**7: (70_000, 10_000)}
METHODS = ("effects", "als", "bayes", "greedy path", "auto")


def planted(m, seed=0):
    """(entries to fit, entries to measure by, shape)."""
    rng = np.random.default_rng(seed)
    shape = SHAPES[m]
    left, right = (rng.standard_normal((size, RANK)) for size in shape)
    effects = rng.standard_normal(shape[0])
    flat = np.unique(rng.integers(shape[0] * shape[1], size=int(1.2 * m)))
    flat = rng.permutation(flat)[: m + m // 20]
    rows, cols = np.divmod(flat, shape[1])
    values = np.einsum("kr,kr->k", left[rows], right[cols]) / RANK**0.5
    values += effects[rows] + NOISE * rng.standard_normal(rows.size)
    return (rows[:m], cols[:m], values[:m]), (rows[m:], cols[m:], values[m:]), shape


def side(method, m):
    """One completion, as a row of the table."""
    from lowrankflow.completion import MatrixCompleter

    fit, aside, shape = planted(m)
    few = tuple(
        part[:3000] % 50 if part.dtype.kind == "i" else part[:3000] for part in fit
    )
    _, first = np.unique(few[0] * 50 + few[1], return_index=True)
    MatrixCompleter(method).fit(tuple(part[first] for part in few))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun, cpu = time.perf_counter(), time.process_time()
    completer = MatrixCompleter(method).fit(fit, shape=shape)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    error = completer.predict(*aside[:2]) - aside[2]
    return {
        "winner": completer.method_,
        "seconds": seconds,
        "processor": cpu,
        "memory": (peak - before) * 1024 / 1e9,
        "error": float(np.sqrt(np.mean(np.square(error)))),
    }


def main():
    """Print the table, or be one of its processes."""
    if sys.argv[1:2] == ["side"]:
        print(json.dumps(side(sys.argv[2], int(sys.argv[3]))))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entries", nargs="*", default=["1e5", "1e6"])
    parser.add_argument("--methods", nargs="*", default=METHODS)
    given = parser.parse_args()
    print(machine_line("numpy", "numba", "scipy"), "\n")
    print(
        "| entries, table | method | seconds | of the processor | memory (GB) | error |"
    )
    print("|---" * 6 + "|")
    names = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    environment = os.environ | dict.fromkeys(names, "1")
    for count in given.entries:
        m = int(float(count))
        for method in given.methods:
            command = [sys.executable, __file__, "side", method, str(m)]
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                print(f"| {m:,} | {method} | {done.stderr.strip().splitlines()[-1]} |")
                continue
            row = json.loads(done.stdout.splitlines()[-1])
            shape = " x ".join(f"{size:,}" for size in SHAPES[m])
            won = f" ({row['winner']})" if method == "auto" else ""
            print(
                f"| {m:,}, {shape} | {method}{won} | {row['seconds']:.1f} | "
                f"{row['processor']:.1f} | {row['memory']:.2f} | {row['error']:.4f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
