"""Whether two paths go through the same matrices, as numbers per seed."""

import numpy as np

from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021.greedy_path_jobs import FACTORS
from lowrankflow.studies.samples import Sample, combine

SAME = 1e-4
RECOVERED = 1e-3
FLOW = "greedy_path_flow"


def ranks(runs: Collection, kind: str) -> list[int]:
    """The truths' ranks."""
    return [int(rank) for rank in runs.select(kind=kind).axis("rank")]


def same_share(runs: Collection, kind: str, method: str, factor: float) -> Sample:
    """The share of phases of all ranks that end where the flow's do."""
    shares = []
    for rank in ranks(runs, kind):
        where = {"kind": kind, "rank": rank, "factor": factor}
        ours = runs.last("path_matrices", method=method, **where)
        flows = runs.last("path_matrices", method=FLOW, **where)
        shares.append(combine(_same, ours, flows))
    return combine(lambda *each: float(np.mean(each)), *shares)


def recovered(runs: Collection, kind: str, method: str, factor: float) -> Sample:
    """The share of ranks at which the path passes the truth."""
    ends = [
        runs.last("relative_error", kind=kind, method=method, rank=rank, factor=factor)
        for rank in ranks(runs, kind)
    ]
    return combine(lambda *each: float(np.mean(np.less(each, RECOVERED))), *ends)


def flow_only(runs: Collection, kind: str) -> Sample:
    """The share of instances that the flow recovers and Newton's method does not."""
    lost = []
    for rank in ranks(runs, kind):
        for factor in FACTORS:
            where = {"kind": kind, "rank": rank, "factor": factor}
            lost.append(
                combine(
                    lambda flow, newton: float(flow < RECOVERED <= newton),
                    runs.last("relative_error", method=FLOW, **where),
                    runs.last("relative_error", method="greedy_path", **where),
                )
            )
    return combine(lambda *each: float(np.mean(each)), *lost)


def _same(ours: np.ndarray, flows: np.ndarray) -> float:
    """A path that ended is nowhere, which is the same place for both."""
    share = []
    for mine, other in zip(ours, flows, strict=True):
        ended = np.isnan(mine[0, 0]), np.isnan(other[0, 0])
        if any(ended):
            share.append(all(ended))
        else:
            distance = np.linalg.norm(mine - other)
            share.append(distance < SAME * np.linalg.norm(other))
    return float(np.mean(share))
