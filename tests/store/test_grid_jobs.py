"""A mask of the grid as a job: plain data and back, computed once, kept whole."""

import numpy as np
import pytest

from lowrankflow.dynamics import EndToEndFlow, GradientFlow, GreedyLowRank
from lowrankflow.errors import SpecError
from lowrankflow.simulation import GridJob, job_from_json, job_to_json
from lowrankflow.store import Store, digest, execute

FLOW = GradientFlow(rtol=1e-6, atol=1e-6)
GREEDY = GreedyLowRank(
    rtol=1e-6,
    atol=1e-6,
    seed_scale=1e-14,
    stage_tolerance=1e-8,
    optimality_tolerance=1e-5,
)


def job(**changes):
    parts = {
        "mask": 3,
        "dynamics": FLOW,
        "residual_tolerance": 1e-8,
        "frobenius_norm": 1e-3,
        "num_values": 4,
    }
    return GridJob(**(parts | changes))


def greedy(**changes):
    return job(dynamics=GREEDY, frobenius_norm=None, **changes)


@pytest.mark.parametrize("one", [job(), job(seed=4), greedy(), greedy(num_values=10)])
def test_it_is_plain_data(one):
    assert job_from_json(job_to_json(one)) == one
    assert hash(job_from_json(job_to_json(one))) == hash(one)
    assert digest(job_from_json(job_to_json(one))) == digest(one)


def test_whatever_decides_its_numbers_is_in_the_digest():
    others = [
        job(mask=2),
        job(seed=1),
        job(frobenius_norm=1e-5),
        job(residual_tolerance=1e-7),
        job(dynamics=GradientFlow(rtol=1e-5, atol=1e-6)),
        job(num_values=6),
        greedy(),
    ]
    assert len({digest(one) for one in [job(), *others]}) == len(others) + 1


@pytest.mark.parametrize("one", [job(), greedy()], ids=["flow", "greedy"])
def test_it_is_computed_once_and_kept(tmp_path, one):
    store, stages = Store(tmp_path), []
    name = execute(one, store, progress=lambda event: stages.append(event.stage))
    dataset = store.get(name)
    assert stages[0] == "started"
    assert stages[-1] == "finished"
    assert dataset.sizes["problem"] == len(one.problems)
    assert dataset.attrs["kind"] == "grid"
    assert dataset.attrs["result"] == "converged"
    assert f"{len(one.problems)} problems: " in dataset.attrs["result_sentence"]
    assert float(dataset["residual"].max()) <= 1.001e-8
    assert float(dataset["least_gap"].max()) <= 1e-12
    trace = np.trace(dataset["matrix"].values, axis1=1, axis2=2)
    least = dataset["least_trace"].values
    np.testing.assert_allclose(dataset["excess"].values, trace / least - 1, atol=1e-12)
    assert float(dataset["excess"].min()) >= -1e-6
    execute(one, store, progress=lambda event: stages.append(event.stage))
    assert stages[-1] == "found"
    again = Store(tmp_path / "again")
    same = again.get(execute(one, again))
    assert np.array_equal(same["matrix"].values, dataset["matrix"].values)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mask": 15}, "a mask is a number in 0...14"),
        ({"num_values": 1}, "ExhaustiveGrid(num_values)"),
        ({"dynamics": EndToEndFlow(rtol=1e-6, atol=1e-6)}, "GridJob(dynamics)"),
        ({"frobenius_norm": None}, "a flow has a start"),
        ({"dynamics": GREEDY}, "a flow has a start, and greedy learning has none"),
        ({"residual_tolerance": 0.0}, "GridJob(residual_tolerance)"),
        ({"frobenius_norm": -1.0}, "GridJob(frobenius_norm)"),
        ({"seed": -1}, "a seed is an integer >= 0"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, said):
    with pytest.raises(SpecError) as caught:
        job(**changes)
    assert said in str(caught.value)
