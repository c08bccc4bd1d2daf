"""What keeps the house in order; each check is also shown to find an offence."""

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from abc import abstractmethod
from pathlib import Path

import equinox as eqx
import pytest

import lowrankflow

SOURCE = Path(lowrankflow.__file__).parent
ROOT = Path(__file__).parents[1]
PACKAGE = "lowrankflow"
# From below to above: each may import from those before it. The modules of the
# foundation lie side by side below all folders.
FOUNDATION = ("errors", "result", "seeds", "precision", "version", "whole_file")
# Modules that stand above all folders; `public` is the list of the top's names, which
# `__init__` loads when one of them is asked for.
TOP = ("__init__", "__main__", "public")
LAYERS = (
    "problems",
    "factorizations",
    "metrics",
    "reference",
    "dynamics",
    "simulation",
    "store",
    "sweeps",
    "studies",
    "completion",
    "explorer",
    "cli",
)
THEORY = LAYERS[:5]
LONGEST = 400
# Imports inside a function, with the reason. Files of cli/ may always: `--help` is to
# be instant.
OPTIMIZE = "takes a third of a second to import; few problems need it"
LAZY_IMPORTS = {
    (
        "completion/page.py",
        "lowrankflow.completion.page_contents",
    ): "brings Matplotlib and the studies; few completions need a page",
    (
        "dynamics/small_flows.py",
        "lowrankflow.dynamics.small_flow_kernel",
    ): "Numba takes half a second to import; few need it",
    ("problems/commuting_instances.py", "scipy.optimize"): OPTIMIZE,
    (
        "problems/indian_pines.py",
        "scipy.io",
    ): "a tenth of a second to import; only a .mat file needs it",
    ("problems/pictures.py", "PIL"): "only photographs need it",
    (
        "problems/pair_products.py",
        "lowrankflow.problems",
    ): "Numba takes half a second to import; few need it",
    (
        "problems/row_solutions.py",
        "lowrankflow.problems",
    ): "Numba takes half a second to import; few need it",
    (
        "problems/sampled_products.py",
        "lowrankflow.problems",
    ): "Numba takes half a second to import; few need it",
    ("reference/diagonal.py", "scipy.optimize"): OPTIMIZE,
    ("reference/l1.py", "scipy.optimize"): OPTIMIZE,
    (
        "reference/low_rank_splitting.py",
        "scipy.sparse",
    ): "a tenth of a second to import; only large tables need it",
    ("reference/observed_value.py", "scipy.optimize"): OPTIMIZE,
    ("reference/sampled_entries.py", "scipy.sparse"): "the same",
    ("reference/sampled_entries.py", "scipy.sparse.linalg"): "the same",
    ("reference/soft_impute.py", "scipy.optimize"): OPTIMIZE,
    ("simulation/run.py", "xarray"): "takes half a second to import; few runs need it",
    ("simulation/agreement_job.py", "scipy.interpolate"): "brings SciPy's optimizers",
    ("studies/scale/movielens_measures.py", "scipy.interpolate"): "the same",
    ("store/archive.py", "xarray"): "the same; only results on disk need it",
    ("store/results.py", "xarray"): "the same",
    ("store/grid_results.py", "xarray"): "the same",
}
# Places that may ask an object what it can do, or call its parent.
ALLOWED_CALLS = {
    (
        "completion/completer.py",
        "super",
    ): "scikit-learn's tags are those of its parents, with changes",
    ("errors.py", "super"): "an exception hands its message to ValueError",
}
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc"}
# Classes of a theory that are no method of a paper.
NO_SOURCE = {"GivenFactors": "what the caller brings has no source but the caller"}
CITATION = re.compile(r"\b[a-z]+[12][0-9]{3}[a-z]?\b")


def files(source):
    return sorted(source.rglob("*.py"))


def relative(path, source):
    return path.relative_to(source).as_posix()


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def place(path, source):
    """The layer that a file is in: a folder, a foundation module, or "" for the top."""
    first = path.relative_to(source).parts[0].removesuffix(".py")
    return "" if first in TOP else first


def imported(path, source, package=PACKAGE):
    """Absolute dotted names that a file imports, with their lines."""
    folder = [package, *path.relative_to(source).parent.parts]
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = folder[: len(folder) + 1 - node.level] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            if module == package:  # `from lowrankflow import metrics`
                for alias in node.names:
                    yield f"{package}.{alias.name}", node.lineno
            else:
                yield module, node.lineno


