"""Entries that count by weights, against the same entries observed more than once."""

import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.metrics import held_out_rmse
from lowrankflow.problems import (
    SampledProducts,
    WeightedEntrySampling,
    WeightedProducts,
    entry_products,
)

SHAPES = [(9, 6), (6, 9)]
RANK = 3


def listed(shape, seed=0):
    """Entries with integer weights: rows, cols, values, weights."""
    rng = np.random.default_rng(seed)
    rows, cols = np.nonzero(rng.random(shape) < 0.6)
    order = rng.permutation(rows.size)
    values = rng.standard_normal(rows.size)
    return rows[order], cols[order], values, rng.integers(1, 4, rows.size)


def weighted(shape, seed=0):
    rows, cols, values, weights = listed(shape, seed)
    return lrf.SensingProblem.from_entries(rows, cols, values, shape, weights=weights)


def repeated(shape, seed=0):
    """The sum over repeated measurements and its gradient."""
    rows, cols, values, weights = listed(shape, seed)
    i, j, y = (np.repeat(a, weights) for a in (rows, cols, values))

    def gradient(matrix):
        out = np.zeros(shape)
        np.add.at(out, (i, j), matrix[i, j] - y)
        return out

    return lambda matrix: 0.5 * ((matrix[i, j] - y) ** 2).sum(), gradient


@pytest.mark.parametrize("shape", SHAPES)
def test_a_weight_is_a_number_of_measurements(shape):
    problem, (value, gradient) = weighted(shape), repeated(shape)
    matrix = np.random.default_rng(1).standard_normal(shape)
    assert isinstance(problem.operator, lrf.WeightedEntrySampling)
    assert float(problem.value(matrix)) == pytest.approx(value(matrix), rel=1e-13)
    found = np.asarray(problem.gradient(matrix).to_dense())
    assert np.allclose(found, gradient(matrix), rtol=0, atol=1e-13)


def test_repeated_pairs_have_the_sum_of_their_weights():
    args = [[0, 1, 0], [2, 1, 2], [1.0, 7.0, 4.0], (2, 3)]
    weights = [3.0, 0.25, 1.0]
    problem = lrf.SensingProblem.from_entries(*args, weights=weights, duplicates="mean")
    assert np.array_equal(problem.operator.gram(), [4.0, 0.25])
    assert np.allclose(problem.measurements, [2 * 1.75, 0.5 * 7])
    plain = lrf.SensingProblem.from_entries(*args, duplicates="mean")
    assert np.array_equal(plain.measurements, [2.5, 7.0])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, 0.0], r"every number is above 0\. Got 0\.0 at position 1"),
        ([-1.0, 2.0], r"above 0\. Got -1\.0 at position 0"),
        ([1.0], "one number for each of 2 entries"),
        ([1.0, np.nan], "finite"),
        (["a", "b"], "array of real numbers"),
    ],
)
def test_weights_that_are_none_are_refused(weights, message):
    with pytest.raises(lrf.DataError, match=message):
        lrf.SensingProblem.from_entries(
            [0, 1], [0, 1], [1.0, 2.0], (2, 2), weights=weights
        )
    with pytest.raises(lrf.DataError, match=message):
        WeightedEntrySampling([0, 1], [0, 1], weights, (2, 2))


def test_weights_are_for_the_squared_loss():
    args = [[0], [0], [1.0], (2, 2)]
    with pytest.raises(lrf.SpecError, match="weighs a squared loss only"):
        lrf.SensingProblem.from_entries(*args, weights=[2.0], loss=lrf.Huber(1.0))
    lrf.SensingProblem.from_entries(*args, weights=[2.0], loss=lrf.Squared())


def test_reference_solvers_that_take_no_weights_say_so():
    from lowrankflow.reference import soft_impute

    with pytest.raises(lrf.SpecError, match="which count alike.*it takes weights"):
        soft_impute(weighted((9, 6)), penalty=1.0)


# --- passes


