"""The greedy path: where fast inner solvers end beside the flow, and how fast they are.

    python benchmarks/greedy_path.py speed        # to rank 10 on 1e5 and 1e6 entries
    python benchmarks/greedy_path.py agreement    # planted completions, two minutes
    python benchmarks/greedy_path.py ratings      # MovieLens 100K beside soft-impute
    python benchmarks/greedy_path.py pines        # Indian Pines beside soft-impute

Without a mode it is speed. The last two keep finished steps in a file (--results) and
go on there; --limit SECONDS begins no step after that. Numbers are in
docs/greedy-path.md and docs/performance.md.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import practice
from machine import machine_line

import lowrankflow as lrf
from lowrankflow.problems import SampledProducts, to_dense

SAME = 1e-4  # relative distance of two critical points that are one
FACTORS = (1.5, 2.0, 3.0)  # observed entries per degree of freedom
SEEDS = range(10)


def planted(psd, size, rank, factor, seed):
    """A planted completion with `factor` observations per degree of freedom."""
    if psd:
        freedom = size * rank - rank * (rank - 1) // 2
        # Ordered entries: (i, j) and (j, i) are drawn apart.
        count = min(int(2 * factor * freedom), size * size)
        return lrf.planted_psd_completion(
            size=size, rank=rank, num_observed=count, seed=seed
        )
    shape = (size, size * 3 // 4) if seed % 2 else (size * 3 // 4, size)
    count = min(int(factor * rank * (sum(shape) - rank)), shape[0] * shape[1])
    return lrf.planted_completion(shape=shape, rank=rank, num_observed=count, seed=seed)


def distance(a, b):
    """Relative Frobenius distance."""
    a, b = to_dense(a), to_dense(b)
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def wilson(good, total):
    """95 % interval of a share."""
    z, p = 1.96, good / total
    middle = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z * np.sqrt(p * (1 - p) / total + z * z / (4 * total**2))
    half /= 1 + z * z / total
    return f"{good}/{total} [{middle - half:.2f}, {middle + half:.2f}]"


def agreement():
    """The share of phases whose ends are the flow's, rank by rank."""
    for psd in (True, False):
        for size, rank in ((20, 2), (20, 3), (40, 3)):
            for factor in FACTORS:
                _agreement_of(psd, size, rank, factor)


def _agreement_of(psd, size, rank, factor):
    inners = ("newton",) if psd else ("newton", "als")
    same = {inner: [] for inner in inners}
    found = {inner: 0 for inner in (*inners, "flow")}
    for seed in SEEDS:
        problem = planted(psd, size, rank, factor, seed)
        settings = {"max_rank": rank, "rtol": 1e-7, "psd": psd}
        paths = {
            inner: lrf.greedy_low_rank_path(problem, inner=inner, **settings)
            for inner in found
        }
        flow = paths["flow"]
        for inner, path in paths.items():
            end = path.matrix(path.ranks[-1])
            found[inner] += distance(end, lrf_matrix(problem.target)) < 1e-3
            if inner == "flow":
                continue
            shared = min(len(path.ranks), len(flow.ranks))
            same[inner] += [
                distance(path.matrix(r), flow.matrix(r)) < SAME
                for r in range(1, shared)
            ]
    kind = "p.s.d." if psd else "rectangular"
    said = ", ".join(
        f"{inner} same {wilson(sum(hits), len(hits))}" for inner, hits in same.items()
    )
    recovered = ", ".join(f"{inner} {n}" for inner, n in found.items())
    where = f"{kind} size {size} rank {rank} factor {factor}"
    print(f"{where}: {said}; recovered: {recovered}", flush=True)


def lrf_matrix(target):
    """The truth as an array."""
    return np.asarray(target)


def speed():
    """A path to rank 10, and passes in ratios of the time to read their numbers."""
    rng = np.random.default_rng(0)
    for shape, m in (((2000, 1500), 10**5), ((8000, 6000), 10**6)):
        flat = rng.choice(shape[0] * shape[1], m, replace=False)
        i, j = np.divmod(flat, shape[1])
        left = rng.standard_normal((shape[0], 10)) * np.linspace(1, 0.4, 10)
        right = rng.standard_normal((shape[1], 10))
        y = (left[i] * right[j]).sum(axis=1) + 0.1 * rng.standard_normal(m)
        problem = lrf.SensingProblem.from_entries(i, j, y, shape)
        _passes(i, j, y, shape, left, right)
        for inner in ("newton", "als"):
            for rtol in (1e-3, 1e-6):
                begun = time.perf_counter()
                path = lrf.greedy_low_rank_path(
                    problem, max_rank=10, rtol=rtol, inner=inner
                )
                seconds = time.perf_counter() - begun
                loss = path.losses[-1]
                print(f"{m} {inner} {rtol:g}: {seconds:.1f} s, {loss:.5g}", flush=True)


def _passes(i, j, y, shape, left, right):
    products = SampledProducts.of(i, j, shape)
    y = products.sort(y)
    by_col = y[products.to_col]
    large = rng_block()
    copy = _best(lambda: np.copyto(large[0], large[1]))
    bandwidth = 2 * large[0].nbytes / copy
    square = np.random.default_rng(0).standard_normal((1000, 1000))
    peak = 2e9 / _best(lambda: square @ square)
    rank = left.shape[1]
    pair = (left, right)
    for name, call, flops in (
        ("entries", lambda: products.entries(left, right), 2),
        ("product", lambda: products.mm(y, right), 2),
        ("curvature", lambda: products.curvature(y, by_col, pair, pair), 16),
    ):
        rate = flops * rank * y.size / _best(call)
        print(
            f"{y.size} {name}: {rate / 1e9:.2f} Gflop/s, {rate / peak:.1%} of a dense "
            f"product's; bandwidth {bandwidth / 1e9:.1f} GB/s",
            flush=True,
        )


def rng_block():
    """Two blocks too large for the caches."""
    return np.ones(2 * 10**7), np.ones(2 * 10**7)


def _best(call, repeats=7):
    call()
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return min(times)


def real(which, options):
    """Real data beside soft-impute; goes on where it was stopped."""
    options.results.parent.mkdir(parents=True, exist_ok=True)
    whole = practice.run(which, options.results, options.limit)
    print(
        machine_line("lowrankflow", "numpy", "scipy"),
        "",
        practice.table(which, options.results),
        sep="\n",
    )
    if not whole:
        print("Not all steps are done: give the same command again.")


def main():
    """One mode, or what is short of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    modes = ("agreement", "speed", "ratings", "pines")
    parser.add_argument("mode", nargs="?", choices=modes, default="speed")
    place = Path("build/benchmarks/practice.jsonl")
    parser.add_argument("--results", type=Path, default=place)
    parser.add_argument("--limit", type=float, default=float("inf"), metavar="SECONDS")
    options = parser.parse_args()
    if options.mode in ("ratings", "pines"):
        real(options.mode, options)
    else:
        {"agreement": agreement, "speed": speed}[options.mode]()


if __name__ == "__main__":
    main()
