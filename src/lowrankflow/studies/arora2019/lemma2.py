"""Lemma 2: how singular vectors move, measured along real trajectories."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.studies.arora2019 import lemma2_claims as judged
from lowrankflow.studies.arora2019.lemma2_jobs import (
    CENTRES,
    COMPLETIONS,
    FINE_STEP,
    NOISES,
    SCALE,
    STEP,
    labelled_jobs,
)
from lowrankflow.studies.arora2019.lemma2_picture import draw_lemma2
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _profile(name: str, seeds: int, seconds: float) -> Profile:
    shapes = COMPLETIONS[name].items()
    return Profile(
        settings={
            "problems": "5 x 5, 6 x 4, 4 x 6 of rank 2 and norm 2, two thirds "
            "observed; avoided crossings in 4 x 4, all observed",
            "shapes by depth": "; ".join(f"{d}: {', '.join(s)}" for d, s in shapes),
            "start": f"balanced, singular values {SCALE / 2:g} to {1.5 * SCALE:g}",
            "couplings": ", ".join(f"{noise:g}" for noise in NOISES),
            "derivatives": f"five points {STEP:g} apart, at {CENTRES[name]} times; "
            f"{FINE_STEP:g} apart in avoided crossings",
            "flow": "of the factors, rtol = atol = 1e-11",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs="the paper proves the lemma and runs nothing for it",
    )


class Lemma2(AbstractStudy):
    """Equations (8) and (9) beside measured derivatives, and near equal values."""

    key: ClassVar[str] = "arora2019/lemma2"
    title: ClassVar[str] = "How singular vectors move"
    question: ClassVar[str] = (
        "Do singular vectors turn as equations (8) and (9) say along whole "
        "trajectories, and what happens where two singular values are close?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="vectors",
            text="Where singular values are distinct and not zero, U' = -U (F o [U'GVS "
            "+ SV'G'U]) - (I - UU') G V (S^2)^(1/2 - 1/N), and likewise V', with "
            "F_rs = 1 / (sigma_s^(2/N) - sigma_r^(2/N)).",
            source="arora2019, lemma 2, equations (8) and (9)",
        ),
        Statement(
            key="gap",
            text="Near a gap of two values the speed of their vectors is c / (sqrt(2) "
            "gap), and so are the conditioning of the formula and, to higher powers, "
            "the error of a difference quotient.",
            source="own derivation, from arora2019, theorem 3 and lemma 2",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 2, 20.0),
        "quick": _profile("quick", 2, 20.0),
        "paper": _profile("paper", 6, 200.0),
    }
    figure_text: ClassVar[str] = (
        "Left: the error of equation (8) against the least gap of singular values, at "
        "every time of completions: small everywhere, larger where a gap is small. "
        "Middle: the speed of U around avoided crossings of four couplings, measured "
        "(points) on the curves of equation (8), the peak inverse to the coupling. "
        "Right: relative errors at the narrowest place against the gap: of three and "
        "of five points, on dotted lines of slopes -2 and -4 that are derived and not "
        "fitted, and the change of the formula when W changes by 1e-9, of slope -1."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        return labelled_jobs(profile, num_seeds)

    def claims(self, collection: Collection) -> list[Verdict]:
        return [
            judged.vectors_move_as_said(self, collection, "left"),
            judged.vectors_move_as_said(self, collection, "right"),
            judged.most_times_are_resolved(self, collection),
            judged.other_depth_fails(self, collection),
            judged.the_rest_of_space_counts(self, collection),
            judged.speed_is_over_the_gap(self, collection),
            judged.three_points_err_as_derived(self, collection),
            judged.five_points_err_as_derived(self, collection),
            *(
                judged.formula_is_ill_conditioned(self, collection, depth)
                for depth in judged.crossing_depths(collection)
            ),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_lemma2(collection)
