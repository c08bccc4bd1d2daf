"""The runs of figure 3: three paths of the flow, two references, and the ratings.

The paper's settings, and what becomes of them here:

- The truths are those of figure 1: rank 2, k^-1.5, and too few measurements of rank 2;
  the norm of each is 1, and Gaussian measurements keep Frobenius norms on average.
- Completion observes as many entries (i, j), i <= j, as the Gaussian panels have
  measurements. The power law gives (i, j) the weight 1 / (i j); its exponent is ours.
- The start is Gaussian, ||U(0)||_F = 1e-4, the same for all three paths.
- "Descent on X" from zero ends at the least Frobenius norm, in closed form.
- Runs end at a training error of 1e-3, relative to the data on average over entries.
- Ratings: the start is ||[U; V]||_F = 1e-3 and the end a training error of 1e-2,
  relative to the data; what the paper's 1e-2 is relative to is not known.
"""

import dataclasses
import itertools
import math
from typing import Literal, TypeAlias

from lowrankflow.dynamics import (
    AbstractDynamics,
    ConstantStep,
    GradientDescent,
    GradientFlow,
    SteeredFlow,
    Stop,
)
from lowrankflow.factorizations import (
    DeepFactorization,
    Gaussian,
    RandomPSD,
    SymmetricFactorization,
)
from lowrankflow.simulation import (
    GeometricIterations,
    OnlyEnds,
    Recipe,
    ReferenceJob,
    RunJob,
)
from lowrankflow.studies.study import LabelledJob

Measurements: TypeAlias = Literal["gaussian", "uniform", "power law"]
Truth: TypeAlias = Literal["rank 2", "decaying", "too few"]
MEASUREMENTS: tuple[Measurements, ...] = ("gaussian", "uniform", "power law")
TRUTHS: tuple[Truth, ...] = ("rank 2", "decaying", "too few")
# The methods, as the axis "method" has them.
EXPONENTIAL, FLOW, DESCENT = "exponential", "flow", "descent"
LEAST, ON_X = "min_nuclear_norm", "descent on X"
PATHS = (EXPONENTIAL, FLOW, DESCENT)
# The axis "data" of the ratings; planted runs have "measurements" and "truth" instead.
RATINGS, RATINGS_CUT = "ratings", "ratings, a cut"
RANK, DECAY, SAMPLING_EXPONENT = 2, 1.5, 1.0
NORM, SMALLER_NORM = 1e-4, 1e-8
RATINGS_NORM = 1e-3
TRAINING_ERROR, RATINGS_TRAINING_ERROR = 1e-3, 1e-2
HELD_OUT_PER_USER = 10
MEAN_SQUARED_RATING = 13.7  # of the whole table; it sets where a run ends
# Descent nears some fits of too few entries as a power of time.
_MOST_ITERATIONS = 5_000_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Size:
    """What a profile runs.

    Args:
        size: n of the planted matrices.
        num_measurements: of the first two truths, and of the last.
        steps: of the exponential for Gaussian measurements, and for entries; those of
            descent, which are cheaper and less exact, are a quarter of them.
        tolerance: of the adaptive flow, relative and absolute.
        gap: relative duality gap of the planted minima.
        users: rows of the ratings; None for all.
        items: their columns; None for all.
        ratings: of the cut, all together; sets where a run ends.
        splits: divisions of the ratings at most; one per seed.
        ratings_tolerance: of the flow on ratings.
        ratings_gap: of their least nuclear norm.
    """

    size: int
    num_measurements: tuple[int, int]
    steps: tuple[float, float]
    tolerance: float
    gap: float
    users: int | None
    items: int | None
    ratings: int
    splits: int
    ratings_tolerance: float = 1e-3
    ratings_gap: float = 1e-3


SIZES = {
    "smoke": Size(
        size=8,
        num_measurements=(24, 4),
        steps=(0.1, 0.2),
        tolerance=1e-4,
        gap=1e-5,
        users=20,
        items=30,
        ratings=497,
        splits=1,
    ),
    "quick": Size(
        size=40,
        num_measurements=(240, 20),
        steps=(0.2, 0.5),
        tolerance=1e-4,
        gap=1e-6,
        users=150,
        items=250,
        ratings=20_585,
        splits=2,
    ),
    "paper": Size(
        size=50,
        num_measurements=(300, 25),
        steps=(0.05, 0.1),
        tolerance=1e-4,
        gap=1e-6,
        users=None,
        items=None,
        ratings=100_000,
        splits=1,
        ratings_gap=1e-4,
    ),
}


