import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.integrate import solve_ivp

from lowrankflow.errors import DataError, SpecError
from lowrankflow.reference import full_observation_value

TIMES = np.array([0.0, 0.05, 0.3, 1.0, 2.5, 6.0])
SOLVER = 1e-10  # DOP853 at rtol 1e-12 over some hundreds of steps


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 6, 9])
@pytest.mark.parametrize(
    ("start", "target"),
    [(1e-2, 2.0), (3.0, 1.5), (0.5, 0.0), (0.2, 0.3), (1.0, 1.001), (40.0, 1.0)],
)
def test_it_solves_its_equation(depth, start, target):
    def slope(_, sigma):
        return depth * sigma ** (2 - 2 / depth) * (target - sigma)

    run = solve_ivp(
        slope, (0, 6), [start], t_eval=TIMES, method="DOP853", rtol=1e-12, atol=1e-15
    )
    found = full_observation_value(TIMES, start=start, target=target, depth=depth)
    assert found == pytest.approx(run.y[0], rel=SOLVER)


def test_depth_two_is_the_logistic_curve():
    found = full_observation_value(TIMES, start=1e-3, target=2.0, depth=2)
    expected = 2 / (1 + (2 / 1e-3 - 1) * np.exp(-4 * TIMES))
    assert found == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_late_times_neither_overflow_nor_pass_the_target(depth):
    late = np.array([1e4, 1e9])
    for start in (1e-3, 5.0):
        found = full_observation_value(late, start=start, target=2.0, depth=depth)
        assert found == pytest.approx([2.0, 2.0], rel=1e-15)


def test_starts_far_from_the_target():
    # Far above, the target counts for nothing: sigma^(-p) grows by N p t, p = 2 - 2/N.
    times = np.array([1e-20, 1e-16])
    found = full_observation_value(times, start=1e10, target=1.0, depth=3)
    expected = ((1e10) ** (-4 / 3) + 4 * times) ** (-3 / 4)
    assert found == pytest.approx(expected, rel=1e-9)  # the target's share is 1e-10
    # So far above that t(sigma) itself would underflow.
    times = np.array([0.0, 1.0])
    for target in (1e-280, 5e-324):
        found = full_observation_value(times, start=1.0, target=target, depth=3)
        assert found == pytest.approx([1.0, 5**-0.75], rel=1e-14)
    # Far below, sigma^(-1/3) falls by t: half way to the blow-up it has halved.
    half = np.array([0.5e20 ** (1 / 3) * 2 ** (1 / 3) / 2])
    found = full_observation_value(half, start=1e-20, target=1.0, depth=3)
    assert found == pytest.approx([8e-20], rel=1e-6)


@pytest.mark.parametrize("depth", [1, 2, 3, 6])
@pytest.mark.parametrize("start", [1.0, np.nextafter(1, 0), np.nextafter(1, 2)])
def test_a_start_at_the_target_stays(depth, start):
    found = full_observation_value(TIMES, start=start, target=1.0, depth=depth)
    assert found == pytest.approx(np.ones(6), abs=3e-16)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([1, 2, 3, 4, 8]), st.floats(1e-4, 10), st.floats(0, 10), st.data()
)
def test_it_is_a_flow_and_monotone(depth, start, target, data):
    first, second = data.draw(st.tuples(st.floats(0, 3), st.floats(0, 3)))
    whole = full_observation_value(
        np.array([first, first + second]), start=start, target=target, depth=depth
    )
    again = full_observation_value(
        np.array([second]), start=float(whole[0]), target=target, depth=depth
    )
    assert again[0] == pytest.approx(whole[1], rel=1e-8)
    path = np.array([start, *whole])
    steps = np.diff(path) * (1 if target >= start else -1)
    assert np.all(steps >= -1e-12 * path.max())


def test_the_rise_is_later_and_sharper_with_depth():
    # Starts of one size; the time from a tenth to nine tenths of the target, over the
    # time to one half.
    sharpness = []
    for depth, horizon in ((2, 10), (3, 60), (4, 120)):
        times = np.linspace(0, horizon, 401)
        path = full_observation_value(times, start=1e-4, target=1.0, depth=depth)
        tenth, half, most = (times[np.argmax(path > x)] for x in (0.1, 0.5, 0.9))
        sharpness.append((most - tenth) / half)
    assert sharpness[0] > 2 * sharpness[1] > 4 * sharpness[2]


def test_times_before_the_start_are_refused():
    with pytest.raises(DataError, match=r"\(times\)`: the flow runs from time 0 on. G"):
        full_observation_value(np.array([-1.0]), start=1.0, target=1.0, depth=3)
    with pytest.raises(DataError, match=r"\(times\)`: every number must be finite"):
        full_observation_value(np.array([math.inf]), start=1.0, target=1.0, depth=3)


@pytest.mark.parametrize(
    ("start", "target"), [(0.0, 1.0), (1.0, -1.0), (math.nan, 1.0)]
)
def test_signs_are_checked(start, target):
    with pytest.raises(DataError, match="the start is positive, the target at least z"):
        full_observation_value(TIMES, start=start, target=target, depth=3)


def test_the_depth_is_checked():
    with pytest.raises(SpecError, match=r"full_observation_value\(depth\)`: the depth"):
        full_observation_value(TIMES, start=1.0, target=1.0, depth=0)
