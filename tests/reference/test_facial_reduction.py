"""P.s.d. completions whose observed blocks are singular."""

import itertools

import numpy as np
import pytest

from lowrankflow.problems import DenseSensing, SensingProblem, SymmetricEntrySampling
from lowrankflow.reference import min_nuclear_norm, verify
from lowrankflow.reference.facial_reduction import _maximal_cliques, exposed_face
from lowrankflow.result import Result


def completion(size, rank, cliques, seed):
    """A p.s.d. truth of a given rank, observed on blocks and at a few entries."""
    rng = np.random.default_rng(seed)
    factor = rng.standard_normal((size, rank))
    truth = factor @ factor.T
    pairs = {
        pair
        for clique in cliques
        for pair in itertools.combinations_with_replacement(clique, 2)
    }
    pairs |= {tuple(sorted(rng.choice(size, 2, replace=False))) for _ in range(size)}
    rows, cols = np.array(sorted(pairs)).T
    operator = SymmetricEntrySampling(rows, cols, size)
    return SensingProblem(operator, truth[rows, cols]), truth


CLIQUES = ([0, 1, 2, 3], [2, 3, 4, 5, 6])


@pytest.mark.parametrize("seed", range(4))
def test_the_minimum_is_certified_on_the_whole_cone(seed):
    problem, truth = completion(12, 2, CLIQUES, seed)
    reference = min_nuclear_norm(problem, psd=True, gap_tolerance=1e-6)
    assert reference.result is Result.converged
    # By the checker that knows no faces, and in the caller's measurements.
    certificate = verify(
        problem, reference.matrix, reference.dual, psd=True, gap_tolerance=1e-6
    )
    assert certificate.holds
    assert certificate.upper_value <= np.trace(truth) * (1 + 1e-6)


def test_the_face_holds_every_completion():
    problem, truth = completion(12, 2, CLIQUES, 0)
    face = exposed_face(problem)
    # Blocks of 4 and 5 that share 2 rows, of rank 2: together 7 rows, of rank 2.
    assert face.basis.shape == (12, 12 - 5)
    projector = face.basis @ face.basis.T
    assert np.abs(projector @ truth - truth).max() < 1e-12
    exposing = problem.operator.adjoint(face.exposing).to_dense()
    assert np.linalg.eigvalsh(exposing)[0] > -1e-12
    assert np.abs(exposing @ face.basis).max() < 1e-12
    assert abs(face.exposing @ problem.measurements) < 1e-12


def test_the_restricted_problem_measures_the_same():
    problem, _ = completion(12, 2, CLIQUES, 1)
    face = exposed_face(problem)
    rng = np.random.default_rng(2)
    inner = rng.standard_normal((face.basis.shape[1],) * 2)
    inner = inner + inner.T
    np.testing.assert_allclose(
        face.restricted(problem).operator.apply(inner),
        problem.operator.apply(face.matrix(inner)),
        atol=1e-12,
    )


def test_regular_blocks_leave_the_cone_as_it_is():
    problem, _ = completion(12, 9, CLIQUES, 0)
    assert exposed_face(problem) is None


def test_a_block_with_a_negative_eigenvalue_is_left_to_the_solver():
    operator = SymmetricEntrySampling([0, 0, 1, 2], [0, 1, 1, 2], 3)
    problem = SensingProblem(operator, np.array([1.0, 2.0, 1.0, 0.0]))
    assert exposed_face(problem) is None
    assert min_nuclear_norm(problem, psd=True).result is Result.unreachable


def test_other_operators_have_no_blocks():
    stack = np.zeros((1, 2, 2))
    stack[0, 0, 0] = 1
    assert exposed_face(SensingProblem(DenseSensing(stack), np.zeros(1))) is None


def test_maximal_cliques_are_those_of_a_search_of_all_subsets():
    rng = np.random.default_rng(0)
    for _ in range(20):
        observed = rng.random((7, 7)) < 0.6
        observed |= observed.T
        whole = [
            set(rows)
            for length in range(1, 8)
            for rows in itertools.combinations(range(7), length)
            if observed[np.ix_(rows, rows)].all()
        ]
        expected = [rows for rows in whole if not any(rows < other for other in whole)]
        found = list(_maximal_cliques(observed))
        assert sorted(map(sorted, expected)) == sorted(found)
