"""What is kept aside is what the scheme says, and no entry is in two parts."""

import numpy as np
import pytest
from half_empty import planted

from lowrankflow.completion import ObservedTable
from lowrankflow.completion.validation import SCHEMES, split_entries
from lowrankflow.errors import SpecError

TABLE = ObservedTable.of(planted(shape=(80, 50), share=0.5)[1])


def split(scheme, fraction=0.2, table=TABLE, seed=0):
    return split_entries(table, fraction=fraction, scheme=scheme, seed=seed)


def places(part):
    return set(zip(part.rows.tolist(), part.cols.tolist(), strict=True))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_parts_are_a_partition(scheme):
    parts = split(scheme)
    pieces = [places(p) for p in (parts.train, parts.selection, parts.calibration)]
    assert sum(map(len, pieces)) == TABLE.num_entries
    assert set.union(*pieces) == places(TABLE)
    aside = len(pieces[1]) + len(pieces[2])
    assert 0.1 * TABLE.num_entries < aside < 0.35 * TABLE.num_entries
    again, other = split(scheme), split(scheme, seed=1)
    assert places(again.selection) == pieces[1] != places(other.selection)


@pytest.mark.parametrize(("scheme", "axis"), [("rows", "rows"), ("columns", "cols")])
def test_the_same_share_of_every_line(scheme, axis):
    parts = split(scheme)
    aside = np.concatenate(
        [getattr(p, axis) for p in (parts.selection, parts.calibration)]
    )
    all_, taken = (np.bincount(i) for i in (getattr(TABLE, axis), aside))
    assert (np.abs(taken - 0.2 * all_) <= 1).all()


def test_a_line_with_one_entry_keeps_it():
    rows = np.arange(40)
    lonely = ObservedTable.of((rows, rows % 7, np.ones(40)), shape=(40, 7))
    assert split("rows", table=lonely).selection is None


def test_blocks_are_where_rows_meet_columns():
    full = ObservedTable.of(np.random.default_rng(0).random((60, 60)))
    parts = split("block", table=full, fraction=0.1)
    aside = np.zeros((60, 60), bool)
    for part in (parts.selection, parts.calibration):
        aside[part.rows, part.cols] = True
    # Rows within a block are alike: few patterns, each of several rows.
    patterns = {row.tobytes() for row in aside[aside.any(axis=1)]}
    assert 1 <= len(patterns) < aside.any(axis=1).sum()


def test_too_few_to_choose_by():
    small = ObservedTable.of(np.ones((5, 5)))
    assert split("random", table=small).selection is None
    assert split("random", fraction=0).selection is None


@pytest.mark.parametrize("fraction", [1.0, -0.1, np.nan])
def test_wrong_fraction(fraction):
    with pytest.raises(SpecError, match="share of the known entries"):
        split("random", fraction=fraction)


def test_wrong_scheme():
    with pytest.raises(SpecError, match="'rows'"):
        split("diagonal")
