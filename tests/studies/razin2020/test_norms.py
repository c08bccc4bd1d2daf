"""The study of diverging norms: its plan, its measures, and missing runs."""

import numpy as np
import pytest

from lowrankflow.factorizations import Balanced, DeepFactorization
from lowrankflow.simulation import build
from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.razin2020 import Norms
from lowrankflow.studies.razin2020.norms_jobs import completion, start_seed
from lowrankflow.studies.razin2020.norms_measures import (
    Path,
    derived_time_exponent,
    least_over_bound,
    norm_exponent,
    product_error,
    time_exponent,
)

STUDY = Norms()


def on_the_valley(depth, factor=1.0):
    time = np.geomspace(1e3, 1e6, 40)
    corner = factor * ((2 * depth + 2) * time) ** derived_time_exponent(depth)
    values = np.column_stack([corner, 1 / corner**2])
    return Path(
        time=time,
        loss=(corner / factor) ** -2.0 / 2,
        corner=corner,
        determinant=np.ones(40),
        singular_values=values,
        nuclear_norm=values.sum(axis=1),
    )


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_valley_has_its_exponents(depth):
    path = on_the_valley(depth)
    assert time_exponent(path) == pytest.approx(depth / (2 * depth + 2))
    assert norm_exponent(path) == pytest.approx(-0.5, abs=1e-2)
    assert product_error(path) < 1e-12
    assert least_over_bound()(path) > 1
    assert product_error(on_the_valley(depth, 0.9)) == pytest.approx(0.1)
    assert least_over_bound()(on_the_valley(depth, 0.9)) < 1


@pytest.mark.parametrize("sign", [1, -1])
def test_starts_have_the_sign_and_the_side_asked_for(sign):
    seed = start_seed(completion(), 3, Balanced(1e-2), sign=1, number=1, side=sign)
    factors = Balanced(1e-2).factors(
        build(completion()), DeepFactorization(3), seed=seed
    )
    matrix = factors[2] @ factors[1] @ factors[0]
    assert np.linalg.det(matrix) > 0
    assert sign * matrix[1, 1] > 0


def test_missing_runs_leave_every_claim_undecided():
    plan = STUDY.plan("smoke", 1)
    missing = Collection([], [Failure(axes=job.axes, reason="none") for job in plan])
    found = {verdict.outcome for verdict in STUDY.claims(missing)}
    assert found == {Outcome.UNDECIDED}
    assert draw(STUDY, missing).startswith("<svg")
