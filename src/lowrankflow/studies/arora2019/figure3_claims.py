"""What the runs of figure 3 say of the statements of arora2019."""

from collections.abc import Callable

from lowrankflow.studies.arora2019 import figure3_measures as measures
from lowrankflow.studies.arora2019.figure3_jobs import (
    DEPTHS,
    DESCENT_DEPTHS,
    FEWER,
    LAW,
    RATINGS,
    RATINGS_CUT,
    SYNTHETIC,
)
from lowrankflow.studies.arora2019.figure3_measures import over_trajectories
from lowrankflow.studies.claims import (
    at_least,
    at_most,
    monotone,
    smaller_than,
    within,
)
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.samples import Sample, largest
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.verdict import Verdict

# Printed in the notebook of the authors' code, by depth.
PRINTED = {1: 0.81955, 2: 0.09883, 3: 0.0016707}
PRINTED_RATINGS = {1: 13.72807, 2: 1.44978, 3: 1.39761}


def data_of_ratings(collection: Collection) -> str:
    """Which ratings were planned: the whole table or a cut."""
    return RATINGS if RATINGS in collection.axis("data") else RATINGS_CUT


def least_error(collection: Collection, data: str, depth: int) -> Sample:
    """The least test error along training: over all entries, or held-out ratings."""
    axes = {"data": data, "method": "flow", "depth": depth}
    if data in (RATINGS, RATINGS_CUT):
        return over_trajectories(
            collection, lambda _, rmse: float(rmse.min() ** 2), "held_out_rmse", **axes
        )
    return over_trajectories(
        collection, lambda _, mse: float(mse.min()), "mean_squared_error", **axes
    )


def rises(
    collection: Collection,
    function: Callable[..., float],
    depth: int,
    data: str = SYNTHETIC,
) -> Sample:
    """A measure of the singular values along training."""
    axes = {"data": data, "method": "flow", "depth": depth}
    return over_trajectories(collection, function, "singular_values", **axes)


def depth_one_rises_together(study: AbstractStudy, runs: Collection) -> Verdict:
    return at_most(
        rises(runs, measures.slowest_rise, 1),
        1.05,
        claim="depth-1-together",
        sentence="At depth 1 the ten largest singular values reach half their final "
        "sizes at the same time, to 5 %.",
        statement=study.statement("together"),
        quantity="latest over earliest rise of the ten",
        note="their sizes themselves are those of the observed entries with zeros "
        "between, and differ with them",
    )


def gaps_grow_with_depth(study: AbstractStudy, runs: Collection) -> list[Verdict]:
    falls = {d: rises(runs, measures.below_the_gap, d) for d in DEPTHS}
    return [
        smaller_than(
            falls[deep],
            falls[deep - 1],
            factor=0.5,
            claim=f"gap-{deep}",
            sentence=f"At depth {deep} the sixth singular value ends lower beside the "
            f"fifth than at depth {deep - 1}, by more than a factor 2.",
            statement=study.statement("gaps"),
            quantity="sixth over fifth singular value",
            note=f"the paper's curves: {paper}; the truth has rank 5",
        )
        for deep, paper in (
            (2, "6 / 25 = 0.24 at depth 2 beside nearly 1 at depth 1"),
            (3, "0.3 / 33 = 0.01 at depth 3 beside 0.24 at depth 2"),
        )
    ]


def rises_come_one_by_one(study: AbstractStudy, runs: Collection) -> list[Verdict]:
    spreads: dict[float, Sample] = {
        d: rises(runs, measures.spread_of_rises, d) for d in DEPTHS
    }
    return [
        at_least(
            rises(runs, measures.least_step_of_rises, 3),
            1.01,
            claim="one-after-another",
            sentence="At depth 3 the five singular values of the truth reach half "
            "their final size one after another, the largest first.",
            statement=study.statement("order"),
            quantity="least ratio of the times of two successive rises",
            note="the paper's curves: about 8500, 9800, 11,000, 12,800 and 15,500 "
            "iterations, a least ratio of 1.12; two singular values "
            "that are close rise close together",
        ),
        monotone(
            spreads,
            "rising",
            claim="spread-of-rises",
            sentence="From depth 1 to 3 the rise of the fifth singular value comes "
            "later and later in units of the first one's.",
            statement=study.statement("order"),
            quantity="time of the fifth rise over that of the first",
            note="the paper's curves at depth 3: 15,500 / 8500 = 1.8",
        ),
    ]


def depth_three_starts_later(study: AbstractStudy, runs: Collection) -> list[Verdict]:
    onset = {d: rises(runs, measures.first_rise, d) for d in (2, 3)}
    return [
        smaller_than(
            onset[2],
            onset[3],
            factor=1 / 1.6,
            claim="later-onset",
            sentence="The first singular value rises more than 1.6 times as late at "
            "depth 3 as at depth 2.",
            statement=study.statement("onset"),
            quantity="iteration of the first rise",
            note="the paper's curves: 4000 to 6000 beside 8500",
        ),
        within(
            onset[3],
            6800.0,
            10_200.0,
            claim="onset-3",
            sentence="At depth 3 the first singular value rises within a fifth of "
            "iteration 8500.",
            statement=study.statement("onset"),
            quantity="iteration of the first rise",
            note="read off the paper's curve to a tenth, of another random matrix; "
            "it holds for a learning rate of 0.1, not for the 0.01 of the published "
            "configuration",
        ),
    ]