def labelled_jobs(profile: str, num_seeds: int) -> list[LabelledJob]:
    """All runs of a profile, the longest first."""
    size = SIZES[profile]
    jobs = []
    for seed in range(min(num_seeds, size.splits)):
        jobs += _ratings_jobs(size, seed)
    for seed, measured, truth in itertools.product(
        range(num_seeds), MEASUREMENTS, TRUTHS
    ):
        jobs += _planted_jobs(size, measured, truth, seed)
    return jobs


def planted_recipe(
    size: Size, measured: Measurements, truth: Truth, seed: int
) -> Recipe:
    """A planted problem as plain data."""
    count = size.num_measurements[truth == "too few"]
    shared = {"size": size.size, "seed": seed, "norm": 1.0}
    if measured == "gaussian":
        shared |= {"num_measurements": count, "scale": "near_isometry"}
        if truth == "decaying":
            return Recipe("power_law_psd_sensing", {**shared, "exponent": DECAY})
        return Recipe("planted_psd_sensing", {**shared, "rank": RANK})
    shared |= {"num_observed": count}
    if measured == "power law":
        shared |= {"sampling_exponent": SAMPLING_EXPONENT}
    kind = {"rank": RANK}
    if truth == "decaying":
        kind = {"rank": size.size, "decay": DECAY}
    return Recipe("symmetric_completion", {**shared, **kind})


def _planted_jobs(
    size: Size, measured: Measurements, truth: Truth, seed: int
) -> list[LabelledJob]:
    recipe = planted_recipe(size, measured, truth, seed)
    fraction = 1.0
    if measured != "gaussian":
        entries = size.size * (size.size + 1) / 2
        fraction = size.num_measurements[truth == "too few"] / entries
    stop = Stop(loss=TRAINING_ERROR**2 * fraction / 2, iterations=_MOST_ITERATIONS)
    step = size.steps[measured != "gaussian"]
    flow = GradientFlow(rtol=size.tolerance, atol=size.tolerance)
    paths: list[tuple[str, float, AbstractDynamics]] = [
        (EXPONENTIAL, NORM, SteeredFlow(step=step)),
        (DESCENT, NORM, GradientDescent(ConstantStep(step / 4))),
        (FLOW, NORM, flow),
        (FLOW, SMALLER_NORM, flow),
    ]
    axes = {"measurements": measured, "truth": truth, "seed": seed}
    jobs = [
        LabelledJob(
            axes={**axes, "method": method, "norm": norm},
            job=RunJob(
                problem=recipe,
                factorization=SymmetricFactorization(),
                dynamics=dynamics,
                start=RandomPSD(norm, of="factor"),
                seed=seed,
                stop=stop,
                schedule=OnlyEnds(),
            ),
        )
        for method, norm, dynamics in paths
    ]
    least = ReferenceJob(recipe, psd=True, gap_tolerance=size.gap)
    on_x = ReferenceJob(recipe, kind="min_frobenius_norm")
    return [
        *jobs,
        LabelledJob(axes={**axes, "method": LEAST}, job=least),
        LabelledJob(axes={**axes, "method": ON_X}, job=on_x),
    ]


def _ratings_jobs(size: Size, seed: int) -> list[LabelledJob]:
    recipe = Recipe(
        "ratings",
        {
            "num_users": size.users,
            "num_items": size.items,
            "num_held_out_per_user": HELD_OUT_PER_USER,
            "seed": seed,
        },
    )
    rows, cols = size.users or 943, size.items or 1682
    observed = size.ratings - HELD_OUT_PER_USER * rows
    data = observed * MEAN_SQUARED_RATING
    flow = RunJob(
        problem=recipe,
        factorization=DeepFactorization(2),
        dynamics=GradientFlow(rtol=size.ratings_tolerance, atol=size.ratings_tolerance),
        start=Gaussian(init_scale=_product_scale(rows, cols)),
        seed=seed,
        stop=Stop(
            loss=RATINGS_TRAINING_ERROR**2 * data / 2, iterations=_MOST_ITERATIONS
        ),
        schedule=GeometricIterations(1.1),
    )
    least = ReferenceJob(recipe, gap_tolerance=size.ratings_gap)
    on_x = ReferenceJob(recipe, kind="min_frobenius_norm")
    axes = {"data": RATINGS if size.users is None else RATINGS_CUT, "seed": seed}
    return [
        LabelledJob(axes={**axes, "method": method}, job=job)
        for method, job in ((FLOW, flow), (LEAST, least), (ON_X, on_x))
    ]


def _product_scale(rows: int, cols: int) -> float:
    """The scale of W(0) = V U' when E ||[U; V]||_F^2 is the square of the norm asked.

    Both factors have min(rows, cols) hidden units and entries of one variance.
    """
    variance = RATINGS_NORM**2 / (min(rows, cols) * (rows + cols))
    return variance * math.sqrt(rows * cols)
