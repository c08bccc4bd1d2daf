"""Factor width and start: the runs that figures 1 and 2 share.

Both figures look at the same runs, one at their errors and one at their nuclear norms.
A run that both ask for is the same job, so it is computed once.

The paper's settings, and what becomes of them here:

- "Small fixed step": the gradient flow stands for it; descent of a fixed step is run
  beside it once per panel. The paper's constants are not recoverable, so the learning
  rate is one of ours, in the clock of its equation (3).
- The norms of truth and measurements are not said. The truth has Frobenius norm 1, and
  the measurements keep Frobenius norms on average.
- The decaying spectrum is k^-1.5. The paper also ties its nuclear norm to its Frobenius
  norm, which no rescaling can do.
- "To convergence" is a training error of 1e-3, or rest.
"""

import dataclasses
import itertools
from collections.abc import Mapping
from typing import Literal, TypeAlias

from lowrankflow.dynamics import (
    AbstractDynamics,
    ConstantStep,
    ExactLineSearch,
    GradientDescent,
    GradientFlow,
    Stop,
)
from lowrankflow.factorizations import (
    AbstractStart,
    RandomPSD,
    SpectralOptimum,
    SymmetricFactorization,
)
from lowrankflow.simulation import OnlyEnds, Recipe, ReferenceJob, RunJob
from lowrankflow.studies.gunasekar2017.planted_optimum import projected_optimum
from lowrankflow.studies.study import LabelledJob, Profile

