import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.integrate import solve_ivp

from lowrankflow.errors import DataError, SpecError
from lowrankflow.reference import drive_to_reach, driven_value, escape_time

PROPERTY = settings(max_examples=25, deadline=None)
DEPTHS = [1, 2, 3, 4, 7]
SOLVER = 1e-9  # DOP853 at rtol 1e-12 over a growth of about a thousandfold


@pytest.mark.parametrize("depth", DEPTHS)
def test_driven_value_solves_the_flow_of_a_varying_gradient(depth):
    start = np.array([1e-2, 0.3, 2.0])

    def slope(time, state):
        sigma = state[:3]
        gamma = np.array([math.cos(3 * time), -1.0, 0.05])
        return np.concatenate([depth * sigma ** (2 - 2 / depth) * gamma, gamma])

    begin = np.concatenate([start, np.zeros(3)])
    end = solve_ivp(slope, (0, 0.8), begin, method="DOP853", rtol=1e-12, atol=1e-15)
    sigma, drive = end.y[:3, -1], end.y[3:, -1]
    assert driven_value(start, drive, depth=depth) == pytest.approx(sigma, rel=SOLVER)


def test_driven_values_by_hand():
    assert driven_value(2.0, 0.5, depth=1) == 2.5
    assert driven_value(2.0, 0.5, depth=2) == pytest.approx(2 * math.e)
    assert driven_value(1.0, 0.5, depth=3) == pytest.approx(8)  # (1 - 1/2)^-3
    assert driven_value(1.0, -0.5, depth=3) == pytest.approx((2 / 3) ** 3)
    assert driven_value(1.0, 0.25, depth=4) == pytest.approx(4)  # (1 - 2/4)^-2
    # (0.01^(-1/2) - 2 x 4)^-2 = (10 - 8)^-2
    assert driven_value(0.01, 4.0, depth=4) == pytest.approx(1 / 4)


def test_a_drive_beyond_the_blow_up_gives_infinity():
    values = driven_value(1.0, np.array([0.99, 1.0, 1.01]), depth=3)
    assert values[0] == pytest.approx(1e6)
    assert np.all(np.isinf(values[1:]))
    assert driven_value(1.0, 1e4, depth=2) == math.inf


def test_a_start_at_zero_stays_there_from_depth_two_on():
    for depth in (2, 3, 5):
        assert np.all(driven_value(np.zeros(2), np.array([5.0, 1e9]), depth=depth) == 0)
    assert driven_value(0.0, 5.0, depth=1) == 5


@PROPERTY
@given(st.sampled_from(DEPTHS), st.floats(1e-6, 1e3), st.floats(1e-6, 1e3), st.data())
def test_drive_to_reach_is_the_inverse(depth, start, value, data):
    drive = drive_to_reach(start, value, depth=depth)
    # What is left of start^(-(N-2)/N) after the drive is taken off, over what there
    # was, amplifies rounding: (1e9)^(5/7), about 3e6, at the worst of these numbers.
    assert driven_value(start, drive, depth=depth) == pytest.approx(value, rel=1e-8)
    further = data.draw(st.floats(-1.0, 0.0))
    once = driven_value(start, drive + further, depth=depth)
    twice = driven_value(value, further, depth=depth)
    assert once == pytest.approx(twice, rel=1e-8)
    assert drive_to_reach(value, start, depth=depth) == pytest.approx(-drive)


def test_the_drive_of_blow_up():
    assert drive_to_reach(1e-3, math.inf, depth=2) == math.inf
    assert drive_to_reach(1e-3, math.inf, depth=3) == pytest.approx(10)
    assert drive_to_reach(1e-4, math.inf, depth=4) == pytest.approx(50)


@pytest.mark.parametrize(("layers", "alpha"), [(3, 1e-4), (4, 1e-3), (5, 1e-2)])
def test_escape_time_is_the_one_stated_in_the_clock_of_m(layers, alpha):
    # M(0) = alpha I with M = W^(2/L): alpha^-(P-1) / (2 mu (P-1)), P = L / 2
    power, rate = layers / 2, 1.7
    expected = alpha ** -(power - 1) / (2 * rate * (power - 1))
    found = escape_time(alpha**power, growth_rate=rate, depth=layers)
    assert found == pytest.approx(expected)


