"""What came out, as Markdown and pictures: nothing in the page is typed by hand.

    python benchmarks/completion/table.py [--results FILE]            # print all tables
    python benchmarks/completion/table.py --page docs/when-does-it-help.md

The second writes the tables between the page's marks `<!-- NAME -->` and
`<!-- end -->`, and the pictures beside it. Numbers are means over draws; [least,
largest] or +- half of that range follows. The best peer of a table is the one with the
least mean *test* error there, which a user could not have known.
"""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from run import AUTO, BLOCKS, PEERS, RESULTS, SINGLE, rows_of

RIVALS = (*PEERS, "soft-impute", "effects")
SHORT = {
    "SimpleImputer": "column means",
    "KNNImputer": "neighbours",
    "IterativeImputer": "ridge",
    "surprise SVD": "SVD",
    "surprise SVD++": "SVD++",
    "cmfrec, implicit": "cmfrec +",
}
EVEN = 0.01  # a mean ratio within a hundredth of 1 counts as equal


@dataclass(frozen=True)
class Results:
    """Finished steps by table, method and draw."""

    rows: list[dict]

    def tables(self, group: str | None = None) -> list[str]:
        """The tables of a group, in the order of the benchmark."""
        from data import tables

        names = [t.name for t in tables() if group in (None, t.group)]
        known = {row["table"] for row in self.rows}
        return [name for name in names if name in known]

    def groups(self) -> list[str]:
        """Groups of tables, in the order of the benchmark."""
        from data import tables

        return list(dict.fromkeys(t.group for t in tables()))

    def of(self, table: str, method: str) -> dict[int, dict]:
        """The steps that came to an answer, by their draw."""
        return {
            row["draw"]: row
            for row in self.rows
            if row["table"] == table and row["method"] == method and "failed" not in row
        }

    def failed(self) -> list[dict]:
        """The steps without an answer that were not answered later."""
        return [
            row
            for row in self.rows
            if "failed" in row
            and row["draw"] not in self.of(row["table"], row["method"])
        ]

    def numbers(
        self, table: str, method: str, name: str = "error", beside: str | None = None
    ) -> list[float]:
        """One number for each draw; only of those that another method has as well."""
        rows = self.of(table, method)
        kept = rows.keys() if beside is None else rows.keys() & self.of(table, beside)
        return [rows[draw][name] for draw in sorted(kept)]

    def best_rival(self, table: str, method: str = AUTO) -> str | None:
        """The peer of least mean error, over the draws that the method and all have."""
        steps = {rival: self.of(table, rival) for rival in RIVALS}
        steps = {rival: found for rival, found in steps.items() if found}
        due = set(self.of(table, method)) or set.union(set(), *steps.values())
        for found in steps.values():
            due &= set(found)
        means = {
            rival: np.mean([found[draw]["error"] for draw in due])
            for rival, found in steps.items()
        }
        return min(means, key=means.get) if due and means else None

    def ratios(self, table: str, method: str, other: str) -> list[float]:
        """Errors of a method over those of another, draw by draw."""
        here, there = self.of(table, method), self.of(table, other)
        return [
            here[draw]["error"] / there[draw]["error"] for draw in here.keys() & there
        ]


def shown(table: str) -> str:
    """A table's name as it is read alone."""
    ratings = table[:2] in ("u1", "ua") or table == "10,000 seen"
    return f"MovieLens, {table}" if ratings else table


def spread(values: list[float], digits: int = 3) -> str:
    """Mean [least, largest]; the number alone where all are the same."""
    if not values:
        return ""
    mean, low, high = np.mean(values), min(values), max(values)
    said = f"{mean:.{digits}g}"
    if f"{low:.{digits}g}" == f"{high:.{digits}g}":
        return said
    return f"{said} [{low:.{digits}g}, {high:.{digits}g}]"


def verdict(ratios: list[float]) -> str:
    """A word for the ratios of our errors to the best peer's."""
    if not ratios:
        return ""
    mean = np.mean(ratios)
    if abs(mean - 1) <= EVEN or min(ratios) <= 1 <= max(ratios):
        return "even"
    return "**lower**" if mean < 1 else "**higher**"


