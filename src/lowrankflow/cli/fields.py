"""What settings there are in a specification, and what their fields ask for."""

import dataclasses
import types
import typing
from functools import cache
from typing import Literal

import equinox as eqx

from lowrankflow import dynamics, factorizations, simulation

# The tables of a run that are settings, and the family that each is of.
FAMILIES = {
    "factorization": "factorization",
    "dynamics": "dynamics",
    "start": "start",
    "stop": "Stop",
    "schedule": "schedule",
}
_BASES: dict[str, type] = {
    "factorization": factorizations.AbstractFactorization,
    "dynamics": dynamics.AbstractDynamics,
    "start": factorizations.AbstractStart,
    "Stop": dynamics.Stop,
    "schedule": simulation.AbstractSchedule,
    "step rule": dynamics.AbstractStepRule,
}
_WORDS = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a string",
}


@cache
def kinds(family: str) -> dict[str, type]:
    """The final settings of a family, by name."""
    return {
        name: value
        for module in (factorizations, dynamics, simulation)
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, _BASES[family])
        and not name.startswith("Abstract")
    }


def annotations(family: str, kind: object) -> dict[str, object]:
    """The annotation of each field of a setting; empty for an unknown kind."""
    if not isinstance(kind, str) or kind not in kinds(family):
        return {}
    return annotations_of(kinds(family)[kind])


def annotations_of(chosen: type) -> dict[str, object]:
    """The annotation of each field of a setting."""
    hints = typing.get_type_hints(chosen)
    return {f.name: hints.get(f.name, object) for f in dataclasses.fields(chosen)}


def family_of(annotation: object) -> str | None:
    """The family of settings that a field asks for; None if it asks for none."""
    for family, base in _BASES.items():
        if annotation is base:
            return family
    return None


def is_single(annotation: object) -> bool:
    """Whether a field asks for one number, word, truth value or setting."""
    return all(
        part in _WORDS
        or part in (None, type(None))
        or typing.get_origin(part) is Literal
        or (isinstance(part, type) and issubclass(part, eqx.Module))
        for part in _alternatives(annotation)
    )


def fits(value: object, annotation: object) -> bool:
    """Whether a value is of the type that a field asks for, so far as that is plain."""
    return any(_fits(value, part) for part in _alternatives(annotation))


def in_words(annotation: object) -> str:
    """What a field asks for, as one would say it."""
    said = []
    for part in _alternatives(annotation):
        if typing.get_origin(part) is Literal:
            said += [repr(word) for word in typing.get_args(part)]
        elif part not in (None, type(None)):
            usual = "a list" if typing.get_origin(part) is tuple else "a value"
            said.append(_WORDS.get(part, usual))  # pyright: ignore[reportArgumentType]
    return " or ".join(said)


def _fits(value: object, part: object) -> bool:
    if typing.get_origin(part) is Literal:
        return isinstance(value, str) and value in typing.get_args(part)
    if isinstance(value, bool) or part is bool:
        return isinstance(value, bool) and part is bool
    if part is float:
        return isinstance(value, int | float)
    if part in (int, str):
        return isinstance(value, part)  # pyright: ignore[reportArgumentType]
    return part not in (None, type(None))


def _alternatives(annotation: object) -> tuple[object, ...]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return typing.get_args(annotation)
    return (annotation,)
