"""What is judged of the recovery comparison.

Bounds are those of an own independent reproduction of the paper's instances, or orders:
they were written before the maps had been run, but for "everywhere".
"""

from lowrankflow.studies.claims import at_least, at_most, smaller_than
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021.recovery_jobs import (
    DEEP,
    DESCENT_NORMS,
    GECO,
    GREEDY,
    LEAST,
    PURSUIT,
    SHALLOW,
    SOFT,
    TABLE,
)
from lowrankflow.studies.li2021.recovery_measures import (
    compared_cells,
    recovered_cells,
)
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.style import slug
from lowrankflow.studies.verdict import Verdict

KINDS = {"psd": "P.s.d. matrices", "rectangle": "Rectangles"}
# Fewer cells than greedy learning: each with what it is a relative of.
_BEATEN = {
    LEAST: ("the least nuclear norm", "norm"),
    SOFT: ("debiased soft-impute", "greedy"),
    GECO: ("GECO", "greedy"),
    SHALLOW: ("the flow of depth 2 from 1e-3", "depth"),
}


def all_claims(study: AbstractStudy, runs: Collection) -> list[Verdict]:
    """Every verdict, in the order of the page."""
    return [
        *_table(study, runs),
        *(verdict for kind in KINDS for verdict in _maps(study, runs, kind)),
    ]


def _table(study: AbstractStudy, runs: Collection) -> list[Verdict]:
    def error(method: str, **axes: float):
        return runs.last("relative_error", kind=TABLE, method=method, **axes)

    large, small = DESCENT_NORMS
    return [
        at_most(
            error(GREEDY),
            1e-5,
            claim="table-greedy",
            sentence="On the paper's instances greedy learning is exact.",
            statement=study.statement("greedy"),
            quantity="relative error",
        ),
        at_least(
            error(PURSUIT),
            0.2,
            claim="table-pursuit",
            sentence="There rank-one matrix pursuit errs by at least 20 % at its best "
            "rank.",
            statement=study.statement("pursuit"),
            quantity="relative error, least over ranks to 30",
        ),
        at_least(
            error("descent", norm=large),
            1e-3,
            claim="table-descent",
            sentence=f"Descent from norm {large:g} is not exact there.",
            statement=study.statement("descent"),
            quantity="relative error",
        ),
        smaller_than(
            error("descent", norm=small),
            error("descent", norm=large),
            claim="table-smaller",
            sentence=f"From norm {small:g} it errs less than from {large:g}.",
            statement=study.statement("descent"),
            quantity="relative error",
        ),
    ]


def _maps(study: AbstractStudy, runs: Collection, kind: str) -> list[Verdict]:
    name = KINDS[kind]
    greedy = recovered_cells(runs, kind, GREEDY)
    fewer = [
        smaller_than(
            recovered_cells(runs, kind, method),
            greedy,
            claim=f"{kind}-{slug(method)}",
            sentence=f"{name}: {words} recovers fewer cells than greedy learning.",
            statement=study.statement(statement),
            quantity="cells of the map recovered",
            by="difference",
        )
        for method, (words, statement) in _BEATEN.items()
    ]
    return [
        *fewer,
        at_most(
            recovered_cells(runs, kind, PURSUIT),
            0.0,
            claim=f"{kind}-pursuit",
            sentence=f"{name}: rank-one matrix pursuit recovers nothing.",
            statement=study.statement("pursuit"),
            quantity="cells of the map recovered",
        ),
        smaller_than(
            recovered_cells(runs, kind, SHALLOW),
            recovered_cells(runs, kind, DEEP),
            claim=f"{kind}-depth",
            sentence=f"{name}: from 1e-3 depth 3 recovers more cells than depth 2.",
            statement=study.statement("depth"),
            quantity="cells of the map recovered",
            by="difference",
        ),
        at_least(
            compared_cells(runs, kind, DEEP, GREEDY, lambda a, b: a == b),
            0.8,
            claim=f"{kind}-deep-is-greedy",
            sentence=f"{name}: depth 3 from 1e-3 recovers what greedy learning does, "
            "on four cells of five.",
            statement=study.statement("depth"),
            quantity="share of cells on which both do or both do not",
        ),
        at_most(
            compared_cells(runs, kind, LEAST, GREEDY, lambda a, b: a and not b),
            0.0,
            claim=f"{kind}-everywhere",
            sentence=f"{name}: nothing is recovered by the least nuclear norm and not "
            "by greedy learning.",
            statement=study.statement("everywhere"),
            quantity="share of cells",
            note="a first look at a few instances had shown an exception",
        ),
    ]
