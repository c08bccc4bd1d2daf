"""One number per seed, and what is known of the seeds that have none."""

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import SpecError


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """What the same run gives over its seeds.

    Args:
        values: one row per seed; a number, or several (singular values).
        seeds: of the rows, ascending; a run without a seed has the only seed None.
        missing: for every seed that was planned and has no number, which one and why.
    """

    values: Float[np.ndarray, "seeds ..."]
    seeds: tuple[int | None, ...]
    missing: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.seeds)

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.array(self.values, dtype=dtype)

    def map(self, function: Callable[[np.ndarray], np.ndarray | float]) -> "Sample":
        """The function of every seed's number or row.

        For example `singular_values.map(lambda s: s[5])`, the sixth of every seed.
        """
        return combine(function, self)


def combine(function: Callable[..., np.ndarray | float], *samples: Sample) -> Sample:
    """A function of several samples, seed by seed.

    Only seeds that all samples have give a number. What any of them misses is missing
    in the result, so that a claim on it comes out undecided.

    Args:
        function: takes one seed's number or row of each sample.
        samples: at least one.
    """
    common = [s for s in samples[0].seeds if all(s in o.seeds for o in samples)]
    # Numbers of a run that diverged may be infinite: what is not defined is not a
    # number, and says so in the verdict.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        rows = [
            function(*(sample.values[sample.seeds.index(seed)] for sample in samples))
            for seed in common
        ]
    missing = tuple(dict.fromkeys(text for s in samples for text in s.missing))
    return Sample(values=np.array(rows, float), seeds=tuple(common), missing=missing)


def largest(samples: Sequence[Sample]) -> Sample:
    """Every seed's largest number over several samples: the worst of them."""
    return combine(lambda *numbers: max(numbers, key=_nan_first), *samples)


def smallest(samples: Sequence[Sample]) -> Sample:
    """Every seed's smallest number over several samples."""
    return combine(
        lambda *numbers: -max((-n for n in numbers), key=_nan_first), *samples
    )


def _nan_first(number: float) -> float:
    return math.inf if math.isnan(number) else number


def as_sample(values: "Sample | Sequence[float] | np.ndarray | float") -> Sample:
    """Numbers as a sample: a single number has no seed, several have 0, 1, 2, ...

    Raises:
        SpecError: when there is more than one number per seed.
    """
    if isinstance(values, Sample):
        sample = values
    else:
        array = np.asarray(values, float)
        several = tuple(range(array.size)) if array.ndim else (None,)
        sample = Sample(values=np.atleast_1d(array), seeds=several)
    if sample.values.ndim != 1:
        raise SpecError(
            where="as_sample(values)",
            rule="a claim is on one number per seed",
            got=f"an array of shape {sample.values.shape}",
            fix="Choose one first, for example sample.map(lambda s: s[0])",
        )
    return sample
