import equinox as eqx
import jax
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from lowrankflow import problems
from lowrankflow.errors import DataError, SpecError

LOSSES = {
    "squared": problems.Squared(),
    "huber": problems.Huber(0.7),
    "p=1.5": problems.PNorm(1.5),
    "p=4": problems.PNorm(4.0),
    "logistic": problems.Logistic(),
}
NUMBERS = st.floats(-50, 50, allow_subnormal=False)

every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


def measurement_for(loss, number):
    return np.sign(number) or 1.0 if isinstance(loss, problems.Logistic) else number


@every_loss
@settings(max_examples=25, deadline=None)
@given(prediction=NUMBERS, number=NUMBERS)
def test_derivative_is_the_automatic_one(loss, prediction, number):
    measurement = measurement_for(loss, number)
    # jax.grad of |r|^p is 0/0 at r = 0 for some p; that point has its own test.
    if prediction == measurement:
        prediction += 1.0
    automatic = jax.grad(loss.value)(prediction, measurement)
    # 1e-9: relative rounding of a power of a difference, at sizes up to 50^3.
    assert float(loss.derivative(prediction, measurement)) == pytest.approx(
        float(automatic), rel=1e-9, abs=1e-12
    )


@every_loss
@settings(max_examples=25, deadline=None)
@given(first=NUMBERS, second=NUMBERS, number=NUMBERS)
def test_values_are_convex_and_not_negative(loss, first, second, number):
    measurement = measurement_for(loss, number)
    low, high = loss.value(first, measurement), loss.value(second, measurement)
    middle = loss.value((first + second) / 2, measurement)
    assert middle >= 0
    # 1e-12 relative: rounding where the loss is a straight line.
    assert middle <= (low + high) / 2 * (1 + 1e-12) + 1e-12


@pytest.mark.parametrize("name", ["squared", "huber", "p=1.5", "p=4"])
def test_nothing_is_lost_at_the_measurement(name):
    loss = LOSSES[name]
    assert loss.value(np.array([3.0]), np.array([3.0])) == 0
    assert loss.derivative(np.array([3.0]), np.array([3.0])) == 0


def test_values_by_hand():
    prediction, measurement = np.array([2.0, -1.0]), np.array([1.0, 2.0])  # r = 1, -3
    huber = problems.Huber(2.0)
    # A few operations each: equal to a last bit or two.
    exact = {"rtol": 1e-15}
    squared = problems.Squared().value(prediction, measurement)
    np.testing.assert_allclose(squared, [0.5, 4.5], **exact)
    np.testing.assert_allclose(huber.value(prediction, measurement), [0.5, 4], **exact)
    np.testing.assert_array_equal(huber.derivative(prediction, measurement), [1, -2])
    quartic = problems.PNorm(4.0).value(prediction, measurement)
    np.testing.assert_allclose(quartic, [0.25, 81 / 4], **exact)


def test_pnorm_of_two_is_squared():
    prediction, measurement = np.array([0.3, -4.0]), np.array([1.0, 2.0])
    for question in ("value", "derivative"):
        got = getattr(problems.PNorm(2.0), question)(prediction, measurement)
        expected = getattr(problems.Squared(), question)(prediction, measurement)
        np.testing.assert_allclose(got, expected, rtol=1e-15)


def test_logistic_does_not_overflow():
    prediction, measurement = np.array([1e4, -1e4]), np.array([1.0, 1.0])
    loss = problems.Logistic()
    np.testing.assert_array_equal(loss.value(prediction, measurement), [0.0, 1e4])
    np.testing.assert_array_equal(loss.derivative(prediction, measurement), [0, -1])


@pytest.mark.parametrize(
    ("kind", "option"), [(problems.Huber, 0.5), (problems.PNorm, 3)]
)
def test_the_option_may_be_traced(kind, option):
    @eqx.filter_jit
    def value(option):
        return kind(option).value(2.0, 0.0)

    assert value(jax.numpy.asarray(option)) == pytest.approx(
        float(kind(option).value(2.0, 0.0)), rel=1e-15
    )


@pytest.mark.parametrize("delta", [0, -1.0, np.nan, np.inf, "wide", None])
def test_huber_refuses(delta):
    with pytest.raises(SpecError, match=r"Huber\(delta\).*positive, finite.*Give for"):
        problems.Huber(delta)


@pytest.mark.parametrize("p", [1, 0.5, np.nan, np.inf, "two", None])
def test_pnorm_refuses(p):
    with pytest.raises(SpecError, match=r"PNorm\(p\).*must be above 1.*Huber"):
        problems.PNorm(p)


def test_logistic_refuses_other_classes():
    operator = problems.EntrySampling([0, 0], [0, 1], (1, 2))
    with pytest.raises(DataError, match=r"-1 or \+1. Got 0.0 at position 1. Recode"):
        problems.SensingProblem(operator, [1.0, 0.0], loss=problems.Logistic())