def wrong_imports(source, package=PACKAGE):
    """Imports from a layer above, of an unknown layer, or past a folder's list."""
    order = dict.fromkeys(FOUNDATION, 0)
    order |= {name: level for level, name in enumerate(LAYERS, start=1)}
    found = []
    for path in files(source):
        here = place(path, source)
        if here and here not in order:
            found.append(f"{relative(path, source)} is in no layer of the design")
            continue
        for name, line in imported(path, source, package):
            ours, _, rest = name.partition(".")
            if ours != package or not here:
                continue
            there, _, file = rest.partition(".")
            where = f"{relative(path, source)}:{line} imports {name}"
            if there not in order:
                found.append(f"{where}, which is no layer")
            elif there == here:
                continue
            elif order[there] >= order[here] and there not in FOUNDATION:
                found.append(f"{where}, which is above")
            elif file:
                found.append(f"{where}, a file of another folder")
    return found


def long_files(source):
    lengths = {
        relative(path, source): len(path.read_text(encoding="utf-8").splitlines())
        for path in files(source)
    }
    return [f"{name} has {n} lines" for name, n in lengths.items() if n > LONGEST]


def nameless_files(source):
    return [
        relative(path, source)
        for path in files(source)
        if NAMELESS
        & {
            part.removesuffix(".py").strip("_")
            for part in path.relative_to(source).parts
        }
    ]


def lazy_imports(source):
    """(file, module) of each import inside a function."""
    found = set()
    for path in files(source):
        for function in ast.walk(parsed(path)):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom):
                    names = [node.module]
                else:
                    continue
                found |= {(relative(path, source), name) for name in names}
    return found


def calls_of(source, names):
    """(file, name) of each call of one of these built-in functions."""
    return {
        (relative(path, source), node.func.id)
        for path in files(source)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in names
    }


def wrong_lists(source):
    """Lines of a folder's list that are no `from own.file import X as X`."""
    found = []
    for path in files(source):
        top = path.parent == source
        if path.name != ("public.py" if top else "__init__.py"):
            continue
        where = relative(path, source)
        own = ".".join([PACKAGE, *path.relative_to(source).parent.parts])
        for node in parsed(path).body:
            doc = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if doc:
                continue
            if not isinstance(node, ast.ImportFrom):
                found.append(f"{where}:{node.lineno} is no import")
                continue
            if not f"{node.module}.".startswith(f"{own}."):
                found.append(f"{where}:{node.lineno} lists names of {node.module}")
            found.extend(
                f"{where}:{alias.lineno} imports {alias.name}, not as itself"
                for alias in node.names
                if alias.asname != alias.name
            )
    return found


def citations(source):
    """(file, key) of each citation in a docstring or an argument named `source`."""
    found = set()
    for path in files(source):
        texts = []
        for node in ast.walk(parsed(path)):
            if isinstance(
                node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
            ):
                texts.append(ast.get_docstring(node) or "")
            elif isinstance(node, ast.keyword) and node.arg == "source":
                inside = ast.walk(node.value)
                texts += [str(x.value) for x in inside if isinstance(x, ast.Constant)]
        found |= {
            (relative(path, source), key)
            for text in texts
            for key in CITATION.findall(text)
        }
    return found


def bibliography_keys(text):
    """The keys of a BibTeX file, in order, those that occur twice twice."""
    entries = re.findall(r"^[ \t]*@(\w+)\s*\{\s*([^,\s]+)\s*,", text, re.MULTILINE)
    return [
        key
        for kind, key in entries
        if kind.lower() not in ("comment", "string", "preamble")
    ]


def unresolved(cited, keys):
    return sorted({f"{key} in {file}" for file, key in cited if key not in keys})


def ours(kind):
    """A class of this library, or of a test, and not one that Equinox brings."""
    return issubclass(kind, eqx.Module) and not kind.__module__.startswith("equinox")


def subclasses(kind):
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


def modules():
    """All Equinox modules of the library, whichever file defines them."""
    for module in pkgutil.walk_packages(lowrankflow.__path__, f"{PACKAGE}."):
        importlib.import_module(module.name)
    return sorted(
        {
            kind
            for kind in subclasses(eqx.Module)
            if kind.__module__.startswith(PACKAGE)
        },
        key=lambda kind: f"{kind.__module__}.{kind.__qualname__}",
    )


