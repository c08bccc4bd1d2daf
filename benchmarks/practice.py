"""The greedy path beside soft-impute on real data, both tuned on the same entries.

Each method goes down one grid of penalties, given in units of the first rate (the
largest singular value of the observed matrix), from the solution of the last where it
can. A tenth of the observed entries chooses penalty and rank; the test entries are seen
once, after that. A method's whole grid on one draw is a step: finished steps are kept
in a file of lines, and a run that was stopped goes on after the last.
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import lowrankflow as lrf
from lowrankflow.metrics import held_out_rmse, unobserved_error
from lowrankflow.problems import (
    HeldOut,
    SensingProblem,
    indian_pines_problem,
    ratings_problem,
)
from lowrankflow.reference import debiased, soft_impute

GREEDY, PLAIN, SOFT = "greedy path", "greedy path, no penalty", "soft-impute"
METHODS = (GREEDY, PLAIN, SOFT)
UNBIASED = ", unshrunk"
HELD_OUT = 0.1
DRAWS = range(3)
FRACTIONS = (0.05, 0.1, 0.2)
PINES_PENALTIES = (0.1, 0.03, 0.01, 0.003, 0.001, 0.0003)
RATINGS_PENALTIES = (0.6, 0.5, 0.45, 0.4, 0.35, 0.3)
EFFECTS_PENALTY = 5.0
# Of the greedy path: relative gradient of a phase, largest rank, and how many ranks
# after the least held-out error it goes on. It ends where no rate exceeds the penalty
# by this share of the first: well below the penalties, or it ends too early.
RTOL, MAX_RANK, PATIENCE = 1e-3, 80, 3
OPTIMAL = 1e-5
MAX_ITERATIONS = 1000
SECONDS = "seconds"


@dataclass(frozen=True)
class Data:
    """One draw of one data set.

    Args:
        name: of the data, with what is observed.
        draw: seed of the sample and of what is held out.
        problem: what a method sees, held-out entries with it.
        penalties: the grid, falling.
        gap: relative duality gap that soft-impute is brought to.
        test: the test errors of a matrix, by name.
        baseline: the same of a guess without any rank, by name.
    """

    name: str
    draw: int
    problem: SensingProblem
    penalties: tuple[float, ...]
    gap: float
    test: object
    baseline: dict[str, float]


def pines_data(fraction: float, draw: int) -> Data:
    """Indian Pines, raw values; the test is all that was not observed."""
    problem = indian_pines_problem(
        fraction_observed=fraction, seed=draw, held_out=HELD_OUT
    )

    def test(matrix) -> dict[str, float]:
        return {
            "error": unobserved_error(problem, matrix),
            "error of deviation": unobserved_error(
                problem, matrix, relative_to="deviation"
            ),
        }

    cols = np.asarray(problem.operator.col_index)
    count = np.maximum(np.bincount(cols, minlength=problem.shape[1]), 1)
    sums = np.bincount(cols, problem.measurements, minlength=problem.shape[1])
    of_bands = np.broadcast_to(sums / count, problem.shape)
    return Data(
        name=f"Indian Pines, {fraction:.0%}",
        draw=draw,
        problem=problem,
        penalties=PINES_PENALTIES,
        gap=1e-3,
        test=test,
        baseline=test(of_bands),
    )


def ratings_data(draw: int) -> Data:
    """MovieLens 100K, official split u1, row and column effects subtracted.

    The draw is of the held-out entries; the test set is the official one.
    """
    whole = ratings_problem(split="u1", seed=0)
    kept = lrf.hold_out(whole, fraction=HELD_OUT, seed=draw)
    problem, effects = lrf.remove_effects(kept, penalty=EFFECTS_PENALTY)
    where, truth = whole.held_out.operator, np.asarray(whole.held_out.measurements)
    left_over = truth - effects.at(where.row_index, where.col_index)
    judge = lrf.SensingProblem(
        problem.operator, problem.measurements, held_out=HeldOut(where, left_over)
    )

    def test(matrix) -> dict[str, float]:
        return {"error": held_out_rmse(judge, matrix)}

    return Data(
        name="MovieLens 100K, u1",
        draw=draw,
        problem=problem,
        penalties=RATINGS_PENALTIES,
        gap=1e-4,
        test=test,
        baseline=test(np.zeros(problem.shape)),
    )


def step(data: Data, method: str) -> dict[str, object]:
    """A method's whole grid on one draw, and the errors of what was chosen."""
    problem = data.problem
    top = largest(problem)
    tried, best, warm = [], {}, None
    for share in (0.0,) if method == PLAIN else data.penalties:
        begun = time.perf_counter()
        if method == SOFT:
            warm = soft_impute(
                problem,
                penalty=share * top,
                gap_tolerance=data.gap,
                max_iterations=MAX_ITERATIONS,
                start=warm,
            )
            matrix, rank = warm.matrix, warm.rank
            said = {"gap": warm.relative_gap, "iterations": warm.iterations}
        else:
            path = lrf.greedy_low_rank_path(
                problem,
                max_rank=MAX_RANK,
                rtol=RTOL,
                penalty=share * top,
                optimality_tolerance=OPTIMAL,
                patience=PATIENCE,
            )
            matrix, rank = path.matrix(path.best), path.best
            said = {"ranks": len(path.ranks) - 1, "ended": path.result.name}
        seconds = time.perf_counter() - begun
        refit = debiased(problem, matrix)
        both = {"": matrix, UNBIASED: refit}
        errors = {ending: held_out_rmse(problem, one) for ending, one in both.items()}
        tried.append(
            {
                "penalty": share,
                "rank": rank,
                SECONDS: seconds,
                "held out": errors[""],
                **said,
            }
        )
        print(f"  {method} {tried[-1]}", flush=True)
        for ending, error in errors.items():
            if ending not in best or error < best[ending]["held out"]:
                best[ending] = {
                    "held out": error,
                    "penalty": share,
                    "rank": rank,
                    "matrix": both[ending],
                }
    chosen = {
        ending: {
            **{name: value for name, value in one.items() if name != "matrix"},
            **data.test(one["matrix"]),
        }
        for ending, one in best.items()
    }
    return {
        "data": data.name,
        "draw": data.draw,
        "method": method,
        SECONDS: sum(one[SECONDS] for one in tried),
        "chosen": chosen,
        "baseline": data.baseline,
        "tried": tried,
    }


