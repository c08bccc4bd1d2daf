"""What `lowrankflow complete` says: of the file, of the candidates, of the data."""

import math
import re
from typing import TYPE_CHECKING, Any

from lowrankflow.cli.console import plain_table, print_text, results

if TYPE_CHECKING:
    from lowrankflow.completion import Detected, Table

_NAMES = {
    ",": "comma",
    ";": "semicolon",
    "\t": "tab",
    "|": "bar",
    " ": "white space",
}
_MOST_SHOWN = 5
# How many standard errors a difference has to be for more than chance.


def say_table(source: str, table: "Table") -> None:
    """What was read, how, and what is missing."""
    console = results()
    rows, cols = table.shape
    share = table.num_entries / table.num_cells
    names = table.detected.form == "wide" and table.row_labels is not None
    print_text(
        console,
        f"{source}: {rows:,} x {cols:,}, {counted(table.num_entries, 'entry')} known, "
        f"{percent(1 - share)} missing.",
    )
    print_text(console, f"Read as {described(table.detected, has_names=names)}.")
    for note in warnings_of(table):
        print_text(console, note)


def described(detected: "Detected", *, has_names: bool = False) -> str:
    """How a file was read, in a line."""
    kind = "a matrix" if detected.form == "wide" else "an entry on each line"
    parts = [f"{detected.kind}, {kind}"]
    if detected.delimiter is not None:
        name = _NAMES.get(detected.delimiter, repr(detected.delimiter))
        parts.append(f"delimiter {name}")
    if detected.decimal != ".":
        parts.append("decimal comma")
    if detected.has_header is not None:
        parts.append("with a header" if detected.has_header else "no header")
    if has_names:
        parts.append("names of rows")
    if detected.columns is not None:
        names = ("row", "column", "value", "weight")
        pairs = zip(names, detected.columns, strict=False)
        parts.append(", ".join(f"{name} = {column}" for name, column in pairs))
    if detected.left_out:
        parts.append(f"not read: {', '.join(map(str, detected.left_out[:10]))}")
    return "; ".join(parts)


def warnings_of(table: "Table") -> list[str]:
    """Guesses and what may surprise, as sentences."""
    detected = table.detected
    found = [f"A guess: {guess}." for guess in detected.guesses]
    found += [f"{note}." for note in detected.notes]
    if detected.num_missing_lines:
        lines = counted(detected.num_missing_lines, "line")
        found.append(f"Without a value: {lines}.")
    if detected.num_repeated:
        times = counted(detected.num_repeated, "repetition")
        found.append(f"Made one with what they repeat: {times}.")
    for what, empty, labels in (
        ("row", table.empty_rows(), table.row_labels),
        ("column", table.empty_cols(), table.col_labels),
    ):
        if empty.size:
            some = empty[:_MOST_SHOWN]
            names = [str(k) if labels is None else str(labels[k]) for k in some]
            more = ", ..." if empty.size > _MOST_SHOWN else ""
            found.append(
                f"{counted(empty.size, what)} without any entry, filled by effects: "
                f"{', '.join(names)}{more}."
            )
    return found


