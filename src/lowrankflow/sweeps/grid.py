"""All combinations of some values, in an order that does not change."""

import itertools
from collections.abc import Iterable
from typing import Any

from lowrankflow.errors import SpecError


def grid(**axes: Iterable[Any]) -> list[dict[str, Any]]:
    """The cartesian product of named axes.

    Args:
        axes: the values of each, by name; at least one value each.

    Returns:
        One dictionary for each combination, the last axis changing fastest; a single
        empty one for no axes.

    Raises:
        SpecError: when an axis is a single value, a string, or has no value.
    """
    lists: dict[str, list[Any]] = {}
    for name, axis in axes.items():
        try:
            values = [] if isinstance(axis, str | dict) else list(axis)
        except TypeError:
            values = []
        if not values:
            raise SpecError(
                where=f"grid({name})",
                rule="an axis is a list of one value or more",
                got=f"{axis!r}"[:200],
                fix=f"Give for example {name}=[...]",
            )
        lists[name] = values
    return [
        dict(zip(lists, values, strict=True))
        for values in itertools.product(*lists.values())
    ]
