"""When to look at a run."""

import abc
import math
from typing import ClassVar

import equinox as eqx
import numpy as np

from lowrankflow.dynamics import Until
from lowrankflow.errors import SpecError
from lowrankflow.factorizations import positive_int
from lowrankflow.problems import Numbers, finite_array, real_number

# Seconds of a flow of 100 x 100 matrices, a minute or more where it is very stiff.
_PAUSE = 1000


class AbstractSchedule(eqx.Module):
    """Where the next record is, given where the run is.

    `pause_every` is after how many iterations without a record a run pauses to be kept
    and to tell how far it is; None where `next` would give another record after a pause
    than before it.
    """

    pause_every: eqx.AbstractClassVar[int | None]

    @abc.abstractmethod
    def next(self, *, time: float, iteration: int) -> Until:
        """How far to go to the next record."""


class GeometricIterations(AbstractSchedule):
    """Records at iterations 1, 2, 3, ... and then ever further apart, by a ratio.

    Neither the number of steps of an adaptive flow nor that of a descent is known in
    advance; about log(steps) / log(ratio) records show all phases of either. Records at
    iterations change no number of the run.

    Args:
        ratio: > 1, of the iterations of two later records.

    Raises:
        SpecError: when the ratio is not above 1.
    """

    ratio: float

    pause_every: ClassVar[int | None] = None

    def __check_init__(self):
        if not 1 < real_number(self.ratio) < np.inf:
            raise SpecError(
                where="GeometricIterations(ratio)",
                rule="the ratio of two records' iterations is above 1",
                got=f"{self.ratio!r}",
                fix="Give for example 1.05",
            )

    def next(self, *, time: float, iteration: int) -> Until:
        # A ratio may be so large that no integer of 64 bits is that far away.
        next_one = min(iteration * float(self.ratio), 2.0**62)
        return Until.at(iteration=max(iteration + 1, math.ceil(next_one)))


class EveryIterations(AbstractSchedule):
    """A record every so many iterations.

    Args:
        count: iterations from one record to the next, >= 1.

    Raises:
        SpecError: when it is not a positive integer.
    """

    count: int = eqx.field(static=True)

    pause_every: ClassVar[int | None] = None

    def __check_init__(self):
        positive_int("EveryIterations(count)", self.count)

    def next(self, *, time: float, iteration: int) -> Until:
        return Until.at(iteration=(iteration // self.count + 1) * self.count)


class AtTimes(AbstractSchedule):
    """Records at given flow times, and at the end.

    An adaptive flow lands on these times, which changes its steps at the level of its
    tolerance; descent is recorded at the first iteration at or after each.

    Args:
        times: ascending, > 0, finite.

    Raises:
        DataError: when they are no finite numbers.
        SpecError: when they do not ascend from above zero.
    """

    times: tuple[float, ...]

    pause_every: ClassVar[int | None] = _PAUSE

    def __init__(self, times: Numbers):
        array = finite_array("AtTimes(times)", times, ndim=1)
        if array.size == 0 or array[0] <= 0 or np.any(np.diff(array) <= 0):
            raise SpecError(
                where="AtTimes(times)",
                rule="times ascend from above zero; time zero is always recorded",
                got=f"{array[:8]}",
                fix="Sort them and remove repeats: numpy.unique(times)",
            )
        self.times = tuple(float(time) for time in array)

    def next(self, *, time: float, iteration: int) -> Until:
        later = [t for t in self.times if t > time]
        return Until.at(time=later[0] if later else np.inf)


class OnlyEnds(AbstractSchedule):
    """Records at the start and at the end."""

    pause_every: ClassVar[int | None] = _PAUSE

    def next(self, *, time: float, iteration: int) -> Until:
        return Until.at()
