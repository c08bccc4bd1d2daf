"""Gradient flow against fixed-step descent: 100 x 100, rank 5, 2,000 entries.

    python benchmarks/flow.py [--quick] [--torch-python PATH]

Both go from the same Gaussian start of scale 1e-3 to a mean squared residual of 1e-6,
at depths 2, 3 and 4, on one BLAS thread. Prints the tables of docs/performance.md;
nothing here asserts a time.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import flow_child
from flow_child import Timed
from machine import machine_line

HERE = Path(__file__).parent
LOOSE, TIGHT = 1e-3, 1e-6
CACHE_ALL = {
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}


class Bench:
    """The processes compared, each timed whole: start, imports, compilation, run."""

    def __init__(self, torch_python: str, folder: str):
        self.torch_python, self.folder = torch_python, Path(folder)

    def yardstick(self, depth: int, seeds: range) -> Timed:
        runs = [flow_child.save(self.folder, depth, seed) for seed in seeds]
        script = HERE / "yardstick_descent.py"
        return timed([self.torch_python, script, *runs], {})

    def ours(
        self,
        depth: int,
        seeds: range,
        *,
        rtol: float = LOOSE,
        cache: bool = False,
        records: bool = False,
    ) -> Timed:
        env = {"JAX_COMPILATION_CACHE_DIR": str(self.folder / "cache"), **CACHE_ALL}
        script = HERE / "flow_child.py"
        options = ["--depth", depth, "--rtol", rtol, "--seeds", *seeds]
        extra = ["--records"] if records else []
        command = [sys.executable, script, *options, *extra]
        return timed(command, env if cache else {})


def timed(command: list, env: dict[str, str]) -> Timed:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("JAX_COMPILATION")}
    before, begun = os.times(), time.perf_counter()
    done = subprocess.run(
        [str(part) for part in command],
        env=kept | env,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    wall, after = time.perf_counter() - begun, os.times()
    used = after.children_user + after.children_system
    cpu = used - before.children_user - before.children_system
    return Timed.read(done.stdout, wall=wall, cpu=cpu)


def one_run(bench: Bench, depths: tuple[int, ...], repeats: int) -> None:
    """A whole process with one run in it, in turns with the yardstick's."""
    print("\nOne run, whole process (wall clock, and processor seconds in brackets).\n")
    print("| depth | descent | flow, cold | ratio | flow, cached | ratio | hits |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for depth in depths:
        bench.ours(depth, range(1), cache=True)
        rows = [
            (
                bench.yardstick(depth, range(1)),
                bench.ours(depth, range(1)),
                bench.ours(depth, range(1), cache=True),
            )
            for _ in range(repeats)
        ]
        descent, cold, cached = zip(*rows, strict=True)
        hits = cached[-1].head
        print(
            f"| {depth} | {seconds(descent)} | {seconds(cold)} "
            f"| {ratios(descent, cold)} | {seconds(cached)} "
            f"| {ratios(descent, cached)} | {hits['cache_hits']} of "
            f"{hits['cache_requests']} |",
            flush=True,
        )


def sweep(bench: Bench, depths: tuple[int, ...], repeats: int, size: int) -> None:
    """Many runs in one process, and the recovery of both."""
    few = range(min(5, size))
    print(
        f"\n{size} runs in one process, per run, and the yardstick's median of"
        f" {len(few)} runs, its import left out. Processor seconds in brackets.\n"
    )
    print("| depth | descent | flow | ratio | flow without its first run | ratio |")
    print("| --- | --- | --- | --- | --- | --- |")
    errors = []
    for depth in depths:
        tight = bench.ours(depth, few, rtol=TIGHT)
        flows = [bench.ours(depth, range(size)) for _ in range(repeats)]
        descent = bench.yardstick(depth, few)
        # The yardstick stands between sweeps, so that a drift meets both.
        flows += [bench.ours(depth, range(size)) for _ in range(repeats)]
        slow = per_run([descent])
        whole = (
            middle([flow.wall / size for flow in flows]),
            middle([flow.cpu / size for flow in flows]),
        )
        later = per_run([flow.without_first() for flow in flows])
        print(
            f"| {depth} | {both(slow)} | {both(whole)} | {quotient(slow, whole)} "
            f"| {both(later)} | {quotient(slow, later)} |",
            flush=True,
        )
        errors.append((depth, descent, flows[0], tight))
    recovery(errors)


def recovery(errors: list[tuple[int, Timed, Timed, Timed]]) -> None:
    """What each side recovers, seed by seed from the same start."""
    print(
        "\nMean squared error of all entries, mean (standard deviation) over the seeds"
        " of the yardstick, and the flow's mean squared residual where it ends.\n"
    )
    print(
        f"| depth | descent | flow, rtol {LOOSE:g} | flow, rtol {TIGHT:g} "
        "| largest difference of a seed: descent, rtol | residual |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for depth, *runs in errors:
        count = len(runs[0].runs)
        a, b, c = (run.column("error")[:count] for run in runs)
        apart = [max(abs(x / y - 1) for x, y in zip(b, z, strict=True)) for z in (a, c)]
        print(
            f"| {depth} | {spread(a)} | {spread(b)} | {spread(c)} "
            f"| {apart[0]:.0%}, {apart[1]:.0%} "
            f"| {middle(runs[1].column('residual')):.1e} |",
            flush=True,
        )


def where_it_goes(bench: Bench, depths: tuple[int, ...]) -> None:
    """What one run consists of, and the floor beside it."""
    rate = flow_child.product_seconds()
    print(
        f"\nWhere the time goes. One float64 product of 100 x 100: {1e6 * rate:.0f} us"
        " (BLAS, one thread); the floor is evaluations x 3 (depth - 1) of them."
        " The last two columns are processor seconds.\n"
    )
    print(
        "| depth | import | trace | compile | cached | steps | evaluations | floor "
        "| second run | with 1.05 records |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for depth in depths:
        cold = bench.ours(depth, range(1), cache=False)
        cached = bench.ours(depth, range(1), cache=True)
        later = bench.ours(depth, range(8), cache=True).runs[1:]
        seen = bench.ours(depth, range(8), cache=True, records=True).runs[1:]
        run = cold.runs[0]
        floor = run["evaluations"] * 3 * (depth - 1) * rate
        again, recorded = (
            statistics.median(r["cpu_seconds"] for r in runs) for runs in (later, seen)
        )
        print(
            f"| {depth} | {cold.head['import']:.2f} s | {cold.head['trace']:.2f} s "
            f"| {cold.head['compile']:.2f} s | {cached.head['compile']:.2f} s "
            f"| {run['steps']} | {run['evaluations']} | {floor:.3f} s | {again:.3f} s "
            f"| {recorded:.3f} s, {seen[0]['records']} |",
            flush=True,
        )


def middle(numbers: list[float]) -> float:
    return statistics.median(numbers)


def per_run(processes: list[Timed]) -> tuple[float, float]:
    """Wall-clock and processor seconds of one run: medians over all runs."""
    wall, cpu = (
        middle([number for process in processes for number in process.column(name)])
        for name in ("seconds", "cpu_seconds")
    )
    return wall, cpu


def both(pair: tuple[float, float]) -> str:
    return f"{pair[0]:.3g} s ({pair[1]:.3g})"


def quotient(slow: tuple[float, float], fast: tuple[float, float]) -> str:
    return f"{slow[0] / fast[0]:.1f} ({slow[1] / fast[1]:.1f})"


def seconds(runs: tuple[Timed, ...]) -> str:
    wall, cpu = (middle([getattr(r, k) for r in runs]) for k in ("wall", "cpu"))
    return f"{wall:.1f} s ({cpu:.1f})"


def ratios(slow: tuple[Timed, ...], fast: tuple[Timed, ...]) -> str:
    pairs = list(zip(slow, fast, strict=True))
    wall = middle([a.wall / b.wall for a, b in pairs])
    return f"{wall:.1f} ({middle([a.cpu / b.cpu for a, b in pairs]):.1f})"


def spread(numbers: list[float]) -> str:
    return f"{statistics.mean(numbers):.3g} ({statistics.stdev(numbers):.1g})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="depth 3, one repetition")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--torch-python", default=sys.executable, help="interpreter that has PyTorch"
    )
    options = parser.parse_args()
    depths = (3,) if options.quick else (2, 3, 4)
    repeats = 1 if options.quick else options.repeats
    print(machine_line("lowrankflow", "jax", "numpy"))
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options.torch_python, folder)
        one_run(bench, depths, repeats)
        sweep(bench, depths, repeats, 5 if options.quick else 20)
        where_it_goes(bench, depths)
    print(f"\n{machine_line()} at the end")


if __name__ == "__main__":
    main()