def abstract_members(kind):
    return (
        set(kind.__abstractmethods__)
        | set(kind.__abstractvars__)
        | set(kind.__abstractclassvars__)
    )


def neither_abstract_nor_final(kinds):
    """What departs from the abstract-or-final pattern, in sentences."""
    found = []
    for kind in kinds:
        name = kind.__qualname__.rpartition(".")[2]
        parents = [parent for parent in kind.__mro__[1:] if ours(parent)]
        if name.startswith("Abstract") != bool(abstract_members(kind)):
            found.append(f"{name}: Abstract in the name and in the members must agree")
        for parent in parents:
            if not parent.__name__.startswith("Abstract"):
                found.append(f"{name} subclasses {parent.__name__}, which is final")
            replaced = {
                member
                for member in vars(kind)
                if member in vars(parent)
                and not (member.startswith("__") and member.endswith("__"))
                and not member.startswith("_abc_")
            }
            for member in sorted(replaced - abstract_members(parent)):
                found.append(f"{name} overrides {parent.__name__}.{member}")
        bearers = [
            bearer.__name__
            for bearer in [kind, *parents]
            if fields_of(bearer) & set(vars(bearer).get("__annotations__", {}))
        ]
        if len(bearers) > 1:
            found.append(f"{name}: fields in {' and '.join(bearers)}")
    return found


def fields_of(kind):
    return set(getattr(kind, "__dataclass_fields__", {}))


def exported(folder=""):
    """What a folder lists, or the top, but for modules and names of types."""
    listed = vars(importlib.import_module(f"{PACKAGE}.{folder or 'public'}"))
    return {
        name: thing
        for name, thing in listed.items()
        if getattr(thing, "__module__", "").startswith(PACKAGE)
        and not name.startswith("_")
        and callable(thing)
    }


def undocumented(things):
    """Classes and functions without a docstring, and their public members likewise.

    A member that a parent class documents needs none of its own.
    """
    found = []
    for name, thing in things.items():
        text = thing.__doc__ or ""
        # A dataclass without a docstring gets its signature for one.
        if not text.strip() or text.startswith(f"{thing.__name__}("):
            found.append(name)
        if not inspect.isclass(thing):
            continue
        for member, value in vars(thing).items():
            value = getattr(value, "__func__", value)
            public = not member.startswith("_")
            callable_ = inspect.isroutine(value) or isinstance(value, property)
            known = (
                any(member in vars(parent) for parent in thing.__mro__[1:])
                or not callable_
            )
            if public and not known and not (value.__doc__ or "").strip():
                found.append(f"{name}.{member}")
    return found


def has_section(thing, section):
    return (
        re.search(rf"^ *{section}: \S", thing.__doc__ or "", re.MULTILINE) is not None
    )


def unsourced(things, *, functions):
    """What should say its source, or how exact it is, and does not.

    Every final class that fills in a contract of a theory folder says its source, and
    every function where `functions` is set. What has a source says how exact it is; a
    loss, a definition with nothing to be exact about, need not.
    """
    found = []
    for name, thing in things.items():
        if inspect.isclass(thing):
            contracts = [p.__name__ for p in thing.__mro__[1:] if ours_abstract(p)]
            concerned = bool(contracts) and not name.startswith("Abstract")
            # A matrix is data, not a method.
            concerned = concerned and contracts != ["AbstractMatrix"]
            exact = contracts != ["AbstractLoss"]
        else:
            concerned = exact = functions
        sourced = has_section(thing, "Source")
        if concerned and not sourced and name not in NO_SOURCE:
            found.append(f"{name} has no Source")
        due = sourced or (concerned and name not in NO_SOURCE)
        if exact and due and not has_section(thing, "Exactness"):
            found.append(f"{name} has no Exactness")
    return found


def ours_abstract(kind):
    return kind.__name__.startswith("Abstract") and issubclass(kind, eqx.Module)


FOLDERS = [folder for folder in LAYERS if (SOURCE / folder).is_dir()]


def written(folder, **texts):
    """A small package: `problems__matrices="..."` is the file problems/matrices.py."""
    for name, text in texts.items():
        path = folder / (name.replace("__", "/") + ".py")
        if name.endswith("__init"):
            path = folder / name.removesuffix("init").replace("__", "/") / "__init__.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_the_checks_look_at_something():
    assert set(THEORY) <= set(FOLDERS)
    assert len(files(SOURCE)) > 50
    assert len(modules()) > 40


