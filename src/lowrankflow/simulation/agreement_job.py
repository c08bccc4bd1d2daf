"""Two dynamics from the same start, one measured against the whole path of the other.

Two flows that pass the same matrices at slightly other times agree in all that matters
here, so distances are taken to the other's path as a curve; those at equal times are
kept beside them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from jaxtyping import Float

from lowrankflow import metrics
from lowrankflow.dynamics import AbstractDynamics, Snapshot, Stop, Until
from lowrankflow.errors import SpecError
from lowrankflow.factorizations import AbstractFactorization, AbstractStart
from lowrankflow.metrics import Polyline
from lowrankflow.problems import SensingProblem, to_dense
from lowrankflow.result import Result
from lowrankflow.seeds import checked_seed
from lowrankflow.simulation.recipes import Recipe
from lowrankflow.simulation.simulate import check_parts, first_state

if TYPE_CHECKING:
    from scipy.interpolate import CubicSpline

# Raised when the same job gives other numbers.
_NUMERICS_VERSION = 1
# Steps on either side of one through which its spline goes, and points in each.
_REACH, _FINE = 3, 33


@dataclass(frozen=True, kw_only=True)
class AgreementJob:
    """A dynamics beside another one that it should follow.

    Args:
        problem: the recipe of a problem with a known truth, small enough for both.
        factorization: in which coordinates.
        dynamics: what is measured.
        reference: what it is measured against, step by step.
        start: where both start.
        stop: when both end.
        seed: of all that is random in them, >= 0.
        points: how many points of the path are compared, >= 2.

    Raises:
        SpecError: when a setting is of the wrong kind or out of its range.
    """

    problem: Recipe
    factorization: AbstractFactorization
    dynamics: AbstractDynamics[Any]
    reference: AbstractDynamics[Any]
    start: AbstractStart
    stop: Stop
    seed: int = 0
    points: int = 50

    kind: ClassVar[str] = "agreement"

    def __post_init__(self):
        if not isinstance(self.problem, Recipe):
            raise SpecError(
                where="AgreementJob(problem)",
                rule="a job says its problem as a recipe",
                got=f"{type(self.problem).__name__}",
                fix='Give for example Recipe("planted_completion", {...})',
            )
        for dynamics in (self.dynamics, self.reference):
            check_parts(self.factorization, dynamics, self.start, self.stop)
        is_count = isinstance(self.points, int) and not isinstance(self.points, bool)
        if not is_count or self.points < 2:
            raise SpecError(
                where="AgreementJob(points)",
                rule="a path is compared at two points at least, its ends",
                got=f"{self.points!r}"[:200],
                fix="Give for example points=50",
            )
        object.__setattr__(self, "seed", checked_seed(self.seed))

    @property
    def numerics(self) -> str:
        """The versions of what makes the numbers."""
        parts = (type(self.dynamics), type(self.reference))
        versions = ", ".join(
            f"{part.__name__} {part.numerics_version}" for part in parts
        )
        return f"agreement {_NUMERICS_VERSION}: {versions}"

    @property
    def label(self) -> str:
        """What it is, in a few words, for lists and progress."""
        names = (type(part).__name__ for part in (self.dynamics, self.reference))
        return f"{self.problem} | {' beside '.join(names)} | seed {self.seed}"

    def paths(self, problem: SensingProblem) -> tuple["Path", "Path"]:
        """The paths of the dynamics and of its reference; nothing is kept."""
        return self._path(problem, self.dynamics), self._path(problem, self.reference)

    def _path(self, problem: SensingProblem, dynamics: AbstractDynamics[Any]) -> "Path":
        parts = (problem, self.factorization)
        watch = _Watch()
        state = watch(
            lambda: first_state(*parts, dynamics, start=self.start, seed=self.seed)
        )
        seen = [dynamics.snapshot(*parts, state)]
        matrices = [_dense(seen[0])]
        while seen[-1].result is Result.running:
            until = Until.at(iteration=seen[-1].iteration + 1)
            state = watch(_advance(dynamics, parts, state, until, self.stop))
            seen.append(dynamics.snapshot(*parts, state))
            matrices.append(_dense(seen[-1]))
        return Path(
            matrices=np.array(matrices),
            time=np.array([float(one.time) for one in seen]),
            loss=np.array([float(one.loss) for one in seen]),
            rank=np.array([int(one.extra.get("rank", -1)) for one in seen]),
            evaluations=int(seen[-1].extra.get("evaluations", len(seen))),
            result=seen[-1].result,
            seconds=watch.seconds,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Path:
    """Where a dynamics went, step by step.

    Args:
        matrices: flattened, one row per step.
        time: of the steps.
        loss: there.
        rank: how many directions are followed there; -1 where that is no question.
        evaluations: right-hand sides in all.
        result: why it ended.
        seconds: of its steps alone, without looking at them.
    """

    matrices: Float[np.ndarray, "steps numbers"]
    time: Float[np.ndarray, " steps"]
    loss: Float[np.ndarray, " steps"]
    rank: np.ndarray
    evaluations: int
    result: Result
    seconds: float


def compared(
    problem: SensingProblem, path: Path, reference: Path, points: int
) -> dict[str, np.ndarray]:
    """One path against another, at points spread evenly along its length.

    Args:
        problem: with a target.
        path: the one measured.
        reference: the other.
        points: how many; each is the step next to its even share of the length.

    Returns:
        An array over the points each, distances in units of the reference's end:
        path_share; curve_distance, from the reference as a curve; time_distance, from
        it at the same time; loss; relative_error; reference_error, that of the
        reference at the same loss; rank.

    Exactness: between its steps the reference is a cubic spline in time, for the curve
        and at equal times; the error straight in the logarithm of the loss.
    """
    size = float(np.linalg.norm(reference.matrices[-1]))
    lengths = np.linalg.norm(np.diff(path.matrices, axis=0), axis=1)
    length = np.concatenate([[0.0], np.cumsum(lengths)])
    even = np.linspace(0.0, length[-1], points)
    at = np.abs(length[None, :] - even[:, None]).argmin(axis=1)
    chosen = path.matrices[at]
    errors = np.array([_error(problem, matrix) for matrix in reference.matrices])
    # Against the loss, which falls: from the end to the start.
    falling = np.minimum.accumulate(reference.loss)[::-1]
    return {
        "path_share": length[at] / max(length[-1], 1e-300),
        "curve_distance": np.array(
            [_from_curve(one, reference) / size for one in chosen]
        ),
        "time_distance": np.array(
            [
                np.linalg.norm(one - _at_time(time, reference)) / size
                for one, time in zip(chosen, path.time[at], strict=True)
            ]
        ),
        "loss": path.loss[at],
        "relative_error": np.array([_error(problem, one) for one in chosen]),
        "reference_error": np.interp(
            np.log(path.loss[at]), np.log(falling), errors[::-1]
        ),
        "rank": path.rank[at],
    }


def _error(problem: SensingProblem, matrix: np.ndarray) -> float:
    return metrics.relative_error(problem, matrix.reshape(problem.shape))


def _from_curve(point: np.ndarray, reference: Path) -> float:
    """The distance from the reference's path, near its nearest step."""
    corners = reference.matrices
    nearest = int(np.linalg.norm(corners - point, axis=1).argmin())
    spline, near = _local(nearest, reference)
    ends = reference.time[max(nearest - 1, 0) : nearest + 2]
    if len(near) < 2:
        return float(np.linalg.norm(corners[nearest] - point))
    fine = [np.linspace(*pair, _FINE) for pair in zip(ends, ends[1:], strict=False)]
    return Polyline(spline(np.concatenate(fine))).distance(point)


