"""How a run ended, as an enumeration whose members say it in a sentence."""

import enum


class Result(enum.Enum):
    """Why a run or a solver stopped; `str(result)` is a sentence.

    A result is data, not an exception: a run that diverged is an answer to the question
    that was asked. `result.is_success` tells the wanted outcomes from the others.
    """

    running = "The run has not ended: it can be continued."
    converged = "Converged: the loss fell to the value asked for."
    stationary = "Stationary: the gradient norm fell to the value asked for."
    optimal = "Optimal: no further direction lowers the loss."
    time_reached = "Stopped at the flow time asked for."
    iterations_reached = "Stopped at the largest number of iterations allowed."
    rank_reached = "Stopped at the largest rank allowed, and one more would help."
    diverged = (
        "Diverged: the loss left the finite numbers or grew without bound; "
        "the last finite state is kept."
    )
    stalled = (
        "Stalled: what still moves is below what rounding resolves, "
        "and the loss is above the value asked for."
    )
    step_too_small = (
        "Stopped: the step needed for the tolerance fell below what rounding resolves."
    )
    unreachable = "Unreachable: no matrix of the kind asked for has these measurements."
    past_best = "Stopped: for as many ranks as allowed the held-out error was no lower."

    def __str__(self) -> str:
        return self.value

    @property
    def is_success(self) -> bool:
        """Whether the run ended where it was asked to end."""
        return self in _SUCCESSES


_SUCCESSES = frozenset(
    {
        Result.converged,
        Result.stationary,
        Result.optimal,
        Result.time_reached,
        Result.past_best,
    }
)
