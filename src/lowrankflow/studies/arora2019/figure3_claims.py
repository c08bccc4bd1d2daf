"""What the runs of figure 3 say of the statements of arora2019."""

from collections.abc import Callable, Mapping

from lowrankflow.studies.arora2019 import figure3_measures as measures
from lowrankflow.studies.arora2019.figure3_jobs import (
    DEPTHS,
    DESCENT_DEPTHS,
    FEWER,
    LAW,
    PAPER_DEPTHS,
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


def least_error(collection: Collection, data: str, depth: int) -> Sample:
    """The least error along training, over all entries."""
    return over_trajectories(
        collection,
        lambda _, mse: float(mse.min()),
        "mean_squared_error",
        data=data,
        method="flow",
        depth=depth,
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


def _of_paper(data: str, note: str) -> str:
    """What is known of the paper's curves: those on the synthetic problem."""
    return note if data == SYNTHETIC else ""


def depth_one_rises_together(
    study: AbstractStudy, runs: Collection, data: str = SYNTHETIC
) -> Verdict:
    return at_most(
        rises(runs, measures.slowest_rise, 1, data),
        1.05,
        claim="depth-1-together",
        sentence="At depth 1 the ten largest singular values reach half their final "
        "sizes at the same time, to 5 %.",
        statement=study.statement("together"),
        quantity="latest over earliest rise of the ten",
        note=_of_paper(
            data,
            "their sizes themselves are those of the observed entries with zeros "
            "between, and differ with them",
        ),
    )


def gaps_grow_with_depth(
    study: AbstractStudy, runs: Collection, data: str = SYNTHETIC
) -> list[Verdict]:
    falls = {d: rises(runs, measures.below_the_gap, d, data) for d in DEPTHS}
    return [
        smaller_than(
            falls[deep],
            falls[deep - 1],
            factor=0.5,
            claim=f"gap-{deep}",
            sentence=f"At depth {deep} the first singular value beyond the truth's "
            f"rank ends lower beside the last within than at depth {deep - 1}, by more "
            "than a factor 2.",
            statement=study.statement("gaps" if deep in PAPER_DEPTHS else "fourth"),
            quantity="first singular value beyond the rank over the last within",
            note=_of_paper(data, paper),
        )
        for deep, paper in (
            (2, "the paper's curves: 6 / 25 = 0.24 beside nearly 1 at depth 1"),
            (3, "the paper's curves: 0.3 / 33 = 0.01 beside 0.24 at depth 2"),
            (4, "the paper has no depth 4 here"),
        )
    ]


def rises_come_one_by_one(
    study: AbstractStudy, runs: Collection, data: str = SYNTHETIC
) -> list[Verdict]:
    spreads: dict[float, Sample] = {
        d: rises(runs, measures.spread_of_rises, d, data) for d in DEPTHS
    }
    return [
        at_least(
            rises(runs, measures.least_step_of_rises, 3, data),
            1.01,
            claim="one-after-another",
            sentence="At depth 3 the singular values of the truth reach half their "
            "final size one after another, the largest first.",
            statement=study.statement("order"),
            quantity="least ratio of the times of two successive rises",
            note=_of_paper(
                data,
                "the paper's curves: about 8500, 9800, 11,000, 12,800 and 15,500 "
                "iterations, a least ratio of 1.12; two singular values "
                "that are close rise close together",
            ),
        ),
        monotone(
            {d: spreads[d] for d in PAPER_DEPTHS},
            "rising",
            claim="spread-of-rises",
            sentence="From depth 1 to 3 the rise of the last singular value of the "
            "truth comes later and later in units of the first one's.",
            statement=study.statement("order"),
            quantity="time of the last rise over that of the first",
            note=_of_paper(data, "the paper's curves at depth 3: 15,500 / 8500 = 1.8"),
        ),
        smaller_than(
            spreads[3],
            spreads[4],
            claim="spread-of-rises-4",
            sentence="At depth 4 it comes later still.",
            statement=study.statement("fourth"),
            quantity="time of the last rise over that of the first",
        ),
    ]


def depth_three_starts_later(
    study: AbstractStudy, runs: Collection, data: str = SYNTHETIC
) -> list[Verdict]:
    onset = {d: rises(runs, measures.first_rise, d, data) for d in (2, 3)}
    later = smaller_than(
        onset[2],
        onset[3],
        factor=1 / 1.6,
        claim="later-onset",
        sentence="The first singular value rises more than 1.6 times as late at "
        "depth 3 as at depth 2.",
        statement=study.statement("onset"),
        quantity="iteration of the first rise",
        note=_of_paper(data, "the paper's curves: 4000 to 6000 beside 8500"),
    )
    if data != SYNTHETIC:
        return [later]
    return [
        later,
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


def errors_fall_with_depth(
    study: AbstractStudy, runs: Collection, data: str = SYNTHETIC
) -> list[Verdict]:
    errors = {depth: least_error(runs, data, depth) for depth in DEPTHS}
    ratio = {deep: PRINTED[deep] / PRINTED[deep - 1] for deep in (2, 3)}
    return [
        smaller_than(
            errors[deep],
            errors[shallow],
            factor=factor,
            claim=f"error-{deep}",
            sentence=f"Depth {deep} has less than {factor:g} of the test error of "
            f"depth {shallow}.",
            statement=study.statement("errors" if deep in PAPER_DEPTHS else "fourth"),
            quantity="least test error along training",
            note=_of_paper(data, note),
        )
        for shallow, deep, factor, note in (
            (1, 2, 0.25, f"the paper's numbers give {ratio[2]:.2g}"),
            (2, 3, 0.1, f"the paper's numbers give {ratio[3]:.2g}"),
            (2, 4, 0.1, "the paper has no depth 4 here"),
        )
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
    fourth = smaller_than(
        least_error(runs, FEWER, 4),
        least_error(runs, FEWER, 2),
        factor=0.1,
        claim="fewer-4",
        sentence="Likewise depth 4 has less than 0.1 of the test error of depth 2.",
        statement=study.statement("fourth"),
        quantity="least test error along training",
        note="the paper has no depth 4 here",
    )
    return [*verdicts, deepest, fourth]


def gradient_is_aligned(
    study: AbstractStudy, runs: Collection, where: Mapping[str, str]
) -> list[Verdict]:
    """At depth 2; `where` says in words what the data of some names are."""
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
            claim=f"aligned-{words.partition(' ')[0]}",
            sentence=f"On the {words}, at depth 2, the diagonal entries of "
            "|U' grad V| are on average more than five times the others while W moves.",
            statement=study.statement("alignment"),
            quantity="least ratio of the means on and off the diagonal",
            note="from a tenfold growth of the largest singular value to a hundredth "
            "of the training loss; the bound is ours, the paper shows curves",
        )
        for data, words in where.items()
    ]


def law_holds(
    study: AbstractStudy, runs: Collection, data: str = SYNTHETIC
) -> list[Verdict]:
    verdicts = []
    for depth in DEPTHS:
        exponent = 2 - 2 / depth
        axes = {"data": data, "method": "flow", "depth": depth}
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
            data=data,
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
