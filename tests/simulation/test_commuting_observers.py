"""What may be recorded of measurements, and other losses by recipe."""

import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.errors import SpecError
from lowrankflow.simulation import Recipe, build, named_observers

COMMUTING = Recipe("named", {"name": "commuting"})


def test_the_algebra_and_the_manifold_of_a_commuting_run():
    run = lrf.simulate(
        build(COMMUTING),
        lrf.SymmetricFactorization(),
        lrf.SteeredFlow(step=0.1),
        start=lrf.Identity(0.1),
        stop=lrf.Stop(iterations=20),
        observe=named_observers(["lie_dimension", "manifold_distance_0.1"]),
    )
    assert np.all(run.dataset.lie_dimension == 2)
    assert np.all(run.dataset["manifold_distance_0.1"] < 1e-12)  # rounding


def test_the_manifold_asks_for_the_factor():
    with pytest.raises(SpecError, match="measured on the factor U of U U'"):
        lrf.simulate(
            build(COMMUTING),
            lrf.DeepFactorization(3),
            lrf.GradientFlow(rtol=1e-4, atol=1e-4),
            start=lrf.Identity(0.1),
            stop=lrf.Stop(iterations=1),
            observe=named_observers(["manifold_distance_0.1"]),
        )


def test_measurements_are_asked_for():
    objective = lrf.Objective(lambda matrix: (matrix**2).sum(), (3, 3))
    for name in ("lie_dimension", "manifold_distance_0.1"):
        with pytest.raises(SpecError, match="a property of linear measurements"):
            lrf.simulate(
                objective,
                lrf.SymmetricFactorization(),
                lrf.GradientFlow(rtol=1e-4, atol=1e-4),
                start=lrf.Identity(0.1),
                stop=lrf.Stop(iterations=1),
                observe=named_observers([name]),
            )


def test_another_loss_on_the_same_measurements():
    plain = build(COMMUTING)
    for loss, parameter, kind in (("huber", 0.1, lrf.Huber), ("power", 1.5, lrf.PNorm)):
        other = build(
            Recipe(
                "other_loss", {"of": COMMUTING, "loss": loss, "parameter": parameter}
            )
        )
        assert isinstance(other.loss, kind)
        assert np.array_equal(other.measurements, plain.measurements)
        assert np.array_equal(other.target, plain.target)
