"""Where text goes: results to standard output, all else to standard error."""

import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from lowrankflow.errors import LowRankFlowError

_WIDE = 160


def results() -> "Console":
    """Standard output: what was asked for, and nothing else."""
    from rich.console import Console

    # Files and pipes have no width; nothing is folded there that need not be.
    wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDE
    return Console(highlight=False, markup=False, width=wide)


def plain_table() -> "Table":
    """A table with little around it, for narrow terminals."""
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)


def remarks() -> "Console":
    """Standard error: progress, warnings and errors."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False)


def print_json(document: object) -> None:
    """One JSON document on standard output; NaN and infinities are null."""
    text = json.dumps(_finite(document), indent=1, allow_nan=False, default=str)
    sys.stdout.write(text + "\n")


def print_error(error: "LowRankFlowError") -> None:
    """The four parts of an error: where, the rule, what was got, what to do."""
    from rich.text import Text

    console = remarks()
    said = f" {error.where}: {_sentence(error.rule)}"
    print_text(console, Text.assemble(("Error", "bold red"), said))
    print_text(console, Text(_sentence(f"Got {error.got}")), indent=2)
    print_text(console, Text(_sentence(error.fix), style="bold"), indent=2)


def print_text(console: "Console", text: "str | Text", *, indent: int = 0) -> None:
    """Text, wrapped and indented on a terminal; one line of a file or a pipe."""
    from rich.padding import Padding
    from rich.text import Text

    if console.is_terminal:
        console.print(Padding(text, (0, 0, 0, indent), expand=False))
    else:
        console.print(Text(" " * indent) + text, soft_wrap=True)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?")) else f"{text}."


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if isinstance(value, dict):
        return {str(name): _finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return value