def _at_time(time: float, reference: Path) -> np.ndarray:
    """The reference at this time; its end afterwards."""
    if time >= reference.time[-1]:
        return reference.matrices[-1]
    after = int(np.searchsorted(reference.time, time, side="right"))
    return _local(max(after - 1, 0), reference)[0](time)


def _local(step: int, reference: Path) -> tuple["CubicSpline", np.ndarray]:
    """A cubic through the steps around one, as a function of time."""
    # It brings SciPy's optimizers with it; only these jobs need it.
    from scipy.interpolate import CubicSpline

    first = max(step - _REACH, 0)
    times = reference.time[first : step + _REACH + 2]
    times, kept = np.unique(times, return_index=True)
    return CubicSpline(times, reference.matrices[first + kept]), times


def _dense(snapshot: Snapshot) -> np.ndarray:
    return np.array(to_dense(snapshot.matrix)).ravel()


def _advance(
    dynamics: AbstractDynamics[Any],
    parts: tuple[SensingProblem, AbstractFactorization],
    state: Any,
    until: Until,
    stop: Stop,
) -> Callable[[], Any]:
    return lambda: dynamics.advance(*parts, state, until=until, stop=stop)


class _Watch:
    """Adds up the seconds of the calls made through it."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self, call: Callable[[], Any]) -> Any:
        begun = time.perf_counter()
        found = call()
        self.seconds += time.perf_counter() - begun
        return found
