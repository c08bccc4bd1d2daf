"""Figure 3 of gunasekar2017: three paths of one flow, and ratings of films."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.problems import MOVIELENS_LICENCE
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.gunasekar2017 import figure3_claims as judged
from lowrankflow.studies.gunasekar2017.figure3_jobs import (
    DECAY,
    HELD_OUT_PER_USER,
    NORM,
    RANK,
    RATINGS_NORM,
    RATINGS_TRAINING_ERROR,
    SAMPLING_EXPONENT,
    SIZES,
    SMALLER_NORM,
    TRAINING_ERROR,
    labelled_jobs,
)
from lowrankflow.studies.gunasekar2017.figure3_picture import draw_figure3
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WHERE = "gunasekar2017, figure 3"
_TABLE = "gunasekar2017, figure 3, table of MovieLens 100K"


def _profile(name: str, seeds: int, seconds: float, differs: str) -> Profile:
    size = SIZES[name]
    enough, few = size.num_measurements
    table = "943 x 1682" if size.users is None else f"{size.users} x {size.items}"
    cut = "all" if size.users is None else "those with the most ratings"
    return Profile(
        settings={
            "planted matrices": f"n = {size.size}, Frobenius norm 1; rank {RANK}, "
            f"k^-{DECAY:g}, rank {RANK}",
            "measurements": f"{enough}, {enough} and {few}: symmetric Gaussian, "
            "entries drawn uniformly, entries (i, j) of weight "
            f"(i j)^-{SAMPLING_EXPONENT:g}",
            "start": f"Gaussian, norm of U(0) {NORM:g}; the adaptive solver also from "
            f"{SMALLER_NORM:g}",
            "steps of the exponential": f"{size.steps[0]:g} for Gaussian measurements, "
            f"{size.steps[1]:g} for entries; of descent a quarter of that",
            "adaptive solver": f"rtol = atol = {size.tolerance:g}; "
            f"{size.ratings_tolerance:g} on ratings",
            "training error at the end": f"{TRAINING_ERROR:g}; on ratings "
            f"{RATINGS_TRAINING_ERROR:g}",
            "ratings": f"{table} users and films ({cut}), {HELD_OUT_PER_USER} held out "
            f"per user; norm of the start {RATINGS_NORM:g}",
            "divisions of the ratings": size.splits,
            "certified relative gaps": f"{size.gap:g}; on ratings {size.ratings_gap:g}",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs=differs,
    )


class Figure3(AbstractStudy):
    """The nuclear norm at the end of three discretizations, and on ratings."""

    key: ClassVar[str] = "gunasekar2017/figure3"
    title: ClassVar[str] = "Three paths of the flow on U, and ratings of films"
    question: ClassVar[str] = (
        "Do the time-ordered exponential, an adaptive solver and small steps end at "
        "one nuclear norm, is it the least, and is it for entries and ratings, too?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="paths",
            text="The time-ordered exponential, an ODE solver and descent of small "
            "steps end at the same nuclear norm.",
            source=WHERE,
        ),
        Statement(
            key="close",
            text="That norm is close to the least that fits, for Gaussian measurements "
            "and for entries drawn uniformly or by a power law.",
            source=WHERE,
        ),
        Statement(
            key="above",
            text="In some panels it is visibly above the minimum.",
            source=WHERE,
            value="own trial of one panel of figure 1, m = 25: 0.661 of 0.605",
        ),
        Statement(
            key="limit",
            text="What is left is not closed by smaller starts in practical reach.",
            source="own observation, against gunasekar2017's conjecture",
        ),
        Statement(
            key="on-x",
            text="Descent on X ends far above the minimum, and above descent on U.",
            source=WHERE,
        ),
        Statement(
            key="ratings",
            text="On ratings the nuclear norm of factored descent is close to the "
            "least, far below that of descent on X, and it predicts as well.",
            source=_TABLE,
            value="least, factored, on X: test error 0.2880, 0.2631, 1.000, nuclear "
            "norm 8391, 8876, 20912 (restored from memory)",
        ),
        Statement(
            key="printed",
            text="The table's numbers are these.",
            source=_TABLE,
            value="test error 0.2880 and 0.2631, nuclear norm 8391, 8876 and 20912 "
            "(restored from memory)",
        ),
        Statement(
            key="certified",
            text="What is called the minimum of the nuclear norm has a certificate.",
            source="own check",
        ),
        Statement(
            key="fitted",
            text="Runs are compared where they fit the data equally well.",
            source="own check",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 1, 30.0, "tiny, for tests: decides nothing"),
        "quick": _profile(
            "quick",
            3,
            50.0,
            "planted matrices of size 40; ratings: the densest 150 x 250 of them, of "
            "which half are known, beside a twentieth of the whole table",
        ),
        "paper": _profile(
            "paper",
            5,
            490.0,
            "the adaptive solver stands for descent on ratings; the exponent of the "
            "power law and the steps are ours",
        ),
    }
    figure_text: ClassVar[str] = (
        "Top row: nuclear norm at the end over the certified minimum, for Gaussian "
        "measurements, uniform entries and power-law entries, and for a truth of rank "
        "2, a decaying spectrum and too few measurements. The time-ordered "
        "exponential, the adaptive solver and small steps coincide: at the minimum for "
        "rank 2, some per cent above it for the others. Descent on X is far above, but "
        "for too few entries, where it is lower. Bottom left and middle: nuclear norm "
        "and held-out error of factored descent on ratings against its training error, "
        "beside those of the minimum and of descent on X. Bottom right: what is left "
        "above the minimum from starts of norm 1e-4 and 1e-8."
    )
    data_licence: ClassVar[str] = MOVIELENS_LICENCE

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        return labelled_jobs(profile, num_seeds)

    def claims(self, collection: Collection) -> list[Verdict]:
        return [
            *judged.runs_are_what_they_should_be(self, collection),
            *judged.paths_agree(self, collection),
            *judged.flow_is_near_the_minimum(self, collection),
            *judged.descent_on_x_is_far_above(self, collection),
            *judged.ratings(self, collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_figure3(collection)
