import re

import numpy as np
import pytest

from lowrankflow import problems
from lowrankflow.errors import DataError, SpecError

NAN, INF = np.nan, np.inf
PAIRS = problems.EntrySampling([0, 1], [1, 0], (2, 3))


def refused(rule, got, fix, *, error=DataError):
    """The message has its four parts; the first is checked by what matches before."""
    text = ".*".join(re.escape(part) for part in (rule, f"Got {got}", fix))
    return pytest.raises(error, match=f"^`.*`: .*{text}")


@pytest.mark.parametrize(
    ("values", "got"),
    [
        ([1.0, NAN], "nan at position 1"),
        ([INF, 1.0], "inf at position 0"),
    ],
)
def test_measurements_must_be_finite(values, got):
    with refused("every number must be finite", got, "Remove it"):
        problems.SensingProblem(PAIRS, values)


@pytest.mark.parametrize(
    ("values", "got"),
    [
        ([[1.0, 2.0]], "shape (1, 2)"),
        (np.array([1j, 2.0]), "complex numbers"),
        ([1j, 2.0], "complex numbers"),
        (["a", "b"], "no numbers but dtype <U1"),
        (["1", "2"], "no numbers but dtype <U1"),
        ([[1.0], [1.0, 2.0]], "no array of numbers"),
        ([None, object()], "no array of numbers"),
        (
            np.array(["2020-01-01"] * 2, "datetime64[D]"),
            "no numbers but dtype datetime",
        ),
    ],
)
def test_measurements_must_be_real_numbers(values, got):
    with refused("an array of real numbers with 1 dimension", got, "Convert it"):
        problems.SensingProblem(PAIRS, values)


def test_measurements_must_be_as_many_as_the_operator_makes():
    with refused("makes 2 measurements, one value each", "3 values", "Give operator"):
        problems.SensingProblem(PAIRS, [1.0, 2.0, 3.0])


@pytest.mark.parametrize("values", [[1, 2], np.array([1, 2], np.float32), [True, 2]])
def test_other_numbers_become_float64(values):
    problem = problems.SensingProblem(PAIRS, values)
    assert problem.measurements.dtype == np.float64
    np.testing.assert_array_equal(problem.measurements, [1.0, 2.0])


@pytest.mark.parametrize("normalization", ["Mean", None, 1])
def test_normalization_is_one_of_two_words(normalization):
    got = repr(normalization)
    with refused('a "sum" over', got, 'normalization="sum"', error=SpecError):
        problems.SensingProblem(PAIRS, [1.0, 2.0], normalization=normalization)


def test_target_must_have_the_shape_and_be_finite():
    with refused("matrices of shape (2, 3)", "shape (3, 2)", "Transpose it"):
        problems.SensingProblem(PAIRS, [1.0, 2.0], target=np.ones((3, 2)))
    with refused("every number must be finite", "nan at position (0, 0)", "Remove it"):
        problems.SensingProblem(PAIRS, [1.0, 2.0], target=np.full((2, 3), NAN))


def test_held_out_must_fit():
    other = problems.EntrySampling([0], [0], (3, 2))
    with refused("matrices of shape (2, 3)", "shape (3, 2)", "Transpose it"):
        problems.SensingProblem(
            PAIRS, [1.0, 2.0], held_out=problems.HeldOut(other, [1.0])
        )
    with refused("makes 2 measurements", "1 values", "Give operator.apply"):
        problems.SensingProblem(
            PAIRS, [1.0, 2.0], held_out=problems.HeldOut(PAIRS, [1.0])
        )


# -- a matrix with NaN -------------------------------------------------------------


def test_from_matrix_needs_an_observation():
    with refused("at least one entry must be observed", "a (2, 3) matrix", "Give the"):
        problems.SensingProblem.from_matrix(np.full((2, 3), NAN))


@pytest.mark.parametrize("bad", [INF, -INF])
def test_from_matrix_refuses_infinity(bad):
    with refused("finite, or NaN", f"{bad} at row 1, column 0", "Put NaN there"):
        problems.SensingProblem.from_matrix([[1.0, NAN], [bad, 2.0]])


@pytest.mark.parametrize(
    ("matrix", "got"),
    [
        (np.array([[1j]]), "complex numbers"),
        ([["a"]], "no numbers but dtype <U1"),
        ([1.0, 2.0], "shape (2,)"),
        (np.ones((2, 2, 2)), "shape (2, 2, 2)"),
        (np.ones((0, 3)), "shape (0, 3)"),
        ([[1.0], [1.0, 2.0]], "no array of numbers"),
    ],
)
def test_from_matrix_refuses_what_is_no_matrix(matrix, got):
    with refused("non-empty array of real numbers with two", got, "Convert it"):
        problems.SensingProblem.from_matrix(matrix)


