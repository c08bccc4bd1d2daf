"""What the runs say of li2021's exact statements and of its later stages."""

import numpy as np

from lowrankflow.studies.claims import at_least, at_most, within
from lowrankflow.studies.collection import Collection
from lowrankflow.studies.li2021.theorems_jobs import LIMIT, second_stage
from lowrankflow.studies.li2021.theorems_measures import (
    apart,
    beyond_rank,
    block_error,
    closed_error,
    critical_rates,
    curvature,
    later_error,
    least_eigenvalue,
)
from lowrankflow.studies.samples import Sample, combine, largest, smallest
from lowrankflow.studies.study import AbstractStudy
from lowrankflow.studies.verdict import Verdict

TIMES = {"full": (0.5, 2.0, 6.0), "linear": (20.0, 40.0, 60.0)}
FLOWS, RANKS = ("factors", "matrix"), (1, 2)
DEPTHS = (2, 3, 4, 5)
# What the source gives for closed forms and for the flow in M.
SAME = 1e-8


def closed_form(study: AbstractStudy, collection: Collection, loss: str) -> Verdict:
    what = "all entries are observed" if loss == "full" else "the loss is linear"
    return at_most(
        largest([closed_error(collection, loss, time) for time in TIMES[loss]]),
        SAME,
        claim=f"closed-{loss}",
        sentence=f"Where {what} the flow is its closed form.",
        statement=study.statement("closed"),
        quantity="largest relative difference over the times",
    )


def rank_is_kept(study: AbstractStudy, collection: Collection) -> Verdict:
    found = [beyond_rank(collection, flow, rank) for flow in FLOWS for rank in RANKS]
    return at_most(
        largest(found),
        1e-10,
        claim="rank",
        sentence="From W(0) of rank 1 or 2 every record has that rank.",
        statement=study.statement("kept"),
        quantity="largest sigma_(k+1) / sigma_k",
        note="flow of the factors, hidden units mixed, and flow of W itself",
    )


def cone_is_kept(study: AbstractStudy, collection: Collection) -> Verdict:
    found = [least_eigenvalue(collection, f, rank) for f in FLOWS for rank in RANKS]
    return at_least(
        smallest(found),
        -1e-12,
        claim="cone",
        sentence="From W(0) of rank 1 or 2 the end is positive semidefinite.",
        statement=study.statement("kept"),
        quantity="smallest eigenvalue to the largest",
    )


def deep_flow_of_the_root(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_most(
        largest([root_error(collection, depth) for depth in DEPTHS]),
        SAME,
        claim="root",
        sentence="The flow of M = W^(2/L) is that of the factors, L = 2 to 5.",
        statement=study.statement("root"),
        quantity="largest relative difference of W",
    )


def root_error(collection: Collection, depth: int) -> Sample:
    """The flow of M beside that of the factors."""
    places = {"case": "root", "depth": depth}
    return apart(
        collection.last("matrix", flow="root", **places),
        collection.last("matrix", flow="factors", **places),
    )


def lifting_has_the_flow(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_most(
        block_error(collection, "lift"),
        SAME,
        claim="lifting-flow",
        sentence="The flow of a rectangle is the off-diagonal block of its lifting's, "
        "at twice the time.",
        statement=study.statement("lifting"),
        quantity="relative difference",
    )


def lifting_has_greedy(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_most(
        block_error(collection, "lift-greedy"),
        1e-4,
        claim="lifting-greedy",
        sentence="Greedy learning of a rectangle ends at the block of its lifting's.",
        statement=study.statement("lifting"),
        quantity="relative difference",
        note="the optimality tolerance leaves some 1e-6 to 1e-5",
    )


def last_point_is_optimal(study: AbstractStudy, collection: Collection) -> Verdict:
    rates, known = critical_rates(collection)
    last = Sample(
        values=np.array([float(rate[-1]) for rate in rates]),
        seeds=known.seeds,
        missing=known.missing,
    )
    return at_most(
        last,
        1e-6,
        claim="optimal",
        sentence="At the end of greedy learning no direction is left.",
        statement=study.statement("optimality"),
        quantity="lambda_1(-grad f) to that at zero",
    )


def points_before_are_not(study: AbstractStudy, collection: Collection) -> Verdict:
    rates, known = critical_rates(collection)
    before = Sample(
        values=np.array([float(min(rate[:-1], default=np.nan)) for rate in rates]),
        seeds=known.seeds,
        missing=known.missing,
    )
    return at_least(
        before,
        1e-4,
        claim="not-optimal",
        sentence="At the end of every stage before, one is.",
        statement=study.statement("optimality"),
        quantity="least lambda_1(-grad f) to that at zero",
        note="a hundred times what the end is held to",
    )


def end_is_global(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_most(
        collection.last("loss", case="greedy", max_rank=0),
        1e-12,
        claim="global",
        sentence="The end is a global minimizer: its loss is zero.",
        statement=study.statement("optimality"),
        quantity="loss at the end",
        note="about 0.3 at zero",
    )


def points_are_minimizers(study: AbstractStudy, collection: Collection) -> Verdict:
    return at_least(
        smallest([curvature(collection, rank)[0] for rank in RANKS]),
        -1e-6,
        claim="minimizer",
        sentence="Every W_r is a minimizer to second order among matrices of rank r.",
        statement=study.statement("minimizer"),
        quantity="least eigenvalue of the Hessian to the largest",
    )


def points_are_strict(study: AbstractStudy, collection: Collection) -> Verdict:
    counts = [
        # Rotations of r columns.
        curvature(collection, rank)[1].map(
            lambda flat, rank=rank: abs(float(flat) - rank * (rank - 1) / 2)
        )
        for rank in RANKS
    ]
    return at_most(
        largest(counts),
        0.0,
        claim="strict",
        sentence="Only the rotations of U leave f unchanged to second order.",
        statement=study.statement("minimizer"),
        quantity="flat directions beyond the rotations",
    )


def later_slopes(collection: Collection) -> Sample:
    """The exponent of the error of the second stage, one per seed."""
    at = [float(x) for x in collection.select(case="later").axis("log10_eps")]
    at = [x for x in at if x != LIMIT]
    x = np.array(at) - np.mean(at)
    return combine(
        lambda *y: float(x @ np.log10(y) / (x @ x)),
        *(later_error(collection, eps) for eps in at),
    )


def later_stage(study: AbstractStudy, collection: Collection) -> Verdict:
    found = later_slopes(collection)
    gammas = np.array([second_stage(int(seed or 0))[3] for seed in found.seeds])
    wanted = Sample(values=gammas / (1 + gammas), seeds=found.seeds)
    return at_least(
        combine(lambda a, b: float(a - b), found, wanted),
        -0.05,
        claim="later-bound",
        sentence="From W_1 + eps B the path tends to that of the second stage, no "
        "slower than eps^(gamma/(1+gamma)), gamma at W_1.",
        statement=study.statement("later"),
        quantity="exponent less the bound",
    )


def later_rate(study: AbstractStudy, collection: Collection) -> Verdict:
    found = later_slopes(collection)
    gammas = np.array([second_stage(int(seed or 0))[3] for seed in found.seeds])
    return within(
        combine(
            lambda a, b: float(a - b), found, Sample(values=gammas, seeds=found.seeds)
        ),
        -0.1,
        0.1,
        claim="later-rate",
        sentence="The exponent is gamma at W_1 itself, as in the first stage.",
        statement=study.statement("later-rate"),
        quantity="exponent less gamma",
    )
