"""A blend is a mean of models, weighed on entries kept aside, and only if it pays."""

import numpy as np
import pytest
from half_empty import planted, relative, tastes

from lowrankflow.completion import MatrixCompleter, ObservedTable
from lowrankflow.completion.candidates.bases import base_of
from lowrankflow.completion.candidates.blend import blended, combined
from lowrankflow.completion.candidates.watch import Trail, Watch
from lowrankflow.completion.validation import split_entries

TRUTH, TABLE = planted(shape=(100, 80), rank=2, share=0.8, noise=0.5)
SPLIT = split_entries(ObservedTable.of(TABLE), fraction=0.3, scheme="random", seed=0)


def candidates(*errors):
    """Models that are the truth plus errors of their own, judged."""
    watch, found = Watch(SPLIT, None), []
    base = base_of(SPLIT.train, kind="none", penalty=1.0)
    for k, error in enumerate(errors):
        trail = Trail(watch, f"model {k}")
        left = np.column_stack([TRUTH, error])
        identity = np.eye(80)
        trail.add(base.model(left, np.concatenate([identity, identity], axis=1)), {})
        found.append(trail.result())
    return found, watch


def noise(size, seed):
    return size * np.random.default_rng(seed).standard_normal(TRUTH.shape)


def test_independent_errors_cancel():
    found, watch = candidates(noise(0.4, 1), noise(0.4, 2), noise(0.8, 3))
    blend = blended(found, watch, seed=0)
    # Inverse variances: 4 : 4 : 1.
    np.testing.assert_allclose(blend.weights, [4 / 9, 4 / 9, 1 / 9], atol=0.06)
    assert sum(blend.weights) == pytest.approx(1, abs=1e-12)
    own = np.square(blend.result.residuals).mean()
    assert own == pytest.approx(0.5**2 + 0.16 * 4 / 9, rel=0.1)
    assert own < min(np.square(one.residuals).mean() for one in found)


def test_there_is_no_blend_where_it_does_not_pay():
    error = noise(0.4, 1)
    for found, watch in (candidates(error, error), candidates(noise(0, 0), error)):
        assert blended(found, watch, seed=0) is None
    found, watch = candidates(error)
    assert blended(found, watch, seed=0) is None


def test_the_mean_of_models_is_one():
    found, _ = candidates(noise(0.4, 1), noise(0.8, 2))
    weights = [0.3, 0.7]
    model = combined([one.model for one in found], weights)
    expected = sum(w * one.model.dense() for one, w in zip(found, weights, strict=True))
    assert relative(model.dense(), expected) < 1e-12
    assert model.rank <= 80
    both = [np.square(side).sum(axis=0) for side in (model.left, model.right)]
    np.testing.assert_allclose(*both, rtol=1e-8)


def test_a_blend_that_won_is_fitted_again_and_folds_new_rows():
    truth, table = tastes()
    completer = MatrixCompleter(
        method=("greedy path", "als", "bayes", "effects", "blend"), validation=0.3
    ).fit(table)
    assert completer.method_ == "blend"
    parts = completer.setting_["parts"]
    assert sum(part["weight"] for part in parts) == pytest.approx(1)
    completed = completer.complete()
    missing = np.isnan(table)
    error = np.sqrt(np.mean((completed - truth)[missing] ** 2))
    alone = MatrixCompleter(method="greedy path", validation=0.3).fit_transform(table)
    assert error <= 1.02 * np.sqrt(np.mean((alone - truth)[missing] ** 2))
    anew = completer.transform(table)
    assert relative(anew[missing], completed[missing]) < 0.15
