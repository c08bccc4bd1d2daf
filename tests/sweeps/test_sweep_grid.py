import pytest

import lowrankflow as lrf
from lowrankflow.sweeps import grid


def test_all_combinations_with_the_last_axis_changing_fastest():
    assert grid(depth=(2, 3), seed=range(2)) == [
        {"depth": 2, "seed": 0},
        {"depth": 2, "seed": 1},
        {"depth": 3, "seed": 0},
        {"depth": 3, "seed": 1},
    ]
    assert grid() == [{}]
    assert grid(name=["ab"]) == [{"name": "ab"}]


@pytest.mark.parametrize("axis", [3, "ab", [], None, {"a": 1}])
def test_what_is_no_axis(axis):
    with pytest.raises(lrf.SpecError, match=r"grid\(depth\).*one value or more"):
        grid(depth=axis)
