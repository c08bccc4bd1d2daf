"""The runs of the recovery comparison: one for each instance and method."""

import dataclasses
import itertools
from typing import Literal, TypeAlias

from lowrankflow.dynamics import ConstantStep, GradientDescent, GradientFlow, Stop
from lowrankflow.factorizations import (
    AbstractFactorization,
    AbstractStart,
    DeepFactorization,
    Gaussian,
    Identity,
    RandomPSD,
    SymmetricFactorization,
)
from lowrankflow.simulation import (
    CompletionJob,
    Job,
    Method,
    OnlyEnds,
    Recipe,
    ReferenceJob,
    RunJob,
)
from lowrankflow.studies.li2021.counterexample_jobs import GREEDY as GREEDY_FLOW
from lowrankflow.studies.study import LabelledJob

Kind: TypeAlias = Literal["psd", "rectangle"]
# The axis "method" of the maps, in the order they are drawn.
GREEDY, LEAST = "greedy", "min_nuclear_norm"
DEEP, SHALLOW = "flow, depth 3", "flow, depth 2"
GECO, SOFT, PURSUIT = "geco", "soft_impute", "rank_one_pursuit"
METHODS = (GREEDY, DEEP, SHALLOW, LEAST, SOFT, GECO, PURSUIT)
NORM = 20.0
# Of W(0), root mean square of its singular values: of practical size.
SCALE = 1e-3
FLOW = GradientFlow(rtol=1e-4, atol=1e-4)
# A residual of 1e-4 for matrices of norm 20; an instance that cannot be fitted any
# better by then is not recovered.
STOP = Stop(loss=1e-8, iterations=3000)
# The paper's own instances: 20 x 20, rank 3, 120 ordered entries.
TABLE = "paper's"
DESCENT_NORMS = (1e-2, 1e-4)
DESCENT_STEP = 5e-3
_LENGTHS = {GREEDY: 8, PURSUIT: 30, GECO: 8, SOFT: 12}


@dataclasses.dataclass(frozen=True)
class Map:
    """Ranks and numbers of entries of one kind of matrix.

    Args:
        kind: p.s.d. matrices, or rectangles.
        size: rows and columns.
        ranks: of the truths.
        entries: how many are observed; of a p.s.d. matrix, entries (i, j), i <= j.
    """

    kind: Kind
    size: tuple[int, int]
    ranks: tuple[int, ...]
    entries: tuple[int, ...]

    def instance(self, rank: int, entries: int, seed: int) -> Recipe:
        """A truth of Frobenius norm 20 and some of its entries."""
        shared = {"rank": rank, "num_observed": entries, "seed": seed, "norm": NORM}
        if self.kind == "psd":
            return Recipe("symmetric_completion", {**shared, "size": self.size[0]})
        return Recipe("planted_completion", {**shared, "shape": list(self.size)})


def map_jobs(one: Map, num_seeds: int) -> list[LabelledJob]:
    """Every method on every instance; the number of entries is outermost, since each
    has programs of its own to compile.
    """
    jobs = []
    for entries, rank, seed in itertools.product(
        one.entries, one.ranks, range(num_seeds)
    ):
        recipe = one.instance(rank, entries, seed)
        axes = {"kind": one.kind, "rank": rank, "entries": entries, "seed": seed}
        jobs += [
            LabelledJob(
                axes={**axes, "method": method},
                job=_job(recipe, method, one.kind, seed),
            )
            for method in METHODS
        ]
    return jobs


def table_jobs(num_seeds: int) -> list[LabelledJob]:
    """The paper's own instances, with descent in place of the flow."""
    jobs = []
    for seed in range(num_seeds):
        of = {"kind": "named", "name": "li2021-20x20", "parameters": {"seed": seed}}
        recipe = Recipe("symmetrized", {"of": of})
        axes: dict[str, str | int] = {"kind": TABLE, "seed": seed}
        jobs += [
            _greedy_flow(recipe, axes),
            LabelledJob(
                axes={**axes, "method": LEAST}, job=_job(recipe, LEAST, "psd", seed)
            ),
            _pursuit_of_ordered(seed),
        ]
        jobs += [
            LabelledJob(
                axes={**axes, "method": "descent", "norm": norm},
                job=RunJob(
                    problem=recipe,
                    factorization=SymmetricFactorization(),
                    dynamics=GradientDescent(ConstantStep(DESCENT_STEP)),
                    start=RandomPSD(norm),
                    seed=seed,
                    stop=Stop(loss=1e-10, iterations=200_000),
                    schedule=OnlyEnds(),
                ),
            )
            for norm in DESCENT_NORMS
        ]
    return jobs


def _greedy_flow(recipe: Recipe, axes: dict[str, str | int]) -> LabelledJob:
    """Greedy learning by flows, as the theory has it: some entries count twice here."""
    job = RunJob(
        problem=recipe,
        factorization=SymmetricFactorization(),
        dynamics=GREEDY_FLOW,
        stop=Stop(loss=1e-14, iterations=50_000),
        schedule=OnlyEnds(),
    )
    return LabelledJob(axes={**axes, "method": GREEDY}, job=job)


def _pursuit_of_ordered(seed: int) -> LabelledJob:
    """Pursuit sees the ordered entries alone."""
    of = Recipe("named", {"name": "li2021-20x20", "parameters": {"seed": seed}})
    job = CompletionJob(problem=of, method=PURSUIT, length=_LENGTHS[PURSUIT])
    return LabelledJob(axes={"kind": TABLE, "seed": seed, "method": PURSUIT}, job=job)


def _job(recipe: Recipe, method: str, kind: Kind, seed: int) -> Job:
    psd = kind == "psd"
    if method == GREEDY:
        length = _LENGTHS[GREEDY]
        return CompletionJob(
            problem=recipe, method="greedy_path", length=length, psd=psd
        )
    if method == LEAST:
        return ReferenceJob(recipe, psd=psd, gap_tolerance=1e-6)
    relatives: dict[str, Method] = {GECO: GECO, SOFT: SOFT, PURSUIT: PURSUIT}
    if method in relatives:
        length = _LENGTHS[method]
        return CompletionJob(problem=recipe, method=relatives[method], length=length)
    factorization: AbstractFactorization = DeepFactorization(3)
    start: AbstractStart = Identity(SCALE) if psd else Gaussian(SCALE)
    if method == SHALLOW:
        factorization = SymmetricFactorization() if psd else DeepFactorization(2)
    return RunJob(
        problem=recipe,
        factorization=factorization,
        dynamics=FLOW,
        start=start,
        seed=seed,
        stop=STOP,
        schedule=OnlyEnds(),
    )