def say_comparison(completer: Any) -> None:
    """The candidates, best first, and what that says of the data."""
    from rich.text import Text

    console = results()
    validation = completer.validation_
    aside = validation.num_selection
    if aside:
        print_text(
            console,
            f"Compared on {aside:,} known entries that were kept aside "
            f"({validation.scheme}):",
        )
        table = plain_table()
        for name in ("method", "setting"):
            table.add_column(name, overflow="fold")
        for name in ("rank", "error", "worse by", "seconds"):
            table.add_column(name, justify="right")
        for place, one in enumerate(completer.comparison_):
            worse = "best" if place == 0 else margin(one)
            error = f"{one.held_out_error:.4g}"
            table.add_row(
                one.method,
                setting_words(one.setting),
                str(one.rank),
                error,
                worse,
                f"{one.seconds:.1f}",
            )
        console.print(table)
        print_text(
            console,
            f"Without any of it: effects of rows and columns alone "
            f"{validation.effects_error:.4g}, one number for all "
            f"{validation.mean_error:.4g}. Errors are root mean squares; worse by: of "
            "mean squares, with its standard error.",
        )
    for skipped in validation.skipped:
        asked = re.sub(r"method='([\w-]+)'", r"--method \1", skipped)
        print_text(console, f"Not tried: {asked}.")
    print_text(console, Text(verdict(completer), style="bold"))
    if aside and not math.isnan(completer.coverage_ or math.nan):
        print_text(
            console,
            f"Intervals of 90 % held {percent(completer.coverage_)} of "
            f"{validation.num_calibration:,} other entries kept aside.",
        )
    if completer.interrupted_:
        console.print(
            "The search was ended early; this is the best so far. Finished candidates "
            "are kept where something is written: the same command with --force goes "
            "on from them."
        )


def verdict(completer: Any) -> str:
    """Whether the data look low-rank at all, as the page has it."""
    from lowrankflow.completion import judged

    found = judged(completer)
    said = f"Do these data look low-rank? {found.headline}. {found.reason}"
    return " ".join((said, *found.evidence[:1])).replace("\u00a0", " ")


def margin(one: Any) -> str:
    """How much worse a candidate is, with the standard error of that."""
    return f"{digits(one.difference, 2)} ± {digits(one.difference_error, 1)}"


def digits(number: float, significant: int) -> str:
    """A number to so many digits, without an exponent where it is of usual size."""
    if number == 0 or not 1e-5 < abs(number) < 1e6:
        return f"{number:.{significant}g}"
    places = significant - 1 - math.floor(math.log10(abs(number)))
    return f"{round(number, places):.{max(places, 0)}f}"


def setting_words(setting: dict) -> str:
    """A setting in a line."""
    parts = []
    for name, value in setting.items():
        if value is None:
            continue
        if name == "parts":
            shares = (f"{part['weight']:.2f} {part['method']}" for part in value)
            parts.append(" + ".join(shares))
            continue
        said = f"{value:.3g}" if isinstance(value, float) else str(value)
        parts.append(f"{name.replace('_', ' ')} {said}")
    return ", ".join(parts)


def percent(share: float) -> str:
    """A share with two or three digits that mean something."""
    if 0.9995 <= share < 1:
        return "more than 99.9 %"
    return f"{100 * share:.3g} %"


def summary(table: "Table", completer: Any) -> dict[str, Any]:
    """What is said, as data."""
    detected, validation = table.detected, completer.validation_
    return {
        "shape": list(table.shape),
        "num_entries": table.num_entries,
        "missing": 1 - table.num_entries / table.num_cells,
        "num_empty_rows": int(table.empty_rows().size),
        "num_empty_cols": int(table.empty_cols().size),
        "read_as": {
            name: getattr(detected, name) for name in detected.__dataclass_fields__
        },
        "method": completer.method_,
        "setting": dict(completer.setting_),
        "rank": int(completer.rank_),
        "interrupted": bool(completer.interrupted_),
        "validation": {
            name: getattr(validation, name) for name in validation.__dataclass_fields__
        },
        "coverage": completer.coverage_,
        "comparison": [
            {
                "method": one.method,
                "setting": dict(one.setting),
                "rank": int(one.rank),
                "training_error": float(one.training_error),
                "held_out_error": float(one.held_out_error),
                "difference": float(one.difference),
                "difference_error": float(one.difference_error),
                "seconds": float(one.seconds),
            }
            for one in completer.comparison_
        ],
        "verdict": verdict(completer),
    }


def counted(number: int, what: str) -> str:
    """1 entry, 2 entries."""
    if number == 1:
        return f"1 {what}"
    return f"{number:,} {what[:-1]}ies" if what.endswith("y") else f"{number:,} {what}s"
