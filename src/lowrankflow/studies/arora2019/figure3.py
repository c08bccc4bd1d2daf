"""Figure 3 of arora2019: singular values and singular vectors along training."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.problems import MOVIELENS_LICENCE
from lowrankflow.studies.arora2019 import (
    figure3_claims as judged,
    figure3_onsets as onsets,
    figure3_ratings as ratings,
)
from lowrankflow.studies.arora2019.figure3_jobs import (
    INIT_SCALE,
    LEARNING_RATE,
    RANK,
    SIZES,
    SYNTHETIC,
    labelled_jobs,
)
from lowrankflow.studies.arora2019.figure3_picture import draw_figure3
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TOP = "arora2019, figure 3, top"
_BOTTOM = "arora2019, figure 3, bottom"
_FLOW_FOR_DESCENT = (
    "the flow at equal times stands for descent with a step of 0.1, which is run "
    "beside it on the synthetic problem"
)


def _profile(name: str, seeds: int, seconds: float, differs: str) -> Profile:
    size = SIZES[name]
    table = "943 x 1682" if size.users is None else f"{size.users} x {size.items}"
    cut = "all" if size.users is None else "those with the most ratings"
    settings: dict[str, str | int | float] = {
        "synthetic matrix": f"{size.size} x {size.size}, rank {RANK}",
        "observed entries": size.observed,
        "ratings": f"{table} users and films ({cut}), {size.ratings} observed, "
        "the others held out",
        "divisions of the ratings": size.splits,
        "start": f"identity, W(0) = {INIT_SCALE:g} I; hidden widths min(rows, cols)",
        "flow": f"adaptive, rtol = atol = {size.tolerance:g}",
        "clock": f"an iteration is a step of {LEARNING_RATE:g} on the mean of the "
        "squared residuals: 2 lr / m of the time of the loss with the sum",
    }
    if size.distinct:
        settings["distinct entries of 2000 drawn with replacement"] = size.distinct
    return Profile(
        settings=settings,
        num_seeds=seeds,
        expected_seconds=seconds,
        differs=differs,
    )


class Figure3(AbstractStudy):
    """How singular values and singular vectors move at depths 1, 2, 3 and 4."""

    key: ClassVar[str] = "arora2019/figure3"
    title: ClassVar[str] = "Singular values along training, on made and real data"
    question: ClassVar[str] = (
        "Does depth make large singular values grow faster and small ones slower, one "
        "after another, and do singular vectors align with the gradient?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="together",
            text="With one factor the singular values grow together.",
            source=_TOP,
            value="at 30,000 iterations 11.7 (first) and 6.9 (tenth), read off",
        ),
        Statement(
            key="gaps",
            text="Depth enhances the growth of large singular values and attenuates "
            "that of small ones, the more the deeper: gaps between them grow.",
            source="arora2019, section 3, theorem 3, and figure 3",
            value="fifth and sixth: 25 and 6 at depth 2, 33 and 0.3 at depth 3, "
            "read off",
        ),
        Statement(
            key="order",
            text="With depth singular values rise one after another, from the largest, "
            "and the more sharply the deeper.",
            source=_TOP,
            value="depth 3 near 8500, 9800, 11,000, 12,800 and 15,500 iterations, "
            "read off",
        ),
        Statement(
            key="onset",
            text="Depth 3 stays at its start for longer than depth 2, then jumps.",
            source=_TOP,
            value="4000 to 6000 and 8500 iterations, read off",
        ),
        Statement(
            key="onsets",
            text="When each singular value rises follows from that rate.",
            source="own consequence of arora2019, theorem 3",
        ),
        Statement(
            key="fourth",
            text="A fourth factor carries on what the second and third began.",
            source="own question: the paper's figure 3 ends at depth 3",
        ),
        Statement(
            key="errors",
            text="The deeper, the lower the test error.",
            source=_TOP,
            value="0.81955, 0.09883 and 0.0016707 at depths 1, 2 and 3, printed in "
            "the authors' notebook",
        ),
        Statement(
            key="printed",
            text="The least test errors along training are these.",
            source=_TOP,
            value="0.81955, 0.09883 and 0.0016707 at depths 1, 2 and 3, printed; "
            "that the 2000 entries were drawn with replacement is inferred",
        ),
        Statement(
            key="alignment",
            text="While W moves its singular vectors are aligned with the gradient: "
            "the entries of U' grad V off the diagonal are far smaller than those on "
            "it.",
            source="arora2019, corollary 1 and figure 3, right column",
        ),
        Statement(
            key="law",
            text="A singular value moves at the rate -N sigma^(2-2/N) <grad, u v'>.",
            source="arora2019, theorem 3, equation (7)",
            value="exponents 0, 1 and 4/3 at depths 1, 2 and 3",
        ),
        Statement(
            key="ratings",
            text="On ratings of films, too, depth lowers the test error.",
            source=_BOTTOM,
            value="13.72807, 1.44978 and 1.39761 at depths 1, 2 and 3, printed in "
            "the authors' notebook",
        ),
        Statement(
            key="method",
            text="The flow may stand for descent with the paper's fixed step.",
            source="own check",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 1, 15.0, "tiny, for tests: decides nothing"),
        "quick": _profile(
            "quick",
            3,
            75.0,
            "ratings: the densest 150 x 250 of them, as many observed per row and "
            f"column as in the paper; {_FLOW_FOR_DESCENT}",
        ),
        "paper": _profile("paper", 3, 2700.0, f"{_FLOW_FOR_DESCENT}; three seeds"),
    }
    figure_text: ClassVar[str] = (
        "Top row, the synthetic problem of rank 5, as in the paper: the ten largest "
        "singular values against iterations at depths 1, 2 and 3, and mean entries of "
        "|U' grad V| on the diagonal and off it with their standard deviations at "
        "depth 2. At depth 1 all values rise together; at depth 2 five rise above the "
        "others one after another; at depth 3 each of the five jumps at its own time "
        "and the others stay near zero. Middle row: the same for ratings, on a "
        "logarithmic axis. Bottom row, ours: depth 4 on both data; the least test "
        "error by depth, beside the numbers of the paper; when the law of theorem 3 "
        "has each of the five values rise, over when it does, for all seeds."
    )
    data_licence: ClassVar[str] = MOVIELENS_LICENCE

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        return labelled_jobs(profile, num_seeds)

    def claims(self, collection: Collection) -> list[Verdict]:
        real = ratings.data_of_ratings(collection)
        return [
            judged.depth_one_rises_together(self, collection),
            *judged.gaps_grow_with_depth(self, collection),
            *judged.rises_come_one_by_one(self, collection),
            *judged.depth_three_starts_later(self, collection),
            *judged.errors_fall_with_depth(self, collection),
            *judged.errors_are_those_printed(self, collection),
            *judged.gradient_is_aligned(
                self,
                collection,
                {SYNTHETIC: "synthetic problem", real: "ratings"},
            ),
            *judged.law_holds(self, collection),
            *onsets.onsets_obey_the_law(self, collection),
            *ratings.ratings_are_fitted_by_depth(self, collection),
            *judged.descent_agrees(self, collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_figure3(collection)
