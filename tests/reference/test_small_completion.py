"""Closed least traces of the grid, against certificates and the solver."""

import numpy as np
import pytest

from lowrankflow.errors import SpecError
from lowrankflow.problems import ExhaustiveGrid
from lowrankflow.reference import least_traces, min_nuclear_norm, verify

GRID = ExhaustiveGrid()


@pytest.mark.parametrize("mask", range(15))
def test_every_feasible_problem_of_the_grid_is_proved(mask):
    values = GRID.fillings[GRID.feasible(mask)]
    least = least_traces(GRID.masks[mask], values)
    rows, cols = GRID.masks[mask].T
    assert np.array_equal(least.matrix[:, rows, cols], values)
    size = least.trace
    # S X = 0, S >= 0, X >= 0: the proof, in floating point.
    product = least.slack @ least.matrix
    assert np.abs(product).max() <= 1e-12
    scale = np.abs(least.slack).max(axis=(1, 2)) + 1
    assert (np.linalg.eigvalsh(least.slack)[:, 0] >= -1e-14 * scale).all()
    assert (np.linalg.eigvalsh(least.matrix)[:, 0] >= -1e-14 * size).all()
    np.testing.assert_allclose((least.dual * values).sum(axis=1), size, rtol=1e-13)


@pytest.mark.parametrize("mask", [0, 1, 4, 5, 6, 14])
def test_the_solver_finds_the_same(mask):
    fillings = np.flatnonzero(GRID.feasible(mask))
    for filling in np.random.default_rng(mask).choice(fillings, 2):
        problem = GRID.problem(mask, int(filling))
        least = least_traces(GRID.masks[mask], GRID.fillings[[filling]])
        proof = verify(
            problem, least.matrix[0], least.dual[0], psd=True, gap_tolerance=1e-10
        )
        assert proof.holds, str(proof)
        solved = min_nuclear_norm(problem, psd=True, gap_tolerance=1e-7)
        assert np.trace(solved.matrix) == pytest.approx(least.trace[0], rel=1e-6)


def test_a_trace_known_as_a_fraction():
    pairs = np.array([[0, 0], [0, 1], [1, 1], [1, 2]])
    least = least_traces(pairs, np.array([[9.0, -3.0, 3.0, -5.0]]) / 9)
    assert least.trace[0] == pytest.approx(61 / 27, rel=1e-15)
    assert least.matrix[0, 2, 2] == pytest.approx(25 / 27, rel=1e-15)
    assert least.matrix[0, 0, 2] == pytest.approx(5 / 9, rel=1e-15)


def test_other_pairs_are_refused():
    with pytest.raises(SpecError, match="four distinct entries"):
        least_traces(np.array([[0, 0], [1, 0], [1, 1], [2, 2]]), np.ones((1, 4)))
