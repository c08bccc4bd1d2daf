"""How far many runs are, and how long the rest will take."""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lowrankflow.store import Event

# For so many seconds the expected times count as much as what is measured.
_TRUST = 10.0
_LEAST = 0.03


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A run that is to be made.

    Args:
        label: of its job, by which its events are told.
        title: for the user.
        seconds: expected share of the wall time; 1.0 where nothing is known.
    """

    label: str
    title: str
    seconds: float = 1.0


@dataclass(kw_only=True)
class Row:
    """A run that has been heard of."""

    title: str
    weight: float
    begun: float
    fraction: float = 0.0
    loss: float = float("nan")
    stage: str = "started"


class Tally:
    """The state of many runs, from their events.

    Args:
        runs: those expected, each distinct one once.
        is_timed: whether their seconds are known rather than equal shares.
        clock: seconds.
    """

    def __init__(
        self,
        runs: Sequence[Expected],
        *,
        is_timed: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.total = len(runs)
        self.found = self.failed = self.finished = 0
        self.active: dict[str, Row] = {}
        self._clock, self._begun = clock, clock()
        self._trust = _TRUST if is_timed else 0.0
        self._waiting: dict[str, deque[Expected]] = defaultdict(deque)
        for run in runs:
            self._waiting[run.label].append(run)
        self._left = sum(run.seconds for run in runs)
        self._worked = 0.0

    @property
    def ended(self) -> int:
        """How many runs are over, one way or the other."""
        return self.found + self.failed + self.finished

    def tell(self, event: "Event") -> Row | None:
        """Take an event in; the row of its run, if that is over now."""
        key = event.digest or event.label
        row = self.active.get(key)
        if row is None:
            waiting = self._waiting[event.label]
            unknown = Expected(label=event.label, title=event.label, seconds=0.0)
            run = waiting.popleft() if waiting else unknown
            row = Row(title=run.title, weight=run.seconds, begun=self._clock())
            self.active[key] = row
        row.stage, row.loss = event.stage, event.loss
        row.fraction = max(row.fraction, event.fraction or 0.0)
        if event.stage not in ("finished", "found", "failed"):
            return None
        del self.active[key]
        self._left -= row.weight
        if event.stage == "found":
            self.found += 1
        else:
            self._worked += row.weight
            self.failed += event.stage == "failed"
            self.finished += event.stage == "finished"
        return row

    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self._begun

    def fraction(self) -> float:
        """How much of all the work is behind, from 0 to 1."""
        half = sum(row.weight * row.fraction for row in list(self.active.values()))
        left = max(self._left - half, 0.0)
        whole = left + self._worked + half
        return 1.0 if not whole else (self._worked + half) / whole

    def remaining(self) -> float | None:
        """Seconds that the rest will take, by the speed so far; None if not known."""
        half = sum(row.weight * row.fraction for row in list(self.active.values()))
        done = self._worked + half + self._trust
        elapsed = self.elapsed() + self._trust
        left = max(self._left - half, 0.0)
        # A few hundredths of the first run say nothing of the others.
        return left * elapsed / done if done > _LEAST * left else None
