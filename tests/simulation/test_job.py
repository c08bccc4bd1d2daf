import json
import pickle

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import lowrankflow as lrf
from lowrankflow.simulation import (
    Recipe,
    ReferenceJob,
    RunJob,
    job_from_json,
    job_from_plain,
    job_to_json,
    job_to_plain,
)

PROBLEM = Recipe(
    "planted_completion",
    {"shape": [6, 4], "rank": 2, "num_observed": 15, "seed": 3},
)


def run_job(**changes):
    parts = {
        "problem": PROBLEM,
        "factorization": lrf.DeepFactorization(2),
        "dynamics": lrf.GradientDescent(step=lrf.ConstantStep(learning_rate=0.05)),
        "stop": lrf.Stop(iterations=100),
        "start": lrf.Gaussian(init_scale=0.1),
    }
    return RunJob(**(parts | changes))


JOBS = [
    run_job(),
    run_job(
        dynamics=lrf.GradientFlow(rtol=1e-6, atol=1e-9),
        schedule=lrf.AtTimes([1.0, 2.5]),
        observe=("alignment_on_2", "entry_0_1"),
        seed=7,
    ),
    run_job(
        problem=Recipe("symmetrized", {"of": {"kind": "named", "name": "li2021-4x4"}}),
        dynamics=lrf.GreedyLowRank(
            rtol=1e-6,
            atol=1e-6,
            seed_scale=1e-10,
            stage_tolerance=1e-8,
            optimality_tolerance=1e-6,
        ),
        start=None,
    ),
    ReferenceJob(PROBLEM),
    ReferenceJob(Recipe("lift", {"of": PROBLEM}), psd=True, gap_tolerance=1e-9),
    ReferenceJob(PROBLEM, kind="min_frobenius_norm"),
]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.kind)
def test_a_job_comes_back_from_its_text(job):
    text = job_to_json(job)
    back = job_from_json(text)
    assert back == job
    assert hash(back) == hash(job)
    assert job_to_json(back) == text
    assert json.loads(text) == job_to_plain(job)
    assert pickle.loads(pickle.dumps(job)) == job
    assert job.label.startswith(job.problem.kind)


def test_jobs_are_equal_when_they_say_the_same():
    assert run_job() == run_job(schedule=lrf.GeometricIterations(1.05), observe=[])
    assert run_job() != run_job(seed=1)
    assert ReferenceJob(PROBLEM) != ReferenceJob(PROBLEM, gap_tolerance=1e-9)
    assert len(set(JOBS)) == len(JOBS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"problem": {}}, r"RunJob\(problem\).*names its problem by a recipe"),
        ({"factorization": 2}, r"this is a Factorization. Got int"),
        ({"dynamics": lrf.Stop(loss=1.0)}, r"this is a Dynamics. Got Stop"),
        ({"stop": lrf.Stop()}, r"at least one rule"),
        ({"stop": lrf.Stop(loss=float("inf"))}, r"finite numbers"),
        ({"start": None}, r"starts somewhere"),
        ({"schedule": 3}, r"this is a schedule. Got 3"),
        ({"seed": -1}, r"integer >= 0"),
        ({"observe": "alignment_on"}, r"names of observers"),
        ({"observe": ["alignement_on"]}, r"Did you mean 'alignment_on_RANK'"),
        ({"observe": ["distance", "distance"]}, r"'distance' twice"),
        ({"observe": ["entry_0"]}, r"the observers are .*entry_ROW_COL"),
    ],
)
def test_parts_that_make_no_run(changes, message):
    with pytest.raises(lrf.SpecError, match=message):
        run_job(**changes)


def test_a_start_that_is_not_used_is_refused():
    with pytest.raises(lrf.SpecError, match="GreedyLowRank starts at zero"):
        RunJob(
            JOBS[2].problem,
            JOBS[2].factorization,
            JOBS[2].dynamics,
            JOBS[2].stop,
            start=lrf.Gaussian(init_scale=0.1),
        )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "min_trace"}, r"'min_nuclear_norm' or 'min_frobenius_norm'"),
        ({"psd": 1}, r"true or false"),
        ({"gap_tolerance": 0.0}, r"positive, finite number"),
        ({"gap_tolerance": "x"}, r"a number. Got 'x'"),
        ({"psd": True, "kind": "min_frobenius_norm"}, r"only the nuclear norm"),
    ],
)
def test_settings_that_make_no_reference(changes, message):
    with pytest.raises(lrf.SpecError, match=message):
        ReferenceJob(PROBLEM, **changes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda plain: [], r"a table with its kind and fields"),
        (lambda plain: plain | {"kind": "rnu"}, r"kinds of jobs.*Did you mean 'run'"),
        (lambda plain: {"kind": "run"}, r"missing \['problem', 'factorization'"),
        (lambda plain: plain | {"sed": 1}, r"unknown \['sed'\].*mean 'seed'"),
        (lambda plain: plain | {"stop": {"kind": "Stopp"}}, r"Did you mean 'Stop'"),
        (lambda plain: plain | {"start": {"kind": "Gaussian"}}, r"missing \['init_sc"),
        (lambda plain: plain | {"dynamics": 3}, r"this is a Dynamics. Got int"),
        (lambda plain: plain | {"problem": "x"}, r"a table with its kind"),
        (lambda plain: plain | {"seed": {"kind": "Stop"}}, r"integer >= 0"),
    ],
)
def test_plain_data_that_is_no_job(change, message):
    with pytest.raises(lrf.SpecError, match=message):
        job_from_plain(change(job_to_plain(run_job())))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"line 1, column 2"),
        ("[" * 100_000, r"nesting"),
        ("1" * 5000, r"digits"),
        ('{"kind": NaN}', r"finite numbers"),
        ('{"kind": 1e999}', r"finite numbers"),
    ],
)
def test_text_that_is_no_job(text, message):
    with pytest.raises(lrf.SpecError, match=message):
        job_from_json(text)


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["run", "named", "Gaussian", "auto", "mean", "lift"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=5) | st.sampled_from(["kind", "of", "name"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(plain=ANY_JSON)
@settings(max_examples=300, deadline=None)
def test_any_json_is_a_job_or_a_spec_error(plain):
    try:
        job = job_from_json(json.dumps(plain))
    except lrf.SpecError:
        return
    assert job_from_json(job_to_json(job)) == job


def changed(plain, path, value):
    if not path:
        return value
    copied = dict(plain) if isinstance(plain, dict) else list(plain)
    copied[path[0]] = changed(plain[path[0]], path[1:], value)
    return copied


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.kind)
@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_job_with_one_value_changed_is_a_job_or_a_spec_error(job, data):
    plain = job_to_plain(job)
    spots = [path for path in places(plain) if path]
    spot = data.draw(st.sampled_from(spots))
    other = changed(plain, spot, data.draw(ANY_JSON))
    try:
        back = job_from_json(json.dumps(other))
    except lrf.SpecError:
        return
    assert job_from_json(job_to_json(back)) == back


def places(plain):
    """The path of every value in nested plain data."""
    stack = [((), plain)]
    while stack:
        path, value = stack.pop()
        yield path
        if isinstance(value, dict):
            stack += [((*path, key), part) for key, part in value.items()]
        elif isinstance(value, list):
            stack += [((*path, key), part) for key, part in enumerate(value)]
