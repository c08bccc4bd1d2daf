"""One small instance of everything that comes in kinds, for tests that run over all.

`test_completeness.py` fails when a public class of one of these kinds is missing here.
"""

import jax.numpy as jnp
import numpy as np

from lowrankflow.dynamics import (
    AbstractDynamics,
    AbstractStepRule,
    AdaptiveRankFlow,
    ConstantStep,
    EndToEndFlow,
    ExactLineSearch,
    GradientDescent,
    GradientFlow,
    GreedyLowRank,
    HeavyBall,
    Nesterov,
    NormalizedStep,
    PushedFlow,
    RootFlow,
    SteeredFlow,
)
from lowrankflow.factorizations import (
    AbstractFactorization,
    AbstractStart,
    Aligned,
    Balanced,
    DeepFactorization,
    Escaped,
    Gaussian,
    GivenFactors,
    Identity,
    Orthogonal,
    RandomPSD,
    SpectralOptimum,
    SymmetricFactorization,
)
from lowrankflow.problems import (
    AbstractLoss,
    AbstractMatrix,
    AbstractObjective,
    AbstractSensingOperator,
    ColumnSensing,
    CommutingSensing,
    Dense,
    DenseSensing,
    Entries,
    EntrySampling,
    Factored,
    Huber,
    LiftedOperator,
    Logistic,
    Objective,
    PNorm,
    SensingProblem,
    Squared,
    SymmetricEntries,
    SymmetricEntrySampling,
    SymmetrizedOperator,
    WeightedEntrySampling,
)
from lowrankflow.simulation import (
    AbstractSchedule,
    AtTimes,
    EveryIterations,
    GeometricIterations,
    OnlyEnds,
)

SIZE = 4
SHAPE = (5, 7)


def _drawn(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def _basis() -> np.ndarray:
    return np.linalg.qr(_drawn(SIZE, SIZE))[0]


# Symmetric kinds are SIZE x SIZE, all others rectangular.
MATRICES = (
    Dense(_drawn(*SHAPE)),
    Factored(_drawn(5, 2), _drawn(2, 3), _drawn(7, 3)),
    Entries(
        np.array([0, 4, 2]), np.array([6, 0, 3]), np.array([1.0, -2.0, 0.5]), SHAPE
    ),
    SymmetricEntries(np.array([0, 1]), np.array([2, 1]), np.array([1.0, 3.0]), SIZE),
)
OPERATORS = (
    EntrySampling([0, 1, 4, 2], [6, 0, 3, 3], SHAPE),
    SymmetricEntrySampling([0, 1, 2, 3], [0, 3, 3, 3], SIZE),
    WeightedEntrySampling([0, 1, 4, 2], [6, 0, 3, 3], [1.0, 0.5, 3.0, 2.0], SHAPE),
    DenseSensing(_drawn(6, *SHAPE)),
    ColumnSensing(_drawn(6, 5), [0, 6, 2, 2, 3, 1], 7),
    CommutingSensing(_basis(), _drawn(3, SIZE)),
    LiftedOperator(EntrySampling([0, 1], [2, 0], (2, 3))),
    SymmetrizedOperator(EntrySampling([0, 1, 3], [2, 1, 0], (SIZE, SIZE))),
)
LOSSES = (Squared(), Huber(0.5), PNorm(1.5), Logistic())
OBJECTIVES = (
    SensingProblem(OPERATORS[0], [1.0, -1.0, 0.5, 2.0]),
    Objective(lambda matrix: jnp.sum((matrix - 1) ** 2) / 2, SHAPE),
)
FACTORIZATIONS = (DeepFactorization(3), SymmetricFactorization())
# For a problem of SIZE x SIZE and, where it matters, depth 2 without narrow widths.
STARTS = (
    Gaussian(0.1),
    Orthogonal(0.1),
    Identity(0.1),
    Balanced(0.1),
    Aligned(0.1),
    RandomPSD(0.1),
    SpectralOptimum(_drawn(SIZE, SIZE) @ _drawn(SIZE, SIZE).T),
    GivenFactors((np.eye(SIZE), 2 * np.eye(SIZE))),
    Escaped(Identity(1.0), -40.0),
)
STEP_RULES = (
    ConstantStep(1e-2),
    NormalizedStep(1e-2),
    HeavyBall(1e-2, 0.5),
    Nesterov(1e-2, 0.5),
    ExactLineSearch(),
)
# All of them can move a symmetric problem of SIZE x SIZE from a balanced start.
DYNAMICS = (
    AdaptiveRankFlow(admission_tolerance=1e-4, rtol=1e-4, atol=1e-4),
    GradientDescent(ConstantStep(1e-2)),
    GradientFlow(rtol=1e-4, atol=1e-4),
    EndToEndFlow(rtol=1e-4, atol=1e-4),
    RootFlow(rtol=1e-4, atol=1e-4),
    SteeredFlow(step=1e-2),
    PushedFlow(step=1e-2, push=0.5),
    GreedyLowRank(
        rtol=1e-4,
        atol=1e-4,
        seed_scale=1e-3,
        stage_tolerance=1e-3,
        optimality_tolerance=1e-3,
    ),
)
SCHEDULES = (
    GeometricIterations(1.5),
    EveryIterations(2),
    AtTimes([0.1, 0.2]),
    OnlyEnds(),
)

CATALOGUE = {
    AbstractMatrix: MATRICES,
    AbstractSensingOperator: OPERATORS,
    AbstractLoss: LOSSES,
    AbstractObjective: OBJECTIVES,
    AbstractFactorization: FACTORIZATIONS,
    AbstractStart: STARTS,
    AbstractStepRule: STEP_RULES,
    AbstractDynamics: DYNAMICS,
    AbstractSchedule: SCHEDULES,
}
