"""What is kept of a mask of the grid: every problem's end beside its least trace."""

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from lowrankflow.reference import least_traces
from lowrankflow.simulation import GridJob

if TYPE_CHECKING:
    import xarray


def grid_dataset(job: GridJob) -> "xarray.Dataset":
    """Run the job; its ends, one after the other.

    Returns:
        Dimensions `problem` (the feasible fillings of the mask, in their order),
        `measurement`, `rows` and `cols`. `excess` is trace / least_trace - 1;
        `least_gap` what the dual certificate leaves open of the least trace,
        relatively.
    """
    import xarray

    problems = job.problems
    ends = job.run()
    least = least_traces(problems.pairs, problems.values)
    # The dual is scaled down to A*(dual) <= I before it is believed.
    top = np.linalg.eigvalsh(np.eye(3) - least.slack)[:, -1]
    value = (least.dual * problems.values).sum(axis=1) / np.maximum(top, 1.0)
    trace = np.trace(ends.matrix, axis1=1, axis2=2)
    numbers = {
        "trace": trace,
        "least_trace": least.trace,
        "least_gap": np.abs(1 - value / least.trace),
        "excess": trace / least.trace - 1,
        "residual": ends.residual,
        "flow_time": ends.time,
        "steps": ends.steps.astype(np.int64),
        "rank": ends.rank.astype(np.int64),
        "margin": ends.margin,
    }
    reasons = Counter(ends.result.tolist())
    common = reasons.most_common(1)[0][0] if reasons else "converged"
    said = ", ".join(f"{count} {name}" for name, count in reasons.most_common())
    return xarray.Dataset(
        {
            "matrix": (("problem", "rows", "cols"), ends.matrix),
            "values": (("problem", "measurement"), problems.values),
            **{name: (("problem",), array) for name, array in numbers.items()},
        }
    ).assign_attrs(
        result=common,
        result_sentence=f"{len(trace)} problems: {said}.",
        normalization="sum",
    )
