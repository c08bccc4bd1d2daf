"""A TOML file with `--set` on top of it: parsed, and the place of each of its keys."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lowrankflow.errors import SpecError

Keys = tuple[str, ...]

# A bare word is taken for a string: shells take quotation marks away.
_WORD = re.compile(r"[A-Za-z_][\w./-]*")
_PLACE = re.compile(r"\s*\(at (.*)\)$")
_DEEPEST = 40
_MOST_LINES = 2000


@dataclass(frozen=True, kw_only=True)
class TomlFile:
    """What is asked for in a file and on the command line.

    Args:
        name: of the file.
        text: its content.
        overrides: as given to `--set`, "a.b=c".
    """

    name: str
    text: str
    overrides: Sequence[str] = ()
    _overridden: set[Keys] = field(default_factory=set, init=False)

    def data(self) -> dict[str, Any]:
        """The tables of the file, with the overrides in their places.

        Raises:
            SpecError: when the text or an override is no TOML, with line and column.
        """
        data = self._parsed(self.text, self.name, line=True)
        for override in self.overrides:
            _merge(data, self._override(override))
        return data

    def error(self, keys: Keys, *, rule: str, got: str, fix: str) -> SpecError:
        """An error that says which key is meant, and where it is written."""
        where = dotted(keys)
        if any(keys[: len(known)] == known for known in self._overridden):
            return SpecError(where=f"--set {where}", rule=rule, got=got, fix=fix)
        line = self.line_of(keys) if keys else None
        place = self.name if line is None else f"{self.name}, line {line}"
        where = f"{place}, {where}" if keys else place
        return SpecError(where=where, rule=rule, got=got, fix=fix)

    def line_of(self, keys: Keys) -> int | None:
        """The line on which a key is given, counted from 1; None if it is on none.

        Found by parsing ever longer beginnings of the file: the first that has the key
        ends with it.
        """
        lines = self.text.split("\n")
        begin = 1
        for end in range(1, min(len(lines), _MOST_LINES) + 1):
            try:
                data = tomllib.loads("\n".join(lines[:end]) + "\n")
            except (ValueError, RecursionError):
                continue  # in the middle of a value of several lines
            if _has(data, keys):
                return begin
            begin = end + 1
        return None

    def _override(self, override: str) -> dict[str, Any]:
        key, equals, value = override.partition("=")
        if not equals or not key.strip():
            raise SpecError(
                where=f"--set {override}"[:200],
                rule="this is a key, an equals sign and a value",
                got=f"{override!r}"[:200],
                fix="Give for example --set dynamics.rtol=1e-8",
            )
        if _WORD.fullmatch(value.strip()) and value.strip() not in _TOML_WORDS:
            value = json.dumps(value.strip())
        data = self._parsed(f"{key} = {value}", f"--set {override}"[:200], line=False)
        self._overridden.update(_leaves(data))
        return data

    def _parsed(self, text: str, where: str, *, line: bool) -> dict[str, Any]:
        try:
            data = tomllib.loads(text.replace("\r\n", "\n"))
        except RecursionError:
            said, place = "nesting deeper than any setting", ""
        except ValueError as error:
            said = str(error)
            found = _PLACE.search(said)
            place = f", {found[1]}" if found and line else ""
            said = _PLACE.sub("", said)
        else:
            if _depth(data) <= _DEEPEST:
                return data
            said, place = "nesting deeper than any setting", ""
        raise SpecError(
            where=f"{where}{place}",
            rule="this is TOML" if line else "the value is written as in TOML",
            got=f"{said[:1].lower()}{said[1:]}"[:200],
            fix="Compare it with `lowrankflow run --example`"
            if line
            else "Give for example --set dynamics.rtol=1e-8, or --set seed=[0,1,2]",
        ) from None


_TOML_WORDS = ("true", "false", "inf", "nan")


def read_toml(path: Path, overrides: Sequence[str] = ()) -> TomlFile:
    """A TOML file and what is set on the command line.

    Raises:
        SpecError: when the file cannot be read, or is no text.
    """
    path = path.expanduser()
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = error.object[: error.start].count(b"\n") + 1
        got = f"the byte {error.object[error.start]:#04x} on line {number}"
        rule, fix = "TOML is UTF-8 text", "Save it as UTF-8"
    except OSError as error:
        rule, got = "this is a file that can be read", error.strerror or str(error)
        fix = "Make one: lowrankflow run --example > spec.toml"
    else:
        return TomlFile(name=str(path), text=text, overrides=tuple(overrides))
    raise SpecError(where=str(path), rule=rule, got=got, fix=fix) from None


def dotted(keys: Keys) -> str:
    """Keys as one writes them: dynamics.rtol."""
    return ".".join(
        key if re.fullmatch(r"[\w-]+", key) else json.dumps(key) for key in keys
    )


def _merge(data: dict[str, Any], over: Mapping[str, Any]) -> None:
    for key, value in over.items():
        there = data.get(key)
        if isinstance(value, dict) and isinstance(there, dict):
            _merge(there, value)
        else:
            data[key] = value


def _leaves(data: Mapping[str, Any], above: Keys = ()) -> list[Keys]:
    found: list[Keys] = []
    for key, value in data.items():
        inner = _leaves(value, (*above, key)) if isinstance(value, dict) else []
        found += inner or [(*above, key)]
    return found


def _has(data: Any, keys: Keys) -> bool:
    for key in keys:
        if not isinstance(data, dict) or key not in data:
            return False
        data = data[key]
    return True


def _depth(data: object) -> int:
    """How deep tables and lists are nested; stops counting far beyond any setting."""
    level, depth = [data], 0
    while level and depth <= _DEEPEST:
        inner: list[object] = []
        for value in level:
            if isinstance(value, dict):
                inner += value.values()
            elif isinstance(value, list):
                inner += value
        level, depth = inner, depth + 1
    return depth
