"""Test error against continuous time, for depths 2, 3, 4 and ever smaller starts."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from lowrankflow.studies.claims import at_least, at_most, smaller_than
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021.figure5_picture import draw_errors
from lowrankflow.studies.li2021.passages import SWEEPS, passages, passages_profile
from lowrankflow.studies.li2021.passages_measures import at_level, per_run
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.samples import Sample, largest
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure

# A low-rank solution is found when W is within 1 % of the truth, of rank 3.
FOUND = 0.01
# Below this relative error all three eigenvalues are being learned.
DROPPED = 0.1


def drop_time(collection: Collection, depth: int, scale: float) -> Sample:
    """When the relative error falls below a tenth."""

    def number(run: "xarray.Dataset") -> float:
        error = np.asarray(run["relative_error"].values)
        return at_level(1 / error, np.asarray(run["time"].values), 1 / DROPPED)

    return per_run(collection, number, method="flow", depth=depth, init_scale=scale)


def last_error(collection: Collection, depth: int, scale: float) -> Sample:
    """The relative error at the end."""
    return per_run(
        collection,
        lambda run: float(run["relative_error"].values[-1]),
        method="flow",
        depth=depth,
        init_scale=scale,
    )


class Figure5(AbstractStudy):
    """Depth and the start's scale: when the error falls, and how far."""

    key: ClassVar[str] = "li2021/figure5"
    title: ClassVar[str] = "Test error over time, by depth and start"
    question: ClassVar[str] = (
        "From which scale of the start on does a flow find the low-rank solution, and "
        "when?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="early",
            text="Deep factorizations find the low-rank solution already from starts "
            "of about 1e-3, depth 2 does not.",
            source="li2021, figure 5",
        ),
        Statement(
            key="spread",
            text="For depths above 2 and a start of 1e-7 the spread is large, because "
            "the sudden drops of the loss occur at very different times.",
            source="li2021, figure 5 (caption)",
        ),
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": passages_profile("smoke", 1, 30.0, "one instance, four scales"),
        "quick": passages_profile("quick", 3, 35.0, "flow in place of descent"),
        "paper": passages_profile("paper", 5, 90.0, "flow in place of descent"),
    }
    figure_text: ClassVar[str] = (
        "Relative error against flow time for depths 2, 3 and 4, one curve per scale "
        "of the start: the mean over instances, one standard deviation shaded. Depth 2 "
        "ends lower the smaller the start; depths 3 and 4 end low from 1e-3 on, later "
        "and in steps whose times differ the more the smaller the start."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        return passages(SWEEPS[profile].scales, num_seeds)

    def claims(self, collection: Collection) -> list[Verdict]:
        deep = [last_error(collection, depth, 1e-3) for depth in (3, 4)]
        shallow = last_error(collection, 2, 1e-3)
        early, spread = self.statement("early"), self.statement("spread")
        return [
            at_most(
                largest(deep),
                FOUND,
                claim="deep-finds",
                sentence="From w = 1e-3 depths 3 and 4 end within 1 % of the truth.",
                statement=early,
                quantity="relative error, the larger of both",
                note="an independent run, seed 2: 0.003 and 0.002",
            ),
            at_least(
                shallow,
                FOUND,
                claim="shallow-does-not",
                sentence="From w = 1e-3 depth 2 does not.",
                statement=early,
                quantity="relative error",
                note="an independent run, seed 2: 0.11",
            ),
            smaller_than(
                largest(deep),
                shallow,
                factor=0.1,
                claim="deeper-is-closer",
                sentence="From w = 1e-3 both end ten times closer than depth 2.",
                statement=early,
                quantity="relative error",
            ),
            *(self._later(collection, depth, spread) for depth in (3, 4)),
            *(self._apart(collection, depth, spread) for depth in (3, 4)),
        ]

    def figure(self, collection: Collection) -> "Figure":
        return draw_errors(collection)

    def _later(self, collection: Collection, depth: int, said: Statement) -> Verdict:
        """Times of the drop, instance by instance, as far from their mean."""
        return smaller_than(
            _deviation(drop_time(collection, 2, 1e-7)),
            _deviation(drop_time(collection, depth, 1e-7)),
            factor=0.1,
            claim=f"spread-{depth}",
            sentence=f"From 1e-7 the time at which the error falls below a tenth "
            f"differs between instances ten times more at depth {depth} than at 2.",
            statement=said,
            quantity="deviation of that time from the mean over instances",
            by="difference",
        )

    def _apart(self, collection: Collection, depth: int, said: Statement) -> Verdict:
        times = drop_time(collection, depth, 1e-7)
        ratio = float(times.values.max() / times.values.min()) if len(times) else np.nan
        return at_least(
            Sample(values=np.array([ratio]), seeds=(None,), missing=times.missing),
            2.0,
            claim=f"times-{depth}",
            sentence=f"At depth {depth} and 1e-7 the latest drop comes at twice the "
            "time of the earliest, or later.",
            statement=said,
            quantity="largest over smallest time",
            note="instances are the seeds",
        )


def _deviation(sample: Sample) -> Sample:
    return Sample(
        values=np.abs(sample.values - sample.values.mean())
        if len(sample)
        else sample.values,
        seeds=sample.seeds,
        missing=sample.missing,
    )
