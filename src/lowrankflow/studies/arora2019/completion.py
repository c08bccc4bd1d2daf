"""Completion of low-rank matrices: the runs that figures 1 and 2 share.

Both figures complete the same matrices from the same starts. A run that both ask for is
the same job, so it is computed once.

The paper's conventions, and what becomes of them here:

- Its loss is the mean of the squared residuals; ours, with `normalization="mean"`, is
  half of that. It stops at 1e-6, we at half of it, which is the same matrix.
- Its GroupRMSprop divides by the norm of a gradient twice as large as ours. The steps
  in the factors are equal when ours adds half of its eps.
- Its start has "standard deviation 1e-3". Read as its code does: the end-to-end matrix
  has a root-mean-square singular value of 1e-3, which is our `init_scale`.
"""

import dataclasses
from collections.abc import Mapping
from typing import Literal

from lowrankflow.dynamics import (
    AbstractDynamics,
    GradientDescent,
    GradientFlow,
    NormalizedStep,
    Stop,
)
from lowrankflow.factorizations import DeepFactorization, Gaussian
from lowrankflow.simulation import (
    OnlyEnds,
    Recipe,
    ReferenceJob,
    RunJob,
)
from lowrankflow.studies.study import LabelledJob

DEPTHS = (2, 3, 4)
PAPER_SCALE = 1e-3
PAPER_LEARNING_RATE = 1e-3
MEAN_SQUARED_RESIDUAL = 1e-6
GAP_TOLERANCE = 1e-8

# Few entries, for each degree of freedom of matrices of the rank.
FEW = (1.5, 2.1)

_PAPER_EPS = 1e-4
_MOST_ITERATIONS = 1_000_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sweep:
    """What a profile runs.

    Args:
        shape: (rows, cols) of the matrices.
        observed: by rank of the truth, the numbers of observed entries, ascending.
        shallow_scales: of the starts at depth 2 at each of these, descending.
        deep_scales: likewise, at depths 3 and 4; where entries are fewer than few the
            largest and the least of these only. From small starts these flows go far
            beyond the truth's norm there, and take a minute.
        init_scales: of the starts at depths 2, 3 and 4 where only they vary.
        init_scales_at: (rank, number of observed entries) of that.
        descent_at: likewise, where flows have twins by the paper's own descent.
        num_descents: seeds that have a twin, at most.
        rtol: of the flows. At 1e-6 the errors at the end differ by up to 10 % from
            those of tighter ones at depth 4, at 1e-3 by half.
    """

    shape: tuple[int, int]
    observed: Mapping[int, tuple[int, ...]]
    shallow_scales: tuple[float, ...]
    deep_scales: tuple[float, ...]
    init_scales: tuple[float, ...]
    init_scales_at: tuple[int, int]
    descent_at: tuple[tuple[int, int], ...]
    num_descents: int
    rtol: float = 1e-6

    def scales_at(self, depth: int, instance: "Instance") -> tuple[float, ...]:
        """Of the starts of a depth, where the number of entries is varied."""
        if depth == 2:
            return self.shallow_scales
        if instance.num_observed < FEW[0] * instance.degrees_of_freedom:
            return tuple(dict.fromkeys((self.deep_scales[0], self.deep_scales[-1])))
        return self.deep_scales

    def points(self) -> list[tuple[int, int]]:
        """(rank, number of observed entries) of the sweep over the latter."""
        return [(rank, m) for rank, counts in self.observed.items() for m in counts]


