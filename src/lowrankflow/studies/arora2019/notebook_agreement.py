"""The notebook's numbers against ours, and how its entries must have been drawn."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lowrankflow.studies.arora2019 import notebook_values as notebook
from lowrankflow.studies.arora2019.notebook_ends import (
    DEEP,
    ERROR,
    NORM,
    RANK,
    away,
    counts_in_order,
    end,
    in_notebook,
    log_away,
    mean_of,
    minimum,
    over_truth,
    starts,
)
from lowrankflow.studies.arora2019.notebook_jobs import APART, ONCE, REPEATED
from lowrankflow.studies.claims import at_least, at_most, smaller_than
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.numbers import readable
from lowrankflow.studies.samples import Sample, combine, largest
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from lowrankflow.studies.study import AbstractStudy

_ONE_INSTANCE = (
    "The notebook shows one instance, read to ten per cent; errors of two instances "
    "differ by up to a half."
)


def shallow_errors(
    study: "AbstractStudy", collection: Collection, count: int, drawn: str
) -> list[Verdict]:
    """Depth 2, draws with replacement: the notebook's errors from each start."""
    place = in_notebook(collection, count)
    name = "error-once" if drawn == ONCE else "error"
    return [
        at_most(
            away(end(collection, ERROR, count, drawn, 2, scale), value),
            1.5,
            statistic="geometric mean",
            claim=f"notebook-{name}-{count}-{scale:g}",
            sentence=f"{count:,} draws {drawn}: depth 2 from "
            f"{readable(scale)} errs as in the notebook, by {readable(value)}, within "
            "a factor of 1.5.",
            statement=study.statement("values"),
            quantity="ratio of reconstruction errors, either way",
            note=_ONE_INSTANCE,
        )
        for scale, value in notebook.ERRORS[place, 2].items()
        if scale in starts(collection, count, drawn, 2)
    ]


def shallow_norms_and_ranks(
    study: "AbstractStudy", collection: Collection, count: int
) -> list[Verdict]:
    """Depth 2, draws with replacement: its norms and ranks from all starts."""
    place = in_notebook(collection, count)
    scales = starts(collection, count, REPEATED, 2)
    norms, ranks = [], []
    for scale in (scale for scale in notebook.SCALES if scale in scales):
        norm = end(collection, NORM, count, REPEATED, 2, scale)
        share = notebook.NORMS[place, 2][scale] / notebook.TRUE_NORM[place]
        norms.append(_off(over_truth(collection, NORM, norm), share))
        rank = end(collection, RANK, count, REPEATED, 2, scale)
        ranks.append(_off(rank, notebook.RANKS[place, 2][scale]))
    few = place == notebook.FEW
    norm_bound, rank_bound = (0.015, 0.8) if few else (0.003, 0.15)
    lead = f"{count:,} draws with replacement: depth 2"
    return [
        at_most(
            largest(norms),
            norm_bound,
            claim=f"notebook-norm-{count}",
            sentence=f"{lead} has the notebook's nuclear norms, in units of the "
            f"truth's, within {100 * norm_bound:g} %, from every start.",
            statement=study.statement("values"),
            quantity="largest difference of nuclear norms over the truth's",
            note="One instance, whose truth has another norm; read to 0.05 %.",
        ),
        at_most(
            largest(ranks),
            rank_bound,
            claim=f"notebook-rank-{count}",
            sentence=f"{lead} has the notebook's effective ranks within "
            f"{rank_bound:g}, from every start.",
            statement=study.statement("values"),
            quantity="largest difference of effective ranks",
            note="One instance, read to 0.05.",
        ),
    ]


def deep_errors(study: "AbstractStudy", collection: Collection, count: int) -> Verdict:
    """Depths 3 and 4, draws with replacement: its errors from all starts."""
    place = in_notebook(collection, count)
    ratios = [
        away(
            end(collection, ERROR, count, REPEATED, depth, scale),
            notebook.ERRORS[place, depth][scale],
        )
        for depth in DEEP
        for scale in starts(collection, count, REPEATED, depth)
    ]
    return at_most(
        largest(ratios),
        3.0,
        statistic="geometric mean",
        claim=f"notebook-deep-error-{count}",
        sentence=f"{count:,} draws with replacement: depths 3 and 4 err as in the "
        "notebook, within a factor of 3, from every start.",
        statement=study.statement("values"),
        quantity="largest ratio of reconstruction errors, either way",
        note="What the stop rule leaves; it varies by a factor of 4 over instances.",
    )


