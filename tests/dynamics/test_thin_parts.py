"""The parts of the adaptive-rank flow against their dense counterparts."""

import jax.numpy as jnp
import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.dynamics import stabilized_host, steppers
from lowrankflow.dynamics.adaptive_rank_tail import Outside, carried_here
from lowrankflow.dynamics.tail_directions import top_eigenpairs
from lowrankflow.dynamics.thin_factors import ThinFactors, balanced_thin, factored
from lowrankflow.dynamics.thin_pull import is_symmetric_pull, thin_pull
from lowrankflow.errors import SpecError
from lowrankflow.problems import Objective, to_dense

ROUNDING = 1e-12


def rng(seed=0):
    return np.random.default_rng(seed)


def problem_of(kind, shape=(6, 9)):
    planted = lrf.planted_completion(shape=shape, rank=2, num_observed=30, seed=1)
    entries, values = planted.operator, planted.measurements
    if kind == "mean":
        return lrf.SensingProblem(entries, values, normalization="mean")
    if kind == "huber":
        return lrf.SensingProblem(entries, values, loss=lrf.Huber(delta=0.3))
    if kind == "dense":
        return lrf.planted_sensing(shape=shape, rank=2, num_measurements=20, seed=1)
    if kind == "symmetrized":
        of = lrf.planted_psd_completion(size=6, rank=2, num_observed=20, seed=0)
        return lrf.symmetrized(of)
    if kind == "symmetric":
        pairs = lrf.SymmetricEntrySampling([0, 1, 5, 2, 4], [0, 3, 2, 2, 1], 6)
        return lrf.SensingProblem(pairs, [1.0, -1.0, 2.0, 0.5, 0.3])
    return planted


KINDS = ("entries", "mean", "huber", "dense", "symmetric", "symmetrized")


@pytest.mark.parametrize("shape", [(6, 9), (9, 6)])
@pytest.mark.parametrize("kind", KINDS)
def test_the_pull_is_the_gradient(kind, shape):
    problem = problem_of(kind, shape)
    rows, cols = problem.shape
    pull = thin_pull("test", problem, "float64")
    left, right = rng(0).standard_normal((rows, 3)), rng(1).standard_normal((cols, 3))
    core = rng(2).standard_normal((3, 3))
    matrix = left @ core @ right.T
    gradient = np.asarray(to_dense(problem.gradient(matrix)))
    out = np.empty(pull.num_weights)
    pulled, pushed, loss = pull.products(left, core, right, out)
    assert loss == pytest.approx(float(problem.value(matrix)), rel=ROUNDING)
    assert np.allclose(pulled, gradient @ right, rtol=0, atol=ROUNDING)
    assert np.allclose(pushed, gradient.T @ left, rtol=0, atol=ROUNDING)
    assert np.allclose(pull.mm(out, right), gradient @ right, rtol=0, atol=ROUNDING)
    assert np.allclose(pull.rmm(out, left), gradient.T @ left, rtol=0, atol=ROUNDING)
    assert is_symmetric_pull(pull) == (kind in ("symmetric", "symmetrized"))
    if kind == "symmetric":
        middle = core + core.T
        gradient = np.asarray(to_dense(problem.gradient(left @ middle @ left.T)))
        pulled, _ = pull.mirrored_products(left, middle, out)
        assert np.allclose(pulled, gradient @ left, rtol=0, atol=ROUNDING)


def test_in_single_precision():
    problem = problem_of("entries")
    double, single = (thin_pull("test", problem, p) for p in ("float64", "float32"))
    left, right = rng(0).standard_normal((6, 3)), rng(1).standard_normal((9, 3))
    exact, _ = double.weights(left, right)
    found, _ = single.weights(left.astype(np.float32), right.astype(np.float32))
    assert found.dtype == np.float32
    # Sums of three numbers of size one in single precision.
    assert np.allclose(found, exact, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("problem", "precision", "message"),
    [
        (Objective(lambda w: (w**2).sum(), (4, 5)), "float64", "Got Objective"),
        (problem_of("dense"), "float32", 'Give precision="float64"'),
    ],
    ids=["objective", "single"],
)
def test_what_has_no_thin_products_is_refused(problem, precision, message):
    with pytest.raises(SpecError, match=message):
        thin_pull("test", problem, precision)