# Through the transition, which depth 3 passes at about 1.5 entries for each degree of
# freedom (975 and 1900 of them) and the minimum nuclear norm at 2.5 to 3.5.
_PAPER_OBSERVED = {
    5: (1200, 1350, 1500, 1650, 1800, 2000, 2250, 2500, 3000, 3500, 4000, 5000),
    10: (2400, 2700, 3000, 3250, 3500, 3750, 4000, 4500, 5000, 5500, 6000, 7000),
}
_PAPER_SCALES = (1e-3, 5e-4, 2.5e-4, 1e-4, 1e-5, 1e-6)
SWEEPS = {
    "smoke": Sweep(
        shape=(20, 24),
        observed={2: (160, 320)},
        shallow_scales=(1e-3, 1e-6),
        deep_scales=(1e-3,),
        init_scales=(1e-3, 1e-6),
        init_scales_at=(2, 160),
        descent_at=((2, 160),),
        num_descents=1,
        rtol=1e-4,  # needs one of the two solvers only, and half of the compiling
    ),
    "quick": Sweep(
        shape=(100, 100),
        observed={5: (1500, 2000, 3000, 5000), 10: (3000, 3500, 5000, 7000)},
        shallow_scales=(1e-3, 1e-6),
        deep_scales=(1e-3,),
        init_scales=(1e-3, 1e-4, 1e-5, 1e-6),
        init_scales_at=(5, 2000),
        descent_at=((5, 2000),),
        num_descents=1,
    ),
    "paper": Sweep(
        shape=(100, 100),
        observed=_PAPER_OBSERVED,
        shallow_scales=_PAPER_SCALES,
        deep_scales=_PAPER_SCALES,
        init_scales=_PAPER_SCALES,
        init_scales_at=(5, 2000),
        descent_at=tuple(
            (r, m) for r, counts in _PAPER_OBSERVED.items() for m in counts
        ),
        num_descents=1,
    ),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Instance:
    """A matrix to complete.

    Args:
        shape: (rows, cols).
        rank: of the truth.
        num_observed: entries observed.
        seed: of truth and entries. The truth does not depend on the entries.
        repeats: how one that is drawn again counts, where the entries are draws with
            replacement and `num_observed` counts these; empty where they are not.
    """

    shape: tuple[int, int]
    rank: int
    num_observed: int
    seed: int
    repeats: Literal["", "count", "once"] = ""

    @property
    def recipe(self) -> Recipe:
        """The instance as plain data."""
        shared = {
            "shape": self.shape,
            "rank": self.rank,
            "seed": self.seed,
            "normalization": "mean",
        }
        if self.repeats:
            own = {"num_draws": self.num_observed, "repeats": self.repeats}
            return Recipe("planted_completion_with_replacement", {**shared, **own})
        return Recipe(
            "planted_completion", {**shared, "num_observed": self.num_observed}
        )

    @property
    def degrees_of_freedom(self) -> int:
        """Of matrices of the rank: the dimension of their manifold."""
        return self.rank * (sum(self.shape) - self.rank)

    def axes(self, method: str) -> dict[str, str | int | float]:
        """What a run of it stands for."""
        return {
            "method": method,
            "rank": self.rank,
            "degrees_of_freedom": self.degrees_of_freedom,
            "num_observed": self.num_observed,
            "seed": self.seed,
        }


def flow(
    instance: Instance, *, depth: int, init_scale: float, rtol: float
) -> LabelledJob:
    """The gradient flow, from a Gaussian start, to the paper's training error."""
    dynamics = GradientFlow(rtol=rtol, atol=rtol)
    return _run(instance, "flow", dynamics, depth, init_scale)


def descent(
    instance: Instance, *, depth: int, learning_rate: float = PAPER_LEARNING_RATE
) -> LabelledJob:
    """The paper's own descent, from the same start to the same training error."""
    step = NormalizedStep(learning_rate=learning_rate, eps=_PAPER_EPS / 2)
    dynamics = GradientDescent(step=step)
    return _run(instance, "descent", dynamics, depth, PAPER_SCALE)


def min_nuclear_norm(instance: Instance) -> LabelledJob:
    """The completion of least nuclear norm, with its certificate."""
    return LabelledJob(
        axes=instance.axes("min_nuclear_norm"),
        job=ReferenceJob(instance.recipe, gap_tolerance=GAP_TOLERANCE),
    )


def truth(instance: Instance) -> LabelledJob:
    """The truth itself: what minimizes any norm when every entry is observed."""
    rows, cols = instance.shape
    whole = dataclasses.replace(instance, num_observed=rows * cols, repeats="")
    axes = instance.axes("truth")
    del axes["num_observed"]
    return LabelledJob(
        axes=axes, job=ReferenceJob(whole.recipe, gap_tolerance=GAP_TOLERANCE)
    )


def instances(
    sweep: Sweep, points: list[tuple[int, int]], num_seeds: int
) -> list[Instance]:
    """The matrices of a profile, seed by seed: the first one's runs compile all."""
    return [
        Instance(shape=sweep.shape, rank=rank, num_observed=count, seed=seed)
        for seed in range(num_seeds)
        for rank, count in points
    ]


def over_entries(sweep: Sweep, num_seeds: int) -> list[LabelledJob]:
    """Every depth from its starts, and the minimum, at every number of entries."""
    jobs = []
    for instance in instances(sweep, sweep.points(), num_seeds):
        jobs += [
            flow(instance, depth=depth, init_scale=scale, rtol=sweep.rtol)
            for depth in DEPTHS
            for scale in sweep.scales_at(depth, instance)
        ]
        jobs.append(min_nuclear_norm(instance))
    return jobs


def over_scales(sweep: Sweep, num_seeds: int) -> list[LabelledJob]:
    """Every depth from all starts, and the minimum, where these are varied."""
    jobs = []
    for instance in instances(sweep, [sweep.init_scales_at], num_seeds):
        jobs += [
            flow(instance, depth=depth, init_scale=scale, rtol=sweep.rtol)
            for depth in DEPTHS
            for scale in sweep.init_scales
        ]
        jobs.append(min_nuclear_norm(instance))
    return jobs


def truths(sweep: Sweep, num_seeds: int) -> list[LabelledJob]:
    """The truth of every rank."""
    points = [(rank, 1) for rank in sweep.observed]
    return [truth(instance) for instance in instances(sweep, points, num_seeds)]


def settings(sweep: Sweep, init_scale: str) -> dict[str, str | int | float]:
    """What a reader must know to repeat a profile.

    Args:
        sweep: of the profile.
        init_scale: the scales of the starts, in words.
    """
    return {
        "shape": f"{sweep.shape[0]} x {sweep.shape[1]}, mean squared entry 1",
        "observed entries": "; ".join(
            f"rank {rank}: " + ", ".join(map(str, counts))
            for rank, counts in sweep.observed.items()
        ),
        "init_scale": init_scale,
        "stop": f"mean squared residual {MEAN_SQUARED_RESIDUAL:g}",
        "flow": f"adaptive, rtol = atol = {sweep.rtol:g}",
        "minimum nuclear norm": f"certified, relative gap {GAP_TOLERANCE:g}",
    }


def _run(
    instance: Instance,
    method: str,
    dynamics: AbstractDynamics,
    depth: int,
    init_scale: float,
) -> LabelledJob:
    job = RunJob(
        problem=instance.recipe,
        factorization=DeepFactorization(depth),
        dynamics=dynamics,
        stop=Stop(loss=MEAN_SQUARED_RESIDUAL / 2, iterations=_MOST_ITERATIONS),
        start=Gaussian(init_scale=init_scale),
        seed=instance.seed,
        schedule=OnlyEnds(),
    )
    axes = {**instance.axes(method), "depth": depth, "init_scale": init_scale}
    return LabelledJob(axes=axes, job=job)
