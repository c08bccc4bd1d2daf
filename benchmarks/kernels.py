"""Passes over the entries beside the limits of the machine, and how their cost grows.

    python benchmarks/kernels.py              # limits, rates, 1e5 to 1e7 entries, ranks
    python benchmarks/kernels.py --largest 8  # up to 1e8: 6 GB

Limits are measured in the same run, one thread like the passes: arithmetic by a dense
product, memory by a copy, gathered rows by a pass that adds up the rows of a factor in
the order of the entries and does nothing else. A pass can take no less than the longest
of its arithmetic, its memory traffic and its gathers.
"""

import argparse
import time

import numba
import numpy as np
import threadpoolctl
from machine import machine_line

from lowrankflow.problems import SampledProducts
from lowrankflow.problems.padding import padded, padded_rank
from lowrankflow.problems.sampled_vectors import (
    add_scaled,
    load,
    prefetch,
    store,
    zeros_like,
)

# A table of m entries has m / 143 rows, a seventh as many columns where these have
# room: no more than a fifth of the matrix is observed.
PER_ROW, ASPECT, SHARE = 143, 7, 0.2
AHEAD = 32
ROWS_AT_ONCE = 20_000
LIMITS_AT = (10**5, 10**6)
RANKS = (1, 2, 5, 10, 15, 20, 30, 40, 60, 100)


