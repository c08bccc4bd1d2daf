"""What is done on a large table, tried on a small one that is called large."""

import numpy as np
import pytest
from half_empty import planted

from lowrankflow.completion import MatrixCompleter
from lowrankflow.completion.candidates import plan, sizes


@pytest.fixture
def everything_is_large(monkeypatch):
    monkeypatch.setattr(sizes, "LARGE", 1000)
    monkeypatch.setattr(plan, "_MOST", {name: 1000 for name in plan._MOST})


@pytest.mark.usefixtures("everything_is_large")
def test_few_trials_in_single_precision():
    truth, table = planted(shape=(120, 80), rank=3, noise=0.3, share=0.5)
    completer = MatrixCompleter().fit(table)
    completed = completer.complete()
    missing = np.isnan(table)
    assert np.sqrt(np.mean((completed - truth)[missing] ** 2)) < 0.15
    tried = {one.method for one in completer.comparison_}
    assert {"effects", "greedy path", "als"} <= tried
    assert not tried & {"flow", "soft-impute", "bayes"}
    assert len(completer.validation_.skipped) == 3
    als = next(one for one in completer.comparison_ if one.method == "als")
    greedy = next(one for one in completer.comparison_ if one.method == "greedy path")
    assert als.rank == greedy.rank == 3, (
        "least squares begin at the rank that was found"
    )
    assert len(als.path) <= 2