@pytest.mark.parametrize("shape", [(6, 9), (9, 6)])
@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_thin_factors_move_as_the_factorization_does(depth, shape):
    problem = problem_of("entries", shape)
    pull = thin_pull("test", problem, "float64")
    thin = ThinFactors(pull=pull, depth=depth, rank=3, is_mirrored=False)
    left, right = (
        rng(0).standard_normal((shape[0], 3)),
        rng(1).standard_normal((shape[1], 3)),
    )
    cores = rng(2).standard_normal((depth - 2, 3, 3))
    factors = (right.T, *cores, left)
    factorization = lrf.DeepFactorization(depth, widths=3)
    gradient = np.asarray(to_dense(problem.gradient(factorization.end_to_end(factors))))
    expected = factorization.pullback(factors, gradient)
    point = thin.joined(left, cores, right)
    moved, _ = thin.velocity(point, np.empty(pull.num_weights))
    d_left, d_cores, d_right = thin.split(moved)
    for found, wanted in zip((d_right.T, *d_cores, d_left), expected, strict=True):
        assert np.allclose(found, -wanted, rtol=0, atol=1e-11)
    u, values, v = thin.decomposed(point)
    matrix = factorization.end_to_end(factors)
    assert np.allclose(u * values @ v.T, matrix, rtol=0, atol=1e-11)
    # Balanced factors of the same matrix.
    again = thin.joined(*balanced_thin(u, values, v, depth))
    assert np.allclose(
        factored(*thin.split(again)).to_dense(), matrix, rtol=0, atol=1e-11
    )
    assert thin.unit_norms(again).min() == pytest.approx(values[-1] ** (1 / depth))


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_mirror_images_move_as_mirror_images(depth):
    problem = problem_of("symmetric")
    pull = thin_pull("test", problem, "float64")
    left, values = np.linalg.qr(rng(0).standard_normal((6, 3)))[0], rng(1).random(3)
    whole, half = (
        ThinFactors(pull=pull, depth=depth, rank=3, is_mirrored=mirrored)
        for mirrored in (False, True)
    )
    factors = balanced_thin(left, values, left, depth)
    out = np.empty(pull.num_weights)
    wanted, _ = whole.velocity(whole.joined(*factors), out)
    found, _ = half.velocity(half.joined(*factors), out)
    for a, b in zip(whole.split(wanted), half.split(found), strict=True):
        assert np.allclose(a, b, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("radius", [0.5, 40.0, 3000.0])
def test_the_step_on_the_host_is_the_compiled_one(radius):
    matrix = rng(0).standard_normal((5, 5))
    matrix = -radius * matrix @ matrix.T / np.linalg.norm(matrix @ matrix.T, 2)
    point = rng(1).standard_normal(5)
    compiled = steppers.stabilized_step(
        lambda y: jnp.asarray(matrix) @ y,
        jnp.asarray(point),
        jnp.asarray(matrix @ point),
        jnp.asarray(0.7),
        jnp.asarray(radius),
    )
    stages = stabilized_host.host_stages(0.7, radius)
    assert stages == int(steppers.num_stages(jnp.asarray(0.7), jnp.asarray(radius)))
    end = stabilized_host.host_step(
        lambda y: matrix @ y, point, matrix @ point, 0.7, stages
    )
    error = stabilized_host.host_error(point, matrix @ point, end, matrix @ end, 0.7)
    assert np.allclose(end, compiled.point, rtol=0, atol=1e-10)
    assert np.allclose(
        error, compiled.full_error(jnp.asarray(matrix @ end)), rtol=0, atol=1e-8
    )
    found, _ = stabilized_host.host_radius(
        lambda y: matrix @ y, point, matrix @ point, point, iterations=60, reach=1e-7
    )
    assert 0.95 * radius <= found <= radius * (1 + 1e-6)


@pytest.mark.parametrize("size", [4, 12, 60])
def test_top_eigenpairs_of_a_symmetric_matrix(size):
    matrix = rng(size).standard_normal((size, size))
    matrix = matrix + matrix.T
    values, vectors, settled = top_eigenpairs(
        lambda block: matrix @ block,
        rng(1).standard_normal((size, 3)),
        rtol=1e-9,
        rounds=60,
    )
    exact = np.linalg.eigvalsh(matrix)[::-1]
    assert settled >= 1
    assert values[0] == pytest.approx(exact[0], rel=1e-6)
    top = vectors[:, 0]
    # The square root of what the value may be wrong by.
    assert np.allclose(matrix @ top, values[0] * top, rtol=0, atol=1e-3 * exact[0])
    assert np.allclose(vectors.T @ vectors, np.eye(3), rtol=0, atol=1e-10)


@pytest.mark.parametrize("shape", [(20, 31), (31, 20)])
def test_growth_outside_with_what_is_carried(shape):
    problem = lrf.planted_completion(shape=shape, rank=3, num_observed=250, seed=0)
    pull = thin_pull("test", problem, "float64")
    weights, _ = pull.weights(*(np.zeros((size, 1)) for size in shape))
    dense = np.asarray(to_dense(problem.gradient(np.zeros(shape))))
    first, second = (
        tuple(
            np.linalg.qr(rng(s + k).standard_normal((size, 2)))[0]
            for k, size in enumerate(shape)
        )
        for s in (0, 7)
    )
    nothing = tuple(np.zeros((size, 0)) for size in shape)

    def off(sides):
        return [np.eye(len(side)) - side @ side.T for side in sides]

    inside = Outside(
        pull=pull, left=first[0], right=first[1], carried=nothing, is_mirrored=False
    )
    carried = inside.carry(weights)
    p, q = off(first)
    then = -dense + carried[0] @ carried[1].T
    assert np.allclose(then, -p @ dense @ q, rtol=0, atol=1e-10)
    # Between the next complements, with as much gradient again.
    carried = carried_here(carried, *second, 1e-12)
    outside = Outside(
        pull=pull, left=second[0], right=second[1], carried=carried, is_mirrored=False
    )
    block = rng(3).standard_normal((shape[1], 4))
    growths, left, right, _ = outside.top(
        2 * weights, block, rtol=1e-12, corrected=True
    )
    p2, q2 = off(second)
    exact = -p2 @ (p @ dense @ q + dense) @ q2
    assert growths[0] == pytest.approx(np.linalg.norm(exact, 2), rel=1e-8)
    assert left[:, 0] @ exact @ right[:, 0] == pytest.approx(growths[0], rel=1e-8)
    assert np.abs(second[0].T @ left).max() < 1e-10
    assert np.abs(second[1].T @ right).max() < 1e-10
