import jax.numpy as jnp
import numpy as np
import pytest

from lowrankflow import problems
from lowrankflow.errors import DataError, SpecError

SIZE = 5
# (0, 1) and (1, 0) are measured both, as one number seen twice.
PAIRS = problems.EntrySampling([0, 1, 2, 3, 4], [1, 0, 2, 0, 1], (SIZE, SIZE))
OPERATORS = {
    "entries": PAIRS,
    "dense": problems.DenseSensing(
        np.random.default_rng(0).standard_normal((6, SIZE, SIZE))
    ),
    "columns": problems.ColumnSensing(
        np.random.default_rng(1).standard_normal((6, SIZE)), [0, 4, 2, 2, 3, 1], SIZE
    ),
    # Symmetric already: nothing changes.
    "symmetric": problems.SymmetricEntrySampling([0, 1, 4], [0, 3, 2], SIZE),
}
each_operator = pytest.mark.parametrize(
    "operator", OPERATORS.values(), ids=OPERATORS.keys()
)
LOSSES = (problems.Squared(), problems.Huber(0.7))


def drawn(*shape, seed=2):
    return np.random.default_rng(seed).standard_normal(shape)


def explicit(operator):
    """The matrices A_k, one by one."""
    units = np.eye(operator.num_measurements)
    return np.stack(
        [np.asarray(problems.to_dense(operator.adjoint(unit))) for unit in units]
    )


def made(operator, loss=None, normalization="mean", **options):
    values = drawn(operator.num_measurements, seed=3)
    return problems.SensingProblem(
        operator, values, loss=loss, normalization=normalization, **options
    )


@each_operator
def test_it_measures_by_the_symmetric_parts(operator):
    matrices, matrix = explicit(operator), drawn(SIZE, SIZE)
    symmetric = (matrices + matrices.transpose(0, 2, 1)) / 2
    got = problems.SymmetrizedOperator(operator)
    assert (got.shape, got.num_measurements) == ((SIZE, SIZE), len(matrices))
    # 1e-13: sums of 25 products of numbers of size 1.
    wanted = np.tensordot(symmetric, matrix, 2)
    np.testing.assert_allclose(got.apply(matrix), wanted, atol=1e-13)
    np.testing.assert_allclose(got.apply(matrix.T), wanted, atol=1e-13)
    np.testing.assert_allclose(explicit(got), symmetric, atol=1e-13)


@each_operator
@pytest.mark.parametrize("asarray", [np.asarray, jnp.asarray])
def test_apply_and_adjoint_are_transposes(operator, asarray):
    got = problems.SymmetrizedOperator(operator)
    matrix, dual = asarray(drawn(SIZE, SIZE)), asarray(drawn(got.num_measurements))
    measured, back = got.apply(matrix), got.adjoint(dual).to_dense()
    assert type(measured) is type(back) is type(matrix)
    assert float(measured @ dual) == pytest.approx(float((back * matrix).sum()))


@each_operator
def test_gram_and_norm_are_those_of_the_matrices(operator):
    got = problems.SymmetrizedOperator(operator)
    stack = explicit(got).reshape(got.num_measurements, -1)
    gram = got.gram()
    np.testing.assert_allclose(gram, stack @ stack.T, atol=1e-13)
    # A bound: the symmetric parts are no longer than the matrices.
    assert np.linalg.norm(stack, 2) <= got.norm_bound() * (1 + 1e-12)


def test_mirrored_entries_are_one_measurement_seen_twice():
    gram = problems.SymmetrizedOperator(PAIRS).gram()
    np.testing.assert_allclose(gram[0, :2], [0.5, 0.5])
    assert gram[2, 2] == 1


@each_operator
@pytest.mark.parametrize("held", ["dense", "factored"])
def test_matrices_may_be_held_in_any_way(operator, held):
    got = problems.SymmetrizedOperator(operator)
    matrix = problems.Factored(drawn(SIZE, 2), drawn(2, 3), drawn(SIZE, 3))
    given = matrix if held == "factored" else problems.Dense(matrix.to_dense())
    np.testing.assert_allclose(
        got.apply(given), got.apply(matrix.to_dense()), atol=1e-13
    )


@each_operator
@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_is_symmetric_to_the_last_bit(operator, loss):
    gradient = problems.symmetrized(made(operator, loss)).gradient(drawn(SIZE, SIZE))
    array = gradient.to_dense()
    np.testing.assert_array_equal(array, array.T)


