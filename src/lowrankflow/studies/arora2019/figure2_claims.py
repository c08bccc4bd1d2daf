"""What figure 2 says, judged: norm and rank with few and many entries, and the start.

"Few" are 1.5 to 2.1 observed entries for each degree of freedom of matrices of the
rank, "many" is the largest number of them. Depth 3 is from the paper's own start, the
largest, where no other is named.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lowrankflow.studies.arora2019.completion_checks import (
    FEW_IN_WORDS,
    counts_of,
    few_of,
    ranks_of,
    scales_of,
)
from lowrankflow.studies.claims import at_most, monotone, smaller_than
from lowrankflow.studies.collection import AxisValue, Collection
from lowrankflow.studies.numbers import readable
from lowrankflow.studies.samples import Sample, combine, largest
from lowrankflow.studies.verdict import Verdict

if TYPE_CHECKING:
    from lowrankflow.studies.study import AbstractStudy

OBSERVED = "num_observed"
SCALE = "init_scale"
ERROR = "mean_squared_error"
NORM = "nuclear_norm"
RANK = "effective_rank"
DEEP = (3, 4)


def norm_not_minimal(
    study: "AbstractStudy", collection: Collection, rank: int
) -> Verdict:
    """Few entries: the minimum nuclear norm is below that of depth 3."""
    few = few_counts(collection, rank)
    ratios = [
        combine(
            lambda least, found: least / found,
            _minimum(collection, NORM, rank, count),
            _deep(collection, NORM, rank, count),
        )
        for count in few
    ]
    return smaller_than(
        largest(ratios),
        1.0,
        factor=0.999,
        claim=f"norm-not-minimal-rank-{rank}",
        sentence=f"Rank {rank}, {_listed(few)} entries: the minimum nuclear norm is "
        "lower than that of depth 3, by more than 0.1 %.",
        statement=study.statement("few-norm"),
        quantity="nuclear norm, minimum to depth 3, the nearer of these",
        note="The stop rule leaves 0.05 % open, the certificates far less. "
        + FEW_IN_WORDS,
    )


def rank_is_lower(study: "AbstractStudy", collection: Collection, rank: int) -> Verdict:
    """Few entries: the effective rank of depth 3 is below that of the minimum."""
    few = few_counts(collection, rank)
    ratios = [
        combine(
            lambda found, least: found / least,
            _deep(collection, RANK, rank, count),
            _minimum(collection, RANK, rank, count),
        )
        for count in few
    ]
    return smaller_than(
        largest(ratios),
        1.0,
        claim=f"lower-rank-{rank}",
        sentence=f"Rank {rank}, {_listed(few)} entries: depth 3 has a lower effective "
        "rank than the minimum nuclear norm.",
        statement=study.statement("few-rank"),
        quantity="effective rank, depth 3 to the minimum nuclear norm, the nearer",
        note=FEW_IN_WORDS,
    )


def recovers_better(
    study: "AbstractStudy", collection: Collection, rank: int, count: int
) -> Verdict:
    """Few entries: depth 3 recovers far better than the minimum nuclear norm."""
    return smaller_than(
        _deep(collection, ERROR, rank, count),
        _minimum(collection, ERROR, rank, count),
        factor=0.1,
        claim=f"recovers-better-rank-{rank}-{count}",
        sentence=f"Rank {rank}, {count:,} entries: depth 3 errs by less than a tenth "
        "of what the minimum nuclear norm does.",
        statement=study.statement("few-error"),
        quantity="reconstruction error, depth 3 to the minimum nuclear norm",
        note='"Better" is read as ten times here, as it looks in the figure. '
        + FEW_IN_WORDS,
    )


def norms_coincide(
    study: "AbstractStudy", collection: Collection, rank: int
) -> Verdict:
    """Many entries: all nuclear norms are the truth's."""
    many = _counts(collection, rank)[-1]
    truth = collection.last(NORM, method="truth", rank=rank)
    return at_most(
        largest(
            [
                combine(lambda x, t: abs(x - t) / t, one, truth)
                for one in _all(collection, NORM, rank, many)
            ]
        ),
        0.01,
        claim=f"norms-coincide-rank-{rank}",
        sentence=f"Rank {rank}, {many:,} entries: depth 2 from every scale, depth 3 "
        "and the minimum all have the truth's nuclear norm within 1 %.",
        statement=study.statement("many"),
        quantity="largest relative difference of nuclear norms from the truth's",
        note="The notebook's largest is 0.5 %.",
    )


