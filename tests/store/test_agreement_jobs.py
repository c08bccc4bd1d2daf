"""Two dynamics side by side as a job: plain data and back, measured as said."""

import numpy as np
import pytest

from lowrankflow.dynamics import AdaptiveRankFlow, GradientFlow, Stop
from lowrankflow.errors import SpecError
from lowrankflow.factorizations import Aligned, Balanced, DeepFactorization
from lowrankflow.result import Result
from lowrankflow.simulation import (
    AgreementJob,
    Path,
    Recipe,
    build,
    compared,
    job_from_json,
    job_to_json,
)
from lowrankflow.store import Store, digest, execute

FLOW = GradientFlow(rtol=1e-6, atol=1e-6)


def recipe(shape=(8, 11)):
    arguments = {"shape": list(shape), "rank": 1, "num_observed": 60, "seed": 0}
    return Recipe("planted_completion", arguments)


def job(**changes):
    parts = {
        "problem": recipe(),
        "factorization": DeepFactorization(3),
        "dynamics": AdaptiveRankFlow(admission_tolerance=1e-4, rtol=1e-4, atol=1e-4),
        "reference": FLOW,
        "start": Aligned(init_scale=1e-4),
        "stop": Stop(loss=1e-6),
        "points": 20,
    }
    return AgreementJob(**(parts | changes))


def kept(tmp_path, one):
    store = Store(tmp_path)
    dataset = store.get(execute(one, store))
    assert dataset is not None
    return dataset


def test_it_is_plain_data():
    one = job()
    assert job_from_json(job_to_json(one)) == one
    assert digest(job_from_json(job_to_json(one))) == digest(one)


def test_whatever_decides_its_numbers_is_in_the_digest():
    others = [
        job(reference=GradientFlow(rtol=1e-7, atol=1e-6)),
        job(start=Balanced(init_scale=1e-4)),
        job(points=21),
        job(seed=1),
        job(stop=Stop(loss=1e-5)),
        job(problem=recipe((11, 8))),
    ]
    assert len({digest(one) for one in [job(), *others]}) == len(others) + 1


def test_a_flow_beside_itself_is_nowhere_else(tmp_path):
    dataset = kept(tmp_path, job(dynamics=FLOW))
    assert dataset.sizes["point"] == 20
    # A distance from a curve through the point: rounding of squares.
    assert dataset["curve_distance"].values.max() < 1e-7
    assert dataset["time_distance"].values.max() < 1e-12
    assert float(dataset["end_distance"]) == 0
    errors = dataset["relative_error"] - dataset["reference_error"]
    assert np.abs(errors.values).max() < 1e-12
    assert float(dataset["evaluations"]) == float(dataset["reference_evaluations"])


@pytest.mark.parametrize("shape", [(8, 11), (11, 8)])
def test_the_adaptive_flow_follows_the_dense_one(tmp_path, shape):
    dataset = kept(tmp_path, job(problem=recipe(shape)))
    assert dataset["matrix"].shape == shape
    assert dataset["curve_distance"].values.max() < 0.01
    assert float(dataset["end_distance"]) < 1e-3
    assert dataset["final_rank"] == dataset["rank"].values[-1] == 1
    share = dataset["path_share"].values
    assert share[0] == 0
    assert share[-1] == 1
    assert dataset.attrs["kind"] == "agreement"
    assert dataset.attrs["seconds"] > 0
    assert dataset.attrs["reference_seconds"] > 0


def test_another_path_is_far_from_it(tmp_path):
    """At depth 2 from a large start: not the flow of depth 3 from a small one."""
    problem = build(recipe())
    small = job(dynamics=FLOW).paths(problem)[0]
    large = job(
        dynamics=FLOW,
        start=Aligned(init_scale=1.0),
        factorization=DeepFactorization(2),
    ).paths(problem)[0]
    assert compared(problem, large, small, 10)["curve_distance"].max() > 0.1


def test_two_runs_have_the_same_bits(tmp_path):
    first, second = (kept(tmp_path / name, job()) for name in "ab")
    for name in ("curve_distance", "time_distance", "matrix"):
        assert np.array_equal(first[name].values, second[name].values)


def test_distances_by_hand():
    """A path beside another that goes the same way, half as fast and 0.1 away."""
    problem = build(
        Recipe(
            "planted_completion",
            {"shape": [1, 2], "rank": 1, "num_observed": 1, "seed": 0},
        )
    )
    along = np.linspace(0, 1, 11)

    def path(matrices, time):
        return Path(
            matrices=matrices,
            time=time,
            loss=np.linspace(1.0, 0.5, 11),
            rank=np.arange(11),
            evaluations=1,
            result=Result.converged,
            seconds=1.0,
        )

    reference = path(np.stack([2 * along, 0 * along], axis=1), along)
    beside = path(np.stack([2 * along, 0 * along + 0.2], axis=1), 2 * along)
    found = compared(problem, beside, reference, 6)
    assert found["path_share"] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert found["curve_distance"] == pytest.approx(np.full(6, 0.1))
    late = np.minimum(2 * along[::2], 1) - along[::2]
    assert found["time_distance"] == pytest.approx(np.hypot(late, 0.1))
    assert found["rank"].tolist() == [0, 2, 4, 6, 8, 10]


def test_the_reference_is_a_curve_between_its_steps():
    """A quarter of a circle in eight steps: chords would be 0.5 % off."""
    arguments = {"shape": [1, 2], "rank": 1, "num_observed": 1, "seed": 0}
    problem = build(Recipe("planted_completion", arguments))

    def arc(count):
        angle = np.linspace(0, np.pi / 2, count)
        return Path(
            matrices=np.stack([np.sin(angle), np.cos(angle)], axis=1),
            time=angle,
            loss=np.exp(-angle),
            rank=np.ones(count, int),
            evaluations=1,
            result=Result.converged,
            seconds=1.0,
        )

    found = compared(problem, arc(100), arc(9), 40)
    # The spline's fourth order, (pi / 16)^4 / 384 and more at the ends.
    assert found["curve_distance"].max() < 1e-4
    assert found["time_distance"].max() < 1e-4


def test_a_problem_without_truth_is_refused(tmp_path):
    entries = {"rows": [0, 0, 1], "cols": [0, 1, 0], "values": [1.0, 2.0, 2.0]}
    unknown = Recipe("entries", {**entries, "shape": [2, 2]})
    with pytest.raises(SpecError, match="which needs the truth"):
        execute(job(problem=unknown), Store(tmp_path))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"problem": 3}, "a job says its problem as a recipe"),
        ({"points": 1}, "a path is compared at two points at least"),
        ({"points": 2.5}, "a path is compared at two points at least"),
        ({"reference": 3}, "simulate(dynamics)"),
        ({"stop": Stop()}, "a run needs at least one rule to end it"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, said):
    with pytest.raises(SpecError) as caught:
        job(**changes)
    assert said in str(caught.value)
