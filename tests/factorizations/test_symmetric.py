import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lowrankflow.errors import SpecError
from lowrankflow.factorizations import (
    DeepFactorization,
    SymmetricFactorization,
    largest_rank,
)

WIDTHS = [None, 1, 3, 8]
SIZE = 6
ROUNDING = 1e-12  # products of 6 x 8 matrices with entries of size 1


def drawn(width, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((SIZE, SIZE if width is None else width)),)


def skewed(matrix):
    """f(X) whose gradient is not symmetric."""
    weights = np.random.default_rng(9).standard_normal((SIZE, SIZE))
    return (weights * jnp.sin(matrix)).sum() + (matrix[0] * matrix[:, 1]).sum()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_product_is_positive_semidefinite(width):
    factorization, factors = SymmetricFactorization(width), drawn(width)
    matrix = factorization.end_to_end(factors)
    assert np.allclose(matrix, factors[0] @ factors[0].T, rtol=ROUNDING)
    assert np.linalg.eigvalsh(matrix)[0] >= -ROUNDING * np.linalg.norm(matrix)
    assert factorization.num_factors_in_product == 2


@pytest.mark.parametrize("width", WIDTHS)
def test_pullback_is_half_the_automatic_derivative(width):
    # The documented clock: the flow of f(U U') / 2, so that U U' moves as W_2 W_1 does.
    factorization, factors = SymmetricFactorization(width), drawn(width)
    gradient = np.asarray(jax.grad(skewed)(factorization.end_to_end(factors)))
    assert abs(gradient - gradient.T).max() > 0.1  # else the symmetric part is no test
    (got,) = factorization.pullback(factors, gradient)
    (whole,) = jax.grad(lambda given: skewed(factorization.end_to_end(given)))(factors)
    assert isinstance(got, np.ndarray)
    scale = abs(np.asarray(whole)).max()
    assert np.allclose(got, np.asarray(whole) / 2, rtol=0, atol=ROUNDING * scale)


@pytest.mark.parametrize("width", WIDTHS)
def test_pullback_leaves_a_taylor_remainder_of_order_two(width):
    factorization = SymmetricFactorization(width)
    (factor,), (towards,) = drawn(width), drawn(width, seed=1)
    matrix = factorization.end_to_end((factor,))
    (half,) = factorization.pullback((factor,), np.asarray(jax.grad(skewed)(matrix)))
    steps = 2.0 ** -np.arange(8, 14)
    values = np.array(
        [
            float(skewed(factorization.end_to_end((factor + step * towards,))))
            for step in steps
        ]
    )
    remainder = abs(values - float(skewed(matrix)) - steps * 2 * (half * towards).sum())
    order = np.polyfit(np.log(steps), np.log(remainder), 1)[0]
    # The next term is smaller by the step, at most 0.004, times a constant of size ten.
    assert order == pytest.approx(2, abs=0.05)


def test_its_clock_is_that_of_depth_two_from_the_symmetric_start():
    (factor,) = drawn(3)
    deep, symmetric = DeepFactorization(2, 3), SymmetricFactorization(3)
    gradient = np.asarray(jax.grad(skewed)(factor @ factor.T))
    gradient = (gradient + gradient.T) / 2
    first, second = deep.pullback((factor.T, factor), gradient)
    (pulled,) = symmetric.pullback((factor,), gradient)
    assert np.allclose(second, pulled, rtol=ROUNDING)
    assert np.allclose(first.T, pulled, rtol=ROUNDING)


@pytest.mark.parametrize("width", WIDTHS)
def test_unit_norms_are_the_norms_of_the_columns(width):
    factors = drawn(width)
    norms = SymmetricFactorization(width).unit_norms(factors)
    expected = [np.linalg.norm(column) for column in factors[0].T]
    assert np.allclose(norms, expected, rtol=ROUNDING)


def test_unit_norms_of_columns_far_apart_are_each_their_own():
    sizes = np.array([1.0, 1e-158, 1e-300, 0.0, 1e150])
    factor = np.random.default_rng(0).standard_normal((7, 5))
    norms = SymmetricFactorization(5).unit_norms((factor * sizes,))
    expected = np.linalg.norm(factor, axis=0) * sizes
    assert np.allclose(norms, expected, rtol=ROUNDING, atol=0)


def test_shapes_of_the_factor():
    assert SymmetricFactorization().shapes((6, 6)) == ((6, 6),)
    assert SymmetricFactorization(2).shapes((6, 6)) == ((6, 2),)
    assert SymmetricFactorization(np.int64(9)).shapes((6, 6)) == ((6, 9),)
    assert largest_rank(SymmetricFactorization().shapes((6, 6))) == 6
    assert largest_rank(SymmetricFactorization(9).shapes((6, 6))) == 6


@pytest.mark.parametrize("shape", [(5, 7), (7, 5)])
def test_a_rectangle_is_refused(shape):
    message = (
        r"^`SymmetricFactorization`: U U' is square, so the problem must be\. "
        r"Got a problem of shape \(., .\)\. Use DeepFactorization\(depth=2\)"
    )
    with pytest.raises(SpecError, match=message):
        SymmetricFactorization(3).shapes(shape)


@pytest.mark.parametrize("width", [0, -2, True, 2.5, 2.0, "3", (3,)])
def test_the_width_is_a_positive_integer(width):
    message = r"^`SymmetricFactorization\(width\)`: this is an integer >= 1\. Got .*\. "
    with pytest.raises(SpecError, match=message):
        SymmetricFactorization(width)
