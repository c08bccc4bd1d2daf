"""How close flows of depths 2, 3, 4 pass greedy learning's critical points."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021 import figure2_claims as judged
from lowrankflow.studies.li2021.figure2_picture import draw_passages
from lowrankflow.studies.li2021.passages import (
    SWEEPS,
    passages,
    passages_profile,
)
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Figure2(AbstractStudy):
    """Critical points that flows pass, and how long they rest there."""

    key: ClassVar[str] = "li2021/figure2"
    title: ClassVar[str] = "Depth, and the critical points of greedy learning"
    question: ClassVar[str] = (
        "How close do flows of depths 2, 3 and 4 pass the critical points of greedy "
        "low-rank learning, and how long do they rest there?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="greedy",
            text="Greedy low-rank learning recovers the truth in three phases.",
            source="li2021, figure 2; losses from an own independent reproduction",
        ),
        Statement(
            key="deep",
            text="The flow passes greedy learning's critical points, at the same start "
            "much closer for depths 3 and 4.",
            source="li2021, figure 2",
            value="own reproduction at w = 1e-3, seed 2: 2.84, 0.108, 0.0144",
        ),
        Statement(
            key="plateau",
            text="The deep flow leaves zero at a time of order w^-(1 - 2/L), depth 2 "
            "at ln(1/w) / (2 mu_1).",
            source="li2021, the section on deep factorizations; own derivation",
            value="exponents -1/3 and -1/2 for depths 3 and 4",
        ),
        Statement(
            key="later",
            text="Later critical points hold the flow for times of the same exponents.",
            source="own derivation: all unlearned directions start a phase at the "
            "order of the start",
        ),
        Statement(
            key="low-rank",
            text="On its way the flow has the rank of the phase, almost.",
            source="li2021, figure 2",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": passages_profile("smoke", 1, 30.0, "one instance, four scales"),
        "quick": passages_profile("quick", 3, 35.0, "flow in place of descent"),
        "paper": passages_profile("paper", 5, 90.0, "flow in place of descent"),
    }
    figure_text: ClassVar[str] = (
        "Above: closest approach to the critical points of stages 1, 2 and 3 against "
        "w; depth 2 falls slowly, depths 3 and 4 by orders of magnitude, the third "
        "being the flow's own end. Below: times at zero and at the first and second "
        "critical point against 1/w, with the predicted power laws dotted."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        return passages(SWEEPS[profile].scales, num_seeds)

    def claims(self, collection: Collection) -> list[Verdict]:
        return [
            judged.three_phases(self, collection),
            judged.table_of_losses(self, collection),
            *(judged.anchors(self, collection, depth) for depth in (2, 3, 4)),
            judged.three_beats_two(self, collection),
            judged.four_beats_three(self, collection),
            judged.shallow_escape(self, collection),
            *(judged.deep_plateau(self, collection, L, 0) for L in (3, 4)),
            *(
                judged.deep_plateau(self, collection, L, stage)
                for L in (3, 4)
                for stage in (1, 2)
            ),
            judged.low_rank(self, collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_passages(collection)
