import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.integrate import solve_ivp
from scipy.optimize import linprog

from lowrankflow.errors import DataError, SpecError
from lowrankflow.reference import diagonal_limit, driven_value

CHAIN = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])  # fixture E1
ROUNDING = 1e-12


def limit_of_chain(init_scale, depth):
    return diagonal_limit(
        CHAIN, np.ones(2), start=np.full(3, init_scale), depth=depth
    ).values


@pytest.mark.parametrize(
    ("alpha", "expected"),
    [
        (1e-1, 0.270156),
        (1e-2, 0.0951249),
        (1e-3, 0.0311267),
        (1e-4, 0.00995012),
        (1e-6, 0.0009995001),
    ],
)
def test_claim_5_the_chain_at_depth_two(alpha, expected):
    values = limit_of_chain(alpha, 2)
    root = (-1 + np.sqrt(1 + 4 / alpha)) / 2
    # The closed form, to what its own cancellation leaves; the table, to its digits.
    exact = [alpha * root, alpha * root**2, alpha * root]
    assert values == pytest.approx(exact, rel=1e-9)
    assert values[0] == pytest.approx(expected, rel=3e-6)


@pytest.mark.parametrize(
    ("alpha", "ratio"), [(1e-3, 0.984), (1e-4, 0.995), (1e-6, 0.9995)]
)
def test_claim_5_the_excess_falls_like_the_root_of_the_start(alpha, ratio):
    excess = limit_of_chain(alpha, 2).sum() - 1
    assert excess / np.sqrt(alpha) == pytest.approx(ratio, abs=6e-4)  # digits given


@pytest.mark.parametrize(
    ("depth", "factor_scale", "expected"),
    [
        (3, 0.1, 6.007224e-3),
        (3, 0.01, 7.764721e-6),
        (3, 0.001, 7.976048e-9),
        (4, 0.1, 3.921169e-4),
        (4, 0.01, 3.999200e-8),
    ],
)
def test_claim_22_the_chain_at_depth_three_and_four(depth, factor_scale, expected):
    values = limit_of_chain(factor_scale**depth, depth)
    # Digits given; the smallest is 1 less 1 - 8e-9, and good to 1e-16 / 8e-9.
    assert values[0] == pytest.approx(expected, rel=2e-7)
    assert values[1] == pytest.approx(1 - values[0], rel=ROUNDING)
    coefficient = {3: 8, 4: 4}[depth]
    leading = coefficient * factor_scale**depth
    assert values[0] == pytest.approx(leading, rel=3 * factor_scale)


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
@pytest.mark.parametrize("features", [3, 6])
def test_it_is_where_the_flow_in_time_ends(depth, features):
    rng = np.random.default_rng(depth)
    design = rng.standard_normal((3, features))
    wanted = design @ rng.uniform(0.5, 1.5, features)
    start = rng.uniform(0.2, 1.0, features)

    def slope(_, control):
        return wanted - design @ driven_value(start, design.T @ control, depth=depth)

    run = solve_ivp(
        slope, (0, 1e4), np.zeros(3), method="LSODA", rtol=1e-10, atol=1e-12
    )
    path = driven_value(start, design.T @ run.y[:, -1], depth=depth)
    found = diagonal_limit(design, wanted, start=start, depth=depth)
    # Far more than the slowest decay time has passed: what is left is the tolerance.
    assert found.values == pytest.approx(path, rel=1e-7)
    assert found.control == pytest.approx(run.y[:, -1], rel=1e-6)
    assert found.primal_residual < 1e-13


def test_it_is_where_the_flow_of_the_factors_ends():
    # x = u^2 at speed 1/2: u' = -E'r u, the flow of gunasekar2017, corollary 2.
    design, wanted = CHAIN, np.ones(2)

    def slope(_, u):
        return -(design.T @ (design @ u**2 - wanted)) * u

    begin = np.full(3, np.sqrt(1e-2))
    run = solve_ivp(slope, (0, 400), begin, method="DOP853", rtol=1e-12, atol=1e-14)
    # CLAIM 5: closed form against the equation, 1e-8
    assert limit_of_chain(1e-2, 2) == pytest.approx(run.y[:, -1] ** 2, abs=1e-8)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 6), st.sampled_from([1e-1, 1e-6, 1e-30]), st.integers(0, 1000))
def test_fit_and_position_on_the_manifold_define_it(depth, scale, seed):
    rng = np.random.default_rng(seed)
    design = rng.standard_normal((3, 7))
    wanted = design @ rng.uniform(0.1, 2.0, 7)
    found = diagonal_limit(design, wanted, start=np.full(7, scale), depth=depth)
    assert found.primal_residual < 1e-12
    assert np.all(found.values > 0)
    # The drive each value needed must be a combination of the rows. It is a difference
    # of start^(-(N-2)/N) and value^(-(N-2)/N), and known to rounding of both.
    if depth == 2:
        drive = np.log(found.values / scale) / 2
        size = np.abs(drive).max()
    else:
        power = -(depth - 2) / depth
        drive = (scale**power - found.values**power) / (depth - 2)
        size = max(scale**power, (found.values**power).max())
    fitted = np.linalg.lstsq(design.T, drive, rcond=None)[0]
    assert np.abs(design.T @ fitted - drive).max() < 1e-11 * size
    # 1e-9: rounding times the condition of a 3 x 7 Gaussian design in these draws.
    assert found.control == pytest.approx(fitted, abs=1e-9 * size)


