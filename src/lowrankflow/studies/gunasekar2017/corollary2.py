r"""Corollary 2: non-negative least squares by x = u * u, and the least sum.

The measurements are diagonal, and U U' from alpha I stays diagonal to the last bit: the
flow of the matrix is that of the vector x = u * u. Its end is compared with the linear
program min sum(x), E x = y, x >= 0.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.dynamics import GradientFlow, Stop
from lowrankflow.factorizations import Identity, SymmetricFactorization
from lowrankflow.simulation import OnlyEnds, Recipe, ReferenceJob, RunJob
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.gunasekar2017 import corollary2_claims as judged
from lowrankflow.studies.gunasekar2017.corollary2_picture import draw_corollary2
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCALES = {
    "smoke": (1.0, 1e-4, 1e-8, 1e-12, 1e-16),
    "quick": (1.0, 1e-1, 1e-2, 1e-4, 1e-8, 1e-12, 1e-16),
    "paper": (1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 1e-16, 1e-24),
}


def problem(seed: int) -> Recipe:
    """Ten features, four measurements; the truth is positive everywhere.

    A fit that is positive everywhere makes every feature reach its end exponentially; a
    feature that is zero in every fit would be approached like 1 / t.
    """
    sizes = {"size": 10, "num_measurements": 4, "sparsity": 10}
    return Recipe("nonnegative_least_squares", {**sizes, "seed": seed})


def _profile(name: str, seeds: int, seconds: float) -> Profile:
    return Profile(
        settings={
            "problem": "10 features, 4 Gaussian measurements of a positive x",
            "init_scale of x": ", ".join(f"{s:g}" for s in SCALES[name]),
            "flow": "adaptive, rtol = atol = 1e-8, to a loss of 1e-18",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs="the paper proves the corollary and runs nothing",
    )


class Corollary2(AbstractStudy):
    """The corollary for vectors: squares as parameters, and the least sum."""

    key: ClassVar[str] = "gunasekar2017/corollary2"
    title: ClassVar[str] = "Squared parameters and the least sum"
    question: ClassVar[str] = (
        "Does the flow of x = u * u from a small start end at the x >= 0 of least sum "
        "among those that fit?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="minimum",
            text="If the limit for u_0 = alpha 1, alpha to 0, exists and fits, it has "
            "the least l1 norm among the x >= 0 that fit.",
            source="gunasekar2017, corollary 2",
        ),
        Statement(
            key="scale",
            text="At factor scale 1e-4 the excess is below 0.01, relative.",
            source="own check",
            value="two instances of our own had 2e-3 and 2e-7",
        ),
        Statement(
            key="rate",
            text="The excess falls as the scale of x to the power of the dual's least "
            "slack.",
            source="own derivation, from the proof of theorem 1",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 3, 5.0),
        "quick": _profile("quick", 20, 12.0),
        "paper": _profile("paper", 100, 70.0),
    }
    figure_text: ClassVar[str] = (
        "Left: the excess of the sum over its minimum falls with the scale of the "
        "start, one curve per seed, each along its dotted predicted slope. Right: the "
        "exponent measured between the two smallest scales against the least slack of "
        "the dual, close to the diagonal."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        jobs = []
        for seed in range(num_seeds):
            for scale in SCALES[profile]:
                run = RunJob(
                    problem=problem(seed),
                    factorization=SymmetricFactorization(),
                    dynamics=GradientFlow(rtol=1e-8, atol=1e-8),
                    start=Identity(scale),
                    stop=Stop(loss=1e-18, iterations=20_000),
                    schedule=OnlyEnds(),
                )
                axes = {"method": "flow", "init_scale": scale, "seed": seed}
                jobs.append(LabelledJob(axes=axes, job=run))
            least = ReferenceJob(problem=problem(seed), psd=True, gap_tolerance=1e-8)
            axes = {"method": "minimum", "seed": seed}
            jobs.append(LabelledJob(axes=axes, job=least))
        return jobs

    def claims(self, collection: Collection) -> list[Verdict]:
        return [
            judged.program_is_certified(self, collection, problem),
            judged.stays_diagonal(self, collection),
            judged.sum_falls(self, collection, problem),
            judged.near_at_factor_scale(self, collection, problem),
            judged.exponent_is_the_slack(self, collection, problem),
            judged.ends_at_the_minimizer(self, collection, problem),
            judged.large_starts_are_far(self, collection, problem),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_corollary2(collection, problem)
