"""Variational Bayes finds the noise and the rank, and its rows are true posteriors."""

import numpy as np
import pytest
from half_empty import planted, relative

from lowrankflow.completion import MatrixCompleter, ObservedTable
from lowrankflow.completion.bayes import bayes_factors
from lowrankflow.completion.bayes_kernel import posterior_rows


def found(table, rank=8, weights=None, **settings):
    known = ObservedTable.of(table, entry_weight=weights)
    settings = {"rtol": 1e-7, "max_sweeps": 400} | settings
    return bayes_factors(known.problem(), rank=rank, **settings)


def test_noise_and_rank_are_found():
    truth, table = planted(shape=(150, 100), rank=3, share=0.4, noise=0.2)
    model = found(table, rank=8)
    assert model.left.shape[1] == 3
    assert np.sqrt(model.noise) == pytest.approx(0.2, rel=0.05)
    error = np.sqrt(np.mean((model.left @ model.right.T - truth) ** 2))
    # 250 x 3 numbers from 6,000 entries: 0.2 (750 / 6000)^(1/2) = 0.07.
    assert error < 0.09


def test_nothing_is_there_in_noise():
    table = np.random.default_rng(0).standard_normal((120, 80))
    model = found(table, rank=5)
    assert relative(model.left @ model.right.T, table) > 0.9
    assert model.noise == pytest.approx(1.0, rel=0.1)


def test_a_row_is_its_posterior():
    """Against the formulas with dense matrices, entry by entry."""
    rng = np.random.default_rng(1)
    rank, noise = 3, 0.7
    mean = rng.standard_normal((6, rank))
    roots = 0.3 * rng.standard_normal((6, rank, rank))
    covariance = roots @ roots.transpose(0, 2, 1)
    moments = mean[:, :, None] * mean[:, None, :] + covariance
    lower = np.tril_indices(rank)
    packed = moments[:, lower[0], lower[1]]
    prior, index = np.array([0.5, 1.0, 2.0]), np.array([0, 2, 5, 1])
    y, w = rng.standard_normal(4), np.array([1.0, 2.0, 0.5, 1.0])
    out = np.zeros((2, rank)), np.zeros((2, 6)), np.zeros(2)
    start = np.array([0, 3, 4])
    posterior_rows(start, index, y, w, mean, packed, prior, noise, *out, 0, 2)
    for i, (low, high) in enumerate([(0, 3), (3, 4)]):
        at, own, weight = index[low:high], y[low:high], w[low:high]
        second = np.einsum("k,kcd->cd", weight, moments[at])
        expected = np.linalg.inv(np.diag(prior) + second / noise)
        middle = expected @ ((weight * own) @ mean[at] / noise)
        np.testing.assert_allclose(out[0][i], middle, rtol=1e-12)
        np.testing.assert_allclose(out[1][i], expected[lower], rtol=1e-12)
        both = np.outer(middle, middle) + expected
        squares = weight @ own**2 - 2 * (weight * own) @ (mean[at] @ middle)
        squares += np.sum(both * second)
        assert out[2][i] == pytest.approx(squares, rel=1e-12)


def test_weights_are_precisions():
    truth, table = planted(shape=(80, 60), rank=2, share=0.6)
    rng = np.random.default_rng(2)
    noisy = rng.random(table.shape) < 0.5
    size = np.where(noisy, 1.0, 0.05)
    table = table + size * rng.standard_normal(table.shape)
    told = found(table, weights=1 / size**2)
    untold = found(table)
    errors = [relative(one.left @ one.right.T, truth) for one in (told, untold)]
    assert errors[0] < 0.06 < errors[1]
    assert told.noise == pytest.approx(1.0, rel=0.15)


def test_as_a_method():
    truth, table = planted(shape=(80, 60), noise=0.1, share=0.5)
    completer = MatrixCompleter(method="bayes", effects="none", smooth=True)
    completed = completer.fit_transform(table)
    assert np.sqrt(np.mean((completed - truth) ** 2)) < 0.06
    # At whatever sweep it was best: the noise may not have settled yet.
    assert completer.setting_["noise"] == pytest.approx(0.1, rel=0.5)
    # Columns are held at their means, without their own uncertainty.
    assert relative(completer.transform(table), completed) < 0.01
