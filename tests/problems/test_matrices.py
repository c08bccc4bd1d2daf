import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lowrankflow import problems
from lowrankflow.errors import DataError

SHAPES = [(5, 7), (7, 5), (4, 4), (1, 3)]

# Sums of at most ten terms of size one: rounding stays far below.
TOLERANCE = 1e-13


def matrices(shape, asarray):
    """One matrix of each kind, with the array it stands for."""
    rows, cols = shape
    random = np.random.default_rng(rows * 10 + cols)
    dense = random.standard_normal(shape)
    left = random.standard_normal((rows, 2))
    core = random.standard_normal((2, 3))
    right = random.standard_normal((cols, 3))
    flat = random.choice(rows * cols, 2, replace=False)
    i, j = np.divmod(flat, cols)
    values = random.standard_normal(2)
    sparse = np.zeros(shape)
    sparse[i, j] = values
    made = {
        "dense": (problems.Dense(asarray(dense)), dense),
        "factored": (
            problems.Factored(asarray(left), asarray(core), asarray(right)),
            left @ core @ right.T,
        ),
        "entries": (
            problems.Entries(asarray(i), asarray(j), asarray(values), shape),
            sparse,
        ),
    }
    if rows == cols:
        upper = np.triu_indices(rows)
        numbers = random.standard_normal(len(upper[0]))
        array = np.zeros(shape)
        array[upper] = numbers / 2
        made["symmetric"] = (
            problems.SymmetricEntries(
                asarray(upper[0]), asarray(upper[1]), asarray(numbers), rows
            ),
            array + array.T,
        )
    return made


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("asarray", [np.asarray, jnp.asarray])
def test_every_kind_answers_as_its_dense_array(shape, asarray):
    rows, cols = shape
    random = np.random.default_rng(0)
    right, left = random.standard_normal((cols, 2)), random.standard_normal((rows, 2))
    i, j = random.integers(rows, size=6), random.integers(cols, size=6)
    for name, (matrix, array) in matrices(shape, asarray).items():
        answers = {
            "mm": (matrix.mm(asarray(right)), array @ right),
            "rmm": (matrix.rmm(asarray(left)), array.T @ left),
            "entries": (matrix.entries(asarray(i), asarray(j)), array[i, j]),
            "to_dense": (matrix.to_dense(), array),
        }
        assert matrix.shape == shape, name
        for question, (got, expected) in answers.items():
            assert isinstance(got, type(asarray(0.0))), (name, question)
            np.testing.assert_allclose(
                got, expected, atol=TOLERANCE, err_msg=f"{name}.{question}"
            )


def test_every_kind_works_under_jit():
    block = np.random.default_rng(1).standard_normal((4, 2))
    product = jax.jit(lambda matrix, block: matrix.mm(block))
    for name, (matrix, array) in matrices((4, 4), jnp.asarray).items():
        np.testing.assert_allclose(
            product(matrix, block), array @ block, atol=TOLERANCE, err_msg=name
        )


def test_as_matrix_keeps_a_matrix_and_wraps_an_array():
    matrix = problems.Dense(np.eye(2))
    assert problems.as_matrix(matrix) is matrix
    assert isinstance(problems.as_matrix(np.eye(2)), problems.Dense)


def test_to_dense_takes_both():
    array = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(problems.to_dense(array), array)
    np.testing.assert_array_equal(problems.to_dense(problems.Dense(array)), array)


@pytest.mark.parametrize("wrong", [np.ones(3), np.ones((2, 2, 2)), [[1.0]], 1.0])
def test_as_matrix_refuses_what_has_not_two_dimensions(wrong):
    with pytest.raises(DataError, match="an array of two dimensions.*Reshape it"):
        problems.as_matrix(wrong)
