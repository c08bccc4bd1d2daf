"""The public surface, as the README shows it, and what lies below every folder."""

import copy
import pickle
import subprocess
import sys
import threading
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.precision import in_float64
from lowrankflow.seeds import checked_seed

TRUTH = np.outer([1.0, 2.0, -1.0, 0.5], [1.0, -1.0, 2.0, 0.5, 1.5])
HALF_EMPTY = TRUTH.copy()
HALF_EMPTY[[0, 1, 2, 3, 0, 2], [1, 3, 0, 4, 4, 2]] = np.nan


@pytest.fixture(scope="module")
def problem():
    return lrf.SensingProblem.from_matrix(HALF_EMPTY)


@pytest.fixture(scope="module")
def run(problem):
    return lrf.simulate(
        problem,
        lrf.DeepFactorization(depth=3),
        lrf.GradientFlow(rtol=1e-6, atol=1e-9),
        start=lrf.Gaussian(init_scale=1e-3),
        seed=0,
        stop=lrf.Stop(loss=1e-6),
    )


def test_a_problem_from_a_matrix_with_gaps(problem):
    assert problem.shape == (4, 5)
    assert problem.num_measurements == 14
    observed = HALF_EMPTY[~np.isnan(HALF_EMPTY)]
    assert np.array_equal(problem.measurements, observed)


def test_a_run_ends_with_a_matrix_and_a_sentence(run):
    assert run.matrix.shape == (4, 5)
    assert run.matrix.dtype == np.float64
    assert run.result is lrf.Result.converged
    assert str(run.result) == "Converged: the loss fell to the value asked for."
    # Loss 1e-6 is an error of 1e-3 on observed entries; the others follow a truth of
    # rank one, for which 1e-2 leaves room.
    assert np.allclose(run.matrix, TRUTH, rtol=0, atol=1e-2)
    product = run.factors[2] @ run.factors[1] @ run.factors[0]
    assert np.allclose(product, run.matrix, rtol=0, atol=1e-12)  # rounding


def test_a_run_has_a_trajectory(run):
    dataset = run.dataset
    assert dataset.time.dims == ("record",)
    assert dataset.singular_values.dims == ("record", "sv")
    assert dataset.sizes["sv"] == 4
    for name in ("loss", "nuclear_norm", "effective_rank"):
        assert dataset[name].dims == ("record",)
        assert dataset[name].dtype == np.float64
        assert np.all(np.isfinite(dataset[name]))
    times, values = dataset.time.values, dataset.singular_values.values
    assert times[0] == 0
    assert np.all(np.diff(times) > 0)
    assert np.all(np.diff(values, axis=1) <= 0)
    assert np.allclose(values.sum(axis=1), dataset.nuclear_norm, rtol=1e-12)
    assert dataset.loss.values[-1] <= 1e-6 < dataset.loss.values[0]
    last = np.linalg.svd(run.matrix, compute_uv=False)
    assert np.allclose(values[-1], last, rtol=0, atol=1e-12)
    assert dataset.attrs["result"] == "converged"
    assert dataset.attrs["seed"] == "0"
    assert dataset.attrs["lowrankflow_version"] == lrf.__version__


def test_the_reference_carries_its_proof(problem):
    ref = lrf.min_nuclear_norm(problem, psd=False, gap_tolerance=1e-8)
    assert ref.matrix.shape == (4, 5)
    assert ref.dual.shape == (14,)
    assert ref.certificate.holds is True
    assert abs(ref.certificate.relative_gap) <= 1e-8
    assert ref.certificate.dual_norm <= 1 + 1e-8
    assert ref.certificate.primal_residual <= 1e-8
    again = lrf.verify(problem, ref.matrix, ref.dual, gap_tolerance=1e-8)
    assert again == ref.certificate
    worse = lrf.verify(problem, 1.01 * ref.matrix, ref.dual, gap_tolerance=1e-8)
    assert worse.holds is False
    nuclear = np.linalg.norm(ref.matrix, "nuc")
    assert nuclear <= np.linalg.norm(TRUTH, "nuc") * (1 + 1e-8)


def test_the_least_frobenius_norm_fills_gaps_with_zeros(problem):
    matrix = lrf.min_frobenius_norm(problem)
    assert np.array_equal(matrix, np.nan_to_num(HALF_EMPTY))


