"""The flow's path against that of greedy low-rank learning, as the start shrinks."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.dynamics import GradientFlow, Stop
from lowrankflow.factorizations import Identity, RandomPSD, SymmetricFactorization
from lowrankflow.simulation import EveryIterations, RunJob
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021 import figure1_claims as judged
from lowrankflow.studies.li2021.figure1_picture import draw_paths
from lowrankflow.studies.li2021.passages import greedy, instance
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FLOW = GradientFlow(rtol=1e-6, atol=1e-6)
STOP = Stop(loss=1e-9, iterations=50_000)
_ALL = (1.0, 1e-2, 1e-4, 1e-8, 1e-16, 1e-32, 1e-64)
NORMS = {"smoke": (1.0, 1e-8, 1e-16, 1e-32), "quick": _ALL, "paper": _ALL}
# Multiples of the identity, for the exponent: their distance soon is below rounding.
IDENTITIES = (1e-4, 1e-8, 1e-16)


def _profile(name: str, seeds: int, seconds: float, differs: str) -> Profile:
    return Profile(
        settings={
            "instance": "20 x 20 p.s.d., rank 3, norm 20, 120 ordered entries",
            "starts": "random p.s.d. W(0) of norms "
            + ", ".join(f"{norm:g}" for norm in NORMS[name]),
            "identity starts": ", ".join(f"{norm:g}" for norm in IDENTITIES),
            "flow": "depth 2, adaptive, rtol = atol = 1e-6, to a loss of 1e-9",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs=differs,
    )


def flow(norm: float, seed: int, start: str) -> LabelledJob:
    """A flow of U U' that records how far it is from greedy learning's path."""
    begin = Identity(norm / 20**0.5) if start == "identity" else RandomPSD(norm)
    job = RunJob(
        problem=instance(seed),
        factorization=SymmetricFactorization(),
        dynamics=FLOW,
        start=begin,
        seed=seed,
        stop=STOP,
        schedule=EveryIterations(2),
        observe=("greedy_distance",),
    )
    axes = {"method": "flow", "start": start, "norm": norm, "seed": seed}
    return LabelledJob(axes=axes, job=job)


class Figure1(AbstractStudy):
    """Distance of the flow from greedy learning's path."""

    key: ClassVar[str] = "li2021/figure1"
    title: ClassVar[str] = "The flow's path against greedy learning's"
    question: ClassVar[str] = (
        "Does the flow follow the path of greedy low-rank learning as its start shrinks, "
        "and at which rate does it come closer?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="approach",
            text="The largest distance of the flow from greedy learning's path falls to "
            "zero with the start.",
            source="li2021, figure 1",
            value="own reproduction, seed 2: 3.93, 2.48, 1.58, 0.60, 0.11, 3.8e-3, 1.3e-3",
        ),
        Statement(
            key="exponent",
            text="From random p.s.d. starts the error of the first phase is of the order "
            "of ||W(0)||^gamma, gamma = (mu_1 - mu_2) / (2 mu_1); from the identity of "
            "its square.",
            source="own derivation, sharper than li2021",
        ),
        Statement(
            key="bound",
            text="That error is O(||W(0)||^(gamma / (1 + gamma))).",
            source="li2021, the theorem on the first phase",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 1, 20.0, "one instance, four norms"),
        "quick": _profile("quick", 5, 35.0, "flow in place of descent"),
        "paper": _profile("paper", 10, 90.0, "flow in place of descent; ten seeds"),
    }
    figure_text: ClassVar[str] = (
        "Left: distance from greedy learning's path over time, one instance, one curve "
        "per norm of the start; smaller starts run closer, later. Middle: largest and "
        "mean distance against the norm, both falling. Right: measured exponent of the "
        "first phase against gamma, random starts along the line y = x, identity starts "
        "along y = 2 x."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        jobs = []
        for seed in range(num_seeds):
            jobs.append(greedy(seed))
            jobs += [flow(norm, seed, "random") for norm in NORMS[profile]]
            jobs += [flow(norm, seed, "identity") for norm in IDENTITIES]
        return jobs

    def claims(self, collection: Collection) -> list[Verdict]:
        return [
            judged.falls(self, collection),
            judged.close(self, collection),
            judged.mean_is_smaller(self, collection),
            judged.rate(self, collection, "random"),
            judged.rate(self, collection, "identity"),
            judged.bound(self, collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_paths(collection)
