"""Greedy learning with a fast solver inside: does it end where the flow does?"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.studies.claims import at_least, at_most
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021.greedy_path_jobs import FACTORS, SWEEPS, path_jobs
from lowrankflow.studies.li2021.greedy_path_measures import flow_only, same_share
from lowrankflow.studies.li2021.greedy_path_picture import draw_agreement
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NOTE = "bounds chosen after a first measurement of other instances"
_WORDS = {"greedy_path": "Newton's method", "greedy_path_als": "least squares"}


def _profile(name: str, seeds: int, seconds: float) -> Profile:
    ranks = ", ".join(map(str, SWEEPS[name]))
    return Profile(
        settings={
            "p.s.d.": f"20 x 20, ranks {ranks}",
            "rectangles": f"15 x 20, ranks {ranks}",
            "observations per degree of freedom": ", ".join(f"{f:g}" for f in FACTORS),
            "same": "relative distance below 1e-4",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs="the paper has flows only",
    )


class GreedyPaths(AbstractStudy):
    """Phases of greedy learning by Newton's method, least squares and the flow."""

    key: ClassVar[str] = "li2021/greedy-path"
    title: ClassVar[str] = "Fast solvers inside greedy learning"
    question: ClassVar[str] = (
        "Does a phase of greedy learning end in the same place, whether the flow, "
        "Newton's method or alternating least squares takes it there?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="same",
            text="Each phase ends at a critical point that any descent from its start "
            "reaches.",
            source="own question; li2021 has the flow and descent of small steps",
        ),
        Statement(
            key="few",
            text="Where too little is observed for recovery, ends differ.",
            source="own question",
        ),
        Statement(
            key="recovers",
            text="Nothing is lost by the fast solver: what the flow recovers, it does.",
            source="own question",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 2, 20.0),
        "quick": _profile("quick", 5, 35.0),
        "paper": _profile("paper", 10, 120.0),
    }
    figure_text: ClassVar[str] = (
        "Left: share of phases that end where the flow's do, against the number of "
        "observations per degree of freedom; near one for p.s.d. matrices, and for "
        "rectangles from two on. Right: share of instances recovered by each solver; "
        "the three curves of a kind lie together."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        return path_jobs(SWEEPS[profile], num_seeds)

    def claims(self, collection: Collection) -> list[Verdict]:
        few, enough, many = FACTORS
        agreements = [
            ("psd", "greedy_path", few, 0.9),
            ("psd", "greedy_path", many, 0.95),
            ("rectangle", "greedy_path", enough, 0.85),
            ("rectangle", "greedy_path", many, 0.95),
            ("rectangle", "greedy_path_als", enough, 0.85),
            ("rectangle", "greedy_path_als", many, 0.95),
        ]
        return [
            *(self._same(collection, *each) for each in agreements),
            at_most(
                same_share(collection, "rectangle", "greedy_path", few),
                0.9,
                claim="rectangle-few",
                sentence=f"Rectangles, {few:g} observations per degree of freedom: a "
                "tenth of the phases or more end elsewhere.",
                statement=self.statement("few"),
                quantity="share of phases that end where the flow's do",
                note=_NOTE,
            ),
            *(
                at_most(
                    flow_only(collection, kind),
                    0.05,
                    claim=f"{kind}-flow-only",
                    sentence=f"{name}: at most one instance in twenty is recovered by "
                    "the flow and not by Newton's method.",
                    statement=self.statement("recovers"),
                    quantity="share of instances",
                    note=_NOTE,
                )
                for kind, name in (("psd", "P.s.d."), ("rectangle", "Rectangles"))
            ),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_agreement(collection)

    def _same(
        self,
        collection: Collection,
        kind: str,
        method: str,
        factor: float,
        bound: float,
    ) -> Verdict:
        name = {"psd": "P.s.d.", "rectangle": "Rectangles"}[kind]
        return at_least(
            same_share(collection, kind, method, factor),
            bound,
            claim=f"{kind}-{method.replace('_', '-')}-{factor:g}",
            sentence=f"{name}, {factor:g} observations per degree of freedom: "
            f"{_WORDS[method]} ends where the flow does, {100 * bound:g} % of phases.",
            statement=self.statement("same"),
            quantity="share of phases",
            note=_NOTE,
        )
