"""What is kept of a completion: the errors along its path, and its best matrix."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow import metrics
from lowrankflow.errors import SpecError
from lowrankflow.problems import SensingProblem, to_dense
from lowrankflow.simulation import CompletionJob
from lowrankflow.store.results import matrix_dataset

if TYPE_CHECKING:
    import xarray

# Paths of more numbers than this are not kept matrix by matrix: 1 MB.
_MOST_PATH_NUMBERS = 100_000


def completion_dataset(job: CompletionJob, problem: SensingProblem) -> "xarray.Dataset":
    """The path of a method on a problem with a known truth.

    Returns:
        Dimension `path`, as long as asked for: `path_errors`, relative, and where they
        are small `path_matrices`; NaN where the path ended before. The rest is of the
        matrix with the least error.

    Raises:
        SpecError: when the problem has no target to compare with.
    """
    if problem.target is None:
        raise SpecError(
            where="CompletionJob(problem)",
            rule="the best of a path is chosen by its error, which needs the truth",
            got="a problem without target",
            fix='Use a recipe with a truth, such as "planted_completion"',
        )
    matrices = [np.asarray(to_dense(matrix)) for matrix in job.path(problem)]
    errors = np.array([metrics.relative_error(problem, m) for m in matrices])
    best = int(np.argmin(errors))
    dataset = matrix_dataset(problem, matrices[best])
    padded = np.full(job.length, np.nan)
    padded[: errors.size] = errors
    variables: dict[str, tuple[tuple[str, ...], np.ndarray]] = {
        "path_errors": (("path",), padded)
    }
    if job.length * matrices[best].size <= _MOST_PATH_NUMBERS:
        path = np.full((job.length, *problem.shape), np.nan)
        path[: errors.size] = matrices
        variables["path_matrices"] = (("path", "rows", "cols"), path)
    return dataset.assign(variables).assign_attrs(
        best=best + 1,
        result="converged",
        result_sentence=f"The best of {errors.size} matrices is number {best + 1}.",
    )