def summary(results: Results, method: str = AUTO) -> str:
    """One line a table: ours, the best peer, and their ratio."""
    lines = [
        "| table | draws | ours chose | our error | best peer | its error | ratio | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for table in results.tables():
        rival = results.best_rival(table, method)
        own = results.of(table, method)
        if rival is None or not own:
            continue
        ratios = results.ratios(table, method, rival)
        chose = dict.fromkeys(row["chosen"].get("method", "") for row in own.values())
        cells = [
            shown(table),
            str(len(ratios)),
            ", ".join(chose),
            spread(results.numbers(table, method, beside=rival)),
            SHORT.get(rival, rival),
            spread(results.numbers(table, rival, beside=method)),
            spread(ratios),
            verdict(ratios),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def errors(results: Results, group: str, name: str = "error") -> str:
    """Errors of every method on the tables of a group; the least is bold.

    Where `MatrixCompleter` has not done all draws, only those that it has done count.
    """
    tables = results.tables(group)
    methods = [
        method
        for method in (AUTO, BLOCKS, *SINGLE, *RIVALS)
        if any(results.of(table, method) for table in tables)
    ]
    lines = [
        f"| table | {' | '.join(SHORT.get(m, m) for m in methods)} |",
        "|---" * (len(methods) + 1) + "|",
    ]
    for table in tables:
        beside = AUTO if results.of(table, AUTO) else None
        found = {m: results.numbers(table, m, name, beside) for m in methods}
        least = min((np.mean(v) for v in found.values() if v), default=0.0)
        cells = [table]
        for method in methods:
            values = found[method]
            if not values:
                cells.append("")
                continue
            half = (max(values) - min(values)) / 2
            said = f"{np.mean(values):.3g}"
            if half > 0:
                said += f" ± {half:.1g}"
            cells.append(f"**{said}**" if np.mean(values) == least else said)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def costs(results: Results) -> str:
    """Seconds and memory of every method, by group: medians over its steps."""
    groups = [group for group in results.groups() if results.tables(group)]
    lines = [
        f"| method | {' | '.join(groups)} |",
        "|---" * (len(groups) + 1) + "|",
    ]
    for method in (AUTO, BLOCKS, *SINGLE, *RIVALS):
        cells = [SHORT.get(method, method)]
        for group in groups:
            steps = [
                row
                for table in results.tables(group)
                for row in results.of(table, method).values()
            ]
            if not steps:
                cells.append("")
                continue
            seconds = np.median([row["seconds"] for row in steps])
            memory = np.max([row["peak"] for row in steps])
            cells.append(f"{seconds:.2g} s, {memory:.0f} MB")
        if any(cells[1:]):
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def without_answer(results: Results) -> str:
    """What was given up, and why."""
    lines = sorted(
        {
            f"- {row['method']} on {row['table']}: {row['failed']}"
            for row in results.failed()
        }
    )
    return "\n".join(lines) or "Every method answered every draw."


def progress(results: Results) -> str:
    """How far the benchmark has come."""
    from data import tables
    from run import suits

    methods = (AUTO, *RIVALS)
    due = {
        (table.name, draw, method)
        for table in tables()
        for draw in range(table.draws)
        for method in methods
        if suits(method, table)
    }
    done = {(row["table"], row["draw"], row["method"]) for row in results.rows}
    said = f"{len(done & due)} of {len(due)} steps have been taken"
    ours = {step for step in due if step[2] == AUTO}
    said += f", {len(done & ours)} of {len(ours)} of them by `MatrixCompleter`."
    if done >= due:
        return said
    return said + " Tables and draws that are not here have not been run yet."


def pieces(results: Results) -> dict[str, str]:
    """Everything that a page may ask for, by its mark."""
    found = {
        "summary": summary(results),
        "progress": progress(results),
        "costs": costs(results),
        "failed": without_answer(results),
    }
    for group in results.groups():
        found[f"errors: {group}"] = errors(results, group)
    found["absolute: MovieLens 100K"] = errors(results, "MovieLens 100K", "absolute")
    found["deviation: Indian Pines"] = errors(results, "Indian Pines", "of deviation")
    return found


def write_page(page: Path, results: Results) -> None:
    """Put the tables between the page's marks."""
    text = page.read_text(encoding="utf-8")
    found = pieces(results)

    def filled(match: re.Match) -> str:
        return f"<!-- {match[1]} -->\n{found[match[1]]}\n<!-- end -->"

    text = re.sub(r"<!-- ([^>]+?) -->\n.*?<!-- end -->", filled, text, flags=re.DOTALL)
    page.write_text(text, encoding="utf-8")


def main() -> None:
    """Print the tables, or write them into a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--page", type=Path)
    given = parser.parse_args()
    results = Results(rows_of(given.results))
    if given.page is None:
        for name, piece in pieces(results).items():
            print(f"\n## {name}\n\n{piece}")
        return
    from picture import draw

    write_page(given.page, results)
    draw(results, given.page.parent / "figures")


if __name__ == "__main__":
    main()
