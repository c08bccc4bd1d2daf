"""What `lowrankflow complete` writes: asked for before the search, written after it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lowrankflow.cli.console import print_text, results
from lowrankflow.cli.output import on_disk, writable_file, write_whole
from lowrankflow.errors import SpecError

if TYPE_CHECKING:
    import numpy as np

    from lowrankflow.completion import Table

# Cells of a grid that a long file can have without having been asked for twice.
MOST_LINES = 10_000_000


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Where things go; None for nowhere.

    Args:
        out: the completed table.
        model: factors and effects.
        report: the page.
        write: the form of `out`; None for that of the input.
        source: the file that was read.
        force: whether files that are there may be lost.
    """

    out: Path | None
    model: Path | None
    report: Path | None
    write: str | None
    source: Path
    force: bool

    @property
    def any(self) -> bool:
        """Whether anything is written at all."""
        return any(path is not None for path in (self.out, self.model, self.report))

    def check_form(
        self, table: "Table", *, is_part: bool, with_bounds: float | None
    ) -> None:
        """See to it that the file can have the table, before any work is done.

        Args:
            table: that was read.
            is_part: whether only pairs are written.
            with_bounds: level of intervals, if any are written.

        Raises:
            SpecError: when it cannot, or would be very long.
            DataError: when a file of bounds is there.
        """
        from lowrankflow.completion import bound_paths, check_output, written_suffix

        if self.out is None:
            return
        form = "long" if is_part else self.write or table.detected.form
        check_output(self.out, form, is_part=is_part)  # pyright: ignore[reportArgumentType]
        beside = form == "wide" and written_suffix(self.out) != ".npz"
        if with_bounds is not None and beside:
            for path in bound_paths(self.out):
                writable_file("--intervals", path, ("",), force=self.force)
        if is_part or self.write is not None or table.detected.form != "long":
            return
        if table.num_cells > MOST_LINES:
            rows, cols = table.shape
            raise SpecError(
                where="--out",
                rule=f"a long file of more than {MOST_LINES:,} lines is not written "
                "unasked",
                got=f"{rows:,} x {cols:,} = {table.num_cells:,} cells",
                fix="Name the cells that you need with --pairs FILE, or keep the model "
                "with --model FILE.npz instead of --out; --write long or --write wide "
                "writes them all",
            )


def checked_outputs(
    *,
    out: Path | None,
    model: Path | None,
    report: Path | None,
    write: str | None,
    source: Path,
    force: bool,
) -> Outputs:
    """The files to be written, once tried.

    Raises:
        DataError: when one cannot be written, or is there.
        SpecError: when two are the same, or a page cannot be made.
    """
    import lowrankflow.completion as completion

    if out is not None:
        out = writable_file("--out", out, completion.WRITTEN, force=force)
    if model is not None:
        model = writable_file("--model", model, (".npz",), force=force)
    if report is not None:
        report = writable_file("--report", report, (".html", ".htm"), force=force)
        if _page_of() is None:
            raise SpecError(
                where="--report",
                rule="this version makes a page",
                got="one that does not yet",
                fix="Leave --report out",
            )
    given = [path.absolute() for path in (out, model, report) if path is not None]
    if len(set(given)) < len(given):
        raise SpecError(
            where="--out, --model, --report",
            rule="these are different files",
            got=f"{given[0].name} twice",
            fix="Give each a name of its own",
        )
    return Outputs(
        out=out, model=model, report=report, write=write, source=source, force=force
    )


def write_outputs(
    outputs: Outputs,
    completer: Any,
    table: "Table",
    *,
    level: float | None,
    pairs: "tuple[np.ndarray, np.ndarray] | None",
    integers: bool,
) -> list[Path]:
    """Write what was asked for, each file whole or not at all.

    Args:
        outputs: where to.
        completer: fitted.
        table: that it was fitted to.
        level: of intervals; None for none.
        pairs: of the only cells written; None for all.
        integers: whether filled cells are rounded.

    Returns:
        The files written.

    Raises:
        DataError: when the disk is full or refuses.
    """
    import numpy as np

    from lowrankflow.completion import FilledTable, write_model, write_table

    def predict(rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        found = completer.predict(rows, cols)
        return np.rint(found) if integers else found

    def interval(rows: np.ndarray, cols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low, high = completer.interval(rows, cols, level=level)
        return (np.floor(low), np.ceil(high)) if integers else (low, high)

    written: list[Path] = []
    if outputs.out is not None:
        filled = FilledTable(
            table=table,
            predict=predict,
            interval=None if level is None else interval,
            keeps_observed=not completer.smooth,
        )
        with on_disk("--out", outputs.out):
            outputs.out.parent.mkdir(parents=True, exist_ok=True)
            written += write_table(
                outputs.out,
                filled,
                form=outputs.write,  # pyright: ignore[reportArgumentType]
                pairs=pairs,
            )
    if outputs.model is not None:
        with on_disk("--model", outputs.model):
            outputs.model.parent.mkdir(parents=True, exist_ok=True)
            write_model(outputs.model, completer, table)
        written.append(outputs.model)
    page = _page_of()
    if outputs.report is not None and page is not None:
        text = page(completer, table, source=str(outputs.source))
        write_whole("--report", outputs.report, text.encode())
        written.append(outputs.report)
    return written


def say_written(outputs: Outputs, written: list[Path]) -> None:
    """Where things are; how to have them, if they are nowhere."""
    console = results()
    for path in written:
        print_text(console, f"Written: {path}")
    if outputs.out is None and not written:
        print_text(
            console,
            "Nothing was written. --out FILE.csv keeps the completed table, --model "
            "FILE.npz what any cell can be computed from.",
        )


def _page_of() -> Callable[..., str] | None:
    """The builder of pages, if this version has one."""
    import lowrankflow.completion as completion

    return getattr(completion, "write_page", None)
