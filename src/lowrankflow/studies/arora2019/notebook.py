"""The authors' notebook: completion against the scale of the start."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lowrankflow.studies.arora2019 import (
    notebook_agreement as agreement,
    notebook_claims as judged,
)
from lowrankflow.studies.arora2019.completion import (
    DEPTHS,
    GAP_TOLERANCE,
    MEAN_SQUARED_RESIDUAL,
)
from lowrankflow.studies.arora2019.completion_checks import (
    CERTIFIED,
    CONVERGED,
    every_minimum_certified,
    every_run_converged,
)
from lowrankflow.studies.arora2019.notebook_ends import DEEP, counts_in_order
from lowrankflow.studies.arora2019.notebook_jobs import (
    DRAWN,
    ONCE,
    REPEATED,
    SIZES,
    planned,
)
from lowrankflow.studies.arora2019.notebook_picture import draw_notebook
from lowrankflow.studies.collection import AxisValue, Collection
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WHERE = "arora2019, the notebook published with it"


def _profile(name: str, seeds: int, seconds: float, differs: str) -> Profile:
    size = SIZES[name]
    scales, deep, rates = (
        ", ".join(f"{number:g}" for number in numbers)
        for numbers in (size.scales, size.deep_scales, size.learning_rates)
    )
    return Profile(
        settings={
            "shape": f"{size.shape[0]} x {size.shape[1]}, mean squared entry 1",
            "rank": size.rank,
            "entries drawn": f"{size.counts[0]} and {size.counts[1]}, each without "
            "and with replacement; draws that count once, at depth 2: "
            + " and ".join(map(str, size.once_counts)),
            "depths": ", ".join(map(str, DEPTHS)),
            "init_scale": scales
            if deep == scales
            else f"{scales}; depths 3 and 4 {deep} but for {size.counts[0]} without "
            "replacement",
            "descent": f"normalized steps of {rates}, {size.counts[0]} without "
            f"replacement, depth {', '.join(map(str, size.descent_depths))}, one seed",
            "stop": f"mean squared residual {MEAN_SQUARED_RESIDUAL:g}",
            "flow": f"adaptive, rtol = atol = {size.rtol:g}",
            "minimum nuclear norm": f"certified, relative gap {GAP_TOLERANCE:g}",
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs=differs,
    )


def _counts(collection: Collection, drawn: str) -> list[AxisValue]:
    """The numbers of entries that were drawn so."""
    return collection.select(drawn=drawn).axis("num_observed")


class Completion(AbstractStudy):
    """Error, nuclear norm and effective rank against the start, as in the notebook."""

    key: ClassVar[str] = "arora2019/completion"
    title: ClassVar[str] = "Completion against the scale of the start"
    question: ClassVar[str] = (
        "Do the numbers of the authors' notebook come out again, and of which entries "
        "are they?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="few",
            text="From 2,000 entries depths 3 and 4 recover a matrix of rank 5; depth "
            "2 and the minimum nuclear norm do not.",
            source=WHERE,
            value="4.1e-5 and 2.2e-5 at depths 3 and 4, 0.100 at depth 2 from 1e-3, "
            "0.114 (read off the curves)",
        ),
        Statement(
            key="scale",
            text="At depth 2 a smaller start leads to a lower error and a lower "
            "effective rank.",
            source=WHERE,
            value="errors 0.100, 0.066, 0.038 and 0.024, effective ranks 10.1, 8.4, "
            "7.2 and 6.6 from 1e-3, 1e-4, 1e-5 and 1e-6 (read off the curves)",
        ),
        Statement(
            key="deep-scale",
            text="At depths 3 and 4 the scale of the start does not matter.",
            source=WHERE,
            value="errors 2.2e-5 to 4.1e-5 from 1e-6 to 1e-3 (read off the curves)",
        ),
        Statement(
            key="many",
            text="From 5,000 entries every depth from every start and the minimum "
            "nuclear norm recover the matrix.",
            source=WHERE,
            value="errors up to 8.7e-5, nuclear norms 221.2 to 222.3 for 221.2, "
            "effective ranks up to 5.35 for 4.92 (read off the curves)",
        ),
        Statement(
            key="values",
            text="The numbers of the notebook are those of its setting.",
            source=WHERE,
            value="minimum nuclear norm 210.15163 and 221.02568 (printed); the rest is "
            "read off the curves",
        ),
        Statement(
            key="drawn",
            text="The notebook's entries were drawn with replacement.",
            source="inferred from the notebook; the generator that arora2019 publishes "
            "draws without",
        ),
        Statement(
            key="counted",
            text="An entry that was drawn more than once counts once in the notebook.",
            source="inferred from the notebook",
        ),
        Statement(
            key="learning-rate",
            text="A smaller learning rate changes nothing.",
            source=WHERE,
            value="the curves of 3e-4 and 1e-3 coincide",
        ),
        CONVERGED,
        CERTIFIED,
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 1, 15.0, "20 x 24, rank 2, one seed"),
        "quick": _profile(
            "quick",
            3,
            90.0,
            "flow in place of descent; descent by larger steps in place of smaller "
            "ones, at depth 2; fewer starts and seeds at depths 3 and 4",
        ),
        "paper": _profile(
            "paper",
            5,
            400.0,
            "flow in place of descent, but for one seed; the notebook has one instance",
        ),
    }
    figure_text: ClassVar[str] = (
        "Columns: reconstruction error, nuclear norm in units of the truth's, and "
        "effective rank, against the scale of the start; rows: how many entries are "
        "drawn. Solid curves are of entries drawn without replacement, dashed ones "
        "with, dotted ones with but each entry counted once; stars are the notebook's "
        "numbers, those of the minimum nuclear norm at the left edge. "
        "The stars of depth 2 lie by the dashed curve, with many entries between it "
        "and the dotted one, never by the solid one; depths 3 and 4 "
        "are at the truth either way. Points are means over seeds, bars one standard "
        "deviation either way, not below the least. The notebook's minimum of the "
        "nuclear norm has residuals up to 1e-3, which is its error with many entries; "
        "ours is exact there and below the panel."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        return planned(SIZES[profile], num_seeds)

    def claims(self, collection: Collection) -> list[Verdict]:
        counts = counts_in_order(collection)
        return [
            *judged.few_without_replacement(self, collection),
            *(v for how in DRAWN for v in judged.shallow_scale(self, collection, how)),
            *(judged.deep_scale(self, collection, depth) for depth in DEEP),
            *(
                verdict
                for how in DRAWN
                for verdict in judged.many(self, collection, how)
            ),
            *judged.shallow_with_replacement(self, collection),
            *agreement.how_drawn(self, collection),
            agreement.how_counted(self, collection),
            *(
                verdict
                for how in (REPEATED, ONCE)
                for m in (int(count) for count in _counts(collection, how))
                for verdict in agreement.shallow_errors(self, collection, m, how)
            ),
            *(
                verdict
                for m in counts
                for verdict in agreement.shallow_norms_and_ranks(self, collection, m)
            ),
            *(agreement.deep_errors(self, collection, m) for m in counts),
            *(agreement.minimum_norm(self, collection, m) for m in counts),
            agreement.minimum_error(self, collection),
            *judged.learning_rates(self, collection),
            every_run_converged(collection),
            every_minimum_certified(collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_notebook(collection)
