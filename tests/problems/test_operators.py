import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from lowrankflow import problems

SEEDS = st.integers(min_value=0, max_value=2**32 - 1)

# Sums of fewer than a hundred products of size one.
TOLERANCE = 1e-12


def entry_sampling(shape):
    flat = np.random.default_rng(1).permutation(shape[0] * shape[1])[:9]
    return problems.EntrySampling(*np.divmod(flat, shape[1]), shape)


def weighted_sampling(shape):
    plain = entry_sampling(shape)
    scale = np.random.default_rng(9).uniform(0.3, 2, plain.num_measurements)
    return problems.WeightedEntrySampling(
        plain.row_index, plain.col_index, scale, shape
    )


def symmetric_sampling(size):
    rows, cols = np.triu_indices(size)
    return problems.SymmetricEntrySampling(cols[::2], rows[::2], size)


def dense_sensing(shape, count):
    stack = np.random.default_rng(2).standard_normal((count, *shape))
    return problems.DenseSensing(stack)


def column_sensing(shape):
    random = np.random.default_rng(3)
    inputs = random.standard_normal((9, shape[0]))
    return problems.ColumnSensing(inputs, random.integers(shape[1], size=9), shape[1])


def commuting_sensing(size):
    random = np.random.default_rng(4)
    basis, _ = np.linalg.qr(random.standard_normal((size, size)))
    return problems.CommutingSensing(basis, random.standard_normal((3, size)))


OPERATORS = {
    f"{kind} {rows}x{cols}": operator
    for rows, cols in [(5, 7), (7, 5)]
    for kind, operator in {
        "entries": entry_sampling((rows, cols)),
        "weighted entries": weighted_sampling((rows, cols)),
        "few dense": dense_sensing((rows, cols), 6),
        "many dense": dense_sensing((rows, cols), 40),
        "columns": column_sensing((rows, cols)),
        "lifted entries": problems.LiftedOperator(entry_sampling((rows, cols))),
        "lifted dense": problems.LiftedOperator(dense_sensing((rows, cols), 6)),
    }.items()
} | {
    "symmetric entries": symmetric_sampling(5),
    "symmetric diagonal": problems.SymmetricEntrySampling([0, 1], [0, 1], 3),
    "symmetric off diagonal": problems.SymmetricEntrySampling([0, 1], [1, 2], 3),
    "commuting": commuting_sensing(5),
    "one row": entry_sampling((1, 12)),
}

every_operator = pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)


def as_array(operator):
    """The operator as a measurements x entries array, from `apply` alone."""
    basis = np.eye(operator.shape[0] * operator.shape[1])
    return np.array([operator.apply(e.reshape(operator.shape)) for e in basis]).T


def adjoint_as_array(operator):
    basis = np.eye(operator.num_measurements)
    return np.array([operator.adjoint(e).to_dense().ravel() for e in basis]).T


@every_operator
@settings(max_examples=25, deadline=None)
@given(seed=SEEDS)
def test_dot_test(operator, seed):
    random = np.random.default_rng(seed)
    matrix = random.standard_normal(operator.shape)
    dual = random.standard_normal(operator.num_measurements)
    forward = operator.apply(matrix) @ dual
    backward = (operator.adjoint(dual).to_dense() * matrix).sum()
    assert forward == pytest.approx(backward, rel=0, abs=TOLERANCE * 10)


@every_operator
def test_adjoint_is_the_transpose(operator):
    np.testing.assert_allclose(
        adjoint_as_array(operator), as_array(operator).T, atol=TOLERANCE
    )


@every_operator
@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, factor=st.floats(-10, 10))
def test_apply_is_linear(operator, seed, factor):
    random = np.random.default_rng(seed)
    first, second = random.standard_normal((2, *operator.shape))
    np.testing.assert_allclose(
        operator.apply(first + factor * second),
        operator.apply(first) + factor * operator.apply(second),
        atol=TOLERANCE * 100,  # the factor is up to 10 and the values up to 10
    )


