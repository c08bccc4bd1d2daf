r"""Figure 4: every completion problem of the exhaustive 3 x 3 grid.

Four of the six entries of a symmetric 3 x 3 matrix observed, in all 15 ways, with ten
values each: 150,000 problems, of which 31,350 have a p.s.d. completion. On each of
these the flow of U U' from random starts, greedy low-rank learning, and the least
trace with its proof.
"""

import dataclasses
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.dynamics import GradientFlow, GreedyLowRank
from lowrankflow.simulation import GridJob
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.gunasekar2017 import figure4_claims as judged
from lowrankflow.studies.gunasekar2017.figure4_picture import draw_figure4
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

FLOW = GradientFlow(rtol=1e-6, atol=1e-6)
GREEDY = GreedyLowRank(
    rtol=1e-6,
    atol=1e-6,
    seed_scale=1e-14,
    # Slower paces let rounding break the symmetry of instances that have one.
    stage_tolerance=1e-8,
    optimality_tolerance=1e-5,
)
RESIDUAL = 1e-8
WHERE = "gunasekar2017, section 5 and figure 4"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sweep:
    """What a profile runs.

    Args:
        masks: of the grid.
        starts: ||U_0||_F.
    """

    masks: tuple[int, ...]
    starts: tuple[float, ...]


_PAPER = (1.0, 1e-3, 1e-5)
SWEEPS = {
    # One mask of each kind.
    "smoke": Sweep(masks=(1, 3, 4, 5), starts=(*_PAPER, 1e-32)),
    "quick": Sweep(masks=tuple(range(15)), starts=(*_PAPER, 1e-16, 1e-32)),
    "paper": Sweep(
        masks=tuple(range(15)), starts=(*_PAPER, 1e-8, 1e-16, 1e-32, 1e-64, 1e-100)
    ),
}


def _profile(name: str, seeds: int, seconds: float, differs: str) -> Profile:
    sweep = SWEEPS[name]
    return Profile(
        settings={
            "masks": len(sweep.masks),
            "||U_0||_F": ", ".join(f"{size:g}" for size in sweep.starts),
            "flow": "adaptive, rtol = atol = 1e-6, to a relative residual of 1e-8",
            "greedy learning": "seed 1e-14, stages to a pace of 1e-8",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs=differs,
    )


class Figure4(AbstractStudy):
    """The exhaustive grid, all of it."""

    key: ClassVar[str] = "gunasekar2017/figure4"
    title: ClassVar[str] = "Every 3 x 3 completion problem of a grid"
    question: ClassVar[str] = (
        "On every problem of the grid, does the flow from ever smaller starts end at "
        "the least trace?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="minimum",
            text="The least trace of every instance is known, to compare with.",
            source=WHERE,
        ),
        Statement(
            key="fit",
            text="The flow ends at a global minimum of the loss.",
            source=WHERE,
        ),
        Statement(
            key="most",
            text="From small starts most instances end at nearly the least trace.",
            source=WHERE,
        ),
        Statement(
            key="large",
            text="From large starts the deviations are clearly larger.",
            source=WHERE,
        ),
        Statement(
            key="maximum",
            text="From small starts the largest deviation is within numerical error.",
            source=WHERE,
        ),
        Statement(
            key="conjecture",
            text="As the start tends to 0 the flow's end tends to the least trace.",
            source="gunasekar2017, the conjecture",
        ),
        Statement(
            key="greedy",
            text="As the start tends to 0 the flow's end tends to that of greedy "
            "low-rank learning.",
            source="li2021, section 5",
        ),
        Statement(
            key="limit",
            text="The limit of the flow's end as the start tends to 0 exists.",
            source="gunasekar2017, the conjecture (its hypothesis)",
        ),
        Statement(
            key="E2",
            text="One instance of the grid tends to a point 29.7 % above its minimum.",
            source="own derivation",
            value="trace 2.930324, least 61/27",
        ),
        Statement(
            key="observed",
            text="Where the diagonal is observed the trace is given.",
            source="own check",
        ),
    )
    profiles: ClassVar["Mapping[str, Profile]"] = {
        "smoke": _profile("smoke", 1, 15.0, "four of the fifteen masks"),
        "quick": _profile("quick", 1, 30.0, "one random start for each instance"),
        "paper": _profile("paper", 3, 140.0, "starts below 1e-5 beside the paper's"),
    }
    figure_text: ClassVar[str] = (
        "Five histograms, with a logarithmic axis of counts, of how far the 31,350 "
        "instances end above their least trace: from starts of norm 1, 1e-3, 1e-5, the "
        "smallest, and greedy learning. From 1 the tail is long; from 1e-3 it is "
        "shortest; from the smallest start and for greedy learning it is long again. "
        "Last: the share of instances above 1 %, 10 % and 50 % against the start, "
        "least near 1e-3 and then rising towards that of greedy learning."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        sweep = SWEEPS[profile]
        flows = [
            LabelledJob(
                axes={
                    "method": "flow",
                    "mask": mask,
                    "frobenius_norm": size,
                    "seed": seed,
                },
                job=GridJob(
                    mask=mask,
                    dynamics=FLOW,
                    residual_tolerance=RESIDUAL,
                    frobenius_norm=size,
                    seed=seed,
                ),
            )
            for size in sweep.starts
            for seed in range(num_seeds)
            for mask in sweep.masks
        ]
        greedy = [
            LabelledJob(
                axes={"method": "greedy", "mask": mask},
                job=GridJob(mask=mask, dynamics=GREEDY, residual_tolerance=RESIDUAL),
            )
            for mask in sweep.masks
        ]
        return [*flows, *greedy]

    def claims(self, collection: Collection) -> list[Verdict]:
        return [
            judged.minimum_is_proved(self, collection),
            judged.flows_fit(self, collection),
            *(judged.most_are_near(self, collection, size) for size in (1e-3, 1e-5)),
            judged.large_starts_are_worse(self, collection),
            judged.maximum_is_numerical(self, collection),
            judged.conjecture_holds(self, collection),
            judged.smaller_is_closer(self, collection),
            judged.greedy_tells(self, collection),
            judged.greedy_settles(self, collection),
            judged.known_instance(self, collection),
            judged.observed_trace(self, collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_figure4(collection)