def test_greedy_learning_finds_the_rank_one_answer_of_the_named_problem():
    instance = lrf.named("li2021-4x4", {"R": 10.0})
    run = lrf.simulate(
        instance.problem,
        lrf.SymmetricFactorization(),
        lrf.GreedyLowRank(
            rtol=1e-6,
            atol=1e-6,
            seed_scale=1e-8,
            stage_tolerance=1e-9,
            optimality_tolerance=1e-6,
        ),
        stop=lrf.Stop(iterations=100_000),
    )
    assert run.result is lrf.Result.optimal
    assert run.dataset.stage[-1] == 1
    # The end is at a rate of 1e-6 times that at zero, about 10: a residual of 1e-5,
    # which is an error of 1e-5 of the largest entry; a factor of 10 is room.
    limit = instance.known["greedy_limit"].value
    assert np.allclose(run.matrix, limit, rtol=0, atol=1e-4 * np.max(limit))


def test_named_problems():
    names = lrf.named_instances()
    assert "li2021-4x4" in names
    assert list(names) == sorted(names)
    instance = lrf.named("li2021-4x4")
    assert instance.problem.shape == (4, 4)
    assert "min_trace" in instance.known


# By module, in the order of the layers; the top must have them all.
PUBLIC = {
    "problems": "SensingProblem Objective HeldOut EntrySampling SymmetricEntrySampling "
    "WeightedEntrySampling "
    "DenseSensing ColumnSensing CommutingSensing Squared Huber PNorm Logistic lift "
    "named named_instances planted_completion planted_sensing planted_psd_completion "
    "planted_psd_sensing",
    "factorizations": "DeepFactorization SymmetricFactorization Gaussian Orthogonal "
    "Identity Balanced Aligned RandomPSD SpectralOptimum GivenFactors",
    "reference": "min_nuclear_norm min_frobenius_norm verify",
    "dynamics": "GradientDescent GradientFlow EndToEndFlow SteeredFlow GreedyLowRank "
    "Stop ConstantStep ExactLineSearch HeavyBall Nesterov NormalizedStep",
    "simulation": "simulate simulate_chunks Run RunFailedError AtTimes EveryIterations "
    "GeometricIterations OnlyEnds",
    "errors": "LowRankFlowError DataError SpecError StoreError PrecisionWarning",
    "precision": "float64",
    "result": "Result",
    "version": "__version__",
}


@pytest.mark.parametrize("module", PUBLIC)
def test_the_public_names_are_at_the_top(module):
    where = getattr(lrf, module)
    for name in PUBLIC[module].split():
        assert getattr(lrf, name) is getattr(where, name)


def test_the_version_is_that_of_the_package():
    assert [part.isdigit() for part in lrf.__version__.split(".")] == [True] * 3


# --- errors


ERRORS = [lrf.DataError, lrf.SpecError, lrf.StoreError, lrf.RunFailedError]
PARTS = {
    "where": "Gaussian(init_scale)",
    "rule": "this is a positive, finite number",
    "got": "-1.0",
    "fix": "Give for example 1e-3",
}


@pytest.mark.parametrize("kind", [lrf.LowRankFlowError, *ERRORS])
def test_an_error_has_four_parts_in_order(kind):
    error = kind(**PARTS)
    assert str(error) == (
        "`Gaussian(init_scale)`: this is a positive, finite number. "
        "Got -1.0. Give for example 1e-3."
    )
    assert {name: getattr(error, name) for name in PARTS} == PARTS
    assert isinstance(error, lrf.LowRankFlowError)
    assert isinstance(error, ValueError)


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_travels_between_processes(kind):
    error = kind(**PARTS)
    for again in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert type(again) is kind
        assert str(again) == str(error)
        assert {name: getattr(again, name) for name in PARTS} == PARTS


def test_the_kinds_of_errors_are_told_apart():
    for kind in ERRORS:
        others = [other for other in ERRORS if other is not kind]
        assert not any(issubclass(kind, other) for other in others)
    assert issubclass(lrf.PrecisionWarning, UserWarning)


def test_an_error_needs_all_its_parts():
    with pytest.raises(TypeError, match="fix"):
        lrf.SpecError(where="a", rule="b", got="c")


# --- results


@pytest.mark.parametrize("result", list(lrf.Result))
def test_a_result_is_a_sentence(result):
    text = str(result)
    assert text[0].isupper()
    assert text.endswith(".")
    assert len(text.split()) >= 4
    assert pickle.loads(pickle.dumps(result)) is result


