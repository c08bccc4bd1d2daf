"""The completer finds what is there, says what it compared, and keeps what is known."""

import numpy as np
import pytest
from half_empty import additive, planted, relative
from scipy import sparse

from lowrankflow.completion import MatrixCompleter
from lowrankflow.errors import DataError, SpecError


def test_auto_recovers_a_low_rank_table_exactly():
    truth, table = planted(shape=(60, 50), rank=3, share=0.35)
    completer = MatrixCompleter()
    completed = completer.fit_transform(table)
    assert relative(completed, truth) < 1e-5
    assert completer.rank_ == 3
    left, right = completer.factors_
    assert left.shape == (60, 3)
    assert right.shape == (50, 3)
    assert any(
        "nothing is left to be won" in why for why in completer.validation_.skipped
    )


def test_auto_chooses_effects_where_there_is_nothing_else():
    truth, table = additive()
    completer = MatrixCompleter()
    completed = completer.fit_transform(table)
    effects = next(c for c in completer.comparison_ if c.method == "effects")
    winner = completer.comparison_[0]
    # Whatever won, it won by no more than chance, and the answer is the truth's.
    assert winner.held_out_error >= 0.9 * effects.held_out_error
    assert effects.setting["effects"] == "both"
    assert np.sqrt(np.mean((completed - truth) ** 2)) < 0.12


def test_the_comparison_is_what_it_says():
    _, table = planted(noise=0.3, seed=5)
    completer = MatrixCompleter().fit(table)
    results = completer.comparison_
    errors = [c.held_out_error for c in results]
    assert errors == sorted(errors)
    assert results[0].method == completer.method_
    assert results[0].difference == 0
    for one in results:
        gap = one.held_out_error**2 - errors[0] ** 2
        assert one.difference == pytest.approx(gap, abs=1e-12)
        assert one.path
        assert min(p.held_out_error for p in one.path) == one.held_out_error
    assert {c.method for c in results} >= {"effects", "greedy path", "flow", "als"}
    greedy = next(c for c in results if c.method == "greedy path")
    assert all(point.certificate is not None for point in greedy.path)


@pytest.mark.parametrize("method", ["greedy path", "flow", "soft-impute", "als"])
def test_every_method_beats_the_mean_by_itself(method):
    truth, table = planted(shape=(80, 60), noise=0.1, share=0.5)
    completer = MatrixCompleter(method=method, effects="none")
    completed = completer.fit_transform(table)
    assert completer.method_ == method
    assert {c.method for c in completer.comparison_} == {method}
    missing = np.isnan(table)
    error = np.sqrt(np.mean((completed - truth)[missing] ** 2))
    assert error < 0.25
    # Noise of 0.1 is in what is kept aside, and not in the truth.
    assert 0.08 < completer.validation_.held_out_error < 0.3


@pytest.mark.parametrize("method", ["effects", "greedy path", "als", "soft-impute"])
def test_rows_found_anew_are_the_rows_that_were_learnt(method):
    """At a minimum each row is the best for the columns: folding in changes nothing."""
    _, table = planted(shape=(50, 40), noise=0.2)
    completer = MatrixCompleter(method=method, smooth=True)
    learnt = completer.fit_transform(table)
    anew = completer.transform(table)
    tolerance = 5e-3 if method in ("soft-impute", "als") else 1e-3
    assert relative(anew, learnt) < tolerance


def test_new_rows():
    truth, table = planted(shape=(200, 30), rank=2, share=0.6)
    completer = MatrixCompleter(method="greedy path", effects="none").fit(table[:150])
    completed = completer.transform(table[150:])
    assert relative(completed, truth[150:]) < 1e-4
    np.testing.assert_array_equal(
        completed[np.isfinite(table[150:])], table[150:][np.isfinite(table[150:])]
    )
    assert completer.score(table[150:]) > -1e-3
    nothing = completer.transform(np.full((1, 30), np.nan))
    assert np.isfinite(nothing).all()


def test_known_entries_come_back_unless_smoothed():
    _, table = planted(noise=0.5)
    seen = np.isfinite(table)
    completed = MatrixCompleter(method="als").fit_transform(table)
    np.testing.assert_array_equal(completed[seen], table[seen])
    smoothed = MatrixCompleter(method="als", smooth=True).fit_transform(table)
    assert not np.isclose(smoothed[seen], table[seen]).all()
    np.testing.assert_array_equal(smoothed[~seen], completed[~seen])


def test_bounds():
    _, table = planted(noise=0.5, seed=6)
    table = np.clip(np.round(3 + table), 1, 5)
    completer = MatrixCompleter(method="greedy path", clip=(1, 5))
    completed = completer.fit_transform(table)
    assert completed.min() >= 1
    assert completed.max() <= 5
    assert completer.predict([0], [0]) <= 5


