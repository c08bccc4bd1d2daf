"""Distance from a polyline."""

import numpy as np
import pytest

from lowrankflow.errors import DataError
from lowrankflow.metrics import Polyline


def distance_to_curve(point, corners):
    return Polyline(corners).distance(point)


CORNER = np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [2.0, 3.0, 0.0]])


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ((1.0, 0.5, 0.0), 0.5),
        ((-3.0, 4.0, 0.0), 5.0),
        ((2.0, 1.0, 7.0), 7.0),
        ((2.0, 5.0, 0.0), 2.0),
        ((2.0, 0.0, 0.0), 0.0),
    ],
)
def test_feet_on_segments_and_corners(point, expected):
    assert distance_to_curve(np.array(point), CORNER) == pytest.approx(expected)


def test_repeated_corners_and_a_single_one_are_no_trouble():
    point = np.array([1.0, 0.5, 0.0])
    assert distance_to_curve(point, np.repeat(CORNER, 2, axis=0)) == 0.5
    assert distance_to_curve(point, CORNER[:1]) == pytest.approx(np.hypot(1, 0.5))


def test_it_agrees_with_many_points_of_the_segments():
    rng = np.random.default_rng(0)
    curve, point = rng.standard_normal((5, 7)), rng.standard_normal(7)
    shares = np.linspace(0, 1, 20_001)[:, None]
    dense = [a + shares * (b - a) for a, b in zip(curve, curve[1:], strict=False)]
    best = np.linalg.norm(np.concatenate(dense) - point, axis=1).min()
    assert distance_to_curve(point, curve) == pytest.approx(best, abs=1e-7)


def test_a_circle_of_corners_is_second_order():
    def worst(count):
        angles = np.linspace(0, np.pi, count)
        middle = np.pi / 2 / (count - 1)
        circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        return distance_to_curve(np.array([np.cos(middle), np.sin(middle)]), circle)

    assert worst(11) / worst(21) == pytest.approx(4, rel=0.05)


def test_what_does_not_fit_is_refused():
    with pytest.raises(DataError, match="as long as"):
        distance_to_curve(np.zeros(2), CORNER)
    with pytest.raises(DataError, match="at least one corner"):
        Polyline(np.zeros((0, 3)))
