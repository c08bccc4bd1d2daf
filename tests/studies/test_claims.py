import json
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from lowrankflow.errors import SpecError
from lowrankflow.studies import (
    Outcome,
    Region,
    Sample,
    Statement,
    at_least,
    at_most,
    bootstrap_interval,
    combine,
    judged,
    largest,
    monotone,
    smaller_than,
    smallest,
    summary,
    trend,
    within,
)

STATEMENT = Statement(key="low", text="It is low.", source="arora2019, figure 2")
WORDS = {
    "claim": "low",
    "sentence": "The error is low.",
    "statement": STATEMENT,
    "quantity": "error",
}
SUPPORTED, CONTRADICTED, UNDECIDED = Outcome
numbers = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=6)


def growing(*values):
    """Three seeds at x = 1, 10, 100, a factor apart that is the same for all."""
    return {10.0**k: [v, 1.1 * v, 0.9 * v] for k, v in enumerate(values)}


@pytest.mark.parametrize(
    ("verdict", "outcome", "expected"),
    [
        (at_most([1, 2, 3], 4, **WORDS), SUPPORTED, "at most 4"),
        (at_most([5, 6, 7], 4, **WORDS), CONTRADICTED, "at most 4"),
        (at_most([1, 6, 7], 4, **WORDS), UNDECIDED, "at most 4"),
        (at_least([5, 6, 7], 4, **WORDS), SUPPORTED, "at least 4"),
        (at_least([1, 2, 3], 4, **WORDS), CONTRADICTED, "at least 4"),
        (at_least([1, 6, 7], 4, **WORDS), UNDECIDED, "at least 4"),
        (within([5, 6, 7], 4, 8, **WORDS), SUPPORTED, "between 4 and 8"),
        (within([9, 10, 11], 4, 8, **WORDS), CONTRADICTED, "between 4 and 8"),
        (within([1, 6, 7], 4, 8, **WORDS), UNDECIDED, "between 4 and 8"),
        (within([0, 12, 6], 4, 8, **WORDS), UNDECIDED, "between 4 and 8"),
        (smaller_than([1, 2, 3], [2, 3, 4], **WORDS), SUPPORTED, "below 1"),
        (smaller_than([3, 4, 5], [2, 3, 4], **WORDS), CONTRADICTED, "below 1"),
        (smaller_than([1, 4, 5], [2, 3, 4], **WORDS), UNDECIDED, "below 1"),
        (smaller_than([2, 2], [2, 2], **WORDS), CONTRADICTED, "below 1"),
        (smaller_than([1, 2], [2, 3], factor=0.4, **WORDS), CONTRADICTED, "below 0.4"),
        (
            smaller_than([-1, 2], [0, 2.5], by="difference", **WORDS),
            SUPPORTED,
            "below 0",
        ),
        (smaller_than([1, 2], 3.0, **WORDS), SUPPORTED, "below 1"),
        (trend(growing(1, 2, 3), lower=0, **WORDS), SUPPORTED, "at least 0"),
        (trend(growing(3, 2, 1), lower=0, **WORDS), CONTRADICTED, "at least 0"),
        (
            trend({1: [1, 2, 3], 2: [2, 1, 3]}, lower=0.1, **WORDS),
            UNDECIDED,
            "at least 0.1",
        ),
        (
            trend(
                growing(1, 100, 1e4),
                lower=1.9,
                upper=2.1,
                log_x=True,
                log_y=True,
                **WORDS,
            ),
            SUPPORTED,
            "between 1.9 and 2.1",
        ),
        (monotone(growing(3, 2, 1), "falling", **WORDS), SUPPORTED, "above 0"),
        (monotone(growing(3, 2, 1), "rising", **WORDS), CONTRADICTED, "above 0"),
        (monotone(growing(3, 1, 2), "falling", **WORDS), CONTRADICTED, "above 0"),
        (monotone({1: [3, 3], 2: [2, 4]}, "falling", **WORDS), UNDECIDED, "above 0"),
    ],
)
def test_a_claim_is_decided_by_its_whole_interval(verdict, outcome, expected):
    assert verdict.outcome is outcome
    assert str(verdict.expected) == expected
    assert verdict.interval is not None
    assert verdict.interval[0] <= verdict.measured <= verdict.interval[1]
    assert verdict.certainty.startswith("bootstrap 95 %")
    assert (verdict.reason != "") == (outcome is UNDECIDED)
    assert verdict.statement is STATEMENT


