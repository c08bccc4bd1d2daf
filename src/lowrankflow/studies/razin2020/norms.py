r"""Norms that diverge: 2 x 2 completion with one entry free.

W_12 = W_21 = 1 and W_22 = 0 are observed. A completion has determinant -1, whatever
W_11; a balanced flow keeps the sign of the determinant; so from a positive one the loss
falls to zero only while |W_11| grows without bound: with r = sqrt(2 loss),
|W_11| >= W_12 W_21 / |W_22| >= (1 - r)^2 / r.

The rate in time is derived here. Near rank one W = p p' with p = (sqrt(x), 1/sqrt(x)),
up to O(x^-2), has loss 1 / (2 x^2); the balanced flow of depth N moves the singular
value x by x' = N x^(2-2/N) x^(-3), since turning costs less than growing by x^-2. So
x^(2 + 2/N) = (2N + 2) t, x ~ t^(N / (2N + 2)): the loss falls as t^(-N / (N + 1)).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.razin2020 import norms_claims as judged
from lowrankflow.studies.razin2020.norms_jobs import (
    DEPTHS,
    PAIRS,
    PERTURBED_DEPTH,
    PERTURBED_LOSS,
    PERTURBED_SCALE,
    SCALE,
    SWEEPS,
    all_jobs,
)
from lowrankflow.studies.razin2020.norms_picture import draw_norms
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OWN = "own derivation"


def _profile(name: str, seeds: int, seconds: float) -> Profile:
    sweep = SWEEPS[name]
    return Profile(
        settings={
            "depth": ", ".join(map(str, DEPTHS)),
            "start": f"random p.s.d. and Gaussian, scale of the product {SCALE:g}, "
            "drawn until the determinant has the sign asked for",
            "loss": sweep.loss,
            "perturbed": f"depth {PERTURBED_DEPTH}, scale {PERTURBED_SCALE:g}, to a "
            f"loss of {PERTURBED_LOSS:g}; W_22 in "
            + ", ".join(map(str, sweep.corners)),
            "flow": "adaptive, rtol = atol = 1e-8",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs="gradient flow in place of descent, which at depth 2 can step over "
        "the sign of the determinant; the paper stops at a loss of 1e-4",
    )


class Norms(AbstractStudy):
    """All norms to infinity, the rank to its infimum: which data keep that?"""

    key: ClassVar[str] = "razin2020/norms"
    title: ClassVar[str] = "Norms that diverge while the rank falls"
    question: ClassVar[str] = (
        "Does W_11, and every norm with it, grow without bound as the loss falls, how "
        "fast, and which starts and perturbed data keep that?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="determinant",
            text="A balanced flow of depth 2 or more keeps the determinant's sign.",
            source="razin2020, the lemma for theorem 1",
        ),
        Statement(
            key="norms",
            text="From a positive determinant every norm and quasi-norm is at least "
            "a / sqrt(loss) - b: it diverges as the loss tends to zero.",
            source="razin2020, theorem 1",
            value="our constants for |W_11|: (1 - r)^2 / r, r = sqrt(2 loss)",
        ),
        Statement(
            key="rank",
            text="Effective rank and distance to the infimal rank, one, tend to their "
            "infima; the distance is at most 3 sqrt(2 loss).",
            source="razin2020, theorem 1 (the constant is from memory)",
        ),
        Statement(
            key="unbalanced",
            text="Small Gaussian starts do the same.",
            source="razin2020, the experiments on matrix factorization",
        ),
        Statement(
            key="sign",
            text="From a determinant of the other sign norms stay bounded.",
            source="own check; the theorem asks for the sign",
        ),
        Statement(
            key="valley",
            text="On the way W_11 sqrt(2 loss) is 1 at every depth.",
            source=OWN,
        ),
        Statement(
            key="time",
            text="W_11 grows as time to the power N / (2N + 2).",
            source=OWN,
        ),
        Statement(
            key="perturbed",
            text="With other W_12, W_21 the same holds for starts of the sign of W_12 "
            "W_21; with W_22 = e the bound is of order 1 / |e|.",
            source="razin2020, the section on robustness to perturbations",
        ),
        Statement(
            key="finite",
            text="With W_22 = e > 0 and starts of the sign of W_12 W_21 where W_22 is "
            "positive nothing diverges: small ones end at the completion of rank one, "
            "W_11 = W_12 W_21 / e.",
            source=OWN,
        ),
        Statement(
            key="side",
            text="Where W_22 is negative while W_12 W_21 is positive it cannot cross "
            "zero, since W_11 W_22 keeps away from it: |W_11| diverges and the loss "
            "tends to e^2 / 2.",
            source=OWN,
        ),
        Statement(
            key="larger",
            text="One free entry of a larger matrix diverges, if the determinant of "
            "every completion has the sign that the start has not.",
            source="own derivation, from the proof of theorem 1",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 1, 15.0),
        "quick": _profile("quick", 2, 20.0),
        "paper": _profile("paper", 6, 80.0),
    }
    figure_text: ClassVar[str] = (
        "Left: |W_11| against the loss at depths 2, 3 and 4, one curve per seed: from "
        "a positive determinant all lie on 1 / sqrt(2 loss), above the dotted bound; "
        "from a negative one (thin dashes) it stays of order one. Middle: |W_11| "
        "against time, with dotted slopes N / (2N + 2). Right: perturbed data at depth "
        "3, |W_11| at the end against W_22, on the line |W_12 W_21| / W_22; from the "
        "other sign (open) of order one."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        return all_jobs(profile, num_seeds)

    def claims(self, collection: Collection) -> list[Verdict]:
        return [
            judged.determinant_is_kept(self, collection),
            judged.bound_holds(self, collection, "positive"),
            judged.bound_holds(self, collection, "unbalanced"),
            *(judged.norm_diverges(self, collection, depth) for depth in DEPTHS),
            *(judged.product_is_one(self, collection, depth) for depth in DEPTHS),
            *(judged.rate_in_time(self, collection, depth) for depth in DEPTHS),
            judged.rank_falls(self, collection),
            judged.distance_to_rank_one(self, collection),
            judged.negative_stays(self, collection),
            judged.negative_has_no_exponent(self, collection),
            *(judged.perturbed_bound(self, collection, pair) for pair in PAIRS),
            *(judged.perturbed_diverges(self, collection, pair) for pair in PAIRS),
            *(judged.perturbed_is_finite(self, collection, pair) for pair in PAIRS),
            *(
                judged.perturbed_ends_at_rank_one(self, collection, pair)
                for pair in PAIRS
            ),
            judged.opposite_sign_stays(self, collection),
            judged.wrong_side_diverges(self, collection),
            judged.wrong_side_has_its_loss(self, collection),
            judged.larger_diverges(self, collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_norms(collection)
