from lowrankflow.completion.completer import MatrixCompleter as MatrixCompleter
from lowrankflow.completion.intervals import Conformal as Conformal
from lowrankflow.completion.model import CompletionModel as CompletionModel
from lowrankflow.completion.observed_table import ObservedTable as ObservedTable
from lowrankflow.completion.results import (
    CandidateResult as CandidateResult,
    PathPoint as PathPoint,
    SearchProgress as SearchProgress,
    Validation as Validation,
)
