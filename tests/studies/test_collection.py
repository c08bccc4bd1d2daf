import numpy as np
import pytest
from toy import collection, dataset

from lowrankflow.errors import SpecError
from lowrankflow.studies import Collection

FINALS = {2: [0.3, 0.4, 0.5], 3: [0.01, 0.02, 0.03]}
FAILED = ({"method": "flow", "depth": 3, "seed": 3}, "the disk was full")


def test_the_last_record_over_seeds():
    sample = collection(FINALS).last("error", method="flow", depth=3)
    assert sample.seeds == (0, 1, 2)
    assert np.allclose(sample, np.array([0.01, 0.02, 0.03]) + np.exp(-9), rtol=1e-15)
    assert sample.missing == ()
    spectrum = collection(FINALS).last("singular_values", method="flow", depth=3)
    assert spectrum.values.shape == (3, 3)
    assert spectrum.map(lambda s: s[1]).values.tolist() == [2.0, 2.0, 2.0]


def test_seeds_come_in_order_whatever_the_order_of_the_runs():
    runs = [({"seed": seed}, dataset(seed / 10)) for seed in (2, 0, 10, 1)]
    sample = Collection(runs).last("error")
    assert sample.seeds == (0, 1, 2, 10)
    assert np.all(np.diff(sample.values) > 0)
    assert [t.seed for t in Collection(runs).trajectory("error")] == [0, 1, 2, 10]


def test_a_run_without_a_seed_or_records():
    sample = collection(FINALS).last("error", method="nuclear norm")
    assert sample.seeds == (None,)
    assert sample.values.tolist() == [0.5]


def test_failed_runs_are_known():
    runs = collection(FINALS, [FAILED])
    assert len(runs) == 7
    assert runs.axis("seed") == [0, 1, 2, 3]
    sample = runs.last("error", method="flow", depth=3)
    assert len(sample) == 3
    (missing,) = sample.missing
    assert missing == "method flow, depth 3, seed 3: the disk was full"
    assert runs.last("error", method="flow", depth=2).missing == ()
    assert len(runs.select(depth=3).failures) == 1


def test_what_was_never_planned_is_missing():
    sample = collection(FINALS).last("error", depth=4)
    assert len(sample) == 0
    assert sample.missing == ("depth 4: no such run was planned",)
    sample = Collection([]).last("error", depth=4)
    assert sample.missing == ("depth 4: no such run was planned",)


def test_selecting_values_and_several_values():
    runs = collection({**FINALS, 4: [0.02]})
    assert len(runs.select(depth=[2, 4])) == 4
    assert len(runs.select(depth=3, seed=1)) == 1
    assert runs.select(depth=(2, 3)).axis("depth") == [2, 3]
    assert runs.axis("method") == ["flow", "nuclear norm"]
    # An empty selection still tells a wrong name from a missing value.
    empty = runs.select(depth=5)
    assert len(empty.select(seed=0)) == 0
    with pytest.raises(SpecError, match="Did you mean 'seed'"):
        empty.select(sead=0)


def test_trajectories():
    first, second, third = collection(FINALS).trajectory("error", depth=2)
    assert (first.seed, second.seed, third.seed) == (0, 1, 2)
    assert first.time.tolist() == list(range(10))
    assert np.allclose(first.values, 0.3 + np.exp(-first.time), rtol=1e-15)
    (phase, *_) = collection(FINALS).trajectory(
        "singular_values", against="error", depth=2
    )
    assert phase.values.shape == (10, 3)
    assert np.allclose(phase.time, first.values, rtol=1e-15)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: c.select(dept=2), "Did you mean 'depth'"),
        (lambda c: c.axis("init"), "axes are depth, method, seed"),
        (lambda c: c.last("eror", depth=2), "Did you mean 'error'"),
        (lambda c: c.last("error", method="flow"), "which vary in depth"),
        (lambda c: c.trajectory("error", against="tim", depth=2), "mean 'time'"),
    ],
)
def test_wrong_names(call, message):
    with pytest.raises(SpecError, match=message):
        call(collection(FINALS))
