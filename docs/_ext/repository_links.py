"""Links from a page to files of the repository that are not pages of the site.

They are right where the Markdown is read beside the source. On the site those with a
page of their own (architecture, contributing) lead there, and others are plain text.
"""

import re
from pathlib import Path

from sphinx.application import Sphinx

PAGES = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
}
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(((?:\.\./)+[^)#\s]*)(#[^)\s]*)?\)")


def on_the_site(text: str, page: Path, root: Path) -> str:
    """A page's text with such links replaced.

    Args:
        text: Markdown.
        page: its file.
        root: of the pages.
    """

    def replaced(found: re.Match[str]) -> str:
        target = (page.parent / found[2]).resolve()
        if target.is_relative_to(root):
            return found[0]
        name = target.relative_to(root.parent).as_posix()
        if name not in PAGES:
            return found[1]
        up = "../" * (len(page.relative_to(root).parts) - 1)
        return f"[{found[1]}]({up}{PAGES[name]}{found[3] or ''})"

    return _LINK.sub(replaced, text)


def read(app: Sphinx, docname: str, content: list[str]) -> None:
    """Before a page is parsed."""
    root = Path(app.srcdir).resolve()
    page = Path(app.env.doc2path(docname)).resolve()
    content[0] = on_the_site(content[0], page, root)


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the replacement."""
    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
