"""The reference, from what each folder lists as its public names.

`.. public-names:: FOLDER` documents a folder's names, in the groups that its files
are; `.. public-table::` lists the names that `lowrankflow` has at its top.
"""

import ast
import functools
import importlib
import inspect
import re
import types
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

PACKAGE = "lowrankflow"
FOLDERS = (
    "completion",
    "problems",
    "factorizations",
    "dynamics",
    "simulation",
    "reference",
    "metrics",
    "studies",
    "store",
    "sweeps",
)
FOUNDATION = ("errors", "result", "precision", "seeds")


def listed(folder: str) -> dict[str, list[str]]:
    """The public names of a folder or a file, by the module that defines them."""
    module = importlib.import_module(f"{PACKAGE}.{folder}")
    tree = ast.parse(inspect.getsource(module))
    groups: dict[str, list[str]] = {}
    if Path(inspect.getfile(module)).name != "__init__.py":
        groups[module.__name__] = [
            node.name
            for node in tree.body
            if isinstance(node, ast.ClassDef | ast.FunctionDef)
            and not node.name.startswith("_")
        ]
        return groups
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [alias.asname or alias.name for alias in node.names]
            groups.setdefault(node.module, []).extend(names)
    return groups


@functools.cache
def links() -> dict[str, str]:
    """Where each public name is documented, for names that cannot be plain words."""
    found = {}
    for folder in (*FOUNDATION, *FOLDERS):
        for names in listed(folder).values():
            for name in names:
                if name[0].isupper() or "_" in name.strip("_"):
                    found.setdefault(name, f"{PACKAGE}.{folder}.{name}")
    return found


def described(thing: object) -> bool:
    """Whether it is a class or a function; other names are types and constants."""
    return inspect.isclass(thing) or inspect.isroutine(thing)


def first_line(thing: object) -> str:
    """The first sentence of a docstring, on one line."""
    text = inspect.cleandoc(thing.__doc__ or "").partition("\n\n")[0]
    return re.sub(r"\s+", " ", text)


class PublicNames(SphinxDirective):
    """A folder's names, each documented by autodoc, under what its file is about.

    The option `first` names the files to begin with.
    """

    required_arguments = 1
    option_spec = {"first": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Written as reStructuredText and parsed."""
        folder = self.arguments[0]
        whole = importlib.import_module(f"{PACKAGE}.{folder}")
        written, others = [], []
        groups = listed(folder)
        prefix = f"{PACKAGE}.{folder}."
        first = [prefix + name for name in self.options.get("first", "").split()]
        unknown = [module for module in first if module not in groups]
        if unknown:
            raise self.error(f"no such file lists a public name: {unknown}")
        for module in dict.fromkeys([*first, *groups]):
            names, entries = groups[module], []
            for name in names:
                thing = getattr(whole, name)
                path = f"{PACKAGE}.{folder}.{name}"
                if described(thing):
                    entries += _entry(path, thing)
                else:
                    others.append((path, thing, module))
            source = importlib.import_module(module)
            if entries:
                if len(groups) > 1:
                    written += [f".. rubric:: {_heading(source)}", ""]
                written += entries
            self.env.note_dependency(inspect.getfile(source))
        if others:
            written += [".. rubric:: Types and constants", ""]
            for path, thing, module in others:
                written += _constant(path, thing, module)
        self.env.note_dependency(inspect.getfile(whole))
        node = nodes.container()
        self.state.nested_parse(StringList(written, source=folder), 0, node)
        return node.children


def _heading(module: types.ModuleType) -> str:
    text = first_line(module).rstrip(".")
    return re.sub(r"([*|\\`]|(?<=\w)_(?!\w))", r"\\\1", text)


def _entry(path: str, thing: object) -> list[str]:
    kind = "function"
    if inspect.isclass(thing):
        kind = "exception" if issubclass(thing, BaseException) else "class"
    lines = [f".. auto{kind}:: {path}"]
    if kind != "function":
        lines.append("   :members:")
    return [*lines, ""]


def _constant(path: str, thing: object, module: str) -> list[str]:
    """An alias or a constant, as its file writes it where that is short."""
    name = path.rpartition(".")[2]
    lines = [f".. py:data:: {path}", ""]
    value = None
    for node in ast.parse(inspect.getsource(importlib.import_module(module))).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
        if any(getattr(target, "id", "") == name for target in targets):
            value = ast.unparse(node.value)
    if value and len(value) < 200:
        lines += [f"   ``{value}``", ""]
    return lines


class PublicTable(SphinxDirective):
    """The names at the top of the package, by the folder that they are from."""

    def run(self) -> list[nodes.Node]:
        """One list per folder."""
        written = []
        top = listed_at_the_top()
        order = [f"{PACKAGE}.{folder}" for folder in FOLDERS]
        for module in sorted(top, key=[*order, *top].index):
            names = top[module]
            folder = module.removeprefix(f"{PACKAGE}.")
            page = folder if folder in FOLDERS else "foundation"
            written += [f".. rubric:: :doc:`{folder} <{page}>`", ""]
            for name in names:
                thing = getattr(importlib.import_module(module), name)
                said = first_line(thing).partition(": ")[0].rstrip(".")
                said = re.sub(r"([*|\\]|(?<=\w)_(?!\w))", r"\\\1", said)
                said = re.sub(r"`([^`]+)`", r"``\1``", said)
                target = f"{PACKAGE}.{folder}.{name}"
                written += [f":py:obj:`{name} <{target}>`", f"   {said}.", ""]
        node = nodes.container()
        source = StringList(written, source="public-table")
        self.state.nested_parse(source, 0, node)
        for listed_names in node.findall(nodes.definition_list):
            listed_names["classes"].append("names")
        return node.children


def listed_at_the_top() -> dict[str, list[str]]:
    """The names of `lowrankflow.public`, by the module they are imported from."""
    return listed_in(f"{PACKAGE}.public")


def listed_in(module: str) -> dict[str, list[str]]:
    """What a module imports, by where from."""
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    return {
        node.module: [alias.name for alias in node.names]
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module
    }


def signature_of_source(
    app: Sphinx,
    what: str,
    name: str,
    thing: Any,
    options: object,
    signature: str | None,
    returns: str | None,
) -> tuple[str, str] | None:
    """A function's signature as its file writes it, in place of evaluated types."""
    if what in ("class", "exception") and signature:
        return signature.replace("jaxlib._jax.Array", "Array"), returns or ""
    if what not in ("function", "method"):
        return None
    try:
        source = inspect.getsource(inspect.unwrap(thing))
        node = ast.parse(inspect.cleandoc("\n" + source)).body[0]
    except (OSError, TypeError, SyntaxError):
        return None
    if not isinstance(node, ast.FunctionDef):
        return None
    arguments = node.args
    bound = arguments.posonlyargs or arguments.args
    if what == "method" and bound and bound[0].arg in ("self", "cls"):
        bound.pop(0)
    answer = ast.unparse(node.returns).strip("'\"") if node.returns else ""
    return f"({ast.unparse(arguments)})", answer


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directives."""
    app.add_directive("public-names", PublicNames)
    app.add_directive("public-table", PublicTable)
    app.connect("autodoc-process-signature", signature_of_source)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
