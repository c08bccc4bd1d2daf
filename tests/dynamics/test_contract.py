"""Stop rules refuse what is no number, and are arrays of one kind."""

import jax.numpy as jnp
import numpy as np
import pytest

from lowrankflow.dynamics.contract import Limits, Stop, Until
from lowrankflow.errors import SpecError

NO_NUMBERS = [
    "1e-6",
    "late",
    b"1",
    True,
    np.bool_(True),
    np.str_("1"),
    1j,
    [1.0],
    np.nan,
]


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
@pytest.mark.parametrize("name", ["loss", "gradient", "time"])
def test_a_rule_is_a_number_and_no_text_that_reads_like_one(name, value):
    message = rf"^`Stop\({name}\)`: this is a number.*\. Got .*\. Give for example 1e-6"
    with pytest.raises(SpecError, match=message):
        Stop(**{name: value})


@pytest.mark.parametrize("value", ["10", True, 1.0, [1], -1], ids=repr)
def test_iterations_are_a_count(value):
    message = r"^`Stop\(iterations\)`: this is an integer >= 0\. Got .*\. Give .* 1000"
    with pytest.raises(SpecError, match=message):
        Stop(iterations=value)


def test_any_kind_of_number_becomes_one_kind_of_array():
    for number in (1, 1.0, np.float32(1), np.int32(1), np.asarray(1), jnp.asarray(1.0)):
        limits = Limits.of(Stop(number, number, number, 3))
        until = Until.at(time=number, iteration=3)
        for value in (limits.loss, limits.gradient, limits.time, until.time):
            assert isinstance(value, np.ndarray)
            assert (value.dtype, value.shape, float(value)) == (np.float64, (), 1.0)
        for value in (limits.iterations, until.iteration):
            assert isinstance(value, np.ndarray)
            assert (value.dtype, value.shape, int(value)) == (np.int64, (), 3)


def test_an_infinite_rule_is_allowed_and_none_is_no_rule():
    assert Limits.of(Stop(loss=-np.inf, time=np.inf)).loss == -np.inf
    limits = Limits.of(Stop())
    assert (limits.loss, limits.gradient, limits.time) == (-np.inf, -1.0, np.inf)
    assert limits.iterations == np.iinfo(np.int64).max
