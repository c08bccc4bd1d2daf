"""Who recovers a low-rank matrix from how many entries: figures 3 and 4 of the paper.

Greedy learning, flows and descent beside the least nuclear norm and three classical
relatives, on maps over the rank and the number of entries.
"""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021 import recovery_claims as judged
from lowrankflow.studies.li2021.recovery_jobs import Map, map_jobs, table_jobs
from lowrankflow.studies.li2021.recovery_picture import draw_maps
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_QUICK = (
    Map("psd", size=(20, 20), ranks=(1, 3), entries=(40, 60, 80, 100, 130)),
    Map("rectangle", size=(20, 30), ranks=(1, 3), entries=(100, 150, 200, 250, 350)),
)
SWEEPS: Mapping[str, tuple[Map, ...]] = {
    "smoke": (
        Map("psd", size=(8, 8), ranks=(1,), entries=(14, 30)),
        Map("rectangle", size=(8, 10), ranks=(1,), entries=(30, 70)),
    ),
    "quick": _QUICK,
    "paper": (
        dataclasses.replace(
            _QUICK[0],
            ranks=(1, 2, 3, 4, 5),
            entries=(30, 40, 60, 80, 100, 115, 130, 160),
        ),
        dataclasses.replace(
            _QUICK[1],
            ranks=(1, 2, 3, 4, 5),
            entries=(75, 100, 150, 200, 250, 300, 350, 425),
        ),
    ),
}
_FIGURES = "li2021, figures 3 and 4 (recovery comparison)"


def _profile(name: str, seeds: int, seconds: float) -> Profile:
    maps = SWEEPS[name]
    settings = {
        f"map, {one.kind}": f"{one.size[0]} x {one.size[1]}, ranks "
        f"{', '.join(map(str, one.ranks))}; {', '.join(map(str, one.entries))} entries"
        for one in maps
    }
    return Profile(
        settings={**settings, "recovered": "relative error below 1e-3"},
        num_seeds=seeds,
        expected_seconds=seconds,
        differs="the paper's sizes and numbers of entries are not known, but for the "
        "20 x 20 instances of rank 3",
    )


class Recovery(AbstractStudy):
    """Recovery from few entries by eight methods."""

    key: ClassVar[str] = "li2021/recovery"
    title: ClassVar[str] = "Who recovers a matrix from how many entries"
    question: ClassVar[str] = (
        "From how many entries of which rank do greedy learning, flows, the least "
        "nuclear norm and greedy methods of other kinds recover a matrix?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="greedy",
            text="Greedy low-rank learning recovers the truth where others may not.",
            source=_FIGURES,
            value="on seeds 0 to 4 an own reproduction has errors below 1e-6",
        ),
        Statement(
            key="pursuit",
            text="Rank-one matrix pursuit, which never changes its vectors again, does "
            "not recover it.",
            source=_FIGURES,
            value="own reproduction, best over ranks to 30: 0.34 to 0.53",
        ),
        Statement(
            key="descent",
            text="Descent comes near greedy learning's answer as its start falls.",
            source=_FIGURES,
            value="own reproduction: 0.01 to 0.09 from 1e-2, 0.002 to 0.028 from 1e-4",
        ),
        Statement(
            key="norm",
            text="Greedy learning needs fewer entries than the least nuclear norm.",
            source=_FIGURES,
        ),
        Statement(
            key="depth",
            text="From a start of practical scale depth 3 recovers what depth 2 does "
            "not.",
            source="li2021, the section on deep factorizations",
        ),
        Statement(
            key="everywhere",
            text="Greedy learning recovers wherever the least nuclear norm does.",
            source="own question, asked after a first look had shown an exception",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 2, 25.0),
        "quick": _profile("quick", 4, 60.0),
        "paper": _profile("paper", 5, 420.0),
    }
    figure_text: ClassVar[str] = (
        "Share of instances recovered, over the number of entries and the rank, one "
        "map a method: p.s.d. matrices above, rectangles below. The dotted line is the "
        "number of degrees of freedom. Greedy learning and the flow of depth 3 recover "
        "from the fewest entries, the flow of depth 2 and the least nuclear norm need "
        "more, GECO and debiased soft-impute many more; rank-one matrix pursuit "
        "recovers nothing."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        jobs = table_jobs(num_seeds)
        for one in SWEEPS[profile]:
            jobs += map_jobs(one, num_seeds)
        return jobs

    def claims(self, collection: Collection) -> list[Verdict]:
        return judged.all_claims(self, collection)

    def figure(self, collection: Collection) -> "Figure":
        return draw_maps(collection)
