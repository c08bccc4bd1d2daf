import dataclasses
import itertools

import numpy as np
import pytest

from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems import (
    ColumnSensing,
    CommutingSensing,
    DenseSensing,
    EntrySampling,
    SensingProblem,
    SymmetricEntrySampling,
    lift,
    planted_completion_with_replacement,
)
from lowrankflow.reference.certificate import verify
from lowrankflow.reference.infeasibility import verify_unreachable
from lowrankflow.reference.nuclear_norm import min_nuclear_norm
from lowrankflow.result import Result

GAP = 1e-8  # what is asked for, and what every certificate here is held against
SAME = 3e-8  # two values, each within GAP of the minimum, and rounding


def completion(rows, cols, rank, num_measurements, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((rows, rank)) @ rng.standard_normal((rank, cols))
    chosen = rng.choice(rows * cols, num_measurements, replace=False)
    row, col = np.divmod(chosen, cols)
    operator = EntrySampling(row, col, (rows, cols))
    return SensingProblem(operator, truth[row, col], target=truth)


def sensing(rows, cols, rank, num_measurements, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((rows, rank)) @ rng.standard_normal((rank, cols))
    operator = DenseSensing(rng.standard_normal((num_measurements, rows, cols)))
    return SensingProblem(operator, operator.apply(truth), target=truth)


def symmetric(entries, values, size):
    row, col = np.array(entries).T
    operator = SymmetricEntrySampling(row, col, size)
    return SensingProblem(operator, np.array(values, dtype=float))


def symmetric_sensing(size, rank, num_measurements, seed=0):
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((size, rank))
    stack = rng.standard_normal((num_measurements, size, size))
    operator = DenseSensing((stack + stack.transpose(0, 2, 1)) / 2)
    return SensingProblem(operator, operator.apply(root @ root.T))


def certified(problem, **options):
    reference = min_nuclear_norm(problem, gap_tolerance=GAP, **options)
    assert reference.result is Result.converged, str(reference.certificate)
    assert reference.certificate.holds
    again = verify(
        problem, reference.matrix, reference.dual, gap_tolerance=GAP, **options
    )
    assert again == reference.certificate
    assert reference.matrix.shape == problem.shape
    return reference


RECTANGULAR = {
    "5 x 7": completion(5, 7, 2, 22),
    "7 x 5": completion(7, 5, 2, 22),
    "5 x 7 sensing": sensing(5, 7, 1, 14),
    "7 x 5 sensing": sensing(7, 5, 1, 14),
    "dense Newton matrix too large": sensing(9, 12, 2, 70),
    "few": completion(8, 6, 2, 9),
    "square": completion(6, 6, 2, 20),
    "all observed": completion(4, 5, 3, 20),
    "one row": completion(1, 6, 1, 4),
    "one column": completion(6, 1, 1, 4),
    "symmetric entries": symmetric([(0, 0), (0, 1), (1, 2), (2, 2)], [1, 2, -1, 0], 3),
    "columns": SensingProblem(
        ColumnSensing(
            np.random.default_rng(3).standard_normal((6, 4)), [0, 0, 1, 2, 2, 4], 5
        ),
        np.arange(6.0),
    ),
}
PSD = {
    "sensing": symmetric_sensing(6, 2, 10),
    "well sampled": symmetric_sensing(6, 1, 14),
    "not symmetric": sensing(5, 5, 5, 4),
    "entries": symmetric(
        [(0, 0), (1, 1), (0, 1), (2, 3), (3, 3)], [2, 1, -1, 1, 0.5], 5
    ),
    "lifted": lift(completion(3, 4, 1, 7)),
    "commuting": SensingProblem(
        CommutingSensing(np.eye(3), [[1, 1, 0], [0, 1, 1]]), np.array([1.0, 1.0])
    ),
}


def cone_solver(problem, *, psd=False, noise_radius=0.0):
    """The minimum by an interior-point method that shares no code with ours."""
    cvxpy = pytest.importorskip("cvxpy", reason="the cross-check extra is not there")
    rows, cols = problem.shape
    units = np.eye(problem.num_measurements)
    stack = [problem.operator.adjoint(unit).to_dense() for unit in units]
    matrix = cvxpy.Variable((rows, cols), symmetric=psd)
    residual = cvxpy.hstack(
        [cvxpy.sum(cvxpy.multiply(np.asarray(a), matrix)) for a in stack]
    ) - np.asarray(problem.measurements)
    constraints = [
        cvxpy.norm(residual) <= noise_radius if noise_radius else residual == 0
    ]
    cost = cvxpy.trace(matrix) if psd else cvxpy.normNuc(matrix)
    if psd:
        constraints.append(matrix >> 0)
    return cvxpy.Problem(cvxpy.Minimize(cost), constraints).solve(solver="CLARABEL")


# CVXPY warns of its own deprecations while it is imported.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("noise_radius", [0.0, 0.3])
@pytest.mark.parametrize("name", RECTANGULAR)
def test_rectangular_minima_agree_with_an_interior_point_method(name, noise_radius):
    problem = RECTANGULAR[name]
    reference = certified(problem, noise_radius=noise_radius)
    expected = cone_solver(problem, noise_radius=noise_radius)
    # 1e-6: Clarabel stops at 1e-8 in its own scaled residuals, not in the value.
    value = reference.certificate.upper_value
    assert value == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("noise_radius", [0.0, 0.3])
@pytest.mark.parametrize("name", PSD)
def test_psd_minima_agree_with_an_interior_point_method(name, noise_radius):
    problem = PSD[name]
    reference = certified(problem, psd=True, noise_radius=noise_radius)
    expected = cone_solver(problem, psd=True, noise_radius=noise_radius)
    assert reference.certificate.upper_value == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("shape", [(60, 90), (90, 60), (40, 40)])
def test_a_well_sampled_truth_is_recovered(shape):
    problem = completion(*shape, rank=2, num_measurements=shape[0] * shape[1] // 2)
    reference = certified(problem)
    error = np.linalg.norm(reference.matrix - problem.target)
    # The minimum is sharp: an error costs a fixed part of itself in nuclear norm, so
    # the gap bounds it up to a constant, about 10 here.
    assert error <= 1e2 * GAP * np.linalg.norm(problem.target)


@pytest.mark.parametrize("shape", [(30, 20), (20, 30)])
def test_few_entries_are_certified_too(shape):
    reference = certified(completion(*shape, rank=2, num_measurements=150))
    assert reference.certificate.primal_residual < 1e-14  # moved onto 𝒜(X) = y


def test_transposing_the_problem_transposes_the_minimum():
    problem = completion(12, 20, 2, 110)
    operator = problem.operator
    turned = SensingProblem(
        EntrySampling(operator.col_index, operator.row_index, (20, 12)),
        problem.measurements,
    )
    here, there = certified(problem), certified(turned)
    value = here.certificate.upper_value
    assert there.certificate.upper_value == pytest.approx(value, rel=SAME)


@pytest.mark.parametrize("scale", [1e-12, 1e9])
def test_the_scale_of_the_data_does_not_matter(scale):
    problem = RECTANGULAR["5 x 7"]
    scaled = SensingProblem(problem.operator, scale * problem.measurements)
    here, there = certified(problem), certified(scaled)
    # Everything is divided by ||y|| first, which rounds in the last digit.
    assert there.certificate.upper_value / scale == pytest.approx(
        here.certificate.upper_value, rel=SAME
    )


@pytest.mark.parametrize("shape", [(5, 7), (7, 5)])
def test_one_measurement_has_its_closed_form(shape):
    problem = sensing(*shape, rank=1, num_measurements=1)
    left, values, right = np.linalg.svd(problem.operator.stack[0].reshape(shape))
    expected = problem.measurements[0] / values[0] * np.outer(left[:, 0], right[0])
    matrix = certified(problem).matrix
    np.testing.assert_allclose(matrix, expected, atol=1e-6 * np.abs(expected).max())


def test_rows_and_columns_never_seen_come_out_zero():
    rows, cols = np.array([0, 0, 2, 2, 3]), np.array([0, 1, 1, 4, 0])
    problem = SensingProblem(EntrySampling(rows, cols, (5, 6)), np.arange(1.0, 6.0))
    matrix = certified(problem).matrix
    # Zero but for the rounding of products with singular vectors.
    assert np.abs(matrix[[1, 4]]).max() < 1e-14
    assert np.abs(matrix[:, [2, 3, 5]]).max() < 1e-14


@pytest.mark.parametrize("psd", [False, True])
def test_no_data_give_zero(psd):
    problem = symmetric([(0, 0), (0, 1)], [0, 0], 3)
    reference = certified(problem, psd=psd)
    assert not np.any(reference.matrix)
    assert reference.iterations == 0
    assert reference.certificate.relative_gap == 0


@pytest.mark.parametrize("psd", [False, True])
def test_a_radius_as_large_as_the_data_gives_zero(psd):
    problem = symmetric([(0, 0), (0, 1)], [3, 4], 3)
    assert not np.any(certified(problem, psd=psd, noise_radius=5.0).matrix)
    nearly = certified(problem, psd=psd, noise_radius=4.9)
    assert 0 < nearly.certificate.upper_value < 0.2


def test_a_radius_is_used_up():
    problem = completion(12, 9, 2, 60)
    reference = certified(problem, noise_radius=1.0)
    residual = problem.residual(reference.matrix)
    # Less nuclear norm is always gained by leaving the data further.
    assert np.linalg.norm(residual) == pytest.approx(1.0, rel=1e-6)
    assert (
        reference.certificate.upper_value < certified(problem).certificate.upper_value
    )


def test_repeated_measurements_add_nothing():
    problem = sensing(4, 5, 1, 8)
    stack = problem.operator.stack.reshape(-1, 4, 5)
    doubled = SensingProblem(
        DenseSensing(np.concatenate([stack, 3 * stack[:2], stack[:1] - stack[1:2]])),
        np.concatenate(
            [
                problem.measurements,
                3 * problem.measurements[:2],
                problem.measurements[:1] - problem.measurements[1:2],
            ]
        ),
    )
    value = certified(problem).certificate.upper_value
    assert certified(doubled).certificate.upper_value == pytest.approx(value, rel=SAME)


def test_measurements_that_contradict_each_other_are_unreachable():
    stack = np.random.default_rng(0).standard_normal((2, 4, 5))
    operator = DenseSensing(np.concatenate([stack, stack[:1]]))
    problem = SensingProblem(operator, np.array([1.0, 2.0, 1.1]))
    reference = min_nuclear_norm(problem)
    assert reference.result is Result.unreachable
    assert reference.certificate.holds
    # Within a radius they agree: both are 0.05 from their mean.
    assert certified(problem, noise_radius=0.1).certificate.holds


@pytest.mark.parametrize("size", [2, 3, 10, 100])
def test_the_four_by_four_example_of_greedy_learning(size):
    problem = symmetric([(0, 2), (0, 3), (1, 2)], [1, size, size], 4)
    reference = certified(problem, psd=True)
    # li2021: the minimum trace is 4R, attained at one matrix only.
    assert reference.certificate.upper_value == pytest.approx(4 * size, rel=GAP)
    r = size
    unique = [[r, 1, 1, r], [1, r, r, 1], [1, r, r, 1], [r, 1, 1, r]]
    # A gap of 1e-8 R allows a distance of its square root where the minimum is smooth.
    np.testing.assert_allclose(reference.matrix, unique, atol=2e-4 * size)


def test_the_three_by_three_counter_example():
    problem = symmetric([(0, 0), (1, 1), (0, 1), (1, 2)], [1, 1 / 3, -1 / 3, -5 / 9], 3)
    reference = certified(problem, psd=True)
    assert reference.certificate.upper_value == pytest.approx(61 / 27, rel=GAP)
    # X_22 = 25/27 and X_02 = 5/9; the square root of the gap, as above.
    np.testing.assert_allclose(reference.matrix[2], [5 / 9, -5 / 9, 25 / 27], atol=1e-4)


def test_the_minimum_without_the_cone_is_never_larger():
    for seed in range(3):
        problem = symmetric_sensing(5, 2, 8, seed)
        over_all = certified(problem).certificate.lower_value
        over_psd = certified(problem, psd=True).certificate.upper_value
        assert over_all <= over_psd * (1 + GAP)


@pytest.mark.parametrize(
    ("entries", "values", "size"),
    [
        ([(0, 0)], [-1], 3),
        ([(0, 0), (1, 1), (0, 1)], [1, 1, 2], 3),
        ([(0, 0), (1, 1), (0, 1)], [1, 1, 1 + 1e-5], 2),
        ([(2, 2), (0, 1), (0, 2), (1, 2)], [-5, 3, -3, -9], 3),
        ([(0, 0), (1, 1), (0, 1), (0, 2)], [-5, -7, -7, 9], 3),
    ],
)
def test_no_psd_matrix_is_told_apart_with_a_proof(entries, values, size):
    problem = symmetric(entries, values, size)
    reference = min_nuclear_norm(problem, psd=True)
    assert reference.result is Result.unreachable
    assert reference.certificate.holds
    assert reference.certificate == verify_unreachable(
        problem, reference.dual, psd=True
    )
    assert not reference.result.is_success
    # Without the cone any values of distinct entries can be met.
    assert certified(problem).certificate.holds


def test_a_sample_of_the_three_by_three_grid_is_all_decided():
    pairs = [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]
    grid = np.linspace(-1, 1, 10)
    rng = np.random.default_rng(0)
    masks = list(itertools.combinations(pairs, 4))
    for _ in range(60):
        mask = masks[rng.integers(len(masks))]
        values = grid[rng.integers(10, size=4)]
        known = dict(zip(mask, values, strict=True))
        # gunasekar2017's grid: these patterns have no cycle, so the observed minors
        # decide; 1e-12 for minors that vanish, as 1/9 * 1 - (1/3)^2.
        possible = all(known.get((i, i), 0) >= 0 for i in range(3)) and all(
            known[i, i] * known[j, j] >= known[i, j] ** 2 - 1e-12
            for i, j in pairs[3:]
            if {(i, j), (i, i), (j, j)} <= set(mask)
        )
        reference = min_nuclear_norm(symmetric(mask, values, 3), psd=True)
        expected = Result.converged if possible else Result.unreachable
        assert reference.result is expected, (mask, values)
        assert reference.certificate.holds


def test_psd_data_without_interior():
    # X_00 = 0 forces a row to zero.
    problem = symmetric([(0, 0), (1, 1), (1, 2)], [0, 1, 0.5], 3)
    reference = certified(problem, psd=True)
    assert reference.certificate.upper_value == pytest.approx(1.25, rel=GAP)


def test_a_dual_that_is_not_attained_is_not_claimed():
    # X_00 = 0 and X_11 + X_01 = 1: the minimum trace 1 has no dual solution, and duals
    # of value 1 - e have numbers of the order 1 / e.
    stack = np.zeros((2, 2, 2))
    stack[0, 0, 0] = stack[1, 1, 1] = 1
    stack[1, 0, 1] = stack[1, 1, 0] = 0.5
    problem = SensingProblem(DenseSensing(stack), np.array([0.0, 1.0]))
    reference = min_nuclear_norm(problem, psd=True, max_iterations=400)
    assert reference.result in (
        Result.converged,
        Result.stalled,
        Result.iterations_reached,
    )
    assert reference.certificate.holds == (reference.result is Result.converged)
    # The best point found is good all the same: no duality gap of its own making.
    assert reference.certificate.lower_value <= 1 + 1e-12
    assert reference.certificate.upper_value == pytest.approx(1, abs=1e-3)


def test_data_no_psd_matrix_meets_but_the_limit_of_some_do():
    # X_00 = 0 with X_01 = 1: at any distance e, X_11 = 1 / e would do.
    reference = min_nuclear_norm(
        symmetric([(0, 0), (0, 1)], [0, 1], 2), psd=True, max_iterations=300
    )
    assert reference.result in (Result.stalled, Result.iterations_reached)
    assert not reference.certificate.holds


def test_measurement_matrices_of_zeros_explain_nothing():
    problem = SensingProblem(DenseSensing(np.zeros((1, 2, 3))), np.ones(1))
    reference = min_nuclear_norm(problem)
    assert reference.result is Result.unreachable
    assert reference.certificate.trace_bound == np.inf


def test_too_few_iterations_are_said():
    reference = min_nuclear_norm(completion(20, 30, 3, 300), max_iterations=3)
    assert reference.result is Result.iterations_reached
    assert not reference.certificate.holds
    assert reference.iterations < 50


def test_a_start_is_used():
    problem = completion(20, 30, 2, 250)
    first = certified(problem)
    nearby = SensingProblem(
        problem.operator, problem.measurements * (1 + 1e-6 * np.arange(250) / 250)
    )
    again = min_nuclear_norm(nearby, start=first)
    assert again.certificate.holds
    assert again.iterations < first.iterations
    tall = completion(30, 20, 2, 250)
    assert min_nuclear_norm(tall, start=certified(tall)).certificate.holds


def test_the_same_problem_gives_the_same_numbers():
    problem = completion(10, 12, 2, 60)
    first, second = certified(problem), certified(problem)
    np.testing.assert_array_equal(first.matrix, second.matrix)
    np.testing.assert_array_equal(first.dual, second.dual)


def test_a_reference_cannot_be_changed():
    reference = certified(RECTANGULAR["5 x 7"])
    with pytest.raises(dataclasses.FrozenInstanceError):
        reference.iterations = 0


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"psd": True}, r"`min_nuclear_norm\(psd\)`: only a square matrix"),
        ({"gap_tolerance": -1e-8}, "relative gap asked for is a positive number"),
        ({"noise_radius": -1.0}, "finite number, not negative"),
        ({"noise_radius": np.inf}, "finite number, not negative"),
        ({"max_iterations": 0}, "at least one decomposition is allowed"),
    ],
)
def test_settings_that_make_no_sense(options, match):
    with pytest.raises(SpecError, match=match):
        min_nuclear_norm(RECTANGULAR["5 x 7"], **options)


