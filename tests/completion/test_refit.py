"""The winner fitted again: a flow is stopped where it fits as well as it did."""

import half_empty
import numpy as np
import pytest

from lowrankflow.completion import MatrixCompleter


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_flow_is_stopped_at_the_fit_that_was_chosen(depth, seed):
    truth, table = half_empty.planted(share=0.3, rank=3, noise=0.3, seed=seed)
    completer = MatrixCompleter("flow", depth=depth, random_state=seed).fit(table)
    chosen = completer.comparison_[0]
    if "polished" in chosen.setting:
        pytest.skip("finished by Newton's method, and so is the refit")
    known = ~np.isnan(table)
    residuals = completer.predict(*np.nonzero(known)) - table[known]
    fit = np.sqrt(np.mean(residuals**2))
    # Two steps of the flow are between two looks.
    assert fit == pytest.approx(chosen.training_error, rel=0.15)
    before = MatrixCompleter("flow", depth=depth, random_state=seed, refit=False)
    gaps = ~known
    errors = [
        np.sqrt(np.mean((one.complete() - truth)[gaps] ** 2))
        for one in (completer, before.fit(table))
    ]
    assert errors[0] < 1.1 * errors[1]


def test_a_whole_table_without_noise_by_the_flow():
    """All directions run away at nearly the same time."""
    truth, _ = half_empty.planted(share=0.3, rank=3, noise=0.3, seed=0)
    completer = MatrixCompleter("flow", depth=3).fit(truth)
    assert half_empty.relative(completer.complete(), truth) < 1e-6
    predicted = completer.predict(*np.indices(truth.shape).reshape(2, -1))
    assert half_empty.relative(predicted.reshape(truth.shape), truth) < 1e-3