def test_from_matrix_takes_the_unusual():
    zero = problems.SensingProblem.from_matrix(np.zeros((2, 3)))
    assert zero.num_measurements == 6
    assert zero.value(np.zeros((2, 3))) == 0
    row = problems.SensingProblem.from_matrix([[1, NAN, 3]])
    assert row.shape == (1, 3)
    column = problems.SensingProblem.from_matrix(np.array([[1], [2]], np.float32))
    assert column.shape == (2, 1)
    assert column.measurements.dtype == np.float64


def test_from_matrix_takes_an_empty_row_and_column():
    problem = problems.SensingProblem.from_matrix([[NAN, 1.0], [NAN, NAN]])
    assert problem.shape == (2, 2)
    gradient = problem.gradient(np.ones((2, 2)) * 3).to_dense()
    np.testing.assert_array_equal(gradient, [[0.0, 2.0], [0.0, 0.0]])


# -- a list of entries -------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "kind"),
    [([1.0, 2.0, 1.0], "equal values 1.0 and 1.0"), ([1.0, 2.0, 5.0], "conflicting")],
)
def test_from_entries_refuses_a_repeat(values, kind):
    got = f"(1, 0) at positions 0 and 2, with {kind}"
    with refused("each pair is listed once", got, 'duplicates="mean"'):
        problems.SensingProblem.from_entries([1, 0, 1], [0, 0, 0], values, (2, 2))


@pytest.mark.parametrize(
    ("rows", "cols", "values", "lengths"),
    [
        ([0], [0, 1], [1.0], "lengths 1, 2 and 1"),
        ([0], [0], [1.0, 2.0], "lengths 1, 1 and 2"),
        ([], [], [], "lengths 0, 0 and 0"),
    ],
)
def test_from_entries_needs_three_equal_lengths(rows, cols, values, lengths):
    with refused("one row, column and value per entry", lengths, "Give three arrays"):
        problems.SensingProblem.from_entries(rows, cols, values, (2, 2))


def test_from_entries_refuses_values_and_words():
    with refused("every number must be finite", "nan at position 0", "Remove it"):
        problems.SensingProblem.from_entries([0], [0], [NAN], (2, 2))
    with refused("refused", "'first'", 'duplicates="error"', error=SpecError):
        problems.SensingProblem.from_entries(
            [0], [0], [1.0], (2, 2), duplicates="first"
        )


# -- indices and shapes ------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "cols", "rule", "got"),
    [
        ([0, 2], [0, 0], "lie in 0...1", "2 at position 1"),
        ([0, -1], [0, 0], "lie in 0...1", "-1 at position 1"),
        ([0, 1], [3, 0], "lie in 0...2", "3 at position 0"),
        ([1e30], [0], "lie in 0...1", "1e+30 at position 0"),
    ],
)
def test_indices_must_lie_inside(rows, cols, rule, got):
    with refused(f"indices must {rule}", got, "Subtract one"):
        problems.EntrySampling(rows, cols, (2, 3))


@pytest.mark.parametrize(
    ("rows", "dtype"),
    [
        ([0.5, 1.0], "float64"),
        ([NAN, 1.0], "float64"),
        (["0", "1"], "<U1"),
        ([True, False], "bool"),
        ([[0], [1]], "int64 and shape (2, 1)"),
        ([1j, 0], "complex128"),
    ],
)
def test_indices_must_be_integers(rows, dtype):
    with refused("one-dimensional array of integers", f"dtype {dtype}", "Give 0-based"):
        problems.EntrySampling(rows, [0, 1], (2, 3))


def test_ragged_indices_are_refused():
    with refused("one-dimensional array of integers", "dtype float64", "Give 0-based"):
        problems.EntrySampling([[0], [0, 1]], [0, 1], (2, 3))


def test_whole_floats_are_indices():
    operator = problems.EntrySampling([0.0, 1.0], np.array([2, 0], np.uint8), (2, 3))
    assert operator.row_index.dtype == np.int64
    np.testing.assert_array_equal(operator.row_index, [0, 1])
    np.testing.assert_array_equal(operator.col_index, [2, 0])


def test_pairs_must_match_be_some_and_differ():
    with refused("one number per measurement", "lengths 1 and 2", "Give pairs"):
        problems.EntrySampling([0], [0, 1], (2, 3))
    with refused("at least one measurement", "none", "Observe at least one"):
        problems.EntrySampling([], [], (2, 3))
    with refused(
        "each pair may be observed once", "(1, 2) at positions 0 and 2", "Mer"
    ):
        problems.EntrySampling([1, 0, 1], [2, 0, 2], (2, 3))


def test_mirror_images_are_one_measurement_of_a_symmetric_matrix():
    with refused(
        "each pair may be observed once", "(0, 1) at positions 0 and 1", "Mer"
    ):
        problems.SymmetricEntrySampling([0, 1], [1, 0], 2)


