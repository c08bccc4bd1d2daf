import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.integrate import solve_ivp

from lowrankflow.errors import DataError, SpecError
from lowrankflow.metrics import schatten_power
from lowrankflow.problems import (
    CommutingSensing,
    DenseSensing,
    EntrySampling,
    Huber,
    Logistic,
    PNorm,
    SensingProblem,
    to_dense,
)
from lowrankflow.reference import (
    commuting_limit,
    commuting_solution,
    deep_commuting_solution,
)

SOLVER = {"method": "DOP853", "rtol": 1e-12, "atol": 1e-14}
ROUNDING = 1e-12


def orthogonal(size, seed):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((size, size)))[0]


def commuting_problem(size=4, num_measurements=2, seed=0):
    rng = np.random.default_rng(seed)
    operator = CommutingSensing(
        orthogonal(size, seed), rng.standard_normal((num_measurements, size))
    )
    root = rng.standard_normal((size, size))
    return SensingProblem(operator, operator.apply(root @ root.T / size))


def symmetric_run(problem, start, time):
    """X and s of X' = -G X - X G, s' = -r at a time."""
    size = len(start)

    def slope(_, state):
        matrix = state[: size**2].reshape(size, size)
        gradient = to_dense(problem.gradient(matrix))
        change = -gradient @ matrix - matrix @ gradient
        return np.concatenate([change.reshape(-1), -problem.residual(matrix)])

    begin = np.concatenate([start.reshape(-1), np.zeros(problem.num_measurements)])
    end = solve_ivp(slope, (0, time), begin, **SOLVER).y[:, -1]
    return end[: size**2].reshape(size, size), end[size**2 :]


def factor_run(problem, depth, factor_scale, time):
    """The product and s of W_j' = -df/dW_j from multiples of the identity."""
    size = problem.shape[0]
    block = depth * size**2

    def product(factors):
        out = np.eye(size)
        for factor in factors:
            out = factor @ out
        return out

    def slope(_, state):
        factors = state[:block].reshape(depth, size, size)
        matrix = product(factors)
        gradient = to_dense(problem.gradient(matrix))
        changes = [
            -product(factors[j + 1 :]).T @ gradient @ product(factors[:j]).T
            for j in range(depth)
        ]
        residual = problem.residual(matrix)
        return np.concatenate([np.stack(changes).reshape(-1), -residual])

    begin = np.tile(factor_scale * np.eye(size).reshape(-1), depth)
    begin = np.concatenate([begin, np.zeros(problem.num_measurements)])
    end = solve_ivp(slope, (0, time), begin, **SOLVER).y[:, -1]
    return product(end[:block].reshape(depth, size, size)), end[block:]


@pytest.mark.parametrize("seed", [0, 1])
def test_claim_2_any_start_at_depth_two(seed):
    problem = commuting_problem(seed=seed)
    root = np.random.default_rng(seed + 10).standard_normal((4, 3))
    start = root @ root.T
    matrix, control = symmetric_run(problem, start, 0.7)
    found = commuting_solution(problem.operator, control, start=start)
    assert found == pytest.approx(matrix, abs=1e-9)  # as stated
    assert np.array_equal(found, found.T)
    assert np.linalg.norm(matrix - start) > 0.1  # it has moved


def test_claim_3_it_is_no_solution_where_measurements_do_not_commute():
    rng = np.random.default_rng(3)
    stack = rng.standard_normal((3, 5, 5))
    operator = DenseSensing(stack + stack.transpose(0, 2, 1))
    root = rng.standard_normal((5, 5)) / 2
    problem = SensingProblem(operator, operator.apply(root @ root.T))
    matrix, control = symmetric_run(problem, np.eye(5) / 100, 5.0)
    found = commuting_solution(operator, control, start=np.eye(5) / 100)
    assert np.linalg.norm(found - matrix) > 1e-2 * np.linalg.norm(matrix)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_claim_21_the_deep_closed_form(depth):
    problem = commuting_problem(seed=depth)
    matrix, control = factor_run(problem, depth, 0.6, 0.8)
    found = deep_commuting_solution(
        problem.operator, control, depth=depth, init_scale=0.6**depth
    )
    assert found == pytest.approx(matrix, abs=1e-8)  # as stated
    assert np.linalg.norm(matrix - 0.6**depth * np.eye(4)) > 0.1


