r"""Theorem 1: with commuting measurements the flow tends to the least trace.

Two kinds of problems: the fixture diag(1, 1, 0), diag(0, 1, 1), which measure 1 each,
solved by formula; and random families with a random common basis. In the common basis
the flow from alpha I is x_k = alpha exp(2 (E's)_k), so that an eigenvalue that is zero
at the minimum is left at alpha^(1 - (E'nu)_k) with the dual nu: the excess falls with
the least slack as its exponent, 1/2 on the fixture.
"""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.dynamics import (
    ConstantStep,
    GradientDescent,
    GradientFlow,
    PushedFlow,
    Stop,
)
from lowrankflow.factorizations import (
    DeepFactorization,
    Identity,
    SymmetricFactorization,
)
from lowrankflow.simulation import OnlyEnds, Recipe, ReferenceJob, RunJob
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.commuting import FIXTURE, family
from lowrankflow.studies.gunasekar2017 import theorem1_claims as judged
from lowrankflow.studies.gunasekar2017.theorem1_picture import draw_theorem1
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FLOW = GradientFlow(rtol=1e-8, atol=1e-8)
STEP = 0.02
LOSS = 1e-18
# |r|^1.5 / 1.5 at residuals of 3e-7, beyond which its slope is too steep to follow.
POWER_LOSS = 1e-10


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sweep:
    """Scales of W(0) on the fixture and on the families, descending."""

    fixture: tuple[float, ...]
    families: tuple[float, ...]


_QUICK = Sweep(
    fixture=(1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8),
    families=(1e-2, 1e-4, 1e-6, 1e-8),
)
SWEEPS = {
    "smoke": Sweep(fixture=(1e-2, 1e-4, 1e-6), families=(1e-4, 1e-6)),
    "quick": _QUICK,
    "paper": Sweep(
        fixture=(1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8),
        families=(1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10),
    ),
}
WHERE = "gunasekar2017, theorem 1"


def _profile(name: str, seeds: int, seconds: float) -> Profile:
    sweep = SWEEPS[name]
    return Profile(
        settings={
            "families": "5 x 5, 2 measurements with eigenvalues uniform in [0, 1]",
            "init_scale, fixture": ", ".join(f"{s:g}" for s in sweep.fixture),
            "init_scale, families": ", ".join(f"{s:g}" for s in sweep.families),
            "flow": "adaptive, rtol = atol = 1e-8, to a loss of 1e-18",
            "batches": f"one measurement a step, steps of {STEP:g} and half of it",
            "push": "random, smooth, faded at time 20, in steps of 0.02",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs="the paper proves the theorem and runs nothing",
    )


class Theorem1(AbstractStudy):
    """The theorem for commuting measurements, and how fast its limit is reached."""

    key: ClassVar[str] = "gunasekar2017/theorem1"
    title: ClassVar[str] = "Commuting measurements: the least trace, and how fast"
    question: ClassVar[str] = (
        "Does the flow from alpha I end at the least trace as alpha falls, at which "
        "rate, and is the path of the residual needed?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="minimum",
            text="If the measurements commute, the limit of the flow's end as the "
            "start alpha I falls to zero has the least nuclear norm.",
            source=WHERE,
        ),
        Statement(
            key="rate",
            text="The excess falls as alpha to the power of the least slack of the "
            "dual; on the fixture sqrt(alpha).",
            source="own derivation, from the proof of theorem 1",
        ),
        Statement(
            key="deep",
            text="Depth 3 and more reach the same minimum linearly in the scale of the "
            "product: the excess is 8 a^3 and 4 a^4 for factors a I on the fixture.",
            source="arora2019, theorem 2; the rates are our own",
        ),
        Statement(
            key="controls",
            text="Any control of the residual that ends at a fit has the same end: "
            "other losses, subsets of the measurements, pushes.",
            source="gunasekar2017, section 4, after equation (11)",
        ),
        Statement(
            key="steps",
            text="Finite steps leave the manifold, so that ends agree only to first "
            "order in the step.",
            source="gunasekar2017, section 4, after equation (11)",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 2, 10.0),
        "quick": _profile("quick", 8, 25.0),
        "paper": _profile("paper", 30, 140.0),
    }
    figure_text: ClassVar[str] = (
        "Excess of the trace over its minimum against the scale of the start, both "
        "logarithmic. Left: the fixture, where depth 2 falls like the square root and "
        "depths 3 and 4 linearly, on the dotted formulas. Middle: random families, one "
        "curve per seed, each with the slope that its dual predicts. Right: seed 1 "
        "with other losses, batches and pushes, all on one curve."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        sweep = SWEEPS[profile]
        jobs = [
            LabelledJob(
                axes={"case": "fixture", "depth": depth, "init_scale": scale},
                job=RunJob(
                    problem=FIXTURE,
                    factorization=SymmetricFactorization()
                    if depth == 2
                    else DeepFactorization(depth),
                    dynamics=FLOW,
                    start=Identity(scale),
                    stop=Stop(loss=1e-20, iterations=100_000),
                    schedule=OnlyEnds(),
                ),
            )
            for depth in (2, 3, 4)
            for scale in sweep.fixture
        ]
        for seed in range(num_seeds):
            for scale in sweep.families:
                jobs += _paths(seed, scale)
            least = ReferenceJob(problem=family(seed), psd=True, gap_tolerance=1e-8)
            jobs.append(LabelledJob(axes={"case": "minimum", "seed": seed}, job=least))
        return jobs

    def claims(self, collection: Collection) -> list[Verdict]:
        return [
            judged.minimum_is_certified(self, collection),
            judged.fixture_has_its_formula(self, collection),
            *(judged.fixture_rate(self, collection, depth) for depth in (2, 3, 4)),
            judged.excess_falls(self, collection),
            judged.exponent_is_the_slack(self, collection),
            *(
                judged.path_has_the_same_end(self, collection, path)
                for path in ("huber", "power", "push")
            ),
            judged.batches_are_near(self, collection),
            judged.batches_are_first_order(self, collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_theorem1(collection)


def _paths(seed: int, scale: float) -> list[LabelledJob]:
    """All ways to go from one start."""
    plain = family(seed)

    def other(loss: str, parameter: float) -> Recipe:
        return Recipe("other_loss", {"of": plain, "loss": loss, "parameter": parameter})

    def batches(step: float) -> GradientDescent:
        return GradientDescent(ConstantStep(step), batch_size=1)

    ways = {
        "flow": (plain, FLOW, LOSS),
        "huber": (other("huber", 0.05), FLOW, LOSS),
        "power": (other("power", 1.5), FLOW, POWER_LOSS),
        "push": (plain, PushedFlow(step=STEP, push=0.5, horizon=20.0), LOSS),
        "batches": (plain, batches(STEP), 1e-16),
        "batches, half the step": (plain, batches(STEP / 2), 1e-16),
    }
    return [
        LabelledJob(
            axes={"case": "family", "path": path, "init_scale": scale, "seed": seed},
            job=RunJob(
                problem=problem,
                factorization=SymmetricFactorization(),
                dynamics=dynamics,
                start=Identity(scale),
                seed=seed,
                stop=Stop(loss=loss, iterations=400_000),
                schedule=OnlyEnds(),
            ),
        )
        for path, (problem, dynamics, loss) in ways.items()
    ]
