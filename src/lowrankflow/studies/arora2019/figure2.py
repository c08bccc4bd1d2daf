"""Whether factorizations minimize the nuclear norm, or rather the rank."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.studies.arora2019 import figure2_claims as judged
from lowrankflow.studies.arora2019.completion import (
    PAPER_SCALE,
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
    ranks_of,
)
from lowrankflow.studies.arora2019.figure2_panels import draw_figure2
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WHERE = "arora2019, figure 2"


def _profile(name: str, seeds: int, seconds: float, differs: str) -> Profile:
    sweep = SWEEPS[name]
    rank, count = sweep.init_scales_at
    words = (
        f"{PAPER_SCALE:g}; depth 2 also {_listed(sweep.shallow_scales[1:])}; "
        f"rank {rank} with {count} entries: {_listed(sweep.init_scales)}"
    )
    return Profile(
        settings={
            **settings(sweep, words),
            "depths": "2, 3 and 4; those of 3 and 4 from "
            + _listed(sweep.deep_scales)
            + " where the number of entries is varied",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs=differs,
    )


def _listed(numbers: tuple[float, ...]) -> str:
    return ", ".join(f"{number:g}" for number in numbers)


class Figure2(AbstractStudy):
    """Error, nuclear norm and effective rank, by what is observed and by the start."""

    key: ClassVar[str] = "arora2019/figure2"
    title: ClassVar[str] = "Nuclear norm and effective rank of what is found"
    question: ClassVar[str] = (
        "Do factorizations choose the completion of least nuclear norm, or one of low "
        "rank?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="many",
            text="When many entries are observed, factorizations and the minimum "
            "nuclear norm all coincide with the ground truth.",
            source=WHERE,
            value="rank 5, 5,000 entries: nuclear norm 221.2 to 222.3 for 221.2, "
            "effective rank 4.92 to 5.35 for 4.92 (read off the curves of the "
            "authors' notebook)",
        ),
        Statement(
            key="few-norm",
            text="When few are observed, the minimum nuclear norm is lower than the "
            "nuclear norm of what factorizations find.",
            source=WHERE,
            value="rank 5, 2,000 entries: 210.15 (printed) against 219.3 at depths 3 "
            "and 4 (read off)",
        ),
        Statement(
            key="few-rank",
            text="When few are observed, factorizations find a lower effective rank "
            "than the minimum nuclear norm has.",
            source=WHERE,
            value="rank 5, 2,000 entries: 4.9 at depths 3 and 4, and 10.1 at depth 2 "
            "from 1e-3, against 9.47 (read off the curves of the authors' notebook)",
        ),
        Statement(
            key="few-error",
            text="When few are observed, factorizations recover the matrix better than "
            "the minimum nuclear norm does.",
            source=WHERE,
            value="rank 5, 2,000 entries: 4e-5 at depths 3 and 4, 0.100 at depth 2 "
            "from 1e-3 and 0.024 from 1e-6, against 0.114 (read off the curves of the "
            "authors' notebook)",
        ),
        Statement(
            key="shallow-scale",
            text="At depth 2 a smaller start leads to a lower effective rank.",
            source=WHERE,
            value="10.1, 8.4, 7.2 and 6.6 from 1e-3 to 1e-6; reconstruction error "
            "0.100, 0.066, 0.038 and 0.024 (read off the curves of the authors' "
            "notebook)",
        ),
        Statement(
            key="deep-scale",
            text="At depths 3 and more the size of the start has no visible effect.",
            source=WHERE,
            value="effective rank 4.93 to 5.0 from 1e-6 to 1e-3 (read off the curves "
            "of the authors' notebook)",
        ),
        CONVERGED,
        CERTIFIED,
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 1, 15.0, "20 x 24, one seed"),
        "quick": _profile(
            "quick",
            3,
            65.0,
            "flow in place of descent, see figure 1; scales over three decades "
            "instead of halves; four numbers of entries for each rank",
        ),
        "paper": _profile(
            "paper",
            5,
            2300.0,
            "flow in place of descent, see figure 1; every depth from every start; the "
            "paper says neither its numbers of entries nor how many trials",
        ),
    }
    figure_text: ClassVar[str] = (
        "Columns: reconstruction error, nuclear norm, effective rank. Upper rows: "
        "against the number of observed entries, one row per rank. Last row: against "
        "the scale of the start, which is 1e-3 elsewhere unless the legend says "
        "otherwise. With few entries the minimum nuclear norm lies below the truth's "
        "norm and far above its effective rank, while depth 3 is at the truth in both; "
        "with many all meet. Depth 2 comes nearer to the truth as its start shrinks; "
        "depths 3 and 4 are there at every scale. Points are means over seeds, bars "
        "one standard deviation either way, not below the least; those of the nuclear "
        "norm are mostly the truths' own."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        sweep = SWEEPS[profile]
        return [
            *(_swept(judged.OBSERVED, job) for job in over_entries(sweep, num_seeds)),
            *truths(sweep, num_seeds),
            *(_swept(judged.SCALE, job) for job in over_scales(sweep, num_seeds)),
        ]

    def claims(self, collection: Collection) -> list[Verdict]:
        ranks = ranks_of(collection)
        return [
            *(judged.norm_not_minimal(self, collection, rank) for rank in ranks),
            *(judged.rank_is_lower(self, collection, rank) for rank in ranks),
            *(
                judged.recovers_better(self, collection, rank, count)
                for rank in ranks
                for count in judged.few_counts(collection, rank)
            ),
            *(judged.norms_coincide(self, collection, rank) for rank in ranks),
            *(judged.ranks_coincide(self, collection, rank) for rank in ranks),
            judged.shallow_rank_falls(self, collection),
            judged.shallow_error_falls(self, collection),
            judged.deep_is_indifferent(self, collection),
            *(
                judged.deep_is_indifferent_at(self, collection, rank, count)
                for rank in ranks
                if judged.varies_deep_starts(collection, rank)
                for count in judged.few_counts(collection, rank)
            ),
            judged.shallow_overtakes(self, collection),
            judged.shallow_rank_at_paper_scale(self, collection),
            judged.shallow_error_at_paper_scale(self, collection),
            every_run_converged(collection),
            every_minimum_certified(collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_figure2(collection)


def _swept(over: str, labelled: LabelledJob) -> LabelledJob:
    """The job, marked with what is varied in its part of the figure."""
    return dataclasses.replace(labelled, axes={**labelled.axes, "sweep": over})
