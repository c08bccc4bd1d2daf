"""What this library has: effects, soft-impute, and `MatrixCompleter` by every method.

python ours.py METHOD DRAW.npz ...
"""

from functools import partial

import numpy as np
from one_method import Seen, main, tuned

import lowrankflow as lrf
from lowrankflow.problems import Effects
from lowrankflow.reference import soft_impute

SHARES = (0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.03, 0.01, 0.003, 0.001)
FEWER_SHARES = (0.03, 0.01, 0.003, 0.001, 0.0003)
MANY = 80_500  # entries above which the grid is the short one, on the mean alone
EFFECTS = (0.0, 5.0)  # penalties; 0 for the mean alone
GAP = 1e-3  # of the penalized problem, relative to its value


def effects(seen: Seen):
    """Row and column effects, their penalty tuned."""

    def fit(shape, entries, setting):
        problem = lrf.SensingProblem.from_entries(*entries, shape)
        _, found = lrf.remove_effects(problem, penalty=setting["penalty"])
        return found.at

    return tuned(seen, [{"penalty": p} for p in (0.3, 1.0, 5.0, 20.0)], fit)


def soft(seen: Seen):
    """Soft-impute, with effects or the mean subtracted, down a grid of penalties."""
    found = []
    # Ratings have the whole grid: their best penalty is high, and their effects large.
    many = seen.values.size > MANY and not np.isfinite(seen.bounds).all()
    shares = FEWER_SHARES if many else SHARES
    for of_effects in EFFECTS[:1] if many else EFFECTS:
        problem, at_start = _centred(seen, seen.entries(~seen.aside), of_effects)
        top, warm, worse = _largest(problem), None, 0
        for share in shares:
            penalty = share * top
            warm = _solved(problem, penalty, 60 if many else 100, warm)
            error = seen.error_aside(_sum_of(at_start, warm.matrix))
            found.append((error, of_effects, share, penalty))
            same = [one[0] for one in found if one[1] == of_effects]
            worse = 0 if error <= min(same) else worse + 1
            if worse == 2:
                break
    error, of_effects, share, penalty = min(found)
    problem, at_start = _centred(seen, seen.entries(), of_effects)
    # A small penalty from zero takes thousands of steps: down the grid here as well.
    warm = None
    for larger in shares[: shares.index(share)] if many else ():
        warm = _solved(problem, penalty * larger / share, 60, warm)
    solved = _solved(problem, penalty, 200 if many else 500, warm)
    chosen = {
        "effects": of_effects,
        "share": share,
        "rank": solved.rank,
        "gap": solved.relative_gap,
        "aside": error,
        "tried": len(found),
    }
    at = _sum_of(at_start, solved.matrix)
    return at(seen.test_rows, seen.test_cols), chosen


def _solved(problem, penalty, steps, warm):
    return soft_impute(
        problem, penalty=penalty, gap_tolerance=GAP, max_iterations=steps, start=warm
    )


def _centred(seen, entries, of_effects):
    """The problem of what effects leave, and the effects."""
    problem = lrf.SensingProblem.from_entries(*entries, seen.shape)
    if of_effects:
        return lrf.remove_effects(problem, penalty=of_effects)
    mean = float(entries[2].mean())
    rows, cols, values = entries
    left = lrf.SensingProblem.from_entries(rows, cols, values - mean, seen.shape)
    flat = Effects(
        mean=mean, rows=np.zeros(seen.shape[0]), cols=np.zeros(seen.shape[1])
    )
    return left, flat


def _sum_of(at_start, matrix):
    def at(rows, cols):
        return at_start.at(rows, cols) + np.asarray(matrix.entries(rows, cols))

    return at


def _largest(problem) -> float:
    path = lrf.greedy_low_rank_path(problem, max_rank=1, rtol=1e-2)
    return float(path.rates[0])


def completer(seen: Seen, method="auto", scheme="random"):
    """`MatrixCompleter` as it is; it keeps a tenth aside that it draws itself."""
    from lowrankflow.completion import MatrixCompleter

    bounds = seen.bounds if np.isfinite(seen.bounds).all() else None
    model = MatrixCompleter(
        method, clip=bounds, validation_scheme=scheme, random_state=0
    )
    model.fit(seen.entries(), shape=seen.shape)
    compared = [
        {
            "method": one.method,
            "setting": {name: str(value) for name, value in one.setting.items()},
            "rank": one.rank,
            "aside": one.held_out_error,
            "difference": one.difference,
            "its error": one.difference_error,
            "seconds": one.seconds,
        }
        for one in model.comparison_
    ]
    chosen = {
        "method": model.method_,
        "setting": {name: str(value) for name, value in model.setting_.items()},
        "rank": model.rank_,
        "aside": model.validation_.held_out_error,
        "coverage": model.coverage_,
        "skipped": list(model.validation_.skipped),
        "compared": compared,
    }
    return np.asarray(model.predict(seen.test_rows, seen.test_cols)), chosen


SINGLE = ("greedy path", "flow", "soft-impute", "als")
METHODS = {
    "effects": effects,
    "soft-impute": soft,
    "auto": completer,
    "auto, blocks": partial(completer, scheme="block"),
    **{f"only {name}": partial(completer, method=name) for name in SINGLE},
}

if __name__ == "__main__":
    main(METHODS)
