import numpy as np
import pytest

from lowrankflow.errors import SpecError
from lowrankflow.seeds import generator


def draw(seed, *names):
    return generator(seed, *names).standard_normal(4)


def test_equal_arguments_give_equal_streams():
    np.testing.assert_array_equal(draw(3, "start", 2), draw(3, "start", 2))
    np.testing.assert_array_equal(draw(np.int64(3), "start"), draw(3, "start"))


@pytest.mark.parametrize(
    "other",
    [
        (4, "start", 2),
        (3, "start", 1),
        (3, "stop", 2),
        (3, "start"),
        (3, 2, "start"),
        (3, "start2"),
        (32, "start"),
        (3,),
    ],
)
def test_any_other_name_gives_another_stream(other):
    assert not np.any(draw(3, "start", 2) == draw(*other))


def test_names_are_not_run_together():
    assert not np.any(draw(1, "ab", "c") == draw(1, "a", "bc"))
    assert not np.any(draw(11, "a") == draw(1, "1", "a"))


def test_the_stream_is_the_same_on_every_machine():
    # Recorded once: a change here changes every number of every study.
    assert generator(0, "start").integers(2**32, size=2).tolist() == [
        1288152785,
        2001123391,
    ]


def test_drawing_from_one_part_leaves_the_other_alone():
    first = generator(0, "truth")
    expected = draw(0, "entries")
    first.standard_normal(1000)
    np.testing.assert_array_equal(draw(0, "entries"), expected)


def test_streams_of_neighbouring_seeds_are_independent():
    samples = np.array(
        [generator(seed, "x").standard_normal(200) for seed in range(40)]
    )
    correlation = np.corrcoef(samples)[np.triu_indices(40, 1)]
    # 780 correlations with deviation 1/sqrt(200) = 0.071: five deviations are passed
    # with probability 5e-4 by chance, and the seeds are fixed.
    assert np.abs(correlation).max() < 0.36


@pytest.mark.parametrize("seed", [-1, 1.0, 0.5, "0", None, True, np.float64(2)])
def test_a_seed_is_an_integer_that_is_not_negative(seed):
    with pytest.raises(SpecError, match=r"^`seed`: .*integer >= 0. Got .*seed=0"):
        generator(seed)