def minimum_norm(study: "AbstractStudy", collection: Collection, count: int) -> Verdict:
    """The minimum of the nuclear norm, draws with replacement: the printed number."""
    place = in_notebook(collection, count)
    share = notebook.MIN_NORM[place] / notebook.TRUE_NORM[place]
    bound = 0.01 if place == notebook.FEW else 0.002
    least = minimum(collection, NORM, count, REPEATED)
    return at_most(
        _off(over_truth(collection, NORM, least), share),
        bound,
        claim=f"notebook-minimum-norm-{count}",
        sentence=f"{count:,} draws with replacement: the minimum nuclear norm is the "
        f"notebook's {share:.4f} of the truth's, within {bound:g}.",
        statement=study.statement("values"),
        quantity="difference of minima of the nuclear norm over the truth's",
        note="Printed: 210.15163 and 221.02568; the truths' 219.5 and 221.2 are read.",
    )


def minimum_error(study: "AbstractStudy", collection: Collection) -> Verdict:
    """Its error with few draws."""
    few, _ = counts_in_order(collection)
    value = notebook.MIN_ERROR[notebook.FEW]
    return at_most(
        away(minimum(collection, ERROR, few, REPEATED), value),
        1.5,
        statistic="geometric mean",
        claim="notebook-minimum-error",
        sentence=f"{few:,} draws with replacement: the minimum nuclear norm errs as "
        f"in the notebook, by {value:g}, within a factor of 1.5.",
        statement=study.statement("values"),
        quantity="ratio of reconstruction errors, either way",
        note=_ONE_INSTANCE,
    )


def how_drawn(study: "AbstractStudy", collection: Collection) -> list[Verdict]:
    """Whether the notebook's entries were drawn with replacement."""
    few, _ = counts_in_order(collection)
    statement = study.statement("drawn")
    share = notebook.MIN_NORM[notebook.FEW] / notebook.TRUE_NORM[notebook.FEW]
    apart, repeated = (
        _off(over_truth(collection, NORM, minimum(collection, NORM, few, drawn)), share)
        for drawn in (APART, REPEATED)
    )
    return [
        smaller_than(
            _distance(collection, REPEATED),
            _distance(collection, APART),
            factor=0.5,
            claim="drawn-errors",
            sentence="The errors of depth 2 are less than half as far from the "
            "notebook's with replacement as without.",
            statement=statement,
            quantity="mean distance of the logarithms of the errors from the "
            "notebook's, with to without replacement",
            note="Over all starts and both numbers of entries.",
        ),
        smaller_than(
            repeated,
            apart,
            factor=0.5,
            claim="drawn-minimum",
            sentence="The minimum nuclear norm of few entries, over the truth's, is "
            "less than half as far from the notebook's with replacement as without.",
            statement=statement,
            quantity="distance from the notebook's, with to without replacement",
        ),
        at_least(
            combine(
                lambda *errors: min(
                    value / error
                    for value, error in zip(_read(collection, few), errors, strict=True)
                ),
                *_shallow(collection, few, APART),
            ),
            1.2,
            statistic="geometric mean",
            claim="drawn-not-without",
            sentence="The errors of depth 2 from few entries without replacement are "
            "below the notebook's at every start, by a fifth or more.",
            statement=statement,
            quantity="least ratio of the notebook's errors to ours",
            note="Twice the error of reading.",
        ),
    ]


def how_counted(study: "AbstractStudy", collection: Collection) -> Verdict:
    """Whether an entry drawn again counts again in the notebook."""
    _, many = counts_in_order(collection)
    once, again = (_distance(collection, how, [many]) for how in (ONCE, REPEATED))
    return smaller_than(
        once,
        again,
        factor=0.5,
        claim="drawn-counted-once",
        sentence=f"{many:,} draws: the errors of depth 2 are less than half as far "
        "from the notebook's where an entry drawn again counts once as where it counts "
        "again.",
        statement=study.statement("counted"),
        quantity="mean distance of the logarithms of the errors from the notebook's, "
        "once to again",
        note="Asked after runs in which it counts again had come out too large.",
    )


def _distance(
    collection: Collection, drawn: str, counts: Sequence[int] | None = None
) -> Sample:
    distances = [
        log_away(sample, value)
        for count in counts or counts_in_order(collection)
        for sample, value in zip(
            _shallow(collection, count, drawn),
            _read(collection, count),
            strict=True,
        )
    ]
    return mean_of(distances)


def _shallow(collection: Collection, count: int, drawn: str) -> list[Sample]:
    """The errors of depth 2 from each start that the notebook has."""
    return [
        end(collection, ERROR, count, drawn, 2, scale)
        for scale in starts(collection, count, drawn, 2)
    ]


def _read(collection: Collection, count: int) -> list[float]:
    """Those of the notebook."""
    place = in_notebook(collection, count)
    scales = starts(collection, count, APART, 2)
    return [notebook.ERRORS[place, 2][scale] for scale in scales]


def _off(sample: Sample, value: float) -> Sample:
    return sample.map(lambda number: abs(float(number) - value))
