"""For the person with a half-empty table: complete it, and say how well."""

from lowrankflow.completion.als import (
    AlternatingLeastSquares as AlternatingLeastSquares,
    alternating_least_squares as alternating_least_squares,
)
from lowrankflow.completion.completer import MatrixCompleter as MatrixCompleter
from lowrankflow.completion.fold_in import fold_in as fold_in
from lowrankflow.completion.intervals import Conformal as Conformal
from lowrankflow.completion.model import CompletionModel as CompletionModel
from lowrankflow.completion.observed_table import ObservedTable as ObservedTable
from lowrankflow.completion.results import (
    CandidateResult as CandidateResult,
    PathPoint as PathPoint,
    SearchProgress as SearchProgress,
    Validation as Validation,
)
