"""Which norm, if any, the answers of factorizations are least in."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.studies.arora2019.completion import (
    SWEEPS,
    over_entries,
    over_scales,
    settings,
    truths,
)
from lowrankflow.studies.arora2019.completion_checks import (
    CERTIFIED,
    CONVERGED,
    every_minimum_certified,
    every_run_converged,
)
from lowrankflow.studies.arora2019.which_norm_claims import Judge
from lowrankflow.studies.arora2019.which_norm_measures import (
    LOG_DET_EPS,
    POWERS,
    SAME,
    comparisons,
)
from lowrankflow.studies.arora2019.which_norm_picture import draw_which_norm
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OWN = "own question, after arora2019, section 2.2"


def _profile(name: str, seeds: int, seconds: float) -> Profile:
    sweep = SWEEPS[name]
    return Profile(
        settings={
            **settings(sweep, "those of figure 2"),
            "surrogates": "nuclear norm; Schatten powers "
            + ", ".join(f"{p:g}" for p in POWERS)
            + "; log det(W W' + eps) with eps "
            + " and ".join(f"{eps:g}" for eps in LOG_DET_EPS)
            + "; effective rank; stable rank",
            "one answer": f"within {SAME:g} of the norm",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs="the runs of figure 2; the paper compares nuclear norm and effective "
        "rank",
    )


class WhichNorm(AbstractStudy):
    """Which surrogates rank the factorization's answer above the others that fit."""

    key: ClassVar[str] = "arora2019/which-norm"
    title: ClassVar[str] = "Which norm explains what is found"
    question: ClassVar[str] = (
        "Of all matrices that fit the data equally well, is what a factorization finds "
        "the least in any norm or surrogate of the rank, and from how many entries on?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="norm",
            text="With few entries the minimum of the nuclear norm does not explain "
            "what factorizations find; with many it does.",
            source="arora2019, section 2.2 and figure 2",
        ),
        Statement(
            key="rank",
            text="With few entries factorizations find a lower effective rank than the "
            "minimum nuclear norm has.",
            source="arora2019, section 2.2 and figure 2",
        ),
        Statement(
            key="depth",
            text="Depth, and at depth 2 a smaller start, lower the effective rank.",
            source="arora2019, section 2.2 and figure 2",
        ),
        Statement(
            key="schatten",
            text="No single norm or quasi-norm, of Schatten's in particular, captures "
            "what factorizations find.",
            source="arora2019, section 2.2 and proposition 1",
        ),
        Statement(
            key="some-power",
            text="A Schatten power prefers what depths 3 and 4 find to the minimum "
            "nuclear norm in every case.",
            source=OWN,
        ),
        Statement(
            key="others",
            text="Other surrogates of the rank prefer it as well.",
            source=OWN,
        ),
        CONVERGED,
        CERTIFIED,
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 1, 15.0),
        "quick": _profile("quick", 3, 90.0),
        "paper": _profile("paper", 5, 2300.0),
    }
    figure_text: ClassVar[str] = (
        "For each surrogate of the rank and each number of observed entries: the share "
        "of seeds in which it is lower at the factorization's answer than at the "
        "minimum nuclear norm (left half) or the truth (right half), which fit the "
        "data as well; blue: always, orange: never. Dots: both are one answer, within "
        "1 %. Between the dotted lines entries are few. With few of them the nuclear "
        "norm prefers the minimum; powers from 0.3 to 0.8, log det and the effective "
        "rank prefer the factorization. The least power is misled by the tail of small "
        "singular values that a flow leaves, the stable rank by the largest, which the "
        "minimum shrinks least. Only the stable rank, and with the fewest entries the "
        "nuclear norm, prefer the answer of depth 2 to the truth."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        sweep = SWEEPS[profile]
        jobs = [
            *over_entries(sweep, num_seeds),
            *over_scales(sweep, num_seeds),
            *truths(sweep, num_seeds),
        ]
        return list({str(sorted(job.axes.items())): job for job in jobs}.values())

    def claims(self, collection: Collection) -> list[Verdict]:
        return [
            *Judge(self, collection, comparisons(collection)).verdicts(),
            every_run_converged(collection),
            every_minimum_certified(collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_which_norm(collection, comparisons(collection))
