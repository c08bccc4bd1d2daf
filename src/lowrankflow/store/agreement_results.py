"""What is kept of two dynamics side by side: distances along the path, and ends."""

from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.errors import SpecError
from lowrankflow.problems import SensingProblem
from lowrankflow.simulation import AgreementJob, compared
from lowrankflow.store.results import matrix_dataset

if TYPE_CHECKING:
    import xarray


def agreement_dataset(job: AgreementJob, problem: SensingProblem) -> "xarray.Dataset":
    """Run both; one measured against the other.

    Returns:
        Dimension `point`: all of `simulation.compared`. `end_distance` of the two ends,
        relative; `final_rank` and `most_rank`, the directions followed at the end and
        at most; `evaluations`, `reference_evaluations`; the end's matrix and what
        metrics say of it. Seconds of either among the attributes.

    Raises:
        SpecError: when the problem has no target to compare with.
    """
    if problem.target is None:
        raise SpecError(
            where="AgreementJob(problem)",
            rule="errors along the two paths are compared, which needs the truth",
            got="a problem without target",
            fix='Use a recipe with a truth, such as "planted_completion"',
        )
    path, reference = job.paths(problem)
    found = compared(problem, path, reference, job.points)
    ends = path.matrices[-1] - reference.matrices[-1]
    scalars = {
        "end_distance": np.linalg.norm(ends) / np.linalg.norm(reference.matrices[-1]),
        "final_rank": path.rank[-1],
        "most_rank": path.rank.max(),
        "evaluations": path.evaluations,
        "reference_evaluations": reference.evaluations,
    }
    dataset = matrix_dataset(problem, path.matrices[-1].reshape(problem.shape))
    # What metrics say of the end has the names of what is kept along the path.
    dataset = dataset[["matrix", "singular_values"]]
    results = (path.result, reference.result)
    worst = next((one for one in results if not one.is_success), path.result)
    return dataset.assign(
        {name: (("point",), array) for name, array in found.items()}
        | {name: ((), np.float64(value)) for name, value in scalars.items()}
    ).assign_attrs(
        result=worst.name,
        result_sentence=str(worst),
        seconds=path.seconds,
        reference_seconds=reference.seconds,
    )
