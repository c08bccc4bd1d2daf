"""Paths of greedy learning by three solvers, on the same instances."""

from collections.abc import Mapping, Sequence

from lowrankflow.simulation import CompletionJob, Method, Recipe
from lowrankflow.studies.study import LabelledJob

# Observations per degree of freedom.
FACTORS = (1.5, 2.0, 3.0)
SWEEPS: Mapping[str, tuple[int, ...]] = {"smoke": (2,), "quick": (3,), "paper": (2, 3)}
METHODS: Mapping[str, tuple[Method, ...]] = {
    "psd": ("greedy_path_flow", "greedy_path"),
    "rectangle": ("greedy_path_flow", "greedy_path", "greedy_path_als"),
}
_SIZE, _SHORT = 20, 15


def recipe(kind: str, rank: int, factor: float, seed: int) -> Recipe:
    """A planted completion with `factor` observations per degree of freedom."""
    shared = {"rank": rank, "seed": seed}
    if kind == "psd":
        freedom = rank * _SIZE - rank * (rank - 1) // 2
        # Ordered entries: (i, j) and (j, i) are drawn apart.
        count = min(round(2 * factor * freedom), _SIZE**2)
        return Recipe(
            "planted_psd_completion", {**shared, "size": _SIZE, "num_observed": count}
        )
    shape = [_SHORT, _SIZE]
    count = round(factor * rank * (_SIZE + _SHORT - rank))
    return Recipe(
        "planted_completion", {**shared, "shape": shape, "num_observed": count}
    )


def path_jobs(ranks: Sequence[int], num_seeds: int) -> list[LabelledJob]:
    """Every solver on every instance, up to the truth's rank."""
    return [
        LabelledJob(
            axes={
                "kind": kind,
                "method": method,
                "rank": rank,
                "factor": factor,
                "seed": seed,
            },
            job=CompletionJob(
                problem=recipe(kind, rank, factor, seed),
                method=method,
                length=rank,
                psd=kind == "psd",
            ),
        )
        for kind, methods in METHODS.items()
        for rank in ranks
        for factor in FACTORS
        for method in methods
        for seed in range(num_seeds)
    ]
