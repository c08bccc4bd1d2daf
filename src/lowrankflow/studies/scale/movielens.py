"""Real ratings: the flow at its current rank beside the dense flow."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.problems import MOVIELENS_LICENCE
from lowrankflow.studies.claims import at_least, at_most
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.scale import movielens_measures as measures
from lowrankflow.studies.scale.movielens_jobs import (
    ADMISSIONS,
    INIT_SCALE,
    RTOL,
    SIZES,
    WHOLE,
    labelled_jobs,
)
from lowrankflow.studies.scale.movielens_picture import draw_ratings
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_OWN = "own; the method is `AdaptiveRankFlow`"
_BEFORE = "bound set before the runs"


def _profile(name: str, seconds: float, differs: str) -> Profile:
    size = SIZES[name]
    table = "943 x 1682" if size.users is None else f"{size.users} x {size.items}"
    return Profile(
        settings={
            "ratings": f"{table} users and films, {size.ratings} observed, loss summed",
            "start": f"aligned, init_scale = {INIT_SCALE:g}; hidden widths "
            "min(rows, cols)",
            "end": ", ".join(
                f"time {times[-1]:g} at depth {depth}"
                for depth, times in size.times.items()
            ),
            "admission_tolerance": "; ".join(
                f"depth {depth}: {' and '.join(f'{t:g}' for t in own)}"
                for depth, own in ADMISSIONS.items()
            ),
            "both flows": f"rtol = atol = {RTOL:g}, one thread",
        },
        num_seeds=1,
        expected_seconds=seconds,
        differs=differs,
    )


class MovieLens(AbstractStudy):
    """Ten leading singular values on MovieLens 100K, and what they cost."""

    key: ClassVar[str] = "scale/movielens"
    title: ClassVar[str] = "Real ratings at the cost of the current rank"
    question: ClassVar[str] = (
        "On real ratings, do the leading singular values follow the flow of "
        "full-dimensional factors, and how much faster?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="values",
            text="The ten leading singular values go where the dense flow's go.",
            source=_OWN,
        ),
        Statement(
            key="errors",
            text="So does the error on ratings held out.",
            source=_OWN,
        ),
        Statement(
            key="faster",
            text="They do so a hundred times faster.",
            source=_OWN,
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 25.0, "tiny, for tests: decides nothing"),
        "quick": _profile(
            "quick", 40.0, "the densest 150 x 250 ratings; says nothing of speed"
        ),
        "paper": _profile("paper", 900.0, "no paper has it; data as in arora2019"),
    }
    figure_text: ClassVar[str] = (
        "Above, the ten largest singular values against time: a line for the dense "
        "flow, dots for the adaptive one, on a logarithmic axis; wall times of both in "
        "the titles. Below, how far the ten are from the dense flow's curve, over the "
        "largest and relatively, and at equal times, in per cent, with a line at one "
        "per cent."
    )
    data_licence: ClassVar[str] = MOVIELENS_LICENCE

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        return labelled_jobs(profile, num_seeds)

    def claims(self, collection: Collection) -> list[Verdict]:
        pairs = [(depth, tol) for depth, tols in ADMISSIONS.items() for tol in tols]
        verdicts = [
            verdict for pair in pairs for verdict in self._same(collection, *pair)
        ]
        # A table this small has nothing to be fast on.
        if WHOLE in collection.axis("data"):
            verdicts += [self._faster(collection, *pair) for pair in pairs]
        return verdicts

    def figure(self, collection: Collection) -> "Figure":
        return draw_ratings(collection)

    def _same(
        self, collection: Collection, depth: int, tolerance: float
    ) -> list[Verdict]:
        here = f"Depth {depth}, admission tolerance {tolerance:g}"
        name = f"{depth}-{tolerance:.0e}".replace("e-0", "e-")
        values = self.statement("values")
        return [
            at_most(
                measures.largest_of(collection, measures.apart, depth, tolerance),
                0.01,
                claim=f"values-{name}",
                sentence=f"{here}: the ten leading singular values stay within 1 % of "
                "the largest from the dense flow's curve.",
                statement=values,
                quantity="largest distance over the largest singular value",
                note=_BEFORE,
            ),
            at_most(
                measures.largest_of(
                    collection, measures.relatively_apart, depth, tolerance
                ),
                0.01,
                claim=f"relative-{name}",
                sentence=f"{here}: relatively, too, those above "
                f"{measures.SHARE:g} of the largest stay within 1 %.",
                statement=values,
                quantity="largest distance of the logarithms",
                note=_BEFORE,
            ),
            at_most(
                measures.errors_apart(collection, depth, tolerance),
                0.01,
                claim=f"errors-{name}",
                sentence=f"{here}: at equal losses the errors on held-out ratings "
                "differ by at most 1 %.",
                statement=self.statement("errors"),
                quantity="largest relative difference of the held-out errors",
                note=_BEFORE,
            ),
        ]

    def _faster(self, collection: Collection, depth: int, tolerance: float) -> Verdict:
        return at_least(
            measures.times_faster(collection, depth, tolerance),
            100.0,
            claim=f"faster-{depth}-{tolerance:.0e}".replace("e-0", "e-"),
            sentence=f"Depth {depth}, admission tolerance {tolerance:g}: a hundred "
            "times faster than the dense flow.",
            statement=self.statement("faster"),
            quantity="wall time of the dense flow over that of the adaptive one",
            note="on one machine, one thread each, with the decompositions at the "
            "records; the first run of a process also compiles; " + _BEFORE,
        )
