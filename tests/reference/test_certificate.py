import numpy as np
import pytest

from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems import (
    DenseSensing,
    EntrySampling,
    Factored,
    SensingProblem,
    SymmetricEntrySampling,
)
from lowrankflow.reference.certificate import verify
from lowrankflow.reference.infeasibility import verify_unreachable

ROUNDING = 1e-13  # of one decomposition of a matrix of ten rows, with room


def one_measurement(rows, cols, seed=0):
    """<A, X> = 2: X = 2 u v' / s and lambda = 1 / s, from the top singular triple."""
    stack = np.random.default_rng(seed).standard_normal((1, rows, cols))
    left, values, right = np.linalg.svd(stack[0])
    matrix = 2 * np.outer(left[:, 0], right[0]) / values[0]
    problem = SensingProblem(DenseSensing(stack), np.array([2.0]))
    return problem, matrix, np.array([1 / values[0]])


def one_psd_measurement(seed=0):
    stack = np.random.default_rng(seed).standard_normal((1, 5, 5))
    values, basis = np.linalg.eigh((stack[0] + stack[0].T) / 2)
    matrix = 2 * np.outer(basis[:, -1], basis[:, -1]) / values[-1]
    problem = SensingProblem(DenseSensing(stack), np.array([2.0]))
    return problem, matrix, np.array([1 / values[-1]])


@pytest.mark.parametrize("shape", [(5, 7), (7, 5)])
def test_the_closed_form_of_one_measurement_is_certified(shape):
    problem, matrix, dual = one_measurement(*shape)
    certificate = verify(problem, matrix, dual)
    assert certificate.holds
    assert abs(certificate.relative_gap) < ROUNDING
    assert certificate.primal_residual < ROUNDING
    assert abs(certificate.dual_norm - 1) < ROUNDING
    assert certificate.min_eigenvalue is None
    assert str(certificate).startswith("Certified: nuclear norm")


def test_the_psd_closed_form_is_certified():
    problem, matrix, dual = one_psd_measurement()
    certificate = verify(problem, matrix, dual, psd=True)
    assert certificate.holds
    assert certificate.min_eigenvalue > -ROUNDING
    assert str(certificate).startswith("Certified: trace")


def test_a_factored_matrix_is_judged_like_its_dense_form():
    problem, matrix, dual = one_measurement(5, 7)
    left, values, right = np.linalg.svd(matrix)
    factored = Factored(left[:, :1], np.diag(values[:1]), right[:1].T)
    assert verify(problem, factored, dual).holds


@pytest.mark.parametrize("shape", [(5, 7), (7, 5)])
def test_it_rejects_a_perturbed_primal(shape):
    problem, matrix, dual = one_measurement(*shape)
    other = np.random.default_rng(1).standard_normal(shape)
    other -= matrix * np.sum(problem.operator.stack[0] * other.reshape(-1)) / 2
    # Feasible still, but larger: only the gap can tell.
    perturbed = verify(problem, matrix + 1e-3 * other, dual)
    assert perturbed.primal_residual < ROUNDING
    assert perturbed.relative_gap > 1e-8
    assert not perturbed.holds
    # Smaller, but infeasible: the gap must not come out flattering.
    shrunk = verify(problem, (1 - 1e-6) * matrix, dual)
    assert not shrunk.holds
    # 1e-6 of the value is missing and is put back as what the residual can hide.
    assert shrunk.upper_value >= 2 * dual[0] * (1 - ROUNDING)
    assert str(shrunk).startswith("Not certified")


@pytest.mark.parametrize("psd", [False, True])
def test_it_rejects_an_infeasible_dual_and_keeps_the_factor(psd):
    problem, matrix, dual = one_psd_measurement() if psd else one_measurement(5, 7)
    certificate = verify(problem, matrix, 1.5 * dual, psd=psd)
    assert not certificate.holds
    assert certificate.dual_norm == pytest.approx(1.5, rel=ROUNDING)
    assert certificate.dual_factor == certificate.dual_norm
    # Rescaled, the value is the right one again: never more than the minimum.
    assert certificate.lower_value == pytest.approx(2 * dual[0], rel=ROUNDING)


@pytest.mark.parametrize("psd", [False, True])
def test_it_rejects_a_swapped_sign(psd):
    problem, matrix, dual = one_psd_measurement() if psd else one_measurement(5, 7)
    certificate = verify(problem, matrix, -dual, psd=psd)
    assert not certificate.holds
    assert certificate.relative_gap > 1


