"""How well deep factorizations complete a matrix, by how much of it is observed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from lowrankflow.studies.arora2019.completion import (
    DEPTHS,
    PAPER_LEARNING_RATE,
    PAPER_SCALE,
    SWEEPS,
    descent,
    flow,
    instances,
    min_nuclear_norm,
    settings,
)
from lowrankflow.studies.arora2019.completion_checks import (
    CERTIFIED,
    CONVERGED,
    FEW_IN_WORDS,
    counts_of,
    every_minimum_certified,
    every_run_converged,
    few_of,
    fewest_of,
    ranks_of,
)
from lowrankflow.studies.arora2019.legend import shared_legend
from lowrankflow.studies.claims import at_least, at_most, smaller_than
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.samples import Sample, combine, largest, smallest
from lowrankflow.studies.study import AbstractStudy, LabelledJob, Profile
from lowrankflow.studies.style import (
    depth_look,
    draw_samples,
    method_look,
    panels,
)
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ERROR = "mean_squared_error"
WHERE = "arora2019, figure 1"


def _profile(name: str, seeds: int, seconds: float, differs: str) -> Profile:
    sweep = SWEEPS[name]
    twins = ", ".join(f"rank {r} with {m} entries" for r, m in sweep.descent_at)
    return Profile(
        settings={
            **settings(sweep, f"{PAPER_SCALE:g}"),
            "depths": ", ".join(map(str, DEPTHS)),
            "descent": f"normalized steps of {PAPER_LEARNING_RATE:g}: "
            + (twins if len(sweep.descent_at) < 4 else "everywhere"),
        },
        num_seeds=seeds,
        expected_seconds=seconds,
        differs=differs,
    )


class Figure1(AbstractStudy):
    """Reconstruction error against the number of observed entries, by depth."""

    key: ClassVar[str] = "arora2019/figure1"
    title: ClassVar[str] = "Depth and the recovery of low-rank matrices"
    question: ClassVar[str] = (
        "Does a deeper factorization complete a low-rank matrix from fewer entries?"
    )
    statements: ClassVar[tuple[Statement, ...]] = (
        Statement(
            key="few",
            text="When few entries are observed, depths 3 and 4 recover the matrix far "
            "better than depth 2.",
            source=WHERE,
            value="rank 5, 2,000 entries: 0.100 at depth 2, 4.1e-5 and 2.2e-5 at "
            "depths 3 and 4 (read off the curves of the authors' notebook)",
        ),
        Statement(
            key="many",
            text="When many entries are observed, all depths recover the matrix.",
            source=WHERE,
            value="rank 5, 5,000 entries: 8.7e-5 at depth 2, 4.0e-6 at depths 3 and 4 "
            "(read off the curves of the authors' notebook)",
        ),
        Statement(
            key="alike",
            text="Depths 3 and 4 are indistinguishable.",
            source=WHERE,
        ),
        Statement(
            key="fewest",
            text="Below 1.5 entries for each degree of freedom no depth recovers the "
            "matrix.",
            source="own question: where the statement about few entries begins",
        ),
        Statement(
            key="descent",
            text="The paper's descent follows the gradient flow: smaller learning "
            "rates change nothing.",
            source="arora2019, figure 2",
            value="curves for 1e-3 and 3e-4 coincide (the authors' notebook)",
        ),
        CONVERGED,
        CERTIFIED,
    )
    profiles: ClassVar[Mapping[str, Profile]] = {
        "smoke": _profile("smoke", 1, 15.0, "20 x 24, one seed"),
        "quick": _profile(
            "quick",
            3,
            80.0,
            "flow in place of descent, but for one run per depth; four numbers of "
            "entries for each rank",
        ),
        "paper": _profile(
            "paper",
            5,
            1200.0,
            "flow with descent beside it for one seed; the paper says neither its "
            "numbers of entries nor how many trials",
        ),
    }
    figure_text: ClassVar[str] = (
        "Reconstruction error, logarithmic, against the number of observed entries; "
        "rank 5 on the left, rank 10 on the right. With few entries depth 2 and the "
        "minimum nuclear norm err by hundredths to tenths, depths 3 and 4 by a ten "
        "thousandth or less, except with the fewest, where they fail for some "
        "matrices; with many all errors are small. Where the minimum nuclear norm "
        "recovers exactly it leaves the panel below. Points are means over seeds, "
        "bars one standard deviation either way, not below the least error; rings are "
        "the paper's descent."
    )

    def jobs(self, profile: str, num_seeds: int) -> list[LabelledJob]:
        sweep = SWEEPS[profile]
        jobs = []
        for instance in instances(sweep, sweep.points(), num_seeds):
            jobs += [
                flow(instance, depth=depth, init_scale=PAPER_SCALE, rtol=sweep.rtol)
                for depth in DEPTHS
            ]
            jobs.append(min_nuclear_norm(instance))
        twins = min(num_seeds, sweep.num_descents)
        for instance in instances(sweep, list(sweep.descent_at), twins):
            jobs += [descent(instance, depth=depth) for depth in DEPTHS]
        return jobs

    def claims(self, collection: Collection) -> list[Verdict]:
        ranks = ranks_of(collection)
        few = [
            (rank, count)
            for rank in ranks
            for count in few_of(collection, rank, method="flow")
        ]
        fewest = [
            (rank, count)
            for rank in ranks
            for count in fewest_of(collection, rank, method="flow")
        ]
        return [
            *(self._deep_recovers_from_few(collection, *point) for point in few),
            *(self._all_recover_from_many(collection, rank) for rank in ranks),
            *(self._depths_alike(collection, *point) for point in few),
            *(self._none_recovers_from_fewest(collection, *p) for p in fewest),
            self._descent_recovers_alike(collection),
            self._descent_ends_alike(collection),
            every_run_converged(collection),
            every_minimum_certified(collection),
        ]

    def figure(self, collection: Collection) -> "Figure":
        ranks = ranks_of(collection)
        figure, (row,) = panels(1, max(len(ranks), 1), height=3.3)
        for axes, rank in zip(row, ranks, strict=False):
            _panel(axes, collection, rank)
        row[0].set_ylabel("reconstruction error")
        shared_legend(figure, row, ncols=3)
        return figure

    def _deep_recovers_from_few(
        self, collection: Collection, rank: int, count: int
    ) -> Verdict:
        return smaller_than(
            largest([_error(collection, rank, count, depth) for depth in (3, 4)]),
            _error(collection, rank, count, 2),
            factor=0.1,
            claim=f"few-rank-{rank}-{count}",
            sentence=f"Rank {rank}, {count:,} entries: the worse of depths 3 and 4 "
            "errs by less than a tenth of what depth 2 does.",
            statement=self.statement("few"),
            quantity="reconstruction error, depths 3 and 4 to depth 2",
            note=f'"Far better" is read as ten times. {FEW_IN_WORDS}',
        )

    def _all_recover_from_many(self, collection: Collection, rank: int) -> Verdict:
        many = counts_of(collection, method="flow", rank=rank)[-1]
        return at_most(
            largest([_error(collection, rank, many, depth) for depth in DEPTHS]),
            1e-4,
            claim=f"many-rank-{rank}",
            sentence=f"Rank {rank}, {many:,} entries: every depth errs by at most "
            "1e-4 of the mean squared entry.",
            statement=self.statement("many"),
            quantity="largest reconstruction error of depths 2, 3 and 4",
            note="The notebook's worst is 8.7e-5.",
        )

    def _depths_alike(self, collection: Collection, rank: int, count: int) -> Verdict:
        return at_most(
            combine(
                _either_way,
                _error(collection, rank, count, 3),
                _error(collection, rank, count, 4),
            ),
            3.0,
            statistic="geometric mean",
            claim=f"alike-rank-{rank}-{count}",
            sentence=f"Rank {rank}, {count:,} entries: the errors of depths 3 and 4 "
            "are within a factor of 3.",
            statement=self.statement("alike"),
            quantity="ratio of the two reconstruction errors, either way",
            note="Half a decade, on an axis of five.",
        )

    def _none_recovers_from_fewest(
        self, collection: Collection, rank: int, count: int
    ) -> Verdict:
        return at_least(
            smallest([_error(collection, rank, count, depth) for depth in DEPTHS]),
            0.01,
            claim=f"fewest-rank-{rank}-{count}",
            sentence=f"Rank {rank}, {count:,} entries: every depth errs by at least "
            "0.01 of the mean squared entry.",
            statement=self.statement("fewest"),
            quantity="least reconstruction error of depths 2, 3 and 4",
            note="A hundredth of not trying, a hundred times what many entries leave.",
        )

    def _descent_recovers_alike(self, collection: Collection) -> Verdict:
        return at_most(
            _against_descent(collection, ERROR),
            1.25,
            claim="descent-recovers-alike",
            sentence="From the same starts, the paper's descent and the flow recover "
            "equally well at depths 2, 3 and 4: within a quarter.",
            statement=self.statement("descent"),
            quantity="largest ratio of their reconstruction errors, either way",
            note="At depths 3 and 4 the error at the end is what the stop rule leaves; "
            "from seed to seed it varies by 40 %.",
        )

    def _descent_ends_alike(self, collection: Collection) -> Verdict:
        return at_most(
            _against_descent(collection, "effective_rank"),
            1.01,
            claim="descent-ends-alike",
            sentence="Their effective ranks agree within 1 %.",
            statement=self.statement("descent"),
            quantity="largest ratio of their effective ranks, either way",
        )


def _error(collection: Collection, rank: int, count: int, depth: int) -> Sample:
    return collection.last(
        ERROR, method="flow", rank=rank, num_observed=count, depth=depth
    )


def _against_descent(collection: Collection, variable: str) -> Sample:
    """Every seed's largest ratio of descent and flow, over depths and problems."""
    ratios = []
    for rank in ranks_of(collection):
        for count in counts_of(collection, method="descent", rank=rank):
            for depth in DEPTHS:
                where = {"rank": rank, "num_observed": count, "depth": depth}
                pair = (
                    collection.last(variable, method=method, **where)
                    for method in ("flow", "descent")
                )
                ratios.append(combine(_either_way, *pair))
    if not ratios:
        missing = ("descent: no such run was planned",)
        return Sample(values=np.empty(0), seeds=(), missing=missing)
    return largest(ratios)