def ranks_coincide(
    study: "AbstractStudy", collection: Collection, rank: int
) -> Verdict:
    """Many entries: all effective ranks are the truth's."""
    many = _counts(collection, rank)[-1]
    truth = collection.last(RANK, method="truth", rank=rank)
    return at_most(
        largest(
            [
                combine(lambda x, t: abs(x - t), one, truth)
                for one in _all(collection, RANK, rank, many)
            ]
        ),
        0.5,
        claim=f"ranks-coincide-rank-{rank}",
        sentence=f"Rank {rank}, {many:,} entries: they all have the truth's effective "
        "rank within a half.",
        statement=study.statement("many"),
        quantity="largest difference of effective ranks from the truth's",
        note="The notebook's largest is 0.43.",
    )


def shallow_rank_falls(study: "AbstractStudy", collection: Collection) -> Verdict:
    """Depth 2: the effective rank falls with the scale of the start."""
    return monotone(
        _by_scale(collection, RANK, 2),
        "rising",
        claim="shallow-rank-falls",
        sentence="At depth 2 every smaller start leads to a lower effective rank.",
        statement=study.statement("shallow-scale"),
        quantity="effective rank over the scale of the start",
        note=_place(collection),
    )


def shallow_error_falls(study: "AbstractStudy", collection: Collection) -> Verdict:
    """Depth 2: so does the reconstruction error."""
    return monotone(
        _by_scale(collection, ERROR, 2),
        "rising",
        claim="shallow-error-falls",
        sentence="At depth 2 every smaller start leads to a lower reconstruction "
        "error.",
        statement=study.statement("shallow-scale"),
        quantity="reconstruction error over the scale of the start",
        note=_place(collection),
    )


def deep_is_indifferent(study: "AbstractStudy", collection: Collection) -> Verdict:
    """Depths 3 and 4: the scale hardly changes the effective rank."""
    spreads = [
        combine(
            lambda *x: max(x) - min(x), *_by_scale(collection, RANK, depth).values()
        )
        for depth in DEEP
    ]
    return at_most(
        largest(spreads),
        0.2,
        claim="deep-is-indifferent",
        sentence="At depths 3 and 4 the effective rank varies by at most 0.2 over all "
        "scales of the start.",
        statement=study.statement("deep-scale"),
        quantity="largest less least effective rank, the larger of both depths",
        note=f"{_place(collection)}; on an axis where depth 2 moves by 3 or more.",
    )


def deep_is_indifferent_at(
    study: "AbstractStudy", collection: Collection, rank: int, count: int
) -> Verdict:
    """Few entries: the scale hardly changes the effective rank at depths 3 and 4."""
    where = {"sweep": OBSERVED, "rank": rank, "num_observed": count}
    spreads = []
    for depth in DEEP:
        scales = scales_of(collection, method="flow", depth=depth, **where)
        found = [
            _flow(collection, RANK, rank, count, depth=depth, init_scale=scale)
            for scale in scales
        ]
        spreads.append(combine(lambda *x: max(x) - min(x), *found))
    return at_most(
        largest(spreads),
        0.2,
        claim=f"deep-is-indifferent-rank-{rank}-{count}",
        sentence=f"Rank {rank}, {count:,} entries: at depths 3 and 4 the effective "
        "rank varies by at most 0.2 over all scales of the start.",
        statement=study.statement("deep-scale"),
        quantity="largest less least effective rank, the larger of both depths",
        note=f"The bound is that of the sweep over scales. {FEW_IN_WORDS}",
    )


def varies_deep_starts(collection: Collection, rank: int) -> bool:
    """Whether depths 3 and 4 have several starts at the numbers of entries."""
    where = {"sweep": OBSERVED, "method": "flow", "rank": rank, "depth": list(DEEP)}
    return len(scales_of(collection, **where)) > 1


def shallow_overtakes(study: "AbstractStudy", collection: Collection) -> Verdict:
    """Depth 2 from the smallest start recovers better than the minimum."""
    place = _at(collection)
    points = _by_scale(collection, ERROR, 2)
    least = min(points)
    return smaller_than(
        points[least],
        collection.last(ERROR, method="min_nuclear_norm", **place),
        claim="shallow-overtakes",
        sentence=f"Depth 2 from {readable(least)} recovers better than the "
        "minimum nuclear norm.",
        statement=study.statement("few-error"),
        quantity="reconstruction error, depth 2 to the minimum nuclear norm",
        note=_place(collection),
    )


