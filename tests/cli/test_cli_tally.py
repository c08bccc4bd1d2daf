"""How far runs are, how long the rest takes, and how that is said."""

import pytest

from lowrankflow.cli.progress import shown_progress
from lowrankflow.cli.tally import Expected, Tally
from lowrankflow.store import Event


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def event(label, stage, fraction=None, digest=""):
    return Event(digest=digest or label, label=label, stage=stage, fraction=fraction)


def runs(count, seconds=1.0):
    return [
        Expected(label=f"job {i}", title=f"run {i}", seconds=seconds)
        for i in range(count)
    ]


def test_time_that_remains_is_by_the_speed_so_far():
    clock = Clock()
    tally = Tally(runs(4), clock=clock)
    assert tally.remaining() is None
    tally.tell(event("job 0", "started", 0.0))
    clock.now += 10
    tally.tell(event("job 0", "running", 0.5))
    assert tally.remaining() == pytest.approx(70)  # half a run in 10 s, 3.5 are left
    assert tally.fraction() == pytest.approx(0.125)
    row = tally.tell(event("job 0", "finished", 1.0))
    assert row is not None
    assert row.title == "run 0"
    assert tally.remaining() == pytest.approx(30)


def test_what_was_found_is_no_work():
    clock = Clock()
    tally = Tally(runs(10), clock=clock)
    for i in range(8):
        tally.tell(event(f"job {i}", "found", 1.0))
    clock.now += 5
    tally.tell(event("job 8", "finished", 1.0))
    assert tally.remaining() == pytest.approx(5)
    assert (tally.found, tally.finished, tally.ended) == (8, 1, 9)
    assert tally.fraction() == pytest.approx(0.5)


def test_expected_times_count_before_anything_is_measured():
    clock = Clock()
    tally = Tally(runs(3, seconds=20.0), is_timed=True, clock=clock)
    assert tally.remaining() == pytest.approx(60)
    clock.now += 40
    tally.tell(event("job 0", "finished", 1.0))
    # 20 expected seconds took 40; with ten seconds of trust, 30 took 50.
    assert tally.remaining() == pytest.approx(40 * 50 / 30)


def test_runs_with_the_same_label_are_told_apart_and_unknown_ones_counted():
    tally = Tally([Expected(label="job", title=t) for t in ("first", "second")])
    tally.tell(event("job", "started", digest="a"))
    tally.tell(event("job", "started", digest="b"))
    assert [row.title for row in tally.active.values()] == ["first", "second"]
    tally.tell(event("job", "failed", digest="b"))
    tally.tell(event("another", "waiting"))
    assert tally.failed == 1
    assert [row.stage for row in tally.active.values()] == ["started", "waiting"]


def test_without_a_terminal_lines_are_few(capsys, monkeypatch):
    clock = Clock()
    monkeypatch.setattr("lowrankflow.cli.progress.Tally", lambda r, is_timed: tally)
    tally = Tally(runs(200), clock=clock)
    with shown_progress(runs(200), is_timed=False) as tell:
        for i in range(200):
            clock.now += 1
            for fraction in (0.1, 0.5, 0.9):
                tell(event(f"job {i}", "running", fraction))
            tell(event(f"job {i}", "failed" if i == 7 else "finished", 1.0))
    lines = capsys.readouterr().err.splitlines()
    assert 10 <= len(lines) <= 25
    assert "Failed: run 7" in lines
    assert lines[-1] == "200 of 200 runs, 1 failed, 3 min 20 s"
    assert any("about" in line and "left" in line for line in lines)
