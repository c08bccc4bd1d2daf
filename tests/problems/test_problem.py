import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from lowrankflow import problems
from lowrankflow.errors import SpecError

LOSSES = {
    "squared": problems.Squared(),
    "huber": problems.Huber(0.7),
    "p=1.5": problems.PNorm(1.5),
    "logistic": problems.Logistic(),
}


def sensing(shape, loss, normalization):
    random = np.random.default_rng(shape[0])
    operator = problems.DenseSensing(random.standard_normal((6, *shape)))
    values = random.standard_normal(6)
    if isinstance(loss, problems.Logistic):
        values = np.sign(values)
    return problems.SensingProblem(
        operator, values, loss=loss, normalization=normalization
    )


def small_completion(**options):
    return problems.SensingProblem.from_entries(
        [0, 1], [2, 0], [3.0, -1.0], (2, 3), **options
    )


@pytest.mark.parametrize("shape", [(5, 7), (7, 5)])
@pytest.mark.parametrize("normalization", ["sum", "mean"])
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_gradient_is_the_automatic_one(shape, normalization, loss):
    problem = sensing(shape, loss, normalization)
    matrix = np.random.default_rng(0).standard_normal(shape)
    automatic = jax.grad(problem.value)(jnp.asarray(matrix))
    # 1e-12: sums of six products.
    np.testing.assert_allclose(
        problem.gradient(matrix).to_dense(), automatic, atol=1e-12
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_the_mean_is_the_sum_over_the_number_of_measurements(loss, seed):
    matrix = np.random.default_rng(seed).standard_normal((5, 7))
    total = sensing((5, 7), loss, "sum")
    mean = sensing((5, 7), loss, "mean")
    # 1e-14: one division.
    assert float(mean.value(matrix)) == pytest.approx(
        float(total.value(matrix)) / 6, rel=1e-14
    )
    np.testing.assert_allclose(
        mean.gradient(matrix).to_dense() * 6,
        total.gradient(matrix).to_dense(),
        atol=1e-13,
    )


def test_value_gradient_and_residual_by_hand():
    problem = small_completion()
    matrix = np.arange(6.0).reshape(2, 3)  # W[0, 2] = 2, W[1, 0] = 3
    np.testing.assert_array_equal(problem.residual(matrix), [-1.0, 4.0])
    assert problem.value(matrix) == (1 + 16) / 2
    np.testing.assert_array_equal(
        problem.gradient(matrix).to_dense(), [[0, 0, -1], [4, 0, 0]]
    )


def test_the_loss_is_zero_at_a_solution():
    problem = small_completion()
    solution = np.array([[9.0, 9.0, 3.0], [-1.0, 9.0, 9.0]])
    assert problem.value(solution) == 0
    assert not problem.gradient(solution).to_dense().any()


@pytest.mark.parametrize("shape", [(5, 7), (7, 5)])
def test_matrices_held_in_other_ways_have_the_same_loss(shape):
    problem = sensing(shape, problems.Squared(), "sum")
    random = np.random.default_rng(1)
    factors = [
        random.standard_normal(s) for s in [(shape[0], 2), (2, 2), (shape[1], 2)]
    ]
    factored = problems.Factored(*factors)
    assert problem.value(factored) == pytest.approx(
        problem.value(factored.to_dense()), rel=1e-12
    )


def test_from_matrix_reads_what_is_not_nan_row_by_row():
    nan = np.nan
    problem = problems.SensingProblem.from_matrix(
        [[nan, 2, nan], [4, nan, 6]], target=[[1, 2, 3], [4, 5, 6]]
    )
    assert problem.shape == (2, 3)
    assert problem.num_measurements == 3
    np.testing.assert_array_equal(problem.operator.row_index, [0, 1, 1])
    np.testing.assert_array_equal(problem.operator.col_index, [1, 0, 2])
    np.testing.assert_array_equal(problem.measurements, [2.0, 4.0, 6.0])
    np.testing.assert_array_equal(problem.target, [[1, 2, 3], [4, 5, 6]])
    assert problem.value(problem.target) == 0


def test_from_entries_keeps_the_order_given():
    problem = small_completion()
    np.testing.assert_array_equal(problem.operator.row_index, [0, 1])
    np.testing.assert_array_equal(problem.operator.col_index, [2, 0])
    np.testing.assert_array_equal(problem.measurements, [3.0, -1.0])


def test_from_entries_averages_repeats_when_asked():
    problem = problems.SensingProblem.from_entries(
        [1, 0, 1, 1], [0, 1, 0, 0], [1.0, 7.0, 2.0, 6.0], (2, 2), duplicates="mean"
    )
    entries = problem.operator.adjoint(problem.measurements).to_dense()
    np.testing.assert_array_equal(entries, [[0, 7], [3, 0]])
    assert problem.num_measurements == 2


def test_held_out_measurements_do_not_enter_the_loss():
    aside = problems.HeldOut(problems.EntrySampling([0], [0], (2, 3)), [100])
    base = small_completion()
    problem = problems.SensingProblem(base.operator, base.measurements, held_out=aside)
    matrix = np.ones((2, 3))
    assert problem.value(matrix) == base.value(matrix)
    assert problem.held_out.measurements.dtype == np.float64


def test_objective_gradient_by_hand():
    objective = problems.Objective(lambda matrix: jnp.sum(matrix**3), (2, 3))
    matrix = np.arange(6.0).reshape(2, 3)
    assert objective.shape == (2, 3)
    assert objective.value(matrix) == (matrix**3).sum()
    np.testing.assert_allclose(
        objective.gradient(matrix).to_dense(), 3 * matrix**2, rtol=1e-15
    )


def test_objective_and_sensing_problem_agree():
    problem = sensing((5, 7), problems.Huber(0.7), "mean")
    objective = problems.Objective(lambda matrix: problem.value(matrix), (5, 7))
    matrix = np.random.default_rng(2).standard_normal((5, 7))
    assert float(objective.value(matrix)) == pytest.approx(
        float(problem.value(matrix)), rel=1e-14
    )
    np.testing.assert_allclose(
        objective.gradient(matrix).to_dense(),
        problem.gradient(matrix).to_dense(),
        atol=1e-13,
    )


@pytest.mark.parametrize(
    ("function", "found"),
    [
        (lambda matrix: matrix, r"shape=\(2, 3\)"),
        (lambda matrix: matrix @ matrix, "TypeError"),
        (lambda matrix: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_objective_refuses_what_is_not_one_number(function, found):
    with pytest.raises(SpecError, match=rf"\(2, 3\) JAX array to one.*{found}.*sum"):
        problems.Objective(function, (2, 3))


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("asarray", [np.asarray, jnp.asarray])
def test_numbers_are_float64_and_the_switch_is_left_alone(loss, asarray):
    problem = sensing((5, 7), loss, "mean")
    with jax.enable_x64(False):
        matrix = asarray(np.ones((5, 7)))  # float32 where JAX makes it
        answers = [
            problem.value(matrix),
            problem.residual(matrix),
            problem.slopes(matrix),
            problem.gradient(matrix).to_dense(),
        ]
        assert [answer.dtype for answer in answers] == [np.float64] * 4
        assert jax.config.jax_enable_x64 is False
        assert jnp.ones(1).dtype == np.float32


def test_objective_is_float64_and_the_switch_is_left_alone():
    with jax.enable_x64(False):
        objective = problems.Objective(lambda matrix: jnp.sum(matrix / 3), (1, 1))
        value, gradient = (
            objective.value(np.ones((1, 1))),
            objective.gradient(np.ones((1, 1))),
        )
        assert value.dtype == np.float64
        assert float(value) == 1 / 3  # float32 would give 0.33333334
        assert gradient.to_dense().dtype == np.float64
        assert jax.config.jax_enable_x64 is False