def test_errors_fall_with_depth(
    study: AbstractStudy, runs: Collection
) -> list[Verdict]:
    errors = {depth: least_error(runs, SYNTHETIC, depth) for depth in DEPTHS}
    return [
        smaller_than(
            errors[deep],
            errors[deep - 1],
            factor=factor,
            claim=f"error-{deep}",
            sentence=f"Depth {deep} has less than {factor:g} of the test error of "
            f"depth {deep - 1}.",
            statement=study.statement("errors"),
            quantity="least test error along training",
            note=f"the paper's numbers give {PRINTED[deep] / PRINTED[deep - 1]:.2g}",
        )
        for deep, factor in ((2, 0.25), (3, 0.1))
    ]


def errors_are_those_printed(study: AbstractStudy, runs: Collection) -> list[Verdict]:
    """Only where runs with the notebook's number of distinct entries were planned."""
    if FEWER not in runs.axis("data"):
        return []
    verdicts = [
        within(
            least_error(runs, FEWER, depth),
            PRINTED[depth] / factor,
            PRINTED[depth] * factor,
            claim=f"printed-{depth}",
            sentence=f"With as many distinct entries as 2000 draws with replacement "
            f"leave, depth {depth} ends within {factor - 1:.0%} of the printed error.",
            statement=study.statement("printed"),
            quantity="least test error along training",
            note=f"other random matrices; {why}",
        )
        for depth, factor, why in (
            (1, 1.05, "depth 1 can but leave unobserved entries at zero"),
            (2, 1.25, "depth 2 differs by about a tenth from matrix to matrix"),
        )
    ]
    deepest = at_most(
        least_error(runs, FEWER, 3),
        PRINTED[3],
        claim="printed-3",
        sentence="Likewise depth 3 comes below the printed error.",
        statement=study.statement("printed"),
        quantity="least test error along training",
        note="the paper's run was ended while the error still fell",
    )
    return [*verdicts, deepest]


def gradient_is_aligned(study: AbstractStudy, runs: Collection) -> list[Verdict]:
    names = ("loss", "singular_values", "alignment_on", "alignment_off")
    return [
        at_least(
            over_trajectories(
                runs,
                measures.alignment_while_fitting,
                *names,
                data=data,
                method="flow",
                depth=2,
            ),
            5.0,
            claim=f"aligned-{name}",
            sentence=f"On the {where}, at depth 2, the diagonal entries of "
            "|U' grad V| are on average more than five times the others while W moves.",
            statement=study.statement("alignment"),
            quantity="least ratio of the means on and off the diagonal",
            note="from a tenfold growth of the largest singular value to a hundredth "
            "of the training loss; the bound is ours, the paper shows curves",
        )
        for name, where, data in (
            ("synthetic", "synthetic problem", SYNTHETIC),
            ("ratings", "ratings", data_of_ratings(runs)),
        )
    ]


def law_holds(study: AbstractStudy, runs: Collection) -> list[Verdict]:
    verdicts = []
    for depth in DEPTHS:
        exponent = 2 - 2 / depth
        axes = {"data": SYNTHETIC, "method": "flow", "depth": depth}
        names = ("singular_values", *LAW)
        verdicts.append(
            within(
                over_trajectories(runs, measures.law_exponent, *names, **axes),
                exponent - 0.05,
                exponent + 0.05,
                claim=f"exponent-{depth}",
                sentence=f"At depth {depth} a singular value grows like its power "
                f"2 - 2/N = {exponent:.3g}, in units of the gradient along it.",
                statement=study.statement("law"),
                quantity="fitted exponent",
                note="least squares over all records of the five largest on their way "
                "up; differences between records stand for derivatives",
            )
        )
    errors = [
        over_trajectories(
            runs,
            measures.law_error(depth),
            *("singular_values", *LAW),
            data=SYNTHETIC,
            method="flow",
            depth=depth,
        )
        for depth in DEPTHS
    ]
    rate = at_most(
        largest(errors),
        0.02,
        claim="law",
        sentence="Its rate is N sigma^(2-2/N) times minus the gradient along it, at "
        "every depth.",
        statement=study.statement("law"),
        quantity="median relative error of the rate, largest over depths",
        note="2 %: differences between records stand for derivatives",
    )
    return [*verdicts, rate]


def descent_agrees(study: AbstractStudy, runs: Collection) -> list[Verdict]:
    return [
        at_most(
            measures.difference_of_spectra(runs, depth, SYNTHETIC),
            0.02,
            claim=f"descent-{depth}",
            sentence=f"At depth {depth} the flow's singular values are those of the "
            "paper's descent with its step of 0.1, at equal times all along.",
            statement=study.statement("method"),
            quantity="largest distance between spectra, relative to the last",
            note="2 %, far below what tells depths apart; the largest distance is "
            "where a singular value jumps",
        )
        for depth in DESCENT_DEPTHS
    ]


def ratings_are_fitted_by_depth(
    study: AbstractStudy, runs: Collection
) -> list[Verdict]:
    data = data_of_ratings(runs)
    errors = {depth: least_error(runs, data, depth) for depth in DEPTHS}
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
            for deep in (2, 3)
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
        monotone(
            shares,
            "falling",
            claim="ratings-gap",
            sentence="The deeper, the smaller the second singular value is when the "
            "first has half its final size.",
            statement=study.statement("gaps"),
            quantity="second over first singular value",
            note="the paper's curves: at depth 1 the first is twice the others",
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
        for depth in DEPTHS
    ]