def test_escape_time_at_depth_two():
    found = escape_time(1e-6, growth_rate=2.0, depth=2)
    assert found == pytest.approx(math.log(1e6) / 4)
    assert escape_time(math.e, growth_rate=0.5, depth=2) == pytest.approx(-1)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_escape_times_align_the_growth_of_a_saturating_mode(depth):
    # sigma' = N sigma^(2-2/N) (1 - sigma): the time to half, less the escape time,
    # tends to a constant as the start falls.
    def time_to_half(start):
        def inverse(level, _):  # dt / d log sigma
            sigma = math.exp(level)
            return [sigma ** (2 / depth - 1) / (depth * (1 - sigma))]

        span = (math.log(start), math.log(0.5))
        return solve_ivp(inverse, span, [0.0], rtol=1e-10, atol=1e-10).y[0, -1]

    shifts = [
        time_to_half(start) - escape_time(start, growth_rate=1.0, depth=depth)
        for start in (1e-4, 1e-6, 1e-8)
    ]
    # What the start leaves is of its own order, at depth 3 and above to the power 2/N.
    assert abs(shifts[1] - shifts[2]) < 3 * 1e-6 ** (2 / depth)
    assert abs(shifts[0] - shifts[1]) < 3 * 1e-4 ** (2 / depth)
    assert abs(shifts[2]) < 2


@pytest.mark.parametrize("ratio", [0.3, 0.8, 0.95])
@pytest.mark.parametrize("alpha", [1e-2, 1e-4])
def test_claim_46_what_the_second_mode_has_become(ratio, alpha):
    def second(layers):
        power = layers / 2
        drive = drive_to_reach(alpha**power, 1.0, depth=layers)
        value = driven_value(alpha**power, ratio * drive, depth=layers)
        return float(value) ** (1 / power)

    for layers in (3, 4, 5, 8):
        bound = (1 - ratio) ** (-1 / (layers / 2 - 1))
        assert 1 < second(layers) / alpha <= bound
    assert second(2) == pytest.approx(alpha ** (1 - ratio))
    assert second(2) / alpha > second(3) / alpha > second(4) / alpha


@pytest.mark.parametrize("bad", [0, -1, 2.0, True, "3"])
def test_a_depth_that_counts_nothing_is_refused(bad):
    message = r"driven_value\(depth\)`: the depth counts factors, an integer >= 1. Got"
    with pytest.raises(SpecError, match=message):
        driven_value(1.0, 0.0, depth=bad)
    with pytest.raises(SpecError, match=r"drive_to_reach\(depth\)`: the depth counts"):
        drive_to_reach(1.0, 1.0, depth=bad)


def test_starts_that_cannot_be_singular_values_are_refused():
    message = r"driven_value\(start\)`: singular values are >= 0, .* Got -1.0. Flip"
    with pytest.raises(DataError, match=message):
        driven_value(-1.0, 0.0, depth=2)
    assert driven_value(-1.0, 0.0, depth=1) == -1
    with pytest.raises(
        DataError, match=r"driven_value\(drive\)`: every number must be"
    ):
        driven_value(1.0, math.inf, depth=2)


@pytest.mark.parametrize(("start", "value"), [(0.0, 1.0), (1.0, 0.0), (1.0, math.nan)])
def test_levels_that_are_never_reached_are_refused(start, value):
    with pytest.raises(DataError, match="keeps away from zero and its sign. Got start"):
        drive_to_reach(start, value, depth=3)


@pytest.mark.parametrize(
    ("scale", "rate", "depth"), [(0.0, 1.0, 2), (1.0, -1.0, 2), (1.0, 1.0, 1)]
)
def test_escape_from_nowhere_is_refused(scale, rate, depth):
    with pytest.raises(SpecError, match="zero is a saddle from depth 2 on.* Got"):
        escape_time(scale, growth_rate=rate, depth=depth)
