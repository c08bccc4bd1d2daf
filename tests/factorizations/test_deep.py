import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lowrankflow.errors import SpecError
from lowrankflow.factorizations import DeepFactorization, largest_rank

# Unequal everywhere, so that an exchange of two factors or a missing transpose shows.
CASES = [
    pytest.param(shape, depth, widths, id=f"{shape}-depth{depth}-{widths}")
    for shape in [(5, 7), (7, 5)]
    for depth, widths in [
        (1, None),
        (2, None),
        (2, (shape[1], 3, shape[0])),
        (3, (shape[1], 4, 6, shape[0])),
        (4, (shape[1], 6, 3, 8, shape[0])),
        (4, 9),
    ]
]
ROUNDING = 1e-12  # products of at most four factors with entries of size 1


def drawn(factorization, shape, seed=0):
    rng = np.random.default_rng(seed)
    return tuple(rng.standard_normal(s) for s in factorization.shapes(shape))


def smooth(shape):
    """f(W) with a gradient that depends on W and on the position."""
    weights = np.random.default_rng(9).standard_normal(shape)
    return lambda matrix: (weights * jnp.sin(matrix)).sum() + (matrix**2).sum() / 2


@pytest.mark.parametrize(("shape", "depth", "widths"), CASES)
def test_the_product_is_written_with_the_last_factor_on_the_left(shape, depth, widths):
    factorization = DeepFactorization(depth, widths)
    factors = drawn(factorization, shape)
    product = np.linalg.multi_dot(factors[::-1]) if depth > 1 else factors[0]
    matrix = factorization.end_to_end(factors)
    assert isinstance(matrix, np.ndarray)
    assert matrix.shape == shape
    assert np.allclose(matrix, product, rtol=0, atol=ROUNDING * abs(product).max())
    assert factorization.num_factors_in_product == depth == len(factors)


@pytest.mark.parametrize(("shape", "depth", "widths"), CASES)
def test_pullback_is_the_automatic_derivative(shape, depth, widths):
    factorization, f = DeepFactorization(depth, widths), smooth(shape)
    factors = drawn(factorization, shape)
    gradient = np.asarray(jax.grad(f)(factorization.end_to_end(factors)))
    pulled = factorization.pullback(factors, gradient)
    wanted = jax.grad(lambda given: f(factorization.end_to_end(given)))(factors)
    assert len(pulled) == depth
    for got, expected in zip(pulled, wanted, strict=True):
        assert isinstance(got, np.ndarray)  # NumPy in, NumPy out
        assert got.shape == expected.shape
        scale = abs(np.asarray(expected)).max()
        assert np.allclose(got, expected, rtol=0, atol=ROUNDING * scale)


@pytest.mark.parametrize(("shape", "depth", "widths"), CASES)
def test_pullback_leaves_a_taylor_remainder_of_order_two(shape, depth, widths):
    factorization, f = DeepFactorization(depth, widths), smooth(shape)
    factors = drawn(factorization, shape)
    towards = drawn(factorization, shape, seed=1)
    matrix = factorization.end_to_end(factors)
    pulled = factorization.pullback(factors, np.asarray(jax.grad(f)(matrix)))
    slope = sum((g * d).sum() for g, d in zip(pulled, towards, strict=True))
    steps = 2.0 ** -np.arange(8, 14)
    moved = [
        tuple(w + step * d for w, d in zip(factors, towards, strict=True))
        for step in steps
    ]
    values = np.array([float(f(factorization.end_to_end(w))) for w in moved])
    remainder = abs(values - float(f(matrix)) - steps * slope)
    order = np.polyfit(np.log(steps), np.log(remainder), 1)[0]
    # The next term is smaller by the step, at most 0.004, times a constant of size ten.
    assert order == pytest.approx(2, abs=0.05)


def test_pullback_works_under_compilation():
    factorization = DeepFactorization(3, (7, 4, 6, 5))
    factors = tuple(map(jnp.asarray, drawn(factorization, (5, 7))))
    gradient = jnp.ones((5, 7))
    compiled = jax.jit(factorization.pullback)(factors, gradient)
    for got, expected in zip(
        compiled, factorization.pullback(factors, gradient), strict=True
    ):
        assert isinstance(got, jax.Array)
        assert np.allclose(got, expected, rtol=ROUNDING)