def shallow_rank_at_paper_scale(
    study: "AbstractStudy", collection: Collection
) -> Verdict:
    """Depth 2 from the paper's own start has a lower effective rank already."""
    place = _at(collection)
    points = _by_scale(collection, RANK, 2)
    most = max(points)
    return smaller_than(
        points[most],
        collection.last(RANK, method="min_nuclear_norm", **place),
        claim="shallow-rank-at-paper-scale",
        sentence=f"Depth 2 from {readable(most)} already has a lower effective "
        "rank than the minimum nuclear norm.",
        statement=study.statement("few-rank"),
        quantity="effective rank, depth 2 to the minimum nuclear norm",
        note=f"{_place(collection)}; not so in the authors' notebook either.",
    )


def shallow_error_at_paper_scale(
    study: "AbstractStudy", collection: Collection
) -> Verdict:
    """Depth 2 from the paper's own start recovers better already, at every rank."""
    ratios = []
    scale = scales_of(collection, sweep=OBSERVED, method="flow", depth=2)[0]
    for rank in ranks_of(collection):
        for count in few_counts(collection, rank):
            one = _flow(collection, ERROR, rank, count, depth=2, init_scale=scale)
            other = _minimum(collection, ERROR, rank, count)
            ratios.append(combine(lambda a, b: a / b, one, other))
    return at_most(
        largest(ratios),
        1.0,
        statistic="geometric mean",
        claim="shallow-error-at-paper-scale",
        sentence=f"With few entries depth 2 from {readable(scale)} recovers better "
        "than the minimum nuclear norm, at every rank and number of them.",
        statement=study.statement("few-error"),
        quantity="reconstruction error, depth 2 to the minimum nuclear norm, the worst",
        note="The entries of the authors' notebook seem drawn with replacement.",
    )


def few_counts(collection: Collection, rank: int) -> list[int]:
    """The numbers of entries at which few are observed."""
    return few_of(collection, rank, sweep=OBSERVED)


def _listed(counts: list[int]) -> str:
    return " and ".join(f"{count:,}" for count in counts)


def _counts(collection: Collection, rank: int) -> list[int]:
    return counts_of(collection, sweep=OBSERVED, rank=rank)


def _flow(
    collection: Collection, variable: str, rank: int, count: int, **axes: AxisValue
) -> Sample:
    where = {"sweep": OBSERVED, "rank": rank, "num_observed": count, **axes}
    return collection.last(variable, method="flow", **where)


def _deep(collection: Collection, variable: str, rank: int, count: int) -> Sample:
    """Depth 3 from the largest start, the paper's."""
    where = {"sweep": OBSERVED, "rank": rank, "method": "flow", "depth": 3}
    most = max(scales_of(collection, **where), default=0.0)
    return _flow(collection, variable, rank, count, depth=3, init_scale=most)


def _minimum(collection: Collection, variable: str, rank: int, count: int) -> Sample:
    where = {"sweep": OBSERVED, "rank": rank, "num_observed": count}
    return collection.last(variable, method="min_nuclear_norm", **where)


def _all(collection: Collection, variable: str, rank: int, count: int) -> list[Sample]:
    """Depth 2 from every scale, depth 3 and the minimum."""
    shallow = {"sweep": OBSERVED, "rank": rank, "num_observed": count, "depth": 2}
    return [
        *(
            _flow(collection, variable, rank, count, depth=2, init_scale=scale)
            for scale in scales_of(collection, method="flow", **shallow)
        ),
        _deep(collection, variable, rank, count),
        _minimum(collection, variable, rank, count),
    ]


def _at(collection: Collection) -> Mapping[str, AxisValue]:
    """Where the scale of the start is varied."""
    part = collection.select(sweep=SCALE)
    (rank,), (count,) = part.axis("rank"), part.axis("num_observed")
    return {"sweep": SCALE, "rank": rank, "num_observed": count}


def _place(collection: Collection) -> str:
    place = _at(collection)
    return f"Rank {place['rank']}, {place['num_observed']:,} entries"


def _by_scale(collection: Collection, variable: str, depth: int) -> dict[float, Sample]:
    axes = {**_at(collection), "method": "flow", "depth": depth}
    return {
        scale: collection.last(variable, init_scale=scale, **axes)
        for scale in scales_of(collection, **axes)
    }
