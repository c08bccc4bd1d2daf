"""Intervals hold as often as they say, whatever the errors' distribution."""

import numpy as np
import pytest
from half_empty import planted

from lowrankflow.completion import MatrixCompleter
from lowrankflow.errors import DataError, SpecError


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_coverage_on_new_entries(level):
    inside, wide = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        truth, table = planted(shape=(120, 60), share=1.0, seed=seed)
        # Heavy tails, and rows ten times as noisy as others.
        noise = (
            rng.standard_t(3, truth.shape)
            * np.where(np.arange(120) < 60, 0.03, 0.3)[:, None]
        )
        table = truth + noise
        seen = rng.random(truth.shape) < 0.5
        completer = MatrixCompleter(
            method="greedy path", effects="none", max_rank=3, validation=0.2
        ).fit(np.where(seen, table, np.nan))
        rows, cols = np.nonzero(~seen)
        low, high = completer.interval(rows, cols, level=level)
        inside.append(np.mean((low <= table[rows, cols]) & (table[rows, cols] <= high)))
        wide.append(
            np.median((high - low)[rows >= 60]) / np.median((high - low)[rows < 60])
        )
    # Some 240 calibration entries a seed: a standard error of 0.013 over six.
    assert np.mean(inside) == pytest.approx(level, abs=0.04)
    assert min(wide) > 2, "noisy rows have wider intervals"
    assert completer.coverage_ == pytest.approx(0.9, abs=0.08)


def test_calibration_takes_no_part_in_the_choice():
    _, table = planted(shape=(60, 40), share=0.9, noise=0.1)
    completer = MatrixCompleter(method="effects", validation=0.3).fit(table)
    validation = completer.validation_
    total = validation.num_selection + validation.num_calibration
    assert total == round(0.3 * np.isfinite(table).sum())
    assert validation.num_calibration == int(total / 3)


def test_what_cannot_be_promised():
    _, table = planted(shape=(30, 20), share=0.5)
    completer = MatrixCompleter(method="effects").fit(table)
    with pytest.raises(DataError, match="kept aside"):
        completer.interval([0], [0])
    _, table = planted(shape=(60, 40), share=0.5)
    completer = MatrixCompleter(method="effects").fit(table)
    with pytest.raises(DataError, match="a level of 0.999 needs 999"):
        completer.interval([0], [0], level=0.999)
    with pytest.raises(SpecError, match="in \\(0, 1\\)"):
        completer.interval([0], [0], level=90)
