"""From the tables of a specification to jobs, every mistake told at its key."""

import copy
import dataclasses
import difflib
import inspect
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lowrankflow.cli.axes import plain_lists, put, sweep_table
from lowrankflow.cli.fields import (
    FAMILIES,
    annotations,
    annotations_of,
    family_of,
    fits,
    in_words,
    kinds,
)
from lowrankflow.cli.toml_file import Keys, TomlFile, dotted
from lowrankflow.errors import SpecError
from lowrankflow.simulation import (
    Job,
    ReferenceJob,
    RunJob,
    job_from_plain,
    job_to_plain,
)

_MOST_JOBS = 10_000
_KINDS = ("run", "min_nuclear_norm", "min_frobenius_norm")
_NAMED = re.compile(r"^(?:Recipe\('(\w+)'\)|(\w+))(?:\((\w+)\))?")
_UNKNOWN = re.compile(r"the argument '([^']*)'$")


@dataclass(frozen=True, kw_only=True)
class SweptJob:
    """A job, and what sets it apart from the others of the same file.

    Args:
        axes: value of each swept key, by its dotted name.
        job: the job.
    """

    axes: Mapping[str, Any]
    job: Job


def read_jobs(source: TomlFile) -> list[SweptJob]:
    """All jobs that a file asks for.

    Raises:
        SpecError: when it asks for none that makes sense; the message has the key, and
            the line where it is written.
    """
    data = source.data()
    axes = {**plain_lists(data), **sweep_table(source, data.pop("sweep", {}))}
    count = math.prod(len(values) for values in axes.values())
    if count > _MOST_JOBS:
        raise source.error(
            (),
            rule=f"a file asks for {_MOST_JOBS} runs at most",
            got=f"{count}: " + " x ".join(str(len(v)) for v in axes.values()),
            fix="Divide it into several files",
        )
    jobs = []
    for values in itertools.product(*axes.values()):
        one = copy.deepcopy(data)
        for keys, value in zip(axes, values, strict=True):
            put(source, one, keys, copy.deepcopy(value))
        named = {dotted(keys): v for keys, v in zip(axes, values, strict=True)}
        jobs.append(SweptJob(axes=named, job=_job(source, one)))
    return jobs


def relocated(source: TomlFile, job: Job, error: SpecError) -> SpecError:
    """An error of building a job's problem, said of the key that it is about."""
    problem = job_to_plain(job)["problem"]
    found = _NAMED.match(error.where)
    keys = _place(problem, ("problem",), found[3] if found else None)
    return source.error(keys, rule=error.rule, got=error.got, fix=error.fix)


def _place(table: object, above: Keys, argument: str | None) -> Keys:
    """Where an argument is among a problem's, or those of one it is made from."""
    if not isinstance(table, dict) or argument is None:
        return above
    if argument in table:
        return (*above, argument)
    for name, value in table.items():
        inner = _place(value, (*above, name), argument)
        if isinstance(value, dict) and inner[-1] == argument:
            return inner
    return above


def _job(source: TomlFile, data: dict[str, Any]) -> Job:
    """The job that tables without sweeps describe."""
    kind = data.setdefault("kind", "run")
    if kind not in _KINDS:
        close = difflib.get_close_matches(str(kind), _KINDS, n=1)
        raise source.error(
            ("kind",),
            rule=f"the kinds of files are {', '.join(_KINDS)}",
            got=f"{kind!r}"[:200],
            fix=f"Did you mean {close[0]!r}?" if close else 'Give "run"',
        )
    chosen = RunJob if kind == "run" else ReferenceJob
    fields = dataclasses.fields(chosen)
    known = list(dict.fromkeys(["kind", *(field.name for field in fields)]))
    _check_keys(source, (), data, known, f"a file of kind {kind!r}")
    for field in fields:
        if field.default is dataclasses.MISSING and field.name not in data:
            raise source.error(
                (),
                rule=f"a file of kind {kind!r} needs the table [{field.name}]",
                got="none",
                fix="Compare it with `lowrankflow run --example`",
            )
    if isinstance(data.get("stop"), dict):
        data["stop"].setdefault("kind", "Stop")
    for name, family in FAMILIES.items():
        if chosen is RunJob and name in data:
            _check_setting(source, (name,), data[name], family)
    _check_leaves(source, (), data)
    try:
        return job_from_plain(data)
    except SpecError as error:
        raise _relocated(source, _tables(data), error) from None


