"""The path of greedy low-rank learning as a curve, for runs to be compared with."""

import dataclasses

import numpy as np
from jaxtyping import Float

from lowrankflow.dynamics import GreedyLowRank, Snapshot, Stop
from lowrankflow.factorizations import SymmetricFactorization
from lowrankflow.metrics import Polyline
from lowrankflow.problems import AbstractObjective, to_dense
from lowrankflow.simulation.fingerprint import fingerprint
from lowrankflow.simulation.schedule import EveryIterations
from lowrankflow.simulation.simulate import simulate

GREEDY_PATH = GreedyLowRank(
    rtol=1e-7,
    atol=1e-7,
    seed_scale=1e-12,
    stage_tolerance=1e-9,
    optimality_tolerance=1e-7,
)
GREEDY_PATH_STOP = Stop(loss=1e-14, iterations=50_000)
# Of the cubic pieces between two steps: the polyline lies far nearer to the curve than
# the steps' own tolerance.
_PIECES = 4
_KEPT: dict[str, "GreedyCurve"] = {}


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class GreedyCurve:
    """Where greedy low-rank learning goes.

    Args:
        curve: through points of the path, zero first, one flattened matrix each.
        points: the matrix at the end of each stage.
    """

    curve: Polyline
    points: tuple[Float[np.ndarray, "rows cols"], ...]


def greedy_curve(problem: AbstractObjective) -> GreedyCurve:
    """The path on a p.s.d. problem, computed at the first call for it.

    Raises:
        SpecError: when the problem is not square, or has no numbers of its own.

    Exactness: that of `GreedyLowRank` with the constants above; between its steps
        cubic pieces with the flow's own velocity at both ends.
    Cost: a run of greedy learning, once per problem and process.
    Source: li2021, algorithm 1.
    """
    name = fingerprint(problem)
    if name not in _KEPT:
        _KEPT.clear()  # runs come problem by problem
        _KEPT[name] = _computed(problem)
    return _KEPT[name]


def _computed(problem: AbstractObjective) -> GreedyCurve:
    seen: list[tuple[float, np.ndarray]] = []

    def look(_: AbstractObjective, snapshot: Snapshot) -> float:
        seen.append((snapshot.time, np.array(to_dense(snapshot.matrix))))
        return float(len(seen))

    run = simulate(
        problem,
        SymmetricFactorization(),
        GREEDY_PATH,
        stop=GREEDY_PATH_STOP,
        schedule=EveryIterations(1),
        observe={"seen": look},
    )
    at_rest = np.asarray(run.dataset["at_critical_point"].values)
    stage = np.asarray(run.dataset["stage"].values)
    ends = [n for n in range(len(seen)) if at_rest[n] and stage[n] > 0]
    # The last stage may end at the loss asked for, before it comes to rest.
    if not ends or ends[-1] != len(seen) - 1:
        ends.append(len(seen) - 1)
    pieces = [
        _cubic(problem, before, after)
        for before, after in zip(seen, seen[1:], strict=False)
    ]
    return GreedyCurve(
        curve=Polyline(np.concatenate([seen[0][1].reshape(1, -1), *pieces])),
        points=tuple(seen[n][1] for n in ends),
    )


def _cubic(
    problem: AbstractObjective,
    before: tuple[float, np.ndarray],
    after: tuple[float, np.ndarray],
) -> Float[np.ndarray, "pieces numbers"]:
    """Points of the cubic with the velocity at both steps, the second included."""
    (start, first), (end, second) = before, after
    step = end - start
    slope_1 = step * _velocity(problem, first)
    slope_2 = step * _velocity(problem, second)
    at = np.arange(1, _PIECES + 1)[:, None] / _PIECES
    return (
        (1 + 2 * at) * (1 - at) ** 2 * first.ravel()
        + at * (1 - at) ** 2 * slope_1.ravel()
        + at**2 * (3 - 2 * at) * second.ravel()
        + at**2 * (at - 1) * slope_2.ravel()
    )


def _velocity(problem: AbstractObjective, matrix: np.ndarray) -> np.ndarray:
    gradient = np.asarray(to_dense(problem.gradient(matrix)))
    gradient = (gradient + gradient.T) / 2
    return -(gradient @ matrix + matrix @ gradient)
