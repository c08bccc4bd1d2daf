r"""The warm-up in W, and what becomes of it in the factors.

From 0 every method that only combines past gradients stays in the span of the A_k and
ends at the least Frobenius norm. In the factors the analogue is the manifold
{ exp(A*(s)) X_0 exp(A*(s)) } of commuting measurements. It is curved: the flow and any
control stay on it, finite steps and momentum do not.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from lowrankflow.dynamics import (
    AbstractStepRule,
    ConstantStep,
    GradientDescent,
    HeavyBall,
    Nesterov,
    NormalizedStep,
    PushedFlow,
    Stop,
)
from lowrankflow.factorizations import (
    DeepFactorization,
    GivenFactors,
    Identity,
    SymmetricFactorization,
)
from lowrankflow.simulation import (
    GeometricIterations,
    OnlyEnds,
    Recipe,
    ReferenceJob,
    RunJob,
)
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.commuting import family
from lowrankflow.studies.gunasekar2017 import warmup_claims as judged
from lowrankflow.studies.gunasekar2017.warmup_picture import draw_warmup
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHAPE = (8, 6)
MOMENTUM = 0.9
INIT_SCALE = 1e-2
DISTANCE = f"manifold_distance_{INIT_SCALE:g}"
METHODS: Mapping[str, AbstractStepRule] = {
    "descent": ConstantStep(0.2),
    "heavy ball": HeavyBall(0.1, MOMENTUM),
    "nesterov": Nesterov(0.1, MOMENTUM),
    "normalized": NormalizedStep(1e-2),
}
STEPS = {
    "smoke": (0.2, 0.1, 0.01),
    "quick": (0.2, 0.1, 0.05, 0.02, 0.01),
    "paper": (0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001),
}
WHERE = "gunasekar2017, section 3"


def _profile(name: str, seeds: int, seconds: float) -> Profile:
    return Profile(
        settings={
            "in W": "8 x 6, 20 Gaussian measurements, from 0, to a loss of 1e-20",
            "in U": "random commuting families, 5 x 5, 2 measurements, from 0.01 I",
            "steps in U": ", ".join(f"{step:g}" for step in STEPS[name]),
            "momentum": MOMENTUM,
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs="the paper argues and runs nothing",
    )


class Warmup(AbstractStudy):
    """Least Frobenius norm in W; leaving the manifold in U."""

    key: ClassVar[str] = "gunasekar2017/warmup"
    title: ClassVar[str] = "The span of the gradients, flat in W and curved in U"
    question: ClassVar[str] = (
        "Which methods end at the least Frobenius norm, and which stay on the manifold "
        "that theorem 1 needs?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="span",
            text="From 0 any method that only combines past gradients in W ends at the "
            "solution of least Frobenius norm.",
            source=WHERE,
        ),
        Statement(
            key="momentum",
            text="In U the manifold is curved: methods with momentum leave it.",
            source="gunasekar2017, section 4, after equation (11)",
        ),
        Statement(
            key="steps",
            text="Finite steps leave the manifold, small ones to first order.",
            source="gunasekar2017, section 4, after equation (11)",
        ),
        Statement(
            key="control",
            text="The flow stays on the manifold for any control.",
            source="gunasekar2017, equation (11)",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 2, 8.0),
        "quick": _profile("quick", 6, 12.0),
        "paper": _profile("paper", 30, 100.0),
    }
    figure_text: ClassVar[str] = (
        "Left: the distance from the solution of least Frobenius norm, in W, falls to "
        "rounding for descent, heavy ball, Nesterov and normalized steps. Right: the "
        "distance from the manifold in U against the step, both logarithmic: descent "
        "falls with slope one, heavy ball and Nesterov lie more than ten times "
        "higher, a pushed control stays at rounding."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        jobs = []
        for seed in range(num_seeds):
            jobs += _in_matrix(seed)
            for step in STEPS[profile]:
                jobs += _in_factors(seed, step)
        return jobs

    def claims(self, collection: Collection) -> list[Verdict]:
        return [
            *(judged.ends_at_least_norm(self, collection, name) for name in METHODS),
            judged.first_order(self, collection),
            judged.large_steps_leave(self, collection),
            *(
                judged.momentum_leaves(self, collection, method)
                for method in ("heavy ball", "nesterov")
            ),
            judged.momentum_leaves_at_equal_speed(self, collection),
            judged.control_stays(self, collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_warmup(collection)


def _in_matrix(seed: int) -> list[LabelledJob]:
    sizes = {"shape": list(SHAPE), "rank": 1, "num_measurements": 20}
    options = {"scale": "near_isometry", "norm": 1.0, "seed": seed}
    problem = Recipe("planted_sensing", {**sizes, **options})
    least = ReferenceJob(problem=problem, kind="min_frobenius_norm")
    axes = {"case": "matrix", "method": "minimum", "seed": seed}
    jobs = [LabelledJob(axes=axes, job=least)]
    for name, rule in METHODS.items():
        job = RunJob(
            problem=problem,
            factorization=DeepFactorization(1),
            dynamics=GradientDescent(rule),
            start=GivenFactors((np.zeros(SHAPE),)),
            seed=seed,
            stop=Stop(loss=1e-20, iterations=100_000),
            schedule=GeometricIterations(1.2),
        )
        axes = {"case": "matrix", "method": name, "seed": seed}
        jobs.append(LabelledJob(axes=axes, job=job))
    return jobs


def _in_factors(seed: int, step: float) -> list[LabelledJob]:
    ways = {
        "descent": GradientDescent(ConstantStep(step)),
        "heavy ball": GradientDescent(HeavyBall(step, MOMENTUM)),
        "nesterov": GradientDescent(Nesterov(step, MOMENTUM)),
        "push": PushedFlow(step=step, push=1.0, horizon=20.0),
    }
    return [
        LabelledJob(
            axes={"case": "factors", "method": name, "step": step, "seed": seed},
            job=RunJob(
                problem=family(seed),
                factorization=SymmetricFactorization(),
                dynamics=dynamics,
                start=Identity(INIT_SCALE),
                seed=seed,
                stop=Stop(loss=1e-16, iterations=200_000),
                schedule=OnlyEnds(),
                observe=(DISTANCE,),
            ),
        )
        for name, dynamics in ways.items()
    ]
