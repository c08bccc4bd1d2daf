"""Theorem 3: how singular values move, measured along real trajectories."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.studies.arora2019 import theorem3_claims as judged
from lowrankflow.studies.arora2019.theorem3_jobs import (
    BALANCED,
    CENTRES,
    SCALE,
    SPOILED,
    STEP,
    UNBALANCED_DEPTHS,
    labelled_jobs,
)
from lowrankflow.studies.arora2019.theorem3_picture import draw_theorem3
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _profile(name: str, seeds: int, seconds: float) -> Profile:
    shapes = BALANCED[name].items()
    return Profile(
        settings={
            "problems": "5 x 5, 6 x 4, 4 x 6 of rank 2 and norm 2, two thirds observed",
            "shapes by depth": "; ".join(f"{d}: {', '.join(s)}" for d, s in shapes),
            "start": f"balanced, singular values {SCALE / 2:g} to {1.5 * SCALE:g}",
            "noise on the factors": ", ".join(f"{s:g}" for s in SPOILED),
            "derivatives": f"five points {STEP:g} apart, at {CENTRES[name]} times",
            "flow": "of the factors, rtol = atol = 1e-11",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs="the paper proves the theorem and runs nothing for it",
    )


class Theorem3(AbstractStudy):
    """Equation (7) beside measured derivatives, and what it needs."""

    key: ClassVar[str] = "arora2019/theorem3"
    title: ClassVar[str] = "How singular values move"
    question: ClassVar[str] = (
        "Do singular values move at the rates of equation (7) along whole "
        "trajectories, and how much is it off where the factors are not balanced?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="law",
            text="From a balanced start sigma_r' = -N (sigma_r^2)^(1 - 1/N) "
            "<grad l(W), u_r v_r'>.",
            source="arora2019, theorem 3, equation (7)",
        ),
        Statement(
            key="growth",
            text="What a singular value feels is multiplied by sigma^(2 - 2/N): depth "
            "makes large values move faster and small ones slower.",
            source="arora2019, section 3, after theorem 3",
        ),
        Statement(
            key="imbalance",
            text="Where the factors are unbalanced the law is off, by the first order "
            "of the imbalance; at depth 2 by at most delta (|G v_r| + |G' u_r|).",
            source="own derivation, from arora2019, equations (4) and (5)",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 2, 20.0),
        "quick": _profile("quick", 2, 20.0),
        "paper": _profile("paper", 10, 150.0),
    }
    figure_text: ClassVar[str] = (
        "Left: the rate of every singular value over the pull that it feels, against "
        "its size, both logarithmic, on the thin lines N sigma^(2 - 2/N) for depths 1 "
        "to 4. Middle: the rate of the largest singular value over time, measured "
        "(markers) on the curve of equation (7), one run of each depth. Right: the "
        "departure from the law against the imbalance of the factors, rising linearly "
        "and at depth 2 below its dashed bound."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        return labelled_jobs(profile, num_seeds)

    def claims(self, collection: Collection) -> list[Verdict]:
        balanced = collection.select(case="balanced")
        depths = [int(depth) for depth in balanced.axis("depth")]
        return [
            *(judged.law_holds(self, collection, depth) for depth in depths),
            judged.times_are_resolved(self, collection),
            judged.other_law_fails(self, collection),
            *(judged.exponent_is(self, collection, depth) for depth in depths),
            judged.bound_holds(self, collection),
            *(
                claim(self, collection, depth)
                for claim in (judged.failure_is_linear, judged.balance_is_needed)
                for depth in UNBALANCED_DEPTHS
            ),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_theorem3(collection)
