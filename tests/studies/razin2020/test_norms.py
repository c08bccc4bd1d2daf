"""The study of diverging norms: its plan, its measures, and missing runs."""

import numpy as np
import pytest
import xarray

from lowrankflow.factorizations import Balanced, DeepFactorization
from lowrankflow.simulation import build
from lowrankflow.studies import Collection, Failure, Outcome, draw
from lowrankflow.studies.razin2020 import Norms
from lowrankflow.studies.razin2020.norms_jobs import (
    PAIRS,
    WRONG_SIDE,
    completion,
    start_seed,
)
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


TIME = np.geomspace(1e3, 1e8, 60)


def run(corner, loss, *, determinant=1e-3, values=None, rank=1.01):
    """Records of a run; the observed entries as they should be, but for W_22."""
    corner = np.broadcast_to(np.asarray(corner, float), TIME.shape)
    if values is None:
        values = np.column_stack([corner, 1e-3 * np.sqrt(2 * loss)])
    found = {
        "time": TIME,
        "loss": np.broadcast_to(loss, TIME.shape),
        "entry_0_0": corner,
        "entry_0_1": np.ones_like(TIME),
        "entry_1_0": np.ones_like(TIME),
        "entry_1_1": (1 + determinant) / corner,
        "nuclear_norm": values.sum(axis=1),
        "effective_rank": np.full_like(TIME, rank),
    }
    arrays = {name: ("record", np.array(array)) for name, array in found.items()}
    arrays["singular_values"] = (("record", "sv"), values)
    return xarray.Dataset(arrays)


def valley(depth):
    """|W_11| on the way to infinity, and the loss."""
    corner = ((2 * depth + 2) * TIME) ** derived_time_exponent(depth)
    return corner, 1 / (2 * corner**2)


def as_the_theory_says(axes):
    case, falling = axes["case"], np.geomspace(0.4, 1e-8, 60)
    if case in ("positive", "unbalanced", "larger"):
        return run(*valley(axes["depth"]))
    if case in ("negative", "opposite"):
        return run(0.5, falling)
    if case == "wrong side":
        corner = np.geomspace(1, 191, 60)
        return run(corner, WRONG_SIDE**2 / 2 + WRONG_SIDE / corner)
    size = abs(np.prod(PAIRS[axes["pair"]]))
    if axes["corner"]:
        return run(size / axes["corner"], falling)
    return run(size / np.sqrt(2 * falling), falling)


def as_nothing_says(axes):
    """What should grow stays, what should stay grows, and ranks are high."""
    case, falling = axes["case"], np.geomspace(0.4, 1e-8, 60)
    if case in ("negative", "opposite"):
        return run(*valley(3))
    if case == "wrong side":
        return run(1.0, np.full(60, WRONG_SIDE**2 / 2 + 3 * WRONG_SIDE))
    high = np.ones((60, 2))
    return run(0.01, falling, determinant=-0.1, values=high, rank=2.0)


def outcomes(world, profile):
    runs = [(job.axes, world(job.axes)) for job in STUDY.plan(profile, 2)]
    verdicts = STUDY.claims(Collection(runs))
    return {verdict.claim: verdict.outcome for verdict in verdicts}


@pytest.mark.parametrize("profile", ["quick", "paper"])
def test_in_the_papers_world_its_claims_are_supported(profile):
    found = outcomes(as_the_theory_says, profile)
    assert set(found.values()) == {Outcome.SUPPORTED}, found


@pytest.mark.parametrize("profile", ["quick", "paper"])
def test_in_another_world_every_claim_is_contradicted(profile):
    found = outcomes(as_nothing_says, profile)
    assert set(found.values()) == {Outcome.CONTRADICTED}, found


def test_missing_runs_leave_every_claim_undecided():
    plan = STUDY.plan("smoke", 1)
    missing = Collection([], [Failure(axes=job.axes, reason="none") for job in plan])
    found = {verdict.outcome for verdict in STUDY.claims(missing)}
    assert found == {Outcome.UNDECIDED}
    assert draw(STUDY, missing).startswith("<svg")
