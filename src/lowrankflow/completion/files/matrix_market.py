"""Matrix Market files: what is not stored was not observed; a stored zero is data."""

from pathlib import Path

import numpy as np
import scipy.io
import scipy.sparse

from lowrankflow.completion.files.array_files import matrix_table, sparse_table
from lowrankflow.completion.files.table import Asked, Detected, Table
from lowrankflow.completion.files.table_errors import file_error
from lowrankflow.completion.files.text_records import opened


def read_matrix_market(path: Path, asked: Asked) -> Table:
    """Read a coordinate file, or an array file in which nan was not observed.

    Raises:
        DataError: when the file is wrong; the line is named where that is known.
    """
    with opened(path) as stream:
        words = stream.readline().decode("latin-1").lower().split()
    field = words[3] if len(words) > 3 else ""
    if field in ("pattern", "complex"):
        has = "no values" if field == "pattern" else "complex numbers"
        raise file_error(
            path,
            line=1,
            rule="the entries of a table are real numbers",
            got=f"a file of kind {field}, which has {has}",
            fix="Write it with the field real or integer",
        )
    try:
        with opened(path) as stream:
            found = scipy.io.mmread(stream)
    except (ValueError, OverflowError, RuntimeError, TypeError) as error:
        said = str(error)
        place, _, rest = said.partition(": ")
        number = place.removeprefix("Line ")
        line = int(number) if place.startswith("Line ") and number.isdigit() else None
        raise file_error(
            path,
            line=line,
            rule="this is a Matrix Market file",
            got=(rest if line is not None else said)[:200] or type(error).__name__,
            fix="Write it again, for example with scipy.io.mmwrite",
        ) from None
    if scipy.sparse.issparse(found):
        return sparse_table(path, found, "Matrix Market", asked)
    return matrix_table(
        path, np.asarray(found), Detected(kind="Matrix Market", form="wide")
    )
