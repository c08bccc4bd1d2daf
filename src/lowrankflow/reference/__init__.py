from lowrankflow.reference.certificate import (
    Certificate as Certificate,
    verify as verify,
)
from lowrankflow.reference.commuting import (
    CommutingLimit as CommutingLimit,
    commuting_limit as commuting_limit,
    commuting_solution as commuting_solution,
    deep_commuting_solution as deep_commuting_solution,
)
from lowrankflow.reference.diagonal import (
    DiagonalLimit as DiagonalLimit,
    diagonal_limit as diagonal_limit,
)
from lowrankflow.reference.full_observation import (
    full_observation_flow as full_observation_flow,
    linear_loss_flow as linear_loss_flow,
)
from lowrankflow.reference.infeasibility import (
    InfeasibilityCertificate as InfeasibilityCertificate,
    verify_unreachable as verify_unreachable,
)
from lowrankflow.reference.l1 import (
    L1Minimum as L1Minimum,
    min_l1_norm as min_l1_norm,
)
from lowrankflow.reference.least_norm import (
    ConeMinimum as ConeMinimum,
    min_frobenius_norm as min_frobenius_norm,
    project_on_cone as project_on_cone,
    projected_gradient as projected_gradient,
)
from lowrankflow.reference.lie import lie_algebra_dimension as lie_algebra_dimension
from lowrankflow.reference.low_rank_splitting import ThinMatrix as ThinMatrix
from lowrankflow.reference.nuclear_norm import min_nuclear_norm as min_nuclear_norm
from lowrankflow.reference.observed_value import (
    full_observation_value as full_observation_value,
)
from lowrankflow.reference.pursuit import (
    PursuitPath as PursuitPath,
    geco as geco,
    rank_one_pursuit as rank_one_pursuit,
)
from lowrankflow.reference.scalar_flow import (
    drive_to_reach as drive_to_reach,
    driven_value as driven_value,
    escape_time as escape_time,
)
from lowrankflow.reference.single_measurement import (
    single_measurement_asymptote as single_measurement_asymptote,
    single_measurement_curve as single_measurement_curve,
    single_measurement_limit as single_measurement_limit,
)
from lowrankflow.reference.small_completion import (
    LeastTraces as LeastTraces,
    least_traces as least_traces,
)
from lowrankflow.reference.soft_impute import (
    SoftImpute as SoftImpute,
    debiased as debiased,
    soft_impute as soft_impute,
)
from lowrankflow.reference.solution import Reference as Reference
