"""Runs by which exact statements about the flow and greedy learning are judged."""

import functools
from typing import cast

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize, root

from lowrankflow.dynamics import EndToEndFlow, GradientFlow, RootFlow, Stop
from lowrankflow.factorizations import (
    DeepFactorization,
    Gaussian,
    GivenFactors,
    RandomPSD,
    SymmetricFactorization,
)
from lowrankflow.problems import SensingProblem, to_dense
from lowrankflow.seeds import generator
from lowrankflow.simulation import GeometricIterations, OnlyEnds, Recipe, RunJob, build
from lowrankflow.studies.li2021.counterexample_jobs import GREEDY, instance

SIZE, RANK = 6, 3
FLOW = GradientFlow(rtol=1e-11, atol=1e-11, method="explicit")
# A step of W itself leaves the matrices of its rank by its error.
_MATRIX_FLOW = EndToEndFlow(rtol=1e-13, atol=1e-13, method="explicit")
SYMMETRIC = SymmetricFactorization()
RECTANGLE = (3, 4)
# Of the linear loss: the residuals of |r| > delta all have the slope delta.
DELTA = 0.01
_START = RandomPSD(frobenius_norm=0.3)
# What stands for the limit of later stages.
LIMIT = -24.0


def completion(seed: int) -> Recipe:
    """A symmetric 6 x 6 matrix of rank 3, 16 of its 21 entries observed."""
    arguments = {"size": SIZE, "rank": RANK, "num_observed": 16, "norm": 1.0}
    return Recipe("symmetric_completion", {**arguments, "seed": seed})


def observed(seed: int) -> Recipe:
    """The same with all ordered entries observed."""
    arguments = {"rank": RANK, "num_observed": SIZE**2, "norm": 1.0, "seed": seed}
    return Recipe("planted_psd_completion", {"size": SIZE, **arguments})


def linear() -> Recipe:
    """A loss that is linear until a residual comes to 0.01."""
    return Recipe(
        "other_loss", {"of": instance(2.0), "loss": "huber", "parameter": DELTA}
    )


def rectangle(seed: int) -> Recipe:
    """A 3 x 4 matrix of rank 1, 8 of its entries observed."""
    arguments = {"shape": list(RECTANGLE), "rank": 1, "num_observed": 8, "seed": seed}
    return Recipe("planted_completion", arguments)


def closed(loss: str, time: float, seed: int) -> RunJob:
    """The flow of U U' for which a closed form is known, to one time."""
    return RunJob(
        problem=linear() if loss == "linear" else observed(seed),
        factorization=SYMMETRIC,
        dynamics=FLOW,
        start=RandomPSD(frobenius_norm=0.05) if loss == "linear" else _START,
        seed=seed,
        stop=Stop(time=time),
        schedule=OnlyEnds(),
    )


def deep(flow: str, depth: int, seed: int) -> RunJob:
    """The flow of the factors, or of M = W^(2/L), from one p.s.d. start."""
    return RunJob(
        problem=completion(seed),
        factorization=DeepFactorization(depth),
        dynamics=FLOW if flow == "factors" else RootFlow(rtol=1e-11, atol=1e-11),
        start=_START,
        seed=seed,
        stop=Stop(time=3.0),
        schedule=OnlyEnds(),
    )


def of_rank(flow: str, rank: int, seed: int) -> RunJob:
    """From W(0) of a rank below the truth's, its hidden units all in use."""
    rng = generator(seed, "rank", rank)
    mixed = np.linalg.qr(rng.standard_normal((SIZE, SIZE)))[0][:rank]
    factor = 0.3 * rng.standard_normal((SIZE, rank)) @ mixed
    return RunJob(
        problem=completion(seed),
        factorization=SYMMETRIC,
        dynamics=FLOW if flow == "factors" else _MATRIX_FLOW,
        start=GivenFactors((factor,)),
        seed=seed,
        # Rank k is unstable: what rounding adds grows as exp(2 mu_1 t).
        stop=Stop(time=5.0),
        schedule=GeometricIterations(1.1),
    )


