"""Docstrings are plain text for a reader of the source; here they become markup.

What reStructuredText would take for markup (`W_`, `||r||^2`, `A*`) is kept as it is
written; names in backquotes become code, or links where the name is public; and the
sections Exactness, Cost, Source and Differs stand beside Parameters and Raises.
"""

import inspect
import re
from collections.abc import Mapping

import public_names
from sphinx.application import Sphinx

SECTIONS = ("Exactness", "Cost", "Source", "Differs")
_CODE = re.compile(r"``(?P<two>[^`]+)``|`(?P<one>[^`]+)`")


def as_markup(
    lines: list[str], links: Mapping[str, str], known: frozenset[str] = frozenset()
) -> list[str]:
    """A docstring's lines as reStructuredText.

    Args:
        lines: of the docstring, without its indentation.
        links: full names by the short names of what is public.
        known: names that are no links here, such as those of the parameters.
    """
    text = _escaped("\n".join(lines), links, known)
    return _displayed(_sections(text.split("\n")))


def _escaped(text: str, links: Mapping[str, str], known: frozenset[str]) -> str:
    parts, last = [], 0
    for found in _CODE.finditer(text):
        parts.append(_plain(text[last : found.start()]))
        name = re.sub(r"\s+", " ", found["two"] or found["one"])
        before = r"\ " if found.start() and text[found.start() - 1].isalnum() else ""
        after = r"\ " if text[found.end() : found.end() + 1].isalnum() else ""
        short = name.removeprefix("lowrankflow.")
        target = links.get(short) if short not in known else None
        if target:
            parts.append(f"{before}:py:obj:`{short} <{target}>`{after}")
        else:
            parts.append(f"{before}``{name}``{after}")
        last = found.end()
    return "".join([*parts, _plain(text[last:])])


def _plain(text: str) -> str:
    return re.sub(r"(\\|\*|\||(?<=\w)_(?!\w))", r"\\\1", text)


def _sections(lines: list[str]) -> list[str]:
    """Our sections as fields; their later lines are indented, whatever they were."""
    heading = re.compile(rf"({'|'.join(SECTIONS)}): (.*)")
    done, inside = [], False
    for line in lines:
        found = heading.fullmatch(line)
        if found:
            if done and done[-1].strip() and not inside:
                done.append("")
            done.append(f":{found[1]}: {found[2]}")
            inside = True
            continue
        inside = inside and bool(line.strip())
        done.append(f"    {line.strip()}" if inside else line)
    return done


def _displayed(lines: list[str]) -> list[str]:
    """An indented formula keeps its lines and stands apart."""
    done, section, inside = [], False, False
    for line in lines:
        if re.fullmatch(r"(Args|Raises|Returns|Yields):|:\w+: .*", line):
            section = True
        elif line and not line[0].isspace():
            section = False
        is_formula = line.startswith("    ") and not section
        if is_formula != inside and done and done[-1].strip():
            done.append("")
        done.append(f"    | {line.strip()}" if is_formula else line)
        inside = is_formula
    return done


def process(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Before napoleon reads the sections of Google's style."""
    parameters = frozenset()
    if callable(thing):
        try:
            parameters = frozenset(inspect.signature(thing).parameters)
        except (TypeError, ValueError):
            parameters = frozenset()
    known = parameters | {name.rpartition(".")[2]}
    lines[:] = as_markup(lines, public_names.links(), known)


def setup(app: Sphinx) -> dict[str, bool]:
    """Run before napoleon, whose priority is 500."""
    app.connect("autodoc-process-docstring", process, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