@pytest.mark.parametrize(
    "shape", [(0, 3), (2, -1), (2.5, 3), (2,), (2, 3, 4), 5, "ab", (INF, 2), (NAN, 2)]
)
def test_shapes_are_two_positive_integers(shape):
    with refused("a pair (rows, cols) of positive", repr(shape), "Give for example"):
        problems.EntrySampling([0], [0], shape)


# -- the other operators -----------------------------------------------------------


def test_dense_sensing_refuses():
    with refused("with 3 dimension(s)", "shape (2, 2)", "Convert it"):
        problems.DenseSensing(np.eye(2))
    with refused("at least one measurement", "an empty stack", "Give at least one"):
        problems.DenseSensing(np.ones((0, 2, 3)))
    with refused("must be finite", "nan at position (0, 0, 0)", "Remove it"):
        problems.DenseSensing(np.full((1, 1, 1), NAN))
    with refused("positive integers", "(0, 3)", "Give for example shape"):
        problems.DenseSensing(np.ones((2, 0, 3)))


def test_column_sensing_refuses():
    with refused(
        "one column per example", "1 columns for 2 examples", "Give one index"
    ):
        problems.ColumnSensing(np.ones((2, 3)), [0], 2)
    with refused(
        "one column per example", "0 columns for 0 examples", "Give one index"
    ):
        problems.ColumnSensing(np.ones((0, 3)), [], 2)
    with refused("indices must lie in 0...1", "2 at position 0", "Subtract one"):
        problems.ColumnSensing(np.ones((1, 3)), [2], 2)
    with refused("must be finite", "inf at position (0, 0)", "Remove it"):
        problems.ColumnSensing([[INF]], [0], 1)


def test_commuting_sensing_refuses():
    with refused("orthonormal columns", "shape (2, 2), not orth", "Take Q"):
        problems.CommutingSensing([[1.0, 1.0], [0.0, 1.0]], [[1.0, 2.0]])
    with refused("orthonormal columns", "shape (3, 2), not orth", "Take Q"):
        problems.CommutingSensing(np.eye(3)[:, :2], [[1.0, 2.0]])
    with refused("2 eigenvalues for each", "shape (1, 3)", "Give an array"):
        problems.CommutingSensing(np.eye(2), [[1.0, 2.0, 3.0]])
    with refused("2 eigenvalues for each", "shape (0, 2)", "Give an array"):
        problems.CommutingSensing(np.eye(2), np.ones((0, 2)))


@pytest.mark.parametrize(
    "operator",
    [
        PAIRS,
        problems.DenseSensing(np.ones((2, 2, 3))),
        problems.ColumnSensing(np.ones((2, 2)), [0, 1], 3),
        problems.LiftedOperator(PAIRS),
    ],
    ids=lambda operator: type(operator).__name__,
)
def test_operators_refuse_other_shapes(operator):
    name = type(operator).__name__
    wrong = np.ones(operator.shape[::-1] if operator.shape != (5, 5) else (2, 3))
    expected = f"matrices of shape {operator.shape}"
    with refused(expected, f"shape {wrong.shape}", "Transpose it") as caught:
        operator.apply(wrong)
    assert caught.value.where == f"{name}.apply(matrix)"
    with refused("makes 2 measurements", "shape (3,)", "Give one number") as caught:
        operator.adjoint(np.ones(3))
    assert caught.value.where == f"{name}.adjoint(dual)"


@pytest.mark.parametrize(
    "operator",
    [
        PAIRS,
        problems.SymmetricEntrySampling([0, 1], [1, 1], 2),
        problems.DenseSensing(np.ones((2, 2, 3))),
        problems.ColumnSensing(np.ones((2, 2)), [0, 1], 3),
        problems.CommutingSensing(np.eye(2), np.ones((2, 2))),
        problems.LiftedOperator(PAIRS),
    ],
    ids=lambda operator: type(operator).__name__,
)
@pytest.mark.parametrize("dual", [[1.0, 2.0], "ab", None, 1.0])
def test_a_dual_is_an_array(operator, dual):
    with refused("an array of 2 numbers", type(dual).__name__, "Convert it") as caught:
        operator.adjoint(dual)
    assert caught.value.where == f"{type(operator).__name__}.adjoint(dual)"


# -- one kind of thing in the place of another -------------------------------------

NOT_OURS = [None, "entries", [[1.0]], np.eye(2), 3, problems.EntrySampling, {}]


def names(thing):
    return thing.__name__ if isinstance(thing, type) else type(thing).__name__


