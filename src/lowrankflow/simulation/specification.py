"""Settings as plain data and back: the object is the configuration.

Factorizations, starts, dynamics, step rules, stop rules and schedules are immutable
objects whose fields say all there is to say. As plain data each is its class name and
its fields, canonical JSON: sorted keys, no white space, floats as Python prints them,
which is enough digits to give the same bits back.
"""

import dataclasses
import difflib
import inspect
from collections.abc import Mapping

import equinox as eqx
import numpy as np

from lowrankflow import dynamics, factorizations
from lowrankflow.errors import LowRankFlowError, SpecError
from lowrankflow.simulation import schedule
from lowrankflow.simulation.plain import Plain, canonical_json, parsed_json


def to_plain(setting: object) -> Plain:
    """A setting as numbers, strings, lists and dictionaries.

    Args:
        setting: one of the library's settings, or a value in one of its fields.

    Returns:
        For a setting {"kind": its class name, and its fields by name}.

    Raises:
        SpecError: for what has no plain form, such as a function.

    Exactness: exact; `from_plain` gives an equal object back.
    """
    if isinstance(setting, (bool, str)) or setting is None:
        return setting
    if isinstance(setting, (int, np.integer)):
        return int(setting)
    if isinstance(setting, (float, np.floating)):
        return float(setting)
    if isinstance(setting, np.ndarray):
        return setting.tolist()
    if isinstance(setting, (tuple, list)):
        return [to_plain(part) for part in setting]
    kind = type(setting).__name__
    if isinstance(setting, eqx.Module) and _kinds().get(kind) is type(setting):
        fields = {
            field.name: to_plain(getattr(setting, field.name))
            for field in dataclasses.fields(setting)
        }
        return {"kind": kind, **fields}
    raise SpecError(
        where="to_plain(setting)",
        rule="a setting is made of numbers, strings, tuples and the library's settings",
        got=f"{setting!r}",
        fix="Leave it out, or use one of " + ", ".join(sorted(_kinds())),
    )


def from_plain(plain: Plain) -> object:
    """The setting that `to_plain` made plain.

    Raises:
        SpecError: when a kind is unknown, or a field is missing, unknown or has a value
            that the kind refuses.
    """
    if isinstance(plain, list):
        return tuple(from_plain(part) for part in plain)
    if not isinstance(plain, dict):
        return plain
    kinds = _kinds()
    kind = plain.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        close = difflib.get_close_matches(str(kind), kinds, n=1)
        raise SpecError(
            where="from_plain(kind)",
            rule="a setting names its kind, one of " + ", ".join(sorted(kinds)),
            got=f"{kind!r}",
            fix=f"Did you mean {close[0]!r}?" if close else 'Give for example "Stop"',
        )
    known = {field.name: field for field in dataclasses.fields(kinds[kind])}
    given = {name: value for name, value in plain.items() if name != "kind"}
    unknown = sorted(given.keys() - known.keys())
    # A class with a constructor of its own has its defaults there.
    asked = inspect.signature(kinds[kind]).parameters
    missing = sorted(
        name
        for name in known
        if name not in given and asked[name].default is inspect.Parameter.empty
    )
    if unknown or missing:
        raise SpecError(
            where=f"from_plain({kind})",
            rule=f"its fields are {', '.join(known) or 'none'}",
            got=f"unknown {unknown}, missing {missing}",
            fix="Correct the names",
        )
    return _made(kinds[kind], {name: from_plain(part) for name, part in given.items()})


def to_json(setting: object) -> str:
    """Canonical JSON of a setting: equal settings have equal texts.

    Raises:
        SpecError: for what has no plain form.
    """
    return canonical_json(to_plain(setting))


def from_json(text: str) -> object:
    """The setting that `to_json` wrote.

    Raises:
        SpecError: when it is no JSON, or no setting.
    """
    return from_plain(parsed_json("from_json(text)", text))


def _made(kind: type[eqx.Module], values: Mapping[str, object]) -> eqx.Module:
    """A setting with these fields; whatever it refuses is the specification's fault."""
    try:
        return kind(**values)
    except SpecError:
        raise
    except LowRankFlowError as error:
        raise SpecError(
            where=error.where, rule=error.rule, got=error.got, fix=error.fix
        ) from error
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise SpecError(
            where=f"from_plain({kind.__name__})",
            rule="its fields have values that it can be made from",
            got=f"{type(error).__name__}: {error}"[:300],
            fix=f"Compare them with the documentation of {kind.__name__}",
        ) from error


def _kinds() -> dict[str, type[eqx.Module]]:
    """The final classes that are settings, by name."""
    bases = (
        factorizations.AbstractFactorization,
        factorizations.AbstractStart,
        dynamics.AbstractDynamics,
        dynamics.AbstractStepRule,
        schedule.AbstractSchedule,
        dynamics.Stop,
    )
    return {
        name: value
        for module in (factorizations, dynamics, schedule)
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, bases)
        and not name.startswith("Abstract")
    }
