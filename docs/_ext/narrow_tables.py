"""Tables of three and more columns with text in them become cards on a phone.

Every cell gets its column's heading as a label, which a wide screen does not show.
Tables of numbers alone stay tables and scroll in their own frame.
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

LONG = 24  # characters of a cell that make a table one of text


class NarrowTables(SphinxPostTransform):
    """Adds the class `cards` and the labels."""

    default_priority = 500
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Change what has a heading row and cells of text."""
        for table in self.document.findall(nodes.table):
            heads = list(table.findall(nodes.thead))
            bodies = list(table.findall(nodes.tbody))
            if not heads or not bodies:
                continue
            labels = [entry.astext() for entry in heads[0][0]]
            cells = [list(row) for row in bodies[0]]
            longest = max(len(cell.astext()) for row in cells for cell in row)
            if len(labels) < 3 or longest <= LONG:
                continue
            table["classes"].append("cards")
            for row in cells:
                for label, cell in zip(labels[1:], row[1:], strict=True):
                    inner = cell[0] if len(cell) else None
                    if inner is None or not inner.astext():
                        cell["classes"].append("empty")
                    elif label:
                        inner.insert(0, nodes.inline("", label, classes=["label"]))


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the change."""
    app.add_post_transform(NarrowTables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
