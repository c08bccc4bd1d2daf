from lowrankflow.problems.air_quality import (
    AIR_QUALITY_LICENCE as AIR_QUALITY_LICENCE,
    load_air_quality as load_air_quality,
)
from lowrankflow.problems.checks import (
    checked_index as checked_index,
    checked_shape as checked_shape,
    finite_array as finite_array,
    real_number as real_number,
)
from lowrankflow.problems.dense_operators import (
    ColumnSensing as ColumnSensing,
    CommutingSensing as CommutingSensing,
    DenseSensing as DenseSensing,
)
from lowrankflow.problems.effects import (
    Effects as Effects,
    hold_out as hold_out,
    remove_effects as remove_effects,
)
from lowrankflow.problems.fluorescence import (
    FLUORESCENCE_LICENCE as FLUORESCENCE_LICENCE,
    load_fluorescence as load_fluorescence,
)
from lowrankflow.problems.gaussian_sensing import (
    SensingScale as SensingScale,
    gaussian_sensing as gaussian_sensing,
    symmetric_gaussian_sensing as symmetric_gaussian_sensing,
)
from lowrankflow.problems.grid import ExhaustiveGrid as ExhaustiveGrid
from lowrankflow.problems.il2_response import (
    IL2_LICENCE as IL2_LICENCE,
    load_il2_response as load_il2_response,
)
from lowrankflow.problems.indian_pines import (
    INDIAN_PINES_LICENCE as INDIAN_PINES_LICENCE,
    IndianPines as IndianPines,
    load_indian_pines as load_indian_pines,
)
from lowrankflow.problems.indian_pines_problem import (
    indian_pines_problem as indian_pines_problem,
)
from lowrankflow.problems.known import Known as Known, NamedInstance as NamedInstance
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
from lowrankflow.problems.named import (
    named as named,
    named_instances as named_instances,
)
from lowrankflow.problems.nonnegative import (
    nonnegative_least_squares as nonnegative_least_squares,
)
from lowrankflow.problems.operators import (
    AbstractSensingOperator as AbstractSensingOperator,
    EntrySampling as EntrySampling,
    SymmetricEntries as SymmetricEntries,
    SymmetricEntrySampling as SymmetricEntrySampling,
    described as described,
)
from lowrankflow.problems.pair_products import pair_products as pair_products
from lowrankflow.problems.pictures import (
    PICTURES_LICENCE as PICTURES_LICENCE,
    load_picture as load_picture,
)
from lowrankflow.problems.planted import (
    measure as measure,
    planted_completion as planted_completion,
    planted_psd_completion as planted_psd_completion,
    planted_psd_sensing as planted_psd_sensing,
    planted_sensing as planted_sensing,
)
from lowrankflow.problems.problem import (
    AbstractObjective as AbstractObjective,
    HeldOut as HeldOut,
    Objective as Objective,
    SensingProblem as SensingProblem,
    checked_problem as checked_problem,
)
from lowrankflow.problems.published_table import PublishedTable as PublishedTable
from lowrankflow.problems.ratings import (
    MOVIELENS_LICENCE as MOVIELENS_LICENCE,
    Ratings as Ratings,
    load_ratings as load_ratings,
)
from lowrankflow.problems.ratings_problem import (
    official_test_set as official_test_set,
    ratings_problem as ratings_problem,
)
from lowrankflow.problems.repeated_entries import (
    planted_completion_with_replacement as planted_completion_with_replacement,
)
from lowrankflow.problems.row_solutions import move_rows as move_rows
from lowrankflow.problems.sampled_products import (
    SampledProducts as SampledProducts,
    SortedEntries as SortedEntries,
)
from lowrankflow.problems.sampling import (
    power_law_entries as power_law_entries,
    power_law_symmetric_entries as power_law_symmetric_entries,
    uniform_entries as uniform_entries,
    uniform_entries_with_replacement as uniform_entries_with_replacement,
    uniform_symmetric_entries as uniform_symmetric_entries,
    unobserved_entries as unobserved_entries,
)
from lowrankflow.problems.serology import (
    SEROLOGY_LICENCE as SEROLOGY_LICENCE,
    load_serology as load_serology,
)
from lowrankflow.problems.symmetrized import (
    SymmetrizedOperator as SymmetrizedOperator,
    symmetrized as symmetrized,
)
from lowrankflow.problems.truths import (
    gaussian_psd_truth as gaussian_psd_truth,
    gaussian_truth as gaussian_truth,
    orthogonal_psd_truth as orthogonal_psd_truth,
    orthogonal_truth as orthogonal_truth,
    power_law_spectrum as power_law_spectrum,
)
from lowrankflow.problems.weighted_entries import (
    EntryOperator as EntryOperator,
    WeightedEntrySampling as WeightedEntrySampling,
    entry_scale as entry_scale,
    positive_numbers as positive_numbers,
    total_weight as total_weight,
)
from lowrankflow.problems.weighted_products import (
    WeightedProducts as WeightedProducts,
    entry_products as entry_products,
)
