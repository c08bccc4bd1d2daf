"""A claim, judged: the number, how sure it is, what was expected, who says so."""

import dataclasses
import enum
import math

from lowrankflow.studies.numbers import readable
from lowrankflow.studies.papers import Statement


class Outcome(enum.Enum):
    """What the runs say of a claim; the value is the word for it."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    UNDECIDED = "undecided"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Region:
    """Where a number must lie for a claim to hold.

    Args:
        lower: not below this; minus infinity for no bound.
        upper: not above this; infinity for no bound.
        strict: whether the bounds themselves are outside.
    """

    lower: float = -math.inf
    upper: float = math.inf
    strict: bool = False

    def holds(self, number: float) -> bool:
        """Whether the number lies in the region."""
        if self.strict:
            return self.lower < number < self.upper
        return self.lower <= number <= self.upper

    def judge(self, interval: tuple[float, float]) -> Outcome:
        """Supported when the interval lies inside, contradicted when it lies outside.

        An interval with some of both, or with a number that is none, is undecided.
        """
        lower, upper = interval
        if math.isnan(lower) or math.isnan(upper):
            return Outcome.UNDECIDED
        if self.holds(lower) and self.holds(upper):
            return Outcome.SUPPORTED
        strict = self.strict
        below = upper <= self.lower if strict else upper < self.lower
        above = lower >= self.upper if strict else lower > self.upper
        return Outcome.CONTRADICTED if below or above else Outcome.UNDECIDED

    def __str__(self) -> str:
        least, most = readable(self.lower), readable(self.upper)
        if math.isinf(self.lower):
            return f"{'below' if self.strict else 'at most'} {most}"
        if math.isinf(self.upper):
            return f"{'above' if self.strict else 'at least'} {least}"
        return f"between {least} and {most}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the runs say of one claim.

    Args:
        claim: short and unique in its study.
        outcome: supported, contradicted or undecided.
        sentence: what is tested, so that it can be true or false.
        quantity: what the number measured is.
        measured: the number; None when there is none.
        interval: of the number over seeds; None when it has none.
        certainty: what the interval is, or why there is none.
        expected: where the number must lie.
        statement: what the paper says, and where.
        num_seeds: how many seeds the number is from.
        reason: why it is undecided; empty otherwise.
        note: where the bounds come from, and what else a judge should know.
    """

    claim: str
    outcome: Outcome
    sentence: str
    quantity: str
    measured: float | None
    interval: tuple[float, float] | None
    certainty: str
    expected: Region
    statement: Statement
    num_seeds: int
    reason: str = ""
    note: str = ""

    def to_plain(self) -> dict[str, object]:
        """Numbers, strings, lists and dictionaries, for JSON; no bound is None."""
        return {
            "claim": self.claim,
            "outcome": self.outcome.value,
            "sentence": self.sentence,
            "quantity": self.quantity,
            "measured": _finite(self.measured),
            "interval": self.interval and [_finite(end) for end in self.interval],
            "certainty": self.certainty,
            "expected": {
                "lower": _bound(self.expected.lower),
                "upper": _bound(self.expected.upper),
                "strict": self.expected.strict,
                "text": str(self.expected),
            },
            "statement": dataclasses.asdict(self.statement),
            "num_seeds": self.num_seeds,
            "reason": self.reason,
            "note": self.note,
        }

    def __str__(self) -> str:
        number = "no number" if self.measured is None else readable(self.measured)
        return f"{self.outcome.value}: {self.sentence} ({number}; {self.expected})"


def _bound(number: float) -> float | None:
    return None if math.isinf(number) else number


def _finite(number: float | None) -> float | str | None:
    """JSON knows no infinity: a number that diverged is a word."""
    if number is None or math.isfinite(number):
        return number
    return readable(number)