def shape_of(m):
    """Rows and columns of a table with m entries."""
    rows = m // PER_ROW
    return rows, max(rows // ASPECT, int(m / rows / SHARE))


def sampled(m, threads, seed=0):
    """The passes over m entries or a little fewer, drawn at random.

    Each row draws as many columns, and those that it draws twice are one.
    """
    rng = np.random.default_rng(seed)
    shape = shape_of(m)
    found = []
    for first in range(0, shape[0], ROWS_AT_ONCE):
        count = min(ROWS_AT_ONCE, shape[0] - first)
        drawn = rng.integers(shape[1], size=(count, m // shape[0]), dtype=np.int32)
        drawn.sort(axis=1)
        fresh = np.ones(drawn.shape, bool)
        fresh[:, 1:] = drawn[:, 1:] > drawn[:, :-1]
        rows = np.repeat(np.arange(first, first + count, dtype=np.int32), fresh.sum(1))
        found.append((rows, drawn[fresh]))
    rows, cols = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return SampledProducts.of(rows, cols, shape, threads=threads)


def best(call, least=5, seconds=0.4):
    """The shortest of at least five times, the first call not among them."""
    call()
    times = []
    while len(times) < least or sum(times) < seconds:
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return min(times)


def gather_pass(width):
    """Adds up the rows that the entries of each row ask for."""

    @numba.njit(nogil=True, fastmath={"reassoc", "contract", "nsz"})
    def gather(start, index, block, out):
        last, one = index.size - 1, block.dtype.type(1)
        for i in range(start.size - 1):
            total = zeros_like(load(out, i, width))
            for k in range(start[i], start[i + 1]):
                prefetch(block, index[min(k + AHEAD, last)], width)
                total = add_scaled(total, one, load(block, index[k], width))
            store(out, i, total)

    return gather


def arithmetic(dtype):
    """Operations a second of a dense product, one thread."""
    square = np.random.default_rng(0).standard_normal((1000, 1000)).astype(dtype)
    return 2e9 / best(lambda: square @ square)


def bandwidth():
    """Bytes a second of a copy, read and written."""
    ones = np.ones(2 * 10**7), np.empty(2 * 10**7)
    return 2 * ones[0].nbytes / best(lambda: np.copyto(ones[1], ones[0]))


def limits():
    """Each pass beside what binds it."""
    memory = bandwidth()
    print(f"\nA copy moves {memory / 1e9:.1f} GB/s.\n")
    print(
        "| entries | type | rank | pass | ns an entry | Gflop/s | arithmetic (ns) | "
        "memory (ns) | gathers (ns) | of the limit |\n" + "|---" * 10 + "|"
    )
    for m in LIMITS_AT:
        products = sampled(m, 1)
        for dtype in (np.float32, np.float64):
            peak = arithmetic(dtype)
            for rank in (10, 30):
                _rows_of(products, dtype, rank, peak, memory)


def _rows_of(products, dtype, rank, peak, memory):
    rng = np.random.default_rng(0)
    m, bytes_each = products.num_entries, np.dtype(dtype).itemsize
    left, right = (rng.standard_normal((n, rank)).astype(dtype) for n in products.shape)
    y = rng.standard_normal(m).astype(dtype)
    kept = np.empty_like(y)
    width = padded_rank(rank)
    wide, out = padded(right, width), np.zeros((products.shape[0], width), dtype)
    gather, half = gather_pass(width), products.by_row
    gathers = best(lambda: gather(half.start, half.index, wide, out)) / m
    # operations for each entry and unit of rank; numbers moved beside an index
    passes = {
        "entries": (lambda: products.entries(left, right), 2, 2),
        "product": (lambda: products.mm(y, right), 2, 1),
        "residual_mm": (lambda: products.residual_mm(y, left, right), 4, 1),
        "residual_mm, kept": (
            lambda: products.residual_mm(y, left, right, residual=kept),
            4,
            3,
        ),
    }
    for name, (call, operations, moved) in passes.items():
        took = best(call) / m
        # A number written is read first: it counts twice.
        floors = operations * rank / peak, (4 + moved * bytes_each) / memory, gathers
        cells = [f"{1e9 * t:.2f}" for t in floors]
        print(
            f"| {m:,} | {np.dtype(dtype)} | {rank} | {name} | {took * 1e9:.2f} | "
            f"{operations * rank / took / 1e9:.1f} | {' | '.join(cells)} | "
            f"{max(floors) / took:.0%} |",
            flush=True,
        )


def right_hand_side(products, rank, dtype=np.float32):
    """The seconds of a flow's right-hand side: the gradient in both factors."""
    rng = np.random.default_rng(0)
    left, right = (rng.standard_normal((n, rank)).astype(dtype) for n in products.shape)
    by_row = rng.standard_normal(products.num_entries).astype(dtype)
    by_col = by_row[products.to_col]

    def call():
        products.residual_mm(by_row, left, right, by="row")
        products.residual_mm(by_col, right, left, by="col")

    return best(call, seconds=1.0)


def slope(x, y):
    """Of log y against log x."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def growth(largest, threads):
    """The right-hand side against the number of entries."""
    counts = [10**k for k in range(5, largest + 1)]
    print(f"\nRight-hand side, float32, {threads} thread(s).\n")
    print("| entries | table | rank 10 | ns an entry | rank 30 | ns an entry |")
    print("|---" * 6 + "|")
    sizes, times = [], {10: [], 30: []}
    for m in counts:
        products = sampled(m, threads)
        sizes.append(products.num_entries)
        cells = []
        for rank, taken in times.items():
            taken.append(right_hand_side(products, rank))
            each = taken[-1] / sizes[-1]
            cells += [f"{taken[-1] * 1e3:.2f} ms", f"{each * 1e9:.2f}"]
        rows, cols = products.shape
        print(f"| {sizes[-1]:,} | {rows} x {cols} | {' | '.join(cells)} |", flush=True)
    fitted = ", ".join(f"{slope(sizes, t):.3f} at rank {r}" for r, t in times.items())
    print(f"\nSlope of the logarithms: {fitted}.")


def ranks(m, threads):
    """The right-hand side against the rank."""
    products = sampled(m, threads)
    print(f"\nRight-hand side of {products.num_entries:,} entries, float32.\n")
    print("| rank | ms | ns an entry | Gflop/s |\n|---|---|---|---|")
    taken = []
    for rank in RANKS:
        taken.append(right_hand_side(products, rank))
        each = taken[-1] / products.num_entries
        print(
            f"| {rank} | {taken[-1] * 1e3:.2f} | {each * 1e9:.2f} | "
            f"{8 * rank / each / 1e9:.1f} |",
            flush=True,
        )
    from_ten = [k for k, rank in enumerate(RANKS) if 10 <= rank <= 60]
    fitted = slope([RANKS[k] for k in from_ten], [taken[k] for k in from_ten])
    print(f"\nSlope of the logarithms from rank 10 to 60: {fitted:.3f}.")


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--largest", type=int, default=7, help="power of ten")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    print(machine_line("numpy", "numba"))
    with threadpoolctl.threadpool_limits(1):
        limits()
    growth(given.largest, given.threads)
    ranks(10**6, given.threads)


if __name__ == "__main__":
    main()
