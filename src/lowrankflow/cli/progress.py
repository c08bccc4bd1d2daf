"""Progress while runs are made: live on a terminal, else a line now and then."""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from lowrankflow.cli.console import remarks
from lowrankflow.cli.tally import Expected, Row, Tally

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from lowrankflow.store import Event

_MOST_ROWS, _BAR = 8, 10
_SECONDS_BETWEEN_LINES = 30.0


@contextlib.contextmanager
def shown_progress(
    runs: Sequence[Expected], *, is_timed: bool
) -> Iterator[Callable[["Event"], None]]:
    """Show how far runs are; what is yielded takes their events.

    Args:
        runs: those to be made.
        is_timed: whether their expected seconds are known.
    """
    tally, console = Tally(runs, is_timed=is_timed), remarks()
    if not console.is_terminal:
        yield _Lines(tally, console)
        return
    from rich.live import Live

    with Live(
        get_renderable=lambda: _picture(tally, console.width),
        console=console,
        refresh_per_second=4,
        transient=True,
    ):
        yield lambda event: _tell_failure(console, tally.tell(event), event)


def _tell_failure(console: "Console", row: Row | None, event: "Event") -> None:
    if row is not None and event.stage == "failed":
        console.print(f"Failed: {row.title}", style="red")


class _Lines:
    """A line when another tenth of the runs is over, or half a minute has passed."""

    def __init__(self, tally: Tally, console: "Console"):
        self._tally, self._console = tally, console
        self._next_share, self._next_time = 0.0, _SECONDS_BETWEEN_LINES

    def __call__(self, event: "Event") -> None:
        tally = self._tally
        row = tally.tell(event)
        _tell_failure(self._console, row, event)
        share = tally.ended / tally.total if tally.total else 1.0
        due = row is not None and share >= self._next_share
        due = due and tally.elapsed() >= self._next_time - _SECONDS_BETWEEN_LINES + 1
        over = tally.ended == tally.total and row is not None
        if due or over or tally.elapsed() >= self._next_time:
            self._next_share = math.floor(share * 10 + 1) / 10
            self._next_time = tally.elapsed() + _SECONDS_BETWEEN_LINES
            self._console.print(_summary(tally), soft_wrap=True)


def _summary(tally: Tally) -> str:
    from lowrankflow.studies import duration

    parts = [f"{tally.ended} of {tally.total} runs"]
    if tally.found:
        parts.append(f"{tally.found} were there already")
    if tally.failed:
        parts.append(f"{tally.failed} failed")
    parts.append(duration(tally.elapsed()))
    left = tally.remaining()
    if tally.ended < tally.total and left is not None:
        parts.append(f"about {duration(left)} left")
    return ", ".join(parts)


def _picture(tally: Tally, width: int) -> "RenderableType":
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1), expand=False)
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=max(width - 33, 16))
    table.add_column(width=_BAR)
    table.add_column(justify="right", width=4)
    table.add_column(no_wrap=True, width=12, style="dim")
    rows = list(tally.active.values())
    for row in rows[:_MOST_ROWS]:
        said = "waiting" if row.stage == "waiting" else ""
        if math.isfinite(row.loss):
            said = f"loss {row.loss:.1e}"
        bar = ProgressBar(total=1.0, completed=row.fraction, width=_BAR)
        table.add_row(Text(row.title), bar, f"{row.fraction:.0%}", said)
    if len(rows) > _MOST_ROWS:
        table.add_row(Text(f"and {len(rows) - _MOST_ROWS} more", style="dim"))
    share = tally.fraction()
    table.add_row(
        Text(f"{tally.ended} of {tally.total} runs", style="bold"),
        ProgressBar(total=1.0, completed=share, width=_BAR),
        f"{share:.0%}",
    )
    return Group(table, Text(_summary(tally), style="dim"))
