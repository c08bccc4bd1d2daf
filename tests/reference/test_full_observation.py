import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from lowrankflow.errors import DataError, SpecError
from lowrankflow.reference import (
    full_observation_flow,
    full_observation_value,
    linear_loss_flow,
)

SOLVER = {"method": "DOP853", "rtol": 1e-12, "atol": 1e-14}


def drawn(size, rank, seed):
    root = np.random.default_rng(seed).standard_normal((size, rank))
    return root @ root.T / rank


def symmetric(size, seed):
    array = np.random.default_rng(seed).standard_normal((size, size))
    return (array + array.T) / 2


def factor_run(gradient, start, time):
    """U U' of U' = -gradient(U U') U from a square root of the start."""
    values, vectors = np.linalg.eigh(start)
    root = vectors * np.sqrt(np.clip(values, 0, None))

    def slope(_, state):
        factor = state.reshape(root.shape)
        return (-gradient(factor @ factor.T) @ factor).reshape(-1)

    end = solve_ivp(slope, (0, time), root.reshape(-1), **SOLVER).y[:, -1]
    factor = end.reshape(root.shape)
    return factor @ factor.T


@pytest.mark.parametrize("rank", [1, 2, 4])
@pytest.mark.parametrize("time", [0.0, 0.2, 1.5])
@pytest.mark.parametrize("definite", [True, False])
def test_claim_41_full_observation(rank, time, definite):
    target = drawn(4, 2, seed=1) if definite else symmetric(4, seed=1)
    start = drawn(4, rank, seed=2)
    expected = factor_run(lambda matrix: matrix - target, start, time)
    found = full_observation_flow(target, start=start, time=time)
    assert found == pytest.approx(expected, abs=1e-8)  # as stated
    assert np.array_equal(found, found.T)


@pytest.mark.parametrize("time", [0.0, 0.3, 2.0])
def test_claim_41_linear_loss(time):
    slope, start = symmetric(4, seed=3), drawn(4, 3, seed=4)
    expected = factor_run(lambda _: -slope, start, time)
    found = linear_loss_flow(slope, start=start, time=time)
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-8)
    growth = expm(time * slope)
    assert found == pytest.approx(growth @ start @ growth, rel=1e-10, abs=1e-10)


def test_from_the_identity_every_eigenvalue_follows_its_own_curve():
    basis = np.linalg.qr(symmetric(4, seed=5))[0]
    target = (basis * [2.0, 1.0, 0.5, 0.0]) @ basis.T
    times = np.array([0.5, 2.0, 6.0])
    curves = [
        full_observation_value(times, start=1e-3, target=value, depth=2)
        for value in (2.0, 1.0, 0.5, 0.0)
    ]
    for k, time in enumerate(times):
        found = full_observation_flow(target, start=1e-3 * np.eye(4), time=time)
        expected = (basis * [curve[k] for curve in curves]) @ basis.T
        assert found == pytest.approx(expected, abs=1e-13)


def test_it_passes_the_best_approximations_in_order():
    target = np.diag([4.0, 2.0, 1.0])
    # Escape times ln(1/1e-6) / (2 lambda) are 1.7, 3.5 and 6.9: look between them.
    for time, rank in ((2.6, 1), (5.2, 2), (12.0, 3)):
        found = full_observation_flow(target, start=1e-6 * np.eye(3), time=time)
        best = np.diag(np.where(np.arange(3) < rank, [4.0, 2.0, 1.0], 0.0))
        # What has not yet grown, or is not yet full, is below 0.04 at these times.
        assert np.linalg.norm(found - best) < 0.07


def test_a_thin_start_keeps_its_rank():
    found = full_observation_flow(drawn(5, 5, 6), start=drawn(5, 2, 7), time=3.0)
    values = np.linalg.eigvalsh(found)
    assert np.abs(values[:3]).max() < 1e-12 * values[-1]
    assert values[-2] > 0.01


@pytest.mark.parametrize("time", [30.0, 80.0])
def test_late_times_arrive(time):
    target = np.diag([4.0, 1.0])
    found = full_observation_flow(target, start=drawn(2, 2, 8), time=time)
    assert found == pytest.approx(target, abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.floats(0, 1.5), st.floats(0, 1.5))
def test_both_are_flows_and_turn_with_their_data(seed, first, second):
    matrix, start = symmetric(4, seed), drawn(4, 3, seed + 1)
    turn = np.linalg.qr(symmetric(4, seed + 2))[0]
    for flow in (full_observation_flow, linear_loss_flow):
        whole = flow(matrix, start=start, time=first + second)
        middle = flow(matrix, start=start, time=first)
        # 1e-7: rounding times exp(3 x 3), the growth at the largest of these numbers
        scale = np.abs(whole).max() + np.abs(middle).max()
        again = flow(matrix, start=middle, time=second)
        assert again == pytest.approx(whole, abs=1e-7 * scale)
        turned = flow(
            turn @ matrix @ turn.T, start=turn @ start @ turn.T, time=first + second
        )
        assert turned == pytest.approx(turn @ whole @ turn.T, abs=1e-9 * scale)


FLOWS = [full_observation_flow, linear_loss_flow]


@pytest.mark.parametrize("flow", FLOWS)
def test_a_start_that_is_no_square_is_refused(flow):
    message = rf"{flow.__name__}\(start\)`: .*no negative eigenvalue. Got -1. Give U @"
    with pytest.raises(DataError, match=message):
        flow(np.eye(2), start=np.diag([1.0, -1.0]), time=1.0)
    with pytest.raises(DataError, match=r"a square matrix of size 2. Got shape \(3, 3"):
        flow(np.eye(2), start=np.eye(3), time=1.0)


@pytest.mark.parametrize("flow", FLOWS)
def test_matrices_that_are_not_symmetric_are_refused(flow):
    with pytest.raises(
        DataError, match="the matrix must be symmetric. Got a differenc"
    ):
        flow(np.array([[1.0, 2.0], [0.0, 1.0]]), start=np.eye(2), time=1.0)
    with pytest.raises(DataError, match=r"square matrix. Got shape \(2, 3\). Lift"):
        flow(np.ones((2, 3)), start=np.eye(2), time=1.0)


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("bad", [-1.0, np.inf, np.nan])
def test_times_before_the_start_are_refused(flow, bad):
    with pytest.raises(
        SpecError, match=r"\(time\)`: the flow runs from time 0 on, to "
    ):
        flow(np.eye(2), start=np.eye(2), time=bad)


@pytest.mark.parametrize("flow", FLOWS)
def test_times_that_overflow_are_refused(flow):
    with pytest.raises(
        SpecError, match=r"beyond which the exponential .* Got 2000. Giv"
    ):
        flow(np.eye(2), start=np.eye(2), time=1000.0)
