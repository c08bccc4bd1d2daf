"""The runs of theorem 2: commuting problems from multiples of the identity.

The families of the sweep have the unit vectors as their common basis. That loses
nothing, since the flow turns with its problem, and it keeps rounding from leaving the
commuting path, which from depth 3 on is unstable: see the case "perturbed".
"""

import dataclasses

import numpy as np

from lowrankflow.dynamics import GradientFlow, Stop
from lowrankflow.factorizations import (
    AbstractStart,
    DeepFactorization,
    GivenFactors,
    Identity,
)
from lowrankflow.seeds import generator
from lowrankflow.simulation import (
    AbstractSchedule,
    GeometricIterations,
    OnlyEnds,
    Recipe,
    ReferenceJob,
    RunJob,
)
from lowrankflow.studies.collection import AxisValue
from lowrankflow.studies.commuting import FIXTURE, family
from lowrankflow.studies.study import LabelledJob

SIGNED = Recipe("named", {"name": "arora2019-signed"})
SIZE = 5
ENTRIES = tuple(f"entry_{k}_{k}" for k in range(SIZE))
PATH_SCALE, ROTATED_SCALE = 1e-3, 1e-3
# Of W(0) = W_2 W_1 from factors 2 a I and a I / 2.
UNEQUAL_SCALE = 1e-6
# Of every entry of a factor, relative to its diagonal.
PERTURBATION = 1e-6
_FLOW = GradientFlow(rtol=1e-8, atol=1e-8)
_FINE = GradientFlow(rtol=1e-10, atol=1e-10)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sweep:
    """Depths, and scales of W(0), descending, of each kind of problem."""

    depths: tuple[int, ...]
    fixture_depths: tuple[int, ...]
    fixture: tuple[float, ...]
    families: tuple[float, ...]
    signed: tuple[float, ...]
    perturbed: tuple[float, ...]


_QUICK = Sweep(
    depths=(2, 3, 4),
    fixture_depths=(3,),
    fixture=(1e-2, 1e-4, 1e-6),
    families=(1e-4, 1e-8, 1e-10),
    signed=(1e-2, 1e-3, 1e-6, 1e-8),
    perturbed=(1e-2, 1e-6),
)
SWEEPS = {
    "smoke": dataclasses.replace(_QUICK, depths=(2, 4), fixture_depths=()),
    "quick": _QUICK,
    "paper": Sweep(
        depths=(2, 3, 4, 5),
        fixture_depths=(2, 3, 4, 5),
        fixture=(1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8),
        families=(1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10),
        signed=(1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8),
        perturbed=(1e-2, 1e-3, 1e-4, 1e-5, 1e-6),
    ),
}


def all_jobs(profile: str, num_seeds: int) -> list[LabelledJob]:
    """Every run of a profile."""
    sweep = SWEEPS[profile]
    jobs = []
    for depth in sweep.depths:
        # What falls as the third power is not resolved further down.
        least = 1e-4 if depth == 2 else 0.0
        jobs += [
            _labelled("signed", SIGNED, depth, Identity(scale), scale)
            for scale in sweep.signed
            if scale >= least
        ]
    for depth in sweep.fixture_depths:
        jobs += [
            _labelled("fixture", FIXTURE, depth, Identity(scale), scale)
            for scale in sweep.fixture
        ]
    for seed in range(num_seeds):
        plain, turned = family(seed, rotated=False), family(seed)
        for depth in sweep.depths:
            jobs += [
                _labelled("family", plain, depth, Identity(s), s, seed=seed)
                for s in sweep.families
            ]
            path = Identity(PATH_SCALE)
            jobs.append(_labelled("path", plain, depth, path, PATH_SCALE, seed=seed))
            whole = Identity(ROTATED_SCALE)
            jobs.append(
                _labelled("rotated", turned, depth, whole, ROTATED_SCALE, seed=seed)
            )
            jobs += [
                _labelled(
                    "perturbed", plain, depth, perturbed(depth, s, seed), s, seed=seed
                )
                for s in sweep.perturbed
            ]
        least = ReferenceJob(problem=turned, psd=True, gap_tolerance=1e-8)
        jobs.append(LabelledJob(axes={"case": "minimum", "seed": seed}, job=least))
    whole = np.sqrt(UNEQUAL_SCALE) * np.eye(SIZE)
    unequal = GivenFactors((2 * whole, whole / 2))
    jobs.append(_labelled("unequal", SIGNED, 2, unequal, UNEQUAL_SCALE))
    return jobs


def perturbed(depth: int, scale: float, seed: int) -> AbstractStart:
    """Equal factors scale^(1/N) (I + delta S), S symmetric of norm 1."""
    drawn = generator(seed, "theorem2", "perturbation").standard_normal((SIZE, SIZE))
    symmetric = (drawn + drawn.T) / 2
    symmetric /= np.linalg.norm(symmetric, 2)
    factor = scale ** (1 / depth) * (np.eye(SIZE) + PERTURBATION * symmetric)
    return GivenFactors((factor,) * depth)


def _labelled(
    case: str,
    recipe: Recipe,
    depth: int,
    start: AbstractStart,
    scale: float,
    **seed: int,
) -> LabelledJob:
    """A run to a fit; the path, where it is asked for, in some forty records."""
    schedule: AbstractSchedule = OnlyEnds()
    if case == "path":
        schedule = GeometricIterations(1.2)
    axes: dict[str, AxisValue] = {"case": case, "depth": depth, "init_scale": scale}
    return LabelledJob(
        axes={**axes, **seed},
        job=RunJob(
            problem=recipe,
            factorization=DeepFactorization(depth),
            dynamics=_FINE if case in ("rotated", "perturbed") else _FLOW,
            start=start,
            stop=Stop(loss=1e-20, iterations=100_000),
            schedule=schedule,
            observe=ENTRIES if case == "path" else (),
        ),
    )