def _check_leaves(source: TomlFile, keys: Keys, value: object) -> None:
    """Refuse what TOML can say and no setting is: dates, infinities."""
    if isinstance(value, dict):
        for name, inner in value.items():
            _check_leaves(source, (*keys, name), inner)
    elif isinstance(value, list):
        for inner in value:
            _check_leaves(source, keys, inner)
    elif isinstance(value, float) and not math.isfinite(value):
        raise source.error(
            keys,
            rule="a number is finite",
            got=f"{value}",
            fix="Leave out what is unlimited",
        )
    elif value is not None and not isinstance(value, bool | int | float | str):
        raise source.error(
            keys,
            rule="a value is a number, a string, a truth value, a list or a table",
            got=f"{value}",
            fix="Put it in quotation marks if a string is meant",
        )


def _check_setting(source: TomlFile, keys: Keys, table: object, family: str) -> None:
    if not isinstance(table, dict):
        raise source.error(
            keys,
            rule=f"this is a table, with the kind of {family}",
            got=f"{table!r}"[:200],
            fix=f"Write [{dotted(keys)}] and below it kind = ...",
        )
    kind, known_kinds = table.get("kind"), kinds(family)
    if not isinstance(kind, str) or kind not in known_kinds:
        close = difflib.get_close_matches(str(kind), known_kinds, n=2)
        said = " or ".join(repr(one) for one in close)
        usual = sorted(known_kinds)[0]
        raise source.error(
            (*keys, "kind") if "kind" in table else keys,
            rule=f"the kinds of {family} are {', '.join(sorted(known_kinds))}",
            got="none" if kind is None else f"{kind!r}"[:200],
            fix=f"Did you mean {said}?" if close else f'Give for example "{usual}"',
        )
    fields = annotations(family, kind)
    _check_keys(source, keys, table, ["kind", *fields], kind)
    for name, value in table.items():
        annotation = fields.get(name, str)
        inner = family_of(annotation)
        if inner is not None:
            _check_setting(source, (*keys, name), value, inner)
        elif not fits(value, annotation):
            raise source.error(
                (*keys, name),
                rule=f"this is {in_words(annotation)}",
                got=f"{value!r}"[:200],
                fix="Correct the value",
            )
    _check_complete(source, keys, table, known_kinds[kind])


def _check_complete(
    source: TomlFile, keys: Keys, table: Mapping[str, Any], chosen: type
) -> None:
    for name, parameter in inspect.signature(chosen).parameters.items():
        if name not in table and parameter.default is inspect.Parameter.empty:
            asked = annotations_of(chosen).get(name, object)
            raise source.error(
                keys,
                rule=f"{chosen.__name__} needs {name!r}, {in_words(asked)}",
                got="none",
                fix=f"Write {name} = ... in [{dotted(keys)}]",
            )


def _check_keys(
    source: TomlFile,
    keys: Keys,
    table: Mapping[str, Any],
    known: Sequence[str],
    what: str,
) -> None:
    for name in table:
        if name in known:
            continue
        close = difflib.get_close_matches(name, known, n=2, cutoff=0.5)
        said = " or ".join(repr(one) for one in close)
        fix = f"Did you mean {said}?" if close else "Leave it out"
        if keys and name in ("seed", "observe"):
            fix = f"Write {name} above the first [table]: it is of the run as a whole"
        raise source.error(
            (*keys, name),
            rule=f"the keys of {what} are {', '.join(known)}",
            got=f"{name!r}",
            fix=fix,
        )


# --- where an error belongs


def _tables(data: Mapping[str, Any], above: Keys = ()) -> dict[str, Keys]:
    """Where each kind is, the outermost first."""
    found: dict[str, Keys] = {}
    if isinstance(data.get("kind"), str) and above:
        found[data["kind"]] = above
    for name, value in data.items():
        if isinstance(value, dict):
            found = {**_tables(value, (*above, name)), **found}
    return found


def _relocated(
    source: TomlFile, tables: Mapping[str, Keys], error: SpecError
) -> SpecError:
    found = _NAMED.match(error.where)
    kind, argument = (found[1] or found[2], found[3]) if found else ("", None)
    unknown = _UNKNOWN.match(error.got)
    argument = argument or (unknown and unknown[1])
    inner = (argument,) if argument else ()
    if kind in tables:
        keys = (*tables[kind], *inner)
    elif kind in ("RunJob", "ReferenceJob", "simulate"):
        keys = inner
    elif kind == "Recipe":
        keys = ("problem", *inner)
    else:
        keys = (kind,) if kind in ("seed", "observe") else ()
    got = error.got if keys else f"{error.got} in {error.where}"
    return source.error(keys, rule=error.rule, got=got, fix=error.fix)
