r"""Proposition 1: limits that are no local minimum of any Schatten quasi-norm.

The proposition's limit diag(1, 1, 0, ...) has neighbours that fit as well, are p.s.d.,
and have lower Schatten quasi-norms. That is so for every commuting family whose limit
has two positive eigenvalues x_1, x_2: no entry (q_1, q_2) of the common basis is
measured, and an entry e there turns the two into (x_1 + x_2)/2 plus and minus
sqrt(((x_1 - x_2)/2)^2 + e^2): their sum is kept, and every concave power of them falls.

The limit is special to its start. With M = W^(2/N) and M_11 = M_22 = m, an entry M_12
grows by M_12' = N nu' m^(N/2 - 1) M_12 where m' = 2 nu' m^(N/2): relative to m it is
amplified by m^(N/2 - 1), in all by w^(-(N-2)/N) from the scale w of the product. So a
fixed offset of the start decides the end once w is small enough, from depth 3 on, and
the end is then the matrix of rank one.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.studies.arora2019 import proposition1_claims as judged
from lowrankflow.studies.arora2019.proposition1_jobs import (
    DEPTHS,
    FAMILY_SCALE,
    LARGE_SCALE,
    SCALE,
    SIZES,
    SMALL_SCALE,
    all_jobs,
)
from lowrankflow.studies.arora2019.proposition1_picture import draw_proposition1
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WHERE = "arora2019, proposition 1"
OWN = "own derivation"


def _profile(name: str, seeds: int, seconds: float) -> Profile:
    return Profile(
        settings={
            "sizes": ", ".join(map(str, SIZES[name].depths)),
            "depth": ", ".join(map(str, DEPTHS)),
            "init_scale, exact starts": SCALE,
            "init_scale, families": FAMILY_SCALE,
            "init_scale, offsets of 1e-6 and 1e-3": f"{SMALL_SCALE:g}, {LARGE_SCALE:g}",
            "flow": "adaptive, rtol = atol = 1e-9, to a loss of 1e-20",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs="the paper proves the proposition and runs nothing",
    )


class Proposition1(AbstractStudy):
    """No quasi-norm explains the limit; and the limit needs its exact start."""

    key: ClassVar[str] = "arora2019/proposition1"
    title: ClassVar[str] = "Limits that minimise no Schatten quasi-norm"
    question: ClassVar[str] = (
        "Does the flow end at diag(1, 1, 0, ...), does every Schatten quasi-norm fall "
        "beside it, and what of that is left on other problems and from other starts?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="limit",
            text="For every size d >= 3 there are commuting measurements for which the "
            "deep limit is diag(1, 1, 0, ..., 0).",
            source=WHERE,
        ),
        Statement(
            key="depth-2",
            text="Depth 2 has the same limit there.",
            source=OWN,
        ),
        Statement(
            key="beside",
            text="Adding e in (0, 1) at (1, 2) and (2, 1) keeps the fit and p.s.d.",
            source=WHERE,
        ),
        Statement(
            key="quasi-norms",
            text="There the Schatten powers become (1+e)^p + (1-e)^p < 2: the limit is "
            "no local minimum of any of them, 0 < p < 1.",
            source=WHERE,
        ),
        Statement(
            key="families",
            text="The same holds at every limit with two positive eigenvalues, "
            "whatever the commuting measurements.",
            source=OWN,
        ),
        Statement(
            key="unstable",
            text="From depth 3 on an offset of the start from the identity is "
            "amplified by w^(-(N-2)/N), up to an end of rank one; at depth 2 it is "
            "kept.",
            source=OWN,
        ),
        Statement(
            key="starts",
            text="From other p.s.d. starts depth 2 keeps the angle of the first two "
            "rows, and depth closes it.",
            source="own derivation for depth 2, own guess for the others",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 2, 15.0),
        "quick": _profile("quick", 4, 20.0),
        "paper": _profile("paper", 20, 120.0),
    }
    figure_text: ClassVar[str] = (
        "Left: what a step e beside the flow's end changes of Schatten powers with p = "
        "0.1, 0.25, 0.5 and 0.9, points on the curves (1+e)^p + (1-e)^p - 2, all below "
        "zero. Middle: how much an offset of the start is amplified at depths 2, 3 and "
        "4, one point per seed, on dashes of w^(-(N-2)/N). Right: |W_12| at the end "
        "from random p.s.d. starts against that of the start, to scale: depth 2 on the "
        "diagonal, deeper products above it."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        return all_jobs(profile, num_seeds)

    def claims(self, collection: Collection) -> list[Verdict]:
        both = ("limit", "family")
        return [
            *(judged.limit_is_reached(self, collection, depth) for depth in DEPTHS),
            judged.unmeasured_entries_stay(self, collection),
            *(judged.step_is_feasible(self, collection, case) for case in both),
            *(judged.step_is_psd(self, collection, case) for case in both),
            *(judged.quasi_norms_fall(self, collection, case) for case in both),
            judged.falls_by_the_formula(self, collection),
            *(judged.offset_is_amplified(self, collection, depth) for depth in DEPTHS),
            judged.depth_2_keeps_the_offset(self, collection),
            judged.depth_4_ends_at_rank_one(self, collection),
            judged.random_start_keeps_its_angle(self, collection),
            *(
                judged.depth_closes_the_angle(self, collection, depth)
                for depth in (3, 4)
            ),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_proposition1(collection)
