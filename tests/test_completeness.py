"""Everything public that comes in kinds is in the catalogue, listed, and works."""

import importlib
import inspect
import pickle
import pkgutil

import equinox as eqx
import jax
import numpy as np
import pytest

import catalogue
import lowrankflow
from lowrankflow.factorizations import (
    Balanced,
    DeepFactorization,
    Identity,
    SymmetricFactorization,
    start_frames,
)
from lowrankflow.problems import (
    AbstractSensingOperator,
    SensingProblem,
    SymmetricEntrySampling,
    to_dense,
)
from lowrankflow.result import Result

KINDS = list(catalogue.CATALOGUE)
ALL = [
    pytest.param(thing, id=f"{type(thing).__name__}")
    for things in catalogue.CATALOGUE.values()
    for thing in things
]
SYMMETRIC = SensingProblem(
    SymmetricEntrySampling([0, 1, 2, 0, 1], [0, 1, 2, 1, 3], catalogue.SIZE),
    [1.0, 2.0, 0.5, 0.3, 0.2],
)
ROUNDING = 1e-12  # sums of some thirty numbers of size 1


def final(kind):
    """The final classes of a kind that the library defines, whichever file does."""
    for child in kind.__subclasses__():
        if child.__module__.startswith("lowrankflow.") and not inspect.isabstract(
            child
        ):
            yield child
        yield from final(child)


def listed():
    """What the folders list."""
    things = set()
    for module in pkgutil.iter_modules(lowrankflow.__path__, "lowrankflow."):
        names = vars(importlib.import_module(module.name))
        if module.ispkg:
            things |= {thing for thing in names.values() if inspect.isclass(thing)}
    return things


def kind_name(thing):
    return type(thing).__name__


def missing(kind, things):
    present = {type(thing) for thing in things}
    return sorted(child.__name__ for child in set(final(kind)) - present)


@pytest.mark.parametrize("kind", KINDS)
def test_the_catalogue_has_every_final_class(kind):
    assert missing(kind, catalogue.CATALOGUE[kind]) == []


def test_a_class_missing_from_the_catalogue_is_found():
    for kind, things in catalogue.CATALOGUE.items():
        for left_out in things:
            rest = [thing for thing in things if type(thing) is not type(left_out)]
            assert type(left_out).__name__ in missing(kind, rest)


def test_every_contract_has_a_shelf():
    """A new `Abstract...` of the library needs a place in the catalogue."""
    contracts = {
        thing
        for thing in listed()
        if issubclass(thing, eqx.Module) and inspect.isabstract(thing)
    }
    assert contracts == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_final_class_is_listed_by_its_folder(kind):
    assert sorted(k.__name__ for k in set(final(kind)) - listed()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_shelf_holds_its_own_kind_and_each_class_once(kind):
    things = catalogue.CATALOGUE[kind]
    assert all(isinstance(thing, kind) for thing in things)
    assert len({type(thing) for thing in things}) == len(things)


@pytest.mark.parametrize("thing", ALL)
def test_an_object_is_its_configuration(thing):
    """Immutable, shown with its fields, and the same after a round trip."""
    assert repr(thing).startswith(f"{type(thing).__name__}(")
    fields = list(type(thing).__dataclass_fields__)
    for name in fields:
        with pytest.raises(AttributeError):
            setattr(thing, name, 1)
    arrays, rest = eqx.partition(thing, eqx.is_array_like)
    assert type(eqx.combine(arrays, rest)) is type(thing)
    if "function" not in fields:  # a lambda cannot be pickled
        again = pickle.loads(pickle.dumps(thing))
        assert jax.tree.structure(again) == jax.tree.structure(thing)
        for a, b in zip(jax.tree.leaves(again), jax.tree.leaves(thing), strict=True):
            assert np.array_equal(a, b)


@pytest.mark.parametrize(
    "operator",
    catalogue.CATALOGUE[AbstractSensingOperator],
    ids=kind_name,
)
def test_operators_pass_the_dot_test(operator):
    rng = np.random.default_rng(3)
    matrix = rng.standard_normal(operator.shape)
    dual = rng.standard_normal(operator.num_measurements)
    measured = np.asarray(operator.apply(matrix))
    assert measured.shape == dual.shape
    returned = np.asarray(to_dense(operator.adjoint(dual)))
    assert measured @ dual == pytest.approx((matrix * returned).sum(), abs=ROUNDING)
    assert np.linalg.norm(measured) <= operator.norm_bound() * np.linalg.norm(matrix)


@pytest.mark.parametrize("loss", catalogue.LOSSES, ids=kind_name)
def test_losses_have_the_derivative_they_say(loss):
    prediction = np.array([-1.7, -0.2, 0.1, 2.3])
    measurement = np.array([1.0, -1.0, 1.0, -1.0])
    step = 1e-6
    rise = loss.value(prediction + step, measurement) - loss.value(
        prediction - step, measurement
    )
    # 1e-8: the square of the step, and rounding over the step
    derivative = loss.derivative(prediction, measurement)
    assert np.allclose(rise / (2 * step), derivative, rtol=0, atol=1e-8)


@pytest.mark.parametrize("start", catalogue.STARTS, ids=kind_name)
def test_starts_give_factors_of_the_right_shapes(start):
    factorization = DeepFactorization(2)
    factors = start.factors(SYMMETRIC, factorization, seed=0)
    shapes = tuple(factor.shape for factor in factors)
    assert shapes == factorization.shapes(SYMMETRIC.shape)


@pytest.mark.parametrize("dynamics", catalogue.DYNAMICS, ids=kind_name)
def test_every_dynamics_can_be_seen_at_its_start(dynamics):
    factorization, factors, begun = SymmetricFactorization(), (), ()
    if type(dynamics).start_form == "factors":
        factors = begun = Balanced(0.1).factors(SYMMETRIC, factorization, seed=0)
    if type(dynamics).start_form == "frames":
        begun = start_frames(Identity(0.1), SYMMETRIC, factorization, seed=0)
    state = dynamics.init(SYMMETRIC, factorization, begun, seed=0)
    seen = dynamics.snapshot(SYMMETRIC, factorization, state)
    matrix = factorization.end_to_end(factors) if factors else np.zeros((4, 4))
    dense = np.asarray(to_dense(seen.matrix))
    assert np.allclose(dense, matrix, rtol=0, atol=ROUNDING)
    assert dense.dtype == np.float64
    assert (seen.time, seen.iteration) == (0, 0)
    assert seen.result is Result.running
    assert seen.loss == pytest.approx(float(SYMMETRIC.value(matrix)), rel=ROUNDING)
    assert type(dynamics).numerics_version >= 1


@pytest.mark.parametrize("schedule", catalogue.SCHEDULES, ids=kind_name)
def test_every_schedule_goes_on(schedule):
    until = schedule.next(time=0.05, iteration=3)
    assert until.time > 0.05
    assert until.iteration > 3
