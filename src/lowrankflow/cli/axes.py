"""Which lists of a specification are swept axes.

A list is an axis in two cases, and a value otherwise:

- it is given in the table `[sweep]`, under the dotted name of what it sweeps;
- it stands where a single number, word, truth value or table is expected, which the
  annotation of the field decides. `AtTimes.times` or a `shape` expect lists: those are
  swept by a list of lists in place of `shape`, or in `[sweep]`.

Several axes give their cartesian product, the last one changing fastest.
"""

import copy
import re
from collections.abc import Mapping
from typing import Any

from lowrankflow.cli.fields import FAMILIES, annotations, family_of, is_single
from lowrankflow.cli.toml_file import Keys, TomlFile, dotted
from lowrankflow.errors import SpecError
from lowrankflow.simulation import Recipe

_SINGLE = ("kind", "seed", "psd", "gap_tolerance")
# The argument that a recipe refuses, in where it says the mistake is.
_REFUSED = re.compile(r"Recipe\('\w+'\)\((\w+)\)$")


def plain_lists(data: Mapping[str, Any]) -> dict[Keys, list[Any]]:
    """Lists where something single is expected, by their keys."""
    axes: dict[Keys, list[Any]] = {}
    for name, value in data.items():
        if name in FAMILIES and isinstance(value, dict):
            axes |= _lists_of_setting((name,), value, FAMILIES[name])
        elif name == "problem" and isinstance(value, dict):
            axes |= _lists_of_problem((name,), value)
        elif name in (*_SINGLE, "problem", *FAMILIES) and _is_axis(value):
            axes[(name,)] = value
    return axes


def _lists_of_setting(
    above: Keys, table: Mapping[str, Any], family: str
) -> dict[Keys, list[Any]]:
    axes: dict[Keys, list[Any]] = {}
    kind = table.get("kind", family)
    if _is_axis(kind):
        axes[(*above, "kind")] = kind
        kind = kind[0]
    known = annotations(family, kind)
    for name, value in table.items():
        annotation = known.get(name, object)
        inner = family_of(annotation)
        if inner is not None and isinstance(value, dict):
            axes |= _lists_of_setting((*above, name), value, inner)
        elif _is_axis(value) and is_single(annotation):
            axes[(*above, name)] = value
    return axes


def _lists_of_problem(above: Keys, table: Mapping[str, Any]) -> dict[Keys, list[Any]]:
    """A list is an axis where the recipe refuses it: what it asks for is not public."""
    axes: dict[Keys, list[Any]] = {}
    tried = dict(table)
    for name, value in table.items():
        if isinstance(value, dict):
            if "kind" in value:
                inner = _lists_of_problem((*above, name), value)
            else:  # names and numbers, as the parameters of a named problem
                inner = {(*above, name, k): v for k, v in value.items() if _is_axis(v)}
            axes |= inner
            tried[name] = copy.deepcopy(value)
            for keys, values in inner.items():
                _set(tried, keys[len(above) :], values[0])
    if _is_axis(table.get("kind")):
        axes[(*above, "kind")] = table["kind"]
        tried["kind"] = table["kind"][0]
    while True:
        try:
            Recipe.from_plain(tried)
        except SpecError as error:
            found = _REFUSED.match(error.where)
            name = found[1] if found else None
            if name not in tried or not _is_axis(tried[name]):
                return axes  # another mistake, told where the job is made
            if (*above, name) in axes:
                return axes
            axes[(*above, name)] = tried[name]
            tried[name] = tried[name][0]
        else:
            return axes


def sweep_table(source: TomlFile, sweep: object) -> dict[Keys, list[Any]]:
    """The axes of `[sweep]`; dotted names may be quoted or not."""
    axes: dict[Keys, list[Any]] = {}
    waiting: list[tuple[Keys, Keys, Any]] = [(("sweep",), (), sweep)]
    while waiting:
        written, keys, value = waiting.pop(0)
        if isinstance(value, dict):
            for name, inner in value.items():
                parts = tuple(part.strip() for part in name.split("."))
                waiting.append(((*written, name), (*keys, *parts), inner))
        elif _is_axis(value) and keys:
            axes[keys] = value
        else:
            raise source.error(
                written,
                rule="an axis is a list of one value or more",
                got=f"{value!r}"[:200],
                fix='Write for example "dynamics.rtol" = [1e-6, 1e-8] in [sweep]',
            )
    return axes


def _is_axis(value: object) -> bool:
    return isinstance(value, list) and bool(value)


def _set(table: dict[str, Any], keys: Keys, value: Any) -> bool:
    """Put a value into nested tables, which are made; False if one is no table."""
    for key in keys[:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            return False
    table[keys[-1]] = value
    return True


def put(source: TomlFile, data: dict[str, Any], keys: Keys, value: Any) -> None:
    if not _set(data, keys, value):
        raise source.error(
            keys[:-1],
            rule="what is swept is in a table",
            got=f"{dotted(keys)}, and {dotted(keys[:-1])} is none",
            fix="Correct the name of the axis",
        )
