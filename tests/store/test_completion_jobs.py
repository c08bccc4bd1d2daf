"""A completion by a path of matrices as a job: plain data and back, kept whole."""

import numpy as np
import pytest

from lowrankflow.errors import SpecError
from lowrankflow.simulation import CompletionJob, Recipe, job_from_json, job_to_json
from lowrankflow.simulation.completion_job import METHODS
from lowrankflow.store import Store, digest, execute


def recipe(seed=0):
    shared = {"shape": [8, 11], "rank": 1, "num_observed": 60, "seed": seed}
    return Recipe("planted_completion", shared)


def job(**changes):
    parts = {"problem": recipe(), "method": "greedy_path", "length": 3}
    return CompletionJob(**(parts | changes))


@pytest.mark.parametrize("method", METHODS)
def test_it_is_plain_data(method):
    one = job(method=method)
    assert job_from_json(job_to_json(one)) == one
    assert digest(job_from_json(job_to_json(one))) == digest(one)


def test_whatever_decides_its_numbers_is_in_the_digest():
    others = [job(method="geco"), job(length=4), job(problem=recipe(1)), job(psd=True)]
    assert len({digest(one) for one in [job(), *others]}) == len(others) + 1


@pytest.mark.parametrize("method", METHODS)
def test_the_best_of_the_path_is_kept(tmp_path, method):
    store = Store(tmp_path)
    dataset = store.get(execute(job(method=method), store))
    errors = dataset["path_errors"].values
    assert errors.size == 3
    assert float(dataset["relative_error"]) == pytest.approx(np.nanmin(errors))
    assert dataset.attrs["best"] == np.nanargmin(errors) + 1
    path = dataset["path_matrices"].values
    assert np.array_equal(path[dataset.attrs["best"] - 1], dataset["matrix"].values)
    assert np.array_equal(np.isnan(path[:, 0, 0]), np.isnan(errors))
    assert dataset["matrix"].shape == (8, 11)
    assert dataset.attrs["kind"] == "completion"


def test_greedy_learning_finds_a_matrix_of_rank_one(tmp_path):
    store = Store(tmp_path)
    dataset = store.get(execute(job(), store))
    assert float(dataset["relative_error"]) < 1e-6


def test_two_runs_have_the_same_bits(tmp_path):
    first, second = Store(tmp_path / "a"), Store(tmp_path / "b")
    one = first.get(execute(job(method="soft_impute"), first))
    two = second.get(execute(job(method="soft_impute"), second))
    assert np.array_equal(one["matrix"].values, two["matrix"].values)


def test_a_problem_without_truth_is_refused(tmp_path):
    entries = {"rows": [0, 0, 1], "cols": [0, 1, 0], "values": [1.0, 2.0, 2.0]}
    unknown = Recipe("entries", {**entries, "shape": [2, 2]})
    with pytest.raises(SpecError, match="which needs the truth"):
        execute(job(problem=unknown), Store(tmp_path))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"problem": 3}, "a job says its problem as a recipe"),
        ({"method": "guess"}, "the methods are greedy_path"),
        ({"length": 0}, "a path has at least one matrix"),
        ({"length": 1.5}, "a path has at least one matrix"),
        ({"psd": 1}, "this is True or False"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, said):
    with pytest.raises(SpecError) as caught:
        job(**changes)
    assert said in str(caught.value)
