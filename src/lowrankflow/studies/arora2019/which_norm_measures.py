"""Which of the matrices that fit the data a surrogate of the rank would have chosen.

For every instance there are answers: those of the flows, the minimum nuclear norm and
the truth. They fit the data equally well (the flows to a mean squared residual of
1e-6). A surrogate explains a flow's answer where it is lower there than at the others.
Two answers that differ by no more than a hundredth of their norm are one answer, and
are not compared: then what is left over by the stop rule would decide.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from lowrankflow.metrics import (
    effective_rank,
    nuclear_norm,
    schatten_power,
    stable_rank,
)
from lowrankflow.studies.arora2019.completion_checks import few_of, ranks_of
from lowrankflow.studies.collection import Axes, Collection
from lowrankflow.studies.samples import Sample

if TYPE_CHECKING:
    import xarray

SAME = 0.01
POWERS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
LOG_DET_EPS = (1.0, 1e-2)
NUCLEAR, EFFECTIVE, STABLE = "nuclear norm", "effective rank", "stable rank"
MINIMUM, TRUTH = "min_nuclear_norm", "truth"


def schatten(p: float) -> str:
    """The name of the surrogate sum_i sigma_i^p."""
    return f"Schatten, p = {p:g}"


def log_det(eps: float) -> str:
    """The name of the surrogate log det(W W' + eps I)."""
    return f"log det, eps = {eps:g}"


def _power(p: float) -> Callable[[np.ndarray], float]:
    return lambda values: schatten_power(values, p=p)


def _log_det(eps: float) -> Callable[[np.ndarray], float]:
    # Less its value at the zero matrix, which is the same for all answers.
    return lambda values: float(np.log1p(values**2 / eps).sum())


SURROGATES: Mapping[str, Callable[[np.ndarray], float]] = {
    NUCLEAR: nuclear_norm,
    **{schatten(p): _power(p) for p in reversed(POWERS)},
    **{log_det(eps): _log_det(eps) for eps in LOG_DET_EPS},
    EFFECTIVE: effective_rank,
    STABLE: stable_rank,
}
SCHATTEN = (NUCLEAR, *(schatten(p) for p in reversed(POWERS)))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """A matrix that fits the data of an instance, by its surrogates.

    Args:
        method: "flow", or one of `MINIMUM` and `TRUTH`.
        depth: of a flow; 0 otherwise.
        init_scale: of its start; 0 otherwise.
        matrix: itself.
        surrogates: by name.
    """

    method: str
    depth: int
    init_scale: float
    matrix: Float[np.ndarray, "rows cols"]
    surrogates: Mapping[str, float]

    def is_same(self, other: "Answer") -> bool:
        """Whether both are one answer: within a hundredth of the larger's norm."""
        norms = np.linalg.norm(self.matrix), np.linalg.norm(other.matrix)
        return bool(np.linalg.norm(self.matrix - other.matrix) <= SAME * max(norms))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparison:
    """The answer of a flow beside another.

    Args:
        rank: of the truth.
        count: entries observed.
        seed: of the instance.
        flow: the answer to be explained.
        rival: another that fits the data.
        is_same: whether both are one answer.
    """

    rank: int
    count: int
    seed: int
    flow: Answer
    rival: Answer
    is_same: bool

    def is_lower(self, surrogate: str) -> bool:
        """Whether the surrogate is lower at the flow's answer."""
        return self.flow.surrogates[surrogate] < self.rival.surrogates[surrogate]


def comparisons(collection: Collection) -> list[Comparison]:
    """Every flow's answer beside every other that fits the same data."""
    truths: dict[tuple[int, int], Answer] = {}
    answers: dict[tuple[int, int, int], dict[tuple[str, int, float], Answer]] = {}
    for axes, dataset in collection.runs:
        answer = _answer(axes, dataset)
        rank, seed = int(axes["rank"]), int(axes["seed"])
        if answer.method == TRUTH:
            truths[rank, seed] = answer
            continue
        place = (rank, int(axes["num_observed"]), seed)
        name = (answer.method, answer.depth, answer.init_scale)
        answers.setdefault(place, {})[name] = answer
    found = []
    for (rank, count, seed), own in sorted(answers.items()):
        all_of_it = [*own.values(), *_one(truths.get((rank, seed)))]
        for flow, rival in itertools.permutations(all_of_it, 2):
            if flow.method == "flow":
                found.append(
                    Comparison(
                        rank=rank,
                        count=count,
                        seed=seed,
                        flow=flow,
                        rival=rival,
                        is_same=flow.is_same(rival),
                    )
                )
    return found


def with_few(collection: Collection, found: Sequence[Comparison]) -> list[Comparison]:
    """Those with few entries."""
    few = {
        (rank, count)
        for rank in ranks_of(collection)
        for count in few_of(collection, rank)
    }
    return [one for one in found if (one.rank, one.count) in few]


def share_lower(
    found: Iterable[Comparison], surrogate: str, missing: tuple[str, ...] = ()
) -> Sample:
    """Every seed's share of comparisons in which the flow's answer is lower.

    Comparisons of an answer with itself do not count; a seed without any other has no
    number.
    """
    by_seed: dict[int, list[bool]] = {}
    for one in found:
        own = by_seed.setdefault(one.seed, [])
        if not one.is_same:
            own.append(one.is_lower(surrogate))
    seeds = tuple(sorted(by_seed))
    values = [np.mean(by_seed[s]) if by_seed[s] else np.nan for s in seeds]
    return Sample(values=np.array(values, float), seeds=seeds, missing=missing)


def share_least(
    found: Iterable[Comparison], surrogate: str, missing: tuple[str, ...] = ()
) -> Sample:
    """Every seed's share of flows whose answer is lower than all they are beside.

    An answer that is the same as another is not beaten by it.
    """
    least: dict[tuple[int, int, int, int, float], bool] = {}
    for one in found:
        flow = (one.seed, one.rank, one.count, one.flow.depth, one.flow.init_scale)
        holds = one.is_same or one.is_lower(surrogate)
        least[flow] = least.get(flow, True) and holds
    seeds = tuple(sorted({flow[0] for flow in least}))
    values = [
        np.mean([holds for flow, holds in least.items() if flow[0] == seed])
        for seed in seeds
    ]
    return Sample(values=np.array(values, float), seeds=seeds, missing=missing)


def best_of(
    shares: Mapping[str, Sample],
) -> tuple[str, Sample]:
    """The surrogate with the largest mean share over seeds, and its shares."""
    name = max(shares, key=lambda own: float(np.nansum(shares[own].values)))
    return name, shares[name]


def meets_from(
    found: Iterable[Comparison],
    rank: int,
    freedom: int,
    missing: tuple[str, ...],
) -> Sample:
    """From how many entries on each seed's flow is the minimum, per degree of freedom.

    Args:
        found: comparisons of one flow with the minimum.
        rank: of the truth.
        freedom: degrees of freedom of that rank.
        missing: what is not there.

    Returns:
        The least number of entries from which on both are one answer at every number;
        infinite where they never are.
    """
    by_seed: dict[int, dict[int, bool]] = {}
    for one in found:
        if one.rank == rank:
            by_seed.setdefault(one.seed, {})[one.count] = one.is_same
    seeds = tuple(sorted(by_seed))
    values = []
    for seed in seeds:
        counts = sorted(by_seed[seed], reverse=True)
        same = itertools.takewhile(by_seed[seed].get, counts)
        values.append(min(same, default=np.inf) / freedom)
    return Sample(values=np.array(values, float), seeds=seeds, missing=missing)


def _one(answer: Answer | None) -> list[Answer]:
    return [] if answer is None else [answer]


def _answer(axes: Axes, dataset: "xarray.Dataset") -> Answer:
    values = dataset["singular_values"]
    if "record" in values.dims:
        values = values.isel(record=-1)
    numbers = np.asarray(values.values, float)
    return Answer(
        method=str(axes["method"]),
        depth=int(axes.get("depth", 0)),
        init_scale=float(axes.get("init_scale", 0.0)),
        matrix=np.asarray(dataset["matrix"].values, float),
        surrogates={name: of(numbers) for name, of in SURROGATES.items()},
    )
