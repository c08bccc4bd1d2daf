"""Gradient flow runs in a process of their own, timed from inside; see flow.py."""

import time

_begun = time.perf_counter()
import lowrankflow as lrf  # noqa: E402, its import is what is timed

_simulate = lrf.simulate  # names are loaded when the first of them is asked for
_imported = time.perf_counter() - _begun

import argparse  # noqa: E402
import collections  # noqa: E402
import dataclasses  # noqa: E402
import json  # noqa: E402
from pathlib import Path  # noqa: E402

import jax  # noqa: E402
import numpy as np  # noqa: E402
import threadpoolctl  # noqa: E402

OBSERVED, SCALE, TARGET = 2000, 1e-3, 1e-6


@dataclasses.dataclass(frozen=True)
class Timed:
    """What a process took, and what it printed: one JSON line for each run."""

    wall: float
    cpu: float
    runs: list[dict]
    head: dict

    @staticmethod
    def read(printed: str, *, wall: float, cpu: float) -> "Timed":
        lines = [json.loads(line) for line in printed.splitlines()]
        runs = [line for line in lines if "seconds" in line]
        heads = [line for line in lines if "seconds" not in line]
        return Timed(wall, cpu, runs, heads[-1] if heads else {})

    def without_first(self) -> "Timed":
        return dataclasses.replace(self, runs=self.runs[1:])

    def column(self, name: str) -> list[float]:
        return [run[name] for run in self.runs]


def problem_of(seed: int) -> lrf.SensingProblem:
    return lrf.planted_completion((100, 100), rank=5, num_observed=OBSERVED, seed=seed)


def save(folder: Path, depth: int, seed: int) -> Path:
    """The same problem and start as a file, for the yardstick."""
    path = folder / f"depth{depth}seed{seed}.npz"
    if not path.exists():
        problem = problem_of(seed)
        start = lrf.Gaussian(SCALE)
        factors = start.factors(problem, lrf.DeepFactorization(depth), seed=seed)
        np.savez(
            path,
            factors=np.stack(factors),
            rows=problem.operator.row_index,
            cols=problem.operator.col_index,
            values=problem.measurements,
            target=problem.target,
        )
    return path


def product_seconds() -> float:
    """Of one 100 x 100 float64 product, the fastest of many on one thread."""
    a, b = np.random.default_rng(0).standard_normal((2, 100, 100))
    out, took = np.empty((100, 100)), []
    with threadpoolctl.threadpool_limits(limits=1):
        for _ in range(50):
            begun = time.perf_counter()
            for _ in range(100):
                np.matmul(a, b, out=out)
            took.append((time.perf_counter() - begun) / 100)
    return min(took)


def measured_run(depth: int, seed: int, rtol: float, *, records: bool) -> dict:
    begun, used = time.perf_counter(), time.process_time()
    problem = problem_of(seed)
    run = lrf.simulate(
        problem,
        lrf.DeepFactorization(depth),
        lrf.GradientFlow(rtol=rtol, atol=rtol),
        start=lrf.Gaussian(SCALE),
        seed=seed,
        # The loss is half the sum of squares; the yardstick's is their mean.
        stop=lrf.Stop(loss=0.5 * OBSERVED * TARGET),
        schedule=None if records else lrf.OnlyEnds(),
        throw=True,
    )
    last = run.records[-1]
    return {
        "seconds": time.perf_counter() - begun,
        "cpu_seconds": time.process_time() - used,
        "error": last["mean_squared_error"],
        "residual": last["loss"] * 2 / OBSERVED,
        "evaluations": last["evaluations"],
        "steps": last["iteration"] + last["rejections"],
        "records": len(run.records),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--depth", type=int, required=True)
    parser.add_argument("--rtol", type=float, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--records", action="store_true")
    options = parser.parse_args()
    spent, count = collections.Counter(), collections.Counter()
    jax.monitoring.register_event_duration_secs_listener(
        lambda name, duration, **_: spent.update({name.split("/")[-1]: duration})
    )
    jax.monitoring.register_event_listener(
        lambda name, **_: count.update([name.split("/")[-1]])
    )
    for seed in options.seeds:
        run = measured_run(options.depth, seed, options.rtol, records=options.records)
        print(json.dumps(run))
    lowered = ("jaxpr_trace_duration", "jaxpr_to_mlir_module_duration")
    head = {
        "import": _imported,
        "trace": sum(spent[name] for name in lowered),
        "compile": spent["backend_compile_duration"],
        "cache_hits": count["cache_hits"],
        "cache_requests": count["compile_requests_use_cache"],
    }
    print(json.dumps(head))


if __name__ == "__main__":
    main()
