"""Statements of li2021 that are exact, and its later stages, along real trajectories.

The first stage and its rates are a study of their own, `li2021/escape`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021 import theorems_claims as judged, theorems_jobs as runs
from lowrankflow.studies.li2021.escape_jobs import labelled
from lowrankflow.studies.li2021.theorems_figure import draw_theorems
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# -log10 of eps, of the starts near W_1.
LATER = {
    "smoke": (8.0, 12.0),
    "quick": (6.0, 8.0, 10.0, 12.0),
    "paper": (6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0),
}


def _profile(name: str, seeds: int, seconds: float) -> Profile:
    return Profile(
        settings={
            "problems": "symmetric 6 x 6 of rank 3, 16 of 21 entries observed; "
            "rectangles 3 x 4 of rank 1, 8 of 12 observed",
            "flow": "adaptive, rtol = atol = 1e-11",
            "eps": ", ".join(f"1e-{x:g}" for x in LATER[name]),
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs="the paper proves these statements and runs nothing for them",
    )


class Theorems(AbstractStudy):
    """Closed forms, what the flow keeps, ends of stages, lifting."""

    key: ClassVar[str] = "li2021/theorems"
    title: ClassVar[str] = "Closed forms, ends of stages and lifting"
    question: ClassVar[str] = (
        "Do trajectories obey the paper's exact statements, and are the ends of stages "
        "what the theory says?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="closed",
            text="The flow has a closed form for a linear loss and where all entries "
            "are observed.",
            source="li2021, the warm-up examples",
        ),
        Statement(
            key="kept",
            text="The flow keeps the rank of W and its positive semidefiniteness.",
            source="li2021, the section on the flow of W",
        ),
        Statement(
            key="root",
            text="From a balanced p.s.d. start of depth L, M = W^(2/L) moves as M' = "
            "-(grad f(W) W + W grad f(W)).",
            source="li2021, the section on deep factorizations",
        ),
        Statement(
            key="lifting",
            text="A rectangular problem is the p.s.d. problem of its lifting: same "
            "flow, same greedy learning.",
            source="li2021, the section on asymmetric factorizations",
        ),
        Statement(
            key="optimality",
            text="A stationary p.s.d. W is a global minimizer of a convex f if and "
            "only if -grad f(W) has no positive eigenvalue; greedy learning goes on "
            "until then.",
            source="li2021, algorithm 1 and the theorem on its end",
        ),
        Statement(
            key="minimizer",
            text="Every stage ends at a local minimizer among matrices of its rank.",
            source="li2021, the assumption on critical points",
        ),
        Statement(
            key="later",
            text="Near a local minimizer W_1 with positive alignment to v_1, paths "
            "shifted by ln(1/<W, v_1 v_1'>) / (2 mu_1) tend to the path of the next "
            "stage.",
            source="li2021, the theorem on later stages",
        ),
        Statement(
            key="later-rate",
            text="Their error is eps^gamma with the gap at W_1.",
            source="own guess, as in the first stage",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 2, 20.0),
        "quick": _profile("quick", 5, 25.0),
        "paper": _profile("paper", 20, 90.0),
    }
    figure_text: ClassVar[str] = (
        "Left: relative differences from closed forms and between flows that are to be "
        "the same, one point per seed, at 1e-8 and below. Middle: the largest "
        "eigenvalue of -grad f at the end of every stage of greedy learning, one curve "
        "per seed, falling below the dotted 1e-6 at the last. Right: distance of paths "
        "near W_1 from the path of the second stage against eps, with dotted slopes "
        "gamma."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        jobs = []
        for seed in range(num_seeds):
            for loss, times in judged.TIMES.items():
                for time in times:
                    axes = {"case": "closed", "loss": loss, "time": time}
                    jobs.append(labelled(runs.closed(loss, time, seed), seed, **axes))
            for flow in judged.FLOWS:
                for rank in judged.RANKS:
                    axes = {"case": "rank", "flow": flow, "rank": rank}
                    jobs.append(labelled(runs.of_rank(flow, rank, seed), seed, **axes))
            for depth in judged.DEPTHS:
                for flow in ("factors", "root"):
                    axes = {"case": "root", "flow": flow, "depth": depth}
                    jobs.append(labelled(runs.deep(flow, depth, seed), seed, **axes))
            for kind in ("rectangle", "lifting"):
                axes = {"case": "lift", "kind": kind}
                jobs.append(labelled(runs.lifted(kind, seed), seed, **axes))
                axes = {"case": "lift-greedy", "kind": kind}
                jobs.append(labelled(runs.lifted_greedy(kind, seed), seed, **axes))
            for rank in (0, *judged.RANKS):
                axes = {"case": "greedy", "max_rank": rank}
                jobs.append(labelled(runs.greedy(rank or None, seed), seed, **axes))
            for eps in (runs.LIMIT, *(-x for x in LATER[profile])):
                axes = {"case": "later", "log10_eps": eps}
                jobs.append(labelled(runs.later(eps, seed), seed, **axes))
        return jobs

    def claims(self, collection: Collection) -> list[Verdict]:
        return [
            judged.closed_form(self, collection, "full"),
            judged.closed_form(self, collection, "linear"),
            judged.rank_is_kept(self, collection),
            judged.cone_is_kept(self, collection),
            judged.deep_flow_of_the_root(self, collection),
            judged.lifting_has_the_flow(self, collection),
            judged.lifting_has_greedy(self, collection),
            judged.last_point_is_optimal(self, collection),
            judged.points_before_are_not(self, collection),
            judged.end_is_global(self, collection),
            judged.points_are_minimizers(self, collection),
            judged.points_are_strict(self, collection),
            judged.later_stage(self, collection),
            judged.later_rate(self, collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_theorems(collection)
