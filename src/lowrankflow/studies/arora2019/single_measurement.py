r"""Equations (10) and (11): one measurement, singular values against one another.

The paper freezes the singular vectors from a time t_0 on and eliminates time from
sigma_r' = -N sigma_r^(2 - 2/N) delta e_r rho_r. For a diagonal A and a start alpha I
nothing is frozen: the equations are exact. Otherwise the vectors of a random start turn
first. Two readings of the weights are then judged: the singular values of A, as in the
paper, which presume that the vectors have become those of A, and the weights u_r' A v_r
that they have at t_0, which presume only that they stay.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.studies.arora2019 import single_claims as judged
from lowrankflow.studies.arora2019.single_jobs import SWEEPS, all_jobs
from lowrankflow.studies.arora2019.single_measures import depths
from lowrankflow.studies.arora2019.single_picture import draw_single_measurement
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DIAGONAL_DEPTHS = (1, 2, 3, 4)


def _profile(name: str, seeds: int, seconds: float) -> Profile:
    sweep = SWEEPS[name]
    return Profile(
        settings={
            "diagonal": "A = diag(1, 0.6, 0.3), y = 2, depths 1 to 4, scales 0.01 "
            "and 1e-8",
            "random": "A 4 x 3 Gaussian, y that of a matrix of rank 1, balanced starts "
            "with random vectors",
            "depth, random": ", ".join(map(str, sweep.depths)),
            "init_scale, random": ", ".join(f"{s:g}" for s in sweep.scales),
            "flow": "adaptive, rtol = atol = 1e-9, to a loss of 1e-20",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs="the paper draws the equations and runs nothing for them",
    )


class SingleMeasurement(AbstractStudy):
    """How depth parts the singular values under one measurement."""

    key: ClassVar[str] = "arora2019/single-measurement"
    title: ClassVar[str] = "One measurement: equations (10) and (11)"
    question: ClassVar[str] = (
        "Do singular values move along the curves of equation (11), and how stationary "
        "are the vectors that it takes for stationary?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="equations",
            text="With stationary vectors sigma_r' = -N sigma_r^(2-2/N) delta e_r "
            "rho_r.",
            source="arora2019, equation (10)",
            value="the table of ends is the equation's, evaluated by us",
        ),
        Statement(
            key="curves",
            text="sigma_1 is linear in sigma_2 at depth 1, a power of it at depth 2, "
            "and (a sigma_2^(-(N-2)/N) + c)^(-N/(N-2)) from depth 3 on, with a the "
            "ratio of the singular values of A.",
            source="arora2019, equation (11)",
        ),
        Statement(
            key="gap",
            text="The deeper, the larger the gap between the singular values.",
            source="arora2019, section 3.2, after equation (11)",
        ),
        Statement(
            key="asymptote",
            text="From equal starts eps and for a < 1 the lesser one stops at "
            "eps (1-a)^(-N/(N-2)).",
            source="own derivation, the limit of equation (11)",
        ),
        Statement(
            key="stationary",
            text="Singular vectors are stationary from some t_0 on.",
            source="arora2019, the assumption of equation (10)",
        ),
        Statement(
            key="weights",
            text="With the weights u_r' A v_r of t_0 the equation asks only that the "
            "vectors stay, not that they are those of A.",
            source="own reading",
        ),
        Statement(
            key="second",
            text="Vectors that stay have become those of A (corollary 1): not so for "
            "the second from depth 3 on, which stays since nothing pulls any more.",
            source="own guess, against arora2019, corollary 1",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 2, 15.0),
        "quick": _profile("quick", 6, 20.0),
        "paper": _profile("paper", 30, 150.0),
    }
    figure_text: ClassVar[str] = (
        "Left: sigma_2 against sigma_1 for A = diag(1, 0.6, 0.3) at depths 1 to 4, "
        "points of the flow on the lines of equation (11): the deeper, the flatter, "
        "with dotted asymptotes at depths 3 and 4. Middle: random starts, how far u_1 "
        "has turned since t_0 against sigma_1 over its last size, one curve per seed "
        "and depth: some degrees at most. Right: relative error of equation (11) for "
        "sigma_2 at the end against the scale of the start, with the singular values "
        "of A (filled) and with weights taken at t_0 (open): both fall with the scale."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        return all_jobs(profile, num_seeds)

    def claims(self, collection: Collection) -> list[Verdict]:
        at = depths(collection)
        return [
            *(judged.path_is_the_curve(self, collection, n) for n in DIAGONAL_DEPTHS),
            *(judged.end_is_the_tables(self, collection, n) for n in DIAGONAL_DEPTHS),
            *(judged.lesser_value_stops_short(self, collection, n) for n in (3, 4)),
            judged.deeper_leaves_less(self, collection),
            *(judged.vectors_turn_first(self, collection, n) for n in at),
            *(judged.vectors_are_stationary(self, collection, n) for n in at),
            *(judged.equation_holds(self, collection, n, "frozen") for n in at),
            *(judged.equation_holds(self, collection, n, "stated") for n in at),
            *(judged.smaller_is_nearer(self, collection, n) for n in at),
            *(
                judged.second_vector_is_not_aligned(self, collection, n)
                for n in at
                if n > 2
            ),
            judged.depth_2_aligns_more(self, collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_single_measurement(collection)