@pytest.mark.parametrize("thing", NOT_OURS, ids=names)
@pytest.mark.parametrize(
    ("where", "make"),
    [
        ("SensingProblem(operator)", lambda x: problems.SensingProblem(x, [1.0])),
        ("LiftedOperator(operator)", problems.LiftedOperator),
        ("measure(operator)", lambda x: problems.measure(np.eye(2), x)),
        (
            "SensingProblem(held_out).operator",
            lambda x: problems.SensingProblem(
                PAIRS, [1.0, 2.0], held_out=problems.HeldOut(x, [1.0])
            ),
        ),
    ],
)
def test_an_operator_is_an_operator(where, make, thing):
    with refused("this is an operator", "", "EntrySampling(", error=SpecError) as found:
        make(thing)
    assert found.value.where == where


@pytest.mark.parametrize("thing", NOT_OURS[1:], ids=names)
def test_held_out_measurements_come_with_their_operator(thing):
    with refused("kept aside come with", "", "Give HeldOut", error=SpecError) as found:
        problems.SensingProblem(PAIRS, [1.0, 2.0], held_out=thing)
    assert found.value.where == "SensingProblem(held_out)"
    with refused("this is an operator", "", "Give", error=SpecError) as found:
        problems.measure(np.ones((2, 3)), PAIRS, held_out=thing)
    assert found.value.where == "measure(held_out)"


@pytest.mark.parametrize(
    ("loss", "got"),
    [
        ("huber", "'huber'"),
        (problems.Huber, "the class Huber itself"),
        (abs, "an object of type builtin_function_or_method"),
        (1.0, "1.0"),
    ],
)
def test_a_loss_is_a_loss(loss, got):
    with refused("this is a loss", got, "loss=Huber(delta", error=SpecError) as found:
        problems.SensingProblem(PAIRS, [1.0, 2.0], loss=loss)
    assert found.value.where == "SensingProblem(loss)"


@pytest.mark.parametrize("thing", NOT_OURS, ids=names)
def test_a_problem_is_a_problem(thing):
    with refused("this is a SensingProblem", "", "from_matrix", error=SpecError):
        problems.lift(thing)
    with refused("only an EntrySampling", "", "problem.operator", error=SpecError):
        problems.unobserved_entries(thing, num_entries=1, seed=0)


class Unhashable:
    """As an Equinox module that holds arrays."""

    __hash__ = None

    def __call__(self, matrix):
        return matrix.sum()


@pytest.mark.parametrize(
    ("function", "got"),
    [
        ("not callable", "TypeError"),
        (None, "TypeError"),
        ([], "TypeError"),
        (Unhashable(), "TypeError: unhashable type"),
        (lambda matrix: (matrix > 0).sum(), "ShapeDtypeStruct(shape=(), dtype=int"),
        (lambda matrix: 1j * matrix.sum(), "ShapeDtypeStruct(shape=(), dtype=complex"),
        (lambda matrix: (matrix.sum(), 1), "AttributeError"),
    ],
)
def test_an_objective_is_a_function_with_one_real_value(function, got):
    rule = "it maps a (2, 3) JAX array to one number"
    with refused(rule, got, "jax.numpy", error=SpecError) as found:
        problems.Objective(function, (2, 3))
    assert found.value.where == "Objective(function)"


@pytest.mark.parametrize("parameters", ["R", ["R"], 3, np.ones(2)])
def test_parameters_are_a_mapping(parameters):
    with refused("given by name", repr(parameters), "Give for", error=SpecError):
        problems.named("li2021-4x4", parameters)


# -- text and truth values are no numbers ------------------------------------------


@pytest.mark.parametrize("value", [1, 1.0, np.float32(1), np.int8(1), np.asarray(1.0)])
def test_a_real_number_is_any_kind_of_one(value):
    number = problems.real_number(value)
    assert (type(number), number) == (float, 1.0)


@pytest.mark.parametrize(
    "value",
    ["1", b"1", True, np.bool_(1), None, 1j, [1.0], [[1], [1, 2]], np.ones(1), 10**400],
    ids=lambda value: repr(value)[:12],
)
def test_nothing_else_is_a_real_number(value):
    assert np.isnan(problems.real_number(value))


@pytest.mark.parametrize("value", ["1", True])
@pytest.mark.parametrize(
    "make",
    [
        problems.Huber,
        problems.PNorm,
        lambda x: problems.gaussian_truth((2, 3), rank=x, seed=0),
        lambda x: problems.gaussian_truth((2, 3), rank=1, norm=x, seed=0),
        lambda x: problems.power_law_entries(
            (2, 3), num_observed=1, exponent=x, seed=0
        ),
        lambda x: problems.gaussian_sensing(
            (2, 3), num_measurements=1, scale=x, seed=0
        ),
        lambda x: problems.named("li2021-4x4", {"R": x}),
        lambda x: problems.ExhaustiveGrid(num_values=2).feasible(x),
    ],
)
def test_text_and_truth_values_are_refused(make, value):
    with pytest.raises(SpecError, match=r"Got .*(1|True).*\. "):
        make(value)
