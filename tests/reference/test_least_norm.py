import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems import (
    ColumnSensing,
    CommutingSensing,
    DenseSensing,
    EntrySampling,
    Huber,
    LiftedOperator,
    PNorm,
    SensingProblem,
    SymmetricEntrySampling,
    to_dense,
)
from lowrankflow.reference import (
    min_frobenius_norm,
    project_on_cone,
    projected_gradient,
)
from lowrankflow.result import Result

ROUNDING = 1e-11  # rounding times the condition of the small Gram matrices drawn


def operators(seed=0):
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    return {
        "wide entries": EntrySampling([0, 4, 2], [6, 0, 3], (5, 7)),
        "tall entries": EntrySampling([6, 0, 3], [0, 4, 2], (7, 5)),
        "wide dense": DenseSensing(rng.standard_normal((6, 5, 7))),
        "tall dense": DenseSensing(rng.standard_normal((6, 7, 5))),
        "columns": ColumnSensing(rng.standard_normal((5, 7)), [0, 1, 1, 4, 4], 5),
        "commuting": CommutingSensing(basis, rng.standard_normal((3, 5))),
        "symmetric": SymmetricEntrySampling([0, 1, 2], [0, 3, 4], 5),
        "lifted": LiftedOperator(EntrySampling([0, 1], [1, 2], (2, 3))),
        "one row": EntrySampling([0, 0], [0, 3], (1, 4)),
    }


OPERATORS = operators()


def symmetric_problem(size=6, rank=2, num_measurements=8, seed=0, **options):
    rng = np.random.default_rng(seed)
    stack = rng.standard_normal((num_measurements, size, size))
    stack = (stack + stack.transpose(0, 2, 1)) / 2
    root = rng.standard_normal((size, rank))
    operator = DenseSensing(stack)
    target = root @ root.T
    return SensingProblem(operator, operator.apply(target), target=target, **options)


@pytest.mark.parametrize("name", OPERATORS)
def test_it_fits_and_lies_in_the_span_of_the_measurements(name):
    operator = OPERATORS[name]
    truth = np.random.default_rng(1).standard_normal(operator.shape)
    problem = SensingProblem(operator, operator.apply(truth))
    found = min_frobenius_norm(problem)
    assert operator.apply(found) == pytest.approx(problem.measurements, abs=ROUNDING)
    units = np.eye(operator.num_measurements)
    span = np.stack([to_dense(operator.adjoint(unit)).reshape(-1) for unit in units])
    weights = np.linalg.lstsq(span.T, found.reshape(-1), rcond=None)[0]
    # CLAIM 7: the residual of the projection on the span, below 1e-8
    assert np.linalg.norm(span.T @ weights - found.reshape(-1)) < 1e-8
    assert found.reshape(-1) == pytest.approx(
        np.linalg.pinv(span) @ problem.measurements, abs=ROUNDING
    )


def test_entries_are_filled_with_zeros():
    problem = SensingProblem.from_matrix(np.array([[1.0, np.nan], [np.nan, -2.0]]))
    assert np.array_equal(min_frobenius_norm(problem), np.diag([1.0, -2.0]))


@pytest.mark.parametrize("name", ["wide dense", "tall dense", "columns"])
def test_claim_7_descent_on_the_matrix_from_zero_ends_there(name):
    operator = OPERATORS[name]
    truth = np.random.default_rng(2).standard_normal(operator.shape)
    problem = SensingProblem(operator, operator.apply(truth))
    matrix, step = np.zeros(operator.shape), 1 / operator.norm_bound() ** 2
    for _ in range(3000):
        matrix = matrix - step * np.asarray(to_dense(problem.gradient(matrix)))
    assert matrix == pytest.approx(min_frobenius_norm(problem), abs=1e-8)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(OPERATORS)), st.integers(0, 1000))
def test_no_other_fit_is_smaller(name, seed):
    operator = OPERATORS[name]
    truth = np.random.default_rng(seed).standard_normal(operator.shape)
    found = min_frobenius_norm(SensingProblem(operator, operator.apply(truth)))
    assert np.linalg.norm(found) <= np.linalg.norm(truth) * (1 + ROUNDING)
    # Pythagoras: what separates it from any other fit is orthogonal to it.
    gap = np.linalg.norm(truth - found) ** 2
    assert np.linalg.norm(found) ** 2 + gap == pytest.approx(np.linalg.norm(truth) ** 2)