def test_what_a_verdict_says():
    verdict = at_most([1e-5, 3e-5], 2e-4, note="twice the paper's", **WORDS)
    assert str(verdict) == "supported: The error is low. (2×10⁻⁵; at most 2×10⁻⁴)"
    plain = json.loads(json.dumps(verdict.to_plain(), allow_nan=False))
    assert plain["outcome"] == "supported"
    assert plain["measured"] == pytest.approx(2e-5)
    assert plain["interval"] == [1e-5, 3e-5]
    assert plain["expected"] == {
        "lower": None,
        "upper": 2e-4,
        "strict": False,
        "text": "at most 2×10⁻⁴",
    }
    assert plain["statement"]["source"] == "arora2019, figure 2"
    assert plain["note"] == "twice the paper's"


def test_one_seed_has_no_interval_and_says_so():
    verdict = at_most([3.0], 4, **WORDS)
    assert verdict.outcome is SUPPORTED
    assert verdict.interval is None
    assert verdict.certainty == "one seed: no interval"
    assert verdict.num_seeds == 1


def test_a_run_without_a_seed_needs_no_interval():
    verdict = at_most(5.0, 4, **WORDS)
    assert verdict.outcome is CONTRADICTED
    assert verdict.interval is None
    assert verdict.certainty == "one run, no chance in it: no interval"


def test_a_missing_run_leaves_a_claim_undecided_with_its_reason():
    sample = Sample(
        values=np.array([1.0, 2.0]), seeds=(0, 2), missing=("seed 1: out of memory",)
    )
    whole = Sample(values=np.array([4.0, 5.0, 6.0]), seeds=(0, 1, 2))
    for verdict in (
        at_most(sample, 3, **WORDS),
        at_most(sample, 0, **WORDS),
        smaller_than(sample, whole, **WORDS),
        smaller_than(whole, sample, **WORDS),
        trend({1.0: sample, 2.0: whole}, lower=0, **WORDS),
    ):
        assert verdict.outcome is UNDECIDED
        assert verdict.reason == "missing: seed 1: out of memory"
        assert verdict.measured is not None
        assert verdict.num_seeds == 2


def test_no_run_at_all():
    empty = Sample(values=np.empty(0), seeds=(), missing=("depth 3: never planned",))
    verdict = at_most(empty, 3, **WORDS)
    assert verdict.outcome is UNDECIDED
    assert verdict.measured is None
    assert verdict.certainty == "no seed: no interval"
    assert "never planned" in verdict.reason
    assert at_most([], 3, **WORDS).reason == "no seed has a number"


def test_numbers_that_are_none_and_numbers_that_diverged():
    verdict = at_most([1.0, math.nan, 2.0], 3, **WORDS)
    assert verdict.outcome is UNDECIDED
    assert verdict.reason == "not a number for seed 1"
    verdict = at_most([math.inf, math.inf, math.inf], 3, **WORDS)
    assert verdict.outcome is CONTRADICTED
    json.dumps(verdict.to_plain(), allow_nan=False)
    assert at_most([1.0, math.inf], 3, **WORDS).outcome is UNDECIDED
    diverged = np.array([math.inf, math.inf])
    assert smaller_than(diverged, diverged, **WORDS).outcome is UNDECIDED
    assert smaller_than(diverged, [1.0, 2.0], **WORDS).outcome is CONTRADICTED