def test_imports_point_down_and_through_the_folders_list():
    assert wrong_imports(SOURCE) == []


@pytest.mark.parametrize(
    ("file", "text", "offence"),
    [
        ("problems__a", "from lowrankflow.metrics import x", "is above"),
        ("errors", "from lowrankflow.problems import x", "is above"),
        ("metrics__a", "def f():\n    import lowrankflow.cli", "is above"),
        ("metrics__a", "from lowrankflow import dynamics", "is above"),
        ("metrics__a", "from ..dynamics import x", "is above"),
        ("metrics__a", "from lowrankflow.problems.grid import x", "another folder"),
        ("metrics__a", "import lowrankflow.problems.grid", "another folder"),
        ("metrics__a", "from lowrankflow import simulate", "no layer"),
        ("metrics__a", "import lowrankflow", "no layer"),
        ("physics__a", "import os", "in no layer"),
    ],
)
def test_a_wrong_import_is_found(tmp_path, file, text, offence):
    (found,) = wrong_imports(written(tmp_path, **{file: text}))
    assert offence in found


def test_right_imports_are_not_found(tmp_path):
    written(
        tmp_path,
        __init="from lowrankflow.problems.grid import x as x",
        errors="import lowrankflow.version\nfrom lowrankflow.seeds import y",
        metrics__a="import numpy as np\nfrom lowrankflow.problems import x",
        metrics__b="from lowrankflow.metrics.a import x\nfrom .a import y",
        metrics__c="from lowrankflow import problems\nfrom ..errors import x",
    )
    assert wrong_imports(tmp_path) == []


def test_files_are_short():
    assert long_files(SOURCE) == []


def test_a_long_file_is_found(tmp_path):
    written(tmp_path, a="x = 1\n" * 400, b="x = 1\n" * 401)
    assert long_files(tmp_path) == ["b.py has 401 lines"]


def test_every_file_is_named_for_what_it_does():
    assert nameless_files(SOURCE) == []


def test_a_file_without_a_real_name_is_found(tmp_path):
    written(tmp_path, a="", metrics__utils="", _common="", helpers__b="", commoner="")
    assert nameless_files(tmp_path) == [
        "_common.py",
        "helpers/b.py",
        "metrics/utils.py",
    ]


def test_imports_are_at_the_top_of_files():
    found = {item for item in lazy_imports(SOURCE) if not item[0].startswith("cli/")}
    assert found == set(LAZY_IMPORTS)


def test_an_import_inside_a_function_is_found(tmp_path):
    written(
        tmp_path,
        a="import os\nclass A:\n    def f(self):\n        if 1:\n"
        "            from numpy.linalg import svd\n        import jax",
    )
    assert lazy_imports(tmp_path) == {("a.py", "numpy.linalg"), ("a.py", "jax")}


def test_no_object_asks_its_parent_or_what_it_is():
    assert calls_of(SOURCE, {"super", "hasattr"}) == set(ALLOWED_CALLS)


def test_a_call_of_super_is_found(tmp_path):
    written(tmp_path, a="class A(B):\n    def f(self):\n        super().f()")
    assert calls_of(tmp_path, {"super", "hasattr"}) == {("a.py", "super")}


def test_folders_list_their_names():
    assert wrong_lists(SOURCE) == []


@pytest.mark.parametrize(
    ("text", "offence"),
    [
        ("from lowrankflow.metrics.a import x", "imports x, not as itself"),
        ("from lowrankflow.metrics.a import x as y", "imports x, not as itself"),
        ("from lowrankflow.problems import x as x", "names of lowrankflow.problems"),
        ("x = 1", "is no import"),
        ("import lowrankflow.metrics.a", "is no import"),
    ],
)
def test_a_wrong_list_is_found(tmp_path, text, offence):
    good = '"""What."""\nfrom lowrankflow.metrics.a import z as z\n'
    (found,) = wrong_lists(written(tmp_path, metrics__init=good + text))
    assert found.startswith("metrics/__init__.py:3 ")
    assert offence in found


def test_every_citation_is_in_the_bibliography():
    text = (ROOT / "docs" / "references.bib").read_text(encoding="utf-8")
    cited = citations(SOURCE)
    assert len({key for _, key in cited}) > 20
    assert unresolved(cited, bibliography_keys(text)) == []


def test_no_key_of_the_bibliography_occurs_twice():
    text = (ROOT / "docs" / "references.bib").read_text(encoding="utf-8")
    keys = bibliography_keys(text)
    assert sorted(keys) == sorted(set(keys))


