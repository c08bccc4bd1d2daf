"""The greedy path: where fast inner solvers end beside the flow, and how fast they are.

    python benchmarks/greedy_path.py agreement    # planted completions, two minutes
    python benchmarks/greedy_path.py speed        # to rank 10 on 1e5 and 1e6 entries
    python benchmarks/greedy_path.py ratings      # MovieLens 100K beside soft-impute

Numbers are in docs/greedy-path.md and docs/performance.md.
"""

import sys
import time

import numpy as np

import lowrankflow as lrf
from lowrankflow.problems import SampledProducts, ratings_problem, to_dense
from lowrankflow.reference import soft_impute

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


def rmse(predicted, truth):
    """Root-mean-square error."""
    return float(np.sqrt(np.mean((predicted - np.asarray(truth)) ** 2)))


def penalized(problem, fractions, effects_penalty, seed=0):
    """The path of each penalty, and soft-impute's, on one validation set.

    Returns (validation error, penalty, predictor, rank) of the best of each method.
    """
    kept = lrf.hold_out(problem, fraction=0.1, seed=seed)
    if effects_penalty is None:
        inside, effects = kept, None
    else:
        inside, effects = lrf.remove_effects(kept, penalty=effects_penalty)
    i, j = problem.held_out.operator.row_index, problem.held_out.operator.col_index
    base = 0.0 if effects is None else effects.at(i, j)
    truth, aside = problem.held_out.measurements, inside.held_out
    zero = lrf.greedy_low_rank_path(inside, max_rank=1, rtol=1e-2, penalty=0.0)
    top = zero.rates[0]
    print(f"start {rmse(base, truth):.4f}", flush=True)
    best = {}
    warm = None
    for fraction in fractions:
        begun = time.perf_counter()
        path = lrf.greedy_low_rank_path(
            inside, max_rank=20, rtol=1e-3, penalty=fraction * top, patience=3
        )
        took = time.perf_counter() - begun
        error = path.held_out_errors[path.best]
        test = rmse(base + path.matrix().entries(i, j), truth)
        _keep(best, "greedy path", (error, fraction, test, path.best, took))
        if fraction == 0:
            continue
        begun = time.perf_counter()
        warm = soft_impute(inside, penalty=fraction * top, start=warm)
        took = time.perf_counter() - begun
        seen = warm.matrix.entries(aside.operator.row_index, aside.operator.col_index)
        error = rmse(seen, aside.measurements)
        test = rmse(base + warm.matrix.entries(i, j), truth)
        _keep(best, "soft-impute", (error, fraction, test, warm.rank, took))
    for name, (error, fraction, test, rank, _) in best.items():
        print(
            f"{name}: tuned penalty {fraction:g} of the first rate, rank {rank}, "
            f"validation {error:.4f}, test {test:.4f}",
            flush=True,
        )


def _keep(best, name, row):
    print(name, *(f"{x:.4g}" for x in row), flush=True)
    if name not in best or row[0] < best[name][0]:
        best[name] = row


def ratings():
    """MovieLens 100K, official split u1, row and column effects subtracted."""
    problem = ratings_problem(split="u1", seed=0)
    penalized(problem, (0.5, 0.45, 0.4, 0.35, 0.0), 5.0)


if __name__ == "__main__":
    {"agreement": agreement, "speed": speed, "ratings": ratings}[sys.argv[1]]()
