"""Ten million entries: a completion beside a fast solver that is given the rank.

    python benchmarks/large_completion.py greedy|flow|completer [--entries 1e7]
        [--repeats 2] [--cmfrec-python PATH]

The truth has rank 10 and entries of variance one; noise has half its standard
deviation, and one per cent more entries measure the error. `greedy` is
`greedy_low_rank_path`, which holds out a hundredth of its own entries to find the rank;
the yardstick is CMF of cmfrec (alternating least squares, its defaults, float32, no
biases), which is given the rank. Each side runs in a process of its own, on the same
files, from lists of indices and values to factors. `flow` is `AdaptiveRankFlow` at
depth 3, stopped when the error on a hundredth of its own entries falls no more.
Compilation is left out: machine code is kept between processes.

A further mode is a line in `MODES` that names the sides to run, and a function in
`SIDES` for each side that is new.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

RANK, NOISE = 10, 0.5
PER_ROW, ASPECT = 143, 7
KINDS = ("rows", "cols", "values")


def write_data(folder, m, seed=0):
    """Entries to fit and entries to measure by, as arrays in files."""
    rng = np.random.default_rng(seed)
    shape = m // PER_ROW // 10 * 10, m // PER_ROW // ASPECT // 10 * 10
    left = rng.standard_normal((shape[0], RANK)).astype(np.float32)
    right = rng.standard_normal((shape[1], RANK)).astype(np.float32) / RANK**0.5
    flat = np.unique(rng.integers(shape[0] * shape[1], size=int(1.12 * m)))
    flat = rng.permutation(flat)[: m + m // 100]
    assert flat.size == m + m // 100, (
        "a smaller table is too dense: 1e6 entries or more"
    )
    rows, cols = (index.astype(np.int32) for index in np.divmod(flat, shape[1]))
    del flat
    values = np.empty(rows.size, np.float32)
    for begin in range(0, rows.size, 10**6):
        part = slice(begin, begin + 10**6)
        values[part] = (left[rows[part]] * right[cols[part]]).sum(axis=1)
    values += NOISE * rng.standard_normal(values.size, np.float32)
    for name, array in zip(KINDS, (rows, cols, values), strict=True):
        np.save(folder / f"{name}.npy", array[:m])
        np.save(folder / f"{name}-aside.npy", array[m:])
    (folder / "shape.json").write_text(json.dumps(shape))


def read_data(folder):
    """(entries to fit, entries to measure by, shape)."""
    fit, aside = (
        tuple(np.load(folder / f"{name}{ending}.npy") for name in KINDS)
        for ending in ("", "-aside")
    )
    return fit, aside, tuple(json.loads((folder / "shape.json").read_text()))


def peak_gb():
    """The most memory this process has had, in GB."""
    import resource  # not on every system

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def rmse(found, truth):
    """Root-mean-square error."""
    return float(np.sqrt(np.mean((np.asarray(found) - truth) ** 2, dtype=float)))


def greedy_side(folder, threads):
    """The path of growing rank, stopped by its own held-out error."""
    import lowrankflow as lrf

    (rows, cols, values), aside, shape = read_data(folder)
    settings = {"inner": "als", "dtype": "float32", "rtol": 1e-2}
    settings |= {"optimality_tolerance": 1e-3, "max_rank": 30}
    part = slice(0, 40_000)
    small = lrf.SensingProblem.from_entries(rows[part], cols[part], values[part], shape)
    lrf.greedy_low_rank_path(small, **settings | {"max_rank": 14})  # compiled
    counts = _counted()
    before, begun, cpu = peak_gb(), time.perf_counter(), time.process_time()
    problem = lrf.SensingProblem.from_entries(rows, cols, values, shape)
    read = time.perf_counter() - begun
    path = lrf.greedy_low_rank_path(problem, held_out=0.01, patience=1, **settings)
    took, cpu = time.perf_counter() - begun, time.process_time() - cpu
    reached = read + path.steps[path.best].seconds
    certificate = path.certificates[path.best]
    return {
        "side": "greedy path",
        "rank": f"{path.best}, found",
        "error": rmse(path.predict(*aside[:2]), aside[2]),
        "seconds": took,
        "processor": cpu,
        "peak": peak_gb(),
        "before": before,
        "note": f"reading the list {read:.1f} s; the best rank known at {reached:.1f} "
        f"s; next rate {certificate.rate:.4g} + {certificate.slack:.2g}, first "
        f"{path.rates[0]:.4g}; {threads} threads",
        "passes": counts,
    }


def flow_side(folder, threads):
    """The adaptive-rank flow at depth 3, stopped by the error on entries held out."""
    import lowrankflow as lrf

    (rows, cols, values), aside, shape = read_data(folder)
    flow = lrf.AdaptiveRankFlow(
        admission_tolerance=1e-3, rtol=1e-2, atol=1e-2, precision="float32"
    )
    factorization, every = lrf.DeepFactorization(3), lrf.EveryIterations(1)
    # A ten-thousandth of the truth's singular values.
    start = lrf.Aligned(init_scale=1e-4 * (shape[0] * shape[1] / RANK) ** 0.5)

    def steps(problem, start, most):
        chunks = lrf.simulate_chunks(
            problem,
            factorization,
            flow,
            start=start,
            stop=lrf.Stop(iterations=most),
            schedule=every,
        )
        for chunk in chunks:
            yield from ((record, chunk.snapshot) for record in chunk.records)

    part = slice(0, 40_000)
    small = lrf.SensingProblem.from_entries(rows[part], cols[part], values[part], shape)
    tiny = lrf.Aligned(init_scale=1e-6)
    list(steps(lrf.hold_out(small, fraction=0.01, seed=0), tiny, 3))  # compiled
    counts = _counted()
    before, begun, cpu = peak_gb(), time.perf_counter(), time.process_time()
    whole = lrf.SensingProblem.from_entries(rows, cols, values, shape)
    problem = lrf.hold_out(whole, fraction=0.01, seed=0)
    read = time.perf_counter() - begun
    errors, last = [], None
    for record, snapshot in steps(problem, start, 1000):
        errors.append(record["held_out_rmse"])
        last = record, snapshot
        # Down no more, in so many steps, by a thousandth.
        flat = len(errors) > 12 and errors[-1] > 0.999 * errors[-9]
        if flat and errors[-1] < 0.9 * errors[0]:
            break
    took, cpu = time.perf_counter() - begun, time.process_time() - cpu
    record, snapshot = last
    matrix = snapshot.matrix
    found = matrix.entries(aside[0], aside[1])
    return {
        "side": "adaptive-rank flow, depth 3",
        "rank": f"{record['rank']}, found",
        "error": rmse(found, aside[2]),
        "seconds": took,
        "processor": cpu,
        "peak": peak_gb(),
        "before": before,
        "note": f"reading the list {read:.1f} s; {record['iteration']} steps, "
        f"{record['evaluations']} right-hand sides, {record['searches']} searches; "
        f"{threads} threads",
        "passes": counts,
    }


def _counted():
    """Counts and times the passes over the entries from now on."""
    from lowrankflow.problems import SampledProducts

    counts = {}

    def wrap(name):
        inner = getattr(SampledProducts, name)

        def call(self, *args, **settings):
            begun = time.perf_counter()
            found = inner(self, *args, **settings)
            row = counts.setdefault(name, [0, 0.0])
            row[0] += 1
            row[1] += time.perf_counter() - begun
            return found

        setattr(SampledProducts, name, call)

    names = "entries mm rmm_by_col residual_mm least_squares_rows least_squares_cols"
    for name in (*names.split(), "dot", "sort"):
        wrap(name)
    return counts


def cmfrec_side(folder, threads):
    """Alternating least squares of cmfrec, the rank given."""
    try:
        import cmfrec
    except ImportError:
        sys.exit(
            "cmfrec is not installed here: pip install -r benchmarks/requirements.txt, "
            "or give the interpreter of an environment that has it, --cmfrec-python."
        )
    from scipy.sparse import coo_matrix

    (rows, cols, values), aside, shape = read_data(folder)
    settings = {"user_bias": False, "item_bias": False, "center": False}
    before, begun, cpu = peak_gb(), time.perf_counter(), time.process_time()
    table = coo_matrix((values, (rows, cols)), shape=shape)
    model = cmfrec.CMF(
        k=RANK, use_float=True, nthreads=threads, verbose=False, **settings
    )
    model.fit(table)
    took, cpu = time.perf_counter() - begun, time.process_time() - cpu
    return {
        "side": "cmfrec CMF",
        "rank": f"{RANK}, given",
        "error": rmse(model.predict(*aside[:2]), aside[2]),
        "seconds": took,
        "processor": cpu,
        "peak": peak_gb(),
        "before": before,
        "note": f"{threads} threads",
        "passes": {},
    }


def completer_side(folder, threads):
    """The completer, which chooses among its candidates what it fits again to all."""
    from lowrankflow.completion import MatrixCompleter

    (rows, cols, values), aside, shape = read_data(folder)
    # Compiled by the smallest table that is large; a smaller one takes another path.
    part = slice(0, 2_300_000)
    MatrixCompleter().fit((rows[part], cols[part], values[part]), shape=shape)
    before, begun, cpu = peak_gb(), time.perf_counter(), time.process_time()
    completer = MatrixCompleter().fit((rows, cols, values), shape=shape)
    took, cpu = time.perf_counter() - begun, time.process_time() - cpu
    parts = ", ".join(
        f"{one.method} {one.held_out_error:.4f} in {one.seconds:.0f} s"
        for one in completer.comparison_
    )
    return {
        "side": f"MatrixCompleter: {completer.method_}",
        "rank": f"{completer.rank_}, found",
        "error": rmse(completer.predict(*aside[:2]), aside[2]),
        "seconds": took,
        "processor": cpu,
        "peak": peak_gb(),
        "before": before,
        "note": f"held out: {parts}; {threads} threads",
        "passes": {},
    }


SIDES = {
    "greedy": greedy_side,
    "flow": flow_side,
    "completer": completer_side,
    "cmfrec": cmfrec_side,
}
MODES = {
    "greedy": ("greedy", "cmfrec"),
    "flow": ("flow", "cmfrec"),
    "completer": ("completer", "cmfrec"),
}


def run_side(name, folder, given):
    """A side in a process of its own; None where it cannot run."""
    python = given.cmfrec_python if name == "cmfrec" else sys.executable
    command = [python, __file__, "side", name, str(folder), str(given.threads)]
    limits = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    environment = os.environ | dict.fromkeys(limits, str(given.threads))
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(f"{name}: {done.stderr.strip().splitlines()[-1]}", flush=True)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def compare(names, given):
    """Sides in turns, on the same files."""
    from machine import machine_line

    print(machine_line("numpy", "numba", "scipy"))
    m = int(float(given.entries))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_data(folder, m)
        shape = json.loads((folder / "shape.json").read_text())
        print(f"\n{shape[0]} x {shape[1]}, {m:,} entries, noise {NOISE}.\n")
        print(
            "| run | side | rank | held-out error | seconds | processor seconds | "
            "peak memory (GB), before | load | |\n" + "|---" * 9 + "|"
        )
        times = {side: [] for side in names}
        last = {}
        for turn in range(given.repeats):
            for side in names:
                load = os.getloadavg()[0]
                row = run_side(side, folder, given)
                if row is None:
                    continue
                times[side].append(row["seconds"])
                last[side] = row
                print(
                    f"| {turn + 1} | {row['side']} | {row['rank']} | "
                    f"{row['error']:.4f} | {row['seconds']:.1f} | "
                    f"{row['processor']:.1f} | {row['peak']:.2f}, "
                    f"{row['before']:.2f} | {load:.1f} | {row['note']} |",
                    flush=True,
                )
    first, other = names
    pairs = zip(times[first], times[other], strict=False)
    ratios = ", ".join(f"{a / b:.2f}" for a, b in pairs)
    print(f"\nSeconds of {first} over those of {other}, in turn: {ratios or 'none'}.")
    for side, row in last.items():
        if row["passes"]:
            print(f"\nPasses of {side}, last run.\n\n| pass | calls | seconds |")
            print("|---" * 3 + "|")
            for name, (calls, seconds) in row["passes"].items():
                print(f"| {name} | {calls} | {seconds:.2f} |")


def main():
    """Print the tables, or be one of the sides."""
    if sys.argv[1:2] == ["side"]:
        name, folder, threads = sys.argv[2:]
        print(json.dumps(SIDES[name](Path(folder), int(threads))))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mode", choices=sorted(MODES))
    parser.add_argument("--entries", default="1e7")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cmfrec-python", default=sys.executable)
    given = parser.parse_args()
    compare(MODES[given.mode], given)


if __name__ == "__main__":
    main()
