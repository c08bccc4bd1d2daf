"""The pushed time-ordered exponential: its formula, its gaps, its loops."""

import numpy as np
import pytest
from scipy.linalg import expm, logm

import lowrankflow as lrf
from lowrankflow.dynamics import PushedFlow
from lowrankflow.errors import SpecError
from lowrankflow.problems import DenseSensing, SensingProblem, planted_psd_sensing
from lowrankflow.reference import commuting_limit
from lowrankflow.result import Result

SYMMETRIC = lrf.SymmetricFactorization()
GENERAL = planted_psd_sensing(
    4, rank=2, num_measurements=3, seed=0, scale="unit_measurements", norm=1.0
)
COMMUTING = lrf.named("commuting", {"seed": 1}).problem


def run(problem, flow, *, scale=0.1, seed=0, start=None, **stop):
    return lrf.simulate(
        problem,
        SYMMETRIC,
        flow,
        start=lrf.Identity(scale) if start is None else start,
        seed=seed,
        stop=lrf.Stop(**stop),
        schedule=lrf.OnlyEnds(),
    )


def test_without_a_push_it_is_the_steered_flow():
    first = run(GENERAL, PushedFlow(step=0.05), iterations=40)
    second = run(GENERAL, lrf.SteeredFlow(step=0.05), iterations=40)
    np.testing.assert_allclose(first.matrix, second.matrix, atol=1e-13)


def test_the_gaps_are_those_of_the_formula():
    count, step = 30, 0.05
    found = run(GENERAL, PushedFlow(step=step), iterations=count)
    stack = np.asarray(GENERAL.operator.stack).reshape(-1, 4, 4)
    matrix, control = 0.1 * np.eye(4), np.zeros(3)
    for _ in range(count):
        residual = np.einsum("kij,ij->k", stack, matrix) - GENERAL.measurements
        growth = expm(-step * np.tensordot(residual, stack, 1))
        matrix, control = growth @ matrix @ growth, control - step * residual
    drive = np.tensordot(control, stack, 1)
    formula = 0.1 * expm(2 * drive)
    gap = np.linalg.norm(matrix - formula) / np.linalg.norm(matrix)
    apart = np.linalg.norm(logm(matrix) - logm(formula)) / np.linalg.norm(2 * drive)
    np.testing.assert_allclose(found.matrix, matrix, atol=1e-12)
    extra = found.snapshot.extra
    assert extra["direct_gap"] == pytest.approx(gap, rel=1e-8)
    assert extra["exponent_gap"] == pytest.approx(apart, rel=1e-8)
    assert gap > 1e-4


def test_with_commuting_measurements_a_push_changes_the_path_and_not_the_end():
    flow = PushedFlow(step=0.02, push=0.5, horizon=20.0)
    middle = run(COMMUTING, flow, scale=1e-2, time=5.0)
    plain = run(COMMUTING, PushedFlow(step=0.02), scale=1e-2, time=5.0)
    assert np.linalg.norm(middle.matrix - plain.matrix) > 0.01
    end = run(COMMUTING, flow, scale=1e-2, loss=1e-20, iterations=100_000)
    assert end.result is Result.converged
    exact = commuting_limit(COMMUTING, depth=2, init_scale=1e-2).matrix
    np.testing.assert_allclose(end.matrix, exact, atol=1e-8)
    assert end.snapshot.extra["direct_gap"] < 1e-10


def test_a_push_is_drawn_by_the_seed_and_fades():
    flow = PushedFlow(step=0.05, follow=0.0, push=1.0, horizon=2.0)
    first, again, other = (
        run(GENERAL, flow, seed=s, iterations=40).matrix for s in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert np.linalg.norm(first - other) > 0.01
    longer = run(GENERAL, flow, iterations=60).matrix
    np.testing.assert_allclose(longer, first, rtol=1e-12)


def test_loops_go_along_the_commutator():
    # One loop of size h moves by h^2 [A_1, A_2], up to the third order.
    step = 1e-3
    flow = PushedFlow(step=step, follow=0.0, push=1.0, shape="loops")
    stack = np.asarray(GENERAL.operator.stack).reshape(-1, 4, 4)
    # p = e_1 pulls with r = -e_1, so that X grows along A_1 first.
    bracket = stack[1] @ stack[0] - stack[0] @ stack[1]
    start = lrf.RandomPSD(1.0)
    begin = run(GENERAL, flow, start=start, iterations=0).matrix
    moved = run(GENERAL, flow, start=start, iterations=4).matrix - begin
    wanted = step**2 * (bracket @ begin - begin @ bracket)
    assert np.linalg.norm(moved - wanted) < 0.01 * np.linalg.norm(wanted)


def test_refusals_teach():
    with pytest.raises(SpecError, match="a weight, a finite number >= 0"):
        PushedFlow(step=0.1, push=-1.0)
    with pytest.raises(SpecError, match='a push is "smooth" or goes in "loops"'):
        PushedFlow(step=0.1, shape="square")
    for name in ("step", "horizon"):
        with pytest.raises(SpecError, match=name):
            PushedFlow(**{"step": 0.1, name: 0.0})
    one = SensingProblem(DenseSensing(np.eye(3)[None]), [1.0])
    with pytest.raises(SpecError, match="commutes with itself"):
        run(one, PushedFlow(step=0.1, shape="loops"), iterations=1)
    wide = SensingProblem(DenseSensing(np.ones((1, 2, 3))), [1.0])
    with pytest.raises(SpecError, match="square SensingProblem"):
        lrf.simulate(
            wide,
            lrf.DeepFactorization(2),
            PushedFlow(step=0.1),
            start=lrf.Identity(0.1),
            stop=lrf.Stop(iterations=1),
        )
