"""A problem together with what is known about it."""

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float

from lowrankflow.errors import SpecError
from lowrankflow.problems.matrices import Numbers
from lowrankflow.problems.problem import SensingProblem

DERIVED = "derived by hand and checked against a conic solver"


@dataclass(frozen=True, kw_only=True)
class Known:
    """One fact about a problem.

    Args:
        value: the number, matrix or list of numbers.
        statement: what it is, in a sentence, with the accuracy when it is not exact.
        source: citation key and place, or how it was derived.
    """

    value: float | Float[Numbers, "..."]
    statement: str
    source: str


@dataclass(frozen=True, kw_only=True)
class NamedInstance:
    """A hand-made problem of a paper, by name.

    Args:
        name: as in `named_instances()`.
        problem: the measurements, and the target where there is one.
        psd: whether the paper factors it as U U', which is positive semidefinite, and
            not as a product of independent factors.
        parameters: all of them, those left at their defaults included.
        description: what it shows, in a sentence or two.
        source: citation key and place.
        known: the facts, by a short name such as "min_trace".
    """

    name: str
    problem: SensingProblem
    psd: bool
    parameters: Mapping[str, float]
    description: str
    source: str
    known: Mapping[str, Known]


def require_range(
    name: str, parameter: str, value: float, holds: bool, rule: str
) -> None:
    """Nothing, when a parameter is in its range.

    Raises:
        SpecError: when it is not.
    """
    if not holds:
        raise SpecError(
            where=f"named({name!r}, parameters)",
            rule=f"this problem is defined for {rule}",
            got=f"{parameter}={value!r}",
            fix="Change it, or leave it out for the default",
        )
