"""Non-negative least squares as a problem with diagonal measurements."""

import numpy as np
import pytest

from lowrankflow.errors import SpecError
from lowrankflow.problems import nonnegative_least_squares


def test_it_measures_a_non_negative_vector_on_the_diagonal():
    problem = nonnegative_least_squares(size=6, num_measurements=3, sparsity=2, seed=4)
    truth = np.diag(problem.target)
    assert np.array_equal(problem.target, np.diag(truth))
    assert np.count_nonzero(truth) == 2
    assert truth.min() >= 0
    design = np.asarray(problem.operator.eigenvalues)
    np.testing.assert_allclose(design @ truth, problem.measurements, atol=1e-14)
    # What is off the diagonal is not measured.
    full = problem.target + np.triu(np.ones((6, 6)), 1)
    np.testing.assert_allclose(
        problem.operator.apply(full), problem.measurements, atol=1e-14
    )


def test_another_seed_is_another_problem():
    first, second = (
        nonnegative_least_squares(size=4, num_measurements=2, sparsity=4, seed=seed)
        for seed in (0, 1)
    )
    assert not np.allclose(first.measurements, second.measurements)


@pytest.mark.parametrize("name", ["num_measurements", "sparsity"])
@pytest.mark.parametrize("value", [0, 5])
def test_refusals_teach(name, value):
    sizes = {"num_measurements": 2, "sparsity": 2, name: value}
    with pytest.raises(SpecError, match=rf"{name}\)`: this is in 1\.\.\.size, here 4"):
        nonnegative_least_squares(size=4, seed=0, **sizes)
