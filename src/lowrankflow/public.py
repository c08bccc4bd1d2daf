"""The names that `lowrankflow` has at its top, but for its folders."""

from lowrankflow.dynamics import (
    AdaptiveRankFlow as AdaptiveRankFlow,
    ConstantStep as ConstantStep,
    EndToEndFlow as EndToEndFlow,
    ExactLineSearch as ExactLineSearch,
    GradientDescent as GradientDescent,
    GradientFlow as GradientFlow,
    GreedyLowRank as GreedyLowRank,
    GreedyPath as GreedyPath,
    HeavyBall as HeavyBall,
    Nesterov as Nesterov,
    NormalizedStep as NormalizedStep,
    SteeredFlow as SteeredFlow,
    Stop as Stop,
    greedy_low_rank_path as greedy_low_rank_path,
)
from lowrankflow.errors import (
    DataError as DataError,
    LowRankFlowError as LowRankFlowError,
    PrecisionWarning as PrecisionWarning,
    SpecError as SpecError,
    StoreError as StoreError,
)
from lowrankflow.factorizations import (
    Aligned as Aligned,
    Balanced as Balanced,
    DeepFactorization as DeepFactorization,
    Gaussian as Gaussian,
    GivenFactors as GivenFactors,
    Identity as Identity,
    Orthogonal as Orthogonal,
    RandomPSD as RandomPSD,
    SpectralOptimum as SpectralOptimum,
    SymmetricFactorization as SymmetricFactorization,
)
from lowrankflow.precision import float64 as float64
from lowrankflow.problems import (
    ColumnSensing as ColumnSensing,
    CommutingSensing as CommutingSensing,
    DenseSensing as DenseSensing,
    EntrySampling as EntrySampling,
    HeldOut as HeldOut,
    Huber as Huber,
    Logistic as Logistic,
    Objective as Objective,
    PNorm as PNorm,
    SensingProblem as SensingProblem,
    Squared as Squared,
    SymmetricEntrySampling as SymmetricEntrySampling,
    WeightedEntrySampling as WeightedEntrySampling,
    hold_out as hold_out,
    lift as lift,
    named as named,
    named_instances as named_instances,
    planted_completion as planted_completion,
    planted_psd_completion as planted_psd_completion,
    planted_psd_sensing as planted_psd_sensing,
    planted_sensing as planted_sensing,
    remove_effects as remove_effects,
    symmetrized as symmetrized,
)
from lowrankflow.reference import (
    min_frobenius_norm as min_frobenius_norm,
    min_nuclear_norm as min_nuclear_norm,
    verify as verify,
)
from lowrankflow.result import Result as Result
from lowrankflow.simulation import (
    AtTimes as AtTimes,
    EveryIterations as EveryIterations,
    GeometricIterations as GeometricIterations,
    OnlyEnds as OnlyEnds,
    Run as Run,
    RunFailedError as RunFailedError,
    simulate as simulate,
    simulate_chunks as simulate_chunks,
)
