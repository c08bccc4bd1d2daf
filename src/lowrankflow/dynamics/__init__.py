from lowrankflow.dynamics.adaptive_rank import AdaptiveRankFlow as AdaptiveRankFlow
from lowrankflow.dynamics.adaptive_rank_state import (
    ADMISSION_COLUMNS as ADMISSION_COLUMNS,
    AdaptiveRankState as AdaptiveRankState,
)
from lowrankflow.dynamics.contract import (
    AbstractDynamics as AbstractDynamics,
    Limits as Limits,
    Snapshot as Snapshot,
    StartForm as StartForm,
    Stop as Stop,
    Until as Until,
)
from lowrankflow.dynamics.descent import GradientDescent as GradientDescent
from lowrankflow.dynamics.end_to_end import (
    EndToEndFlow as EndToEndFlow,
    end_to_end_velocity as end_to_end_velocity,
)
from lowrankflow.dynamics.flow import (
    GradientFlow as GradientFlow,
    factor_velocity as factor_velocity,
)
from lowrankflow.dynamics.greedy import (
    GreedyLowRank as GreedyLowRank,
    top_direction as top_direction,
)
from lowrankflow.dynamics.greedy_path import (
    greedy_low_rank_path as greedy_low_rank_path,
)
from lowrankflow.dynamics.greedy_path_record import (
    GreedyPath as GreedyPath,
    PathCertificate as PathCertificate,
    PathStep as PathStep,
)
from lowrankflow.dynamics.line_search import ExactLineSearch as ExactLineSearch
from lowrankflow.dynamics.pushed import PushedFlow as PushedFlow
from lowrankflow.dynamics.refine import refine as refine
from lowrankflow.dynamics.root_flow import RootFlow as RootFlow
from lowrankflow.dynamics.small_flows import (
    SmallCompletions as SmallCompletions,
    SmallEnds as SmallEnds,
    random_small_starts as random_small_starts,
    small_flows as small_flows,
    small_greedy as small_greedy,
)
from lowrankflow.dynamics.spectral_equations import (
    singular_value_velocity as singular_value_velocity,
    singular_vector_velocity as singular_vector_velocity,
)
from lowrankflow.dynamics.steering import SteeredFlow as SteeredFlow
from lowrankflow.dynamics.step_rules import (
    AbstractStepRule as AbstractStepRule,
    ConstantStep as ConstantStep,
    HeavyBall as HeavyBall,
    Nesterov as Nesterov,
    NormalizedStep as NormalizedStep,
)
