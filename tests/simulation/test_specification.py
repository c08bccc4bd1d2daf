import json

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import lowrankflow as lrf
from lowrankflow.simulation import from_json, from_plain, to_json, to_plain

SETTINGS = [
    lrf.DeepFactorization(3),
    lrf.DeepFactorization(2, (5, 4, 7)),
    lrf.SymmetricFactorization(width=2),
    lrf.Gaussian(init_scale=1e-3),
    lrf.RandomPSD(frobenius_norm=1e-64, of="factor"),
    lrf.GivenFactors((np.ones((2, 3)), np.full((4, 2), 0.1))),
    lrf.SpectralOptimum(np.eye(3)),
    lrf.GradientFlow(rtol=1e-6, atol=1e-9, method="stabilized"),
    lrf.EndToEndFlow(rtol=1e-6, atol=1e-9),
    lrf.GradientDescent(step=lrf.Nesterov(learning_rate=0.1, momentum=0.9)),
    lrf.GradientDescent(step=lrf.ConstantStep(learning_rate=0.1), batch_size=7),
    lrf.SteeredFlow(step=0.01),
    lrf.GreedyLowRank(
        rtol=1e-6,
        atol=1e-6,
        seed_scale=1e-10,
        stage_tolerance=1e-8,
        optimality_tolerance=1e-6,
        max_rank=3,
    ),
    lrf.Stop(loss=1e-6, iterations=100),
    lrf.AtTimes([0.5, 1.0]),
    lrf.OnlyEnds(),
    lrf.GeometricIterations(ratio=1.1),
]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: type(s).__name__)
def test_a_setting_comes_back_from_its_text(setting: object) -> None:
    text = to_json(setting)
    back = from_json(text)
    assert type(back) is type(setting)
    assert to_json(back) == text
    assert json.loads(text)["kind"] == type(setting).__name__


@given(scale=st.floats(min_value=1e-300, max_value=1e300))
@settings(max_examples=25, deadline=None)
def test_a_float_comes_back_to_the_same_bits(scale: float) -> None:
    back = from_json(to_json(lrf.Gaussian(init_scale=scale)))
    assert isinstance(back, lrf.Gaussian)
    assert back.init_scale == scale


def test_equal_settings_have_equal_texts() -> None:
    one = lrf.GradientFlow(rtol=1e-6, atol=1e-9)
    other = lrf.GradientFlow(atol=1e-9, rtol=0.000001, method="auto")
    assert to_json(one) == to_json(other)
    assert to_json(one) != to_json(lrf.GradientFlow(rtol=1e-6, atol=2e-9))


def test_fields_with_defaults_may_be_left_out() -> None:
    back = from_plain({"kind": "GradientFlow", "rtol": 1e-6, "atol": 1e-9})
    assert to_json(back) == to_json(lrf.GradientFlow(rtol=1e-6, atol=1e-9))
    # This one has its defaults in its constructor.
    deep = from_plain({"kind": "DeepFactorization", "depth": 3})
    assert to_json(deep) == to_json(lrf.DeepFactorization(3))


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"kind": "Gausian", "init_scale": 1.0}, r"(?s)kind.*Did you mean 'Gaussian'"),
        ({"init_scale": 1.0}, r"(?s)names its kind.*Got None"),
        ({"kind": "Gaussian"}, r"missing \['init_scale'\]"),
        ({"kind": "Gaussian", "init_scale": 1.0, "x": 2}, r"unknown \['x'\]"),
        ({"kind": "Gaussian", "init_scale": -1.0}, r"positive, finite number"),
        ({"kind": "Run"}, r"names its kind"),
    ],
)
def test_plain_data_that_is_no_setting(plain: dict, message: str) -> None:
    with pytest.raises(lrf.SpecError, match=message):
        from_plain(plain)


def test_text_that_is_no_json() -> None:
    with pytest.raises(lrf.SpecError, match=r"line 1, column 2.*Write it with to_json"):
        from_json("{kind: 1}")


def test_a_function_has_no_plain_form() -> None:
    steered = lrf.SteeredFlow(step=0.1, control=lambda time, matrix: matrix[0])
    with pytest.raises(lrf.SpecError, match="numbers, strings, tuples"):
        to_plain(steered)


def test_a_run_says_what_was_run() -> None:
    problem = lrf.SensingProblem.from_matrix(np.array([[1.0, np.nan], [2.0, 1.0]]))
    flow = lrf.GradientFlow(rtol=1e-3, atol=1e-3)
    run = lrf.simulate(
        problem,
        lrf.DeepFactorization(2),
        flow,
        start=lrf.Gaussian(init_scale=0.1),
        stop=lrf.Stop(iterations=2),
    )
    assert run.dataset.attrs["dynamics"] == to_json(flow)