def test_pairs_are_seeds_and_not_positions():
    first = Sample(values=np.array([1.0, 5.0]), seeds=(0, 2))
    second = Sample(values=np.array([9.0, 6.0, 2.0]), seeds=(1, 2, 0))
    ratio = combine(lambda a, b: a / b, first, second)
    assert ratio.seeds == (0, 2)
    assert np.allclose(ratio.values, [1 / 2, 5 / 6], rtol=1e-15)
    assert largest([first, second]).values.tolist() == [2, 6]
    assert smallest([first, second]).values.tolist() == [1, 5]
    assert np.isnan(largest([first, combine(lambda a: math.nan, first)]).values).all()
    assert np.isnan(smallest([first, combine(lambda a: math.nan, first)]).values).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: within([1], 3, 2, **WORDS), "lower bound is not above"),
        (lambda: smaller_than([-1.0], [2.0], **WORDS), 'by="difference"'),
        (lambda: smaller_than([1.0], [0.0], **WORDS), "positive numbers"),
        (lambda: trend({1: [1.0]}, lower=0, **WORDS), "at least two points"),
        (
            lambda: trend({0: [1.0], 1: [2.0]}, lower=0, log_x=True, **WORDS),
            "positive where logarithms",
        ),
        (lambda: monotone(growing(1, 2), "up", **WORDS), '"rising" or "falling"'),
        (
            lambda: judged([1.0], Region(), statistic="mode", **WORDS),
            '"mean", "median"',
        ),
        (lambda: at_most(np.ones((2, 3)), 1, **WORDS), "one number per seed"),
    ],
)
def test_claims_that_make_no_sense(call, message):
    with pytest.raises(SpecError, match=message):
        call()


@settings(max_examples=25, deadline=None)
@given(numbers, st.randoms(use_true_random=False), st.floats(-1e6, 1e6))
def test_the_order_of_the_seeds_changes_nothing(values, random, bound):
    shuffled = values.copy()
    random.shuffle(shuffled)
    first, second = (at_most(v, bound, **WORDS) for v in (values, shuffled))
    assert first.interval == second.interval
    assert first.outcome is second.outcome


@settings(max_examples=25, deadline=None)
@given(numbers, st.sampled_from([-4.0, 0.25, 3.0]), st.floats(-1e3, 1e3))
def test_intervals_follow_a_change_of_unit(values, scale, shift):
    values = np.array(values)
    interval = bootstrap_interval(values)
    other = bootstrap_interval(scale * values + shift)
    assert interval is not None
    assert other is not None
    ends = sorted(scale * end + shift for end in interval)
    # Rounding, and on reflection the percentile of 10,000 drawn means: a resample more
    # or less is as much as the sampling error of the bootstrap itself.
    spread = np.ptp(scale * values)
    tolerance = 1e-9 * (1e7 + abs(shift)) + (0.05 * spread if scale < 0 else 0)
    assert np.allclose(other, ends, rtol=0, atol=tolerance)


@settings(max_examples=25, deadline=None)
@given(numbers, st.sampled_from(["mean", "median"]))
def test_an_interval_lies_within_the_values(values, statistic):
    interval = bootstrap_interval(np.array(values), statistic)
    assert interval is not None
    rounding = 1e-15 * max(abs(v) for v in values) * len(values)
    assert min(values) - rounding <= interval[0] <= interval[1]
    assert interval[1] <= max(values) + rounding


@settings(max_examples=25, deadline=None)
@given(numbers, st.floats(-1e6, 1e6))
def test_what_is_supported_is_not_contradicted_from_the_other_side(values, bound):
    below, above = at_most(values, bound, **WORDS), at_least(values, bound, **WORDS)
    if below.outcome is CONTRADICTED:
        assert above.outcome is SUPPORTED
    if UNDECIDED in (below.outcome, above.outcome):
        assert SUPPORTED not in (below.outcome, above.outcome) or (
            below.interval is not None and bound in below.interval
        )


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    random = np.random.default_rng(5)
    hits = 0
    for _ in range(200):
        interval = bootstrap_interval(random.standard_normal(20))
        assert interval is not None
        hits += interval[0] <= 0 <= interval[1]
    # 20 normal numbers: a percentile interval covers near 92.5 %. Below 85 % of 200
    # has a chance of 4e-4; the seed is fixed.
    assert 170 <= hits <= 199


def test_statistics():
    assert summary(np.array([1.0, 2.0, 6.0]), "mean") == 3
    assert summary(np.array([1.0, 2.0, 6.0]), "median") == 2
    assert summary(np.array([1.0, 10.0, 100.0]), "geometric mean") == pytest.approx(10)
    assert summary(np.array([0.0, 10.0]), "geometric mean") == 0