def test_results_say_different_things():
    assert len({str(result) for result in lrf.Result}) == len(lrf.Result)


def test_which_results_are_a_success():
    good = {result.name for result in lrf.Result if result.is_success}
    assert good == {
        "converged",
        "stationary",
        "optimal",
        "time_reached",
        "past_best",
    }


# --- precision


@pytest.fixture
def single_precision():
    with jax.enable_x64(False):
        yield


@pytest.mark.usefixtures("single_precision")
def test_float64_is_on_for_the_duration_of_the_context_only():
    assert jnp.ones(2).dtype == np.float32
    with lrf.float64():
        inside = jnp.ones(2)
        with lrf.float64():  # contexts nest
            assert jnp.ones(2).dtype == np.float64
        assert jnp.ones(2).dtype == np.float64
    assert inside.dtype == np.float64
    assert jnp.ones(2).dtype == np.float32


@pytest.mark.usefixtures("single_precision")
def test_float64_ends_with_an_error_too():
    with pytest.raises(RuntimeError, match="ours"), lrf.float64():
        raise RuntimeError("ours")
    assert jnp.ones(2).dtype == np.float32


@pytest.mark.usefixtures("single_precision")
def test_float64_is_of_this_thread_only():
    seen = []
    with lrf.float64():
        thread = threading.Thread(target=lambda: seen.append(jnp.ones(2).dtype))
        thread.start()
        thread.join()
    assert seen == [np.float32]


@pytest.mark.usefixtures("single_precision")
def test_in_float64_wraps_a_function():
    @in_float64
    def ones(count, *, scale):
        """Some ones."""
        return scale * jnp.ones(count)

    assert ones(3, scale=2.0).dtype == np.float64
    assert (ones.__name__, ones.__doc__) == ("ones", "Some ones.")
    assert jnp.ones(2).dtype == np.float32


EVERYTHING = """
import sys
import numpy as np
import jax
import lowrankflow as lrf

truth = np.outer([1.0, 2.0, 0.5], [1.0, -1.0, 2.0, 0.5])
truth[0, 1] = np.nan
problem = lrf.SensingProblem.from_matrix(truth)
assert problem.value(np.ones((3, 4))).dtype == np.float64
for dynamics, start in (
    (lrf.GradientFlow(rtol=1e-6, atol=1e-9), lrf.Gaussian(init_scale=1e-2)),
    (lrf.GradientDescent(lrf.ConstantStep(1e-2)), lrf.Balanced(init_scale=1e-2)),
):
    run = lrf.simulate(
        problem,
        lrf.DeepFactorization(2),
        dynamics,
        start=start,
        seed=0,
        stop=lrf.Stop(iterations=20),
    )
    assert run.matrix.dtype == np.float64, dynamics
    assert all(factor.dtype == np.float64 for factor in run.factors), dynamics
    for leaf in jax.tree.leaves(run.state):
        assert leaf.dtype != np.float32, dynamics
    for name, column in run.dataset.variables.items():
        assert column.dtype in (np.float64, np.int64), name
    # what float32 could not hold
    assert not np.array_equal(run.matrix.astype(np.float32), run.matrix), dynamics
ref = lrf.min_nuclear_norm(problem, gap_tolerance=1e-8)
assert ref.matrix.dtype == ref.dual.dtype == np.float64
assert ref.certificate.holds
assert lrf.min_frobenius_norm(problem).dtype == np.float64
assert not jax.config.jax_enable_x64
print("fine")
"""


def test_everything_is_float64_while_jax_is_not():
    """In a process of its own, with JAX as it comes, and no warning about it."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", EVERYTHING],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "fine"
    assert done.stderr == ""


# --- seeds


@pytest.mark.parametrize("seed", [-1, 1.0, 0.5, "0", None, True, np.nan, [0]])
def test_a_seed_is_a_natural_number(seed, problem):
    message = (
        r"^`seed`: a seed is an integer >= 0\. Got .*\. Give for example seed=0\.$"
    )
    with pytest.raises(lrf.SpecError, match=message):
        checked_seed(seed)
    with pytest.raises(lrf.SpecError, match=message):
        lrf.Gaussian(0.1).factors(problem, lrf.DeepFactorization(2), seed=seed)


def test_a_seed_of_any_integer_type_is_the_same_seed():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert checked_seed(np.uint8(7)) == checked_seed(7) == 7
    assert type(checked_seed(np.int64(7))) is int
    assert checked_seed(2**80) == 2**80