def random_program(seed, num_measurements=3, features=7):
    """A non-negative problem whose linear program has one clear optimum, or None."""
    rng = np.random.default_rng(seed)
    design = rng.uniform(0.1, 1.0, (num_measurements, features))
    wanted = design @ rng.uniform(0, 1, features)
    best = linprog(np.ones(features), A_eq=design, b_eq=wanted, method="highs")
    slack = 1 - design.T @ best.eqlin.marginals
    support = best.x > 1e-9
    clear = support.sum() == num_measurements and best.x[support].min() > 0.1
    return (design, wanted, best.fun) if clear and slack[~support].min() > 0.1 else None


PROGRAMS = [program for seed in range(60) if (program := random_program(seed))]


def test_there_are_enough_clear_programs():
    assert len(PROGRAMS) >= 5


@pytest.mark.parametrize("program", PROGRAMS[:8])
def test_claim_6_the_excess_over_the_linear_program_vanishes(program):
    design, wanted, best = program
    excess = []
    for factor_scale in (1e-1, 1e-2, 1e-4, 1e-8):
        start = np.full(design.shape[1], factor_scale**2)
        found = diagonal_limit(design, wanted, start=start, depth=2)
        excess.append(found.values.sum() / best - 1)
    assert excess[0] > excess[1] > excess[2] > excess[3]
    # The weight of a feature of dual slack d falls like factor_scale^(2 d), d > 0.1.
    assert excess[2] < 4 * 1e-4**0.2
    assert -1e-9 < excess[3] < 4 * 1e-8**0.2


@pytest.mark.parametrize("program", PROGRAMS[:8])
def test_claim_23_the_excess_falls_with_depth(program):
    design, wanted, best = program
    excess = []
    for depth in (2, 3, 4):
        start = np.full(design.shape[1], 1e-2**depth)
        found = diagonal_limit(design, wanted, start=start, depth=depth)
        excess.append(found.values.sum() / best - 1)
    assert excess[0] > excess[1] > excess[2]
    assert -1e-9 < excess[2] < 1e-3


def test_repeated_measurements_change_nothing():
    twice = CHAIN[[0, 1, 1, 0]]
    found = diagonal_limit(twice, np.ones(4), start=np.full(3, 1e-3), depth=3)
    expected = diagonal_limit(CHAIN, np.ones(2), start=np.full(3, 1e-3), depth=3)
    assert found.values == pytest.approx(expected.values, rel=1e-10)
    # The control of least norm is shared between the copies.
    assert found.control == pytest.approx(expected.control[[0, 1, 1, 0]] / 2)


def test_no_information_moves_nothing():
    found = diagonal_limit(np.zeros((1, 3)), np.zeros(1), start=np.ones(3), depth=3)
    assert np.array_equal(found.values, np.ones(3))
    assert found.control == 0


@pytest.mark.parametrize("depth", [2, 3])
def test_a_value_that_must_vanish_comes_out_below_rounding(depth):
    wanted = np.array([1.0, 0.0])
    found = diagonal_limit(np.eye(3)[:2], wanted, start=np.full(3, 1e-3), depth=depth)
    assert found.values[0] == pytest.approx(1, rel=ROUNDING)
    assert 0 < found.values[1] < 1e-16
    assert found.values[2] == pytest.approx(1e-3, rel=ROUNDING)


def test_depth_one_is_the_nearest_solution_to_the_start():
    start = np.array([1.0, -2.0, 0.5])
    found = diagonal_limit(CHAIN, np.ones(2), start=start, depth=1)
    nearest = start + np.linalg.pinv(CHAIN) @ (np.ones(2) - CHAIN @ start)
    assert found.values == pytest.approx(nearest, rel=ROUNDING)
    assert found.values == pytest.approx(start + CHAIN.T @ found.control)


@pytest.mark.parametrize("depth", [2, 3])
def test_measurements_no_positive_numbers_have_are_refused(depth):
    message = r"\(measurements\)`: some numbers >= 0 must have these .* distance of 1"
    with pytest.raises(DataError, match=message):
        diagonal_limit(CHAIN, np.array([-1.0, 1.0]), start=np.ones(3), depth=depth)


def test_inconsistent_measurements_are_refused_at_depth_one():
    message = r"some numbers must have these measurements.* distance of 7.1e-01"
    with pytest.raises(DataError, match=message):
        diagonal_limit(CHAIN[[0, 0]], np.array([1.0, 2.0]), start=np.ones(3), depth=1)


def test_shapes_starts_and_depth_are_checked():
    with pytest.raises(DataError, match=r"\(design\)`: 3 measurements of 3 features "):
        diagonal_limit(CHAIN, np.ones(3), start=np.ones(3), depth=2)
    message = r"\(start\)`: from depth 2 on a zero never moves.* Got 0.0 at position 1"
    with pytest.raises(DataError, match=message):
        diagonal_limit(CHAIN, np.ones(2), start=np.array([1.0, 0, 1]), depth=2)
    with pytest.raises(SpecError, match=r"diagonal_limit\(depth\)`: the depth counts"):
        diagonal_limit(CHAIN, np.ones(2), start=np.ones(3), depth=1.5)
    with pytest.raises(
        DataError, match=r"diagonal_limit\(design\)`: every number must"
    ):
        diagonal_limit(CHAIN * np.nan, np.ones(2), start=np.ones(3), depth=2)
