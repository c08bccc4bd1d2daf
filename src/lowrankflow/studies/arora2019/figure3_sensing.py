"""The twin of figure 3 of arora2019 with Gaussian measurements in place of entries."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.studies.arora2019 import (
    figure3_claims as judged,
    figure3_onsets as onsets,
)
from lowrankflow.studies.arora2019.figure3_jobs import (
    DEPTHS,
    INIT_SCALE,
    LEARNING_RATE,
    RANK,
)
from lowrankflow.studies.arora2019.figure3_picture import (
    draw_alignment,
    draw_errors_of,
    draw_onsets,
    draw_spectrum,
)
from lowrankflow.studies.arora2019.figure3_sensing_jobs import (
    SENSING,
    SIZES,
    labelled_jobs,
)
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.style import panels
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SOURCE = "own question: what figure 3 of arora2019 shows, where entries are observed"


def _profile(name: str, seeds: int, seconds: float, differs: str) -> Profile:
    size = SIZES[name]
    return Profile(
        settings={
            "matrix": f"{size.size} x {size.size}, rank {RANK}",
            "measurements": f"{size.measurements}, Gaussian, of variance 1",
            "start": f"identity, W(0) = {INIT_SCALE:g} I",
            "flow": f"adaptive, rtol = atol = {size.tolerance:g}",
            "clock": f"an iteration is a step of {LEARNING_RATE:g} on the mean of the "
            "squared residuals",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs=differs,
    )


class Figure3Sensing(AbstractStudy):
    """Singular values and vectors along training on Gaussian measurements."""

    key: ClassVar[str] = "arora2019/figure3-sensing"
    title: ClassVar[str] = "Singular values along training, from Gaussian measurements"
    question: ClassVar[str] = (
        "Do singular values rise one after another, and align with the gradient, where "
        "every measurement is of the whole matrix?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="together",
            text="With one factor the singular values grow together.",
            source=_SOURCE,
        ),
        Statement(
            key="gaps",
            text="Depth enhances the growth of large singular values and attenuates "
            "that of small ones, the more the deeper: gaps between them grow.",
            source=_SOURCE,
        ),
        Statement(
            key="order",
            text="With depth singular values rise one after another, from the largest, "
            "and the more sharply the deeper.",
            source=_SOURCE,
        ),
        Statement(
            key="onset",
            text="Depth 3 stays at its start for longer than depth 2, then jumps.",
            source=_SOURCE,
        ),
        Statement(
            key="errors",
            text="The deeper, the lower the test error.",
            source=_SOURCE,
        ),
        Statement(
            key="alignment",
            text="While W moves its singular vectors are aligned with the gradient.",
            source="arora2019, corollary 1",
        ),
        Statement(
            key="law",
            text="A singular value moves at the rate -N sigma^(2-2/N) <grad, u v'>.",
            source="arora2019, theorem 3, equation (7)",
        ),
        Statement(
            key="onsets",
            text="When each singular value rises follows from that rate.",
            source="own consequence of arora2019, theorem 3",
        ),
        Statement(
            key="fourth",
            text="A fourth factor carries on what the second and third began.",
            source="own question",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 1, 10.0, "tiny, for tests: decides nothing"),
        "quick": _profile(
            "quick",
            3,
            30.0,
            "40 x 40 with as many measurements for each degree of freedom; the flow in "
            "place of descent",
        ),
        "paper": _profile("paper", 3, 300.0, "the flow in place of descent"),
    }
    figure_text: ClassVar[str] = (
        "Top: the ten largest singular values against iterations at depths 1 to 4, of "
        "the first seed. At depth 1 all rise at about one time, from depth 2 on five "
        "rise one after another above the others. "
        "Bottom: mean entries of |U' grad V| on the "
        "diagonal and off it at depth 2, with their standard deviations; the least "
        "error over all entries by depth; when the law of theorem 3 has each singular "
        "value rise, over when it does."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        return labelled_jobs(profile, num_seeds)

    def claims(self, collection: Collection) -> list[Verdict]:
        named = {SENSING: "sensing problem"}
        return [
            judged.depth_one_rises_together(self, collection, SENSING),
            *judged.gaps_grow_with_depth(self, collection, SENSING),
            *judged.rises_come_one_by_one(self, collection, SENSING),
            *judged.depth_three_starts_later(self, collection, SENSING),
            *judged.errors_fall_with_depth(self, collection, SENSING),
            *judged.gradient_is_aligned(self, collection, named),
            *judged.law_holds(self, collection, SENSING),
            *onsets.onsets_obey_the_law(self, collection, SENSING),
        ]

    def figure(self, collection: Collection) -> "Figure":
        figure, rows = panels(2, 4, height=4.4)
        for axes, depth in zip(rows[0], DEPTHS, strict=True):
            draw_spectrum(axes, collection, SENSING, depth, is_log=False)
            axes.set(title=f"depth {depth}", xlabel="iterations / 1000")
        rows[0][0].set_ylabel("singular values")
        alignment, errors, rises, empty = rows[1]
        draw_alignment(alignment, collection, SENSING)
        alignment.set(title="depth 2", xlabel="iterations / 1000")
        alignment.set_ylabel(r"entries of $|U^\top \nabla \ell\, V|$")
        draw_errors_of(errors, collection, SENSING)
        draw_onsets(rises, collection, SENSING)
        empty.set_axis_off()
        return figure