def test_triplets_and_sparse_arrays_are_the_table():
    _, table = planted(noise=0.1, seed=7)
    rows, cols = np.nonzero(np.isfinite(table))
    values = table[rows, cols]
    dense = MatrixCompleter(method="greedy path").fit(table)
    shuffled = np.random.default_rng(0).permutation(rows.size)
    listed = MatrixCompleter(method="greedy path").fit(
        (rows[shuffled], cols[shuffled], values[shuffled]), shape=table.shape
    )
    stored = sparse.csc_array((values, (rows, cols)), shape=table.shape)
    kept = MatrixCompleter(method="greedy path").fit(stored)
    for other in (listed, kept):
        np.testing.assert_array_equal(other.complete(), dense.complete())
    error = np.sqrt(np.mean((dense.predict(rows, cols) - values) ** 2))
    assert dense.score((rows, cols, values)) == pytest.approx(-error, rel=1e-12)
    assert 0.05 < error < 0.15, "it is the noise"


def test_weights_say_whom_to_believe():
    truth, table = planted(shape=(40, 30), rank=1, share=1.0)
    rng = np.random.default_rng(0)
    wrong = rng.random(table.shape) < 0.3
    table = truth + np.where(wrong, 3 * rng.standard_normal(table.shape), 0.0)
    weight = np.where(wrong, 1e-4, 1.0)
    settings = {"method": "greedy path", "effects": "none", "max_rank": 1}
    plain = MatrixCompleter(**settings, smooth=True).fit(table).complete()
    believed = (
        MatrixCompleter(**settings, smooth=True)
        .fit(table, entry_weight=weight)
        .complete()
    )
    assert relative(believed, truth) < 0.01 < 0.1 < relative(plain, truth)


def test_rows_and_columns_without_entries_are_flagged_and_filled():
    _, table = planted(noise=0.1, seed=8)
    table[3], table[:, 5] = np.nan, np.nan
    completer = MatrixCompleter()
    completed = completer.fit_transform(table)
    assert completer.unobserved_rows_.tolist() == [3]
    assert completer.unobserved_cols_.tolist() == [5]
    assert np.isfinite(completed).all()
    assert np.abs(completed[3]).max() < 3


@pytest.mark.parametrize(
    "table",
    [
        np.array([[1.0, np.nan, 3.0]]),
        np.array([[1.0], [np.nan], [3.0]]),
        np.array([[7.0]]),
        np.full((6, 5), 2.0),
        np.where(np.eye(12) > 0, np.nan, 2.0),
        np.where(np.eye(30, 20) > 0, np.nan, 0.0),
        np.arange(12).reshape(3, 4),
    ],
    ids=["1xn", "nx1", "1x1", "constant", "constant-holes", "zeros", "integers"],
)
def test_odd_tables(table):
    completed = MatrixCompleter().fit_transform(table)
    seen = ~np.isnan(np.asarray(table, float))
    np.testing.assert_array_equal(completed[seen], np.asarray(table, float)[seen])
    assert np.isfinite(completed).all()
    if table.size > 12:
        assert np.ptp(completed) < 1e-9, "a constant table is completed by its constant"


def test_columns_of_different_units():
    truth, table = planted(shape=(100, 8), rank=2, noise=0.05, share=0.7)
    units = 10.0 ** np.arange(-4, 4)
    completer = MatrixCompleter()
    completed = completer.fit_transform(table * units)
    assert completer.scale_ is not None
    error = (completed / units - truth)[np.isnan(table)]
    assert np.sqrt(np.mean(error**2)) < 0.25
    assert MatrixCompleter(method="effects").fit(table).scale_ is None


def test_progress_and_an_early_end():
    _, table = planted(noise=0.3, seed=9)
    heard = []

    def listen(progress):
        heard.append(progress)
        return progress.best is not None and progress.best.method == "greedy path"

    completer = MatrixCompleter().fit(table, callback=listen)
    assert completer.interrupted_
    assert np.isfinite(completer.complete()).all()
    done = [progress.done for progress in heard]
    assert done == sorted(done)
    assert 0 <= done[0] <= done[-1] <= 1


def test_the_same_answer_every_time():
    _, table = planted(noise=0.3, seed=10)
    first, second = (MatrixCompleter().fit_transform(table) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    other = MatrixCompleter(random_state=1).fit_transform(table)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"method": "magic"}, "magic"),
        ({"method": ()}, '"auto"'),
        ({"max_rank": 0}, "max_rank"),
        ({"penalty": -1.0}, ">= 0"),
        ({"effects": "all"}, "effects"),
        ({"validation": 1.5}, "in [0, 1)"),
        ({"validation_scheme": "x"}, "block"),
        ({"clip": (5, 1)}, "low < high"),
        ({"depth": 1}, "depth"),
        ({"init_scale": 0}, "init_scale"),
        ({"random_state": "x"}, "random_state"),
        ({"scale": "rows"}, "scale"),
    ],
)
def test_settings_out_of_range(settings, words):
    with pytest.raises(SpecError) as caught:
        MatrixCompleter(**settings).fit(np.ones((4, 4)))
    assert words in str(caught.value)


def test_cells_out_of_range():
    completer = MatrixCompleter(method="effects").fit(np.ones((4, 3)))
    with pytest.raises(DataError, match="0...3"):
        completer.predict([4], [0])
    with pytest.raises(DataError, match="lengths"):
        completer.predict([1, 2], [0])
