"""The stop rules of `integrator`, for flows that compute on the host."""

import math

from lowrankflow.dynamics.contract import CODES, RUNNING, Limits
from lowrankflow.result import Result


def ended_at_entry(limits: Limits, iteration: int, time: float, loss: float) -> int:
    """The code of the first rule that holds before any step; that of running if none.

    Exactness: exact.
    """
    for holds, result in (
        (iteration >= int(limits.iterations), Result.iterations_reached),
        (time >= float(limits.time), Result.time_reached),
        (loss <= float(limits.loss), Result.converged),
    ):
        if holds:
            return CODES[result]
    return RUNNING


def ended(
    limits: Limits,
    *,
    iteration: int,
    time: float,
    loss: float,
    slope: float,
    moved: bool,
    still: bool,
    tiny: bool,
    broken: bool,
) -> int:
    """The code of the most telling rule that holds after a step; running if none.

    Args:
        limits: the stop rule.
        iteration: accepted steps.
        time: flow time.
        loss: f.
        slope: norm of the velocity.
        moved: whether it has been above the rule's gradient.
        still: whether nothing moves any more.
        tiny: whether the step has become too small.
        broken: whether the point has left the finite numbers.

    Exactness: exact.
    """
    status = RUNNING
    # The last that holds wins, so the most telling reason comes last.
    for holds, result in (
        (still, Result.stalled),
        (tiny, Result.step_too_small),
        (iteration >= int(limits.iterations), Result.iterations_reached),
        (time >= float(limits.time), Result.time_reached),
        (moved and slope <= float(limits.gradient), Result.stationary),
        (loss <= float(limits.loss), Result.converged),
        (broken or not math.isfinite(loss), Result.diverged),
    ):
        if holds:
            status = CODES[result]
    return status
