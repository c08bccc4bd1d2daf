"""Plain data: what JSON can say, read with errors that teach, written in one way only.

Canonical JSON has sorted keys, no white space, no infinities, and floats as Python
prints them, which is enough digits to give the same bits back.
"""

import json
import math
import types
import typing
from collections.abc import Mapping
from typing import Literal, TypeAlias

import numpy as np

from lowrankflow.errors import SpecError

Plain: TypeAlias = "None | bool | int | float | str | list[Plain] | dict[str, Plain]"

# Deeper than any setting, and far from where Python's own recursion ends.
_DEEPEST = 50


def as_plain(where: str, value: object, depth: int = 0) -> Plain:
    """Numbers, strings, lists and mappings as plain data, copied.

    Args:
        where: what is being read, for the message.
        value: NumPy's numbers and arrays, tuples and mappings count as plain.
        depth: how deep this value already lies; leave it out.

    Raises:
        SpecError: for anything else, a number that is not finite, a key that is no
            string, or nesting deeper than any setting.

    Exactness: exact.
    """
    if depth > _DEEPEST:
        raise _not_plain(where, f"nesting deeper than {_DEEPEST} levels")
    if isinstance(value, (bool, str)) or value is None:
        return value
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        if not math.isfinite(value):
            raise _not_plain(where, f"{value!r}")
        return float(value)
    if isinstance(value, np.ndarray):
        return as_plain(where, value.tolist(), depth + 1)
    if isinstance(value, (tuple, list)):
        return [as_plain(where, part, depth + 1) for part in value]
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise _not_plain(where, f"the key {key!r}")
        return {k: as_plain(where, part, depth + 1) for k, part in value.items()}
    raise _not_plain(where, f"a {type(value).__name__}")


def canonical_json(plain: Plain) -> str:
    """The one text of plain data: equal data have equal texts.

    Raises:
        SpecError: when a number in it is not finite.
    """
    try:
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except ValueError:
        raise _not_plain("canonical_json(plain)", "NaN or an infinity") from None


def parsed_json(where: str, text: str) -> Plain:
    """Plain data from JSON text.

    Raises:
        SpecError: when it is no JSON, a number in it is not finite or has thousands of
            digits, or it is nested deeper than any setting.
    """
    try:
        plain = json.loads(text)
    except json.JSONDecodeError as error:
        got = f"{error.msg} at line {error.lineno}, column {error.colno}"
    except RecursionError:
        got = f"nesting deeper than {_DEEPEST} levels"
    except (ValueError, TypeError) as error:
        got = str(error)
    else:
        return as_plain(where, plain)
    raise SpecError(
        where=where,
        rule="this is the JSON of a setting",
        got=got,
        fix="Write it with to_json",
    ) from None


def fits(value: object, annotation: object) -> bool:
    """Whether plain data can be what a parameter's annotation asks for.

    An int is a float too, a bool is neither, a list is a tuple. What the annotation
    says beyond plain data (an array, a path) fits anything but a bool.
    """
    origin = typing.get_origin(annotation)
    inner = typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one) for one in inner)
    if origin is Literal:
        return any(value == word and type(value) is type(word) for word in inner)
    if annotation is None or annotation is type(None):
        return value is None
    if isinstance(value, bool) or annotation is bool:
        return isinstance(value, bool) and annotation is bool
    if annotation is float:
        return isinstance(value, (int, float))
    if isinstance(annotation, type) and annotation in (int, str):
        return isinstance(value, annotation)
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            return False
        if len(inner) == 2 and inner[1] is Ellipsis:
            return all(fits(part, inner[0]) for part in value)
        return len(value) == len(inner) and all(map(fits, value, inner))
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping)
    return value is not None


def in_words(annotation: object) -> str:
    """An annotation as a caller would say it."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(in_words(one) for one in inner)
    if origin is Literal:
        return " or ".join(repr(word) for word in inner)
    if annotation is type(None):
        return "null"
    if origin is tuple and Ellipsis not in inner:
        return "[" + ", ".join(in_words(one) for one in inner) + "]"
    words = {
        bool: "true or false",
        int: "an integer",
        float: "a number",
        str: "a string",
    }
    if annotation in words:
        return words[annotation]  # pyright: ignore[reportArgumentType]
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return "a table of names and values"
    return "a list of numbers" if origin is tuple else "a value"


def _not_plain(where: str, got: str) -> SpecError:
    return SpecError(
        where=where,
        rule="a specification is made of finite numbers, strings, lists and tables",
        got=got,
        fix="Write values out; leave out what is unlimited",
    )
