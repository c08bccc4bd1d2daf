"""For the person with a half-empty table: alternating least squares, new rows."""

from lowrankflow.completion.als import (
    AlternatingLeastSquares as AlternatingLeastSquares,
    alternating_least_squares as alternating_least_squares,
)
from lowrankflow.completion.fold_in import fold_in as fold_in
