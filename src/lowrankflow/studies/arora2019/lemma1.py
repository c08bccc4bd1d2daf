"""Lemma 1: the analytic singular value decomposition along real trajectories."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.studies.arora2019 import lemma1_claims as judged
from lowrankflow.studies.arora2019.lemma1_jobs import (
    END,
    PERTURBED,
    RECORDS,
    RUNS,
    labelled_jobs,
)
from lowrankflow.studies.arora2019.lemma1_picture import draw_lemma1
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _profile(name: str, seeds: int, seconds: float) -> Profile:
    return Profile(
        settings={
            "problems": "4 x 4 and 6 x 4, two thirds of the entries observed",
            "runs": "; ".join(f"{c}, depth {d}, {s}" for c, d, s in RUNS[name]),
            "noise that breaks the symmetry": f"{PERTURBED:g} of the norm",
            "records": f"{RECORDS[name]}, to time {END:g}",
            "flow": "of the factors, rtol = atol = 1e-11",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs="the paper proves the lemma and runs nothing for it",
    )


class Lemma1(AbstractStudy):
    """Singular vectors that go on where values cross, and signs that stay."""

    key: ClassVar[str] = "arora2019/lemma1"
    title: ClassVar[str] = "The analytic singular value decomposition"
    question: ClassVar[str] = (
        "Can U, S and V be followed smoothly through crossings of singular values, and "
        "do values keep their signs at depth 2 and more?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="analytic",
            text="W(t) = U(t) S(t) V(t)' with analytic U, S, V; the entries of S are "
            "signed and in no order.",
            source="arora2019, lemma 1",
        ),
        Statement(
            key="signs",
            text="At depth 2 and more singular values keep their signs; at depth 1 "
            "they may pass zero.",
            source="arora2019, section 3, after theorem 3",
        ),
        Statement(
            key="generic",
            text="Crossings need a structure: on generic paths singular values repel.",
            source="own remark; the space of equal values has codimension 2",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 2, 20.0),
        "quick": _profile("quick", 2, 25.0),
        "paper": _profile("paper", 10, 240.0),
    }
    figure_text: ClassVar[str] = (
        "Above, followed singular values over time: with the symmetry they cross; "
        "without it they turn away from one another; at depth 1 one passes zero while "
        "those of depths 2 and 3 from the same start stay above. Below, the change of "
        "U from record to record, logarithmic: at each crossing sorted vectors jump by "
        "2 and followed ones do not; without symmetry the two agree; and against the "
        "step the largest change of followed vectors falls linearly, that of sorted "
        "ones stays at 2."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        return labelled_jobs(profile, num_seeds)

    def claims(self, collection: Collection) -> list[Verdict]:
        judges = (
            judged.decomposition_is_exact,
            judged.path_is_resolved,
            judged.values_cross,
            judged.vectors_go_on,
            judged.sorted_vectors_jump,
            judged.sorted_jump_stays,
            judged.vectors_are_smooth,
            judged.sorted_are_not,
            judged.signs_are_kept,
            judged.plain_flow_passes_zero,
            judged.zero_is_passed_smoothly,
            judged.sizes_have_a_kink,
            judged.generic_values_do_not_cross,
            judged.generic_gap_is_resolved,
        )
        return [judge(self, collection) for judge in judges]

    def figure(self, collection: Collection) -> "Figure":
        return draw_lemma1(collection)
