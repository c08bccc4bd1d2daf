import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from toy import Toy, collection

from lowrankflow.errors import DataError
from lowrankflow.studies import (
    StudyReport,
    contents,
    draw,
    provenance,
    write_report,
)
from lowrankflow.studies.numbers import duration, memory, readable

FAILED = (
    {"method": "flow", "depth": 3, "seed": 2},
    "killed by signal 9 <out of memory>",
)
RUNS = [
    {
        "wall_time_seconds": 61.5,
        "peak_memory_bytes": 8.2e8,
        "versions": '{"numpy": "2.3.1"}',
        "machine": '{"platform": "Linux", "cpu_count": 2}',
        "seeds": f'{{"problem": null, "run": {seed}}}',
        "dtype": "float64",
        "result": "time_reached",
        "digest": f"{seed:064x}",
        "data_fingerprint": "md5:6e47",
    }
    for seed in range(2)
]


class Shallow(Toy.__mro__[1]):
    """The same runs by another study, so that a page has two figures."""

    key = "li2021/toy"
    title = "Another toy | with a bar"
    question = Toy.question
    statements = Toy.statements
    profiles = Toy.profiles
    figure_text = 'Error of "depths" 2 & 3.'
    jobs, claims, figure = Toy.jobs, Toy.claims, Toy.figure


def reports():
    found = []
    for study, finals, failures in (
        (Toy(), {2: [0.3, 0.4], 3: [0.01, 0.02]}, []),
        (Shallow(), {2: [0.3, 0.4], 3: [0.9, 0.8]}, []),
    ):
        runs = collection(finals, failures)
        found.append(report(study, runs))
    return found


def report(study, runs):
    return StudyReport(
        study=study,
        profile="quick",
        verdicts=study.claims(runs),
        figure=draw(study, runs),
        runs=RUNS,
        failures=runs.failures,
        command=f"lowrankflow reproduce {study.key} --profile quick --seeds 2",
    )


