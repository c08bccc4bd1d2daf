import pickle

import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.problems import to_dense
from lowrankflow.simulation import Recipe, build, fingerprint, recipe_kinds

PLANTED = {"shape": [6, 4], "rank": 2, "num_observed": 15, "seed": 3}
RECIPES = {
    "planted_completion": PLANTED,
    "planted_completion_with_replacement": {
        "shape": [6, 4],
        "rank": 2,
        "num_draws": 15,
        "seed": 3,
        "normalization": "mean",
    },
    "planted_psd_completion": {"size": 5, "rank": 1, "num_observed": 9, "seed": 0},
    "planted_sensing": {"shape": [4, 6], "rank": 1, "num_measurements": 9, "seed": 0},
    "planted_psd_sensing": {
        "size": 5,
        "rank": 1,
        "num_measurements": 9,
        "seed": 0,
        "scale": "near_isometry",
    },
    "power_law_psd_sensing": {
        "size": 5,
        "exponent": 1.5,
        "num_measurements": 9,
        "seed": 0,
        "scale": "near_isometry",
        "norm": 1.0,
    },
    "named": {"name": "li2021-4x4", "parameters": {"R": 3.0}},
    "nonnegative_least_squares": {
        "size": 5,
        "num_measurements": 2,
        "sparsity": 3,
        "seed": 0,
    },
    "other_loss": {
        "of": {"kind": "named", "name": "commuting"},
        "loss": "huber",
        "parameter": 0.1,
    },
    "symmetric_completion": {
        "size": 5,
        "rank": 4,
        "num_observed": 9,
        "seed": 0,
        "norm": 1.0,
        "decay": 1.5,
        "sampling_exponent": 1.0,
    },
    "symmetrized": {"of": {"kind": "named", "name": "li2021-4x4"}},
    "lift": {"of": Recipe("planted_completion", PLANTED)},
    "entries": {
        "rows": [0, 1, 2],
        "cols": [1, 0, 1],
        "values": [1.0, 2.0, 3.5],
        "shape": [3, 2],
    },
}


def test_every_kind_but_those_with_data_is_here():
    assert set(RECIPES) == set(recipe_kinds()) - {"ratings", "indian_pines"}


@pytest.mark.parametrize("kind", RECIPES)
def test_a_recipe_builds_its_problem_again_and_again(kind):
    recipe = Recipe(kind, RECIPES[kind])
    again = Recipe.from_plain(recipe.to_plain())
    assert again == recipe
    assert hash(again) == hash(recipe)
    assert pickle.loads(pickle.dumps(recipe)) == recipe
    assert str(recipe).startswith(f"{kind}(")
    assert fingerprint(build(again)) == fingerprint(build(recipe))


def test_a_recipe_builds_what_the_library_builds():
    direct = lrf.planted_completion((6, 4), rank=2, num_observed=15, seed=3)
    built = build(Recipe("planted_completion", PLANTED))
    assert fingerprint(built) == fingerprint(direct)
    lifted = build(Recipe("lift", RECIPES["lift"]))
    assert fingerprint(lifted) == fingerprint(lrf.lift(direct))


def test_defaults_are_written_out_so_that_equal_recipes_are_equal():
    short, long = (
        Recipe("planted_completion", PLANTED),
        Recipe("planted_completion", {**PLANTED, "norm": None, "num_held_out": 0}),
    )
    assert short == long
    assert short != Recipe("planted_completion", {**PLANTED, "seed": 4})
    assert short.to_plain()["normalization"] == "sum"


