"""One step: order, stability, error estimates; against SciPy and Diffrax."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.integrate import solve_ivp

from lowrankflow.dynamics.flow import factor_velocity
from lowrankflow.dynamics.steppers import (
    MAX_STAGES,
    explicit_step,
    num_stages,
    spectral_radius,
    stabilized_step,
    stable_step,
    tree_norm,
)
from lowrankflow.factorizations import DeepFactorization, Gaussian
from lowrankflow.problems import planted_completion

KINDS = [((5, 7), (7, 6, 8, 5)), ((7, 5), (5, 8, 6, 7))]
PROPERTY = settings(max_examples=25, deadline=None)
HALVINGS = 2 ** np.arange(5)


def spiral(point):
    """A circle of radius one attracts every point, which turns at speed one."""
    x, y = point["x"], point["y"]
    pull = 1 - x**2 - y**2
    return {"x": x * pull - y, "y": y * pull + x}


# From so near the centre the growth is what an explicit step gets wrong; nearer the
# circle its leading error terms nearly cancel and the order shows too late.
RADII = np.array([[0.05, 0.1], [0.05, 0.1], [0.05, 0.1]])
ANGLES = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])


def spiral_at(time):
    # With u = 1/r^2: u' = 2 - 2 u.
    radius = (1 + (RADII**-2 - 1) * np.exp(-2 * time)) ** -0.5
    angle = ANGLES + time
    return {"x": radius * np.cos(angle), "y": radius * np.sin(angle)}


def marcher(velocity, method):
    """Compiled: so many steps of one length; the radius only sets the stages."""

    @jax.jit
    def march(point, step, count, radius):
        def body(_, point):
            slope = velocity(point)
            if method == "explicit":
                return explicit_step(velocity, point, slope, step).point
            return stabilized_step(velocity, point, slope, step, radius).point

        return jax.lax.fori_loop(0, count, body, point)

    return march


def distance(one, other):
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return np.sqrt(sum(np.linalg.norm(np.asarray(a) - b) ** 2 for a, b in pairs))


def fitted_order(march, point, final, *, time, coarsest, reach):
    """The slope of the error over four halvings of the step."""
    counts, errors = coarsest * HALVINGS, []
    for count in counts:
        # The same product of step and radius: the same stages at every length.
        radius = reach * count / time
        errors.append(distance(march(point, time / count, int(count), radius), final))
    # Above the rounding of some hundred steps and below where the order shows.
    assert min(errors) > 1e-12
    assert max(errors) < 1e-1
    return -np.polyfit(np.log(counts), np.log(errors), 1)[0]


@pytest.mark.parametrize(
    ("method", "stages", "order", "coarsest"),
    [("stabilized", s, 2, 16) for s in (2, 3, 10, 40)] + [("explicit", 6, 5, 4)],
)
def test_order_on_a_known_solution(method, stages, order, coarsest):
    reach = (stages**2 - 1.5) / 1.54
    assert int(num_stages(jnp.asarray(1.0), jnp.asarray(reach))) == stages
    march = marcher(spiral, method)
    found = fitted_order(
        march, spiral_at(0.0), spiral_at(1.5), time=1.5, coarsest=coarsest, reach=reach
    )
    assert found == pytest.approx(order, abs=0.15)


def flow_case(shape, widths):
    problem = planted_completion(shape, rank=2, num_observed=21, seed=3, norm=3.0)
    factorization = DeepFactorization(3, widths)
    factors = Gaussian(0.2).factors(problem, factorization, seed=1)
    return (
        lambda point: factor_velocity(problem, factorization, point, is_mirrored=False)[
            0
        ],
        tuple(jnp.asarray(f) for f in factors),
    )


def scipy_end(velocity, factors, time):
    sizes = np.cumsum([f.size for f in factors])[:-1]

    def split(flat):
        parts = np.split(flat, sizes)
        return tuple(p.reshape(f.shape) for p, f in zip(parts, factors, strict=True))

    compiled = jax.jit(velocity)

    def slope(_, flat):
        return np.concatenate([np.ravel(v) for v in compiled(split(flat))])

    start = np.concatenate([np.ravel(f) for f in factors])
    solution = solve_ivp(
        slope, (0, time), start, method="DOP853", rtol=1e-13, atol=1e-14
    )
    return split(solution.y[:, -1])


@pytest.mark.parametrize(("shape", "widths"), KINDS)
def test_order_on_the_factor_flow(shape, widths):
    velocity, factors = flow_case(shape, widths)
    final = scipy_end(velocity, factors, 2.0)
    for method, order, coarsest in (("stabilized", 2, 16), ("explicit", 5, 12)):
        found = fitted_order(
            marcher(velocity, method),
            factors,
            final,
            time=2.0,
            coarsest=coarsest,
            reach=5.0,
        )
        assert found == pytest.approx(order, abs=0.15), method


@pytest.mark.slow  # Diffrax alone takes four seconds to compile
def test_both_methods_agree_with_diffrax():
    dfx = pytest.importorskip("diffrax")
    velocity, factors = flow_case(*KINDS[0])
    solution = dfx.diffeqsolve(
        dfx.ODETerm(lambda _, y, __: velocity(y)),
        dfx.Tsit5(),
        t0=0.0,
        t1=1.0,
        dt0=0.01,
        y0=factors,
        stepsize_controller=dfx.PIDController(rtol=1e-10, atol=1e-12),
        saveat=dfx.SaveAt(t1=True),
    )
    final = jax.tree.map(lambda leaf: np.asarray(leaf[-1]), solution.ys)
    size = tree_norm(final)
    explicit = marcher(velocity, "explicit")(factors, 1 / 64, 64, 1.0)
    # 1e-8: a hundred steps of Tsit5, each within 1e-10.
    assert distance(explicit, final) < 1e-8 * size
    march = marcher(velocity, "stabilized")
    coarse, fine = (march(factors, 1 / n, n, 5.0 * n) for n in (256, 512))
    # Order 2 without its leading term; what is left is of order 3, some 1e-8.
    limit = jax.tree.map(lambda a, b: (4 * b - a) / 3, coarse, fine)
    assert distance(limit, final) < 1e-7 * size


@pytest.fixture(scope="module")
def amplification():
    @jax.jit
    def step(eigenvalues, radius):
        def velocity(y):
            return -eigenvalues * y

        ones = jnp.ones_like(eigenvalues)
        length = jnp.asarray(1.0)
        return stabilized_step(velocity, ones, velocity(ones), length, radius).point

    return step


@pytest.mark.parametrize("stages", [*range(2, 31), 50, 99, 100, 151, 200])
def test_stability_on_the_real_axis(amplification, stages):
    # 0.65 s^2, but for the rule's own rounding down: (s^2 - 1) / 1.54.
    radius = (stages**2 - 1) / 1.54 * (1 - 1e-12)
    assert int(num_stages(jnp.asarray(1.0), jnp.asarray(radius))) == stages
    grid = radius * np.linspace(0, 1, 4000)
    factors = np.abs(amplification(grid, radius))
    # Rounding grows with the square of the stages: 1e-10 at 1000.
    assert factors.max() <= 1 + 1e-16 * stages**2 + 1e-15
    # Damped: a third of 2 / 13 below one, 0.949 for many stages and 0.957 for three.
    assert factors[grid > 1].max(initial=0) < 0.96
    # Stability ends soon after: fewer stages would not do.
    beyond = 1.2 * stages**2 / (stages**2 - 1) * radius
    assert np.abs(amplification(np.array([beyond]), radius))[0] > 1


def test_stability_up_to_the_largest_number_of_stages(amplification):
    longest = float(stable_step(jnp.asarray(1.0)))
    assert int(num_stages(jnp.asarray(longest), jnp.asarray(1.0))) == MAX_STAGES
    grid = longest * np.linspace(0, 1, 20_000)
    # 1e-9: rounding of 1e-10 relative at 1000 stages, as stated, and some room.
    assert np.abs(amplification(grid, longest)).max() <= 1 + 1e-9


@pytest.mark.parametrize(("method", "order"), [("stabilized", 3), ("explicit", 5)])
def test_the_error_estimate_has_the_order_of_one_step(method, order):
    point = jax.tree.map(jnp.asarray, spiral_at(0.2))
    steps = 0.2 / HALVINGS
    sizes, true = [], []
    for step in steps:
        h = jnp.asarray(step)
        if method == "explicit":
            trial = explicit_step(spiral, point, spiral(point), h)
        else:
            trial = stabilized_step(spiral, point, spiral(point), h, 5 / h)
        sizes.append(float(tree_norm(trial.full_error(spiral(trial.point)))))
        true.append(distance(trial.point, spiral_at(0.2 + step)))
    found = np.polyfit(np.log(steps), np.log(sizes), 1)[0]
    assert found == pytest.approx(order, abs=0.15)
    # An estimate of order h^p must not fall short of the error it stands for.
    assert np.all(np.array(true) < 3 * np.array(sizes))


def test_the_spectral_radius_of_a_linear_flow():
    rng = np.random.default_rng(0)
    basis, _ = np.linalg.qr(rng.standard_normal((12, 12)))
    matrix = (basis * np.linspace(-40, 3, 12)) @ basis.T

    def velocity(tree):
        image = matrix @ jnp.concatenate([tree["a"], tree["b"]])
        return {"a": image[:5], "b": image[5:]}

    point = {"a": jnp.ones(5), "b": jnp.zeros(7)}
    direction = {"a": jnp.asarray(rng.standard_normal(5)), "b": jnp.zeros(7)}
    found, vector = spectral_radius(
        velocity, point, velocity(point), direction, iterations=60
    )
    # The next eigenvalue is 36: (36 / 40)^120 is below the 1e-7 of the differences.
    assert float(found) == pytest.approx(40, rel=1e-5)
    assert float(tree_norm(vector)) == pytest.approx(1, rel=1e-12)
    early, _ = spectral_radius(
        velocity, point, velocity(point), direction, iterations=3
    )
    assert 0 < float(early) <= 40 * (1 + 1e-6)


def test_nothing_moves_where_nothing_acts():
    point = {"a": jnp.ones(3)}

    def still(tree):
        return jax.tree.map(jnp.zeros_like, tree)

    found, _ = spectral_radius(still, point, still(point), still(point), iterations=3)
    assert float(found) == 0
    one = jnp.asarray(1.0)
    for trial in (
        explicit_step(still, point, still(point), one),
        stabilized_step(still, point, still(point), one, one),
    ):
        assert distance(trial.point, point) < 1e-15
        assert float(tree_norm(trial.full_error(still(point)))) < 1e-15


@PROPERTY
@given(
    st.lists(st.floats(-1.0, 1.0, allow_subnormal=False), min_size=6, max_size=6),
    st.integers(-300, 300),
)
def test_the_norm_of_a_tree_neither_underflows_nor_overflows(values, power):
    array = np.array(values)
    unit = 10.0**power
    found = float(tree_norm((jnp.asarray(array[:2] * unit), jnp.asarray(array[2:]))))
    scaled = np.concatenate([array[:2] * unit, array[2:]])
    largest = np.abs(scaled).max()
    wanted = largest * np.linalg.norm(scaled / largest) if largest > 0 else 0.0
    # 1e-14: six squares and a root. Compiled code rounds subnormal numbers to zero.
    assert found == pytest.approx(wanted, rel=1e-14, abs=1e-307)
