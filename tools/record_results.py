"""Put what studies found into the documentation: a table and a figure for each.

    python tools/record_results.py gunasekar2017 --profile paper --store DIR

Reads finished runs from a store, judges and draws them as `lowrankflow show` does, and
writes docs/studies/results/STUDY-PROFILE.md, which the study's page includes, and the
figure beside it. Nobody types these numbers. A study with missing runs is refused.
"""

import argparse
import io
import sys
from pathlib import Path

from lowrankflow.cli.judging import chosen, planned, reported, stored
from lowrankflow.store import Store
from lowrankflow.studies import StudyReport, readable
from lowrankflow.studies.numbers import duration
from lowrankflow.studies.provenance import provenance
from lowrankflow.studies.style import slug, styled

FOLDER = Path(__file__).parent.parent / "docs" / "studies" / "results"
DOTS_PER_INCH = 110


def main() -> int:
    """Record the studies named on the command line; 1 when one has missing runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies", nargs="+", metavar="STUDY")
    parser.add_argument("--profile", default="paper")
    parser.add_argument("--store", type=Path, required=True)
    options = parser.parse_args()
    store, missing = Store(options.store), 0
    FOLDER.mkdir(exist_ok=True)
    for study in chosen(options.studies):
        plan = planned(study, options.profile, None)
        collection = stored(plan, store)
        report = reported(plan, collection, draws=False)
        if report.failures:
            missing += 1
            lost = f"{len(report.failures)} of {len(plan.runs)} runs are not there"
            print(f"{study.key}: {lost}: {report.failures[0].reason}")
            continue
        name = f"{slug(study.key)}-{options.profile}"
        image = io.BytesIO()
        with styled():
            study.figure(collection).savefig(
                image,
                format="png",
                dpi=DOTS_PER_INCH,
                facecolor="white",
                transparent=False,
                metadata={"Software": None},
            )
        (FOLDER / f"{name}.png").write_bytes(image.getvalue())
        (FOLDER / f"{name}.md").write_text(fragment(report, name), encoding="utf-8")
        print(f"{study.key}: docs/studies/results/{name}.md")
    return 1 if missing else 0


def fragment(report: StudyReport, name: str) -> str:
    """The part of a page that says what a profile found.

    A page includes it with the option `:relative-images:`.
    """
    counts = {word: 0 for word in ("supported", "contradicted", "undecided")}
    rows = []
    for verdict in report.verdicts:
        word = verdict.outcome.value
        counts[word] += 1
        number = "-" if verdict.measured is None else readable(verdict.measured)
        interval = verdict.interval
        if interval is not None and interval[0] != interval[1]:
            number += f" [{readable(interval[0])}, {readable(interval[1])}]"
        measured = f"{verdict.quantity}: {number}"
        strong = word if word == "supported" else f"**{word}**"
        texts = (verdict.sentence.rstrip("."), measured, str(verdict.expected))
        rows.append(f"| {' | '.join(map(_cell, texts))} | {strong} |")
    source = provenance(report.runs)
    seeds = source["seeds"]
    versions = ", ".join(f"{k} {', '.join(v)}" for k, v in source["versions"].items())
    made = max(str(run.get("made", "")) for run in report.runs)[:10]
    drawn = f"seeds {seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else "one seed"
    said = ", ".join(f"{number} {word}" for word, number in counts.items())
    return "\n".join(
        (
            "<!-- Made by tools/record_results.py from finished runs; not typed. -->",
            "",
            f"{len(report.verdicts)} claims: {said}. {source['num_runs']:,} runs, "
            f"{drawn}, {duration(source['wall_seconds'])} of computing on one thread "
            f"each; {made}; {versions}.",
            "",
            f"    {report.command}",
            "",
            f"![{_cell(report.study.figure_text)}]({name}.png)",
            "",
            "| claim | measured | expected | verdict |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
        )
    )


def _cell(text: str) -> str:
    plain = " ".join(text.split())
    for sign in "\\|[]<>*_`":
        plain = plain.replace(sign, "\\" + sign)
    return plain


if __name__ == "__main__":
    sys.exit(main())
