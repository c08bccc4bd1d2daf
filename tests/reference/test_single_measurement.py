import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from lowrankflow.errors import DataError, SpecError
from lowrankflow.reference import (
    single_measurement_asymptote,
    single_measurement_curve,
    single_measurement_limit,
)

WEIGHTS = np.array([1.0, 0.6, 0.3])
DEPTHS = [1, 2, 3, 4, 6]


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (1, [1.376207, 0.829724, 0.419862]),
        (2, [1.848174, 0.229111, 0.047866]),
        (3, [1.945944, 0.078325, 0.023537]),
        (4, [1.963637, 0.050998, 0.019215]),
    ],
)
def test_claim_25_the_table_of_final_values(depth, expected):
    found = single_measurement_limit(WEIGHTS, 2.0, start=np.full(3, 0.01), depth=depth)
    assert found == pytest.approx(expected, abs=6e-7)  # half of the last digit given
    assert WEIGHTS @ found == pytest.approx(2, rel=1e-13)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("weights", [WEIGHTS, np.array([1.0, -0.7, 0.5])])
def test_the_flow_of_factors_follows_the_curves_to_the_limit(depth, weights):
    start = np.array([0.3, 0.2, 0.4])

    def slope(_, sigma):
        residual = weights @ sigma - 1.5
        return -depth * abs(sigma) ** (2 - 2 / depth) * residual * weights

    run = solve_ivp(
        slope, (0, 60), start, method="DOP853", rtol=1e-12, atol=1e-14, max_step=1.0
    )
    found = single_measurement_limit(weights, 1.5, start=start, depth=depth)
    assert found == pytest.approx(run.y[:, -1], rel=1e-9)  # tolerance of the run
    for other in (1, 2):
        curve = single_measurement_curve(
            run.y[0],
            start=start[other],
            value_start=start[0],
            ratio=weights[other] / weights[0],
            depth=depth,
        )
        assert curve == pytest.approx(run.y[other], rel=1e-9)


@pytest.mark.parametrize("ratio", [0.6, -0.4, 1.0])
def test_the_curves_have_the_form_of_equation_11(ratio):
    value = np.array([0.05, 0.1, 0.3])
    sizes = {"start": 0.02, "value_start": 0.05, "ratio": ratio}
    line = single_measurement_curve(value, depth=1, **sizes)
    assert line == pytest.approx(ratio * value + 0.02 - ratio * 0.05)
    power = single_measurement_curve(value, depth=2, **sizes)
    assert power == pytest.approx(0.02 * 0.05**-ratio * value**ratio)
    for depth in (3, 4, 5):
        exponent = (depth - 2) / depth
        constant = 0.02**-exponent - ratio * 0.05**-exponent
        expected = (ratio * value**-exponent + constant) ** (-1 / exponent)
        found = single_measurement_curve(value, depth=depth, **sizes)
        assert found == pytest.approx(expected)


@pytest.mark.parametrize(("depth", "expected"), [(3, 0.15625), (4, 0.0625)])
def test_claim_25_the_asymptotes(depth, expected):
    sizes = {"start": 0.01, "value_start": 0.01, "ratio": 0.6, "depth": depth}
    found = single_measurement_asymptote(**sizes)
    assert found == pytest.approx(expected)
    assert found == pytest.approx(0.01 * 0.4 ** (-depth / (depth - 2)))
    # 1e-6: (1e20)^(-(N-2)/N), at most, of what separates it from the end
    late = single_measurement_curve(np.array([1e20]), **sizes)
    assert late[0] == pytest.approx(found, rel=1e-5)


@pytest.mark.parametrize("depth", [3, 4, 5])
@pytest.mark.parametrize("ratio", [0.9, 0.0, -0.5, -2.0])
def test_the_asymptote_is_the_end_of_the_curve(depth, ratio):
    sizes = {"start": 0.03, "value_start": 0.05, "ratio": ratio, "depth": depth}
    late = single_measurement_curve(np.array([1e30]), **sizes)
    assert single_measurement_asymptote(**sizes) == pytest.approx(late[0], rel=1e-6)


def test_asymptotes_at_infinity_and_at_zero():
    sizes = {"start": 0.1, "value_start": 0.1}
    for depth in (1, 2):
        found = single_measurement_asymptote(ratio=0.1, depth=depth, **sizes)
        assert found == math.inf
        assert single_measurement_asymptote(ratio=0.0, depth=depth, **sizes) == 0.1
    assert single_measurement_asymptote(ratio=-0.1, depth=1, **sizes) == -math.inf
    assert single_measurement_asymptote(ratio=-0.1, depth=2, **sizes) == 0
    # The one of greater weight blows up first, that of equal weight along with it.
    for ratio in (1.0, 1.5):
        found = single_measurement_asymptote(ratio=ratio, depth=3, **sizes)
        assert found == math.inf


def test_a_measurement_that_cannot_be_had_is_refused():
    with pytest.raises(DataError, match="some numbers >= 0 must have these measuremen"):
        single_measurement_limit(WEIGHTS, -1.0, start=np.ones(3), depth=3)
    single_measurement_limit(WEIGHTS, -1.0, start=np.ones(3), depth=1)


@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_the_ratio_is_finite(bad):
    sizes = {"start": 1.0, "value_start": 1.0, "ratio": bad, "depth": 2}
    message = (
        r"_curve\(ratio\)`: the ratio of two weights is a finite number. Got .* Sw"
    )
    with pytest.raises(SpecError, match=message):
        single_measurement_curve(np.ones(1), **sizes)
    with pytest.raises(
        SpecError, match=r"_asymptote\(ratio\)`: the ratio of two weigh"
    ):
        single_measurement_asymptote(**sizes)
