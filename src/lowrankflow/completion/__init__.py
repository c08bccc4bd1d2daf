"""For the person with a half-empty table: complete it, and say how well."""

from lowrankflow.completion.als import (
    AlternatingLeastSquares as AlternatingLeastSquares,
    alternating_least_squares as alternating_least_squares,
)
from lowrankflow.completion.completer import MatrixCompleter as MatrixCompleter
from lowrankflow.completion.files.filled_table import FilledTable as FilledTable
from lowrankflow.completion.files.model_file import write_model as write_model
from lowrankflow.completion.files.pairs import read_pairs as read_pairs
from lowrankflow.completion.files.table import Detected as Detected, Table as Table
from lowrankflow.completion.files.table_errors import located as located
from lowrankflow.completion.files.table_files import (
    READ as READ,
    read_table as read_table,
)
from lowrankflow.completion.files.table_writers import (
    WRITTEN as WRITTEN,
    bound_paths as bound_paths,
    check_output as check_output,
    write_table as write_table,
    written_suffix as written_suffix,
)
from lowrankflow.completion.fold_in import fold_in as fold_in
from lowrankflow.completion.intervals import Conformal as Conformal
from lowrankflow.completion.kept_search import (
    forget_search as forget_search,
    num_kept as num_kept,
)
from lowrankflow.completion.low_rank_verdict import (
    LowRankVerdict as LowRankVerdict,
    judged as judged,
)
from lowrankflow.completion.model import CompletionModel as CompletionModel
from lowrankflow.completion.observed_table import ObservedTable as ObservedTable
from lowrankflow.completion.page import page as page
from lowrankflow.completion.results import (
    CandidateResult as CandidateResult,
    PathPoint as PathPoint,
    SearchProgress as SearchProgress,
    Validation as Validation,
)
