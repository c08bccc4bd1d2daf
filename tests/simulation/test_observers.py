import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow import metrics
from lowrankflow.simulation import named_observers, observer_names

PROBLEM = lrf.planted_completion((5, 7), rank=2, num_observed=20, seed=0)
NAMES = (
    "alignment_on",
    "alignment_on_2",
    "alignment_on_std_3",
    "alignment_off_2",
    "alignment_off_std",
    "alignment_ratio_3",
    "distance",
    "entry_4_6",
    "numerical_rank",
    "numerical_rank_1e-9",
    "smallest_singular_value",
)


def test_observers_record_what_they_say():
    run = lrf.simulate(
        PROBLEM,
        lrf.DeepFactorization(2),
        lrf.GradientDescent(step=lrf.ConstantStep(learning_rate=0.05)),
        start=lrf.Gaussian(init_scale=0.5),
        stop=lrf.Stop(iterations=3),
        observe=named_observers(NAMES),
    )
    last, matrix = run.dataset.isel(record=-1), run.matrix
    gradient = PROBLEM.gradient(matrix)
    full = metrics.gradient_alignment(matrix, gradient, rank=5)
    two = metrics.gradient_alignment(matrix, gradient, rank=2)
    three = metrics.gradient_alignment(matrix, gradient, rank=3)
    values = metrics.singular_values(matrix)
    expected = (
        full.diagonal_mean,
        two.diagonal_mean,
        three.diagonal_std,
        two.off_diagonal_mean,
        full.off_diagonal_std,
        three.ratio,
        np.linalg.norm(matrix - PROBLEM.target),
        matrix[4, 6],
        metrics.numerical_rank(values, rtol=1e-3),
        metrics.numerical_rank(values, rtol=1e-9),
        values[-1],
    )
    assert [float(last[name]) for name in NAMES] == [float(e) for e in expected]


def test_the_names_say_their_parameters():
    assert {"alignment_on_RANK", "entry_ROW_COL", "distance"} <= set(observer_names())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("distanse", r"Did you mean 'distance'"),
        ("entry_0_x", r"the observers are"),
        ("entry_0_0_0", r"the observers are"),
        ("alignment_on_0", r"the observers are"),
        ("alignment_on_²", r"the observers are"),
        ("numerical_rank_2", r"numerical_rank"),
        ("alignment_", r"the observers are"),
        ("", r"the observers are"),
        (3, r"the observers are"),
    ],
)
def test_a_name_that_is_none(name, message):
    with pytest.raises(lrf.SpecError, match=message):
        named_observers([name])


@pytest.mark.parametrize(
    ("name", "message"),
    [("entry_5_0", r"matrix has shape \(5, 7\)"), ("alignment_on_6", r"from 1 to 5")],
)
def test_a_parameter_that_does_not_fit_the_problem(name, message):
    with pytest.raises(lrf.SpecError, match=message):
        lrf.simulate(
            PROBLEM,
            lrf.DeepFactorization(2),
            lrf.GradientDescent(step=lrf.ConstantStep(learning_rate=0.05)),
            start=lrf.Gaussian(init_scale=0.5),
            stop=lrf.Stop(iterations=3),
            observe=named_observers([name]),
        )


def test_a_distance_needs_a_target():
    without = lrf.SensingProblem(PROBLEM.operator, PROBLEM.measurements)
    with pytest.raises(lrf.SpecError, match="without a target"):
        lrf.simulate(
            without,
            lrf.DeepFactorization(2),
            lrf.GradientDescent(step=lrf.ConstantStep(learning_rate=0.05)),
            start=lrf.Gaussian(init_scale=0.5),
            stop=lrf.Stop(iterations=3),
            observe=named_observers(["distance"]),
        )