def largest(problem: SensingProblem) -> float:
    """The first rate: the largest singular value of the observed matrix."""
    path = lrf.greedy_low_rank_path(problem, max_rank=1, rtol=1e-2)
    return float(path.rates[0])


def run(which: str, file: Path, limit: float) -> bool:
    """Take the steps that are not in the file, and say whether all are.

    Args:
        which: "pines" or "ratings".
        file: of finished steps, one line of JSON each.
        limit: seconds after which no further step is begun.
    """
    begun, whole = time.perf_counter(), True
    done = {(row["data"], row["draw"], row["method"]) for row in rows_of(file)}
    for make in makers(which):
        data = None
        for method in METHODS:
            name, draw, build = make
            if (name, draw, method) in done:
                continue
            if time.perf_counter() - begun > limit:
                whole = False
                continue
            data = build() if data is None else data
            print(f"{name}, draw {draw}, {method}", flush=True)
            row = step(data, method)
            with file.open("a") as lines:
                lines.write(json.dumps(row) + "\n")
    return whole


def makers(which: str):
    """(name, draw, how to build it) of each draw."""
    if which == "ratings":
        return [
            ("MovieLens 100K, u1", draw, lambda draw=draw: ratings_data(draw))
            for draw in DRAWS
        ]
    return [
        (
            f"Indian Pines, {fraction:.0%}",
            draw,
            lambda fraction=fraction, draw=draw: pines_data(fraction, draw),
        )
        for fraction in FRACTIONS
        for draw in DRAWS
    ]


def rows_of(file: Path) -> list[dict]:
    """The finished steps."""
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text().splitlines()]


def table(which: str, file: Path) -> str:
    """The finished steps as a table: means over draws, and from least to largest."""
    known = {name for name, _, _ in makers(which)}
    rows = [row for row in rows_of(file) if row["data"] in known]
    lines = [
        "| data | method | penalty | rank | held out | test error | of deviation | "
        "seconds, whole grid |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(row["data"] for row in rows):
        own = [row for row in rows if row["data"] == name]
        guess = [row["baseline"] for row in own if row["method"] == GREEDY]
        said = spread([one["error"] for one in guess])
        of_mean = spread([one.get("error of deviation") for one in guess])
        lines.append(f"| {name} | baseline | | | | {said} | {of_mean} | |")
        for method in METHODS:
            for ending in ("", UNBIASED):
                found = [row for row in own if row["method"] == method]
                if not found or (method == PLAIN and ending):
                    continue
                chosen = [row["chosen"][ending] for row in found]
                cells = [
                    name,
                    method + ending,
                    spread([one["penalty"] for one in chosen]),
                    spread([one["rank"] for one in chosen]),
                    spread([one["held out"] for one in chosen]),
                    spread([one["error"] for one in chosen]),
                    spread([one.get("error of deviation") for one in chosen]),
                    spread([row[SECONDS] for row in found], 2),
                ]
                lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def spread(values: list, digits: int = 4) -> str:
    """Mean [least, largest], one number where all are equal, "" where there is none."""
    if not values or values[0] is None:
        return ""
    low, high = min(values), max(values)
    if low == high:
        return f"{low:.{digits}g}"
    mean = float(np.mean(values))
    return f"{mean:.{digits}g} [{low:.{digits}g}, {high:.{digits}g}]"
