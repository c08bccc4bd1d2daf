"""The certified minimum nuclear norm against CVXPY with SCS, both judged by `verify`.

    python benchmarks/nuclear_norm.py            half a minute
    python benchmarks/nuclear_norm.py --large    and 1,000 x 1,000 (not with SCS)

Prints a Markdown table. It judges nothing: times belong to the machine that made them.
"""

import argparse
import datetime
import os
import platform
import statistics
import time

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import numpy as np  # noqa: E402

from lowrankflow.problems import EntrySampling, SensingProblem  # noqa: E402
from lowrankflow.reference.certificate import verify  # noqa: E402
from lowrankflow.reference.nuclear_norm import min_nuclear_norm  # noqa: E402

GAP = 1e-8


def completion(rows, cols, rank, num_measurements, seed):
    """A Gaussian truth of Frobenius norm 100, its entries seen without replacement."""
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((rows, rank)) @ rng.standard_normal((rank, cols))
    truth *= 100 / np.linalg.norm(truth)
    chosen = rng.choice(rows * cols, num_measurements, replace=False)
    row, col = np.divmod(chosen, cols)
    return SensingProblem(EntrySampling(row, col, (rows, cols)), truth[row, col])


def timed(action):
    begin = time.perf_counter()
    answer = action()
    return time.perf_counter() - begin, answer


def ours(problem):
    return min_nuclear_norm(problem, gap_tolerance=GAP, max_iterations=4000)


def by_scs(problem):
    import cvxpy  # only where it is compared with

    matrix = cvxpy.Variable(problem.shape)
    operator = problem.operator
    seen = matrix[operator.row_index, operator.col_index] == problem.measurements
    program = cvxpy.Problem(cvxpy.Minimize(cvxpy.normNuc(matrix)), [seen])
    settings = {"eps_abs": GAP, "eps_rel": GAP, "max_iters": 100_000}
    program.solve(solver="SCS", **settings)
    # CVXPY's multiplier has the other sign.
    return matrix.value, -seen.dual_value


def floors(problem, iterations):
    """Seconds of one full SVD, and of as many as were spent."""
    matrix = np.random.default_rng(0).standard_normal(problem.shape)
    single = statistics.median(
        timed(lambda: np.linalg.svd(matrix))[0] for _ in range(5)
    )
    return single, iterations * single


def oracle(problem, rank):
    """One least squares fit of the row factor, given the column space and the rank."""
    operator, y = problem.operator, problem.measurements
    basis = np.random.default_rng(0).standard_normal((problem.shape[0], rank))
    for col in range(problem.shape[1]):
        seen = operator.col_index == col
        if np.any(seen):
            np.linalg.lstsq(basis[operator.row_index[seen]], y[seen])


def row(name, problem, *, repeats, with_scs):
    runs = [timed(lambda: ours(problem)) for _ in range(repeats)]
    seconds = statistics.median(t for t, _ in runs)
    reference = runs[0][1]
    single, floor = floors(problem, reference.iterations)
    rank = np.linalg.matrix_rank(reference.matrix, tol=1e-5 * 100)
    told = timed(lambda: oracle(problem, rank))[0]
    theirs = ("not run", "", "")
    if with_scs:
        scs_seconds, (matrix, dual) = timed(lambda: by_scs(problem))
        judged = verify(problem, matrix, dual, gap_tolerance=GAP)
        worst = max(judged.relative_gap, judged.primal_residual, judged.dual_norm - 1)
        theirs = (f"{scs_seconds:.2f}", f"{worst:.0e}", f"{scs_seconds / seconds:.1f}")
    gap = reference.certificate.relative_gap
    cells = [name, f"{seconds:.3f}", f"{gap:.0e}", str(reference.certificate.holds)]
    cells += [*theirs, str(reference.iterations), f"{1e3 * single:.1f}"]
    cells += [f"{floor:.3f}", f"{told:.4f}"]
    print("| " + " | ".join(cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="add 1,000 x 1,000")
    large = parser.parse_args().large
    print(f"{datetime.date.today()}, {platform.machine()}, {os.cpu_count()} cores, ")
    print(f"{os.environ['OPENBLAS_NUM_THREADS']} BLAS thread(s), ", end="")
    print(f"NumPy {np.__version__}. Certified gap asked for: {GAP:.0e}. Times in s.\n")
    print(
        "| instance | ours | gap | certified | SCS | its gap | ratio | "
        "decompositions | one SVD (ms) | all of them | one fit, rank known |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    ours(completion(20, 20, 2, 200, 0))  # what is loaded and cached at the first call
    for rows, cols, rank, count in [(100, 100, 5, 2000), (100, 100, 5, 4000)]:
        name = f"{rows} x {cols}, rank {rank}, {count} entries"
        row(name, completion(rows, cols, rank, count, 0), repeats=5, with_scs=True)
    row(
        "60 x 90, rank 3, 1500 entries (hard)",
        completion(60, 90, 3, 1500, 0),
        repeats=3,
        with_scs=False,
    )
    if large:
        problem = completion(1000, 1000, 5, 60_000, 0)
        row("1000 x 1000, rank 5, 60000 entries", problem, repeats=1, with_scs=False)


if __name__ == "__main__":
    main()
