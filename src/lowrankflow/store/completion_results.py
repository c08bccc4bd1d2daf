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


def completion_dataset(job: CompletionJob, problem: SensingProblem) -> "xarray.Dataset":
    """The path of a method on a problem with a known truth.

    Returns:
        Dimension `path` for the relative errors of all its matrices; the rest is of the
        matrix with the least.

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
    return dataset.assign(path_errors=(("path",), errors)).assign_attrs(
        best=best + 1,
        result="converged",
        result_sentence=f"The best of {errors.size} matrices is number {best + 1}.",
    )