def test_the_two_closed_forms_agree_at_depth_two():
    operator = commuting_problem().operator
    control = np.array([0.3, -0.8])
    deep = deep_commuting_solution(operator, control, depth=2, init_scale=0.25)
    any_start = commuting_solution(operator, control, start=0.25 * np.eye(4))
    assert deep == pytest.approx(any_start, rel=ROUNDING)


@pytest.mark.parametrize("depth", [2, 3])
def test_the_limit_is_where_the_flow_of_the_factors_ends(depth):
    spectra = np.array([[1.0, 0.2, 0.1, 0.6], [0.1, 0.9, 0.5, 0.3]])
    operator = CommutingSensing(orthogonal(4, 5), spectra)
    problem = SensingProblem(operator, operator.apply(np.diag([1.0, 0.5, 2.0, 0.2])))
    end, control = factor_run(problem, depth, 0.5 ** (1 / depth), 40.0)
    found = commuting_limit(problem, depth=depth, init_scale=0.5)
    # The slowest mode decays at a rate above 1/2: exp(-20) of it is left.
    assert found.matrix == pytest.approx(end, abs=1e-8)
    assert found.control == pytest.approx(control, abs=1e-8)
    assert found.primal_residual < 1e-13


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 5), st.sampled_from([0.5, 1e-3, 1e-8]), st.integers(0, 1000))
def test_the_limit_fits_and_lies_on_the_manifold(depth, init_scale, seed):
    problem = commuting_problem(size=5, seed=seed)
    found = commuting_limit(problem, depth=depth, init_scale=init_scale)
    assert found.primal_residual < 1e-12
    predicted = problem.operator.apply(found.matrix)
    assert predicted == pytest.approx(problem.measurements, abs=1e-11)
    values = np.linalg.eigvalsh(found.matrix)
    assert values == pytest.approx(np.sort(found.eigenvalues), abs=1e-12 * values[-1])
    if init_scale > 1e-8:
        again = deep_commuting_solution(
            problem.operator, found.control, depth=depth, init_scale=init_scale
        )
        # From depth 3 on the control loses what start^-(N-2)/N exceeds the values by.
        assert again == pytest.approx(found.matrix, rel=1e-7, abs=1e-7 * values[-1])


def test_the_limit_does_not_depend_on_loss_or_normalization():
    problem = commuting_problem()
    expected = commuting_limit(problem, depth=3, init_scale=0.1).matrix
    for loss in (Huber(0.1), PNorm(3.0)):
        other = SensingProblem(
            problem.operator, problem.measurements, loss=loss, normalization="mean"
        )
        found = commuting_limit(other, depth=3, init_scale=0.1).matrix
        assert np.array_equal(found, expected)


def test_the_limit_turns_with_the_basis():
    problem = commuting_problem()
    turn = orthogonal(4, 9)
    operator = CommutingSensing(
        turn @ problem.operator.basis, problem.operator.eigenvalues
    )
    turned = SensingProblem(operator, problem.measurements)
    found = commuting_limit(turned, depth=3, init_scale=1e-3).matrix
    expected = commuting_limit(problem, depth=3, init_scale=1e-3).matrix
    assert found == pytest.approx(turn @ expected @ turn.T, abs=1e-10)


