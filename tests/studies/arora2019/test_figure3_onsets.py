"""The law's prediction of when a singular value rises, on solutions known exactly."""

import numpy as np
import pytest

from lowrankflow.studies.arora2019 import (
    figure3_measures as measures,
    figure3_onsets as onsets,
)
from lowrankflow.studies.arora2019.figure3_jobs import TIME_PER_ITERATION


def path(depth, pull, *, last, step=20.0):
    """A value that grows from 1e-3 at a constant pull by theorem 3, then stays."""
    iterations = np.arange(0.0, 60_000.0, step)
    grown = depth * pull * iterations * TIME_PER_ITERATION
    if depth == 2:
        sigma = 1e-3 * np.exp(np.minimum(grown, 50.0))
    else:
        power = 1 - 2 / depth
        left = 1e-3**-power - power * grown
        sigma = np.where(left > 0, np.maximum(left, 1e-9), 1e-9) ** (-1 / power)
    return iterations, np.minimum(sigma, last), np.full(iterations.size, -pull)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_prediction_is_exact_for_a_constant_pull(depth):
    iterations, sigma, slope = path(depth, 5e-3, last=40.0)
    ((measured, predicted),) = onsets.measured_and_predicted(
        depth, iterations, sigma[:, None], slope
    )
    # A record is 20 iterations, and a value jumps between two of them.
    assert predicted == pytest.approx(measured, abs=20)
    assert 0 < measured < iterations[-1]
    found = onsets.factor_of_onsets(depth)(iterations, sigma[:, None], slope)
    assert found == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_a_gradient_that_is_not_the_law_s_predicts_another_time(depth):
    iterations, sigma, slope = path(depth, 5e-3, last=40.0)
    ((measured, predicted),) = onsets.measured_and_predicted(
        depth, iterations, sigma[:, None], slope / 2
    )
    assert predicted > 1.3 * measured
    for share in (0.5, 2.0):
        found = onsets.factor_of_onsets(depth)(
            iterations, sigma[:, None], share * slope
        )
        assert found == pytest.approx(2, rel=0.02)
    ((_, never),) = onsets.measured_and_predicted(
        depth, iterations, sigma[:, None], 1e-3 * slope
    )
    assert never == np.inf


def test_what_never_grows_has_no_prediction():
    iterations, sigma, slope = path(3, 5e-3, last=5e-3)
    ((_, predicted),) = onsets.measured_and_predicted(
        3, iterations, sigma[:, None], slope
    )
    assert np.isnan(predicted)
    assert np.isnan(onsets.factor_of_onsets(3)(iterations, sigma[:, None], slope))


@pytest.mark.parametrize("depth", [2, 3, 4, 7])
def test_the_integral_is_that_of_the_law(depth):
    sigma, step = np.array([1e-3, 0.1, 5.0]), 1e-6
    above, below = (onsets.integral(sigma * (1 + s), depth) for s in (step, -step))
    slope = (above - below) / (2 * step * sigma)
    np.testing.assert_allclose(slope, sigma ** -(2 - 2 / depth), rtol=1e-6)


def test_a_jump_between_two_records_leaves_the_second_value_what_it_is():
    iterations = np.array([0.0, 100.0, 200.0])
    spectra = np.array([[1e-3, 1e-3], [1.0, 4e-3], [700.0, 4e-3]])
    share = measures.second_at_first_rise(iterations, spectra)
    assert share == pytest.approx(4e-3 / 350)
