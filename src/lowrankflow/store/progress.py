"""What is said of a computation while it goes on: small, plain, picklable."""

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lowrankflow.dynamics import Stop
from lowrankflow.simulation import Record

Stage: TypeAlias = Literal[
    "started", "running", "waiting", "finished", "found", "failed"
]


@dataclass(frozen=True, kw_only=True)
class Event:
    """One moment of a computation.

    Args:
        digest: of the job; "" where it is not known yet.
        label: the job in a few words.
        stage: "started" (or gone on with), "running" after each chunk, "waiting" while
            another process computes the same, and at the end "finished", "found" (it
            was there already) or "failed".
        seconds: wall time spent on the job, all its interruptions included.
        records: how many there are.
        iteration: where the run is.
        time: flow time there.
        loss: f there; nan before the first record.
        fraction: how much of the run is behind, by the stop rule that is nearest to
            hold; an estimate, and None where there is none.
        stop: the numbers that end it, by rule.
        detail: why it failed, or how it ended.
    """

    digest: str
    label: str
    stage: Stage
    seconds: float = 0.0
    records: int = 0
    iteration: int = 0
    time: float = 0.0
    loss: float = math.nan
    fraction: float | None = None
    stop: dict[str, float] | None = None
    detail: str = ""


def stop_numbers(stop: Stop) -> dict[str, float]:
    """The rules that a stop has, by name."""
    rules = {name: getattr(stop, name) for name in ("loss", "gradient", "time")}
    rules["iterations"] = stop.iterations
    return {name: float(value) for name, value in rules.items() if value is not None}


def fraction_done(stop: Stop, first: Record, last: Record) -> float | None:
    """How much of a run is behind, by the stop rule that is nearest to hold.

    Time and iterations are compared with their limits, the loss on a logarithmic
    scale from its first value: an estimate, since losses fall by steps.

    Returns:
        A number from 0 to 1, or None when no rule says anything.
    """
    shares = []
    if stop.iterations:
        shares.append(float(last["iteration"]) / stop.iterations)
    if stop.time:
        shares.append(float(last["time"]) / float(stop.time))
    begun, now = float(first["loss"]), float(last["loss"])
    if stop.loss is not None and 0 < float(stop.loss) < begun and 0 < now < math.inf:
        whole = math.log(begun / float(stop.loss))
        shares.append(math.log(begun / now) / whole)
    shares = [min(1.0, max(0.0, share)) for share in shares if math.isfinite(share)]
    return max(shares, default=None)
