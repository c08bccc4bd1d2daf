"""What width of the factors, start and step do to the errors of a recovered matrix."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.gunasekar2017 import figure1_claims as judged
from lowrankflow.studies.gunasekar2017.planted import (
    PANELS,
    SWEEPS,
    planted_jobs,
    planted_profile,
)
from lowrankflow.studies.gunasekar2017.planted_measures import (
    CERTIFIED,
    METHOD,
    descent_agrees,
    every_minimum_certified,
)
from lowrankflow.studies.gunasekar2017.planted_picture import draw_errors
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WHERE = "gunasekar2017, figure 1"


class Figure1(AbstractStudy):
    """Training and reconstruction error against the width of the factors."""

    key: ClassVar[str] = "gunasekar2017/figure1"
    title: ClassVar[str] = "Width, start and step, and the recovery of a matrix"
    question: ClassVar[str] = (
        "Does descent on U U' generalize although its width excludes no matrix, and "
        "what does that take?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="fits",
            text="Once the width is at least the rank, the training error is zero, "
            "whatever the start and the step.",
            source=WHERE,
        ),
        Statement(
            key="recovers",
            text="From a small start with small steps the test error is small for "
            "every width up to n.",
            source=WHERE,
            value="own trial of one seed: 2e-4 at width 50",
        ),
        Statement(
            key="degrades",
            text="From a large start, or by exact line search, the test error grows "
            "when the width is above the rank.",
            source=WHERE,
            value="own trial of one seed at width 50: 0.447 and 0.372",
        ),
        Statement(
            key="decaying",
            text="The same holds for a truth of decaying spectrum.",
            source=WHERE,
            value="own trial of one seed at width 50: 0.255 (0.253 at the minimum of "
            "the nuclear norm), 0.459 from the large start, 0.382 by line search",
        ),
        Statement(
            key="spectral",
            text="There are global optima of the factorized problem with a large test "
            "error, such as the one that descent on X itself finds.",
            source=WHERE,
        ),
        Statement(
            key="too-few",
            text="From m = n r / 4 measurements no method reconstructs.",
            source=WHERE,
            value="own trial of one seed at width 50: 1.100, 0.994 from the large "
            "start, 1.008 by line search",
        ),
        METHOD,
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
        "reconstruction error against the width of U, below the training error. With "
        "rank 2 all curves fall to a thousandth at width 2; from there the small "
        "start stays, the large start, line search and the spectral optimum rise to "
        "some tenths. With a decaying spectrum the small start stays near the "
        "minimum of the nuclear norm, the others rise. With too few measurements all "
        "errors are about one or above. Training errors are at most a thousandth "
        "wherever the width allows a fit. Points are means over seeds, bars reach "
        "from the least to the largest."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        return planted_jobs(SWEEPS[profile], num_seeds)

    def claims(self, collection: Collection) -> list[Verdict]:
        return [
            *(judged.fits(self, collection, panel) for panel in PANELS),
            judged.small_start_recovers(self, collection),
            judged.large_start_degrades(self, collection),
            judged.line_search_degrades(self, collection),
            judged.degrades_with_width(self, collection),
            judged.decaying_near_minimum(self, collection),
            judged.decaying_degrades(self, collection, "flow"),
            judged.decaying_degrades(self, collection, "line search"),
            *(judged.spectral_is_bad(self, collection, p) for p in PANELS[:2]),
            judged.nobody_reconstructs(self, collection),
            *(descent_agrees(collection, panel, 0.02) for panel in PANELS),
            every_minimum_certified(collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_errors(collection)
