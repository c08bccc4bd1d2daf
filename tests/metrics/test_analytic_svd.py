"""Decompositions that are followed, against paths whose analytic one is known."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from lowrankflow.errors import DataError, SpecError
from lowrankflow.metrics import central_derivative, follow_svd

ROUNDING = 1e-12
SHAPES = [(4, 4), (6, 4), (4, 6)]


def frames(size, count, times, seed):
    """exp(t A) E with a skew A: orthonormal columns that turn, and their start."""
    rng = np.random.default_rng(seed)
    skew = rng.standard_normal((size, size))
    rates, basis = np.linalg.eigh(1j * (skew - skew.T))
    turns = basis @ (np.exp(-1j * times[:, None] * rates)[:, :, None] * basis.conj().T)
    start = np.linalg.qr(rng.standard_normal((size, size)))[0][:, :count]
    return np.real(turns) @ start


def path(shape, values, times, seed=0):
    left = frames(shape[0], values.shape[1], 0.3 * times, seed)
    right = frames(shape[1], values.shape[1], 0.3 * times, seed + 1)
    return left, right, np.einsum("tik,tk,tjk->tij", left, values, right)


def up_to_signs(found, wanted):
    """The columns of `wanted`, one sign for all times, as they are in `found`."""
    return wanted * np.sign(np.sum(found[0] * wanted[0], axis=0))


@pytest.mark.parametrize("shape", SHAPES)
def test_values_cross_and_vectors_go_on(shape):
    times = np.linspace(0, 1, 81)
    values = np.stack([3 - 2 * times, 2.5 - times, 1 + times, 0.5 + 0 * times], 1)
    left, right, matrices = path(shape, values, times)
    found = follow_svd(matrices)
    assert np.allclose(found.values, values, rtol=0, atol=1e-8)
    sizes = -np.sort(-values, axis=1)
    meets = (sizes[:, :-1] - sizes[:, 1:]).min(axis=1) < 1e-9
    assert meets.sum() == 2
    for ours, wanted in ((found.left, left), (found.right, right)):
        error = np.abs(ours - up_to_signs(ours, wanted)).max(axis=(1, 2))
        assert error[~meets].max() < 1e-11
        # There the frame is that of the step before, turned into the common space.
        assert error[meets].max() < 0.3 * 4 / 80
    assert np.allclose(found.matrices, matrices, rtol=0, atol=ROUNDING)
    assert found.overlap[0] == 1
    assert found.overlap.min() > 0.99


@pytest.mark.parametrize("shape", SHAPES)
def test_a_value_that_passes_zero_changes_its_sign(shape):
    times = np.linspace(0, 1, 82)  # not at zero itself
    rest = np.ones_like(times)
    values = np.stack([3 * rest, 2 * rest, 1.5 * rest, 0.5 - times], 1)
    left, right, matrices = path(shape, values, times)
    found = follow_svd(matrices)
    assert np.allclose(found.values, values, rtol=0, atol=ROUNDING)
    assert np.abs(found.left - up_to_signs(found.left, left)).max() < 1e-10
    assert np.abs(found.right - up_to_signs(found.right, right)).max() < 1e-10


def test_crossings_of_values_with_opposite_signs_and_at_zero():
    times = np.linspace(-1, 1, 101)
    # |values| of the first two meet at time zero, and the others vanish there together.
    values = np.stack([4 - times, -4 - times, times, 2 * times], 1)
    _, _, matrices = path((4, 4), values, times)
    found = follow_svd(matrices)
    order = np.argsort(-np.abs(values[0]))
    signs = np.sign(values[0, order])
    # The zero pair comes out as it went in but for its common sign.
    assert np.allclose(
        np.abs(found.values), np.abs(values[:, order]), rtol=0, atol=1e-8
    )
    assert np.allclose(
        found.values[:, :2], (values[:, order] * signs)[:, :2], atol=1e-8
    )
    assert np.allclose(found.matrices, matrices, rtol=0, atol=1e-8)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([(5, 5), (6, 4), (3, 7)]), st.integers(0, 10**6))
def test_any_path_is_reconstructed_with_orthonormal_frames(shape, seed):
    rng = np.random.default_rng(seed)
    first, second = rng.standard_normal((2, *shape))
    matrices = first + np.linspace(0, 1, 9)[:, None, None] * second
    found = follow_svd(matrices)
    assert np.allclose(found.matrices, matrices, rtol=0, atol=ROUNDING)
    for frame in (found.left, found.right):
        gram = np.swapaxes(frame, 1, 2) @ frame
        assert np.allclose(gram, np.eye(min(shape)), rtol=0, atol=ROUNDING)
    sizes = np.linalg.svd(matrices, compute_uv=False)
    assert np.allclose(-np.sort(-np.abs(found.values), axis=1), sizes, atol=ROUNDING)


def test_a_long_step_has_little_overlap():
    turned = np.array([[0.0, 1.0], [1.0, 0.0]]) + 0.2 * np.eye(2)
    assert follow_svd(np.stack([np.diag([2.0, 1.0]), turned])).overlap[1] < 0.8
    assert follow_svd(np.diag([2.0, 1.0])[None]).overlap.tolist() == [1.0]


def test_what_cannot_be_followed():
    with pytest.raises(DataError, match=r"`follow_svd\(matrices\)`.*3 dimension"):
        follow_svd(np.eye(3))
    with pytest.raises(DataError, match=r"at least one matrix.*shape \(0, 3, 3\)"):
        follow_svd(np.empty((0, 3, 3)))
    with pytest.raises(DataError, match=r"finite.*nan"):
        follow_svd(np.full((2, 3, 3), np.nan))


@pytest.mark.parametrize("count", [3, 5, 7])
def test_the_derivative_is_exact_for_polynomials_of_its_degree(count):
    reach, step = count // 2, 0.1
    times = 0.7 + step * np.arange(-reach, reach + 1)
    for degree in range(count):
        found = central_derivative(times[:, None] ** degree, step=step)
        assert found == pytest.approx(degree * 0.7 ** max(degree - 1, 0), abs=1e-12)
    above = central_derivative(times**count, step=step)
    assert abs(above - count * 0.7 ** (count - 1)) > 1e-5 * step


def test_five_points_err_by_the_fourth_power_of_the_step():
    errors = []
    for step in (0.1, 0.05):
        values = np.sin(1 + step * np.arange(-2, 3))
        errors.append(abs(central_derivative(values, step=step) - np.cos(1)))
        assert errors[-1] == pytest.approx(step**4 * np.cos(1) / 30, rel=0.01)
    assert errors[0] / errors[1] == pytest.approx(16, rel=0.01)


def test_a_derivative_needs_points_and_a_step():
    with pytest.raises(DataError, match=r"3, 5 or 7 times.*shape \(4,\)"):
        central_derivative(np.ones(4), step=0.1)
    with pytest.raises(DataError, match=r"shape \(\)"):
        central_derivative(np.array(1.0), step=0.1)
    for step in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(SpecError, match=r"`central_derivative\(step\)`"):
            central_derivative(np.ones(5), step=step)