class Page(HTMLParser):
    """Tags, ids, links and the order of headings of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.links, self.text = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append((tag, given))
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a":
            self.links.append(given["href"])

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def page(tmp_path):
    path = write_report(tmp_path / "reproduction", reports())
    return Page(path.read_text(encoding="utf-8"))


def test_the_first_screen_answers(page):
    text = " ".join(" ".join(page.text).split())
    assert "What was reproduced, and does it hold?" in text
    assert "2 of 4 claims hold. 2 are contradicted." in text
    assert (
        "2 studies of Arora et al. (2019) and Li et al. (2021), profile quick" in text
    )
    assert "4 runs, 4 min 6 s of computing, 820 MB at most" in text


def test_every_link_leads_somewhere_in_the_page_or_to_a_paper(page):
    inside = [link[1:] for link in page.links if link.startswith("#")]
    assert {"arora2019-toy", "li2021-toy"} <= set(inside)
    assert "li2021-toy--deep-is-low" in inside
    assert set(inside) <= set(page.ids)
    assert len(set(page.ids)) == len(page.ids)
    outside = [link for link in page.links if not link.startswith("#")]
    assert outside == ["https://arxiv.org/abs/1905.13655"] + [
        "https://arxiv.org/abs/2012.09839"
    ]


def test_a_page_needs_nothing_but_itself(tmp_path):
    text = write_report(tmp_path, reports()).read_text(encoding="utf-8")
    loaded = re.findall(r'(?:src|srcset)="([^"]*)"|@import|url\((?!#)', text)
    assert loaded == []
    assert "<script" not in text
    assert '<link rel="icon" href="data:,">' in text  # or browsers ask for one
    assert text.count("<link") == 1


def test_headings_come_in_order_and_figures_have_a_text(page):
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))
    labels = [given.get("aria-label") for tag, given in page.tags if tag == "svg"]
    assert labels == [Toy.figure_text, Shallow.figure_text]
    assert ("html", {"lang": "en"}) in page.tags


def test_what_a_study_says(page):
    text = " ".join(" ".join(page.text).split())
    for said in (
        "Does depth lower the error",
        "Profile quick : smaller than in the paper.",
        "✓ supported",
        "✗ contradicted",
        "mean squared error; bootstrap 95 % of the mean over 2 seeds",
        "2.9e-5, printed",
        "Depth 3 reaches a low error <by construction>.",
        "arora2019, figure 1",
        "lowrankflow reproduce arora2019/toy --profile quick --seeds 2",
        "2: 2 time reached",
        "2 min 3 s, the runs' wall times added up",
        "820 MB in the largest run",
        "0 to 1",
        "platform Linux, cpu count 2",
        "numpy 2.3.1",
        "md5:6e47",
        "Made up; do with it what you like.",
        "0.001",
    ):
        assert said in text, said


def test_failed_runs_are_listed_with_their_reasons(tmp_path):
    runs = collection({2: [0.3, 0.4], 3: [0.01, 0.02]}, [FAILED])
    path = write_report(tmp_path, [report(Toy(), runs)])
    text = " ".join(" ".join(Page(path.read_text(encoding="utf-8")).text).split())
    assert "1 run failed." in text
    assert "0 of 2 claims hold. 2 are undecided." in text
    assert "method flow, depth 3, seed 2: killed by signal 9 <out of memory>" in text
    markdown = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "? undecided" in markdown
    plain = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    (failure,) = plain["studies"][0]["failures"]
    assert failure["axes"] == FAILED[0]
    assert failure["reason"] == FAILED[1]


def test_the_same_as_data_and_as_text(tmp_path):
    write_report(tmp_path, reports(), created="on a Monday")
    plain = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert plain["format"] == 1
    assert plain["created"] == "on a Monday"
    assert plain["counts"] == {"supported": 2, "contradicted": 2, "undecided": 0}
    first, second = plain["studies"]
    assert (first["outcome"], second["outcome"]) == ("supported", "contradicted")
    assert first["settings"] == {"shape": "10 x 8", "init_scale": 1e-3}
    assert first["verdicts"][0]["id"] == "arora2019-toy--deep-is-low"
    assert first["provenance"]["digests"] == [run["digest"] for run in RUNS]
    markdown = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "**2 of 4 claims supported, 2 contradicted, 0 undecided.**" in markdown
    assert "](figures/arora2019-toy.svg)" in markdown
    assert r"Another toy \| with a bar" in markdown
    assert "low error &lt;by construction>." in markdown
    figure = (tmp_path / "figures" / "arora2019-toy.svg").read_text(encoding="utf-8")
    assert figure.startswith("<?xml")
    assert "var(--" not in figure  # programs that draw know no page


def test_a_report_of_nothing(tmp_path):
    text = write_report(tmp_path, []).read_text(encoding="utf-8")
    assert "No claim was judged." in text
    bare = StudyReport(
        study=Toy(),
        profile="smoke",
        verdicts=[],
        figure="",
        runs=[],
        failures=[],
        command="lowrankflow show arora2019/toy",
    )
    text = write_report(tmp_path / "bare", [bare]).read_text(encoding="utf-8")
    assert "There are no runs to draw." in text
    assert "Not judged" in text
    assert not (tmp_path / "bare" / "figures").exists()


def test_equal_results_give_equal_files_and_nothing_half_written(tmp_path):
    for name in ("a", "b"):
        write_report(tmp_path / name, reports())
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*"))
    assert [file.as_posix() for file in files] == [
        "figures/arora2019-toy.svg",
        "figures/li2021-toy.svg",
        "index.html",
        "report.json",
        "report.md",
    ]
    for file in files:
        one, other = (tmp_path / name / file for name in ("a", "b"))
        assert one.read_bytes() == other.read_bytes()


def test_a_disk_that_fills_up_leaves_the_earlier_page(tmp_path, monkeypatch):
    page = write_report(tmp_path, [])
    before = page.read_bytes()
    replace = os.replace

    def full(source, target):
        if str(target).endswith("report.md"):
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(DataError, match=r"No space left.*free some space"):
        write_report(tmp_path, reports())
    assert page.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="Give another folder"):
        write_report(tmp_path / "file", reports())


def test_provenance_of_runs_that_say_nothing():
    assert provenance([{}])["wall_seconds"] is None
    assert provenance([{"versions": "none"}])["versions"] == {}
    two = provenance([{"versions": {"jax": "1"}}, {"versions": {"jax": "2"}}])
    assert two["versions"] == {"jax": ["1", "2"]}
    assert contents([])["num_failures"] == 0
    assert provenance([{"seeds": {"problem": 7, "run": 0}}])["seeds"] == [0, 7]
    assert provenance([{"machine": "a Mac"}])["machines"] == ["a Mac"]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0534, "0.0534"),
        (217.16, "217"),
        (21716.0, "21716"),
        (2.9e-5, "2.9×10⁻⁵"),
        (-1e-6, "−10⁻⁶"),
        (0.9996, "1"),
        (99999.9, "10⁵"),
        (100.0, "100"),
        (3.1e12, "3.1×10¹²"),
        (0.0, "0"),
        (float("inf"), "∞"),
        (float("nan"), "not a number"),
    ],
)
def test_numbers_as_they_are_read(number, text):
    assert readable(number) == text


def test_times_and_memory_as_they_are_read():
    assert [duration(s) for s in (0.44, 32, 320, 11100)] == [
        "0.4 s",
        "32 s",
        "5 min 20 s",
        "3 h 5 min",
    ]
    assert [memory(n) for n in (8.12e8, 1.3e9)] == ["812 MB", "1.3 GB"]


BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")


def browse(tmp_path, url, width, *options):
    """What the browser prints, and what it complains of."""
    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr"]
    command += [f"--window-size={width},844", *options, url]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout, [x for x in done.stderr.splitlines() if "CONSOLE" in x]


# Reported by a script that only this test adds: what the browser made of the page.
LOOK = """
<script>
addEventListener("load", () => {
  const found = [...document.querySelectorAll("figure svg")].map(svg => {
    const box = svg.getBoundingClientRect();
    return [box.width, box.height, svg.querySelectorAll("path").length];
  });
  const wide = document.documentElement.scrollWidth - innerWidth;
  document.body.dataset.seen = JSON.stringify({found, wide, width: innerWidth});
});
</script>
"""


@pytest.mark.skipif(BROWSER is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_draws_every_figure_and_complains_of_nothing(tmp_path, width):
    path = write_report(tmp_path / "report", reports())
    url = path.as_uri()
    dom, complaints = browse(tmp_path, url, width, "--dump-dom")
    assert complaints == []
    assert dom.count("<figure>") == 2
    assert [tag for tag, _ in Page(dom).tags].count("svg") == 2
    looked = tmp_path / "report" / "looked.html"
    looked.write_text(path.read_text(encoding="utf-8").replace("</body>", LOOK))
    dom, complaints = browse(tmp_path, looked.as_uri(), width, "--dump-dom")
    assert complaints == []
    (seen,) = [
        json.loads(given["data-seen"]) for tag, given in Page(dom).tags if tag == "body"
    ]
    assert len(seen["found"]) == 2
    for wide, high, paths in seen["found"]:
        assert wide > 400
        assert high > 100
        assert paths > 20
    assert seen["wide"] <= 0  # nothing sticks out of the page


@pytest.mark.skipif(BROWSER is None, reason="chromium is not installed")
def test_an_error_in_the_console_is_found(tmp_path):
    wrong = tmp_path / "wrong.html"
    wrong.write_text("<script>undefined_name()</script>")
    _, complaints = browse(tmp_path, wrong.as_uri(), 800, "--dump-dom")
    assert len(complaints) == 1
    assert "undefined_name" in complaints[0]


@pytest.mark.skipif(BROWSER is None, reason="chromium is not installed")
def test_it_prints(tmp_path):
    path = write_report(tmp_path / "report", reports())
    printed = tmp_path / "printed.pdf"
    browse(tmp_path, path.as_uri(), 1280, f"--print-to-pdf={printed}")
    content = printed.read_bytes()
    assert content.startswith(b"%PDF")
    # The first page, and one to three for each study with its figure.
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", content)) <= 8