def test_repeated_measurements_are_fine_if_they_agree():
    stack = np.random.default_rng(3).standard_normal((3, 5, 7))
    once, twice = DenseSensing(stack), DenseSensing(stack[[0, 1, 1, 2, 0]])
    values = np.array([1.0, 2.0, 3.0])
    expected = min_frobenius_norm(SensingProblem(once, values))
    repeated = SensingProblem(twice, values[[0, 1, 1, 2, 0]])
    assert min_frobenius_norm(repeated) == pytest.approx(expected, abs=ROUNDING)
    conflicting = SensingProblem(twice, np.array([1.0, 2.0, 2.5, 3.0, 1.0]))
    message = (
        r"some matrix must have these measurements. Got a distance of 3.5e-01 .*Av"
    )
    with pytest.raises(DataError, match=message):
        min_frobenius_norm(conflicting)


def test_a_measurement_of_nothing_must_be_zero():
    stack = np.zeros((2, 3, 2))
    stack[0, 0, 0] = 2
    operator = DenseSensing(stack)
    found = min_frobenius_norm(SensingProblem(operator, np.array([4.0, 0.0])))
    assert np.array_equal(found, [[2.0, 0], [0, 0], [0, 0]])
    with pytest.raises(DataError, match="distance of 1.0e"):
        min_frobenius_norm(SensingProblem(operator, np.array([4.0, 1.0])))


@pytest.mark.parametrize("normalization", ["sum", "mean"])
def test_projected_gradient_reaches_a_fit_on_the_cone(normalization):
    problem = symmetric_problem(normalization=normalization)
    found = projected_gradient(problem, gradient_tolerance=1e-9, max_iterations=20000)
    assert found.result is Result.stationary
    assert found.gradient_norm <= 1e-9
    assert np.linalg.eigvalsh(found.matrix)[0] > -1e-13
    assert np.array_equal(found.matrix, found.matrix.T)
    # The gradient is A* of the residual, whose least singular value here is about 1.
    assert np.linalg.norm(problem.residual(found.matrix)) < 1e-7
    assert found.loss == pytest.approx(float(problem.value(found.matrix)))
    # gunasekar2017: a fit, and neither the planted matrix nor of its rank
    assert np.linalg.norm(found.matrix - problem.target) > 0.1
    assert np.linalg.eigvalsh(found.matrix)[-3] > 0.01


def test_the_mean_takes_the_same_steps_as_the_sum():
    for steps in (1, 7):
        settings_ = {"gradient_tolerance": 1e-12, "max_iterations": steps}
        total = projected_gradient(symmetric_problem(), **settings_)
        mean = projected_gradient(symmetric_problem(normalization="mean"), **settings_)
        assert mean.matrix == pytest.approx(total.matrix, abs=1e-12)
        assert mean.result is Result.iterations_reached
        assert mean.iterations == steps


def test_the_loss_never_rises_and_the_gap_falls_as_one_over_iterations():
    problem = symmetric_problem(num_measurements=12)
    losses = [
        projected_gradient(problem, gradient_tolerance=1e-14, max_iterations=steps).loss
        for steps in range(1, 40)
    ]
    assert np.all(np.diff(losses) <= 0)
    smoothness = problem.operator.norm_bound() ** 2
    distance = np.linalg.norm(problem.target) ** 2  # from zero to a minimum
    for steps, loss in enumerate(losses, start=1):
        assert loss <= smoothness * distance / (2 * steps)


def test_inside_the_cone_it_is_least_norm():
    # One entry, 2 > 0: descent from zero never meets the boundary of the cone.
    problem = SensingProblem(SymmetricEntrySampling([1], [1], 3), np.array([2.0]))
    found = projected_gradient(problem, gradient_tolerance=1e-12, max_iterations=10)
    assert found.matrix == pytest.approx(min_frobenius_norm(problem), abs=1e-12)


def test_an_unreachable_fit_ends_at_the_nearest_on_the_cone():
    problem = SensingProblem(
        SymmetricEntrySampling([0, 0, 1], [0, 1, 1], 2), np.array([1.0, 2.0, 1.0])
    )
    found = projected_gradient(problem, gradient_tolerance=1e-12, max_iterations=5000)
    assert found.result is Result.stationary
    # All entries c, since the problem is symmetric and the minimum of rank 1:
    # (c - 1)^2 + (c - 2)^2 / 2 is least at c = 4/3.
    assert found.matrix == pytest.approx(np.full((2, 2), 4 / 3), abs=1e-9)
    assert found.loss == pytest.approx((1 / 9 + 2 / 9), rel=1e-12)


