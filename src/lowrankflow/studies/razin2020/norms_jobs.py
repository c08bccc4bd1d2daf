"""The runs: 2 x 2 completion with W_11 free, its perturbations, and a 3 x 3 case."""

import dataclasses

import numpy as np

from lowrankflow.dynamics import GradientFlow, Stop
from lowrankflow.factorizations import (
    AbstractStart,
    Balanced,
    DeepFactorization,
    Gaussian,
    RandomPSD,
)
from lowrankflow.problems import SensingProblem
from lowrankflow.simulation import GeometricIterations, Recipe, RunJob, build
from lowrankflow.studies.collection import AxisValue
from lowrankflow.studies.study import LabelledJob

DEPTHS = (2, 3, 4)
SCALE = 1e-2
# W_12 and W_21: the paper's own, and those of its published perturbed data.
PAIRS = {"1, 1": (1.0, 1.0), "-2, 0.5": (-2.0, 0.5)}
PERTURBED_DEPTH, PERTURBED_SCALE, PERTURBED_LOSS = 3, 1e-3, 1e-8
OPPOSITE, WRONG_SIDE = 0.01, 0.1
ENTRIES = tuple(f"entry_{i}_{j}" for i in range(2) for j in range(2))
_FLOW = GradientFlow(rtol=1e-8, atol=1e-8)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sweep:
    """The loss down to which norms are followed, and the values of W_22."""

    loss: float
    corners: tuple[float, ...]


SWEEPS = {
    "smoke": Sweep(loss=1e-4, corners=(0.0, 0.05, 0.5)),
    "quick": Sweep(loss=1e-5, corners=(0.0, 0.01, 0.1, 0.5)),
    "paper": Sweep(loss=1e-5, corners=(0.0, 0.01, 0.05, 0.1, 0.5)),
}


def completion(pair: str = "1, 1", corner: float = 0.0) -> Recipe:
    """The 2 x 2 problem with these observed entries."""
    first, second = PAIRS[pair]
    parameters = {"W_12": first, "W_21": second, "W_22": corner}
    return Recipe("named", {"name": "razin2020-2x2", "parameters": parameters})


def larger() -> Recipe:
    """All entries but W_11 of a 3 x 3 matrix whose determinant is -1 whatever W_11."""
    matrix = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    rows, cols = (index[1:] for index in np.indices((3, 3)).reshape(2, 9))
    return Recipe(
        "entries",
        {
            "rows": rows.tolist(),
            "cols": cols.tolist(),
            "values": matrix[rows, cols].tolist(),
            "shape": [3, 3],
        },
    )


def all_jobs(profile: str, num_seeds: int) -> list[LabelledJob]:
    """Every run of a profile."""
    sweep, jobs = SWEEPS[profile], []
    balanced, small = Balanced(SCALE), Balanced(PERTURBED_SCALE)
    for seed in range(num_seeds):
        for depth in DEPTHS:
            for case, start, sign in (
                # Symmetric: at depth 2 rounding would turn the sign of a general one.
                ("positive", RandomPSD(SCALE), 1),
                ("negative", balanced, -1),
                ("unbalanced", Gaussian(SCALE), 1),
            ):
                if case == "unbalanced" and depth == 2:
                    continue
                jobs.append(
                    _labelled(case, completion(), depth, start, sign, sweep.loss, seed)
                )
        for pair, (first, second) in PAIRS.items():
            sign, depth = int(np.sign(first * second)), PERTURBED_DEPTH
            for corner in sweep.corners:
                loss = PERTURBED_LOSS if corner else sweep.loss
                recipe, at = completion(pair, corner), {"pair": pair, "corner": corner}
                jobs.append(
                    _labelled("perturbed", recipe, depth, small, sign, loss, seed, **at)
                )
            recipe = completion(pair, OPPOSITE)
            jobs.append(
                _labelled(
                    "opposite",
                    recipe,
                    depth,
                    small,
                    -sign,
                    PERTURBED_LOSS,
                    seed,
                    pair=pair,
                )
            )
        recipe, case = completion(corner=WRONG_SIDE), "wrong side"
        jobs.append(_labelled(case, recipe, 3, small, 1, PERTURBED_LOSS, seed))
        jobs.append(_labelled("larger", larger(), 3, balanced, 1, sweep.loss, seed))
    return jobs


def start_seed(
    recipe: Recipe,
    depth: int,
    start: AbstractStart,
    *,
    sign: int,
    number: int,
    side: int = 0,
) -> int:
    """The seed of the number-th start whose end-to-end determinant has this sign.

    With a side, its W_22 has that sign as well.
    """
    problem, coordinates = build(recipe), DeepFactorization(depth)
    assert isinstance(problem, SensingProblem)
    found, seed = -1, -1
    while found < number:
        seed += 1
        factors = start.factors(problem, coordinates, seed=seed)
        matrix = np.asarray(coordinates.end_to_end(factors))
        fits = np.sign(np.linalg.det(matrix)) == sign
        found += int(fits and side in (0, np.sign(matrix[1, 1])))
    return seed


def _labelled(
    case: str,
    recipe: Recipe,
    depth: int,
    start: AbstractStart,
    sign: int,
    loss: float,
    seed: int,
    **varied: AxisValue,
) -> LabelledJob:
    side = {"perturbed": 1, "wrong side": -1}.get(case, 0)
    own = start_seed(recipe, depth, start, sign=sign, number=seed, side=side)
    # On the wrong side the loss never falls to that of the stop.
    most = 2_000 if case == "wrong side" else 50_000
    return LabelledJob(
        axes={"case": case, "depth": depth, **varied, "seed": seed},
        job=RunJob(
            problem=recipe,
            factorization=DeepFactorization(depth),
            dynamics=_FLOW,
            start=start,
            seed=own,
            stop=Stop(loss=loss, iterations=most),
            schedule=GeometricIterations(1.05),
            observe=("entry_0_0",) if case == "larger" else ENTRIES,
        ),
    )