@pytest.mark.parametrize("depth", [3, 4])
def test_claim_24_the_limit_is_no_local_minimum_of_a_schatten_power(depth):
    operator = CommutingSensing(np.eye(4), np.eye(4)[:2])
    problem = SensingProblem(operator, np.ones(2))
    found = commuting_limit(problem, depth=depth, init_scale=1e-3**depth)
    assert found.matrix == pytest.approx(np.diag([1.0, 1, 0, 0]), abs=1e-6)
    for p in (0.1, 0.25, 0.5, 0.9):
        for size in (0.01, 0.1, 0.5):
            moved = np.diag([1.0, 1, 0, 0])
            moved[0, 1] = moved[1, 0] = size
            assert np.array_equal(operator.apply(moved), np.ones(2))
            values = np.linalg.svd(moved, compute_uv=False)
            assert values[:2] == pytest.approx([1 + size, 1 - size])
            assert schatten_power(values, p=p) < 2


def test_a_control_beyond_the_blow_up_is_refused():
    operator = CommutingSensing(np.eye(2), np.eye(2))
    message = r"the flow of this depth blows up.* eigenvalue of A\*\(control\) of 10.*G"
    with pytest.raises(DataError, match=message):
        deep_commuting_solution(
            operator, np.array([10.0, 0.0]), depth=3, init_scale=1e-3
        )


def test_a_control_that_overflows_is_refused():
    operator = CommutingSensing(np.eye(2), np.eye(2))
    message = r"commuting_solution\(control\)`: .* stay below 350, .* Got 400. Give the"
    with pytest.raises(DataError, match=message):
        commuting_solution(operator, np.array([400.0, 0.0]), start=np.eye(2))


def test_matrices_that_are_not_symmetric_are_refused():
    operator = commuting_problem().operator
    message = (
        r"commuting_solution\(start\)`: the matrix must be symmetric.* of 1.0e\+00"
    )
    start = np.eye(4)
    start[0, 1] = 1
    with pytest.raises(DataError, match=message):
        commuting_solution(operator, np.zeros(2), start=start)
    with pytest.raises(
        DataError, match=r"this is a square matrix of size 4. Got shape"
    ):
        commuting_solution(operator, np.zeros(2), start=np.eye(3))
    entries = EntrySampling([0], [1], (2, 2))
    message = r"deep_commuting_solution\(operator\)`: the matrix must be symmetric"
    with pytest.raises(DataError, match=message):
        deep_commuting_solution(entries, np.ones(1), depth=2, init_scale=1.0)
    wide = EntrySampling([0], [1], (5, 7))
    with pytest.raises(DataError, match=r"square matrix. Got shape \(5, 7\). Lift"):
        deep_commuting_solution(wide, np.ones(1), depth=2, init_scale=1.0)


def test_other_operators_and_losses_without_a_limit_are_refused():
    entries = SensingProblem(EntrySampling([0], [0], (2, 2)), np.ones(1))
    with pytest.raises(
        SpecError, match="by CommutingSensing. Got EntrySampling. Build"
    ):
        commuting_limit(entries, depth=2, init_scale=1.0)
    operator = CommutingSensing(np.eye(2), np.eye(2))
    logistic = SensingProblem(operator, np.ones(2), loss=Logistic())
    with pytest.raises(SpecError, match=r"Got the Logistic loss.* Use Squared, Huber"):
        commuting_limit(logistic, depth=2, init_scale=1.0)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.inf, np.nan])
def test_the_init_scale_is_positive(bad):
    message = r"commuting_limit\(init_scale\)`: the start is positive.* Got .* Give for"
    with pytest.raises(SpecError, match=message):
        commuting_limit(commuting_problem(), depth=2, init_scale=bad)


def test_measurements_no_positive_matrix_has_are_refused():
    operator = CommutingSensing(np.eye(2), np.eye(2))
    problem = SensingProblem(operator, np.array([1.0, -1.0]))
    with pytest.raises(DataError, match="some numbers >= 0 must have these measuremen"):
        commuting_limit(problem, depth=3, init_scale=1.0)
