"""Numbers that a run may record beside those that every run records, by name.

A function has no plain form; a name has. "alignment_on" is an observer, and so is
"alignment_on_10": what follows the underscore sets its parameters.
"""

import difflib
import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np

from lowrankflow import metrics, reference
from lowrankflow.dynamics import Snapshot
from lowrankflow.errors import LowRankFlowError, SpecError
from lowrankflow.problems import AbstractObjective, SensingProblem, to_dense
from lowrankflow.simulation.greedy_curve import greedy_curve
from lowrankflow.simulation.records import Observer

# What was last taken apart, by rank: alignments; under "slopes" u_r' grad f(W) v_r.
_Last: TypeAlias = dict[int | str, tuple[Snapshot, Any]]


def observer_names() -> tuple[str, ...]:
    """The names there are, sorted, with their parameters: "entry_ROW_COL"."""
    return tuple(sorted(_with_parameters(name) for name in _KINDS))


def named_observers(names: Iterable[str]) -> dict[str, Observer]:
    """Observers by name, as `simulate(observe=...)` takes them.

    - alignment_on_RANK, alignment_on_std_RANK, alignment_off_RANK,
      alignment_off_std_RANK, alignment_ratio_RANK: of the gradient in the leading
      singular vectors of the matrix (`metrics.gradient_alignment`); all of them when
      no rank is given.
    - distance: ||W - target||_F.
    - entry_ROW_COL: W[row, col], 0-based.
    - gradient_along_INDEX: u' G v for the gradient G and the singular vectors u, v of
      the singular value with that 0-based index; the slope of the objective along it.
    - greedy_distance: of W from the whole path of greedy low-rank learning on the same
      problem with U U', which is computed once (`simulation.greedy_curve`).
    - greedy_point_distance_STAGE: from the critical point at the end of that stage, 1
      for the first.
    - lie_dimension: of the Lie algebra of the measurements
      (`reference.lie_algebra_dimension`).
    - manifold_distance_SCALE: from the matrices that a commuting flow from SCALE times
      the identity can reach (`metrics.manifold_distance`).
    - numerical_rank_RTOL: how many singular values exceed RTOL times the largest; 1e-3
      unless given.
    - smallest_singular_value: the last of them.

    Args:
        names: distinct; in the order in which they are to be recorded.

    Raises:
        SpecError: when a name is unknown, given twice or its parameters make no sense.
    """
    chosen: dict[str, Observer] = {}
    last: _Last = {}
    for name in names:
        if name in chosen:
            raise SpecError(
                where="observe",
                rule="each number is recorded once",
                got=f"{name!r} twice",
                fix="Remove one",
            )
        chosen[name] = _observer(name, last)
    return chosen


def _observer(name: str, last: _Last) -> Observer:
    for kind in sorted(_KINDS, key=len, reverse=True):
        if not isinstance(name, str) or not (f"{name}_").startswith(f"{kind}_"):
            continue
        words = name[len(kind) + 1 :].split("_") if name != kind else []
        try:
            return _KINDS[kind](last, *words)
        except LowRankFlowError:
            raise
        except (TypeError, ValueError):
            break
    known = observer_names()
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.4)
    raise SpecError(
        where="observe",
        rule=f"the observers are {', '.join(known)}",
        got=f"{name!r}"[:200],
        fix=f"Did you mean {close[0]!r}?"
        if close
        else f"Give for example {known[0]!r}",
    )


def _dense(snapshot: Snapshot) -> np.ndarray:
    """The matrix itself; forms rows x cols numbers."""
    return np.asarray(to_dense(snapshot.matrix))


def _alignment(field: str) -> Callable[..., Observer]:
    def make(last: _Last, rank: str | None = None) -> Observer:
        leading = None if rank is None else _natural(rank, 1)

        def observer(problem: AbstractObjective, snapshot: Snapshot) -> float:
            count = min(problem.shape) if leading is None else leading
            seen = last.get(count)
            # One decomposition serves all numbers taken from it.
            if seen is None or seen[0] is not snapshot:
                gradient = problem.gradient(snapshot.matrix)
                aligned = metrics.gradient_alignment(
                    _dense(snapshot), gradient, rank=count
                )
                seen = last[count] = (snapshot, aligned)
            return float(getattr(seen[1], field))

        return observer

    return make


def _distance(last: _Last) -> Observer:
    def observer(problem: AbstractObjective, snapshot: Snapshot) -> float:
        if not isinstance(problem, SensingProblem) or problem.target is None:
            raise SpecError(
                where="observe('distance')",
                rule="it is the distance to the target of the problem",
                got="a problem without a target",
                fix="Leave it out",
            )
        return float(np.linalg.norm(_dense(snapshot) - np.asarray(problem.target)))

    return observer


def _entry(last: _Last, row: str, col: str) -> Observer:
    at = (_natural(row, 0), _natural(col, 0))

    def observer(problem: AbstractObjective, snapshot: Snapshot) -> float:
        if at[0] >= problem.shape[0] or at[1] >= problem.shape[1]:
            raise SpecError(
                where=f"observe('entry_{at[0]}_{at[1]}')",
                rule=f"the matrix has shape {problem.shape}, and indices start at 0",
                got=f"entry {at}",
                fix="Give for example 'entry_0_0'",
            )
        return float(_dense(snapshot)[at])

    return observer


