"""How the flow leaves zero: along which path, how exactly, and when."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021 import escape_claims as judged, escape_jobs as runs
from lowrankflow.studies.li2021.escape_figure import draw_escape
from lowrankflow.studies.li2021.escape_jobs import labelled
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sweep:
    """Scales of a profile, as -log10.

    Args:
        first: of W(0) at depth 2.
        deep: of alpha = scale^(2/L), by depth.
        leave: of W(0), for the times.
        toy: of alpha, by depth.
    """

    first: tuple[float, ...]
    deep: Mapping[int, tuple[float, ...]]
    leave: tuple[float, ...]
    toy: Mapping[int, tuple[float, ...]]


_QUICK = Sweep(
    first=(8, 12, 16, 20, 24),
    deep={3: (1.5, 2.5, 3.5), 4: (1.5, 2.25, 3.0), 5: (1.25, 1.75, 2.25)},
    leave=(4, 6, 8, 10),
    toy={2: (4, 8, 12, 16), 3: (2, 4), 4: (2, 3)},
)
SWEEPS = {
    "smoke": dataclasses.replace(
        _QUICK,
        first=(12, 20),
        deep={3: (2.5, 3.5), 4: (2.25, 3.0), 5: (1.75, 2.25)},
        leave=(6, 8),
        toy={2: (8, 12), 3: (2,), 4: (2,)},
    ),
    "quick": _QUICK,
    "paper": Sweep(
        first=(8, 10, 12, 14, 16, 18, 20, 22, 24),
        deep={
            3: (1.5, 2.0, 2.5, 3.0, 3.5),
            4: (1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0),
            5: (1.25, 1.5, 1.75, 2.0, 2.25),
        },
        leave=(4, 5, 6, 7, 8, 9, 10),
        toy={2: (4, 6, 8, 10, 12, 14, 16), 3: (2, 3, 4, 5), 4: (2, 3, 4)},
    ),
}
SHALLOW = "li2021, the theorem on first stages of depth 2"
DEEP = "li2021, the theorem on deep factorizations"


def _profile(name: str, seeds: int, seconds: float) -> Profile:
    sweep = SWEEPS[name]
    return Profile(
        settings={
            "instance": "the 4 x 4 counter-example, R = 2, 3 and 5",
            "-log10 of W(0), depth 2": ", ".join(f"{x:g}" for x in sweep.first),
            "limits": "1e-120 I at depth 2; M(0) = 10^-5.5, 10^-4.5, 10^-3.5 beyond",
            "flow": "adaptive, rtol = atol = 1e-10, beyond depth 2 1e-11",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs="the paper proves bounds on one instance in general",
    )


class Escape(AbstractStudy):
    """The first stage of the flow: its limit, its rate and its time."""

    key: ClassVar[str] = "li2021/escape"
    title: ClassVar[str] = "Leaving zero: one path, how exactly, and when"
    question: ClassVar[str] = (
        "Do flows from ever smaller starts leave zero along one path, at which rate do "
        "they approach it, and when do they leave?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="bound",
            text="Shifted by ln(1/<W(0), u_1 u_1'>) / (2 mu_1), paths of depth 2 tend "
            "to one limit, with an error O(||W(0)||^(gamma/(1+gamma))), gamma = (mu_1 "
            "- mu_2) / (2 mu_1).",
            source=SHALLOW,
        ),
        Statement(
            key="rate-identity",
            text="From multiples of the identity the error is alpha^(2 gamma).",
            source="own derivation, measured once before",
            value="2 gamma = 0.390 and 0.282 for R = 2 and 3",
        ),
        Statement(
            key="rate-random",
            text="From random p.s.d. starts the error is alpha^gamma.",
            source="own derivation, measured once before",
            value="gamma = 0.195 and 0.141 for R = 2 and 3",
        ),
        Statement(
            key="end",
            text="If the first stage ends at a global minimizer, so does the flow in "
            "the limit; the end has the error of the path.",
            source="li2021, the theorem on ends after one stage; the rate is our own",
        ),
        Statement(
            key="deep",
            text="From depth 3 on, M = W^(2/L) from alpha I tends to its limit with an "
            "error O(alpha^(1/(P+1))), P = L/2, whatever the gap; alpha when measured "
            "before.",
            source=DEEP,
            value="1.0 for depths 3, 4, 5",
        ),
        Statement(
            key="second",
            text="When the first direction is of order one the second has O(alpha) in "
            "M from depth 3 on, and alpha^(1 - mu_2/mu_1) at depth 2.",
            source=DEEP,
        ),
        Statement(
            key="time",
            text="Zero is left after ln(1/alpha) / (2 mu_1) at depth 2, and after "
            "alpha^(1-P) / (2 mu_1 (P-1)), alpha = scale^(2/L), beyond.",
            source=DEEP,
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 2, 13.0),
        "quick": _profile("quick", 5, 16.0),
        "paper": _profile("paper", 20, 45.0),
    }
    figure_text: ClassVar[str] = (
        "All axes logarithmic. Left: distance of the path from its limit at depth 2, "
        "falling with the start's scale along the dotted slopes 2 gamma from the "
        "identity and gamma from random starts. Middle: the same in M beyond depth 2, "
        "of slope 1 for depths 3, 4 and 5 and both gaps. Right: time of leaving zero, "
        "a logarithm at depth 2 and powers beyond, on the dotted leading-order times."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        sweep = SWEEPS[profile]
        jobs = []
        seeds = range(num_seeds)
        for R in judged.PARAMETERS:
            limit = runs.shallow(R, runs.LIMIT, None)
            axes = {"case": "first", "R": R}
            jobs.append(labelled(limit, **axes, start="limit", log10_scale=runs.LIMIT))
            for x in sweep.first:
                places = {**axes, "log10_scale": -float(x)}
                job = runs.shallow(R, -x, None)
                jobs.append(labelled(job, **places, start="identity"))
                jobs += [
                    labelled(runs.shallow(R, -x, seed), seed, **places, start="random")
                    for seed in seeds
                ]
        for x in sweep.first:
            places = {"case": "end", "R": 2.0, "log10_scale": -float(x)}
            job = runs.to_the_end(2.0, -x, None)
            jobs.append(labelled(job, **places, start="identity"))
            jobs += [
                labelled(runs.to_the_end(2.0, -x, seed), seed, **places, start="random")
                for seed in seeds
            ]
        for R in judged.DEEP_PARAMETERS:
            for depth, powers in sweep.deep.items():
                for x in (runs.DEEP_LIMIT[depth], *powers):
                    places = {"case": "deep", "R": R, "depth": depth}
                    job = runs.deep(R, depth, -x)
                    jobs.append(labelled(job, **places, log10_alpha=-float(x)))
        for depth, powers in sweep.toy.items():
            for x in powers:
                places = {"case": "toy", "depth": depth, "log10_alpha": -float(x)}
                jobs.append(labelled(runs.toy(depth, -x), **places))
        for depth in (2, 3, 4):
            for x in sweep.leave:
                places = {"case": "leave", "depth": depth, "log10_scale": -float(x)}
                jobs.append(labelled(runs.leaving(depth, -x), **places))
        return jobs

    def claims(self, collection: Collection) -> list[Verdict]:
        return [
            *(
                judged.first_stage(self, collection, R, start)
                for start in ("identity", "random")
                for R in judged.PARAMETERS
            ),
            judged.bound_holds(self, collection),
            *(judged.ends(self, collection, s) for s in ("identity", "random")),
            *(judged.deep_exponent(self, collection, depth) for depth in (3, 4, 5)),
            judged.second_direction_deep(self, collection),
            judged.second_direction_shallow(self, collection),
            *(judged.time_of_leaving(self, collection, depth) for depth in (2, 3, 4)),
            judged.times_are_leading(self, collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_escape(collection)
