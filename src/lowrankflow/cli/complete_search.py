"""A search for the best completion, shown while it goes on; Ctrl-C ends it early."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lowrankflow.cli.console import remarks

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from lowrankflow.cli.complete_output import Outputs

_SECONDS_BETWEEN_LINES = 30.0
_BAR = 20


class Interruption:
    """Whether the user has asked for the best so far, with a first Ctrl-C."""

    def __init__(self) -> None:
        self.is_asked = False


def search_folder(outputs: "Outputs", *, speaks: bool) -> Path | None:
    """Where finished candidates are kept until the search is over and written.

    It is beside the first file that is to be written; None where none is.

    Args:
        outputs: what is to be written.
        speaks: whether to say that a search which was stopped is there.
    """
    from lowrankflow.completion import num_kept

    written = [outputs.out, outputs.model, outputs.report]
    first = next((path for path in written if path is not None), None)
    if first is None:
        return None
    folder = first.with_name(f"{first.name}.search")
    kept = num_kept(folder)
    if kept and speaks:
        remarks().print(
            f"{folder} has {kept} finished candidate{'s' if kept > 1 else ''} of a "
            "search that was stopped; it goes on from there if table and options are "
            "the same.",
            soft_wrap=True,
        )
    return folder


@contextlib.contextmanager
def first_interrupt_asks(say: Callable[[str], None]) -> Iterator[Interruption]:
    """Within, a first Ctrl-C asks for the best so far; the second interrupts.

    Args:
        say: is told when the first one comes.
    """
    asked = Interruption()
    before = signal.getsignal(signal.SIGINT)
    main = threading.current_thread() is threading.main_thread()
    if not main or before is not signal.default_int_handler:
        yield asked
        return

    def noted(number: int, frame: Any) -> None:
        if asked.is_asked:
            signal.default_int_handler(number, frame)
        asked.is_asked = True
        say("Ending with the best so far. Ctrl-C once more gives up.")

    signal.signal(signal.SIGINT, noted)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def shown_search(*, quiet: bool) -> Iterator[Callable[[Any], bool]]:
    """Show a search; what is yielded takes its progress, and says whether to end it."""
    console = remarks()
    with first_interrupt_asks(lambda text: console.print(text)) as asked:
        if quiet:
            yield lambda _: asked.is_asked
        elif console.is_terminal:
            from rich.live import Live
            from rich.text import Text

            with Live(
                Text("Starting"), console=console, refresh_per_second=4, transient=True
            ) as live:

                def shown(progress: Any) -> bool:
                    live.update(_picture(progress, console.width))
                    return asked.is_asked

                yield shown
        else:
            lines = _Lines(console)

            def told(progress: Any) -> bool:
                lines(progress)
                return asked.is_asked

            yield told


class _Lines:
    """A line for each candidate, and when half a minute has passed."""

    def __init__(self, console: "Console"):
        self._console = console
        self._candidate = ""
        self._next = 0.0

    def __call__(self, progress: Any) -> None:
        candidate = progress.message.partition(",")[0]
        now = time.monotonic()
        if candidate == self._candidate and now < self._next:
            return
        self._candidate = candidate
        self._next = now + _SECONDS_BETWEEN_LINES
        self._console.print(_sentence(progress), soft_wrap=True)


def _sentence(progress: Any) -> str:
    from lowrankflow.studies import duration

    parts = [f"{progress.done:.0%}", progress.message, duration(progress.seconds)]
    if progress.left is not None and progress.done < 1:
        parts.append(f"about {duration(progress.left)} left")
    if progress.best is not None:
        best = progress.best
        parts.append(f"best so far: {best.method}, error {best.held_out_error:.4g}")
    return "; ".join(parts)


def _picture(progress: Any, width: int) -> "RenderableType":
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 1), expand=False)
    grid.add_column(width=_BAR)
    grid.add_column(
        no_wrap=True, overflow="ellipsis", max_width=max(width - _BAR - 2, 16)
    )
    bar = ProgressBar(total=1.0, completed=progress.done, width=_BAR)
    grid.add_row(bar, Text(_sentence(progress)))
    return grid