def test_it_rejects_a_negative_eigenvalue_and_a_skew_part():
    problem, matrix, dual = one_psd_measurement()
    basis = np.linalg.eigh(matrix)[1]
    dent = 1e-4 * np.outer(basis[:, 0], basis[:, 0])
    assert not verify(problem, matrix - dent, dual, psd=True).holds
    skew = np.zeros((5, 5))
    skew[0, 1], skew[1, 0] = 1e-4, -1e-4
    certificate = verify(problem, matrix + skew, dual, psd=True)
    assert certificate.min_eigenvalue < -1e-6
    assert not certificate.holds


def test_no_data_need_no_matrix():
    operator = EntrySampling([0, 1], [0, 3], (3, 4))
    problem = SensingProblem(operator, np.zeros(2))
    certificate = verify(problem, np.zeros((3, 4)), np.zeros(2))
    assert certificate.holds
    assert certificate.relative_gap == 0
    assert not verify(problem, np.ones((3, 4)), np.zeros(2)).holds


def test_a_radius_widens_what_competes():
    problem, matrix, dual = one_measurement(5, 7)
    near = verify(problem, 0.75 * matrix, dual, noise_radius=0.5)
    assert near.holds
    assert near.lower_value == pytest.approx(1.5 * dual[0], rel=ROUNDING)
    assert not verify(problem, matrix, dual, noise_radius=0.5).holds
    assert not verify(problem, 0.7 * matrix, dual, noise_radius=0.5).holds
    nothing = verify(problem, np.zeros((5, 7)), np.zeros(1), noise_radius=2.0)
    assert nothing.holds
    assert nothing.relative_gap == 0


@pytest.mark.parametrize(
    ("entries", "values", "ray"),
    [
        ([(0, 0)], [-1.0], [-1.0]),
        ([(0, 0), (1, 1), (0, 1)], [1.0, 1.0, 2.0], [-1.0, -1.0, 2.0]),
    ],
)
def test_a_ray_excludes_every_psd_matrix(entries, values, ray):
    rows, cols = np.array(entries).T
    problem = SensingProblem(SymmetricEntrySampling(rows, cols, 3), np.array(values))
    certificate = verify_unreachable(problem, np.array(ray), psd=True)
    assert certificate.holds
    assert str(certificate).startswith("Infeasible")
    # Without the cone these data are met, and the same ray proves nothing.
    assert not verify_unreachable(problem, np.array(ray)).holds
    swapped = verify_unreachable(problem, -np.array(ray), psd=True)
    assert not swapped.holds
    assert str(swapped).startswith("Not shown")
    assert not verify_unreachable(problem, np.zeros(len(values)), psd=True).holds


def test_a_ray_excludes_contradicting_measurements():
    stack = np.random.default_rng(0).standard_normal((1, 4, 3))
    problem = SensingProblem(
        DenseSensing(np.concatenate([stack, 2 * stack])), np.array([1.0, 1.0])
    )
    assert verify_unreachable(problem, np.array([2.0, -1.0])).holds
    assert not verify_unreachable(problem, np.array([2.0, -0.9])).holds


def test_a_large_trace_is_not_an_impossible_one():
    # X_00 = 1e-4 and X_01 = 1 need X_11 = 1e4; the ray of that bound is no proof.
    operator = SymmetricEntrySampling([0, 0], [0, 1], 2)
    problem = SensingProblem(operator, np.array([1e-4, 1.0]))
    certificate = verify_unreachable(problem, np.array([-1e4, 2.0]), psd=True)
    assert not certificate.holds
    # The bound of 1e4 is exact; the least Frobenius norm solution has nuclear norm 2.
    assert certificate.trace_bound == pytest.approx(5e3, rel=1e-6)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"psd": True}, "only a square matrix can be positive semidefinite"),
        ({"gap_tolerance": 0.0}, "relative gap asked for is a positive number"),
        ({"gap_tolerance": np.inf}, "relative gap asked for is a positive number"),
        ({"noise_radius": -1.0}, "finite number, not negative"),
        ({"noise_radius": np.nan}, "finite number, not negative"),
    ],
)
def test_settings_that_make_no_sense(options, match):
    problem, matrix, dual = one_measurement(5, 7)
    with pytest.raises(SpecError, match=match):
        verify(problem, matrix, dual, **options)


def test_what_is_handed_in_must_fit():
    problem, matrix, dual = one_measurement(5, 7)
    with pytest.raises(DataError, match=r"the shape must be \(5, 7\)"):
        verify(problem, matrix.T, dual)
    with pytest.raises(DataError, match=r"the shape must be \(1,\)"):
        verify(problem, matrix, np.ones(2))
    with pytest.raises(DataError, match="every number must be finite"):
        verify(problem, np.nan * matrix, dual)
