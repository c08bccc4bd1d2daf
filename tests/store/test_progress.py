import pytest

from lowrankflow.dynamics import Stop
from lowrankflow.store import fraction_done


@pytest.mark.parametrize(
    ("stop", "fraction"),
    [
        (Stop(iterations=100), 0.5),
        (Stop(time=20.0), 0.25),
        (Stop(loss=1e-6), 0.5),
        (Stop(loss=1e-6, iterations=60), 50 / 60),
        (Stop(iterations=10), 1.0),
        (Stop(loss=2.0), None),
        (Stop(gradient=1e-3), None),
        (Stop(loss=0.0), None),
    ],
)
def test_the_rule_nearest_to_hold_says_how_far_a_run_is(stop, fraction):
    first = {"time": 0.0, "iteration": 0, "loss": 1.0}
    now = {"time": 5.0, "iteration": 50, "loss": 1e-3}
    assert fraction_done(stop, first, now) == pytest.approx(fraction)


def test_a_run_that_went_astray_is_not_behind_its_start():
    first = {"time": 0.0, "iteration": 0, "loss": 1.0}
    now = {"time": 5.0, "iteration": 50, "loss": float("inf")}
    assert fraction_done(Stop(loss=1e-6), first, now) is None
    assert fraction_done(Stop(loss=1e-6), first, {**now, "loss": 3.0}) == 0.0
