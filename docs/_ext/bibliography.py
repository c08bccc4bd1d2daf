"""The list of references, and links to it wherever a page names a key.

The directive `{bibliography}` reads references.bib. After that, every mention of a key
(arora2019) in a paragraph or a docstring is a link to its entry. The file is plain
BibTeX: `name = {value}` or a bare number, braces balanced.
"""

import re
import unicodedata
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

PAGE = "references"
ACCENTS = {
    "`": "\u0300",
    "'": "\u0301",
    "^": "\u0302",
    "~": "\u0303",
    "=": "\u0304",
    "u": "\u0306",
    '"': "\u0308",
    "H": "\u030b",
    "v": "\u030c",
    "c": "\u0327",
}
LETTERS = {r"\o": "ø", r"\O": "Ø", r"\l": "ł", r"\L": "Ł", r"\ss": "ß", r"\&": "&"}


def read_bibliography(text: str) -> dict[str, dict[str, str]]:
    """The entries of a BibTeX file: their fields by key, in order."""
    entries = {}
    for start in re.finditer(r"^@(\w+)\s*\{\s*([^,\s]+)\s*,", text, re.MULTILINE):
        end = _closing(text, text.index("{", start.start()))
        body = text[start.end() : end]
        fields, at = {}, 0
        while found := re.compile(r"\s*(\w+)\s*=\s*").match(body, at):
            at = found.end()
            if body[at] == "{":
                close = _closing(body, at)
                value, at = body[at + 1 : close], close + 1
            else:
                bare = re.compile(r"[^,\s]+").match(body, at)
                assert bare, f"{start[2]}: {found[1]} has no value"
                value, at = bare[0], bare.end()
            fields[found[1].lower()] = readable(value)
            comma = re.compile(r"\s*,").match(body, at)
            at = comma.end() if comma else at
        assert not body[at:].strip(), f"{start[2]}: cannot read {body[at:].strip()!r}"
        entries[start[2]] = fields
    return entries


def _closing(text: str, at: int) -> int:
    depth = 0
    for index in range(at, len(text)):
        depth += {"{": 1, "}": -1}.get(text[index], 0)
        if not depth:
            return index
    raise AssertionError(f"no closing brace after {text[at : at + 40]!r}")


def readable(value: str) -> str:
    r"""LaTeX as Unicode: accents, dashes, protected capitals."""
    value = re.sub(
        r"\\([`'^~=\"]|[uvcH](?=[\s{]))\s*\{?\s*(\\?[A-Za-z])\}?",
        lambda found: found[2].lstrip("\\") + ACCENTS[found[1]],
        value,
    )
    for written, letter in LETTERS.items():
        value = value.replace(written, letter)
    value = value.replace("---", "—").replace("--", "–").replace("~", "\u00a0")
    value = re.sub(r"\s+", " ", re.sub(r"[{}$]", "", value)).strip()
    return unicodedata.normalize("NFC", value)


class BibliographyDirective(SphinxDirective):
    """All entries, ordered by key, each with an anchor `#ref-KEY`."""

    def run(self) -> list[nodes.Node]:
        """The list; a new entry builds the page again."""
        path = Path(self.env.srcdir) / "references.bib"
        self.env.note_dependency(str(path))
        listed = nodes.definition_list(classes=["bibliography"])
        entries = read_bibliography(path.read_text(encoding="utf-8"))
        for key, fields in sorted(entries.items()):
            term = nodes.term("", "", nodes.literal("", key))
            term["ids"].append(f"ref-{key}")
            paragraph = nodes.paragraph()
            paragraph += _described(fields)
            item = nodes.definition_list_item("", term, nodes.definition("", paragraph))
            listed += item
        return [listed]


def _described(fields: dict[str, str]) -> list[nodes.Node]:
    names = [" ".join(reversed(name.split(", "))) for name in _authors(fields)]
    whole = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    number = f" ({fields['number']})" if "number" in fields else ""
    place = [
        fields.get("journal") or fields.get("booktitle") or fields.get("publisher"),
        fields.get("volume", "") + number,
        f"pages {fields['pages']}" if "pages" in fields else "",
        fields.get("note", ""),
        fields["year"],
    ]
    said = ", ".join(part for part in place if part)
    parts: list[nodes.Node] = [
        nodes.Text(f"{whole}. "),
        nodes.emphasis("", fields["title"]),
        nodes.Text(f". {said}."),
    ]
    url = ""
    if "eprint" in fields:
        url, name = f"https://arxiv.org/abs/{fields['eprint']}", fields["eprint"]
        name = f"arXiv:{name}"
    elif "doi" in fields:
        url, name = f"https://doi.org/{fields['doi']}", f"doi:{fields['doi']}"
    elif "url" in fields:
        url = name = fields["url"]
    if url:
        parts += [nodes.Text(" "), nodes.reference("", name, refuri=url)]
    return parts


def _authors(fields: dict[str, str]) -> list[str]:
    written = fields.get("author") or fields.get("editor") or fields["organization"]
    return written.split(" and ")


class CitationLinks(SphinxPostTransform):
    """Turns the keys that a page names into links."""

    default_priority = 400
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Link what is not a link, a heading or code yet."""
        path = Path(self.env.srcdir) / "references.bib"
        keys = read_bibliography(path.read_text(encoding="utf-8"))
        docname = self.env.docname
        if docname == PAGE:
            return
        base = self.app.builder.get_relative_uri(docname, PAGE)
        pattern = re.compile(rf"(?<![\w/#-])({'|'.join(keys)})(?![\w/-])")
        for text in list(self.document.findall(nodes.Text)):
            if not pattern.search(text.astext()) or _is_settled(text):
                continue
            literal = isinstance(text.parent, nodes.literal)
            if literal and not pattern.fullmatch(text.astext()):
                continue
            node = text.parent if literal else text
            found = []
            for part in pattern.split(text.astext()):
                inner = nodes.literal("", part) if literal else nodes.Text(part)
                if part in keys:
                    link = nodes.reference("", "", inner, refuri=f"{base}#ref-{part}")
                    link["classes"] += ["citation-key"]
                    link["internal"] = True
                    found.append(link)
                elif part:
                    found.append(inner)
            node.parent.replace(node, found)


def _is_settled(node: nodes.Node) -> bool:
    kinds = (nodes.reference, nodes.title, nodes.literal_block, nodes.raw)
    while node.parent is not None:
        node = node.parent
        if isinstance(node, kinds):
            return True
    return False


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive and the links."""
    app.add_directive("bibliography", BibliographyDirective)
    app.add_post_transform(CitationLinks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