@every_operator
@pytest.mark.parametrize("asarray", [np.asarray, jnp.asarray])
def test_acts_equally_on_every_kind_of_matrix(operator, asarray):
    rows, cols = operator.shape
    random = np.random.default_rng(5)
    left, right = random.standard_normal((rows, 2)), random.standard_normal((cols, 2))
    core = random.standard_normal((2, 2))
    factored = problems.Factored(asarray(left), asarray(core), asarray(right))
    i, j = np.divmod(random.permutation(rows * cols)[:4], cols)
    values = random.standard_normal(4)
    entries = problems.Entries(asarray(i), asarray(j), asarray(values), operator.shape)
    expected = as_array(operator)
    for matrix in (factored, entries):
        array = asarray(matrix.to_dense())
        flat = expected @ np.asarray(array).ravel()
        for form in (matrix, problems.Dense(array), array):
            got = operator.apply(form)
            assert isinstance(got, type(asarray(0.0)))
            np.testing.assert_allclose(got, flat, atol=TOLERANCE)


@every_operator
def test_norm_bound_is_a_bound_and_tight(operator):
    norm = np.linalg.norm(as_array(operator), 2)
    assert norm <= operator.norm_bound() * (1 + 1e-15)
    assert operator.norm_bound() <= norm * (1 + 1e-6)


@every_operator
def test_gram_is_apply_after_adjoint(operator):
    gram = operator.gram()
    array = np.diag(gram) if gram.ndim == 1 else gram
    basis = np.eye(operator.num_measurements)
    composed = np.array([operator.apply(operator.adjoint(e)) for e in basis]).T
    np.testing.assert_allclose(array, composed, atol=TOLERANCE * 10)


@every_operator
def test_jax_and_jit_agree_with_numpy(operator):
    random = np.random.default_rng(6)
    matrix = random.standard_normal(operator.shape)
    dual = random.standard_normal(operator.num_measurements)
    apply = eqx.filter_jit(lambda operator, matrix: operator.apply(matrix))
    adjoint = eqx.filter_jit(lambda operator, dual: operator.adjoint(dual).to_dense())
    forward, backward = apply(operator, jnp.asarray(matrix)), None
    backward = adjoint(operator, jnp.asarray(dual))
    assert isinstance(forward, jax.Array)
    assert isinstance(backward, jax.Array)
    np.testing.assert_allclose(forward, operator.apply(matrix), atol=TOLERANCE)
    np.testing.assert_allclose(
        backward, operator.adjoint(dual).to_dense(), atol=TOLERANCE
    )


@every_operator
def test_adjoint_answers_as_its_dense_array(operator):
    dual = np.random.default_rng(7).standard_normal(operator.num_measurements)
    gradient = operator.adjoint(dual)
    block = np.random.default_rng(8).standard_normal((operator.shape[1], 2))
    assert gradient.shape == operator.shape
    np.testing.assert_allclose(
        gradient.mm(block), gradient.to_dense() @ block, atol=TOLERANCE
    )


def test_entry_sampling_by_hand():
    operator = problems.EntrySampling(np.array([1, 0]), np.array([0, 2]), (2, 3))
    matrix = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(operator.apply(matrix), [3.0, 2.0])
    np.testing.assert_array_equal(
        operator.adjoint(np.array([5.0, 7.0])).to_dense(), [[0, 0, 7], [5, 0, 0]]
    )


def test_symmetric_sampling_counts_a_pair_once():
    operator = problems.SymmetricEntrySampling([2, 1], [0, 1], 3)
    matrix = np.arange(9.0).reshape(3, 3)
    np.testing.assert_array_equal(operator.apply(matrix), [(2 + 6) / 2, 4.0])
    np.testing.assert_array_equal(
        operator.adjoint(np.array([4.0, 7.0])).to_dense(),
        [[0, 0, 2], [0, 7, 0], [2, 0, 0]],
    )


def test_commuting_matrices_commute():
    operator = OPERATORS["commuting"]
    first, second, third = adjoint_as_array(operator).T.reshape(3, 5, 5)
    for a, b in [(first, second), (second, third), (first, third)]:
        np.testing.assert_allclose(a, a.T, atol=TOLERANCE)
        np.testing.assert_allclose(a @ b, b @ a, atol=TOLERANCE * 10)


def test_columns_measure_one_column_each():
    inputs = np.array([[1.0, 2.0], [3.0, 4.0]])
    operator = problems.ColumnSensing(inputs, np.array([2, 0]), 3)
    matrix = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(
        operator.apply(matrix), [1 * 2 + 2 * 5, 3 * 0 + 4 * 3]
    )


def test_no_adjoint_of_entries_forms_the_matrix():
    operator = OPERATORS["entries 5x7"]
    gradient = operator.adjoint(np.ones(operator.num_measurements))
    assert isinstance(gradient, problems.Entries)
    assert gradient.values.size == operator.num_measurements
