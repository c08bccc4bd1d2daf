"""One phase from a given matrix: a critical point of the same rank."""

import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.completion import alternating_least_squares
from lowrankflow.dynamics import refine
from lowrankflow.problems import Factored

SHAPE = (12, 9)


def table(seed=0):
    rng = np.random.default_rng(seed)
    full = rng.standard_normal((12, 2)) @ rng.standard_normal((2, 9))
    full += 0.2 * rng.standard_normal(SHAPE)
    return np.where(rng.random(SHAPE) < 0.8, full, np.nan)


PROBLEM = lrf.SensingProblem.from_matrix(table())


def thin(rank, seed=0):
    rng = np.random.default_rng(seed)
    parts = [rng.standard_normal((n, rank)) for n in SHAPE]
    return Factored(parts[0], np.eye(rank), parts[1])


@pytest.mark.parametrize("inner", ["newton", "als"])
@pytest.mark.parametrize("normalization", ["sum", "mean"])
def test_a_rank_is_followed_to_another_penalty(inner, normalization):
    problem = lrf.SensingProblem.from_matrix(table(), normalization=normalization)
    unit = problem.num_measurements if normalization == "mean" else 1
    settings = {"rtol": 1e-9, "inner": inner}
    path = lrf.greedy_low_rank_path(problem, max_rank=2, penalty=1.0 / unit, **settings)
    step = refine(problem, path.steps[2].matrix, penalty=0.3 / unit, **settings)
    assert (step.rank, step.converged) == (2, True)
    assert step.certificate.penalty == 0.3 / unit
    slope = np.asarray(problem.gradient(step.matrix).to_dense())
    u, v = np.asarray(step.matrix.left), np.asarray(step.matrix.right)
    assert np.allclose(slope @ v, -0.3 / unit * u, rtol=0, atol=1e-6 / unit)
    assert np.allclose(slope.T @ u, -0.3 / unit * v, rtol=0, atol=1e-6 / unit)
    assert step.loss == pytest.approx(float(problem.value(step.matrix)), rel=1e-12)
    assert step.loss < path.steps[2].loss
    top = np.linalg.norm(slope, 2)
    assert step.certificate.rate == pytest.approx(top, rel=1e-6)
    first = np.linalg.norm(problem.gradient(np.zeros(SHAPE)).to_dense(), 2)
    assert step.certificate.relative_rate == pytest.approx(top / first, rel=1e-6)


def test_a_critical_point_stays_where_it_is():
    path = lrf.greedy_low_rank_path(PROBLEM, max_rank=2, rtol=1e-10)
    step = refine(PROBLEM, path.steps[2].matrix, rtol=1e-8)
    before = path.steps[2].matrix.to_dense()
    assert np.allclose(step.matrix.to_dense(), before, rtol=0, atol=1e-10)
    assert step.loss == pytest.approx(path.steps[2].loss, rel=1e-12)


def test_it_ends_where_alternating_least_squares_does():
    step = refine(PROBLEM, thin(2), rtol=1e-10, penalty=0.5)
    found = alternating_least_squares(
        PROBLEM, rank=2, penalty=0.5, by_count=False, rtol=1e-15
    )
    value = step.loss + 0.5 * float(np.trace(step.matrix.core))
    assert value == pytest.approx(found.objective, rel=1e-9)


def test_a_chosen_rank_is_fitted_to_all_entries():
    path = lrf.greedy_low_rank_path(PROBLEM, max_rank=2, rtol=1e-9, held_out=0.2)
    step = refine(PROBLEM, path.steps[2].matrix, rtol=1e-9)
    assert np.isnan(step.held_out_error)
    assert step.loss < float(PROBLEM.value(path.steps[2].matrix))
    split = lrf.hold_out(PROBLEM, fraction=0.2, seed=0)
    same = refine(split, path.steps[2].matrix, rtol=1e-8)
    assert same.held_out_error == pytest.approx(path.steps[2].held_out_error, rel=1e-8)


def test_a_symmetric_rank_is_refined():
    problem = lrf.planted_psd_completion(size=8, rank=2, num_observed=26, seed=0)
    path = lrf.greedy_low_rank_path(problem, max_rank=2, rtol=1e-9, psd=True)
    step = refine(problem, path.steps[1].matrix, rtol=1e-9, psd=True)
    assert np.allclose(
        step.matrix.to_dense(), path.steps[1].matrix.to_dense(), rtol=0, atol=1e-7
    )
    left = path.steps[1].matrix.left
    with pytest.raises(lrf.DataError, match="symmetric and positive semidefinite"):
        refine(problem, Factored(left, -np.eye(1), left), rtol=1e-6, psd=True)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_no_columns_and_no_entries_are_the_zero_matrix(dtype):
    empty = Factored(np.zeros((12, 0)), np.zeros((0, 0)), np.zeros((9, 0)))
    step = refine(PROBLEM, empty, rtol=1e-4, dtype=dtype)
    assert step.rank == 0
    assert step.loss == pytest.approx(float(PROBLEM.value(np.zeros(SHAPE))), rel=1e-5)
    nothing = lrf.SensingProblem.from_matrix(np.zeros(SHAPE))
    step = refine(nothing, thin(2), rtol=1e-4, dtype=dtype)
    assert not np.asarray(step.matrix.to_dense()).any()
    assert step.certificate.is_optimal


@pytest.mark.parametrize(
    ("changed", "kind", "message"),
    [
        ({"matrix": np.ones(SHAPE)}, lrf.SpecError, "a thin matrix, a Factored"),
        ({"inner": "flow"}, lrf.SpecError, "one of 'newton', 'als'"),
        ({"rtol": 0.0}, lrf.SpecError, r"refine\(rtol\)"),
        ({"penalty": -1.0}, lrf.SpecError, r"refine\(penalty\)"),
        ({"dtype": "float32", "rtol": 1e-9}, lrf.SpecError, r"refine\(rtol\)"),
        ({"psd": True}, lrf.SpecError, "square"),
        (
            {"matrix": Factored(np.ones((9, 1)), np.eye(1), np.ones((12, 1)))},
            lrf.DataError,
            "of shape",
        ),
        (
            {"matrix": Factored(np.full((12, 1), np.nan), np.eye(1), np.ones((9, 1)))},
            lrf.DataError,
            "finite",
        ),
    ],
)
def test_what_cannot_be_refined_is_refused(changed, kind, message):
    given = {"problem": PROBLEM, "matrix": thin(1), "rtol": 1e-6} | changed
    with pytest.raises(kind, match=message):
        refine(**given)
