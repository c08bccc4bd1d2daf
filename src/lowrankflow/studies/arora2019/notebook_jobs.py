"""The runs of the authors' notebook: two numbers of entries, drawn in three ways."""

import dataclasses
from collections.abc import Mapping
from typing import Literal

from lowrankflow.studies.arora2019.completion import (
    DEPTHS,
    PAPER_SCALE,
    Instance,
    descent,
    flow,
    min_nuclear_norm,
    truth,
)
from lowrankflow.studies.arora2019.notebook_values import FEW, MANY, SCALES
from lowrankflow.studies.study import LabelledJob

# How the entries are drawn: the axis "drawn".
APART = "without replacement"
REPEATED = "with replacement"  # and each counts as often as it is drawn
ONCE = "with replacement, each once"
DRAWN = (APART, REPEATED)
_REPEATS: Mapping[str, Literal["", "count", "once"]] = {
    APART: "",
    REPEATED: "count",
    ONCE: "once",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Size:
    """What a profile runs.

    Args:
        shape: (rows, cols).
        rank: of the truth.
        counts: of the entries drawn, few and many.
        scales: of the starts, descending: at depth 2, and at every depth with few
            entries drawn without replacement, where figure 2 has the same runs.
        deep_scales: likewise, at depths 3 and 4 elsewhere.
        once_counts: numbers of draws at which depth 2 also has draws that count once.
        num_deep: seeds that have runs at depths 3 and 4 elsewhere, at most: every
            number of distinct entries is compiled for anew.
        learning_rates: of the paper's descent, with few entries drawn without
            replacement; the paper's first.
        descent_depths: of these.
        rtol: of the flows, relative and absolute.
    """

    shape: tuple[int, int]
    rank: int
    counts: tuple[int, int]
    scales: tuple[float, ...]
    deep_scales: tuple[float, ...]
    num_deep: int
    once_counts: tuple[int, ...]
    learning_rates: tuple[float, float]
    descent_depths: tuple[int, ...]
    rtol: float = 1e-6

    def scales_at(self, depth: int, instance: Instance) -> tuple[float, ...]:
        """Of the starts of an instance at a depth."""
        few = instance.num_observed == self.counts[0] and not instance.repeats
        if depth == 2 or few:
            return self.scales
        return self.deep_scales if instance.seed < self.num_deep else ()


SIZES = {
    "smoke": Size(
        shape=(20, 24),
        rank=2,
        counts=(160, 320),
        scales=(1e-3, 1e-6),
        deep_scales=(1e-3,),
        num_deep=1,
        once_counts=(320,),
        learning_rates=(1e-3, 3e-3),
        descent_depths=(2,),
        rtol=1e-4,
    ),
    "quick": Size(
        shape=(100, 100),
        rank=5,
        counts=(FEW, MANY),
        scales=SCALES,
        deep_scales=SCALES[:1],
        num_deep=1,
        once_counts=(MANY,),
        learning_rates=(1e-3, 3e-3),
        descent_depths=(2,),
    ),
    "paper": Size(
        shape=(100, 100),
        rank=5,
        counts=(FEW, MANY),
        scales=SCALES,
        deep_scales=SCALES,
        num_deep=5,
        once_counts=(FEW, MANY),
        learning_rates=(1e-3, 3e-4),
        descent_depths=DEPTHS,
    ),
}


def planned(size: Size, num_seeds: int) -> list[LabelledJob]:
    """All runs of a profile, seed by seed: the first one's compile all."""
    jobs = []
    for seed in range(num_seeds):
        for count in size.counts:
            for drawn in DRAWN:
                instance = _instance(size, count, drawn, seed)
                jobs += [_drawn(drawn, job) for job in _ends(size, instance)]
        for count in size.once_counts:
            instance = _instance(size, count, ONCE, seed)
            jobs += [
                _drawn(ONCE, flow(instance, depth=2, init_scale=scale, rtol=size.rtol))
                for scale in size.scales
            ]
        jobs.append(truth(_instance(size, size.counts[0], APART, seed)))
    jobs += _descents(size)
    return jobs


def _instance(size: Size, count: int, drawn: str, seed: int) -> Instance:
    return Instance(
        shape=size.shape,
        rank=size.rank,
        num_observed=count,
        seed=seed,
        repeats=_REPEATS[drawn],
    )


def _ends(size: Size, instance: Instance) -> list[LabelledJob]:
    """The flows of an instance and its minimum of the nuclear norm."""
    return [
        *(
            flow(instance, depth=depth, init_scale=scale, rtol=size.rtol)
            for depth in DEPTHS
            for scale in size.scales_at(depth, instance)
        ),
        min_nuclear_norm(instance),
    ]


def _descents(size: Size) -> list[LabelledJob]:
    """The paper's descent by each learning rate, for one seed: it takes long."""
    instance = _instance(size, size.counts[0], APART, 0)
    jobs = []
    for depth in size.descent_depths:
        for rate in size.learning_rates:
            job = descent(instance, depth=depth, learning_rate=rate)
            axes = {**job.axes, "learning_rate": rate, "init_scale": PAPER_SCALE}
            jobs.append(_drawn(APART, dataclasses.replace(job, axes=axes)))
    return jobs


def _drawn(how: str, job: LabelledJob) -> LabelledJob:
    return dataclasses.replace(job, axes={**job.axes, "drawn": how})
