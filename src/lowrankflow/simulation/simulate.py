"""One run: a problem, coordinates, a dynamics, a start; out comes a trajectory."""

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import threadpoolctl

from lowrankflow.dynamics import AbstractDynamics, Snapshot, Stop, Until
from lowrankflow.errors import LowRankFlowError, SpecError
from lowrankflow.factorizations import (
    AbstractFactorization,
    AbstractStart,
    StartFrames,
    start_frames,
)
from lowrankflow.precision import in_float64
from lowrankflow.problems import AbstractObjective
from lowrankflow.result import Result
from lowrankflow.seeds import checked_seed
from lowrankflow.simulation.records import (
    Observer,
    Record,
    check_observers,
    record,
)
from lowrankflow.simulation.run import Run
from lowrankflow.simulation.schedule import AbstractSchedule, GeometricIterations
from lowrankflow.simulation.specification import to_json

_RECORDS_PER_CHUNK = 16
# Two BLAS threads cost more than they bring below this size, and up to twenty times as
# much when another process is at work.
_SINGLE_THREAD_BELOW = 512


class RunFailedError(LowRankFlowError):
    """A run ended otherwise than asked, and the caller wanted that to raise."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Chunk:
    """A piece of a run: the unit of progress, of storage and of resumption.

    Args:
        records: what was recorded, in order.
        state: the dynamics' state after the last record, or at a pause after it;
            `simulate_chunks(state=...)` goes on from it to the same bits.
        snapshot: what can be seen of that state.
    """

    records: tuple[Record, ...]
    state: Any
    snapshot: Snapshot


def simulate(
    problem: AbstractObjective,
    factorization: AbstractFactorization,
    dynamics: AbstractDynamics,
    *,
    start: AbstractStart | None = None,
    seed: int = 0,
    stop: Stop,
    schedule: AbstractSchedule | None = None,
    observe: Mapping[str, Observer] | None = None,
    throw: bool = False,
) -> Run:
    """Run a dynamics to its end and keep its trajectory.

    Args:
        problem: what is to be recovered: a `SensingProblem` or an `Objective`.
        factorization: in which coordinates.
        dynamics: how it moves.
        start: where it starts; needed by all but `GreedyLowRank`.
        seed: of all that is random, >= 0.
        stop: when it ends; at least one rule.
        schedule: when to record; `GeometricIterations(1.05)` unless given. Start and
            end are always recorded.
        observe: further numbers to record, by name: functions of (problem, snapshot).
        throw: whether an end that was not asked for (diverged, stalled, out of
            iterations, ...) raises instead of being the result.

    Returns:
        The run: final matrix and factors, result, trajectory.

    Raises:
        SpecError: when the parts do not go together.
        RunFailedError: with `throw`, when the result is not a success.

    Exactness: that of the dynamics.
    """
    records: list[Record] = []
    chunk = None
    for chunk in simulate_chunks(
        problem,
        factorization,
        dynamics,
        start=start,
        seed=seed,
        stop=stop,
        schedule=schedule,
        observe=observe,
    ):
        records.extend(chunk.records)
    assert chunk is not None, "a run yields at least its start"
    result = chunk.snapshot.result
    if throw and not result.is_success:
        raise RunFailedError(
            where="simulate",
            rule="with throw=True a run must end as it was asked to",
            got=f"{result.name} at time {chunk.snapshot.time:.6g}, "
            f"iteration {chunk.snapshot.iteration}, loss {chunk.snapshot.loss:.6g}",
            fix=f"{str(result).rstrip('.')}: change the stop rule or the dynamics",
        )
    return Run(
        snapshot=chunk.snapshot,
        records=tuple(records),
        state=chunk.state,
        settings={
            "factorization": _in_words(factorization),
            "dynamics": _in_words(dynamics),
            "start": _in_words(start),
            "stop": _in_words(stop),
            "seed": checked_seed(seed),
            "numerics_version": type(dynamics).numerics_version,
            "normalization": getattr(problem, "normalization", "none"),
        },
    )


def simulate_chunks(
    problem: AbstractObjective,
    factorization: AbstractFactorization,
    dynamics: AbstractDynamics,
    *,
    start: AbstractStart | None = None,
    seed: int = 0,
    stop: Stop,
    schedule: AbstractSchedule | None = None,
    observe: Mapping[str, Observer] | None = None,
    state: Any = None,
) -> Iterator[Chunk]:
    """The same run, piece by piece; it touches no file and prints nothing.

    Args:
        problem: as for `simulate`, and so are the following.
        factorization: in which coordinates.
        dynamics: how it moves.
        start: where it starts.
        seed: of all that is random.
        stop: when it ends.
        schedule: when to record.
        observe: further numbers to record.
        state: the state of an earlier chunk of this very run, to go on from; None to
            begin. A resumed run has the same bits as one that was not interrupted.

    Yields:
        Chunks of up to 16 records, of none where a run goes far without one; the last
        one's snapshot has the result.

    Raises:
        SpecError: when the parts do not go together.
    """
    _check_kind("problem", problem, AbstractObjective, "SensingProblem.from_matrix(M)")
    check_parts(factorization, dynamics, start, stop)
    seed = checked_seed(seed)
    schedule = GeometricIterations(1.05) if schedule is None else schedule
    observe = {} if observe is None else observe
    factorization.shapes(problem.shape)
    device = _on_device(problem)
    threads = _Threads(problem)
    records: list[Record] = []
    if state is None:
        factors = _start(problem, factorization, dynamics, start, seed)
        with threads.limited():
            state = dynamics.init(device, factorization, factors, seed=seed)
            snapshot = dynamics.snapshot(device, factorization, state)
            records.append(record(problem, snapshot, {}))
            check_observers(observe, set(records[0]))
            records[0] = record(problem, snapshot, observe)
    else:
        snapshot = dynamics.snapshot(device, factorization, state)
    ended = snapshot.result is not Result.running
    while not ended:
        with threads.limited():
            until = _limited(
                schedule.next(time=snapshot.time, iteration=snapshot.iteration), stop
            )
            pause = _with_pause(until, snapshot, schedule)
            state = dynamics.advance(
                device, factorization, state, until=pause, stop=stop
            )
            snapshot = dynamics.snapshot(device, factorization, state)
            ended = snapshot.result is not Result.running
            is_pause = not ended and _is_at_pause(pause, until, snapshot)
            if not is_pause:
                records.append(record(problem, snapshot, observe))
        if (is_pause or len(records) >= _RECORDS_PER_CHUNK) and not ended:
            yield Chunk(records=tuple(records), state=state, snapshot=snapshot)
            records = []
    yield Chunk(records=tuple(records), state=state, snapshot=snapshot)


def first_state(
    problem: AbstractObjective,
    factorization: AbstractFactorization,
    dynamics: AbstractDynamics,
    *,
    start: AbstractStart | None,
    seed: int,
) -> Any:
    """The state at time zero of the run that `simulate_chunks` makes of these parts.

    Whoever stores states as arrays needs it to put them together again.

    Raises:
        SpecError: when the dynamics cannot start there.
    """
    factors = _start(problem, factorization, dynamics, start, seed)
    with _Threads(problem).limited():
        return dynamics.init(_on_device(problem), factorization, factors, seed=seed)


def _in_words(setting: object) -> str:
    """Canonical JSON, or its repr for a setting with a function in it."""
    try:
        return to_json(setting)
    except SpecError:
        return repr(setting)


def _limited(until: Until, stop: Stop) -> Until:
    """Not beyond the stop time: a flow lands on it exactly."""
    time = np.inf if stop.time is None else float(stop.time)
    return Until(time=np.minimum(until.time, time), iteration=until.iteration)


def _with_pause(until: Until, snapshot: Snapshot, schedule: AbstractSchedule) -> Until:
    """Not further at once than a run may go without being kept."""
    if schedule.pause_every is None:
        return until
    pause = np.asarray(snapshot.iteration + schedule.pause_every, np.int64)
    return Until(time=until.time, iteration=np.minimum(until.iteration, pause))


def _is_at_pause(pause: Until, until: Until, snapshot: Snapshot) -> bool:
    """Whether a run has come as far as it may at once, and no further.

    One that stopped of its own accord, as at the end of a stage, is recorded.
    """
    at_pause = int(pause.iteration) <= snapshot.iteration < int(until.iteration)
    at_end_of_stage = bool(snapshot.extra.get("at_critical_point", False))
    return at_pause and snapshot.time < float(until.time) and not at_end_of_stage


def _start(
    problem: AbstractObjective,
    factorization: AbstractFactorization,
    dynamics: AbstractDynamics,
    start: AbstractStart | None,
    seed: int,
) -> tuple[np.ndarray, ...] | StartFrames:
    form = type(dynamics).start_form
    if form == "none":
        return ()
    assert start is not None, "checked before"
    if form == "frames":
        return start_frames(start, problem, factorization, seed=seed)
    return start.factors(problem, factorization, seed=seed)


class _Threads:
    """Limits the threads of linear algebra; looks for its libraries once a run."""

    def __init__(self, problem: AbstractObjective):
        small = min(problem.shape) < _SINGLE_THREAD_BELOW
        self._limits = 1 if small else None
        self._controller = threadpoolctl.ThreadpoolController()

    def limited(self) -> AbstractContextManager[object]:
        return self._controller.limit(limits=self._limits)


@in_float64
def _on_device(problem: AbstractObjective) -> AbstractObjective:
    """The problem with its arrays on the device, so that no call copies them again."""
    arrays, rest = eqx.partition(problem, eqx.is_array_like)
    moved = jax.tree.map(
        lambda x: jnp.asarray(x) if isinstance(x, np.ndarray) else x, arrays
    )
    return eqx.combine(moved, rest)


def check_parts(
    factorization: AbstractFactorization,
    dynamics: AbstractDynamics,
    start: AbstractStart | None,
    stop: Stop,
) -> None:
    """Nothing, when these parts make a run of some problem.

    Raises:
        SpecError: when one is of another kind, a start is wanting, or nothing ends it.
    """
    for name, part, kind, example in (
        ("factorization", factorization, AbstractFactorization, "DeepFactorization(2)"),
        ("dynamics", dynamics, AbstractDynamics, "GradientFlow(rtol=1e-6, atol=1e-6)"),
        ("stop", stop, Stop, "Stop(loss=1e-6)"),
    ):
        _check_kind(name, part, kind, example)
    if type(dynamics).start_form != "none" and not isinstance(start, AbstractStart):
        raise SpecError(
            where="simulate(start)",
            rule=f"{type(dynamics).__name__} starts somewhere",
            got=f"{start!r}",
            fix="Give for example start=Gaussian(init_scale=1e-3)",
        )
    rules = (stop.loss, stop.gradient, stop.time, stop.iterations)
    if all(rule is None for rule in rules):
        raise SpecError(
            where="simulate(stop)",
            rule="a run needs at least one rule to end it",
            got="Stop() without any",
            fix="Give for example Stop(loss=1e-6, iterations=100_000)",
        )


def _check_kind(name: str, part: object, kind: type, example: str) -> None:
    if not isinstance(part, kind):
        raise SpecError(
            where=f"simulate({name})",
            rule=f"this is a {kind.__name__.removeprefix('Abstract')}",
            got=f"{type(part).__name__}",
            fix=f"Give for example {example}",
        )
