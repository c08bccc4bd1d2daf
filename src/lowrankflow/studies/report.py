"""The report: one page that says what was reproduced and whether it holds.

Studies hand over what they found; `contents` puts it together as plain data, and the
page, the Markdown and the JSON are three ways to write that down. Nothing is judged or
drawn here. The page needs no network, no script and no other file.
"""

import dataclasses
import json
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import jinja2

from lowrankflow.errors import DataError
from lowrankflow.studies.collection import Failure
from lowrankflow.studies.numbers import duration, memory, readable
from lowrankflow.studies.provenance import provenance
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.style import slug, themed
from lowrankflow.studies.verdict import Outcome, Verdict
from lowrankflow.whole_file import write_whole

FORMAT_VERSION = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudyReport:
    """What a study found, ready to be written down.

    Args:
        study: which one.
        profile: "smoke", "quick" or "paper".
        verdicts: from `study.claims`.
        figure: an `<svg>` element from `draw`; empty when there are no runs to draw.
        runs: the attributes of each finished run, see `provenance`.
        failures: the runs that are missing, with their reasons.
        command: what to type to get this again.
    """

    study: AbstractStudy
    profile: str
    verdicts: Sequence[Verdict]
    figure: str
    runs: Sequence[Mapping[str, object]]
    failures: Sequence[Failure]
    command: str


def write_report(
    folder: str | os.PathLike[str],
    reports: Sequence[StudyReport],
    *,
    created: str = "",
) -> Path:
    """Write index.html, report.md, report.json and the figures.

    Each file is there whole or not at all; the page comes last.

    Args:
        folder: made if it is not there; files of an earlier report are replaced.
        reports: in the order of the page.
        created: when, in words; left out when empty, so that equal results give equal
            files.

    Returns:
        The path of index.html.

    Raises:
        DataError: when the folder cannot be written to.
    """
    folder = Path(folder)
    whole = contents(reports, created=created)
    figures = {slug(report.study.key): report.figure for report in reports}
    files = {
        f"figures/{name}.svg": _standalone(figure)
        for name, figure in figures.items()
        if figure
    }
    files["report.json"] = json.dumps(whole, indent=1, allow_nan=False) + "\n"
    files["report.md"] = _rendered("report.md.j2", whole, figures)
    files["index.html"] = _rendered("index.html.j2", whole, figures)
    try:
        for name, text in files.items():
            _write_text(folder / name, text)
    except OSError as error:
        raise DataError(
            where="write_report(folder)",
            rule="the report is written into a folder of this machine",
            got=f"{str(folder)!r}: {type(error).__name__}: {error}",
            fix="Give another folder, or free some space",
        ) from None
    return folder / "index.html"


def contents(reports: Sequence[StudyReport], *, created: str = "") -> dict[str, object]:
    """All that a report says, but for the figures, as plain data."""
    verdicts = [verdict for report in reports for verdict in report.verdicts]
    runs = [run for report in reports for run in report.runs]
    studies = [_study(report) for report in reports]
    papers = {report.study.paper.key: report.study.paper for report in reports}
    return {
        "format": FORMAT_VERSION,
        "created": created,
        "counts": _counts(verdicts),
        "papers": [dataclasses.asdict(paper) for paper in papers.values()],
        "profiles": list(dict.fromkeys(report.profile for report in reports)),
        "provenance": provenance(runs),
        "num_failures": sum(len(report.failures) for report in reports),
        "studies": studies,
    }


def _study(report: StudyReport) -> dict[str, object]:
    study, profile = report.study, report.study.profile(report.profile)
    verdicts = [
        {**verdict.to_plain(), "id": f"{slug(study.key)}--{slug(verdict.claim)}"}
        for verdict in report.verdicts
    ]
    judged = {verdict.statement.key for verdict in report.verdicts}
    return {
        "key": study.key,
        "id": slug(study.key),
        "title": study.title,
        "question": study.question,
        "paper": study.paper.key,
        "profile": report.profile,
        "settings": dict(profile.settings),
        "differs": profile.differs,
        "figure_text": study.figure_text,
        "has_figure": bool(report.figure),
        "counts": _counts(report.verdicts),
        "outcome": _outcome(report.verdicts).value,
        "verdicts": verdicts,
        "unjudged": [
            dataclasses.asdict(statement)
            for statement in study.statements
            if statement.key not in judged
        ],
        "command": report.command,
        "data_licence": study.data_licence,
        "failures": [
            {"axes": dict(failure.axes), "reason": failure.reason, "text": str(failure)}
            for failure in report.failures
        ],
        "provenance": provenance(report.runs),
    }


def _outcome(verdicts: Sequence[Verdict]) -> Outcome:
    """Of a study: contradicted if any claim is, supported if all are."""
    found = {verdict.outcome for verdict in verdicts}
    if Outcome.CONTRADICTED in found:
        return Outcome.CONTRADICTED
    return Outcome.SUPPORTED if found == {Outcome.SUPPORTED} else Outcome.UNDECIDED


def _counts(verdicts: Sequence[Verdict]) -> dict[str, int]:
    counts = Counter(verdict.outcome for verdict in verdicts)
    return {outcome.value: counts[outcome] for outcome in Outcome}


def _rendered(
    template: str, whole: Mapping[str, object], figures: Mapping[str, str]
) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("lowrankflow", "studies/templates"),
        autoescape=jinja2.select_autoescape(("html", "html.j2")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "readable": _as_read,
        "duration": duration,
        "memory": memory,
        "setting": lambda value: _as_read(value) if isinstance(value, float) else value,
        "short": _first_author,
        "cell": _as_cell,
    }
    inline = {name: themed(figure) for name, figure in figures.items()}
    return environment.get_template(template).render(whole, figures=inline)


def _first_author(authors: str) -> str:
    first, *others = re.split(r", | and ", authors)
    return f"{first} et al." if len(others) > 1 else authors


def _as_cell(text: str) -> str:
    """Text in a Markdown table: no bar, line or tag of its own."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;")
    return plain.replace("|", "\\|").replace("\n", " ")


def _as_read(number: float | str | None) -> str:
    if number is None:
        return "no number"
    return number if isinstance(number, str) else readable(number)


def _standalone(figure: str) -> str:
    return f'<?xml version="1.0" encoding="utf-8"?>\n{figure}'


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode())