def drawn(shape, dtype):
    rng = np.random.default_rng(2)
    return [rng.standard_normal((n, RANK)).astype(dtype) for n in (*shape, *shape)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_passes_agree_with_the_operator(shape, dtype):
    problem = weighted(shape)
    operator, room = problem.operator, 1e-12 if dtype == "float64" else 1e-4
    products = entry_products(operator, dtype=dtype)
    assert isinstance(products, WeightedProducts)
    assert (products.shape, products.num_entries) == (shape, operator.num_measurements)
    left, right, _, _ = drawn(shape, dtype)
    y = products.sort(problem.measurements).astype(dtype)
    dual = np.random.default_rng(3).standard_normal(y.size)
    z = products.sort(dual).astype(dtype)
    image = np.asarray(operator.adjoint(dual).to_dense())
    seen = products.sort(np.asarray(operator.apply(left.astype(float) @ right.T)))
    residual = np.asarray(problem.residual(left.astype(float) @ right.T))
    pull = np.asarray(operator.adjoint(residual).to_dense())
    written = np.empty_like(y)
    rows, square = products.residual_mm(y, left, right, residual=written)
    cols, same = products.residual_mm(y[products.to_col], right, left, by="col")
    for found, wanted in (
        (products.entries(left, right), seen),
        (products.entries(left, right, by="col"), seen[products.to_col]),
        (products.mm(z, right), image @ right),
        (products.rmm(z, left), image.T @ left),
        (products.sizes(np.dtype(dtype)), products.sort(operator.scale)),
        (written, products.sort(residual)),
        (rows, pull @ right),
        (cols, pull.T @ left),
    ):
        assert found.dtype == dtype
        assert np.allclose(found, wanted, rtol=0, atol=room)
    assert square == pytest.approx(float(residual @ residual), rel=room)
    assert same == pytest.approx(square, rel=room)


@pytest.mark.parametrize("shape", SHAPES)
def test_curvature_is_the_derivative_of_the_gradient(shape):
    problem = weighted(shape)
    products = entry_products(problem.operator)
    y = products.sort(problem.measurements)
    left, right, a, b = drawn(shape, "float64")

    def gradient(t):
        own, other = left + t * a, right + t * b
        rows, _ = products.residual_mm(y, own, other)
        cols, _ = products.residual_mm(y[products.to_col], other, own, by="col")
        return rows, cols

    step, residual = 1e-5, products.entries(left, right) - y
    found = products.curvature(
        residual, residual[products.to_col], (left, right), (a, b)
    )
    for k in range(2):
        slope = (gradient(step)[k] - gradient(-step)[k]) / (2 * step)
        # the gradient is a cubic: the error is the square of the step
        assert np.allclose(found[k], slope, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ridge", [0.0, 0.7])
def test_least_squares_leave_no_gradient(shape, ridge):
    problem = weighted(shape)
    products = entry_products(problem.operator)
    y = products.sort(problem.measurements)
    left, right, _, _ = drawn(shape, "float64")
    settings = {"ridge": ridge, "damping": 1e-12}
    solved, across = left.copy(), right.copy()
    products.least_squares_rows(y, solved, right, **settings)
    products.least_squares_cols(y[products.to_col], left, across, **settings)
    rows, _ = products.residual_mm(y, solved, right)
    cols, _ = products.residual_mm(y[products.to_col], across, left, by="col")
    assert np.allclose(rows + ridge * solved, 0, atol=1e-7)
    assert np.allclose(cols + ridge * across, 0, atol=1e-7)


def test_without_weights_the_passes_are_the_plain_ones():
    problem = lrf.SensingProblem.from_entries([0, 1], [0, 1], [1.0, 2.0], (2, 2))
    assert isinstance(entry_products(problem.operator), SampledProducts)


# --- effects, entries kept aside


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("which", ["both", "rows", "columns"])
def test_effects_solve_the_weighted_penalized_least_squares(shape, which):
    rows, cols, values, weights = listed(shape)
    problem = weighted(shape)
    left, effects = lrf.remove_effects(problem, penalty=2.0, which=which)
    i, j, y = (np.repeat(a, weights) for a in (rows, cols, values))
    design = np.zeros((y.size, sum(shape)))
    design[np.arange(y.size), i] = which != "columns"
    design[np.arange(y.size), shape[0] + j] = which != "rows"
    gram = design.T @ design + 2.0 * np.eye(sum(shape))
    wanted = np.linalg.solve(gram, design.T @ (y - y.mean()))
    found = np.concatenate([effects.rows, effects.cols])
    assert effects.mean == pytest.approx(y.mean(), rel=1e-13)
    assert np.allclose(found, wanted, rtol=0, atol=1e-10)
    remains = np.sqrt(weights) * (values - effects.at(rows, cols))
    assert np.allclose(left.measurements, remains, rtol=0, atol=1e-12)


def test_column_effects_without_a_penalty_are_the_columns_means():
    table = np.array([[1.0, np.nan, 4.0], [3.0, np.nan, np.nan]])
    problem = lrf.SensingProblem.from_matrix(table)
    left, effects = lrf.remove_effects(problem, penalty=0, which="columns")
    mean = 8 / 3
    assert np.allclose(effects.cols, [2 - mean, 0, 4 - mean])
    assert np.array_equal(effects.rows, [0, 0])
    assert np.allclose(left.measurements, [-1, 0, 1])
    with pytest.raises(lrf.SpecError, match="which tells rows from columns"):
        lrf.remove_effects(problem, penalty=0)
    with pytest.raises(lrf.SpecError, match='"rows", of "columns" or of "both"'):
        lrf.remove_effects(problem, penalty=1, which="cols")


def test_effects_of_hardly_any_penalty_come_to_an_end():
    problem = weighted((9, 6))
    left, effects = lrf.remove_effects(problem, penalty=1e-300)
    assert np.isfinite(left.measurements).all()
    assert np.isfinite(effects.rows).all()


def test_what_is_held_out_keeps_its_weights():
    rows, cols, values, weights = listed((9, 6))
    split = lrf.hold_out(weighted((9, 6)), fraction=0.3, seed=0)
    table = np.zeros((9, 6))
    table[rows, cols] = weights
    for part in (split, split.held_out):
        operator = part.operator
        at = operator.row_index, operator.col_index
        assert np.allclose(operator.gram(), table[at])
    m = split.held_out.operator.num_measurements
    assert m + split.num_measurements == rows.size
    left, effects = lrf.remove_effects(split, penalty=1.0)
    aside = left.held_out.operator
    at = aside.row_index, aside.col_index
    table[rows, cols] = values
    error = table[at] - effects.at(*at)
    wanted = np.sqrt(np.average(error**2, weights=aside.gram()))
    assert held_out_rmse(left, np.zeros((9, 6))) == pytest.approx(wanted, rel=1e-13)