def _either_way(one: float, other: float) -> float:
    return max(one / other, other / one)


def _panel(axes: "Axes", collection: Collection, rank: int) -> None:
    counts = counts_of(collection, method="flow", rank=rank)
    lowest = []
    for depth in DEPTHS:
        samples = [_error(collection, rank, count, depth) for count in counts]
        lowest += [sample.values.min() for sample in samples if len(sample)]
        draw_samples(axes, counts, samples, depth_look(depth), bars="deviation")
    minima = [
        collection.last(ERROR, method="min_nuclear_norm", rank=rank, num_observed=count)
        for count in counts
    ]
    draw_samples(
        axes, counts, minima, method_look("min_nuclear_norm"), bars="deviation"
    )
    label = method_look("descent").label
    for count in counts_of(collection, method="descent", rank=rank):
        for depth in DEPTHS:
            twin = collection.last(
                ERROR, method="descent", rank=rank, num_observed=count, depth=depth
            )
            _ring(axes, count, twin, label)
            label = "_"
    axes.set(title=f"rank {rank}", xlabel="number of observed entries", yscale="log")
    if lowest:
        axes.set_ylim(bottom=min(lowest) / 3)


def _ring(axes: "Axes", count: int, sample: Sample, label: str) -> None:
    """Open marks around what the flow found, which stays to be seen."""
    axes.plot(
        [count] * len(sample),
        sample.values,
        linestyle="",
        marker="o",
        markersize=10,
        markerfacecolor="none",
        color=method_look("descent").color,
        label=label if len(sample) else "_",
    )