def test_an_unknown_citation_is_found(tmp_path):
    written(
        tmp_path,
        a='def f():\n    """What.\n\n    Source: arora2019, section 2;\n'
        '        li2021b and mezzadri2007.\n    """',
        b='x = Fact(source=f"razin2020, {place}", other="roy2007")',
    )
    text = """
        @article{arora2019, title = {On {B}alance, razin2020}, year = 2019}
        @comment{li2021b, not an entry}
        @Book{mezzadri2007,
        }
        @misc{mezzadri2007, note={twice}}
    """
    keys = bibliography_keys(text)
    assert keys == ["arora2019", "mezzadri2007", "mezzadri2007"]
    missing = unresolved(citations(tmp_path), keys)
    assert missing == ["li2021b in a.py", "razin2020 in b.py"]


def test_modules_are_abstract_or_final():
    assert neither_abstract_nor_final(modules()) == []


class AbstractShape(eqx.Module):
    sides: eqx.AbstractVar[int]

    @abstractmethod
    def area(self):
        """Of the inside."""

    def twice(self):
        return 2 * self.area()


class Square(AbstractShape):
    sides: int = 4

    def area(self):
        return 1.0


class Half(Square):
    pass


class Doubled(AbstractShape):
    sides: int = 4

    def area(self):
        return 1.0

    def twice(self):
        return 3.0


class AbstractNothing(eqx.Module):
    def area(self):
        return 1.0


class Unfinished(AbstractShape):
    sides: int = 4


class AbstractNamed(eqx.Module):
    name: str

    @abstractmethod
    def area(self):
        """Of the inside."""


class NamedSquare(AbstractNamed):
    side: float

    def area(self):
        return self.side**2


@pytest.mark.parametrize(
    ("kind", "offence"),
    [
        (Half, "Half subclasses Square, which is final"),
        (Doubled, "Doubled overrides AbstractShape.twice"),
        (AbstractNothing, "AbstractNothing: Abstract in the name"),
        (Unfinished, "Unfinished: Abstract in the name"),
        (NamedSquare, "NamedSquare: fields in NamedSquare and AbstractNamed"),
    ],
)
def test_a_class_between_abstract_and_final_is_found(kind, offence):
    (found,) = neither_abstract_nor_final([kind])
    assert found.startswith(offence)
    assert neither_abstract_nor_final([AbstractShape, Square, AbstractNamed]) == []


@pytest.mark.parametrize("folder", ["", *FOUNDATION, *FOLDERS])
def test_everything_public_is_documented(folder):
    assert undocumented(exported(folder)) == []


def test_a_missing_docstring_is_found():
    def bare():
        return None

    class Documented(AbstractShape):
        """A shape; what its parent documents it need not."""

        sides: int = 4

        def area(self):
            return 1.0

        def _private(self):
            return 1.0

        @property
        def width(self):
            return 1.0

    assert undocumented({"bare": bare, "Square": Square}) == ["bare", "Square"]
    assert undocumented({"Documented": Documented}) == ["Documented.width"]


@pytest.mark.parametrize("folder", THEORY)
def test_every_method_of_a_theory_says_its_source_and_how_exact_it_is(folder):
    things = exported(folder)
    functions = folder in ("metrics", "reference")
    assert unsourced(things, functions=functions) == []


def test_a_missing_source_is_found():
    class Bare(AbstractShape):
        """A shape without a source."""

        sides: int = 4

        def area(self):
            return 1.0

    class Sourced(Bare):
        """A shape.

        Source: euclid1482, book 1.
        """

    def exact():
        """A function.

        Exactness: exact.
        """

    things = {"Bare": Bare, "Sourced": Sourced, "exact": exact}
    assert unsourced(things, functions=True) == [
        "Bare has no Source",
        "Bare has no Exactness",
        "Sourced has no Exactness",
        "exact has no Source",
    ]
    assert "exact has no Source" not in unsourced(things, functions=False)


def test_importing_changes_no_setting_and_loads_nothing_heavy():
    program = """
import sys
import lowrankflow
import jax
assert lowrankflow.simulate and not jax.config.jax_enable_x64, "float64 is on"
heavy = {"xarray", "matplotlib", "cvxpy", "torch", "diffrax", "pandas", "sklearn"}
heavy |= {"scipy.optimize", "scipy.sparse", "rich", "typer", "jinja2"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