def test_a_recipe_is_immutable():
    recipe = Recipe("named", {"name": "li2021-4x4"})
    with pytest.raises(AttributeError, match="immutable"):
        recipe.kind = "lift"
    with pytest.raises(TypeError):
        recipe.arguments["name"] = "other"


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("planted_competion", {}, r"kinds of problems.*Did you mean 'planted_compl"),
        (3, {}, r"kinds of problems are .*Got 3"),
        ("named", {"nmae": "x"}, r"arguments are name, parameters.*mean 'name'"),
        ("named", {}, r"needs the argument 'name', a string"),
        ("named", {"name": 4}, r"\(name\)`: this is a string. Got 4"),
        ("named", [], r"come by name"),
        ("planted_completion", {**PLANTED, "rank": "2"}, r"\(rank\)`: this is an int"),
        ("planted_completion", {**PLANTED, "rank": True}, r"this is an int.*True"),
        (
            "planted_completion",
            {**PLANTED, "shape": [1]},
            r"\[an integer, an integer\]",
        ),
        ("planted_completion", {**PLANTED, "norm": "x"}, r"a number or null"),
        ("planted_completion", {**PLANTED, "norm": np.nan}, r"finite numbers"),
        ("planted_completion", {**PLANTED, "normalization": "x"}, r"'sum' or 'mean'"),
        ("lift", {"of": 3}, r"a table with its kind"),
        ("lift", {"of": {"kind": "nam"}}, r"Did you mean 'named'"),
        ("entries", {**RECIPES["entries"], "values": ["a"]}, r"a list of numbers"),
    ],
)
def test_what_is_no_recipe(kind, arguments, message):
    with pytest.raises(lrf.SpecError, match=message):
        Recipe(kind, arguments)


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("planted_completion", {**PLANTED, "rank": 0}),
        ("planted_completion", {**PLANTED, "seed": -1}),
        ("planted_completion", {**PLANTED, "shape": [0, 5]}),
        ("named", {"name": "li2021-5x5"}),
        ("named", {"name": "li2021-4x4", "parameters": {"R": "x"}}),
        ("entries", {**RECIPES["entries"], "rows": [0]}),
        ("symmetrized", {"of": {"kind": "planted_completion", **PLANTED}}),
    ],
)
def test_what_the_builder_refuses_is_refused_in_its_words(kind, arguments):
    with pytest.raises(lrf.LowRankFlowError):
        build(Recipe(kind, arguments))


def test_a_problem_is_built_from_a_recipe_only():
    with pytest.raises(lrf.SpecError, match="a problem as plain data is a Recipe"):
        build({"kind": "named"})


def test_the_fingerprint_sees_numbers_and_not_how_they_are_held():
    problem = build(Recipe("planted_sensing", RECIPES["planted_sensing"]))
    stack = np.asarray(problem.operator.stack).reshape(9, 4, 6)
    y = np.asarray(problem.measurements)
    one = lrf.SensingProblem(lrf.DenseSensing(stack), y)
    strided = np.asfortranarray(np.repeat(stack, 2, axis=0))[::2]
    other = lrf.SensingProblem(lrf.DenseSensing(strided.astype(">f8")), y.copy())
    assert fingerprint(one) == fingerprint(other)
    changed = y.copy()
    changed[3] = np.nextafter(changed[3], np.inf)
    seen = {
        fingerprint(one),
        fingerprint(lrf.SensingProblem(lrf.DenseSensing(stack), changed)),
        fingerprint(
            lrf.SensingProblem(lrf.DenseSensing(stack), y, normalization="mean")
        ),
        fingerprint(
            lrf.SensingProblem(lrf.DenseSensing(stack), y, loss=lrf.PNorm(2.0))
        ),
        fingerprint(lrf.SensingProblem(lrf.DenseSensing(stack), y, target=stack[0])),
        fingerprint(problem),
    }
    assert len(seen) == 6


def test_a_fingerprint_is_the_same_on_every_machine():
    """Numbers without rounding, so that no library may change them."""
    problem = build(Recipe("entries", RECIPES["entries"]))
    assert np.array_equal(
        to_dense(problem.operator.adjoint(problem.measurements)),
        [[0, 1], [2, 0], [0, 3.5]],
    )
    assert fingerprint(problem) == FINGERPRINT


def test_a_function_has_no_fingerprint():
    with pytest.raises(lrf.SpecError, match=r"made of numbers .* in its function"):
        fingerprint(lrf.Objective(lambda matrix: matrix.sum(), (2, 3)))


FINGERPRINT = "3f506b5b349deb9761784d02105bc06031f29c341d044da3e932883d4f5d22ab"
