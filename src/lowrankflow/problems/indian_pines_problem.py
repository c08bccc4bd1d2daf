"""Indian Pines as a problem: which numbers are seen, and which judge the solution."""

import os
from typing import Literal

import numpy as np

from lowrankflow.errors import SpecError
from lowrankflow.problems.checks import checked_shape, real_number
from lowrankflow.problems.effects import hold_out
from lowrankflow.problems.indian_pines import load_indian_pines
from lowrankflow.problems.problem import SensingProblem
from lowrankflow.problems.sampling import checked_count, uniform_entries


def indian_pines_problem(
    *,
    fraction_observed: float,
    seed: int,
    held_out: float | None = None,
    window: tuple[int, int] | None = None,
    normalization: Literal["sum", "mean"] = "sum",
    path: str | os.PathLike[str] | None = None,
) -> SensingProblem:
    """Complete Indian Pines: 21,025 pixels are rows, 200 spectral bands are columns.

    Entries are observed uniformly at random, and their values are the raw ones: nothing
    is subtracted or divided. Of the observed ones a part may be kept aside, to choose
    a penalty or a rank by; `metrics.unobserved_error` judges by those that are neither
    observed nor kept aside. Raw values are far from zero: their deviation from the mean
    has 0.51 of their norm, and that from the mean of each band 0.14.

    Args:
        fraction_observed: of all entries, in (0, 1]; sets of equal seeds nest.
        seed: of the sample and of what is kept aside.
        held_out: fraction of the observed entries to keep aside as `problem.held_out`;
            they do not count as measurements then. None for none.
        window: keep the upper left (rows, cols) of the image alone; None for all.
        normalization: "sum" or "mean".
        path: where the image is; see `load_indian_pines`.

    Returns:
        The problem, with the whole matrix as its target. Measurements run through the
        matrix row by row.

    Raises:
        DataError: when the image cannot be had.
        SpecError: when a fraction or the window is out of range.

    Exactness: exact; round(fraction x entries) of them, every set equally likely.
    Cost: the whole matrix, 34 MB, and as many indices again while entries are drawn.
    """
    share = real_number(fraction_observed)
    if not 0 < share <= 1:
        raise SpecError(
            where="indian_pines_problem(fraction_observed)",
            rule="this is the fraction of all entries that is observed, in (0, 1]",
            got=f"{fraction_observed!r}"[:200],
            fix="Give for example 0.1 for 10 %",
        )
    image = load_indian_pines(path).image
    if window is not None:
        where = "indian_pines_problem(window)"
        rows, cols = checked_shape(where, window)
        rows = checked_count(where, rows, image.shape[0])
        image = image[:rows, : checked_count(where, cols, image.shape[1])]
    target = image.reshape(-1, image.shape[2]).astype(np.float64)
    operator = uniform_entries(
        target.shape, num_observed=max(1, round(share * target.size)), seed=seed
    )
    problem = SensingProblem(
        operator,
        target[operator.row_index, operator.col_index],
        normalization=normalization,
        target=target,
    )
    if held_out is None:
        return problem
    return hold_out(problem, fraction=held_out, seed=seed)
