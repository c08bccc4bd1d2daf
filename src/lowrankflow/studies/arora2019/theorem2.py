r"""Theorem 2: deep factorizations and the least trace, and how fast they come to it.

Derivation of the rates. With w the scale of the product, a^N, and nu the dual of the
least trace with slack = 1 - E'nu >= 0, the closed form
x_k = w (1 - (N-2) a^(N-2) (E's)_k)^(-N/(N-2)) leaves an eigenvalue that is zero at the
minimum at w slack_k^(-N/(N-2)), because (N-2) a^(N-2) s tends to nu. A fit exceeds the
least trace by sum slack_k x_k, hence by

    w sum_k slack_k^(-2/(N-2))      from depth 3 on,

linear in w, whatever the problem; the next order is smaller by w^((N-2)/N), which is
how far 1 - (E'nu)_k is from zero where x_k stays. At depth 2 it is x_k ~ w^slack_k: the
exponent is the least slack. Depth is faster where a slack is below 1 and slower where
all are above, which takes measurements of both signs. Where several duals are optimal,
as on the fixture, the flow takes the one at which that sum is least (at depth 2, the
one whose least slack is largest).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.studies.arora2019 import theorem2_claims as judged
from lowrankflow.studies.arora2019.theorem2_jobs import SWEEPS, all_jobs
from lowrankflow.studies.arora2019.theorem2_measures import depths, fixture_depths
from lowrankflow.studies.arora2019.theorem2_picture import draw_theorem2
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WHERE = "arora2019, theorem 2"
OWN = "own derivation, from the proof of theorem 2"


def _profile(name: str, seeds: int, seconds: float) -> Profile:
    sweep = SWEEPS[name]
    return Profile(
        settings={
            "families": "5 x 5, 2 measurements with eigenvalues uniform in [0, 1]",
            "depth": ", ".join(map(str, sweep.depths)),
            "init_scale, fixture": ", ".join(f"{s:g}" for s in sweep.fixture),
            "init_scale, families": ", ".join(f"{s:g}" for s in sweep.families),
            "flow": "adaptive, rtol = atol = 1e-8, to a loss of 1e-20",
            "perturbed starts": "off by 1e-6 of the diagonal, rtol = atol = 1e-10",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs="the paper proves the theorem and runs nothing",
    )


class Theorem2(AbstractStudy):
    """The theorem for deep products with commuting measurements, and its rates."""

    key: ClassVar[str] = "arora2019/theorem2"
    title: ClassVar[str] = "Deep products and commuting measurements"
    question: ClassVar[str] = (
        "Does a deep product from multiples of the identity end at the least trace, "
        "how fast does depth come there, and does it need the exact start?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="minimum",
            text="If the measurements commute, N >= 3 and all factors start at a I, "
            "the limit of the flow's end as a falls to zero has the least nuclear norm "
            "among p.s.d. fits.",
            source=WHERE,
        ),
        Statement(
            key="asymmetric",
            text="So has the limit of W_2 W_1 with two factors of their own.",
            source="arora2019, appendix D",
        ),
        Statement(
            key="formula",
            text="W = a^N (I - (N-2) a^(N-2) A*(s))^(-N/(N-2)), at depth 2 "
            "a^2 exp(2 A*(s)), with s minus the time integral of the residual.",
            source=OWN,
        ),
        Statement(
            key="rate",
            text="From depth 3 on the excess of the trace is linear in the scale w of "
            "the product: w sum slack^(-2/(N-2)).",
            source=OWN,
        ),
        Statement(
            key="slack",
            text="At depth 2 it is w to the power of the least slack of the dual.",
            source=OWN,
        ),
        Statement(
            key="depth",
            text="Deeper is nearer to the minimum where slacks are below 1, and depth "
            "2 is the nearest where all are above.",
            source=OWN,
        ),
        Statement(
            key="signs",
            text="With two factors the least nuclear norm is that of p.s.d. fits for "
            "equal starts; from unequal ones, b I and c I, it is that of all fits.",
            source="own derivation, from appendix D of arora2019",
        ),
        Statement(
            key="stability",
            text="At depth 2 starts near a I end near its end. From depth 3 on a small "
            "part off the common basis grows exponentially in a^(2-N) once one "
            "eigenvalue is large, and turns it towards the next: the end has a lower "
            "rank.",
            source="own derivation",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 2, 15.0),
        "quick": _profile("quick", 3, 20.0),
        "paper": _profile("paper", 20, 240.0),
    }
    figure_text: ClassVar[str] = (
        "Excess of the trace over its minimum against the scale of the product, both "
        "logarithmic, one colour for each depth, dotted where a formula predicts it. "
        "Left above: the fixture, where depth 2 (profile paper) falls like the square "
        "root and deeper products linearly. Right above: random families, means of "
        "logarithms over seeds. Left below: slacks of 3, where depth 2 "
        "falls with the third power and the others still linearly. Right below: "
        "the off-diagonal part at the end, one "
        "point per seed, after a start that is off the commuting path by 1e-6: depth 2 "
        "stays at 1e-6, depth 4 rises to order one as the scale falls."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        return all_jobs(profile, num_seeds)

    def claims(self, collection: Collection) -> list[Verdict]:
        at = depths(collection)
        deep = [depth for depth in at if depth > 2]
        return [
            judged.minimum_is_certified(self, collection),
            judged.path_has_its_formula(self, collection),
            judged.end_has_its_formula(self, collection, "family"),
            judged.end_has_its_formula(self, collection, "rotated"),
            *(judged.excess_falls(self, collection, depth) for depth in at),
            judged.excess_vanishes(self, collection),
            judged.exponent_is_the_slack(self, collection),
            *(judged.exponent_is_one(self, collection, depth) for depth in deep),
            *(judged.constant_is_derived(self, collection, depth) for depth in deep),
            *(
                judged.deeper_is_nearer(self, collection, depth)
                for depth in deep
                if depth - 1 in at
            ),
            *(
                judged.fixture_has_its_constant(self, collection, depth)
                for depth in fixture_depths(collection)
            ),
            *(judged.signed_rate(self, collection, depth) for depth in at),
            judged.depth_2_is_nearest(self, collection),
            judged.unequal_factors(self, collection),
            judged.depth_2_forgives(self, collection),
            judged.depth_leaves_the_path(self, collection),
            judged.path_left_to_lower_rank(self, collection),
            judged.trace_off_the_path(self, collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_theorem2(collection)
