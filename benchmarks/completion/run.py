"""Every method on every table; finished steps are kept, and a stopped run goes on.

    python benchmarks/completion/run.py [--peers-python PATH] [--tables WORDS ...]
        [--methods NAMES ...] [--draws NUMBER] [--limit SECONDS] [--results FILE]
        [--forget METHODS ...] [--retry]

A step is one method on one draw. A method does all draws of a table in one process of
its own, on one thread, and sees files without the test values; the errors are measured
here. `table.py` prints what came out.
"""

import argparse
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from data import Table, tables

HERE = Path(__file__).parent
RESULTS = HERE / "results.jsonl"
PEERS = (
    "SimpleImputer",
    "KNNImputer",
    "IterativeImputer",
    "cmfrec",
    "cmfrec, implicit",
    "surprise SVD",
    "surprise SVD++",
)
SIMPLE = ("effects", "soft-impute")
AUTO, BLOCKS = "auto", "auto, blocks"
SINGLE = tuple(f"only {name}" for name in ("greedy path", "flow", "soft-impute", "als"))
OURS = (*SIMPLE, AUTO, BLOCKS, *SINGLE)
STEP_SECONDS = 900.0  # a step that takes longer is given up, and said to be
RATINGS_ONLY = ("cmfrec, implicit", "surprise SVD++")
THREADS = (
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
)


def suits(method: str, table: Table) -> bool:
    """Whether a method is for such a table."""
    if method in RATINGS_ONLY:
        return table.group == "MovieLens 100K"
    if method == BLOCKS:
        return "missing" in table.name
    if method == "surprise SVD":
        return table.group != "Indian Pines"
    return True


def rows_of(file: Path) -> list[dict]:
    """The finished steps; a line that was cut while it was written is none."""
    if not file.exists():
        return []
    found = []
    for line in file.read_text().splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return found


def forget(file: Path, methods: list[str], *, failed: bool) -> None:
    """Drop steps, to be taken again: all of some methods, and those that failed."""
    rows = rows_of(file)
    kept = [
        row
        for row in rows
        if row["method"] not in methods and not (failed and "failed" in row)
    ]
    if len(kept) < len(rows):
        file.write_text("".join(json.dumps(row) + "\n" for row in kept))


def answered(command: list[str], count: int, seconds: float):
    """The lines of JSON of a process, each in time; a string where one did not come."""
    environment = os.environ | dict.fromkeys(THREADS, "1")
    environment["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    with tempfile.TemporaryFile("w+") as errors:
        child = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        lines: queue.Queue[str | None] = queue.Queue()

        def listen():
            for line in child.stdout:
                if line.startswith("{"):
                    lines.put(line)
            lines.put(None)

        threading.Thread(target=listen, daemon=True).start()
        try:
            for _ in range(count):
                try:
                    line = lines.get(timeout=seconds)
                except queue.Empty:
                    yield f"no answer within {seconds:.0f} s"
                    return
                if line is None:
                    child.wait()
                    errors.seek(0)
                    said = errors.read().strip().splitlines() or ["no message"]
                    yield said[-1][:200]
                    return
                yield json.loads(line)
        finally:
            child.kill()
            child.wait()


def run_steps(table: Table, method: str, draws: list[int], given) -> None:
    """One method on the draws of a table, in one process."""
    python = given.peers_python if method in PEERS else sys.executable
    file = given.results
    script = HERE / ("peers.py" if method in PEERS else "ours.py")
    built = {draw: table.build(draw) for draw in draws}
    with tempfile.TemporaryDirectory() as name:
        places = {draw: Path(name) / f"{draw}.npz" for draw in draws}
        for draw, place in places.items():
            built[draw].save(place)
        command = [python, str(script), method, *map(str, places.values())]
        waiting = list(draws)
        for answer in answered(command, len(draws), given.step_limit):
            draw = waiting.pop(0)
            row = {
                "table": table.name,
                "group": table.group,
                "draw": draw,
                "method": method,
            }
            if isinstance(answer, str):
                row["failed"] = answer
            else:
                answer.pop("file")
                predicted = np.load(places[draw].with_suffix(".npy"))
                row |= answer | built[draw].judged(predicted)
                row["load"] = os.getloadavg()[0]
            with file.open("a") as lines:
                lines.write(json.dumps(row) + "\n")
            said = row.get("failed") or f"{row['error']:.4g} in {row['seconds']:.1f} s"
            print(f"{table.name}, draw {draw}, {method}: {said}", flush=True)


def main() -> None:
    """Take the steps that are not in the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers-python", default=sys.executable)
    parser.add_argument(
        "--tables", nargs="*", help="only those with one of these words"
    )
    parser.add_argument("--methods", nargs="*", choices=(*PEERS, *OURS))
    parser.add_argument("--draws", type=int, default=100, help="only the first so many")
    parser.add_argument("--limit", type=float, default=float("inf"))
    parser.add_argument("--step-limit", type=float, default=STEP_SECONDS)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--forget", nargs="*", default=[], help="methods to take again")
    parser.add_argument("--retry", action="store_true", help="what failed, again")
    given = parser.parse_args()
    forget(given.results, given.forget, failed=given.retry)
    begun = time.monotonic()
    done = {
        (row["table"], row["draw"], row["method"]) for row in rows_of(given.results)
    }
    for method in given.methods or (*OURS, *PEERS):
        for table in tables():
            named = f"{table.group} {table.name}"
            if given.tables and not any(word in named for word in given.tables):
                continue
            if not suits(method, table):
                continue
            draws = [
                draw
                for draw in range(min(table.draws, given.draws))
                if (table.name, draw, method) not in done
            ]
            if not draws:
                continue
            if time.monotonic() - begun > given.limit:
                print("the time is up; the next run goes on here")
                return
            run_steps(table, method, draws, given)


if __name__ == "__main__":
    main()
