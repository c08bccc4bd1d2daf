"""What the runs of figure 3 on ratings say of the statements of arora2019."""

from lowrankflow.studies.arora2019 import figure3_measures as measures
from lowrankflow.studies.arora2019.figure3_claims import rises
from lowrankflow.studies.arora2019.figure3_jobs import (
    DEPTHS,
    PAPER_DEPTHS,
    RATINGS,
    RATINGS_CUT,
)
from lowrankflow.studies.arora2019.figure3_measures import over_trajectories
from lowrankflow.studies.claims import at_least, monotone, smaller_than, within
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.samples import Sample
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.verdict import Verdict

# Printed in the notebook of the authors' code, by depth.
PRINTED_RATINGS = {1: 13.72807, 2: 1.44978, 3: 1.39761}


def data_of_ratings(collection: Collection) -> str:
    """Which ratings were planned: the whole table or a cut."""
    return RATINGS if RATINGS in collection.axis("data") else RATINGS_CUT


def least_held_out(collection: Collection, data: str, depth: int) -> Sample:
    """The least mean squared error of held-out ratings along training."""
    return over_trajectories(
        collection,
        lambda _, rmse: float(rmse.min() ** 2),
        "held_out_rmse",
        data=data,
        method="flow",
        depth=depth,
    )


def ratings_are_fitted_by_depth(
    study: AbstractStudy, runs: Collection
) -> list[Verdict]:
    data = data_of_ratings(runs)
    errors = {depth: least_held_out(runs, data, depth) for depth in DEPTHS}
    axes = {"data": data, "method": "flow", "depth": 1}
    learned = over_trajectories(
        runs,
        lambda _, rmse: float((rmse.min() / rmse[0]) ** 2),
        "held_out_rmse",
        **axes,
    )
    shares: dict[float, Sample] = {
        d: rises(runs, measures.second_at_first_rise, d, data) for d in DEPTHS
    }
    return [
        at_least(
            learned,
            0.999,
            claim="ratings-1",
            sentence="Depth 1 learns nothing of held-out ratings.",
            statement=study.statement("ratings"),
            quantity="least test error along training over that of W = 0",
            note="the paper's 13.72807 is the mean square of its held-out ratings",
        ),
        *(
            smaller_than(
                errors[deep],
                errors[1],
                factor=0.2,
                claim=f"ratings-{deep}-learns",
                sentence=f"Depth {deep} has less than a fifth of depth 1's test error.",
                statement=study.statement("ratings"),
                quantity="least held-out mean squared error",
                note="the paper's numbers give a tenth",
            )
            for deep in (2, 3, 4)
        ),
        smaller_than(
            errors[3],
            errors[2],
            claim="ratings-3-beats-2",
            sentence="Depth 3 has a lower test error than depth 2.",
            statement=study.statement("ratings"),
            quantity="least held-out mean squared error",
            note="the paper's numbers give 0.964; both are above the variance of the "
            "ratings there, see the study's page",
        ),
        smaller_than(
            errors[4],
            errors[3],
            claim="ratings-4-beats-3",
            sentence="Depth 4 has a lower test error than depth 3.",
            statement=study.statement("fourth"),
            quantity="least held-out mean squared error",
        ),
        monotone(
            shares,
            "falling",
            claim="ratings-gap",
            sentence="The deeper, the smaller the second singular value is when the "
            "first has half its final size.",
            statement=study.statement("gaps"),
            quantity="second over first singular value",
            note="the paper's curves: at depth 1 the first is twice the others; at "
            "depths 3 and 4 the second is then still near its start",
        ),
        *_printed_ratings(study, errors, data),
    ]


def _printed_ratings(
    study: AbstractStudy, errors: dict[int, Sample], data: str
) -> list[Verdict]:
    """Only for the whole table: a cut has other numbers."""
    if data != RATINGS:
        return []
    return [
        within(
            errors[depth],
            PRINTED_RATINGS[depth] / 1.05,
            PRINTED_RATINGS[depth] * 1.05,
            claim=f"ratings-printed-{depth}",
            sentence=f"The least test error of depth {depth} is within 5 % of the "
            "printed one.",
            statement=study.statement("ratings"),
            quantity="least held-out mean squared error",
            note="another set of 10,000 ratings",
        )
        for depth in PAPER_DEPTHS
    ]