def test_a_start_of_another_problem():
    start = certified(RECTANGULAR["5 x 7"])
    with pytest.raises(DataError, match="Start from a solution of a problem of the"):
        min_nuclear_norm(RECTANGULAR["7 x 5"], start=start)


def test_a_stack_too_large_to_hold():
    # Never formed: only its shape is looked at.
    operator = CommutingSensing(np.eye(1000), np.ones((600, 1000)))
    problem = SensingProblem(operator, np.ones(600))
    with pytest.raises(SpecError, match="a stack of at most 4 GB"):
        min_nuclear_norm(problem)


@pytest.mark.parametrize("shape", [(9, 12), (12, 9)])
def test_weights_change_neither_the_minimum_nor_its_proof(shape):
    weighted = planted_completion_with_replacement(shape, rank=2, num_draws=90, seed=0)
    operator = weighted.operator
    plain = SensingProblem.from_entries(
        operator.row_index,
        operator.col_index,
        weighted.target[operator.row_index, operator.col_index],
        shape,
    )
    one, other = (
        min_nuclear_norm(problem, gap_tolerance=1e-8) for problem in (weighted, plain)
    )
    assert one.certificate.holds
    np.testing.assert_allclose(one.matrix, other.matrix, atol=1e-10)
    np.testing.assert_allclose(
        one.dual * np.asarray(operator.scale), other.dual, atol=1e-10
    )
