"""The nuclear norm that descent on the factors ends at, against the least there is."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.gunasekar2017 import figure2_claims as judged
from lowrankflow.studies.gunasekar2017.planted import (
    PANELS,
    SWEEPS,
    planted_jobs,
    planted_profile,
)
from lowrankflow.studies.gunasekar2017.planted_measures import (
    CERTIFIED,
    every_minimum_certified,
)
from lowrankflow.studies.gunasekar2017.planted_picture import draw_norms
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WHERE = "gunasekar2017, figure 2"
# The panels in which the truth is not the minimum of the nuclear norm.
APART = PANELS[1:]


class Figure2(AbstractStudy):
    """Nuclear norm of the solutions against the width of the factors."""

    key: ClassVar[str] = "gunasekar2017/figure2"
    title: ClassVar[str] = "Width, start and step, and the nuclear norm"
    question: ClassVar[str] = (
        "Does descent on U U' from a small start end at the least nuclear norm?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="minimum",
            text="The nuclear norm reached from a small start with small steps is "
            "(almost) the least that fits, at every width, with enough measurements "
            "and with too few.",
            source=WHERE,
            value="own trial of one seed at width 50: 1.4077 of 1.40765, 1.604 of "
            "1.5999 (stopped at a training error of 0.036), 0.6606 of 0.6051",
        ),
        Statement(
            key="above",
            text="From a large start, by exact line search, and by descent on X it is "
            "larger.",
            source=WHERE,
            value="own trial: 2.262, 2.256 and 1.357 from the large start",
        ),
        Statement(
            key="conjecture",
            text="As the start shrinks, the limit is the minimum of the nuclear norm.",
            source="gunasekar2017, the conjecture",
        ),
        Statement(
            key="away",
            text="Where the truth is not the minimum itself, smaller starts end at "
            "larger nuclear norms: 1e-4 is near the minimum because it is not small.",
            source="own observation",
        ),
        Statement(
            key="early",
            text="Stopped at a training error of 0.036, the flow has the nuclear norm "
            "of the minimum; to fit, it goes on to a larger one.",
            source="own observation",
            value="own trial of one seed: 1.604 of 1.5999 at a training error of 0.036",
        ),
        CERTIFIED,
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": planted_profile("smoke", 2, 15.0, "n = 10, one width"),
        "quick": planted_profile(
            "quick", 3, 35.0, "few widths; flow in place of descent"
        ),
        "paper": planted_profile("paper", 5, 150.0, "flow in place of descent"),
    }
    figure_text: ClassVar[str] = (
        "Three panels: rank 2, decaying spectrum, too few measurements. Above the "
        "nuclear norm at the end against the width of U, with the certified minimum "
        "as a dashed line: the small start is on it with rank 2 and slightly above it "
        "in the others, the large start, line search and the spectral optimum are far "
        "above; below width 7 the decaying truth cannot be fitted. Below, at width n, "
        "the percentage above the minimum against the norm of the start: zero with "
        "rank 2, and growing again as the start shrinks below 1e-4 in the others."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        return planted_jobs(SWEEPS[profile], num_seeds)

    def claims(self, collection: Collection) -> list[Verdict]:
        return [
            *(judged.on_the_minimum(self, collection, panel) for panel in PANELS),
            *(judged.near_the_minimum(self, collection, panel) for panel in PANELS),
            *(judged.large_start_is_above(self, collection, p) for p in PANELS),
            *(
                judged.far_above(self, collection, panel, name)
                for panel in PANELS
                for name in ("the large start", "exact line search", "descent on X")
            ),
            *(judged.limit_is_the_minimum(self, collection, p) for p in PANELS),
            *(judged.smaller_is_further(self, collection, p) for p in APART),
            judged.early_is_on_the_minimum(self, collection),
            every_minimum_certified(collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_norms(collection)