@each_operator
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("normalization", ["sum", "mean"])
def test_of_symmetric_matrices_it_is_the_reading_of_li2021(
    operator, loss, normalization
):
    problem = made(operator, loss, normalization)
    got = problems.symmetrized(problem)
    matrix = drawn(SIZE, SIZE)
    symmetric = matrix + matrix.T
    # (f(W) + f(W')) / 2 and its gradient (G(W) + G(W')') / 2.
    value = (problem.value(symmetric) + problem.value(symmetric.T)) / 2
    assert float(got.value(symmetric)) == pytest.approx(float(value), rel=1e-13)
    one = problems.to_dense(problem.gradient(symmetric))
    other = problems.to_dense(problem.gradient(symmetric.T))
    np.testing.assert_allclose(
        got.gradient(symmetric).to_dense(), (one + other.T) / 2, atol=1e-13
    )


def test_elsewhere_it_is_not():
    problem = made(PAIRS)
    got, matrix = problems.symmetrized(problem), drawn(SIZE, SIZE)
    reading = (problem.value(matrix) + problem.value(matrix.T)) / 2
    # The mean of a convex function is above the function of the mean.
    assert float(got.value(matrix)) < float(reading) - 0.01
    assert float(got.value(matrix)) == pytest.approx(
        float(problem.value((matrix + matrix.T) / 2)), rel=1e-13
    )


def test_everything_else_is_carried_over():
    half = drawn(SIZE, 2)
    target = half @ half.T
    aside = problems.EntrySampling([0, 3], [4, 2], (SIZE, SIZE))
    problem = problems.measure(
        target, PAIRS, held_out=aside, loss=problems.Huber(0.7), normalization="mean"
    )
    got = problems.symmetrized(problem)
    assert got.operator.operator is PAIRS
    assert (got.loss, got.normalization) == (problem.loss, "mean")
    np.testing.assert_array_equal(got.measurements, problem.measurements)
    np.testing.assert_array_equal(got.target, target)
    matrix = drawn(SIZE, SIZE)
    np.testing.assert_allclose(
        got.held_out.operator.apply(matrix), aside.apply((matrix + matrix.T) / 2)
    )
    np.testing.assert_array_equal(
        got.held_out.measurements, problem.held_out.measurements
    )
    # 1e-28: squares of rounding of numbers of size 1.
    assert float(got.value(target)) < 1e-28


def test_a_problem_without_target_and_held_out_is_symmetrized_too():
    got = problems.symmetrized(made(PAIRS))
    assert got.target is None
    assert got.held_out is None


def test_only_square_matrices_have_a_symmetric_part():
    for shape in ((2, 3), (3, 2)):
        wide = problems.EntrySampling([0, 1], [1, 0], shape)
        message = (
            r"^`SymmetrizedOperator\(operator\)`: only a square matrix .*\. "
            rf"Got measurements of {shape[0]} x {shape[1]} matrices\. Use .*lift"
        )
        with pytest.raises(SpecError, match=message):
            problems.SymmetrizedOperator(wide)
        with pytest.raises(SpecError, match=message):
            problems.symmetrized(problems.SensingProblem(wide, [1.0, 2.0]))


def test_a_target_must_be_symmetric_to_rounding():
    target = np.eye(SIZE)
    target[0, 1] = 1e-14
    problems.symmetrized(problems.measure(target, PAIRS))
    problems.symmetrized(problems.measure(np.zeros((SIZE, SIZE)), PAIRS))
    target[0, 1] = 1e-6
    message = (
        r"^`symmetrized\(problem\)`: the target .* symmetric\. "
        r"Got a target that is not\. Symmetrize it"
    )
    with pytest.raises(SpecError, match=message):
        problems.symmetrized(problems.measure(target, PAIRS))


@pytest.mark.parametrize("given", [None, "entries", [[1.0]], np.eye(SIZE)])
def test_it_wants_an_operator_and_a_problem(given):
    message = r"^`SymmetrizedOperator\(operator\)`: this is an operator.* Got .* Give"
    with pytest.raises(SpecError, match=message):
        problems.SymmetrizedOperator(given)
    message = r"^`symmetrized\(problem\)`: this is a SensingProblem\. Got .*\. Give"
    with pytest.raises(SpecError, match=message):
        problems.symmetrized(given)


def test_shapes_of_matrix_and_dual_are_checked():
    got = problems.SymmetrizedOperator(PAIRS)
    with pytest.raises(DataError, match=r"^`SymmetrizedOperator\.apply\(matrix\)`"):
        got.apply(np.ones((SIZE, SIZE + 1)))
    with pytest.raises(DataError, match=r"^`SymmetrizedOperator\.adjoint\(dual\)`"):
        got.adjoint(np.ones(PAIRS.num_measurements + 1))