@pytest.mark.parametrize(
    ("loss", "tolerance", "precision"),
    # At the cube a residual r has the gradient r^2, and falls as one over iterations.
    [(Huber(0.5), 1e-8, 1e-8), (PNorm(1.5), 1e-8, 1e-8), (PNorm(3.0), 1e-4, 1e-2)],
)
def test_other_losses_search_their_step(loss, tolerance, precision):
    # The minimum is a fit inside of the cone, and descent must find it.
    problem = SensingProblem(
        SymmetricEntrySampling([0, 1], [0, 1], 2), np.array([2.0, 1.0]), loss=loss
    )
    found = projected_gradient(
        problem, gradient_tolerance=tolerance, max_iterations=1000
    )
    assert found.result is Result.stationary
    assert np.diagonal(found.matrix) == pytest.approx([2.0, 1.0], abs=precision)
    short = projected_gradient(problem, gradient_tolerance=1e-8, max_iterations=2)
    assert short.loss < float(problem.value(np.zeros((2, 2))))


def test_a_loss_without_curvature_bound_runs_out_of_step():
    # |r|^p with p near 1 is curved without bound at r = 0: no step is short enough.
    problem = SensingProblem(
        SymmetricEntrySampling([0], [0], 1), np.array([1.0]), loss=PNorm(1.001)
    )
    found = projected_gradient(problem, gradient_tolerance=1e-3, max_iterations=500)
    assert found.result is Result.step_too_small
    assert found.matrix[0, 0] == pytest.approx(1, abs=1e-6)


def test_a_start_is_projected_and_kept_if_it_fits():
    problem = SensingProblem(SymmetricEntrySampling([0], [0], 2), np.array([1.0]))
    found = projected_gradient(
        problem, gradient_tolerance=1e-9, max_iterations=5, start=np.diag([1.0, -3.0])
    )
    assert found.iterations == 0
    assert found.matrix == pytest.approx(np.diag([1.0, 0.0]), abs=1e-15)


def test_a_measurement_of_nothing_is_stationary_at_once():
    problem = SensingProblem(DenseSensing(np.zeros((1, 2, 2))), np.ones(1))
    found = projected_gradient(problem, gradient_tolerance=1e-9, max_iterations=5)
    assert found.result is Result.stationary
    assert found.loss == 0.5


def test_projection_on_the_cone():
    matrix = np.array([[0.0, 1.0], [1.0, 0.0]])  # eigenvalues 1 and -1
    assert project_on_cone(matrix) == pytest.approx(np.full((2, 2), 0.5))
    rng = np.random.default_rng(4)
    array = rng.standard_normal((5, 5))
    array = array + array.T
    nearest = project_on_cone(array)
    assert project_on_cone(nearest) == pytest.approx(nearest, abs=1e-12)
    # Moreau: what is taken off is in the polar cone and orthogonal to what is left.
    assert np.linalg.eigvalsh(array - nearest)[-1] < 1e-12
    assert abs(np.sum((array - nearest) * nearest)) < 1e-12


def test_rectangular_problems_are_refused():
    problem = SensingProblem(EntrySampling([0], [0], (5, 7)), np.ones(1))
    message = (
        r"projected_gradient\(problem\)`: .* square matrices. Got .*\(5, 7\). Use "
    )
    with pytest.raises(SpecError, match=message):
        projected_gradient(problem, gradient_tolerance=1e-3, max_iterations=1)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.inf, np.nan])
def test_the_tolerance_is_positive(bad):
    message = (
        r"\(gradient_tolerance\)`: the tolerance is a positive, finite number. Got"
    )
    with pytest.raises(SpecError, match=message):
        projected_gradient(
            symmetric_problem(), gradient_tolerance=bad, max_iterations=1
        )


def test_the_number_of_iterations_and_the_start_are_checked():
    problem = symmetric_problem()
    with pytest.raises(SpecError, match=r"\(max_iterations\)`: at least one step is m"):
        projected_gradient(problem, gradient_tolerance=1.0, max_iterations=0)
    with pytest.raises(
        DataError, match=r"\(start\)`: this is a square matrix of size 6"
    ):
        projected_gradient(
            problem, gradient_tolerance=1.0, max_iterations=1, start=np.eye(5)
        )
