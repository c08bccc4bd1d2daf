import numpy as np
import pytest

from lowrankflow import problems
from lowrankflow.errors import SpecError


def test_gaussian_sensing_scales():
    def deviation(scale):
        operator = problems.gaussian_sensing(
            (5, 7), num_measurements=400, scale=scale, seed=0
        )
        return operator.stack.std()

    # 14 000 numbers: the relative deviation of their spread is 0.6 %; five of them.
    assert deviation(2.5) == pytest.approx(2.5, rel=0.03)
    assert deviation("unit_measurements") == pytest.approx(35**-0.5, rel=0.03)
    assert deviation("near_isometry") == pytest.approx(400**-0.5, rel=0.03)


def test_equal_seeds_give_nested_measurements_and_parts_differ():
    def stack(count, part):
        return problems.gaussian_sensing(
            (5, 7), num_measurements=count, scale=1.0, seed=0, part=part
        ).stack

    np.testing.assert_array_equal(stack(3, "observed"), stack(9, "observed")[:3])
    assert not np.any(stack(3, "observed") == stack(3, "held out"))


def test_symmetric_gaussian_sensing_is_the_symmetric_part():
    plain = problems.gaussian_sensing((6, 6), num_measurements=8, scale=0.5, seed=0)
    symmetric = problems.symmetric_gaussian_sensing(
        6, num_measurements=8, scale=0.5, seed=0
    )
    stack = symmetric.stack.reshape(8, 6, 6)
    np.testing.assert_array_equal(stack, stack.transpose(0, 2, 1))
    truth = problems.gaussian_psd_truth(6, rank=2, seed=0)
    np.testing.assert_allclose(symmetric.apply(truth), plain.apply(truth), atol=1e-13)


@pytest.mark.parametrize("scale", [0, -1.0, np.nan, np.inf, "large", None])
def test_scales_are_refused(scale):
    for draw in (problems.gaussian_sensing, problems.symmetric_gaussian_sensing):
        size = (5, 5) if draw is problems.gaussian_sensing else 5
        with pytest.raises(
            SpecError, match=r'scale\)`: a scale is a pos.*Got .*scale="near_isometry"'
        ):
            draw(size, num_measurements=3, scale=scale, seed=0)