def _gradient_along(last: _Last, index: str) -> Observer:
    at = _natural(index, 0)

    def observer(problem: AbstractObjective, snapshot: Snapshot) -> float:
        if at >= min(problem.shape):
            raise SpecError(
                where=f"observe('gradient_along_{at}')",
                rule=f"the matrix has {min(problem.shape)} singular values, and "
                "indices start at 0",
                got=f"index {at}",
                fix="Give for example 'gradient_along_0'",
            )
        seen = last.get("slopes")
        if seen is None or seen[0] is not snapshot:
            left, _, right = np.linalg.svd(_dense(snapshot), full_matrices=False)
            gradient = np.asarray(to_dense(problem.gradient(snapshot.matrix)))
            seen = snapshot, np.sum((left.T @ gradient) * right, axis=1)
            last["slopes"] = seen
        return float(seen[1][at])

    return observer


def _greedy_distance(last: _Last) -> Observer:
    def observer(problem: AbstractObjective, snapshot: Snapshot) -> float:
        path = greedy_curve(problem)
        return path.curve.distance(_dense(snapshot).ravel())

    return observer


def _greedy_point_distance(last: _Last, stage: str) -> Observer:
    number = _natural(stage, 1)

    def observer(problem: AbstractObjective, snapshot: Snapshot) -> float:
        points = greedy_curve(problem).points
        if number > len(points):
            raise SpecError(
                where=f"observe('greedy_point_distance_{number}')",
                rule=f"greedy learning has {len(points)} stages on this problem",
                got=f"stage {number}",
                fix="Ask for one of them",
            )
        return float(np.linalg.norm(_dense(snapshot) - points[number - 1]))

    return observer


def _lie_dimension(last: _Last) -> Observer:
    def observer(problem: AbstractObjective, snapshot: Snapshot) -> float:
        operator = _measured("lie_dimension", problem).operator
        units = np.eye(operator.num_measurements)
        matrices = [np.asarray(to_dense(operator.adjoint(unit))) for unit in units]
        # 1e-8: far above rounding, far below what random matrices leave over.
        return float(reference.lie_algebra_dimension(matrices, rtol=1e-8))

    return observer


def _manifold_distance(last: _Last, scale: str) -> Observer:
    init_scale = float(scale)

    def observer(problem: AbstractObjective, snapshot: Snapshot) -> float:
        operator = _measured("manifold_distance", problem).operator
        if len(snapshot.factors) != 1 or not np.allclose(
            snapshot.factors[0] @ snapshot.factors[0].T, _dense(snapshot)
        ):
            raise SpecError(
                where="observe('manifold_distance')",
                rule="it is measured on the factor U of U U'",
                got=f"{len(snapshot.factors)} factors of another product",
                fix="Use SymmetricFactorization()",
            )
        (factor,) = snapshot.factors
        return metrics.manifold_distance(operator, factor, init_scale=init_scale)

    return observer


def _measured(name: str, problem: AbstractObjective) -> SensingProblem:
    if not isinstance(problem, SensingProblem):
        raise SpecError(
            where=f"observe({name!r})",
            rule="it is a property of linear measurements",
            got=f"{type(problem).__name__}",
            fix="Leave it out",
        )
    return problem


def _numerical_rank(last: _Last, rtol: str = "1e-3") -> Observer:
    share = float(rtol)
    metrics.numerical_rank(np.ones(1), rtol=share)

    def observer(problem: AbstractObjective, snapshot: Snapshot) -> float:
        values = metrics.singular_values(snapshot.matrix)
        return float(metrics.numerical_rank(values, rtol=share))

    return observer


def _smallest(last: _Last) -> Observer:
    def observer(problem: AbstractObjective, snapshot: Snapshot) -> float:
        return float(metrics.singular_values(snapshot.matrix)[-1])

    return observer


_KINDS: dict[str, Callable[..., Observer]] = {
    "alignment_on": _alignment("diagonal_mean"),
    "alignment_on_std": _alignment("diagonal_std"),
    "alignment_off": _alignment("off_diagonal_mean"),
    "alignment_off_std": _alignment("off_diagonal_std"),
    "alignment_ratio": _alignment("ratio"),
    "distance": _distance,
    "entry": _entry,
    "gradient_along": _gradient_along,
    "greedy_distance": _greedy_distance,
    "greedy_point_distance": _greedy_point_distance,
    "lie_dimension": _lie_dimension,
    "manifold_distance": _manifold_distance,
    "numerical_rank": _numerical_rank,
    "smallest_singular_value": _smallest,
}


def _with_parameters(name: str) -> str:
    parameters = list(inspect.signature(_KINDS[name]).parameters)[1:]
    return "_".join([name, *(parameter.upper() for parameter in parameters)])


def _natural(word: str, least: int) -> int:
    """A number written with ASCII digits only.

    Raises:
        ValueError: when it is not, or below the least.
    """
    if not (word.isascii() and word.isdigit() and len(word) < 10):
        raise ValueError(word)
    number = int(word)
    if number < least:
        raise ValueError(word)
    return number