@pytest.mark.parametrize(
    ("shape", "depth", "widths", "shapes"),
    [
        ((5, 7), 1, None, ((5, 7),)),
        ((5, 7), 1, (7, 5), ((5, 7),)),
        ((5, 7), 2, None, ((5, 7), (5, 5))),
        ((7, 5), 2, None, ((5, 5), (7, 5))),
        ((5, 7), 3, None, ((5, 7), (5, 5), (5, 5))),
        ((5, 7), 3, 2, ((2, 7), (2, 2), (5, 2))),
        ((7, 5), 3, (5, 4, 6, 7), ((4, 5), (6, 4), (7, 6))),
        ((7, 5), 2, [5, np.int64(3), 7], ((3, 5), (7, 3))),
        ((1, 1), 2, None, ((1, 1), (1, 1))),
    ],
)
def test_shapes_of_the_factors(shape, depth, widths, shapes):
    assert DeepFactorization(depth, widths).shapes(shape) == shapes


def test_by_default_no_rank_is_excluded():
    for shape in [(5, 7), (7, 5)]:
        for depth in (1, 2, 3, 4):
            assert largest_rank(DeepFactorization(depth).shapes(shape)) == 5
    assert largest_rank(DeepFactorization(3, (7, 6, 2, 5)).shapes((5, 7))) == 2


@pytest.mark.parametrize("depth", [0, -1, True, 2.5, 2.0, "2", None, np.nan, np.inf])
def test_depth_is_a_positive_integer(depth):
    message = r"^`DeepFactorization\(depth\)`: this is an integer >= 1\. Got .*\. Give"
    with pytest.raises(SpecError, match=message):
        DeepFactorization(depth)


@pytest.mark.parametrize(
    "widths",
    [
        0,
        -3,
        True,
        2.5,
        (7, -2, 5),
        (7, 0, 5),
        (7, 2.5, 5),
        (7, True, 5),
        "735",
        np.array([7, 3, 5]),
    ],
)
def test_widths_are_positive_integers(widths):
    message = r"^`DeepFactorization\(widths\)`: this is an integer >= 1\. Got .*\. Give"
    with pytest.raises(SpecError, match=message):
        DeepFactorization(2, widths)


@pytest.mark.parametrize("widths", [(), (7,), (7, 5), (7, 3, 3, 5)])
def test_there_is_one_width_more_than_factors(widths):
    message = rf"depth 2 means 3 widths\. Got {len(widths)} of them: .*\. Give one"
    with pytest.raises(SpecError, match=message):
        DeepFactorization(2, widths)


@pytest.mark.parametrize("widths", [(5, 3, 7), (7, 3, 7), (5, 3, 5), (6, 3, 5)])
def test_widths_end_where_the_problem_does(widths):
    message = r"widths run from cols = 7 to rows = 5\. Got \(.*\)\. Begin with cols"
    with pytest.raises(SpecError, match=message):
        DeepFactorization(2, widths).shapes((5, 7))


@pytest.mark.parametrize(("shape", "depth", "widths"), CASES)
def test_unit_norms_are_those_of_numpy(shape, depth, widths):
    factorization = DeepFactorization(depth, widths)
    factors = drawn(factorization, shape)
    if depth == 1:  # no hidden unit: the whole matrix is one block
        expected = [np.linalg.norm(factors[0])]
    else:
        # hidden unit k of layer j: row k of factor j and column k of factor j + 1
        expected = list(np.linalg.norm(factors[0], axis=1))
        for factor in factors[1:-1]:
            expected += list(np.linalg.norm(factor, axis=0))
            expected += list(np.linalg.norm(factor, axis=1))
        expected += list(np.linalg.norm(factors[-1], axis=0))
    got = sorted(np.asarray(factorization.unit_norms(factors)))
    assert np.allclose(got, sorted(expected), rtol=ROUNDING)


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e-156, 1e-100, 1e150])
@pytest.mark.parametrize(("shape", "depth", "widths"), CASES)
def test_unit_norms_of_tiny_factors_do_not_underflow(shape, depth, widths, size):
    factorization = DeepFactorization(depth, widths)
    factors = drawn(factorization, shape)
    tiny = tuple(size * factor for factor in factors)
    norms = np.asarray(factorization.unit_norms(factors))
    assert np.allclose(factorization.unit_norms(tiny) / size, norms, rtol=ROUNDING)


def test_unit_norms_keep_their_order():
    factorization = DeepFactorization(3, (7, 2, 3, 5))
    factors = drawn(factorization, (5, 7))
    before = np.asarray(factorization.unit_norms(factors))
    scaled = (np.array([[2.0], [1.0]]) * factors[0], *factors[1:])
    ratio = np.asarray(factorization.unit_norms(scaled)) / before
    assert sorted(ratio) == pytest.approx([1.0] * (len(ratio) - 1) + [2.0])
    assert ratio[0] == pytest.approx(2.0)
