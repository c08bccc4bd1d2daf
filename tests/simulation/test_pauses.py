"""A run that goes far without a record pauses on the way, which changes nothing."""

import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.simulation import Recipe, RunJob
from lowrankflow.simulation.schedule import OnlyEnds
from lowrankflow.store import Store, digest, execute

DEPTH2 = lrf.DeepFactorization(2)
DESCENT = lrf.GradientDescent(lrf.ConstantStep(1e-3))
FLOW = lrf.GradientFlow(1e-5, 1e-5)
TIMES = lrf.AtTimes([0.5, 5.0])


class Unbroken(OnlyEnds):
    """The same without a pause."""

    pause_every = None


def chunks(dynamics, schedule, state=None, **stop):
    return list(
        lrf.simulate_chunks(
            lrf.planted_completion((3, 4), rank=1, num_observed=8, seed=0),
            DEPTH2,
            dynamics,
            start=lrf.Gaussian(0.1),
            stop=lrf.Stop(**stop),
            schedule=schedule,
            state=state,
        )
    )


def test_descent_pauses_every_thousand_iterations():
    found = chunks(DESCENT, lrf.OnlyEnds(), iterations=2500)
    assert [chunk.snapshot.iteration for chunk in found] == [1000, 2000, 2500]
    assert [len(chunk.records) for chunk in found] == [1, 0, 1]


def test_between_times_it_pauses_too_and_records_only_at_these():
    found = chunks(DESCENT, TIMES, time=5.0)
    assert len(found) > 4
    recorded = [float(r["time"]) for chunk in found for r in chunk.records]
    assert len(recorded) == 3
    assert recorded[0] == 0
    np.testing.assert_allclose(recorded[1:], TIMES.times, atol=1e-3)


@pytest.mark.parametrize("dynamics", [DESCENT, FLOW], ids=["descent", "flow"])
def test_pauses_change_no_bit(dynamics, monkeypatch):
    monkeypatch.setattr(OnlyEnds, "pause_every", 7)
    paused = chunks(dynamics, OnlyEnds(), iterations=60)
    (whole,) = chunks(dynamics, Unbroken(), iterations=60)
    assert len(paused) == 9
    assert paused[-1].records[-1]["loss"] == whole.records[-1]["loss"]
    matrices = [chunk.snapshot.matrix.tobytes() for chunk in (paused[-1], whole)]
    assert matrices[0] == matrices[1]
    # A run that goes on from a pause is the run that was not broken off.
    rest = chunks(dynamics, OnlyEnds(), state=paused[3].state, iterations=60)
    assert len(rest) == 5
    assert rest[-1].snapshot.matrix.tobytes() == matrices[1]


def test_the_end_of_a_stage_is_recorded_also_at_a_pause(monkeypatch):
    """Greedy learning stops at the ends of its stages, whatever the schedule says."""
    problem = lrf.planted_completion((6, 5), rank=2, num_observed=26, seed=1)
    greedy = lrf.GreedyLowRank(
        rtol=1e-6,
        atol=1e-6,
        seed_scale=1e-8,
        stage_tolerance=1e-6,
        optimality_tolerance=1e-4,
    )

    def recorded(schedule):
        stop = lrf.Stop(loss=1e-12, iterations=5000)
        run = lrf.simulate(problem, DEPTH2, greedy, stop=stop, schedule=schedule)
        return [(int(r["stage"]), int(r["iteration"])) for r in run.records]

    whole = recorded(Unbroken())
    assert [stage for stage, _ in whole][:3] == [0, 1, 2]
    # With a pause at every iteration each end of a stage is at one.
    monkeypatch.setattr(OnlyEnds, "pause_every", 1)
    assert recorded(OnlyEnds()) == whole


class Interrupted(BaseException):
    pass


def test_a_long_run_of_two_records_tells_how_far_it_is_and_goes_on(tmp_path):
    where = {"shape": [20, 20], "rank": 2, "num_observed": 200, "seed": 0}
    job = RunJob(
        Recipe("planted_completion", where),
        DEPTH2,
        DESCENT,
        lrf.Stop(iterations=3500),
        start=lrf.Gaussian(0.1),
        schedule=lrf.OnlyEnds(),
    )
    heard = []

    def listen(event):
        heard.append(event)
        if event.stage == "running" and event.iteration == 2000:
            raise Interrupted

    broken, whole = Store(tmp_path / "broken"), Store(tmp_path / "whole")
    with pytest.raises(Interrupted):
        execute(job, broken, progress=listen, seconds_between=0)
    running = [event for event in heard if event.stage == "running"]
    assert [event.iteration for event in running] == [1000, 2000]
    assert running[0].fraction == pytest.approx(1000 / 3500)
    assert broken.status(digest(job)) == "interrupted"
    heard.clear()
    execute(job, broken, progress=lambda event: heard.append(event))
    assert [e.iteration for e in heard if e.stage == "running"] == [3000]
    execute(job, whole)
    one, other = broken.get(digest(job)), whole.get(digest(job))
    assert one.sizes["record"] == 2
    for variable in one.variables:
        assert one[variable].values.tobytes() == other[variable].values.tobytes()
