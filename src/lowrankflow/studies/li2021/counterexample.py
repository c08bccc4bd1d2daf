r"""The 4 x 4 instance on which gradient flow does not go to the minimum nuclear norm.

Observed are W_13 = 1, W_14 = R, W_23 = R and their mirror images. Two completions
compete: M_norm of rank 2 and trace 4 R, the minimum of the nuclear norm, and M_rank =
v v', v = (1, R, 1, R), of rank 1 and trace 2 R^2 + 2.
"""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021 import counterexample_claims as judged
from lowrankflow.studies.li2021.counterexample_figure import draw_counterexample
from lowrankflow.studies.li2021.counterexample_jobs import (
    descent,
    fixed,
    flows,
    random_flows,
    rectangles,
)
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sweep:
    """What a profile runs.

    Args:
        shallow: scales of the starts at depth 2.
        deep: scales at depths 3 and 4.
        unreachable: pairs of a depth and its scales for R = 100.
        parameters: R of greedy learning and the certified minimum.
    """

    shallow: tuple[float, ...]
    deep: tuple[float, ...]
    unreachable: Mapping[int, tuple[float, ...]]
    parameters: tuple[float, ...]


_QUICK = Sweep(
    shallow=(1e-1, 1e-2, 1e-4, 1e-8, 1e-12, 1e-16, 1e-24, 1e-32),
    deep=(1e-1, 1e-2, 1e-3, 1e-4, 1e-6),
    unreachable={
        2: (1e-2, 1e-16, 1e-100, 1e-300),
        3: (1e-2, 1e-3, 1e-4, 1e-6, 1e-8),
        4: (1e-2, 1e-3, 1e-4, 1e-6, 1e-8),
    },
    parameters=(2.0, 3.0, 10.0, 100.0),
)
SWEEPS = {
    "smoke": Sweep(
        shallow=(1e-1, 1e-4, 1e-32),
        deep=(1e-1, 1e-4),
        unreachable={2: (1e-2, 1e-300), 4: (1e-2, 1e-6)},
        parameters=(2.0, 3.0, 100.0),
    ),
    "quick": _QUICK,
    "paper": dataclasses.replace(
        _QUICK,
        shallow=(*_QUICK.shallow, 1e-6, 1e-10, 1e-48, 1e-64, 1e-128, 1e-200),
        deep=(*_QUICK.deep, 1e-5, 1e-8, 1e-10, 1e-12),
        unreachable={
            2: (1e-2, 1e-4, 1e-8, 1e-16, 1e-32, 1e-64, 1e-100, 1e-200, 1e-300),
            3: (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10, 1e-12),
            4: (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8),
        },
    ),
}
# Flows reach the limit for these; the paper's own instance is R = 100.
REACHABLE = (2.0, 3.0)
WHERE = "li2021, the counter-example (the paper has R = 100)"


def _profile(name: str, seeds: int, seconds: float, differs: str) -> Profile:
    sweep = SWEEPS[name]
    return Profile(
        settings={
            "R": "2 and 3 for flows to their limit, "
            + ", ".join(f"{R:g}" for R in sweep.parameters)
            + " for greedy learning, 100 for flows out of reach",
            "init_scale, depth 2": ", ".join(f"{s:g}" for s in sweep.shallow),
            "init_scale, depths 3 and 4": ", ".join(f"{s:g}" for s in sweep.deep),
            "flow": "adaptive, rtol = atol = 1e-6, to a loss of 1e-12",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs=differs,
    )


class Counterexample(AbstractStudy):
    """The counter-example to the nuclear-norm conjecture, and its neighbours."""

    key: ClassVar[str] = "li2021/counterexample"
    title: ClassVar[str] = "A 4 x 4 counter-example to the nuclear-norm conjecture"
    question: ClassVar[str] = (
        "As the start shrinks, does gradient flow end at the least nuclear norm or at "
        "the least rank?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="refutation",
            text="The flow from an infinitesimal start of full rank does not end at a "
            "solution of least nuclear norm: the conjecture of gunasekar2017 is false.",
            source=WHERE,
            value="excess (2 R^2 + 2) / (4 R) - 1: 0.25 and 0.667 for R = 2 and 3",
        ),
        Statement(
            key="minimum",
            text="The least nuclear norm of a p.s.d. completion is 4 R.",
            source=WHERE,
            value="400 for R = 100",
        ),
        Statement(
            key="greedy",
            text="Greedy low-rank learning ends after one stage at the completion of "
            "rank 1, whose nuclear norm is 2 R^2 + 2.",
            source=WHERE,
            value="20002 for R = 100",
        ),
        Statement(
            key="flow",
            text="From W(0) = alpha W_0 of full rank the flow's end tends to greedy "
            "learning's as alpha tends to 0.",
            source="li2021, the theorem on ends after one stage",
        ),
        Statement(
            key="depth",
            text="Depth 3 and more depend on the start's scale far less, so that the "
            "limit shows at practical scales.",
            source="li2021, the section on deep factorizations",
        ),
        Statement(
            key="generalization",
            text="The instance is the lifting of the 2 x 2 completion "
            "[[1, R], [R, ?]], whose two-factor flow goes to rank 1, too.",
            source="own derivation, from li2021's instance",
        ),
        Statement(
            key="misleading",
            text="At scales in common use the flow of depth 2 looks as if the "
            "conjecture held, on the very instance that refutes it.",
            source="own observation",
        ),
        Statement(
            key="method",
            text="Where the flow stands for descent of a fixed step, both end at the "
            "same matrix.",
            source="own check",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 2, 15.0, "three scales and two seeds only"),
        "quick": _profile("quick", 5, 25.0, "flows with R = 2 and 3 beside R = 100"),
        "paper": _profile("paper", 10, 60.0, "flows with R = 2 and 3 beside R = 100"),
    }
    figure_text: ClassVar[str] = (
        "Left: final nuclear norm against the scale of the start, R = 2, for depths 2, "
        "3 and 4; all rise from the certified minimum 8 to greedy learning's 10 as the "
        "scale falls, depths 3 and 4 at far larger scales. Middle: relative distance "
        "from the completion of rank 1, R = 3, falling with the scale. Right: the same "
        "as left for R = 100, where depth 2 stays near the minimum 400 down to 1e-300 "
        "and depth 4 comes to 20002 from 1e-8."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        sweep = SWEEPS[profile]
        jobs = fixed(sweep.parameters)
        for R in REACHABLE:
            jobs += flows(R, 2, sweep.shallow)
            jobs += random_flows(R, sweep.shallow, num_seeds)
            for depth in (3, 4):
                jobs += flows(R, depth, sweep.deep)
        for depth, scales in sweep.unreachable.items():
            # R^2 is the size of the squares in the loss.
            jobs += flows(100.0, depth, scales, loss=1e-8)
        jobs += rectangles(REACHABLE[0], sweep.shallow, num_seeds)
        return [*jobs, descent(REACHABLE[0])]

    def claims(self, collection: Collection) -> list[Verdict]:
        return [
            judged.minimum_is_certified(self, collection),
            judged.greedy_ends_at_rank_one(self, collection),
            *(judged.refutation(self, collection, R) for R in REACHABLE),
            *(judged.ends_at_rank_one(self, collection, R) for R in REACHABLE),
            judged.smaller_is_further(self, collection),
            judged.large_starts_mislead(self, collection),
            judged.depth_needs_less(self, collection),
            judged.shallow_cannot_reach_100(self, collection),
            judged.deep_reaches_further(self, collection),
            judged.block_goes_to_rank_one(self, collection),
            judged.descent_agrees(self, collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_counterexample(collection)
