"""The exhaustive 3 x 3 grid against SciPy's LSODA, called once per instance.

    python benchmarks/grid.py [--instances N]

Both go from the same random starts. LSODA stops at a relative residual of 1e-6, which
is tested by an event; the batch stops at 1e-8. One thread. Prints a table; nothing here
asserts a time.
"""

import argparse
import time

import numpy as np
import scipy.integrate
from machine import machine_line

from lowrankflow.dynamics import (
    SmallCompletions,
    random_small_starts,
    small_flows,
    small_greedy,
)
from lowrankflow.problems import ExhaustiveGrid
from lowrankflow.reference import least_traces

GRID = ExhaustiveGrid()
TOLERANCES = {"rtol": 1e-6, "atol": 1e-6, "residual_tolerance": 1e-8}


def lsoda(pairs: np.ndarray, values: np.ndarray, start: np.ndarray) -> np.ndarray:
    rows, cols = pairs.T
    goal = 1e-6 * np.linalg.norm(values)

    def velocity(_, flat):
        u = flat.reshape(3, 3)
        force = 0.5 * (values - np.einsum("kc,kc->k", u[rows], u[cols]))
        pull = np.zeros((3, 3))
        # A half to each side, both to one place on the diagonal.
        np.add.at(pull, (rows, cols), force)
        np.add.at(pull, (cols, rows), force)
        return (pull @ u).ravel()

    def fits(_, flat):
        u = flat.reshape(3, 3)
        return np.linalg.norm(np.einsum("kc,kc->k", u[rows], u[cols]) - values) - goal

    fits.terminal = True
    done = scipy.integrate.solve_ivp(
        velocity,
        (0.0, 1e9),
        start.ravel(),
        method="LSODA",
        rtol=1e-6,
        atol=1e-9 * np.abs(start).max(),
        events=fits,
    )
    u = done.y[:, -1].reshape(3, 3)
    return u @ u.T


def all_masks():
    for mask in range(15):
        values = GRID.fillings[GRID.feasible(mask)]
        yield SmallCompletions(pairs=GRID.masks[mask], values=values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=60)
    count = parser.parse_args().instances
    print(machine_line("scipy", "numpy", "numba"))
    first = next(all_masks())
    small_flows(
        first, random_small_starts(len(first), frobenius_norm=1.0, seed=0), **TOLERANCES
    )
    rng = np.random.default_rng(0)
    print(
        "\n| start | grid (s) | ms each | LSODA, ms each | ratio | largest difference |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for size in (1.0, 1e-3, 1e-5, 1e-16, 1e-32):
        begun, total, sample = time.perf_counter(), 0, []
        for problems in all_masks():
            starts = random_small_starts(len(problems), frobenius_norm=size, seed=0)
            ends = small_flows(problems, starts, **TOLERANCES)
            total += len(problems)
            for n in rng.integers(0, len(problems), max(1, count // 15)):
                values = problems.values[n]
                sample.append((problems.pairs, values, starts[n], ends.matrix[n]))
        took = time.perf_counter() - begun
        row = f"| {size:g} | {took:.1f} | {1e3 * took / total:.2f} |"
        if size < 1e-6:
            print(f"{row} | | |")
            continue
        begun, worst = time.perf_counter(), []
        for pairs, values, start, matrix in sample:
            theirs = lsoda(pairs, values, start)
            worst.append(np.linalg.norm(theirs - matrix) / np.linalg.norm(matrix))
        each = (time.perf_counter() - begun) / len(sample)
        ratio = each / (took / total)
        print(f"{row} {1e3 * each:.1f} | {ratio:.0f} | {max(worst):.0e} |")
    begun = time.perf_counter()
    for problems in all_masks():
        small_greedy(
            problems,
            seed_scale=1e-14,
            stage_tolerance=1e-8,
            optimality_tolerance=1e-5,
            **TOLERANCES,
        )
    print(f"\nGreedy learning of the whole grid: {time.perf_counter() - begun:.1f} s")
    begun = time.perf_counter()
    for problems in all_masks():
        least_traces(problems.pairs, problems.values)
    print(f"All least traces: {1e3 * (time.perf_counter() - begun):.0f} ms")


if __name__ == "__main__":
    main()
