from lowrankflow.problems.checks import finite_array as finite_array
from lowrankflow.problems.dense_operators import (
    ColumnSensing as ColumnSensing,
    CommutingSensing as CommutingSensing,
    DenseSensing as DenseSensing,
)
from lowrankflow.problems.lifting import (
    LiftedOperator as LiftedOperator,
    lift as lift,
    lift_matrix as lift_matrix,
)
from lowrankflow.problems.losses import (
    AbstractLoss as AbstractLoss,
    Huber as Huber,
    Logistic as Logistic,
    PNorm as PNorm,
    Squared as Squared,
)
from lowrankflow.problems.matrices import (
    AbstractMatrix as AbstractMatrix,
    Dense as Dense,
    Entries as Entries,
    Factored as Factored,
    Numbers as Numbers,
    as_matrix as as_matrix,
    to_dense as to_dense,
)
from lowrankflow.problems.operators import (
    AbstractSensingOperator as AbstractSensingOperator,
    EntrySampling as EntrySampling,
    SymmetricEntries as SymmetricEntries,
    SymmetricEntrySampling as SymmetricEntrySampling,
)
from lowrankflow.problems.problem import (
    AbstractObjective as AbstractObjective,
    HeldOut as HeldOut,
    Objective as Objective,
    SensingProblem as SensingProblem,
)