Panel: TypeAlias = Literal["rank 2", "decaying", "too few"]
PANELS: tuple[Panel, ...] = ("rank 2", "decaying", "too few")
RANK = 2
EXPONENT = 1.5
SMALL, LARGE = 1e-4, 1.0
TRAINING_ERROR = 1e-3
GAP_TOLERANCE = 1e-6
FLOW = GradientFlow(rtol=1e-3, atol=1e-3)
LINE_SEARCH = GradientDescent(ExactLineSearch())
# With a truth of norm 1 the training error is ||A(X) - y||, and the loss half of its
# square.
STOP = Stop(loss=TRAINING_ERROR**2 / 2, gradient=1e-7, iterations=20_000)
# From a tiny start the flow rests near saddle points, and must not end there.
_PATIENT = Stop(loss=TRAINING_ERROR**2 / 2, iterations=1_000_000)
# Where an earlier trial of one seed was cut off.
EARLY_TRAINING_ERROR = 0.036
_STOPS = {
    "smaller start": _PATIENT,
    "descent": _PATIENT,
    "early stop": Stop(loss=EARLY_TRAINING_ERROR**2 / 2, iterations=1_000_000),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sweep:
    """What a profile runs.

    Args:
        size: n, rows and columns.
        num_measurements: m in the first two panels, and in the last one.
        widths: numbers of columns of U, ascending; the last is n.
        curves: (method, norm of U(0)) of every curve over the widths.
        smaller: norms of U(0) of further flows of width n, descending.
        spectral_widths: widths of the runs from the spectral optimum; the last is n,
            where the optimum is not cut.
        learning_rates: of the fixed step, in the clock of the flow: in the first two
            panels and in the last, whose operator has a larger norm.
        twins: seeds whose flow of width n has a twin by descent of a fixed step.
    """

    size: int
    num_measurements: tuple[int, int]
    widths: tuple[int, ...]
    curves: tuple[tuple[str, float], ...]
    smaller: tuple[float, ...]
    spectral_widths: tuple[int, ...]
    learning_rates: tuple[float, float]
    twins: int


_CURVES = (("flow", SMALL), ("flow", LARGE), ("line search", SMALL))
SWEEPS = {
    "smoke": Sweep(
        size=10,
        num_measurements=(40, 5),
        widths=(10,),
        curves=_CURVES,
        smaller=(1e-16,),
        spectral_widths=(10,),
        learning_rates=(5e-2, 1e-2),
        twins=1,
    ),
    "quick": Sweep(
        size=50,
        num_measurements=(300, 25),
        widths=(1, 2, 10, 50),
        curves=_CURVES,
        smaller=(1e-8, 1e-16, 1e-32),
        spectral_widths=(10, 50),
        learning_rates=(5e-2, 1e-2),
        twins=1,
    ),
    "paper": Sweep(
        size=50,
        num_measurements=(300, 25),
        widths=(1, 2, 3, 5, 8, 12, 20, 30, 40, 50),
        curves=(*_CURVES, ("line search", LARGE)),
        smaller=(1e-6, 1e-8, 1e-12, 1e-16, 1e-32, 1e-64),
        spectral_widths=(5, 8, 12, 20, 30, 40, 50),
        learning_rates=(1e-2, 1e-3),
        twins=3,
    ),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Instance:
    """A matrix to recover.

    Args:
        panel: which kind of truth, and whether it can be recovered.
        size: rows and columns.
        num_measurements: of symmetric Gaussian matrices.
        seed: of truth and measurements.
    """

    panel: Panel
    size: int
    num_measurements: int
    seed: int

    @property
    def recipe(self) -> Recipe:
        """The instance as plain data."""
        shared = {
            "size": self.size,
            "num_measurements": self.num_measurements,
            "seed": self.seed,
            "scale": "near_isometry",
            "norm": 1.0,
        }
        if self.panel == "decaying":
            return Recipe("power_law_psd_sensing", {**shared, "exponent": EXPONENT})
        return Recipe("planted_psd_sensing", {**shared, "rank": RANK})

    def axes(self, method: str) -> dict[str, str | int | float]:
        """What a run of it stands for."""
        return {
            "method": method,
            "panel": self.panel,
            "num_measurements": self.num_measurements,
            "seed": self.seed,
        }


def instances(sweep: Sweep, num_seeds: int) -> list[Instance]:
    """The matrices of a profile, seed by seed: the first one's runs compile all."""
    enough, too_few = sweep.num_measurements
    return [
        Instance(
            panel=panel,
            size=sweep.size,
            num_measurements=too_few if panel == "too few" else enough,
            seed=seed,
        )
        for seed, panel in itertools.product(range(num_seeds), PANELS)
    ]


def planted_jobs(sweep: Sweep, num_seeds: int) -> list[LabelledJob]:
    """All runs of both figures."""
    jobs = []
    for instance in instances(sweep, num_seeds):
        jobs.append(min_nuclear_norm(instance))
        for (method, norm), width in itertools.product(sweep.curves, sweep.widths):
            dynamics = FLOW if method == "flow" else LINE_SEARCH
            jobs.append(_from_random(instance, method, dynamics, width, norm))
        jobs += [
            _from_random(instance, "smaller start", FLOW, sweep.size, norm)
            for norm in sweep.smaller
        ]
        jobs += [_from_spectral(instance, width) for width in sweep.spectral_widths]
        if instance.seed < sweep.twins:
            rate = sweep.learning_rates[instance.panel == "too few"]
            step = GradientDescent(ConstantStep(learning_rate=rate))
            jobs.append(_from_random(instance, "descent", step, sweep.size, SMALL))
        if instance.panel == "decaying":
            jobs.append(_from_random(instance, "early stop", FLOW, sweep.size, SMALL))
    return jobs


def min_nuclear_norm(instance: Instance) -> LabelledJob:
    """The p.s.d. solution of least nuclear norm, with its certificate."""
    job = ReferenceJob(instance.recipe, psd=True, gap_tolerance=GAP_TOLERANCE)
    return LabelledJob(axes=instance.axes("min_nuclear_norm"), job=job)


def planted_profile(name: str, seeds: int, seconds: float, differs: str) -> Profile:
    """A profile of figures 1 and 2, which share their runs."""
    return Profile(
        settings=settings(SWEEPS[name]),
        num_seeds=seeds,
        expected_seconds=seconds,
        differs=differs,
    )


def settings(sweep: Sweep) -> Mapping[str, str | int | float]:
    """What a reader must know to repeat a profile."""
    enough, too_few = sweep.num_measurements
    return {
        "size": f"n = {sweep.size}, Frobenius norm of the truth 1",
        "truths": f"rank {RANK}; k^-{EXPONENT:g}; rank {RANK}",
        "measurements": f"symmetric Gaussian, {enough}, {enough} and {too_few}",
        "factor widths": ", ".join(map(str, sweep.widths)),
        "starts": f"Gaussian U(0) of Frobenius norms {SMALL:g} and {LARGE:g}",
        "smaller starts": ", ".join(f"{norm:g}" for norm in sweep.smaller),
        "flow": f"adaptive, rtol = atol = {FLOW.rtol:g}",
        "fixed step": ", ".join(f"{rate:g}" for rate in sweep.learning_rates),
        "stop": f"training error {TRAINING_ERROR:g}",
        "minimum nuclear norm": f"certified, relative gap {GAP_TOLERANCE:g}",
    }


def _from_random(
    instance: Instance,
    method: str,
    dynamics: AbstractDynamics,
    width: int,
    norm: float,
) -> LabelledJob:
    start = RandomPSD(frobenius_norm=norm, of="factor")
    return _run(instance, method, dynamics, width, norm, start)


def _from_spectral(instance: Instance, width: int) -> LabelledJob:
    """The flow from the leading part of the optimum that descent on X finds.

    At width n that optimum is not cut: it solves the factorized problem already, and
    where the flow takes it is where it was.
    """
    optimum = projected_optimum(
        instance.recipe, gradient_tolerance=1e-5, max_iterations=20_000
    )
    return _run(instance, "spectral", FLOW, width, None, SpectralOptimum(optimum))


def _run(
    instance: Instance,
    method: str,
    dynamics: AbstractDynamics,
    width: int,
    norm: float | None,
    start: AbstractStart,
) -> LabelledJob:
    stop = _STOPS.get(method, STOP)
    job = RunJob(
        problem=instance.recipe,
        factorization=SymmetricFactorization(width),
        dynamics=dynamics,
        start=start,
        seed=instance.seed,
        stop=stop,
        schedule=OnlyEnds(),
    )
    axes = {**instance.axes(method), "width": width}
    return LabelledJob(axes=axes if norm is None else {**axes, "norm": norm}, job=job)
