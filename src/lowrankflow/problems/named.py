"""The hand-made problems of the papers, by name."""

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lowrankflow.errors import SpecError
from lowrankflow.problems.checks import real_number
from lowrankflow.problems.commuting_instances import (
    arora2019_proposition1,
    arora2019_signed,
    arora2019_single_measurement,
    commuting,
    gunasekar2017_diagonal,
)
from lowrankflow.problems.completion_instances import (
    gunasekar2017_3x3,
    li2021_4x4,
    li2021_20x20,
    razin2020_2x2,
)
from lowrankflow.problems.known import NamedInstance


@dataclass(frozen=True, kw_only=True)
class _Recipe:
    """How to build an instance; a default that is an int asks for an integer."""

    build: Callable[..., NamedInstance]
    defaults: Mapping[str, float]


_RECIPES = {
    "arora2019-proposition1": _Recipe(
        build=arora2019_proposition1, defaults={"size": 3}
    ),
    "arora2019-signed": _Recipe(build=arora2019_signed, defaults={}),
    "arora2019-single-measurement": _Recipe(
        build=arora2019_single_measurement, defaults={}
    ),
    "commuting": _Recipe(
        build=commuting,
        defaults={
            "size": 5,
            "num_measurements": 2,
            "rank": 2,
            "seed": 0,
            "rotated": 1,
        },
    ),
    "gunasekar2017-3x3": _Recipe(build=gunasekar2017_3x3, defaults={}),
    "gunasekar2017-diagonal": _Recipe(build=gunasekar2017_diagonal, defaults={}),
    "li2021-20x20": _Recipe(build=li2021_20x20, defaults={"seed": 0}),
    "li2021-4x4": _Recipe(build=li2021_4x4, defaults={"R": 100.0}),
    "razin2020-2x2": _Recipe(
        build=razin2020_2x2,
        defaults={"W_12": 1.0, "W_21": 1.0, "W_22": 0.0},
    ),
}


def named_instances() -> tuple[str, ...]:
    """The names that `named` knows, sorted."""
    return tuple(sorted(_RECIPES))


def named(name: str, parameters: Mapping[str, float] | None = None) -> NamedInstance:
    """A hand-made problem of a paper, with what is known about it.

    Args:
        name: one of `named_instances()`.
        parameters: those of the instance to change, by name; the others keep the
            paper's values. `named(name).parameters` lists them all.

    Returns:
        The instance: `.problem` is what to solve, `.known["min_trace"].value` and the
        like what to compare with.

    Raises:
        SpecError: when the name or a parameter is unknown or out of its range.

    Exactness: each fact says its own.
    """
    recipe = _RECIPES.get(name) if isinstance(name, str) else None
    if recipe is None:
        raise SpecError(
            where="named(name)",
            rule=f"the named problems are {', '.join(named_instances())}",
            got=f"{name!r}",
            fix=_suggestion(str(name), named_instances()),
        )
    chosen = dict(recipe.defaults)
    if not (parameters is None or isinstance(parameters, Mapping)):
        raise SpecError(
            where=f"named({name!r}, parameters)",
            rule="parameters are given by name, in a mapping",
            got=f"{parameters!r}",
            fix=f"Give for example parameters={dict(recipe.defaults)!r}",
        )
    for key, value in (parameters or {}).items():
        if key not in recipe.defaults:
            allowed = tuple(recipe.defaults)
            raise SpecError(
                where=f"named({name!r}, parameters)",
                rule=f"its parameters are {', '.join(allowed) or 'none'}",
                got=f"{key!r}",
                fix=_suggestion(str(key), allowed) if allowed else "Leave it out",
            )
        chosen[key] = _checked_value(name, key, value, recipe.defaults[key])
    return recipe.build(**chosen)


def _checked_value(name: str, key: str, value: float, default: float) -> float:
    number = real_number(value)
    whole = isinstance(default, int)
    natural = number >= 0 and number == math.floor(number) if number < 2**53 else False
    if not math.isfinite(number) or (whole and not natural):
        raise SpecError(
            where=f"named({name!r}, parameters)",
            rule=f"{key} is {'an integer >= 0' if whole else 'a finite number'}",
            got=f"{value!r}",
            fix=f"Give for example {{{key!r}: {default!r}}}",
        )
    return int(number) if whole else number


def _suggestion(word: str, known: tuple[str, ...]) -> str:
    closest = difflib.get_close_matches(word, known, n=1, cutoff=0.0)
    return f"Did you mean {closest[0]!r}?" if closest else f"Choose {known[0]!r}"
