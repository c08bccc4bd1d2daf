"""What is kept of a run at one time: numbers by name."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from lowrankflow import metrics
from lowrankflow.dynamics import Snapshot
from lowrankflow.errors import SpecError
from lowrankflow.problems import AbstractObjective, SensingProblem

Record: TypeAlias = dict[str, float | int | np.ndarray]
Observer: TypeAlias = Callable[[AbstractObjective, Snapshot], float]


def record(
    problem: AbstractObjective,
    snapshot: Snapshot,
    observe: Mapping[str, Observer],
) -> Record:
    """All that is recorded of one snapshot.

    Args:
        problem: what is being solved.
        snapshot: where the run is.
        observe: further numbers by name, each a function of problem and snapshot.

    Returns:
        time, iteration, loss, gradient_norm, singular_values, nuclear_norm,
        effective_rank, stable_rank; imbalance where there are factors; relative_error
        and mean_squared_error where there is a target, held_out_rmse where there are
        held-out measurements; the dynamics' own numbers and the observers'.

    Cost: the singular values of the matrix.
    """
    values = metrics.singular_values(snapshot.matrix)
    kept: Record = {
        "time": snapshot.time,
        "iteration": snapshot.iteration,
        "loss": snapshot.loss,
        "gradient_norm": snapshot.gradient_norm,
        "singular_values": values,
        "nuclear_norm": metrics.nuclear_norm(values),
        "effective_rank": metrics.effective_rank(values),
        "stable_rank": metrics.stable_rank(values),
    }
    if len(snapshot.factors) > 1:
        kept["imbalance"] = metrics.imbalance(snapshot.factors)
    if isinstance(problem, SensingProblem) and problem.target is not None:
        kept["relative_error"] = metrics.relative_error(problem, snapshot.matrix)
        kept["mean_squared_error"] = metrics.mean_squared_error(
            problem, snapshot.matrix
        )
    if isinstance(problem, SensingProblem) and problem.held_out is not None:
        kept["held_out_rmse"] = metrics.held_out_rmse(problem, snapshot.matrix)
    kept.update(snapshot.extra)
    for name, observer in observe.items():
        kept[name] = _observed(name, observer, problem, snapshot)
    return kept


def check_observers(observe: Mapping[str, Observer], taken: set[str]) -> None:
    """Nothing, when no observer's name is that of a number recorded anyway.

    Raises:
        SpecError: when one is.
    """
    for name in observe:
        if name in taken:
            raise SpecError(
                where="simulate(observe)",
                rule="an observer has a name of its own",
                got=f"{name!r}, which every run records",
                fix=f"Call it for example 'my_{name}'",
            )


def _observed(
    name: str, observer: Observer, problem: AbstractObjective, snapshot: Snapshot
) -> float:
    number = observer(problem, snapshot)
    if np.ndim(number) != 0:
        raise SpecError(
            where=f"simulate(observe={{{name!r}: ...}})",
            rule="an observer returns one number",
            got=f"an array of shape {np.shape(number)}",
            fix="Return for example its norm, or several observers",
        )
    return float(number)
