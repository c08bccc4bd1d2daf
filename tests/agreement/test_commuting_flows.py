"""Measurements that commute: the flow against closed forms and certified minima."""

import functools

import numpy as np
import pytest

import lowrankflow as lrf
from lowrankflow.reference import commuting_limit
from lowrankflow.result import Result

SYMMETRIC = lrf.SymmetricFactorization()


def limit(problem, factorization, scale, *, tol=1e-8, loss=1e-20):
    run = lrf.simulate(
        problem,
        factorization,
        lrf.GradientFlow(rtol=tol, atol=tol),
        start=lrf.Identity(scale),
        stop=lrf.Stop(loss=loss, iterations=100_000),
        schedule=lrf.OnlyEnds(),
    )
    assert run.result is Result.converged, run
    return run.matrix


# science 2.4, fixture E1: measurements diag(1, 1, 0) and diag(0, 1, 1), both 1.


def test_the_table_of_the_fixture_at_depth_two():
    # CLAIM 5: the closed form to 1e-8, and the numbers as printed.
    problem = lrf.named("gunasekar2017-diagonal").problem
    table = {1e-1: 0.270156, 1e-2: 0.0951249, 1e-3: 0.0311267, 1e-4: 0.00995012}
    table[1e-6] = 0.0009995001
    for alpha, printed in table.items():
        matrix = limit(problem, SYMMETRIC, alpha, tol=1e-10)
        z = (-1 + np.sqrt(1 + 4 / alpha)) / 2
        exact = np.diag([alpha * z, alpha * z**2, alpha * z])
        assert np.abs(matrix - exact).max() < 1e-8
        assert matrix[0, 0] == pytest.approx(printed, rel=1e-5)
        excess = np.trace(matrix) - 1
        if alpha <= 1e-3:
            assert excess / np.sqrt(alpha) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    ("depth", "table"),
    [
        (3, {0.1: 6.007224e-3, 0.01: 7.764721e-6, 0.001: 7.976048e-9}),
        (4, {0.1: 3.921169e-4, 0.01: 3.999200e-8}),
    ],
)
def test_the_table_of_the_fixture_for_deep_factorizations(depth, table):
    # CLAIM 22: 1e-5 relative; a is the scale of one factor.
    problem = lrf.named("gunasekar2017-diagonal").problem
    for a, printed in table.items():
        matrix = limit(problem, lrf.DeepFactorization(depth), a**depth)
        assert matrix[0, 0] == pytest.approx(printed, rel=1e-5)
        assert matrix[2, 2] == pytest.approx(printed, rel=1e-5)
        assert matrix[1, 1] == pytest.approx(1 - printed, rel=1e-8)
        off = matrix - np.diag(np.diag(matrix))
        assert np.abs(off).max() < 1e-12


# Random commuting families


@functools.cache
def certified(seed, *, turned=False):
    """A problem whose common basis is the unit vectors, or a random one.

    At a critical point of low rank the exact flow rests on a saddle of the matrices of
    that rank: rounding of 1e-16 that mixes eigenvectors grows there exponentially, and
    overtakes directions that start at 1e-9 and grow by a power law. Zeros stay zero in
    the basis of unit vectors only, so small starts are taken there.
    """
    problem = lrf.named("commuting", {"seed": seed}).problem
    if not turned:
        operator = lrf.CommutingSensing(np.eye(5), problem.operator.eigenvalues)
        basis = np.asarray(problem.operator.basis)
        target = np.diag(np.diag(basis.T @ problem.target @ basis))
        problem = lrf.SensingProblem(operator, problem.measurements, target=target)
    least = lrf.min_nuclear_norm(problem, psd=True)
    assert least.certificate.holds
    return problem, float(np.trace(least.matrix))


@pytest.mark.parametrize(
    ("depth", "scales"),
    [
        # Depth 2 converges like a power of the scale that the dual's slack decides.
        (2, (1e-4, 1e-8, 1e-16, 1e-32)),
        (3, (1e-3, 1e-5, 1e-7, 1e-9)),
        (4, (1e-3, 1e-5, 1e-7, 1e-9)),
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_flow_tends_to_the_certified_minimum(depth, scales, seed):
    # gunasekar2017, theorem 1; arora2019, theorem 2; CLAIM 6.
    problem, least = certified(seed)
    excess = []
    for scale in scales:
        matrix = limit(problem, lrf.DeepFactorization(depth), scale)
        exact = commuting_limit(problem, depth=depth, init_scale=scale)
        # 1e-6: the solver's tolerance times some hundred steps.
        assert np.linalg.norm(matrix - exact.matrix) < 1e-6
        excess.append(np.trace(matrix) / least - 1)
    # The certified gap is 1e-8, and the loss at the end leaves as much.
    assert min(excess) > -1e-7
    assert excess[-1] < 1e-3
    falls = -np.diff(excess)
    assert np.all((falls > 0) | (np.array(excess[1:]) < 1e-7))
    assert excess[0] > 10 * excess[-1]


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_common_basis_may_be_any(depth):
    problem, _ = certified(0, turned=True)
    for scale in (1e-2, 1e-5):
        matrix = limit(problem, lrf.DeepFactorization(depth), scale)
        exact = commuting_limit(problem, depth=depth, init_scale=scale)
        # 1e-6: the solver's tolerance times some hundred steps.
        assert np.linalg.norm(matrix - exact.matrix) < 1e-6


def test_deeper_factorizations_are_nearer_at_equal_scale():
    # CLAIM 23: trace excess at a fixed scale of one factor falls with depth.
    problem, least = certified(0)
    excess = [
        np.trace(limit(problem, lrf.DeepFactorization(depth), 0.1**depth)) / least - 1
        for depth in (2, 3, 4)
    ]
    assert excess[0] > excess[1] > excess[2] > 0


@pytest.mark.parametrize(
    ("loss", "end", "bound"),
    [
        # Where residuals are 1e-9; the solver's tolerance times some hundred steps.
        (lrf.Huber(0.05), 5e-19, 1e-6),
        # r^1.5 / 1.5 at 3e-7, beyond which its slope is too steep to follow; ten times
        # that for W.
        (lrf.PNorm(1.5), 1e-10, 1e-5),
    ],
    ids=["huber", "power"],
)
def test_other_losses_end_at_the_same_point(loss, end, bound):
    # gunasekar2017, after theorem 1: any control of the residual that fits the data.
    problem, _ = certified(0)
    other = lrf.SensingProblem(
        problem.operator, problem.measurements, loss=loss, target=problem.target
    )
    for scale in (1e-2, 1e-6):
        matrix = limit(other, lrf.DeepFactorization(3), scale, loss=end)
        plain = limit(problem, lrf.DeepFactorization(3), scale)
        assert np.linalg.norm(matrix - plain) < bound
