"""The usual kinds of claims, decided by an interval and not by a point.

Each takes numbers over seeds, makes one number out of every seed, and asks where the
bootstrap interval of their statistic lies: wholly where the claim wants it, wholly
outside, or both. A run without a seed is its own interval. One seed has no interval:
its number decides, and the verdict says that it stands on one seed. A run that is
missing leaves the claim undecided: those that fail may be those that would contradict.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np

from lowrankflow.errors import SpecError
from lowrankflow.studies.papers import Statement
from lowrankflow.studies.samples import Sample, as_sample, combine
from lowrankflow.studies.statistics import (
    Statistic,
    bootstrap_interval,
    summary,
)
from lowrankflow.studies.verdict import Outcome, Region, Verdict

Values: TypeAlias = Sample | Sequence[float] | np.ndarray | float


def judged(
    values: Values,
    region: Region,
    *,
    claim: str,
    sentence: str,
    statement: Statement,
    quantity: str,
    statistic: Statistic = "mean",
    note: str = "",
) -> Verdict:
    """The claim that a number over seeds lies in a region; the others end here.

    Args:
        values: one number per seed.
        region: where their statistic must lie.
        claim: short and unique in its study.
        sentence: what is tested.
        statement: what the paper says of it.
        quantity: what the number is.
        statistic: of the seeds.
        note: where the bounds come from.

    Raises:
        SpecError: when there is more than one number per seed, or the statistic is
            another word.
    """
    sample = as_sample(values)
    numbers = sample.values
    defined = numbers[~np.isnan(numbers)]
    measured = float(summary(defined, statistic)) if defined.size else None
    interval, certainty = _interval(sample, defined, statistic)
    reason = _reason(sample, numbers)
    outcome = Outcome.UNDECIDED
    if not reason and measured is not None:
        outcome = region.judge(interval or (measured, measured))
        if outcome is Outcome.UNDECIDED:
            reason = "the interval reaches over the bound"
    return Verdict(
        claim=claim,
        outcome=outcome,
        sentence=sentence,
        quantity=quantity,
        measured=measured,
        interval=interval,
        certainty=certainty,
        expected=region,
        statement=statement,
        num_seeds=defined.size,
        reason=reason,
        note=note,
    )


def at_most(
    values: Values,
    bound: float,
    *,
    claim: str,
    sentence: str,
    statement: Statement,
    quantity: str,
    statistic: Statistic = "mean",
    note: str = "",
) -> Verdict:
    """The claim that a number is not above a bound; arguments as in `judged`."""
    return judged(
        values,
        Region(upper=bound),
        claim=claim,
        sentence=sentence,
        statement=statement,
        quantity=quantity,
        statistic=statistic,
        note=note,
    )


def at_least(
    values: Values,
    bound: float,
    *,
    claim: str,
    sentence: str,
    statement: Statement,
    quantity: str,
    statistic: Statistic = "mean",
    note: str = "",
) -> Verdict:
    """The claim that a number is not below a bound; arguments as in `judged`."""
    return judged(
        values,
        Region(lower=bound),
        claim=claim,
        sentence=sentence,
        statement=statement,
        quantity=quantity,
        statistic=statistic,
        note=note,
    )


def within(
    values: Values,
    lower: float,
    upper: float,
    *,
    claim: str,
    sentence: str,
    statement: Statement,
    quantity: str,
    statistic: Statistic = "mean",
    note: str = "",
) -> Verdict:
    """The claim that a number lies between two bounds; arguments as in `judged`.

    Raises:
        SpecError: when the bounds are in the wrong order.
    """
    if not lower <= upper:
        raise SpecError(
            where="within(lower, upper)",
            rule="the lower bound is not above the upper one",
            got=f"{lower} and {upper}",
            fix="Exchange them",
        )
    return judged(
        values,
        Region(lower=lower, upper=upper),
        claim=claim,
        sentence=sentence,
        statement=statement,
        quantity=quantity,
        statistic=statistic,
        note=note,
    )


def smaller_than(
    values: Values,
    others: Values,
    *,
    claim: str,
    sentence: str,
    statement: Statement,
    quantity: str,
    factor: float = 1.0,
    by: Literal["ratio", "difference"] = "ratio",
    note: str = "",
) -> Verdict:
    """The claim that one number is smaller than another, compared seed by seed.

    Args:
        values: one number per seed.
        others: the numbers that should be larger; a single one without a seed is
            compared with every seed.
        claim: short and unique in its study.
        sentence: what is tested.
        statement: what the paper says of it.
        quantity: what is compared.
        factor: the ratio of values to others must be below this.
        by: "ratio" (geometric mean over seeds; for positive numbers) or "difference"
            (mean over seeds, must be below 0; `factor` multiplies the others).
        note: where the bound comes from.

    Raises:
        SpecError: when a ratio is asked of numbers that are not positive.
    """
    first, second = as_sample(values), as_sample(others)
    if second.seeds == (None,) and first.seeds != (None,):
        repeated = np.repeat(second.values, len(first))
        second = Sample(values=repeated, seeds=first.seeds, missing=second.missing)
    if by == "difference":
        compared = combine(lambda a, b: a - factor * b, first, second)
        region, name = Region(upper=0.0, strict=True), f"{quantity}, difference"
    else:
        if np.any(first.values < 0) or np.any(second.values <= 0):
            raise SpecError(
                where="smaller_than(by)",
                rule="a ratio compares positive numbers",
                got=f"{first.values.tolist()} and {second.values.tolist()}",
                fix='Give by="difference"',
            )
        compared = combine(lambda a, b: a / b, first, second)
        region, name = Region(upper=factor, strict=True), f"{quantity}, ratio"
    return judged(
        compared,
        region,
        claim=claim,
        sentence=sentence,
        statement=statement,
        quantity=name,
        statistic="mean" if by == "difference" else "geometric mean",
        note=note,
    )


def trend(
    points: Mapping[float, Values],
    *,
    claim: str,
    sentence: str,
    statement: Statement,
    quantity: str,
    lower: float = -np.inf,
    upper: float = np.inf,
    log_x: bool = False,
    log_y: bool = False,
    note: str = "",
) -> Verdict:
    """The claim that a number grows with another at a rate between two bounds.

    Every seed gives the slope of a least-squares line; on two logarithmic axes it is
    the exponent of a power law.

    Args:
        points: for each value of the axis the numbers over seeds, at least two.
        claim: short and unique in its study.
        sentence: what is tested.
        statement: what the paper says of it.
        quantity: what grows; the verdict adds that it is the slope.
        lower: the least slope; 0 for what must not fall.
        upper: the largest slope.
        log_x: whether the slope is against the logarithm (base 10) of the axis.
        log_y: whether it is that of the logarithm (base 10) of the number.
        note: where the bounds come from.

    Raises:
        SpecError: when there are fewer than two points, or logarithms are asked of
            numbers that are not positive.
    """
    x, samples = _points("trend(points)", points, log_x=log_x, log_y=log_y)
    x = np.log10(x) if log_x else x

    def slope(*y: float) -> float:
        numbers = np.log10(y) if log_y else np.asarray(y)
        centred = x - x.mean()
        return float(centred @ numbers / (centred @ centred))

    return judged(
        combine(slope, *samples),
        Region(lower=lower, upper=upper),
        claim=claim,
        sentence=sentence,
        statement=statement,
        quantity=f"{quantity}, slope",
        note=note,
    )


def monotone(
    points: Mapping[float, Values],
    direction: Literal["rising", "falling"],
    *,
    claim: str,
    sentence: str,
    statement: Statement,
    quantity: str,
    note: str = "",
) -> Verdict:
    """The claim that a number rises, or falls, at every step along an axis.

    Every seed gives its least step in the direction claimed, which must be above zero.

    Args:
        points: for each value of the axis the numbers over seeds, at least two.
        direction: along the axis, ascending.
        claim: short and unique in its study.
        sentence: what is tested.
        statement: what the paper says of it.
        quantity: what rises or falls; the verdict adds that it is the least step.
        note: what else a judge should know.

    Raises:
        SpecError: when there are fewer than two points or the direction is no such.
    """
    if direction not in ("rising", "falling"):
        raise SpecError(
            where="monotone(direction)",
            rule='a direction is "rising" or "falling"',
            got=f"{direction!r}",
            fix='Give direction="falling"',
        )
    _, samples = _points("monotone(points)", points, log_x=False, log_y=False)
    sign = 1.0 if direction == "rising" else -1.0
    return judged(
        combine(lambda *y: float(np.min(sign * np.diff(y))), *samples),
        Region(lower=0.0, strict=True),
        claim=claim,
        sentence=sentence,
        statement=statement,
        quantity=f"{quantity}, least step {'up' if sign > 0 else 'down'}",
        note=note,
    )


def _points(
    where: str, points: Mapping[float, Values], *, log_x: bool, log_y: bool
) -> tuple[np.ndarray, list[Sample]]:
    x = np.array(sorted(points), float)
    samples = [as_sample(points[value]) for value in sorted(points)]
    y = np.concatenate([np.empty(0), *(sample.values for sample in samples)])
    bad = (log_x and np.any(x <= 0)) or (log_y and np.any(y <= 0))
    if x.size < 2 or bad:
        raise SpecError(
            where=where,
            rule="there are at least two points, positive where logarithms are taken",
            got=f"{x.size} points, numbers {y.tolist()}",
            fix="Give more points, or leave the logarithm out",
        )
    return x, samples


def _interval(
    sample: Sample, defined: np.ndarray, statistic: Statistic
) -> tuple[tuple[float, float] | None, str]:
    if sample.seeds == (None,):
        return None, "one run, no chance in it: no interval"
    if defined.size < 2:
        return None, f"{'one seed' if defined.size else 'no seed'}: no interval"
    text = f"bootstrap 95 % of the {statistic} over {defined.size} seeds"
    return bootstrap_interval(defined, statistic), text


def _reason(sample: Sample, numbers: np.ndarray) -> str:
    if sample.missing:
        return "missing: " + "; ".join(sample.missing)
    if numbers.size == 0:
        return "no seed has a number"
    undefined = [s for s, n in zip(sample.seeds, numbers, strict=True) if np.isnan(n)]
    if undefined:
        return f"not a number for seed {', '.join(map(str, undefined))}"
    return ""
