"""Corollary 1: singular vectors at rest and a diagonal gradient, one when the other."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.studies.arora2019 import corollary1_claims as judged
from lowrankflow.studies.arora2019.corollary1_jobs import (
    CENTRES,
    END,
    RUNS,
    SCALE,
    STARTS,
    STEP,
    labelled_jobs,
)
from lowrankflow.studies.arora2019.corollary1_picture import draw_corollary1
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _profile(name: str, seeds: int, seconds: float) -> Profile:
    return Profile(
        settings={
            "problems": "5 x 5, 6 x 4, 4 x 6 of rank 2 and norm 2, two thirds observed",
            "runs": "; ".join(f"{s}, depth {d}, {shape}" for s, d, shape in RUNS[name]),
            "init_scale": SCALE,
            "derivatives": f"five points {STEP:g} apart, at {CENTRES[name]} times to "
            f"{END:g}",
            "flow": "of the factors, rtol = atol = 1e-11",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs="the paper proves the corollary; its figure 3 shows the mean entries "
        "of |U'GV| on and off the diagonal",
    )


class Corollary1(AbstractStudy):
    """The turning of singular vectors beside the gradient between them."""

    key: ClassVar[str] = "arora2019/corollary1"
    title: ClassVar[str] = "Singular vectors at rest and a diagonal gradient"
    question: ClassVar[str] = (
        "Do singular vectors stand still when and only when U'GV is diagonal, and how "
        "tightly are the two bound to one another?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="identity",
            text="The off-diagonal part of U'U. S - S V'V. is -H o (U'GV), with H_rs = "
            "(sigma_s^2 - sigma_r^2) / (sigma_s^(2/N) - sigma_r^(2/N)), never zero.",
            source="arora2019, proof of corollary 1",
        ),
        Statement(
            key="rest",
            text="If singular vectors stand still then U'GV is diagonal; for a square "
            "W with distinct singular values they do when it is.",
            source="arora2019, corollary 1; the converse by lemma 2",
        ),
        Statement(
            key="bounds",
            text="The two are within min H and max H of one another, and a pair r, s "
            "turns at between H / (r + s) and H / |r - s| times the gradient between.",
            source="own derivation, from arora2019, corollary 1",
        ),
        Statement(
            key="imbalance",
            text="Where factors are unbalanced the identity is off by at most 2 delta "
            "||G|| at depth 2.",
            source="own derivation, from arora2019, equations (4) and (5)",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 2, 10.0),
        "quick": _profile("quick", 2, 25.0),
        "paper": _profile("paper", 8, 150.0),
    }
    figure_text: ClassVar[str] = (
        "A row for depth 2 and one for depth 3. Left and middle, from the identity and "
        "from a Gaussian start: the turning of singular vectors and the off-diagonal "
        "part of U'GV over time, logarithmic, rising and falling together with the "
        "turning inside its shaded bounds, the diagonal part beside them. Right: the "
        "turning of every pair at every time over its lower bound, against the "
        "quotient of its singular values, between the curves 1 and (1 + x) / (1 - x)."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        return labelled_jobs(profile, num_seeds)

    def claims(self, collection: Collection) -> list[Verdict]:
        return [
            *(judged.identity_holds(self, collection, start) for start in STARTS),
            judged.times_are_resolved(self, collection),
            judged.sandwich_holds(self, collection),
            judged.pairs_are_in_bounds(self, collection),
            *(judged.vanish_together(self, collection, start) for start in STARTS),
            judged.vectors_stand_still(self, collection),
            judged.gradient_is_diagonal(self, collection),
            judged.balance_is_needed(self, collection),
            judged.imbalance_bounds_it(self, collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_corollary1(collection)