def lifted(kind: str, seed: int) -> RunJob:
    """W = W_2 W_1 of a rectangle, or its lifting X = U U', U = [W_2; W_1']."""
    plain, width = DeepFactorization(2), min(RECTANGLE)
    first, second = Gaussian(0.2).factors(build(rectangle(seed)), plain, seed=seed)
    factors, time = (first, second), 4.0
    if kind == "lifting":
        # The lifting's clock runs at half the speed.
        factors, time = (np.concatenate([second, first.T]),), 8.0
    return RunJob(
        problem=_place(kind, seed),
        factorization=SymmetricFactorization(width) if kind == "lifting" else plain,
        dynamics=FLOW,
        start=GivenFactors(factors),
        seed=seed,
        stop=Stop(time=time),
        schedule=OnlyEnds(),
    )


def lifted_greedy(kind: str, seed: int) -> RunJob:
    """Greedy learning of a rectangle and of its lifting."""
    width = min(RECTANGLE)
    return RunJob(
        problem=_place(kind, seed),
        factorization=SymmetricFactorization(width)
        if kind == "lifting"
        else DeepFactorization(2),
        dynamics=GREEDY,
        seed=seed,
        stop=Stop(iterations=200_000),
        schedule=GeometricIterations(1.5),
    )


def greedy(max_rank: int | None, seed: int) -> RunJob:
    """Greedy learning, whole or to a critical point of given rank."""
    setting = type(GREEDY)(
        rtol=GREEDY.rtol,
        atol=GREEDY.atol,
        seed_scale=GREEDY.seed_scale,
        stage_tolerance=GREEDY.stage_tolerance,
        optimality_tolerance=GREEDY.optimality_tolerance,
        max_rank=max_rank,
    )
    return RunJob(
        problem=completion(seed),
        factorization=SYMMETRIC,
        dynamics=setting,
        seed=seed,
        stop=Stop(iterations=200_000),
        schedule=GeometricIterations(1.5),
    )


def later(log10_eps: float, seed: int) -> RunJob:
    """From W_1 + eps B, B random p.s.d., to the escape along v_1; the limit from v_1.

    The limit's start is W_1 + eps v_1 v_1'.
    """
    unit, rate, direction, _ = second_stage(seed)
    size = 10.0 ** (log10_eps / 2)
    factor = np.zeros((SIZE, SIZE))
    if log10_eps == LIMIT:
        factor[:, 1] = size * direction
    else:
        rng = generator(seed, "later")
        factor[:, 1:] = size * rng.standard_normal((SIZE, SIZE - 1))
    factor[:, 0] = unit
    # v_1 is orthogonal to the range of W_1.
    overlap = 2 * np.log(np.linalg.norm(direction @ factor[:, 1:]))
    return RunJob(
        problem=completion(seed),
        factorization=SYMMETRIC,
        dynamics=FLOW,
        start=GivenFactors((factor,)),
        seed=seed,
        stop=Stop(time=float((-overlap + np.log(0.1)) / (2 * rate))),
        schedule=OnlyEnds(),
    )


@functools.cache
def second_stage(
    seed: int,
) -> tuple[Float[np.ndarray, " size"], float, Float[np.ndarray, " size"], float]:
    """Where the second stage begins: u with W_1 = u u', mu_1, v_1 and gamma there.

    The first is the minimizer of f(u u') / 2 that descent reaches from the top
    eigenvector of -grad f(0), polished by a root finder.
    """
    problem = cast(SensingProblem, build(completion(seed)))

    def pull(matrix: np.ndarray) -> np.ndarray:
        gradient = -np.asarray(to_dense(problem.gradient(matrix)))
        return (gradient + gradient.T) / 2

    def value(u: np.ndarray) -> float:
        return float(problem.value(np.outer(u, u))) / 2

    def slope(u: np.ndarray) -> np.ndarray:
        return -pull(np.outer(u, u)) @ u

    top = np.linalg.eigh(pull(np.zeros((SIZE, SIZE))))[1][:, -1]
    found = minimize(value, 0.5 * top, jac=slope, method="BFGS")
    unit = root(slope, found.x, tol=1e-15).x
    values, vectors = np.linalg.eigh(pull(np.outer(unit, unit)))
    rates = values[::-1]
    first, second = float(rates[0]), float(rates[1])
    return unit, first, vectors[:, -1], (first - second) / (2 * first)


def _place(kind: str, seed: int) -> Recipe:
    plain = rectangle(seed)
    return Recipe("lift", {"of": plain}) if kind == "lifting" else plain
