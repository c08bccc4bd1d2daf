"""The flow at its current rank beside the dense flow: the same path?"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.scale import agreement_claims as judged
from lowrankflow.studies.scale.agreement_jobs import (
    ADMISSION,
    LOSS,
    REFERENCE_RTOL,
    RTOL,
    SIZES,
    SWEEP_RTOL,
    labelled_jobs,
)
from lowrankflow.studies.scale.agreement_picture import draw_pairs
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_OWN = "own; the method is `AdaptiveRankFlow`"


def _profile(name: str, seeds: int, seconds: float, differs: str) -> Profile:
    size = SIZES[name]
    return Profile(
        settings={
            "rectangles": f"{size.short} x {size.long} and its transpose, rank "
            f"{size.rank}, {size.observed} entries; starts aligned and balanced",
            "p.s.d.": f"{size.psd} x {size.psd}, rank {size.rank}, "
            f"{size.psd_observed} pairs; start identity",
            "depths": ", ".join(map(str, size.depths)),
            "init_scale": ", ".join(f"{scale:g}" for scale in size.starts),
            "adaptive flow": f"admission_tolerance = {ADMISSION:g}, rtol = atol = "
            f"{RTOL:g} ({SWEEP_RTOL:g} where the tolerance is swept)",
            "dense flow": f"rtol = atol = {REFERENCE_RTOL:g}",
            "end": f"loss {LOSS:g}",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs=differs,
    )


class Agreement(AbstractStudy):
    """Distances between the adaptive and the dense flow, from the same starts."""

    key: ClassVar[str] = "scale/agreement"
    title: ClassVar[str] = "The flow at its current rank beside the dense flow"
    question: ClassVar[str] = (
        "Does a flow that follows only the directions that have left the start go "
        "where the flow of full-dimensional factors goes?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="same",
            text="The path is the dense flow's, whatever depth, scale and start.",
            source=_OWN,
        ),
        Statement(
            key="errors",
            text="So are the errors along it.",
            source=_OWN,
        ),
        Statement(
            key="tolerance",
            text="What differs is what is left out: a tighter tolerance, a nearer "
            "path.",
            source=_OWN,
        ),
        Statement(
            key="stages",
            text="From a small start the flow of depth 3 follows greedy low-rank "
            "learning.",
            source="li2021, theorem 5.1 and section 6",
        ),
        Statement(
            key="few",
            text="With depth only about as many directions leave the start as the "
            "truth has.",
            source="arora2019, theorem 3 and figure 3",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 1, 60.0, "tiny, for tests: decides nothing"),
        "quick": _profile("quick", 1, 120.0, "one scale, depths 2 and 3, one seed"),
        "paper": _profile("paper", 1, 600.0, "no paper has it"),
    }
    figure_text: ClassVar[str] = (
        "Above, left: relative error along the path, a line for the dense flow and "
        "marks for the adaptive one on top of it, by depth. Middle: distances from the "
        "critical points of greedy learning against time at depth 3; both flows pass "
        "one after the other. Right: how many directions are followed, by start and "
        "depth; as many as the truth has beyond depth 2. Below: distances of paths and "
        "of ends in per cent for each problem, start and depth with their bounds, and "
        "how both fall with the admission tolerance."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        return labelled_jobs(profile, num_seeds)

    def claims(self, collection: Collection) -> list[Verdict]:
        return [
            *judged.curves_agree(self, collection),
            *judged.ends_agree(self, collection),
            *judged.errors_agree(self, collection),
            *judged.tightening_helps(self, collection),
            *judged.stages_are_the_same(self, collection),
            *judged.few_are_followed(self, collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_pairs(collection)
