"""The documentation: every page is reachable and every link leads somewhere.

Nothing is built here; `make docs` does that, with warnings as errors.
"""

import ast
import importlib
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
EXTENSIONS = DOCS / "_ext"
FENCE = re.compile(r"^(```|~~~|:::).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
TOCTREE = re.compile(r"^```\{toctree\}[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INCLUDE = re.compile(r"^```\{include\} (\S+)", re.MULTILINE)
LINK = re.compile(r"(?<!!)\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")
IMAGE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")


def extension(name):
    """One of the site's own extensions; skipped where Sphinx is not installed."""
    pytest.importorskip("sphinx")
    sys.path.insert(0, str(EXTENSIONS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(EXTENSIONS))


def pages(root):
    """The pages of a site, by their names in a toctree; parts of pages are none."""
    texts = {path: path.read_text(encoding="utf-8") for path in root.rglob("*.md")}
    parts = {
        (path.parent / name).resolve()
        for path, text in texts.items()
        for name in INCLUDE.findall(text)
    }
    return {
        path.relative_to(root).with_suffix("").as_posix(): path
        for path in sorted(texts)
        if path.resolve() not in parts
    }


def listed(root):
    """What the toctrees name, each with the page that names it."""
    found = set()
    for name, path in pages(root).items():
        for block in TOCTREE.findall(path.read_text(encoding="utf-8")):
            for line in block.splitlines():
                entry = line.strip()
                if not entry or entry.startswith(":"):
                    continue
                base = path.parent / entry
                matches = sorted(path.parent.glob(f"{entry}.md")) or [base]
                targets = {m.relative_to(root).with_suffix("") for m in matches}
                found |= {(target.as_posix(), name) for target in targets}
    return found


def anchors(path):
    """The anchors of a page's headings, as they are in a link."""
    text = path.read_text(encoding="utf-8")
    included = INCLUDE.findall(text)
    text = "\n".join(
        [
            FENCE.sub("", text),
            *((path.parent / n).read_text(encoding="utf-8") for n in included),
        ]
    )
    headings = re.findall(r"^#{1,4} +(.+?)[ \t]*$", text, re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    }


def broken_links(path):
    """Links of a file to files, or to headings, that are not there."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    found = []
    for link in LINK.findall(text) + IMAGE.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        if not target.exists() or (
            anchor and target.suffix == ".md" and anchor not in anchors(target)
        ):
            found.append(f"{path.name}: {link}")
    return found


def test_every_page_is_in_a_toctree_and_every_entry_is_a_page():
    named = {target for target, _ in listed(DOCS)}
    assert named == set(pages(DOCS)) - {"index"}


def test_a_page_that_nobody_names_is_found(tmp_path):
    (tmp_path / "studies").mkdir()
    for name in ("index", "lost", "part", "studies/index", "studies/b"):
        (tmp_path / f"{name}.md").write_text("# Page\n", encoding="utf-8")
    text = "# Page\n```{include} part.md\n```\n"
    (tmp_path / "a.md").write_text(text, encoding="utf-8")
    tree = "```{toctree}\n:hidden:\na\ngone\nstudies/index\n```\n"
    (tmp_path / "index.md").write_text(tree, encoding="utf-8")
    tree = "```{toctree}\n:glob:\n*\n```\n"
    (tmp_path / "studies" / "index.md").write_text(tree, encoding="utf-8")
    named = {target for target, _ in listed(tmp_path)}
    assert named - set(pages(tmp_path)) == {"gone"}
    assert set(pages(tmp_path)) - named == {"index", "lost"}


@pytest.mark.parametrize(
    "path",
    [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_links_lead_somewhere(path):
    assert broken_links(path) == []


def test_a_broken_link_is_found(tmp_path):
    (tmp_path / "a.md").write_text("# Of *two* words: x\n## Next\n", encoding="utf-8")
    page = tmp_path / "b.md"
    page.write_text(
        "# Own\n[good](a.md) [good](a.md#of-two-words-x) [good](#own) "
        "[good](https://example.org/x#y) [bad](c.md) [bad](a.md#of-words) "
        "[bad](#next)\n![bad](d.png)\n```text\n[code](e.md)\n```\n",
        encoding="utf-8",
    )
    bad = ["c.md", "a.md#of-words", "#next", "d.png"]
    assert broken_links(page) == [f"b.md: {link}" for link in bad]


def test_the_configuration_names_what_is_there():
    tree = ast.parse((DOCS / "conf.py").read_text(encoding="utf-8"))
    values = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                values[target.id] = node.value
    extensions = ast.literal_eval(values["extensions"])
    own = {path.stem for path in EXTENSIONS.glob("*.py")}
    assert {name for name in extensions if name in own} == own
    for style in ast.literal_eval(values["html_css_files"]):
        assert (DOCS / "_static" / style).is_file()
    assert ast.literal_eval(values["nitpicky"])


def test_the_reference_has_a_page_for_every_folder():
    names = extension("public_names")
    folders = {
        path.name
        for path in (ROOT / "src" / "lowrankflow").iterdir()
        if (path / "__init__.py").is_file() and path.name != "cli"
    }
    assert set(names.FOLDERS) == folders
    for folder in folders:
        page = (DOCS / "reference" / f"{folder}.md").read_text(encoding="utf-8")
        assert f".. public-names:: {folder}\n" in page
    assert names.links()["GradientFlow"] == "lowrankflow.dynamics.GradientFlow"


def test_a_docstring_becomes_markup():
    as_markup = extension("plain_docstrings").as_markup
    lines = [
        "The flow W_' = -A*(r), ||r||^2 of `GradientFlow`s with `rtol`.",
        "",
        "    W_j <- W_j",
        "that is it.",
        "",
        "Args:",
        "    rtol: above 0.",
        "",
        "Exactness: within `rtol`;",
        "  order 2.",
        "Source: arora2019.",
    ]
    assert as_markup(lines, {"GradientFlow": "l.GradientFlow"}) == [
        r"The flow W\_' = -A\*(r), \|\|r\|\|^2 of "
        r":py:obj:`GradientFlow <l.GradientFlow>`\ s with ``rtol``.",
        "",
        "    | W_j <- W_j",
        "",
        "that is it.",
        "",
        "Args:",
        "    rtol: above 0.",
        "",
        ":Exactness: within ``rtol``;",
        "    order 2.",
        ":Source: arora2019.",
    ]


def test_the_bibliography_is_read():
    read = extension("bibliography").read_bibliography
    text = """% a comment
    @article{ignored, year = 1}
@Article{candes2009,
  author = {Cand{\\`e}s, Emmanuel J. and Erd{\\H{o}}s, Paul},
  title = {{RKC}: of {PDE}s --- it
    is {\\"o}}, year = 2009, pages = {717--772}
}
"""
    assert read(text) == {
        "candes2009": {
            "author": "Candès, Emmanuel J. and Erdős, Paul",
            "title": "RKC: of PDEs — it is ö",
            "year": "2009",
            "pages": "717–772",
        }
    }
    whole = read((DOCS / "references.bib").read_text(encoding="utf-8"))
    assert len(whole) > 20
    for key, fields in whole.items():
        assert {"author", "title", "year"} <= set(fields), key
        assert not re.search(r"[\\{}$]", " ".join(fields.values())), key


def test_links_out_of_the_site():
    on_the_site = extension("repository_links").on_the_site
    page = DOCS / "studies" / "index.md"
    text = (
        "[`x`](../../benchmarks/README.md) [a](../../ARCHITECTURE.md#the-store) "
        "[b](../concepts.md) [c](https://example.org)"
    )
    assert on_the_site(text, page, DOCS) == (
        "`x` [a](../architecture.md#the-store) [b](../concepts.md) "
        "[c](https://example.org)"
    )
